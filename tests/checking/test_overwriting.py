"""Arguments that a backward pass changes in place: told, unless it is the update of a parameter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import backproof as bp

RNG = np.random.default_rng(0)
ARGUMENTS = {"X": RNG.normal(size=(7, 4)), "Y": RNG.normal(size=(7, 3)), "W": RNG.normal(size=(4, 3))}


def forward(X: Any, Y: Any, W: Any) -> Any:
    A = np.tanh(X @ W)
    return np.sum((A - Y) ** 2), (A, Y)


def over_labels(X: Any, Y: Any, W: Any, cache: Any) -> Any:
    A, _ = cache
    Y -= A
    dZ = -2 * Y * (1 - A**2)
    return {"dW": X.T @ dZ}


def over_data(X: Any, Y: Any, cache: Any) -> Any:
    A, _ = cache
    dZ = 2 * (A - Y) * (1 - A**2)
    dW = X.T @ dZ
    X[0] = 0
    return {"dW": dW}


def over_weights(X: Any, Y: Any, W: Any, cache: Any) -> Any:
    A, _ = cache
    dW = W
    dW *= 0
    dW += X.T @ (2 * (A - Y) * (1 - A**2))
    return {"dW": dW}


def over_cache(X: Any, cache: Any) -> Any:
    dA = cache[0]
    slope = 1 - dA**2
    dA -= cache[1]
    dA *= 2
    return {"dW": X.T @ (dA * slope)}


def updating(X: Any, Y: Any, W: Any, cache: Any) -> Any:
    A, _ = cache
    dW = X.T @ (2 * (A - Y) * (1 - A**2))
    W -= 0.1 * dW
    return {"dW": dW}


def copying(X: Any, Y: Any, cache: Any) -> Any:
    A, _ = cache
    dA = A.copy()
    dA -= Y
    dA *= 2 * (1 - A**2)
    return {"dW": X.T @ dA}


def told(backward: Any) -> list[str]:
    diagnosis = bp.diagnose(forward, backward, ARGUMENTS)
    assert diagnosis.ok
    remarks = [remark.text for remark in diagnosis.remarks if remark.about == "changed in place"]
    first = backward.__code__.co_firstlineno
    said = []
    for name, text in remarks:
        assert "next call. Take a copy first" in str(text)
        place = str(text).partition("test_overwriting.py, line ")[2].partition(",")[0]
        said.append(f"{name.text} in line {int(place) - first}")  # type: ignore[union-attr]
    return said


@pytest.mark.parametrize(
    ("backward", "said"),
    [
        (over_labels, ["Y in line 2"]),
        (over_data, ["X in line 4"]),
        (over_weights, ["W in line 3"]),
        (over_cache, ["cache[0] in line 3"]),
        (updating, []),
        (copying, []),
    ],
)
def test_what_is_changed_in_place_is_told(backward: Any, said: list[str]) -> None:
    assert told(backward) == said


def test_the_derivative_that_a_layer_is_handed() -> None:
    def forward(x: Any) -> Any:
        return np.maximum(x, 0)

    def backward(dout: Any, x: Any) -> Any:
        dout[x < 0] = 0
        return dout

    diagnosis = bp.diagnose(forward, backward, x=RNG.normal(size=(5, 3)))
    assert diagnosis.ok
    (remark,) = (remark for remark in diagnosis.remarks if remark.about == "changed in place")
    assert remark.text[0].text == "dout"  # type: ignore[union-attr]
