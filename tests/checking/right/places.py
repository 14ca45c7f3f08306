"""A loss on some of the rows, none of them twice: to be set, and not added up."""

import numpy as np


def forward(A, X, labels, train, W):
    Z = A @ X @ W
    P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
    return -np.log(P[train, labels[train]]).mean(), P


def backward(A, X, labels, train, W, P):
    dZ = np.zeros_like(P)
    dZ[train] = P[train]
    dZ[train, labels[train]] -= 1
    dZ /= len(train)
    return (A @ X).T @ dZ


def given(rng):
    return {
        **{"A": rng.normal(size=(5, 5)), "X": rng.normal(size=(5, 2)), "labels": np.array([0, 2, 1, 1, 0])},
        **{"train": np.array([0, 2, 3]), "W": rng.normal(size=(2, 3))},
    }
