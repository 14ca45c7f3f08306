"""The lengths of axes: which are the same, and how they are called."""

from __future__ import annotations

import linecache
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import backproof as bp
from backproof import autograd
from backproof.derivation.derivation import Derivation
from backproof.ir.errors import TraceError
from backproof.ir.sizes import show
from backproof.write.math_unicode import linear
from backproof.write.spell import spell

rng = np.random.default_rng(0)
ARRAYS: dict[str, Any] = {
    **{"W1": rng.normal(size=(4, 5)), "b1": rng.normal(size=5), "W2": rng.normal(size=(5, 3))},
    **{"X": rng.normal(size=(6, 4)), "y": rng.integers(0, 3, 6)},
}


def shapes(function: Callable[..., Any], **arrays: Any) -> dict[str, str]:
    return {name: show(node.shape) for name, node in bp.derive(function, arrays).quantities.items()}


def equation(derivation: Derivation, name: str) -> str:
    return linear(spell(derivation.quantities[name]))


def network(W1, b1, W2, X, y):
    m = len(y)
    A1 = np.tanh(X @ W1 + b1)
    scores = A1 @ W2
    return -np.sum(scores[np.arange(m), y]) / m


def test_equal_lengths_have_one_name() -> None:
    found = shapes(network, **ARRAYS)
    assert {name: found[name] for name in ("W1", "b1", "W2", "X", "y", "A1", "scores", "dW2")} == {
        **{"W1": "n_1 × n_2", "b1": "n_2", "W2": "n_2 × n_3", "X": "m × n_1", "y": "m"},
        **{"A1": "m × n_2", "scores": "m × n_3", "dW2": "n_2 × n_3"},
    }


def test_a_length_stays_a_length_in_formulas() -> None:
    derivation = bp.derive(network, ARRAYS)
    assert equation(derivation, "dscores") == "−1/m · 1_y"
    assert bp.check(bp.run(derivation)).ok
    assert "m = X.shape[0]" in bp.export(derivation)


def test_lengths_of_the_same_value_are_not_confused() -> None:
    def square(A, x):
        return np.sum((A @ x) ** 2)

    assert shapes(square, A=np.ones((3, 3)), x=np.ones(3))["A"] == "n_1 × n_2"


def test_one_name_alone_needs_no_number() -> None:
    def norm(x):
        return np.sum(x**2)

    assert shapes(norm, x=np.ones(3))["x"] == "n"


def test_variables_name_lengths_and_numbers_made_of_them() -> None:
    def attention(Q, K):
        rows, d = Q.shape
        scores = Q @ K.T / np.sqrt(d)
        return np.sum(scores**2) / (rows * (d - 1))

    derivation = bp.derive(attention, Q=np.ones((2, 3)), K=np.ones((4, 3)))
    assert equation(derivation, "scores") == "(Q · Kᵀ)/√d"
    assert equation(derivation, "dscores") == "(2/(rows · (d − 1))) scores"
    assert bp.check(bp.run(derivation)).ok


@pytest.mark.parametrize(
    ("factor", "is_a_formula"),
    [
        ("1.0 / m", True),
        ("-1.0 / m", True),
        ("-(0.5 / m)", True),
        ("rate / (2 * m)", True),
        ("1.0 / x.shape[0]", True),
        ("scale(m)", False),
        ("1.0 / 6", False),
    ],
)
def test_a_decimal_number_divided_by_a_length_keeps_its_formula(factor: str, is_a_formula: bool) -> None:
    file = f"<factor {factor}>.py"
    text = f"def f(x, rate=0.5):\n    m = len(x)\n    return {factor} * (x * x).sum()\n"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    scope: dict[str, Any] = {"scale": lambda m: float(1.0 / m)}
    exec(compile(text, file, "exec"), scope)
    derivation = bp.derive(scope["f"], x=np.arange(1.0, 7.0))
    assert ("1/6" not in equation(derivation, "J")) == is_a_formula
    assert float(bp.run(derivation)["J"]) == pytest.approx(scope["f"](np.arange(1.0, 7.0)))
    assert bp.check(bp.run(derivation)).ok


def test_a_letter_of_an_index_is_no_name_of_a_length() -> None:
    def f(x):
        k = x.shape[0]
        return np.sum(x) / k

    assert shapes(f, x=np.ones(3))["x"] == "n_k"


def test_an_argument_keeps_its_name() -> None:
    def f(x, m):
        n = x.shape[0]
        m = x.shape[1]
        return np.sum(x) / m + n

    assert shapes(f, x=np.ones((3, 4)), m=np.ones(2))["x"] == "n × n_1"


def test_annotations_come_first() -> None:
    def f(W: Float[Array, "out inner"], x):  # noqa: F722, F821
        n = x.shape[0]
        return np.sum(W @ x) / n

    found = shapes(f, W=np.ones((2, 3)), x=np.ones(3))
    assert (found["W"], found["x"]) == ("out × inner", "inner")


def test_computed_lengths_are_numbers_and_so_is_what_fits_them() -> None:
    def f(h, x, W):
        joined = np.concatenate([h, x])
        return np.sum((W @ joined) ** 2)

    found = shapes(f, h=np.ones(3), x=np.ones(2), W=np.ones((4, 5)))
    assert (found["W"], found["joined"]) == ("n_3 × 5", "5")


def test_heads_do_not_take_the_name_of_another_axis() -> None:
    def f(x, W):
        heads = np.reshape(x @ W, (*x.shape[:-1], 2, -1))
        return np.sum(heads**3)

    found = shapes(f, x=np.ones((2, 4, 6)), W=np.ones((6, 6)))
    assert found["heads"] == "n_1 × n_2 × 2 × 3"


def test_arrays_that_code_makes_as_long_as_an_axis() -> None:
    def f(U, xs):
        h = np.zeros(U.shape[0])
        for t in range(len(xs)):
            h = np.tanh(U @ h + xs[t])
        return np.sum(h)

    found = shapes(f, U=np.full((3, 3), 0.1), xs=np.ones((2, 3)))
    assert set(found.values()) == {"n_1 × n_1", "n_2 × n_1", "n_1", "scalar"}


def test_numbers_of_lengths_are_python_numbers() -> None:
    seen: list[Any] = []

    def f(x):
        m, n = x.shape
        seen.extend([m == 3, isinstance(m, int), f"{m}x{n}", m // 2, m % 2, m**2, max(m, n), hash(m), [0] * m, m < n])
        seen.extend([np.arange(m).tolist(), np.eye(n)[0, 0], 2 * m, m - 1.5, np.exp(-m), np.float64(2) * m, -m, 1 / m])
        seen.append(sum(range(m)))
        return np.sum(x)

    bp.derive(f, x=np.ones((3, 4)))
    assert seen == [
        *[True, True, "3x4", 1, 1, 9, 4, hash(3), [0, 0, 0], True],
        *[[0, 1, 2], 1, 6, 1.5, np.exp(-3), 6, -3, 1 / 3],
        3,
    ]


def test_len_is_pythons_again_afterwards() -> None:
    assert "len" not in network.__globals__
    with pytest.raises(TraceError, match="raises ZeroDivisionError"):
        bp.derive(lambda x: np.sum(x) / (len(x) - len(x) - 0 if 1 / 0 else 1), x=np.ones(2))
    assert "len" not in globals()


def test_gradients_as_functions_see_plain_lengths() -> None:
    seen = []

    def f(x):
        seen.append(type(x.shape[0]))
        return np.sum(x) / x.shape[0]

    np.testing.assert_allclose(autograd.grad(f)(np.ones(4)), 0.25)
    assert seen == [int]
