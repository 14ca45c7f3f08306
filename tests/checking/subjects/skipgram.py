"""Word vectors, pair by pair: a function that both passes call, and rows that the pairs add to one after the other."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def forward(inside, outside, V, U):
    loss = 0
    for i, o in zip(inside, outside, strict=True):
        loss = loss - np.log(sigmoid(U[o] @ V[i]))
    return loss


def backward(inside, outside, V, U):
    dV, dU = np.zeros_like(V), np.zeros_like(U)
    for i, o in zip(inside, outside, strict=True):
        slope = sigmoid(U[o] @ V[i]) - 1
        dV[i] += slope * U[o]
        dU[o] += slope * V[i]
    return dV, dU


def arguments(rng):
    pairs = {"inside": np.array([0, 1, 2, 1]), "outside": np.array([1, 3, 1, 0])}
    return {**pairs, "V": rng.normal(size=(4, 3)), "U": rng.normal(size=(4, 3))}
