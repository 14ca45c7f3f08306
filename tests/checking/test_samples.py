"""One sample alone: that it hides a wrong 1/m is told, and nothing is told of several or of axes of another kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import backproof as bp

RNG = np.random.default_rng(0)


def columns(X: Any, Y: Any, W: Any, b: Any) -> Any:
    D = W @ X + b - Y
    return np.sum(D**2) / X.shape[1], D


def columns_backward(X: Any, D: Any) -> Any:
    return {"dW": 2 * D @ X.T, "db": 2 * D.sum(1, keepdims=True)}  # the 1/m is missing


def rows(X: Any, y: Any, W: Any) -> Any:
    P = np.exp(X @ W) / np.exp(X @ W).sum(1, keepdims=True)
    return -np.log(P[np.arange(len(y)), y]).mean(), P


def rows_backward(X: Any, y: Any, P: Any) -> Any:
    G = P.copy()
    G[np.arange(len(y)), y] -= 1
    return {"dW": X.T @ G / len(y)}


def layer(x: Any, W: Any) -> Any:
    return x @ W


def layer_backward(dout: Any, x: Any) -> Any:
    return {"dW": x.T @ dout}


def of_columns(m: int, features: int = 4) -> Any:
    shapes = {"X": (features, m), "Y": (3, m), "W": (3, features), "b": (3, 1)}
    return columns, columns_backward, {name: RNG.normal(size=shape) for name, shape in shapes.items()}


def of_rows(m: int, features: int = 4) -> Any:
    arguments = {"X": RNG.normal(size=(m, features)), "y": np.arange(m) % 3, "W": RNG.normal(size=(features, 3))}
    return rows, rows_backward, arguments


def of_layer(m: int) -> Any:
    return layer, layer_backward, {"x": RNG.normal(size=(m, 4)), "W": RNG.normal(size=(4, 3))}


def told(case: Any) -> list[str]:
    forward, backward, arguments = case
    diagnosis = bp.diagnose(forward, backward, arguments)
    return [str(remark.text[0]) for remark in diagnosis.remarks if remark.about == "one sample"]


@pytest.mark.parametrize("case", [of_columns(1), of_rows(1), of_layer(1)], ids=["columns", "rows", "layer"])
def test_one_sample_is_told_of(case: Any) -> None:
    (text,) = told(case)
    assert text.startswith("There is one sample only, and a sum over one is its mean")


@pytest.mark.parametrize(
    "case",
    [of_columns(7), of_columns(7, features=1), of_rows(7), of_rows(7, features=1), of_layer(7)],
    ids=["columns", "one feature in columns", "rows", "one feature in rows", "layer"],
)
def test_nothing_is_told_of_several(case: Any) -> None:
    assert told(case) == []


def test_nothing_is_told_of_a_vector() -> None:
    def forward(x: Any, y: Any, W: Any) -> Any:
        d = W @ x - y
        return d @ d, d

    def backward(x: Any, d: Any) -> Any:
        return {"dW": 2 * np.outer(d, x)}

    case = forward, backward, {"x": RNG.normal(size=4), "y": RNG.normal(size=3), "W": RNG.normal(size=(3, 4))}
    assert told(case) == []


def test_nothing_is_told_of_one_output_of_several_samples() -> None:
    shapes = {"X": (4, 7), "Y": (1, 7), "W": (1, 4), "b": (1, 1)}
    assert told((columns, columns_backward, {name: RNG.normal(size=shape) for name, shape in shapes.items()})) == []
