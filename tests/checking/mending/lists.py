import numpy as np


def forward(x, target, weights, biases):
    layers = [x]
    for k in range(len(weights)):
        z = layers[-1] @ weights[k] + biases[k]
        layers.append(np.tanh(z) if k < len(weights) - 1 else z)
    return 0.5 * np.sum((layers[-1] - target) ** 2) / len(x), layers


def backward(layers, target, weights):
    n = len(weights)
    grad_w, grad_b = [None] * n, [None] * n
    delta = (layers[n] - target) / len(target)
    for k in range(n - 1, -1, -1):
        grad_w[k] = layers[k].T @ delta
        grad_b[k] = np.sum(delta, axis=0)
        if k > 0:
            delta = (delta @ weights[k].T) * (1 - layers[k] ** 2)
    return grad_w, grad_b


def arguments(rng):
    sizes = [4, 6, 5, 3]
    return dict(
        x=rng.normal(size=(7, 4)),
        target=rng.normal(size=(7, 3)),
        weights=[rng.normal(size=(a, b)) * 0.6 for a, b in zip(sizes, sizes[1:])],
        biases=[rng.normal(size=b) * 0.5 for b in sizes[1:]],
    )
