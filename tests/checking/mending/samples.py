import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))


def forward(xs, ys, weights, biases):
    J = 0
    for x, y in zip(xs, ys):
        a = x.reshape(-1, 1)
        for w, b in zip(weights, biases):
            a = sigmoid(w @ a + b)
        J = J + 0.5 * np.sum((a - y.reshape(-1, 1)) ** 2)
    return J


def backward(xs, ys, weights, biases):
    nabla_w = [np.zeros(w.shape) for w in weights]
    nabla_b = [np.zeros(b.shape) for b in biases]
    for x, y in zip(xs, ys):
        a = x.reshape(-1, 1)
        activations, zs = [a], []
        for w, b in zip(weights, biases):
            z = w @ a + b
            zs.append(z)
            a = sigmoid(z)
            activations.append(a)
        delta = (activations[-1] - y.reshape(-1, 1)) * sigmoid_prime(zs[-1])
        nabla_b[-1] += delta
        nabla_w[-1] += delta @ activations[-2].T
        for l in range(2, len(weights) + 1):
            delta = weights[-l + 1].T @ delta * sigmoid_prime(zs[-l])
            nabla_b[-l] += delta
            nabla_w[-l] += delta @ activations[-l - 1].T
    return nabla_w, nabla_b


def arguments(rng):
    sizes = [4, 5, 3, 2]
    return dict(
        xs=rng.normal(size=(6, 4)),
        ys=rng.uniform(size=(6, 2)),
        weights=[rng.normal(size=(a, b)) * 0.7 for b, a in zip(sizes, sizes[1:])],
        biases=[rng.normal(size=(a, 1)) * 0.5 for a in sizes[1:]],
    )
