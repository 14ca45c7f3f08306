"""A symmetric matrix that is taken for its transpose."""

import numpy as np


def forward(A, X, Y, W):
    Z = A @ X @ W
    return 0.5 * np.sum((Z - Y) ** 2), Z


def backward(A, X, Y, Z):
    return X.T @ (A @ (Z - Y))


def given(rng):
    A = np.array([[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0.0]]) + np.eye(4)
    A /= np.sqrt(np.outer(A.sum(0), A.sum(0)))
    return {"A": A, "X": rng.normal(size=(4, 3)), "Y": rng.normal(size=(4, 2)), "W": rng.normal(size=(3, 2))}
