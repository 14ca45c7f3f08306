"""Sample by sample with column vectors and lists over layers, as a well-known book has it; quadratic cost, mean."""

import numpy as np


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))


def forward(xs, ys, weights, biases):
    total = 0.0
    for x, y in zip(xs, ys):
        activation = x.reshape(-1, 1)
        for b, w in zip(biases, weights):
            activation = sigmoid(np.dot(w, activation) + b)
        total = total + 0.5 * np.sum((activation - y.reshape(-1, 1)) ** 2)
    return total / len(xs)


def backward(xs, ys, weights, biases):
    n = len(xs)
    nabla_b = [np.zeros(b.shape) for b in biases]
    nabla_w = [np.zeros(w.shape) for w in weights]
    for x, y in zip(xs, ys):
        activation = x.reshape(-1, 1)
        activations = [activation]
        zs = []
        for b, w in zip(biases, weights):
            z = np.dot(w, activation) + b
            zs.append(z)
            activation = sigmoid(z)
            activations.append(activation)
        delta = (activations[-1] - y.reshape(-1, 1)) * sigmoid_prime(zs[-1])
        nabla_b[-1] += delta
        nabla_w[-1] += np.dot(delta, activations[-2].T)
        for l in range(2, len(weights) + 1):
            delta = np.dot(weights[-l + 1].T, delta) * sigmoid_prime(zs[-l])
            nabla_b[-l] += delta
            nabla_w[-l] += np.dot(delta, activations[-l - 1].T)
    nabla_b = [nb / n for nb in nabla_b]
    nabla_w = [nw / n for nw in nabla_w]
    return nabla_b, nabla_w


def data(rng):
    sizes = [4, 5, 3, 2]
    return {
        "xs": rng.normal(size=(5, 4)),
        "ys": rng.integers(0, 2, (5, 2)).astype(float),
        "weights": [rng.normal(size=(b, a)) for a, b in zip(sizes, sizes[1:])],
        "biases": [rng.normal(size=(b, 1)) for b in sizes[1:]],
    }
