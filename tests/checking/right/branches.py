"""Hinge losses in loops: which terms there are depends on the values."""

import numpy as np


def forward(W, X, y, reg=0.1):
    loss = 0.0
    for i in range(len(X)):
        scores = X[i] @ W
        for j in range(W.shape[1]):
            margin = scores[j] - scores[y[i]] + 1
            if j != y[i] and margin > 0:
                loss += margin
    return loss / len(X) + reg * np.sum(W * W)


def backward(W, X, y, reg=0.1):
    dW = np.zeros(W.shape)
    for i in range(len(X)):
        scores = X[i] @ W
        for j in range(W.shape[1]):
            if j != y[i] and scores[j] - scores[y[i]] + 1 > 0:
                dW[:, j] += X[i]
                dW[:, y[i]] -= X[i]
    return dW / len(X) + 2 * reg * W


def given(rng):
    return {"W": rng.normal(size=(3, 3)), "X": rng.normal(size=(4, 3)), "y": np.array([0, 2, 1, 2])}
