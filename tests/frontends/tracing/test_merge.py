"""What code computes twice is one quantity, with one derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

import backproof as bp
from backproof.derivation.derivation import Derivation
from backproof.ops.row import Array
from backproof.write.math_unicode import linear
from backproof.write.spell import spell


def derived(f: Any, **arguments: Array) -> Derivation:
    return bp.derive(f, arguments, wrt=list(arguments))


def formulas(derivation: Derivation) -> dict[str, str]:
    return {str(step.symbol): linear(spell(step.node)) for step in derivation.backward}


rng = np.random.default_rng(11)
x, w, W = rng.normal(size=6), rng.normal(size=3), rng.normal(size=(3, 4))


def test_a_part_taken_twice_has_one_derivative() -> None:
    derivation = derived(lambda x, w: np.sum(x[:3] ** 2 * np.exp(-x[:3] * w)), x=x, w=w)
    assert formulas(derivation)["dx"] == "put(x[:3] * e^(−x[:3]*w) * (2 − x[:3] * w), [:3])"
    assert bp.check(bp.run(derivation), every=True).ok


def test_a_function_taken_twice_is_computed_once() -> None:
    derivation = derived(lambda W: np.sum(np.exp(W) / np.max(np.exp(W), axis=1, keepdims=True)), W=W)
    assert sum(step.raw.op.name == "exp" for step in derivation.forward) == 1
    assert bp.check(bp.run(derivation), every=True).ok


def test_a_value_with_a_name_is_used_where_it_is_computed_again() -> None:
    def f(W: Array) -> Any:
        E = np.exp(W)
        return np.sum(np.tanh(E) * np.exp(W))

    names = [str(step.node.symbol) for step in derived(f, W=W).forward]
    assert "E" in names
    assert not any(step.raw.op.name == "exp" for step in derived(f, W=W).forward if str(step.node.symbol) != "E")


def test_two_names_stay_two_quantities() -> None:
    def f(x: Array) -> Any:
        a = x[:3]
        b = x[:3]
        return np.sum(a * b)

    assert {"da", "db"} <= set(formulas(derived(f, x=x)))


def test_an_activation_in_a_product_has_a_name() -> None:
    derivation = derived(lambda W, w: np.sum((w @ np.tanh(W)) ** 2), W=W, w=w)
    assert formulas(derivation)["dW"] == "dZ[1] * (1 − Z[1] * Z[1])"


def test_formulas_of_matrices_stay_whole() -> None:
    derivation = derived(lambda X, b: (X @ b) @ (X @ b), X=W, b=rng.normal(size=4))
    assert formulas(derivation)["dX"] == "2 X · b · bᵀ"
