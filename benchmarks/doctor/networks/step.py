"""One step of training in one function: derivatives, then new weights, which are returned beside them."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def forward(X, y, w1, w2):
    l1 = sigmoid(X @ w1)
    l2 = sigmoid(l1 @ w2)
    return 0.5 * np.sum((l2 - y) ** 2)


def backward(X, y, w1, w2, lr=0.5):
    l1 = sigmoid(X @ w1)
    l2 = sigmoid(l1 @ w2)
    l2_error = l2 - y
    l2_delta = l2_error * l2 * (1 - l2)
    grad_w2 = l1.T @ l2_delta
    l1_error = l2_delta @ w2.T
    l1_delta = l1_error * l1 * (1 - l1)
    grad_w1 = X.T @ l1_delta
    w2 = w2 - lr * grad_w2
    w1 = w1 - lr * grad_w1
    return grad_w1, grad_w2


def data(rng):
    return {
        "X": rng.normal(size=(7, 3)),
        "y": rng.integers(0, 2, (7, 2)).astype(float),
        "w1": rng.normal(size=(3, 4)),
        "w2": rng.normal(size=(4, 2)),
    }
