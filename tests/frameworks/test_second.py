"""Hessians, Jacobians and products with the Hessian beside JAX's, which differentiates forward over reverse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import backproof as bp

Array = np.ndarray[Any, Any]
rng = np.random.default_rng(5)


def normal(*shape: int) -> Array:
    return rng.normal(size=shape)


def of(np: Any) -> dict[str, Callable[..., Any]]:
    """The same functions for NumPy and for JAX."""

    def logistic(w: Any, X: Any, y: Any) -> Any:
        z = X @ w
        return np.mean(np.log(1 + np.exp(-y * z)))

    def two_layers(W1: Any, b1: Any, W2: Any, X: Any, Y: Any) -> Any:
        A1 = np.tanh(X @ W1 + b1)
        Z2 = A1 @ W2
        P = np.exp(Z2) / np.sum(np.exp(Z2), axis=1, keepdims=True)
        return -np.mean(np.sum(Y * np.log(P), axis=1))

    def attention(Q: Any, K: Any, V: Any) -> Any:
        scores = Q @ K.T / 2
        weights = np.exp(scores)
        P = weights / np.sum(weights, axis=1, keepdims=True)
        return np.sum((P @ V) ** 2)

    def normalised(x: Any, gamma: Any) -> Any:
        mu = np.mean(x)
        sigma = np.sqrt(np.mean((x - mu) ** 2) + 1e-5)
        return gamma * (x - mu) / sigma

    def rosenbrock(x: Any) -> Any:
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    def log_determinant(A: Any) -> Any:
        return np.linalg.slogdet(A)[1]

    return dict(locals(), np=None)


VALUES: dict[str, dict[str, Array]] = {
    "logistic": {"w": normal(3), "X": normal(6, 3), "y": np.sign(normal(6))},
    "two_layers": {
        "W1": normal(3, 4),
        "b1": normal(4),
        "W2": normal(4, 2),
        "X": normal(6, 3),
        "Y": np.eye(2)[[0, 1, 1, 0, 1, 0]],
    },
    "attention": {"Q": normal(3, 4), "K": normal(5, 4), "V": normal(5, 2)},
    "normalised": {"x": normal(5), "gamma": normal(5)},
    "rosenbrock": {"x": normal(5)},
    "log_determinant": {"A": np.eye(4) + 0.2 * normal(4, 4)},
}
SCALAR = [
    ("logistic", "w"),
    ("two_layers", "W1"),
    ("two_layers", "b1"),
    ("two_layers", "W2"),
    ("attention", "Q"),
    ("attention", "K"),
    ("rosenbrock", "x"),
    ("log_determinant", "A"),
]


def by_name(function: Callable[..., Any], values: dict[str, Array], name: str) -> Callable[[Any], Any]:
    return lambda x: function(**{**values, name: x})


@pytest.mark.parametrize(("name", "argument"), SCALAR)
def test_hessian_is_jax_s(name: str, argument: str) -> None:
    values = VALUES[name]
    expected = jax.hessian(by_name(of(jnp)[name], values, argument))(values[argument])
    found = bp.run(bp.derive(of(np)[name], values, hessian=argument))["H"]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("name", "argument"), SCALAR)
def test_product_is_jax_s(name: str, argument: str) -> None:
    values = VALUES[name]
    derivation = bp.derive(of(np)[name], values, hvp=argument)
    (v,) = derivation.directions
    direction = np.random.default_rng(1).normal(size=values[argument].shape)
    gradient = jax.grad(by_name(of(jnp)[name], values, argument))
    _, expected = jax.jvp(gradient, (values[argument],), (direction,))
    found = bp.run(derivation, parameters={str(v.symbol): direction})[f"D{argument}"]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("argument", ["x", "gamma"])
def test_jacobian_is_jax_s(argument: str) -> None:
    values = VALUES["normalised"]
    expected = jax.jacobian(by_name(of(jnp)["normalised"], values, argument))(values[argument])
    derivation = bp.derive(of(np)["normalised"], values, jacobian=argument)
    (jacobian,) = derivation.jacobians
    np.testing.assert_allclose(bp.run(derivation)[str(jacobian.symbol)], expected, rtol=1e-9, atol=1e-12)
