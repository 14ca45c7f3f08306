"""Parameters, labels and places of whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import backproof as bp

X = np.random.default_rng(0).normal(size=(7, 4))
W = np.random.default_rng(1).integers(-3, 4, (4, 3))


@pytest.mark.parametrize("factor", [1, 2])
def test_a_parameter_of_whole_numbers_has_a_gradient(factor: int) -> None:
    def forward(X: Any, W: Any) -> Any:
        return np.mean(np.tanh(X @ W))

    def backward(X: Any, W: Any) -> Any:
        return {"dW": factor * X.T @ (1 - np.tanh(X @ W) ** 2) / (len(X) * W.shape[1])}

    assert bp.diagnose(forward, backward, X=X, W=W).returned == {"W": "right" if factor == 1 else "wrong"}


@pytest.mark.parametrize("use", [lambda k: k, lambda k: np.eye(3)[k], lambda k: k == 1, lambda k: k.astype(int) % 2])
def test_labels_and_places_of_whole_numbers_have_none(use: Any) -> None:
    def forward(X: Any, W: Any, labels: Any) -> Any:
        scores = X @ W
        used = use(labels)
        return np.sum(scores[np.arange(len(X)), used] if used.dtype.kind == "i" else scores[used > 0])

    def backward(X: Any, W: Any, labels: Any) -> Any:
        used = use(labels)
        D = np.zeros((len(X), 3))
        D[(np.arange(len(X)), used) if used.dtype.kind == "i" else used > 0] = 1
        return {"dW": X.T @ D}

    labels = np.array([0, 2, 1, 1, 0, 2, 1])
    assert bp.diagnose(forward, backward, X=X, W=W * 1.0, labels=labels).returned == {"W": "right"}
