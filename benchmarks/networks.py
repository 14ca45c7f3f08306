"""The networks that are measured, with arguments: each takes NumPy or something like it and gives a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Case = tuple[Callable[[Any], Callable[..., Any]], dict[str, Any]]


def mlp(np: Any) -> Callable[..., Any]:
    def loss(W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any, X: Any, Y: Any) -> Any:
        A1 = np.tanh(X @ W1 + b1)
        A2 = np.tanh(A1 @ W2 + b2)
        return np.mean((A2 @ W3 + b3 - Y) ** 2)

    return loss


def lstm(np: Any) -> Callable[..., Any]:
    def sigmoid(z: Any) -> Any:
        return 1 / (1 + np.exp(-z))

    def loss(Wf: Any, Wi: Any, Wo: Any, Wg: Any, xs: Any) -> Any:
        h = c = np.zeros(16)
        for t in range(50):
            z = np.concatenate([h, xs[t]])
            c = sigmoid(Wf @ z) * c + sigmoid(Wi @ z) * np.tanh(Wg @ z)
            h = sigmoid(Wo @ z) * np.tanh(c)
        return np.sum(h**2)

    return loss


def attention(np: Any) -> Callable[..., Any]:
    def loss(Wq: Any, Wk: Any, Wv: Any, X: Any) -> Any:
        Q, K, V = X @ Wq, X @ Wk, X @ Wv
        S = Q @ np.swapaxes(K, -1, -2) / 4.0
        E = np.exp(S - np.max(S, axis=-1, keepdims=True))
        P = E / np.sum(E, axis=-1, keepdims=True)
        return np.mean((X + P @ V) ** 2)

    return loss


def convolution(np: Any) -> Callable[..., Any]:
    def loss(K: Any, b: Any, W: Any, X: Any) -> Any:
        out = b[:, None, None]
        for i in range(3):
            for j in range(3):
                out = out + np.einsum("ncyx,oc->noyx", X[:, :, i : i + 14, j : j + 14], K[:, :, i, j])
        A = np.maximum(out, 0)
        return np.sum((np.mean(A, axis=(2, 3)) @ W) ** 2)

    return loss


def cases() -> Mapping[str, Case]:
    """Each network and its arguments."""
    rng = np.random.default_rng(0)

    def drawn(**shapes: tuple[int, ...]) -> dict[str, Any]:
        return {name: rng.normal(size=shape) / shape[0] ** 0.5 for name, shape in shapes.items()}

    layers = {"W1": (64, 64), "b1": (64,), "W2": (64, 64), "b2": (64,), "W3": (64, 10), "b3": (10,)}
    return {
        "MLP": (mlp, drawn(**layers, X=(128, 64), Y=(128, 10))),
        "LSTM, 50 steps": (lstm, drawn(**{f"W{gate}": (16, 24) for gate in "fiog"}, xs=(50, 8))),
        "attention": (attention, drawn(Wq=(16, 16), Wk=(16, 16), Wv=(16, 16), X=(8, 32, 16))),
        "convolution": (convolution, drawn(K=(8, 3, 3, 3), b=(8,), W=(8, 4), X=(16, 3, 16, 16))),
    }
