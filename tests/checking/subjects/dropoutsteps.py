"""Two layers with dropout behind both; the masks come in statement by statement, in place."""

import numpy as np


def forward(X, Y, W1, b1, W2, b2, mask1, mask2, keep):
    m = X.shape[1]
    Z1 = W1 @ X + b1
    A1 = np.maximum(Z1, 0) * mask1 / keep
    Z2 = W2 @ A1 + b2
    A2 = np.tanh(Z2) * mask2 / keep
    J = 0.5 * np.sum((A2 - Y) ** 2) / m
    return J, (Z1, A1, Z2, A2)


def backward(X, Y, W2, mask1, mask2, keep, cache):
    Z1, A1, Z2, A2 = cache
    m = X.shape[1]
    dA2 = A2 - Y
    dA2 = dA2 * mask2
    dA2 = dA2 / keep
    dZ2 = dA2 * (1 - np.tanh(Z2) ** 2)
    dW2 = dZ2 @ A1.T / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dA1 = W2.T @ dZ2
    dA1 *= mask1
    dA1 /= keep
    dZ1 = dA1 * (Z1 > 0)
    dW1 = dZ1 @ X.T / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


def arguments(rng):
    return {
        "X": rng.normal(size=(4, 7)),
        "Y": rng.normal(size=(3, 7)),
        "W1": rng.normal(size=(5, 4)),
        "b1": rng.normal(size=(5, 1)),
        "W2": rng.normal(size=(3, 5)),
        "b2": rng.normal(size=(3, 1)),
        "mask1": (rng.random((5, 7)) < 0.7).astype(float),
        "mask2": (rng.random((3, 7)) < 0.7).astype(float),
        "keep": 0.7,
    }
