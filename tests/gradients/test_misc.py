"""Forms as vectors, optimizers, and the check of derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backproof.autograd import grad, hessian, jacobian
from backproof.autograd.extend import defvjp, primitive
from backproof.autograd.misc import flatten
from backproof.autograd.misc.optimizers import adam, rmsprop, sgd
from backproof.autograd.test_util import check_grads
from backproof.ir.errors import TraceError

x = np.array([0.3, -1.2])
FORM = {"b": [np.arange(6.0).reshape(2, 3), 7.0], "a": (np.array([8.0, 9.0]),)}


def test_flatten() -> None:
    vector, unflatten = flatten(FORM)
    np.testing.assert_array_equal(vector, [8, 9, 0, 1, 2, 3, 4, 5, 7])
    back = unflatten(vector + 1)
    np.testing.assert_array_equal(back["b"][0], np.arange(6.0).reshape(2, 3) + 1)
    assert back["b"][1] == 8.0
    assert type(back["a"]) is tuple
    empty, back_again = flatten([])
    assert empty.shape == (0,)
    assert back_again(empty) == []
    with pytest.raises(TraceError, match=r"^an array of shape \(2,\) is not the vector \(of 9 entries\)"):
        unflatten(x)


def test_flatten_is_followed_both_ways() -> None:
    vector, unflatten = flatten(FORM)
    found = grad(lambda form: np.sum(flatten(form)[0] ** 2))(FORM)
    np.testing.assert_array_equal(found["b"][0], 2 * FORM["b"][0])
    assert found["b"][1] == 14.0
    np.testing.assert_array_equal(
        hessian(lambda w: np.sum(unflatten(w)["b"][0] ** 2))(vector), np.diag([0, 0, 2, 2, 2, 2, 2, 2, 0])
    )
    np.testing.assert_array_equal(jacobian(lambda w: flatten(unflatten(w))[0])(vector), np.eye(9))


def quadratic(p: dict[str, Any], i: int) -> Any:
    return np.sum((p["w"] - np.array([1.0, -2.0])) ** 2) + (p["b"] - 3.0) ** 2 / 2


START = {"w": np.zeros(2), "b": 0.0}


def test_first_steps() -> None:
    """Each optimizer's first steps by hand: g = (−2, 4) and −3."""
    one = sgd(grad(quadratic), START, num_iters=1, step_size=0.5, mass=0.8)
    np.testing.assert_allclose(one["w"], [0.2, -0.4])
    assert one["b"] == pytest.approx(0.3)
    one = rmsprop(grad(quadratic), START, num_iters=1, step_size=0.1, gamma=0.9)
    np.testing.assert_allclose(one["w"], [0.2 / np.sqrt(1.3), -0.4 / np.sqrt(2.5)], rtol=1e-7)
    one = adam(grad(quadratic), START, num_iters=1, step_size=0.1)
    np.testing.assert_allclose([*one["w"], one["b"]], [0.1, -0.1, 0.1], rtol=1e-7)
    # The second step of momentum goes on with 0.8 of the first velocity.
    two = sgd(lambda w, i: np.array([1.0, 0.0][i]), np.array(0.0), num_iters=2, step_size=1.0, mass=0.8)
    assert two == pytest.approx(-0.2 - 0.16)
    # For Adam m = 0.9·0.1 of the first gradient, v = 0.999·0.001, and their biases are 0.19 and 0.001999.
    two = adam(lambda w, i: np.array([1.0, 0.0][i]), np.array(0.0), num_iters=2, step_size=1.0, eps=0.0)
    assert two == pytest.approx(-1 - (0.09 / 0.19) / np.sqrt(0.000999 / 0.001999))


@pytest.mark.parametrize(
    ("optimizer", "options"),
    [
        (sgd, {"num_iters": 150}),
        (rmsprop, {"num_iters": 450, "step_size": 0.01}),
        (adam, {"num_iters": 450, "step_size": 0.05}),
    ],
)
def test_a_minimum_is_found(optimizer: Callable[..., Any], options: dict[str, Any]) -> None:
    seen: list[tuple[int, float]] = []

    def callback(p: Any, i: int, g: Any) -> None:
        seen.append((i, float(quadratic(p, i))))
        assert set(g) == {"w", "b"}

    found = optimizer(grad(quadratic), START, callback=callback, **options)
    np.testing.assert_allclose([*found["w"], found["b"]], [1, -2, 3], atol=0.02)
    assert [i for i, _ in seen] == list(range(options["num_iters"]))
    assert seen[-1][1] < 1e-3 < seen[0][1]
    assert START["b"] == 0.0


def test_check_grads_passes_what_is_right() -> None:
    check_grads(lambda x, y: np.sin(x) * y**2, (0, 1), order=3)(x, x + 1)
    check_grads(lambda p: {"of": p["a"] * p["b"][0]}, modes=["rev"])({"a": x, "b": [2.0]})
    check_grads(lambda x, k=1: x**k)(2.0, k=3)


@pytest.mark.parametrize("modes", [["fwd"], ["rev"]])
@pytest.mark.parametrize("order", [1, 2])
def test_check_grads_finds_what_is_wrong(modes: list[str], order: int) -> None:
    @primitive
    def sine(x: Any) -> Any:
        return np.sin(x)

    @primitive
    def cosine(x: Any) -> Any:
        return np.cos(x)

    sign = 1 if order == 1 else -1
    defvjp(cosine, lambda value, x: lambda g: g * np.sin(x))  # the sign is wrong
    defvjp(sine, lambda value, x: lambda g: sign * -g * cosine(x) if order == 1 else g * cosine(x))
    with pytest.raises(AssertionError, match=r"by central differences"):
        check_grads(sine, modes=modes, order=order)(x)
    if order == 2:
        check_grads(sine, modes=modes, order=1)(x)


def test_check_grads_knows_its_modes() -> None:
    with pytest.raises(ValueError, match=r"^the modes are fwd, rev, not forward"):
        check_grads(np.sin, modes=["forward"])
