"""Functions that are not followed: primitives with a derivative of their own, and checkpoints."""

from __future__ import annotations

import gc
import math
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import backproof as bp
from backproof.autograd import checkpoint, deriv, grad, hessian, jacobian, make_hvp, make_jvp
from backproof.autograd.extend import defvjp, primitive
from backproof.autograd.test_util import check_grads
from backproof.ir.errors import TraceError

Array = np.ndarray[Any, Any]

x = np.array([0.3, -1.2, 0.7])
v = np.array([1.0, 0.5, -2.0])


@primitive
def logsumexp(x: Any) -> float:
    """Nothing that can be followed: Python's numbers, a write into an array, `math`."""
    exponentials = np.zeros(len(x))
    for k, one in enumerate(x):
        exponentials[k] = math.exp(float(one) - float(max(x)))
    return math.log(math.fsum(exponentials)) + float(max(x))


defvjp(logsumexp, lambda value, x: lambda g: g * np.exp(x - value))


@primitive
def product(a: Any, b: Any, *, times: float = 1.0) -> Any:
    return np.asarray(a) * np.asarray(b) * times


defvjp(
    product,
    lambda value, a, b, times=1.0: lambda g: g * b * times,
    lambda value, a, b, times=1.0: lambda g: np.sum(g * a) * times,
)


def ours(x: Any) -> Any:
    return logsumexp(x * x) * np.sum(x) + np.sum(product(np.sin(x), x[0], times=3.0))


def followed(x: Any) -> Any:
    return np.log(np.sum(np.exp(x * x))) * np.sum(x) + np.sum(np.sin(x) * x[0] * 3.0)


@pytest.mark.parametrize("operator", [grad, hessian, lambda f: jacobian(hessian(f)), deriv])
def test_a_primitive_is_differentiated_as_often_as_wanted(operator: Callable[..., Any]) -> None:
    np.testing.assert_allclose(operator(ours)(x), operator(followed)(x), rtol=1e-12, atol=1e-14)


def test_products_go_through_a_primitive() -> None:
    assert make_jvp(ours)(x)(v)[1] == pytest.approx(make_jvp(followed)(x)(v)[1], rel=1e-13)
    np.testing.assert_allclose(make_hvp(ours)(x)[0](v), make_hvp(followed)(x)[0](v), rtol=1e-13)
    expected = np.exp(x) / np.sum(np.exp(x))
    found = jacobian(lambda x: logsumexp(x) * x)(x)
    np.testing.assert_allclose(found, np.outer(x, expected) + np.log(np.sum(np.exp(x))) * np.eye(3), rtol=1e-12)
    check_grads(logsumexp)(x)
    check_grads(product, (0, 1), order=3)(x, 2.0)


def test_a_primitive_of_plain_arrays_is_the_function() -> None:
    assert logsumexp(x) == pytest.approx(np.log(np.sum(np.exp(x))))
    assert logsumexp.__name__ == "logsumexp"


def test_a_derivative_that_is_none_or_missing() -> None:
    @primitive
    def scaled(a: Any, b: Any, c: Any) -> Any:
        return a * b * c

    defvjp(scaled, None, lambda value, a, b, c: lambda g: g * a * c, argnums=(0, 1))
    assert grad(lambda t: scaled(t, t, 2.0))(3.0) == 6.0
    with pytest.raises(TraceError, match=r"^scaled has no vjp for argument number 2\ngive one by defvjp"):
        grad(lambda t: scaled(1.0, 1.0, t))(3.0)


def test_a_given_derivative_counts_even_if_it_is_another_one() -> None:
    """As for rounding, whose derivative is taken to be 1."""

    @primitive
    def rounded(x: Any) -> Any:
        return np.round(x)

    defvjp(rounded, lambda value, x: lambda g: g)
    np.testing.assert_array_equal(grad(lambda x: np.sum(rounded(x) ** 2))(x), 2 * np.round(x))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: product(x, 1.0, times=x[0]), r"^product is given a traced array by its name"),
        (lambda x: primitive(lambda a: (a, a))(x)[0], r"^<lambda> returns several arrays"),
        (lambda x: primitive(lambda a: a * x)(x), r"^<lambda> uses a traced array from outside"),
    ],
)
def test_what_a_primitive_cannot_be(function: Callable[..., Any], message: str) -> None:
    with pytest.raises(TraceError, match=message):
        grad(function)(x)


def test_a_derivative_of_the_wrong_shape() -> None:
    @primitive
    def total(x: Any) -> Any:
        return np.sum(x)

    defvjp(total, lambda value, x: lambda g: g)
    with pytest.raises(TraceError, match=r"^the vjp of total gives shape \(\) \(it belongs to an argument of \(3,\)\)"):
        grad(total)(x)


def test_only_a_primitive_is_given_a_derivative() -> None:
    with pytest.raises(TraceError, match=r"^only a primitive is given a derivative\ndecorate the function: @primitive"):
        defvjp(np.tanh, lambda value, x: lambda g: g)  # type: ignore[arg-type]


def test_a_derivation_refuses_a_primitive() -> None:
    with pytest.raises(TraceError, match=r"^logsumexp is a primitive: its derivative is a function, not a formula"):
        bp.derive(lambda w: logsumexp(w), w=x)


def layer(p: dict[str, Any], x: Any) -> Any:
    return np.tanh(p["w"] @ x + p["b"])


P = {"w": np.outer(x, v) / 3, "b": 0.1}


@pytest.mark.parametrize("operator", [grad, lambda f: hessian(f, 1), lambda f: jacobian(f, (0, 1))])
def test_a_checkpoint_changes_no_derivative(operator: Callable[..., Any]) -> None:
    def network(layer: Callable[..., Any]) -> Callable[..., Any]:
        return lambda p, x: np.sum(layer(p, layer(p, x)) ** 2)

    def flat(form: Any) -> list[Any]:
        if isinstance(form, dict | tuple):
            return [x for part in (form.values() if isinstance(form, dict) else form) for x in flat(part)]
        return [form]

    found, expected = (flat(operator(network(f))(P, x)) for f in (checkpoint(layer), layer))
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-15)


def test_a_checkpoint_is_derived_as_if_it_were_not_there() -> None:
    def loss(w: Any, b: Any, x: Any) -> Any:
        return np.sum(checkpoint(layer)({"w": w, "b": b}, x))

    found = bp.run(bp.derive(loss, w=P["w"], b=np.array(0.1), x=x))
    np.testing.assert_allclose(found["dw"], np.outer(1 - layer(P, x) ** 2, x), rtol=1e-13)


def test_a_checkpoint_keeps_nothing_of_what_lies_within() -> None:
    within: list[weakref.ref[Any]] = []

    def steps(x: Any) -> Any:
        for _ in range(3):
            x = np.sin(x) + 1
            within.append(weakref.ref(x))
        return x

    def alive(x: Any) -> Any:
        value = np.sum(checkpoint(steps)(x))
        gc.collect()
        assert len(within) == 3
        # The last is the value itself.
        assert [reference() is None for reference in within[:2]] == [True, True]
        return value

    assert np.all(np.isfinite(grad(alive)(x)))
