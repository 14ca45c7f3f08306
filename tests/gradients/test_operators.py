"""Products with Jacobians and Hessians, forms of arguments and results: against closed forms and the complex step."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backproof.autograd import (
    deriv,
    elementwise_grad,
    grad,
    grad_and_aux,
    grad_named,
    hessian,
    hessian_tensor_product,
    jacobian,
    make_ggnvp,
    make_hvp,
    make_jvp,
    make_vjp,
    multigrad_dict,
    tensor_jacobian_product,
    value_and_grad,
    vector_jacobian_product,
    vjp,
)
from backproof.ir.errors import TraceError

Array = np.ndarray[Any, Any]

x = np.array([0.3, -1.2, 2.0])
y = np.array([1.1, 0.4, -0.7])
A = np.array([[1.0, 2.0, 0.5], [0.0, -1.0, 1.5], [0.25, 0.75, 2.0]])


def f(x: Any, y: Any) -> Any:
    """A vector."""
    return np.exp(A @ x) * np.sin(y) + x[0] * y


def scalar(x: Any, y: Any) -> Any:
    return np.sum(np.sin(x) * y**3) + (x @ A @ x) ** 2


def columns(function: Callable[[Any], Any], x: Array) -> Array:
    """The Jacobian by the complex step."""
    steps = 1e-20j * np.eye(x.size).reshape(-1, *x.shape)
    return np.stack([np.imag(function(x + step)) / 1e-20 for step in steps], axis=-1)


J = {0: columns(lambda x: f(x, y), x), 1: columns(lambda y: f(x, y), y)}
GRADIENT = columns(lambda x: scalar(x, y), x)


def by_hand(x: Any) -> Any:
    return np.cos(x) * y**3 + 2 * (x @ A @ x) * ((A + A.T) @ x)


H = columns(by_hand, x)


def close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("argnum", [0, 1, -1])
def test_products_with_a_jacobian(argnum: int) -> None:
    by, v = J[argnum % 2], np.array([0.5, -1.0, 2.0])
    close(jacobian(f, argnum)(x, y), by)
    value, along = make_jvp(f, argnum)(x, y)(v)
    close(value, f(x, y))
    close(along, by @ v)
    pull, value = make_vjp(f, argnum)(x, y)
    close(value, f(x, y))
    close(pull(v), by.T @ v)
    close(pull(2.0), 2 * by.sum(axis=0))
    close(vector_jacobian_product(f, argnum)(x, y, v), by.T @ v)
    close(deriv(f, argnum)(x, y), by.sum(axis=1))
    close(make_ggnvp(f, f_argnum=argnum)(x, y)(v), by.T @ by @ v)
    assert vjp is make_vjp


def test_a_tensor_and_a_jacobian() -> None:
    close(tensor_jacobian_product(np.outer)(x, y, x), np.outer(y, x))
    close(tensor_jacobian_product(np.outer, 1)(x, y, A), x @ A)


def test_the_gauss_newton_matrix_of_a_loss() -> None:
    def loss(z: Any) -> Any:
        return np.sum(np.exp(z))

    v = np.array([0.5, -1.0, 2.0])
    close(make_ggnvp(f, loss)(x, y)(v), J[0].T @ (np.exp(f(x, y)) * (J[0] @ v)))


def test_products_with_a_hessian() -> None:
    v = np.array([0.5, -1.0, 2.0])
    product, gradient = make_hvp(scalar)(x, y)
    close(gradient, GRADIENT)
    close(product(v), H @ v)
    close(product(2 * v), 2 * H @ v)
    close(hessian_tensor_product(scalar, 0)(x, y, v), H @ v)
    close(hessian_tensor_product(scalar, -2)(x, y, v), H @ v)
    close(hessian(scalar)(x, y), H)


def test_several_arguments() -> None:
    first, second = jacobian(f, (0, 1))(x, y)
    close(first, J[0])
    close(second, J[1])
    _, along = make_jvp(f, (1, 0))(x, y)((x, y))
    close(along, J[1] @ x + J[0] @ y)
    product, _ = make_hvp(scalar, (0, 1))(x, y)
    mixed = columns(lambda y: np.cos(x) * y**3, y)
    close(product((x, y))[0], H @ x + mixed @ y)
    ((xx, xy), (yx, _)) = hessian(scalar, (0, 1))(x, y)
    close(xx, H)
    close(xy, mixed)
    close(yx, mixed.T)


def test_forms_of_arguments_and_results() -> None:
    Pair = namedtuple("Pair", "a b")

    def of(p: dict[str, Any]) -> Any:
        return {"sum": p["pair"].a * p["n"], "none": 3.0}, [p["pair"].b[0]]

    p = {"pair": Pair(x, [y]), "n": 2.0}
    summed, (second,) = jacobian(of)(p)
    close(summed["sum"]["pair"].a, 2 * np.eye(3))
    close(summed["sum"]["pair"].b[0], np.zeros((3, 3)))
    close(summed["sum"]["n"], x)
    close(summed["none"]["pair"].a, np.zeros(3))
    close(second["pair"].b[0], np.eye(3))
    pull, value = make_vjp(of)(p)
    close(value[0]["sum"], 2 * x)
    assert value[0]["none"] == 3.0
    found = pull(({"sum": y, "none": 1.0}, [x]))
    close(found["pair"].a, 2 * y)
    close(found["pair"].b[0], x)
    assert found["n"] == pytest.approx(x @ y)
    assert type(found["pair"]) is Pair
    along = make_jvp(of)(p)({"pair": Pair(y, [x]), "n": 1.0})[1]
    close(along[0]["sum"], 2 * y + x)
    assert along[0]["none"] == 0.0


def test_what_a_function_does_to_its_containers_stays_inside() -> None:
    def of(p: dict[str, Any]) -> Any:
        return p.pop("a") ** 2 + p.pop("b")

    p = {"a": 3.0, "b": 1.0}
    assert grad(of)(p) == {"a": 6.0, "b": 1.0}
    assert p == {"a": 3.0, "b": 1.0}


def test_a_product_keeps_the_point_it_was_made_at() -> None:
    point = x.copy()
    pull, _ = make_vjp(np.exp)(point)
    point[:] = 0
    close(pull(1.0), np.exp(x))


def test_products_are_followed_in_turn() -> None:
    """A vjp or jvp made before, or within, may be differentiated by what it is given."""
    slope = np.cos(x) * x + np.sin(x)
    pull, _ = make_vjp(lambda x: np.sin(x) * x)(x)
    push = make_jvp(lambda x: np.sin(x) * x)(x)
    close(grad(lambda g: np.sum(pull(g) ** 2))(y), 2 * slope**2 * y)
    close(grad(lambda v: np.sum(push(v)[1] ** 2))(y), 2 * slope**2 * y)
    close(jacobian(lambda v: make_jvp(np.sin)(v * x)(v)[1])(y), np.diag(np.cos(x * y) - np.sin(x * y) * x * y))
    close(grad(lambda z: np.sum(deriv(np.tanh)(z)))(x), -2 * np.tanh(x) * (1 - np.tanh(x) ** 2))


def test_by_name() -> None:
    close(grad_named(scalar, "y")(x, y), 3 * np.sin(x) * y**2)
    with pytest.raises(TraceError, match=r"^there is no argument 'z'\nthe arguments are x, y"):
        grad_named(scalar, "z")


def test_all_arguments_by_name() -> None:
    def of(a: Any, b: Any = 2.0, *more: Any, c: Any, **named: Any) -> Any:
        return a * b * more[0] * c * named["d"]

    found = multigrad_dict(of)(3.0, 5.0, 7.0, c=11.0, d=13.0)
    assert found == {"a": 5005.0, "b": 3003.0, "more": (2145.0,), "c": 1365.0, "named": {"d": 1155.0}}
    assert multigrad_dict(lambda a, b=2.0: a * b)(3.0) == {"a": 2.0, "b": 3.0}


def test_something_beside_the_value() -> None:
    def of(x: Any) -> Any:
        return np.sum(x**3), {"double": 2 * x, "name": "cube"}

    gradient, beside = grad_and_aux(of)(x)
    close(gradient, 3 * x**2)
    close(beside["double"], 2 * x)
    assert type(beside["double"]) is np.ndarray
    assert beside["name"] == "cube"
    # What stands beside the value has no say in the gradient, though it be infinite.
    with np.errstate(divide="ignore"):
        assert grad_and_aux(lambda x: (x**2, np.log(x - 3.0)))(3.0)[0] == 6.0
    with pytest.raises(TraceError, match=r"^the function does not return a pair"):
        grad_and_aux(scalar)(x, y)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_a_gradient_has_the_precision_of_the_argument(kind: Any) -> None:
    point = np.array([1.0, 2.0], dtype=kind)
    value, gradient = value_and_grad(lambda x: np.sum(x * x))(point)
    assert (value.dtype, gradient.dtype) == (kind, kind)
    assert grad(lambda x: np.sum(x * np.ones(2)))(point).dtype == kind
    assert grad(lambda x: x**2)(kind(3)).dtype == kind
    for found in (jacobian(np.tanh)(point), hessian(lambda x: np.sum(x**3))(point), make_jvp(np.exp)(point)(point)[1]):
        assert found.dtype == kind


def test_no_entries() -> None:
    assert jacobian(lambda x: x[:0])(x).shape == (0, 3)
    assert jacobian(jacobian(lambda x: x[:0] * x[0]))(x).shape == (0, 3, 3)
    assert jacobian(lambda x: 1.0 * x)(np.zeros((0, 2))).shape == (0, 2, 0, 2)


def test_a_result_that_depends_on_nothing() -> None:
    close(jacobian(lambda x: np.array([1.0, 2.0]))(x), np.zeros((2, 3)))
    close(jacobian(lambda x: x * 0 + 1)(x), np.zeros((3, 3)))
    close(make_jvp(lambda x: 5.0)(x)(y)[1], 0.0)
    close(elementwise_grad(lambda x, y: y, 0)(x, y), np.zeros(3))
    close(hessian(lambda x: x @ y)(x), np.zeros((3, 3)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: grad(scalar, "x"), r"^'x' is not the position of an argument\ngive a number, or several: 0, \(0, 1\)"),
        (lambda: grad(scalar, (0, -2))(x, y), r"^an argument is named twice \(argnum is \(0, -2\)\)"),
        (lambda: grad(scalar)(3, y), r"^an argument of int64 cannot be differentiated by\na whole number"),
        (lambda: grad(lambda p: p["x"])({"x": 1.0, "name": "a"}), r"^an argument of <U1 cannot be differentiated by"),
        (lambda: grad(lambda x: (x, x))(1.0), r"^the function does not return one number \(it returns 2 arrays\)"),
        (lambda: make_vjp(f)(x, y)[0](A), r"^what is given has shape \(3, 3\) \(it belongs to \(3,\)\)"),
        (lambda: make_vjp(f)(x, y)[0]([x, y]), r"^what is given has shape \(2, 3\)"),
        (
            lambda: make_jvp(lambda p: p["a"])({"a": x})({"b": x}),
            r"^what is given does not have the form of what it belongs to \(a dict of 'b' for a dict of 'a'\)",
        ),
    ],
)
def test_what_does_not_fit(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(TraceError, match=message):
        call()
