"""Derivatives that become zero."""

from __future__ import annotations

import numpy as np

import backproof as bp


def sigmoid_backward(dA, Z):
    s = 1 / 1
    dZ = dA * s * (1 - s)
    return dZ


def linear_backward(dZ, A_before, W):
    return A_before.T @ dZ, dZ.sum(axis=0), dZ @ W.T


def forward(X, Y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    A1 = np.maximum(Z1, 0)
    Z2 = A1 @ W2 + b2
    A2 = 1 / (1 + np.exp(-Z2))
    J = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / len(X)
    return J, (Z1, A1, Z2, A2)


def backward(X, Y, W1, b1, W2, b2, result):
    Z1, A1, Z2, A2 = result
    dA2 = -(Y / A2 - (1 - Y) / (1 - A2)) / len(X)
    dZ2 = sigmoid_backward(dA2, Z2)
    dW2, db2, dA1 = linear_backward(dZ2, A1, W2)
    dZ1 = dA1 * (Z1 > 0)
    dW1, db1, _ = linear_backward(dZ1, X, W1)
    return dW1, db1, dW2, db2


def test_the_line_that_makes_zeros_of_other_numbers_is_told_of() -> None:
    rng = np.random.default_rng(0)
    sizes = {"X": (5, 3), "W1": (3, 4), "b1": (4,), "W2": (4, 2), "b2": (2,)}
    given = {name: rng.normal(size=size) for name, size in sizes.items()}
    diagnosis = bp.diagnose(forward, backward, Y=rng.integers(0, 2, (5, 2)).astype(float), **given)
    (finding,) = diagnosis.wrong
    assert finding.moment.number == sigmoid_backward.__code__.co_firstlineno + 2
    assert finding.text == "dZ"
    assert finding.mistakes[0].mistake == "left zero"
