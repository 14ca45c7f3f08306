"""Sweeps that are kept from one call to the next: used where they fit, and only there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backproof.autograd import grad, jacobian, kept, make_jvp
from backproof.ir.node import ancestors
from backproof.ops.leaves import input_

Array = np.ndarray[Any, Any]

x = np.array([[0.3, -1.2, 2.0], [1.0, 0.5, -0.7]])


@pytest.fixture(autouse=True)
def swept(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each sweep; nothing is kept from other tests."""
    monkeypatch.setattr(kept, "_KEPT", type(kept._KEPT)())
    sweeps: list[int] = []
    original = kept.pullback

    def counted(*arguments: Any) -> Any:
        sweeps.append(1)
        return original(*arguments)

    monkeypatch.setattr(kept, "pullback", counted)
    return sweeps


def test_the_same_operations_are_swept_once(swept: list[int]) -> None:
    def f(w: Any, data: Array, rows: Array) -> Any:
        return np.sum(np.where(data[rows] > 0, np.exp(w) * data[rows], w))

    rng = np.random.default_rng(0)
    for _ in range(5):
        w, data, rows = rng.normal(size=3), rng.normal(size=(4, 3)), rng.integers(0, 4, 2)
        expected = np.where(data[rows] > 0, np.exp(w) * data[rows], 1).sum(axis=0)
        np.testing.assert_allclose(grad(f)(w, data, rows), expected, rtol=1e-14)
    assert len(swept) == 1


def test_numbers_of_the_code_that_differ_are_told_apart(swept: list[int]) -> None:
    for c in (2.0, 2, 3.0, 0.1, 2.0):
        assert grad(lambda x: c * x**2)(1.5) == 3.0 * c  # noqa: B023
    with np.errstate(divide="ignore"):
        for c in (0.0, -0.0, 0.0):
            assert grad(lambda x: x / c)(1.0) == np.copysign(np.inf, c)  # noqa: B023
    for k in (0, 1, 0, 2):
        np.testing.assert_array_equal(grad(lambda x: x[1, k])(x), np.eye(6)[3 + k].reshape(2, 3))  # noqa: B023


def test_branches_and_loops_go_their_own_way(swept: list[int]) -> None:
    def f(x: Any) -> Any:
        y = x
        while y < 10:
            y = y * y if y > 1.5 else y + x
        return y if x > 0.5 else np.sin(y)

    def by_hand(x: Any) -> Any:
        y = x
        while np.real(y) < 10:
            y = y * y if np.real(y) > 1.5 else y + x
        return y if np.real(x) > 0.5 else np.sin(y)

    for at in (1.0, 0.4, 2.0, 1.4, 0.4, 1.0, 0.7, 12.0):
        assert grad(f)(at) == pytest.approx(np.imag(by_hand(at + 1e-20j)) / 1e-20, rel=1e-12)
    assert len(swept) == 5


def test_what_is_shared_what_is_asked_for_and_the_shapes_are_told_apart(swept: list[int]) -> None:
    def shared(x: Any) -> Any:
        y = np.sin(x)
        return np.sum(y * y)

    twice: Callable[..., Any] = lambda x: np.sum(np.sin(x) * np.sin(x))  # noqa: E731
    for f in (shared, twice, shared, twice):
        for at in (x, x.T, x[0], x[:1]):
            np.testing.assert_allclose(grad(f)(at), np.sin(2 * at), rtol=1e-13)
    for axis in (0, 1, 0):
        weights = np.arange(1.0, 4.0)[: x.shape[1 - axis]]
        found = grad(lambda x: np.sum(x, axis=axis) @ weights)(x)  # noqa: B023
        np.testing.assert_array_equal(found, np.ones_like(x) * (weights if axis == 0 else weights[:, None]))
    for argnum in (0, 1, (1, 0), 0):
        found = grad(lambda a, b: a - 2 * b, argnum)(1.0, 1.0)
        assert found == {0: 1.0, 1: -2.0, (1, 0): (-2.0, 1.0)}[argnum]
    for _ in range(2):
        assert make_jvp(lambda a: a**3)(2.0)(1.0)[1] == 12.0
        np.testing.assert_array_equal(jacobian(lambda a: a**3)(np.array([1.0, 2.0])), [[3, 0], [0, 12]])


def test_precision_is_that_of_each_call(swept: list[int]) -> None:
    for kind in (np.float64, np.float32, np.float64):
        found = grad(lambda x: np.sum(x / 3))(np.ones(2, dtype=kind))
        assert found.dtype == kind
        np.testing.assert_array_equal(found, np.full(2, 1 / kind(3)))
    assert len(swept) == 1


def test_few_are_kept_and_no_arrays_with_them() -> None:
    for k in range(kept.MOST + 5):
        grad(lambda x: np.sum(k * x * np.ones((2, 3))))(x)  # noqa: B023
    assert len(kept._KEPT) == kept.MOST
    for plan in kept._KEPT.values():
        assert all(node.attrs.keys() == {"shape"} for node in ancestors(plan.linear.outputs) if node.op is input_)


def test_complex_numbers_on_the_way() -> None:
    def f(x: Any, z: Any) -> Any:
        return np.sum(np.abs(np.fft.fft(x * z)) ** 2)

    for z in (2.0, 1j, np.array([1.0, 2.0, 3.0]), np.array([1j, 2.0, 3.0 - 1j]), np.array([1.0, 2.0, 5.0]), 2j):
        np.testing.assert_allclose(grad(f)(x[0], z), 2 * 3 * np.abs(z) ** 2 * x[0], rtol=1e-13)
