"""Names of quantities: no two are called or written alike, however the code calls its variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import backproof as bp
from backproof.derivation.derivation import Derivation
from backproof.ir.errors import SpecError
from backproof.write.math_unicode import linear
from backproof.write.spell import spell, symbol

ARRAYS = np.random.default_rng(0).normal(size=(3, 2, 2))


def derived(function: Callable[..., Any], *names: str) -> Derivation:
    derivation = bp.derive(function, dict(zip(names, ARRAYS, strict=False)))
    assert len(derivation.quantities) == sum(
        map(len, (derivation.graph.inputs, derivation.forward, derivation.backward))
    )
    written = [linear(symbol(node.symbol)) for node in derivation.quantities.values() if node.symbol]
    assert len(set(written)) == len(written)
    assert bp.check(bp.run(derivation)).ok
    return derivation


def test_a_rebound_variable_and_an_argument_with_a_number() -> None:
    def f(W, h1):  # type: ignore[no-untyped-def]
        h = np.tanh(W)
        h = h * h1
        return np.sum(h**2)

    assert list(derived(f, "W", "h1").quantities)[:5] == ["W", "h1", "h_2", "h_3", "J"]


def test_arguments_written_alike_are_written_as_in_code() -> None:
    def f(W, W_1, W1):  # type: ignore[no-untyped-def]
        W = W * W_1
        W = np.tanh(W) * W1
        return np.sum(W**2)

    derivation = derived(f, "W", "W_1", "W1")
    assert {"W_1", "W1", "W_2", "W_3", "dW_1", "dW1"} <= set(derivation.quantities)
    assert linear(symbol(derivation.quantities["W1"].symbol)) == "W1"


def test_entries_of_a_capital_and_a_small_letter() -> None:
    derivation = derived(lambda W, w: np.sum(np.tanh(W * w) ** 2), "W", "w")
    assert "tanh(W_{jk} · w_{jk})" in linear(spell(derivation.quantities["J"]))


def test_a_variable_called_like_a_derivative() -> None:
    def f(W, X):  # type: ignore[no-untyped-def]
        dW = W * X
        J = np.sum(np.tanh(dW) * dW)
        return J**2

    derivation = derived(f, "W", "X")
    assert list(derivation.quantities) == ["W", "X", "dW_code", "J", "result", "dJ", "ddW_code", "dW"]
    assert "The variable dW is called dW_code here: dW is the derivative by W" in derivation.notes


def test_an_argument_called_like_a_derivative_is_refused() -> None:
    with pytest.raises(SpecError, match="the argument dW is called like the derivative by W"):
        bp.derive(lambda W, dW: np.sum(W * dW), W=ARRAYS[0], dW=ARRAYS[1])
    derived(lambda X, dX: np.sum(X * dX), "X", "dX")


def test_an_array_of_the_code_that_is_rebound() -> None:
    def f(x):  # type: ignore[no-untyped-def]
        y = np.array([1.0, 2.0])
        y = y * x
        y = y - 1
        return np.sum(y**2)

    assert list(derived(f, "x").quantities)[:5] == ["x", "y", "y_1", "y_2", "J"]
