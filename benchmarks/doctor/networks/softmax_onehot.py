"""Softmax classifier with a hidden layer; one-hot labels, rows are samples, 1/m at the loss, L2 on the weights."""

import numpy as np


def softmax(z):
    e = np.exp(z - np.max(z, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


def forward(X, T, W1, b1, W2, b2, lam):
    z1 = X @ W1 + b1
    a1 = np.maximum(z1, 0)
    z2 = a1 @ W2 + b2
    probs = softmax(z2)
    n = X.shape[0]
    loss = -np.sum(T * np.log(probs)) / n
    loss = loss + lam / 2 * (np.sum(W1**2) + np.sum(W2**2))
    return loss, (z1, a1, z2, probs)


def backward(X, T, W1, W2, lam, cache):
    z1, a1, z2, probs = cache
    n = X.shape[0]
    dz2 = (probs - T) / n
    dW2 = a1.T @ dz2 + lam * W2
    db2 = dz2.sum(axis=0)
    da1 = dz2 @ W2.T
    dz1 = da1 * (z1 > 0)
    dW1 = X.T @ dz1 + lam * W1
    db1 = dz1.sum(axis=0)
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


def data(rng):
    return {
        "X": rng.normal(size=(7, 4)),
        "T": np.eye(3)[rng.integers(0, 3, 7)],
        "W1": rng.normal(size=(4, 6)),
        "b1": rng.normal(size=6),
        "W2": rng.normal(size=(6, 3)),
        "b2": rng.normal(size=3),
        "lam": 0.1,
    }
