"""Targets that add up to one, and a mask with minus infinity: what comes of other ones would be wrong."""

import numpy as np


def forward(X, targets, mask, W):
    z = X @ W + mask
    q = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return -np.sum(targets * np.log(q + 1e-300)) / len(X), q


def backward(X, targets, q):
    return X.T @ ((q - targets) / len(X))


def given(rng):
    t = rng.random((6, 4)) * np.array([1, 1, 1, 0])
    return {
        **{"X": rng.normal(size=(6, 3)), "targets": t / t.sum(axis=1, keepdims=True)},
        **{"mask": np.tile([0, 0, 0, -1e9], (6, 1)), "W": rng.normal(size=(3, 4))},
    }
