"""JAX as a second opinion on gradients as functions: the same function for both, in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from backproof import autograd

RNG = np.random.default_rng(0)
PARAMETERS: dict[str, Any] = {
    "layers": [(RNG.normal(size=(4, 5)), RNG.normal(size=5)), (RNG.normal(size=(5, 3)), RNG.normal(size=3))],
    "scale": np.array(0.7),
}
TANGENT = jax.tree.map(lambda x: RNG.normal(size=x.shape), PARAMETERS)
INPUTS = RNG.normal(size=(6, 4))


def network(np: Any) -> Callable[..., Any]:
    """A function of parameters in a form, and of inputs, that returns arrays in a form."""

    def outputs(p: Any, x: Any) -> Any:
        for W, b in p["layers"]:
            z = x @ W + b
            x = np.tanh(z) * p["scale"]
        P = np.exp(z - np.max(z, axis=1, keepdims=True))
        P = P / np.sum(P, axis=1, keepdims=True)
        return {"P": P, "entropy": (-np.sum(P * np.log(P)),)}

    return outputs


def loss(np: Any) -> Callable[..., Any]:
    of = network(np)
    return lambda p, x: of(p, x)["entropy"][0] + np.sum(of(p, x)["P"][:, 0] ** 2)


OURS, THEIRS = network(np), network(jnp)
LOSS, THEIR_LOSS = loss(np), loss(jnp)


def agree(found: Any, expected: Any) -> None:
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert np.shape(one) == np.shape(other)
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_gradients() -> None:
    agree(autograd.grad(LOSS)(PARAMETERS, INPUTS), jax.grad(THEIR_LOSS)(PARAMETERS, INPUTS))
    agree(
        autograd.value_and_grad(LOSS, (0, 1))(PARAMETERS, INPUTS),
        jax.value_and_grad(THEIR_LOSS, (0, 1))(PARAMETERS, INPUTS),
    )


@pytest.mark.parametrize("argnum", [0, 1, (1, 0)])
def test_jacobians(argnum: Any) -> None:
    agree(autograd.jacobian(OURS, argnum)(PARAMETERS, INPUTS), jax.jacobian(THEIRS, argnum)(PARAMETERS, INPUTS))


def test_products() -> None:
    expected = jax.jvp(lambda p: THEIRS(p, INPUTS), (PARAMETERS,), (TANGENT,))
    agree(autograd.make_jvp(OURS)(PARAMETERS, INPUTS)(TANGENT), expected)
    value, pull = jax.vjp(lambda p: THEIRS(p, INPUTS), PARAMETERS)
    seed = jax.tree.map(lambda x: np.asarray(RNG.normal(size=x.shape)), value)
    ours, own = autograd.make_vjp(OURS)(PARAMETERS, INPUTS)
    agree(own, value)
    agree(ours(seed), pull(seed)[0])


def test_second_order() -> None:
    agree(autograd.hessian(LOSS)(PARAMETERS, INPUTS), jax.jacrev(jax.jacrev(THEIR_LOSS))(PARAMETERS, INPUTS))
    expected = jax.jvp(lambda p: jax.grad(THEIR_LOSS)(p, INPUTS), (PARAMETERS,), (TANGENT,))[1]
    agree(autograd.hessian_vector_product(LOSS)(PARAMETERS, INPUTS, TANGENT), expected)
    agree(autograd.make_jvp(autograd.grad(LOSS))(PARAMETERS, INPUTS)(TANGENT)[1], expected)


def test_a_checkpoint() -> None:
    def ours(p: Any, x: Any) -> Any:
        return np.sum(autograd.checkpoint(LOSS)(p, x * x) * x)

    def theirs(p: Any, x: Any) -> Any:
        return jnp.sum(THEIR_LOSS(p, x * x) * x)

    agree(autograd.grad(ours, (0, 1))(PARAMETERS, INPUTS), jax.grad(theirs, (0, 1))(PARAMETERS, INPUTS))
