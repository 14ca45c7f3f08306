"""Gradients as functions: against closed forms, the complex step, and each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import backproof as bp
from backproof.autograd import (
    elementwise_grad,
    grad,
    hessian,
    hessian_vector_product,
    jacobian,
    make_vjp,
    value_and_grad,
)
from backproof.ir.errors import TraceError

Array = np.ndarray[Any, Any]

x = np.array([0.3, -1.2, 2.0])
A = np.array([[1.0, 2.0, 0.5], [0.0, -1.0, 1.5], [0.25, 0.75, 2.0]])


def by_complex_step(function: Callable[[Array], Any], x: Array) -> Array:
    steps = np.eye(x.size).reshape(-1, *x.shape)
    return np.array([np.imag(function(x + 1e-20j * step)) / 1e-20 for step in steps]).reshape(x.shape)


def test_numbers() -> None:
    assert grad(lambda x: x**2)(3.0) == 6.0
    assert grad(grad(lambda x: x**3))(2.0) == 12.0
    t = np.tanh(0.5)
    assert grad(grad(grad(np.tanh)))(0.5) == pytest.approx(-2 * (1 - t**2) * (1 - 3 * t**2), rel=1e-14)


def test_an_array() -> None:
    def f(x: Array) -> Any:
        return np.sum(np.sin(x) * (A @ x)) / (1 + x @ x)

    np.testing.assert_allclose(grad(f)(x), by_complex_step(f, x), rtol=1e-13)


def test_positions_of_arguments() -> None:
    def f(a: Array, b: Array) -> Any:
        return np.sum(a * a * b)

    np.testing.assert_array_equal(grad(f, 1)(x, 2 * x), x * x)
    first, second = grad(f, (0, 1))(x, 2 * x)
    np.testing.assert_allclose(first, 4 * x * x)
    np.testing.assert_array_equal(second, x * x)
    with pytest.raises(TraceError, match=r"^there is no argument number 2 \(2 are given\)"):
        grad(f, 2)(x, x)


def test_containers() -> None:
    def f(parameters: dict[str, Any], x: Array) -> Any:
        return np.sum((parameters["a"] * x + parameters["b"][0]) ** 2)

    value, gradient = value_and_grad(f)({"a": x, "b": [2.0]}, x)
    assert value == pytest.approx(np.sum((x * x + 2) ** 2))
    np.testing.assert_allclose(gradient["a"], 2 * (x * x + 2) * x)
    assert gradient["b"] == [pytest.approx(np.sum(2 * (x * x + 2)))]


def test_keywords_are_passed_on() -> None:
    assert grad(lambda x, power=1: x**power)(2.0, power=3) == 12.0


def test_elementwise() -> None:
    np.testing.assert_allclose(elementwise_grad(np.tanh)(x), 1 - np.tanh(x) ** 2, rtol=1e-14)


def test_jacobian() -> None:
    np.testing.assert_allclose(jacobian(lambda x: A @ x)(x), A)
    np.testing.assert_allclose(jacobian(lambda x: x * np.sum(x))(x), np.sum(x) * np.eye(3) + x[:, None])
    found = jacobian(np.outer, 1)(x, x)
    assert found.shape == (3, 3, 3)
    np.testing.assert_allclose(found, x[:, None, None] * np.eye(3))


def test_hessian() -> None:
    expected = np.array([by_complex_step(lambda z, k=k: grad_by_hand(z)[k], x) for k in range(3)])
    np.testing.assert_allclose(hessian(lambda x: np.sum(np.exp(x) * x[::-1]))(x), expected, rtol=1e-13)
    np.testing.assert_allclose(hessian(lambda x: x @ A @ x)(x), A + A.T)


def grad_by_hand(x: Array) -> Array:
    return np.asarray(np.exp(x) * x[::-1] + np.exp(x[::-1]))


def test_hessian_vector_product() -> None:
    v = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(hessian_vector_product(lambda x: x @ A @ x)(x, v), (A + A.T) @ v)


def test_vjp() -> None:
    pull, value = make_vjp(lambda x: A @ np.tanh(x))(x)
    np.testing.assert_allclose(value, A @ np.tanh(x))
    np.testing.assert_allclose(pull(x), (1 - np.tanh(x) ** 2) * (A.T @ x))


def test_an_inner_gradient_of_an_outer_value() -> None:
    def outer(a: Any) -> Any:
        return grad(lambda b: a * b**2)(3.0) * a

    assert grad(outer)(2.0) == pytest.approx(24.0)


def test_a_gradient_of_a_function_of_other_arguments_inside_a_derived_one() -> None:
    def critic(x: Array, w: Array) -> Any:
        return np.sum(np.tanh(A @ x) * w)

    def penalised(w: Array, x: Array) -> Any:
        return critic(x, w) + np.sum(grad(critic)(x, w) ** 2)

    def by_hand(w: Array) -> Any:
        h = np.tanh(A @ x)
        return np.sum(h * w) + np.sum((A.T @ ((1 - h**2) * w)) ** 2)

    derivation = bp.derive(penalised, w=2 * x, x=x)
    np.testing.assert_allclose(bp.run(derivation)["dw"], by_complex_step(by_hand, 2 * x), rtol=1e-12)


def test_a_gradient_penalty() -> None:
    def f(w: Array) -> Any:
        return np.sum(np.tanh(A @ w))

    def penalised(w: Array) -> Any:
        return f(w) + np.sum(grad(f)(w) ** 2)

    def by_hand(w: Array) -> Any:
        return np.sum(np.tanh(A @ w)) + np.sum((A.T @ (1 - np.tanh(A @ w) ** 2)) ** 2)

    np.testing.assert_allclose(grad(penalised)(x), by_complex_step(by_hand, x), rtol=1e-12)
    derivation = bp.derive(penalised, w=x)
    np.testing.assert_allclose(bp.run(derivation)["dw"], by_complex_step(by_hand, x), rtol=1e-12)


def test_no_dependence() -> None:
    np.testing.assert_array_equal(grad(lambda x: 5.0)(x), np.zeros(3))
    np.testing.assert_array_equal(grad(lambda x: np.sum(x) * 0 + 5)(x), np.zeros(3))


def test_what_has_no_gradient() -> None:
    with pytest.raises(TraceError, match=r"^the function does not return one number .*\(3,\)"):
        grad(lambda x: 2 * x)(x)
    with pytest.raises(TraceError, match=r"^an argument of int64 cannot be differentiated by"):
        grad(lambda x: np.sum(x))(np.array([1, 2]))
    with pytest.raises(TraceError, match=r"np\.histogram is not followed"):
        grad(lambda x: np.sum(np.histogram(x)[0]))(x)
    # A failed run leaves nothing behind.
    assert grad(lambda x: x**2)(3.0) == 6.0


def test_through_complex_numbers() -> None:
    def gain(x: Array) -> Any:
        return np.sum(np.abs(np.fft.rfft(x)) ** 3)

    x = np.random.default_rng(4).normal(size=5)
    steps = 1e-4 * np.eye(5)
    for f, derivative in ((gain, grad(gain)), (grad(gain), hessian(gain))):
        expected = [(f(x + h) - f(x - h)) / 2e-4 for h in steps]
        np.testing.assert_allclose(derivative(x), expected, rtol=1e-6)
    parts = [jacobian(lambda x, part=part: part(np.fft.fft(x)))(x) for part in (np.real, np.imag)]
    np.testing.assert_allclose(parts[0] + 1j * parts[1], np.fft.fft(np.eye(5)), atol=1e-14)
    with pytest.raises(TraceError, match=r"complex numbers\n.*\n.*lambda x: f\(x\)\.real"):
        jacobian(np.fft.fft)(x)
    with pytest.raises(TraceError, match=r"complex128 cannot be .*\n.*z = x \+ 1j \* y"):
        grad(lambda z: np.abs(z) ** 2)(1 + 2j)


def test_an_argument_that_is_written_to() -> None:
    """The gradient is by what was given, and the caller's array stays."""

    def added(x: Array) -> Any:
        x += 1
        return np.sum(x**2)

    def one(x: Array) -> Any:
        x[0] = 1
        return np.sum(x**2)

    def times(x: Array) -> Any:
        x *= 2
        return np.sum(x**2)

    def ordered(x: Array) -> Any:
        x.sort()
        return np.sum(x * A[0])

    def part(x: Array) -> Any:
        v = x[1:]
        v *= 2
        return np.sum(x**2)

    def at(x: Array) -> Any:
        np.add.at(x, [0, 0], 1.0)
        return np.sum(x**2)

    for function in (added, one, times, ordered, part, at):
        given = x.copy()
        expected = by_complex_step(lambda x, f=function: f(x.copy()), x)  # type: ignore[misc]
        np.testing.assert_allclose(grad(function)(given), expected, rtol=1e-13)
        np.testing.assert_array_equal(given, x)


def test_an_array_that_is_changed_before_it_is_pulled_back() -> None:
    given = x.copy()
    pull, _ = make_vjp(lambda x: np.sum(x**2))(given)
    given[:] = 0
    np.testing.assert_array_equal(pull(1.0), 2 * x)
