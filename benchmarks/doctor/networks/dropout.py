"""Two hidden layers with inverted dropout; the masks are given, samples are columns."""

import numpy as np


def forward(X, Y, W1, b1, W2, b2, W3, b3, D1, D2, keep_prob):
    m = X.shape[1]
    Z1 = W1 @ X + b1
    A1 = np.maximum(Z1, 0) * D1 / keep_prob
    Z2 = W2 @ A1 + b2
    A2 = np.tanh(Z2) * D2 / keep_prob
    Z3 = W3 @ A2 + b3
    A3 = 1 / (1 + np.exp(-Z3))
    cost = -1 / m * np.sum(Y * np.log(A3) + (1 - Y) * np.log(1 - A3))
    return cost, (Z1, A1, Z2, A2, A3)


def backward(X, Y, W2, W3, D1, D2, keep_prob, cache):
    Z1, A1, Z2, A2, A3 = cache
    m = X.shape[1]
    dZ3 = A3 - Y
    dW3 = 1 / m * dZ3 @ A2.T
    db3 = 1 / m * np.sum(dZ3, axis=1, keepdims=True)
    dA2 = W3.T @ dZ3
    dA2 = dA2 * D2
    dA2 = dA2 / keep_prob
    dZ2 = dA2 * (1 - np.tanh(Z2) ** 2)
    dW2 = 1 / m * dZ2 @ A1.T
    db2 = 1 / m * np.sum(dZ2, axis=1, keepdims=True)
    dA1 = W2.T @ dZ2
    dA1 = dA1 * D1
    dA1 = dA1 / keep_prob
    dZ1 = np.multiply(dA1, np.int64(Z1 > 0))
    dW1 = 1 / m * dZ1 @ X.T
    db1 = 1 / m * np.sum(dZ1, axis=1, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2, "dW3": dW3, "db3": db3}


def data(rng):
    return {
        "X": rng.normal(size=(4, 7)),
        "Y": rng.integers(0, 2, (2, 7)).astype(float),
        "W1": rng.normal(size=(6, 4)),
        "b1": rng.normal(size=(6, 1)),
        "W2": rng.normal(size=(5, 6)) * 0.5,
        "b2": rng.normal(size=(5, 1)),
        "W3": rng.normal(size=(2, 5)),
        "b3": rng.normal(size=(2, 1)),
        "D1": (rng.random((6, 7)) < 0.8).astype(float),
        "D2": (rng.random((5, 7)) < 0.8).astype(float),
        "keep_prob": 0.8,
    }
