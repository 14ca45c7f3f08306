"""The doctor on large arrays: one wrong entry is enough."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import backproof as bp


def forward(X: Any, W: Any, v: Any) -> Any:
    Z = W @ X
    A = np.tanh(Z)
    return np.sum(v * A), (Z, A)


def right(X: Any, W: Any, v: Any, cache: Any) -> Any:
    _, A = cache
    dA = v * np.ones_like(A)
    dZ = dA * (1 - A**2)
    dW = dZ @ X.T
    dv = np.sum(A, axis=1, keepdims=True)
    return {"dW": dW, "dv": dv}


def one_entry(X: Any, W: Any, v: Any, cache: Any) -> Any:
    _, A = cache
    dA = v * np.ones_like(A)
    dZ = dA * (1 - A**2)
    dW = dZ @ X.T
    dW[123, 456] *= 1.01
    dv = np.sum(A, axis=1, keepdims=True)
    return {"dW": dW, "dv": dv}


@pytest.fixture(scope="module")
def arguments() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {
        "X": rng.normal(size=(1000, 3)),
        "W": rng.normal(size=(1000, 1000)) / 30,
        "v": rng.normal(size=(1000, 1)),
    }


def test_one_entry_in_a_million(arguments: dict[str, Any]) -> None:
    assert bp.diagnose(forward, right, arguments).ok
    diagnosis = bp.diagnose(forward, one_entry, arguments)
    assert not diagnosis.ok
    assert diagnosis.returned["W"] != "right"
    assert diagnosis.returned["v"] == "right"
    assert any("dW[123, 456] *= 1.01" in finding.moment.source for finding in diagnosis.wrong)
