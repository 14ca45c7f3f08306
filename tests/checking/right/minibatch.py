"""Derivatives of single samples added up in list comprehensions."""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(batch, weights, biases):
    total = 0
    for x, y in batch:
        for w, b in zip(weights, biases):
            x = sigmoid(w @ x + b)
        total += 0.5 * np.sum((x - y) ** 2)
    return total / len(batch)


def backprop(x, y, weights, biases):
    activations = [x]
    for w, b in zip(weights, biases):
        activations.append(sigmoid(w @ activations[-1] + b))
    delta = (activations[-1] - y) * activations[-1] * (1 - activations[-1])
    nabla_b, nabla_w = [delta], [delta @ activations[-2].T]
    for l in range(len(weights) - 1, 0, -1):
        delta = weights[l].T @ delta * activations[l] * (1 - activations[l])
        nabla_b.insert(0, delta)
        nabla_w.insert(0, delta @ activations[l - 1].T)
    return nabla_b, nabla_w


def backward(batch, weights, biases):
    nabla_b = [np.zeros(b.shape) for b in biases]
    nabla_w = [np.zeros(w.shape) for w in weights]
    for x, y in batch:
        delta_nabla_b, delta_nabla_w = backprop(x, y, weights, biases)
        nabla_b = [nb + dnb for nb, dnb in zip(nabla_b, delta_nabla_b)]
        nabla_w = [nw + dnw for nw, dnw in zip(nabla_w, delta_nabla_w)]
    return [nb / len(batch) for nb in nabla_b], [nw / len(batch) for nw in nabla_w]


def given(rng):
    return {
        "batch": [(rng.normal(size=(3, 1)), rng.random((2, 1))) for _ in range(3)],
        "weights": [rng.normal(size=(4, 3)), rng.normal(size=(2, 4))],
        "biases": [rng.normal(size=(4, 1)), rng.normal(size=(2, 1))],
    }
