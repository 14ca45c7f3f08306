"""Labels whose rows add up to 1: P − Y, said to be so for the data given, and numbers that never need it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import backproof as bp
from backproof import nn
from backproof.derivation.derivation import Derivation
from backproof.derivation.steps import Rewrite
from backproof.execution.interpret import evaluate
from backproof.ops.row import Array
from backproof.write.math_unicode import linear
from backproof.write.spell import spell

rng = np.random.default_rng(6)
X = rng.normal(size=(4, 5))
W = rng.normal(size=(5, 3))
ONE_HOT = np.eye(3)[[0, 2, 1, 1]]
SHARES = np.array([[0.9, 0.05, 0.05], [0.1, 0.7, 0.2], [1 / 3, 1 / 3, 1 / 3], [0, 0, 1]])
OTHERS = {
    "a row of zeros": ONE_HOT * np.array([[1], [1], [0], [1]]),
    "several classes": np.array([[1.0, 1, 0], [0, 0, 1], [1, 1, 1], [0, 1, 0]]),
    "negative": ONE_HOT - 1,
}


def in_full(W: Array, X: Array, Y: Array) -> Any:
    Z = X @ W
    P = np.exp(Z) / np.sum(np.exp(Z), axis=1, keepdims=True)
    return -np.mean(np.sum(Y * np.log(P), axis=1))


def in_columns(W: Array, X: Array, Y: Array) -> Any:
    Z = W.T @ X.T
    P = np.exp(Z) / np.sum(np.exp(Z), axis=0)
    return -np.sum(Y * np.log(P)) / len(X)


def by_logarithms(W: Array, X: Array, Y: Array) -> Any:
    return nn.cross_entropy(X @ W, Y)


CASES = [
    pytest.param(in_full, ONE_HOT, "dZ", "(1/n_3)(P − Y)", "row", id="one-hot"),
    pytest.param(in_full, ONE_HOT.astype(int), "dZ", "(1/n_3)(P − Y)", "row", id="whole numbers"),
    pytest.param(in_full, ONE_HOT == 1, "dZ", "(1/n_3)(P − Y)", "row", id="true and false"),
    pytest.param(in_full, SHARES, "dZ", "(1/n_3)(P − Y)", "row", id="shares"),
    pytest.param(in_columns, ONE_HOT.T, "dZ", "(1/n_3)(P − Y)", "column", id="columns"),
    pytest.param(by_logarithms, ONE_HOT, "dZ1", "(1/n_3)(e^log_probs − Y)", "row", id="log_softmax"),
]


def derived(function: Callable[..., Any], labels: Array, **options: Any) -> Derivation:
    return bp.derive(function, {"W": W, "X": X, "Y": labels}, **options)


def assumed(derivation: Derivation, name: str) -> tuple[Rewrite, ...]:
    return next((found for step, found in derivation.assuming.items() if str(step.symbol) == name), ())


@pytest.mark.parametrize(("function", "labels", "name", "text", "line"), CASES)
def test_the_difference_of_shares_and_labels(
    function: Callable[..., Any], labels: Array, name: str, text: str, line: str
) -> None:
    derivation = derived(function, labels)
    last = assumed(derivation, name)[-1]
    assert linear(spell(last.result)) == text
    assert last.meaning.startswith(f"Each {line} of Y adds up to 1, as in the data given.")
    trace = bp.run(derivation)
    known = {x: np.asarray(trace[key]) for key, x in derivation.quantities.items()}
    np.testing.assert_allclose(evaluate([last.result], known, trace.sizes)[last.result], trace[name], rtol=1e-12)


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize(("function", "labels", "name", "text", "line"), CASES)
def test_other_labels_have_right_numbers(
    function: Callable[..., Any], labels: Array, name: str, text: str, line: str, other: Array
) -> None:
    derivation = derived(function, labels)
    given = {"W": W, "X": X, "Y": other.T if line == "column" else other}
    trace = bp.run(derivation, given)
    assert bp.check(trace).ok
    # That would not be so if the shorter form were computed.
    last = assumed(derivation, name)[-1]
    known = {x: np.asarray(trace[key]) for key, x in derivation.quantities.items()}
    assert not np.allclose(evaluate([last.result], known, trace.sizes)[last.result], trace[name], rtol=1e-3)


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_nothing_is_assumed_that_is_not_in_the_data(other: Array) -> None:
    assert not derived(in_full, other).assuming


def test_negative_numbers_are_no_shares() -> None:
    assert not derived(in_full, ONE_HOT + np.array([1.0, -1, 0])).assuming


def test_nothing_is_assumed_of_what_is_differentiated_by() -> None:
    assert not derived(in_full, ONE_HOT, wrt=["W", "Y"]).assuming


def test_ones_in_a_column_are_no_shares() -> None:
    def weighed(x: Array, y: Array) -> Any:
        return np.sum(x * y / np.sum(y, axis=1, keepdims=True))

    assert not bp.derive(weighed, {"x": np.arange(3.0)[:, None], "y": np.ones((3, 1))}, wrt=["x"]).assuming


def test_a_sum_over_all_is_not_one() -> None:
    def scaled(x: Array, y: Array) -> Any:
        return np.sum(x**2) * np.sum(y)

    assert not bp.derive(scaled, {"x": X, "y": ONE_HOT}, wrt=["x"]).assuming


def test_the_assumption_is_written_beside_the_equation() -> None:
    derivation = derived(in_full, ONE_HOT)
    text = " ".join(bp.render(derivation, "text").split())
    said = (
        "Each row of Y adds up to 1, as in the data given. The values are computed without this, so they are right for "
        "other data too."
    )
    assert text.count(said) == 1
    assert r"= \frac{1}{n_{3}}(P - Y)" in bp.render(derivation, "markdown")
    step = next(x for x in json.loads(bp.render(derivation, "json"))["backward"] if x["symbol"] == "dZ")
    assert step["assuming"][-1]["meaning"] == said
    assert "sum" in json.dumps(step["forms"][-1]["tree"])
