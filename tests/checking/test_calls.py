"""What functions are called with, where the names of their parameters are unusual."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import backproof as bp
from backproof.checking.subjects.calls import from_above, matched
from backproof.ir.errors import BackproofError

RNG = np.random.default_rng(0)
KEPT = (np.ones(2), np.zeros(3))


@pytest.mark.parametrize("name", ["c", "stuff", "saved_tensors", "intermediates", "z"])
def test_the_parameter_that_is_left_over_is_the_cache(name: str) -> None:
    scope: dict[str, Any] = {}
    exec(f"def backward(X, {name}, W=None): pass\ndef upon(dout, {name}): pass", scope)
    assert matched(scope["backward"], {"X": 1}, {}, [KEPT])[name] is KEPT
    assert matched(scope["upon"], {}, {}, [KEPT], [2.0]) == {"dout": 2.0, name: KEPT}
    assert from_above(scope["upon"], ()) == ["dout"]


def test_what_is_known_by_its_name_is_not_left_over() -> None:
    def backward(c: Any, stuff: Any) -> None: ...

    assert matched(backward, {}, {"c": 5}, [KEPT]) == {"c": 5, "stuff": KEPT}
    with pytest.raises(BackproofError, match=r"^it is not known .* to be given as c .*\n.*not to several"):
        matched(backward, {}, {}, [KEPT])
    with pytest.raises(BackproofError, match="is to be given as stuff"):
        matched(backward, {"c": 5}, {}, [])

    def with_cache(stuff: Any, cache: Any) -> None: ...

    with pytest.raises(BackproofError, match="is to be given as stuff"):
        matched(with_cache, {}, {}, [KEPT])


def test_a_layer_with_a_cache_of_an_unusual_name() -> None:
    def forward(x: Any, W: Any, b: Any) -> Any:
        return np.tanh(x @ W + b), (x, W, b)

    def backward(dout: Any, stuff: Any) -> Any:
        x, W, b = stuff
        dz = dout * (1 - np.tanh(x @ W + b) ** 2)
        return dz @ W.T, x.T @ dz, dz.sum(0)

    arguments = {"x": RNG.normal(size=(7, 4)), "W": RNG.normal(size=(4, 3)), "b": RNG.normal(size=3)}
    diagnosis = bp.diagnose(forward, backward, arguments)
    assert diagnosis.returned == {"x": "right", "W": "right", "b": "right"}


def test_results_of_which_a_layer_is_handed_several_derivatives() -> None:
    def cell(x: Any, W: Any) -> Any:
        h = np.tanh(x @ W)
        return h, h**2

    def backward(dh, dc, x, W):  # type: ignore[no-untyped-def]
        h = np.tanh(x @ W)
        return {"dW": x.T @ ((dh + 2 * h * dc) * (1 - h**2))}

    assert bp.diagnose(cell, backward, x=RNG.normal(size=(7, 4)), W=RNG.normal(size=(4, 3))).ok


def test_parameters_that_only_their_case_tells_apart() -> None:
    def forward(X: Any, Y: Any, W: Any, b: Any, B: Any) -> Any:
        A = np.tanh(X @ W + b)
        return np.sum((A @ B - Y) ** 2), A

    def backward(X, Y, B, A):  # type: ignore[no-untyped-def]
        dH = 2 * (A @ B - Y)
        dB = A.T @ dH
        dZ = dH @ B.T * (1 - A**2)
        db = dZ.sum(axis=1)
        return {"W": X.T @ dZ, "b": db, "B": dB}

    shapes = {"X": (6, 4), "Y": (6, 2), "W": (4, 3), "b": (3,), "B": (3, 2)}
    diagnosis = bp.diagnose(forward, backward, {name: RNG.normal(size=shape) for name, shape in shapes.items()})
    assert diagnosis.returned == {"W": "right", "b": "inherited", "B": "right"}
    assert [(x.text, str(x.step.symbol), x.correction) for x in diagnosis.wrong] == [
        ("db", "db", "db = dZ.sum(axis=0)")
    ]


def test_parameters_that_are_taken_by_any_name() -> None:
    def forward(X: Any, Y: Any, **params: Any) -> Any:
        A = np.tanh(X @ params["W"])
        return np.sum((A @ params["V"] - Y) ** 2), A

    def backward(X: Any, Y: Any, A: Any, **params: Any) -> Any:
        dH = 2 * (A @ params["V"] - Y)
        return {"V": A.T @ dH, "W": X.T @ (dH @ params["V"].T * (1 - A**2))}

    shapes = {"X": (6, 4), "Y": (6, 2), "W": (4, 3), "V": (3, 2)}
    diagnosis = bp.diagnose(forward, backward, {name: RNG.normal(size=shape) for name, shape in shapes.items()})
    assert diagnosis.returned == {"W": "right", "V": "right"}
