"""JAX as a second opinion: every scalar function to second order, and whole networks, in float64."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import backproof as bp
from backproof.derivation.steps import Mean
from backproof.frontends.functions import ACTIVATIONS, LOSSES, activation_named, loss_named
from backproof.frontends.network import Layout
from backproof.ops.row import Array
from backproof.ops.scalar import ScalarRow, derivative
from backproof.ops.softmax import log_softmax, softmax

Function = Callable[..., Any]

JAX_ACTIVATIONS: Mapping[str, Function] = {
    "identity": jax.nn.identity,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "selu": jax.nn.selu,
    "gelu": partial(jax.nn.gelu, approximate=False),
    "gelu_tanh": partial(jax.nn.gelu, approximate=True),
    "silu": jax.nn.silu,
    "softplus": jax.nn.softplus,
    "softsign": jax.nn.soft_sign,
    "mish": jax.nn.mish,
    "hardtanh": jax.nn.hard_tanh,
    "leaky_relu": jax.nn.leaky_relu,
    "leaky_relu(0.2)": partial(jax.nn.leaky_relu, negative_slope=0.2),
    "elu": jax.nn.elu,
    "elu(1.5)": partial(jax.nn.elu, alpha=1.5),
}
"""JAX's element-wise functions."""


def huber(a: Any, y: Any, delta: float = 1.0) -> Any:
    """Huber's loss by a clip of the distance, a formula other than ours."""
    distance = jnp.abs(a - y)
    near = jnp.minimum(distance, delta)
    return near**2 / 2 + delta * (distance - near)


JAX_LOSSES: Mapping[str, Function] = {
    "mean_squared_error": lambda a, y: jnp.square(a - y),
    "half_mean_squared_error": lambda a, y: jnp.square(a - y) / 2,
    "binary_cross_entropy": lambda a, y: -(jax.scipy.special.xlogy(y, a) + jax.scipy.special.xlog1py(1 - y, -a)),
    "binary_cross_entropy_from_logits": lambda a, y: jnp.logaddexp(0.0, a) - y * a,
    "categorical_cross_entropy": lambda a, y: -jax.scipy.special.xlogy(y, a),
    "categorical_cross_entropy_from_logits": lambda a, y: -y * a,
    "absolute_error": lambda a, y: jnp.abs(a - y),
    "hinge": lambda a, y: jax.nn.relu(1 - y * a),
    "kullback_leibler": lambda a, y: jax.scipy.special.rel_entr(y, a),
    "huber": huber,
    "huber(0.7)": partial(huber, delta=0.7),
}
"""The losses of one output; categorical_cross_entropy_from_logits is that of the log_softmax taken before."""

POINTS = np.concatenate([np.linspace(-4, 4, 81) + 0.013, [-30.0, 30.0]])
"""Where functions of z are compared: on either side of every kink, and far out."""


def assert_scalar(row: ScalarRow, theirs: Function, points: tuple[Array, ...], orders: tuple[int, ...]) -> None:
    """A function's derivative of these orders is JAX's at every point, to 1e-10."""
    for argument, order in enumerate(orders):
        for _ in range(order):
            row, theirs = derivative(row, argument), jax.grad(theirs, argument)
    expected = jax.vmap(theirs)(*points)
    assert expected.dtype == np.float64
    value = row.meaning(*points)
    np.testing.assert_allclose(value, np.asarray(expected), rtol=1e-10, atol=1e-14, err_msg=f"orders {orders}")


def test_every_activation_and_loss_is_compared() -> None:
    assert {name.partition("(")[0] for name in JAX_ACTIVATIONS} | {"softmax", "log_softmax"} == set(ACTIVATIONS)
    assert {name.partition("(")[0] for name in JAX_LOSSES} == set(LOSSES)


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("name", JAX_ACTIVATIONS)
def test_an_activation_agrees_with_jax(name: str, order: int) -> None:
    row = activation_named(name, layer=1)
    assert isinstance(row, ScalarRow)
    assert_scalar(row, JAX_ACTIVATIONS[name], (POINTS,), (order,))


@pytest.mark.parametrize("orders", [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1)], ids=str)
@pytest.mark.parametrize("name", JAX_LOSSES)
def test_a_loss_agrees_with_jax(name: str, orders: tuple[int, int], rng: np.random.Generator) -> None:
    loss = loss_named(name)
    a, y = rng.normal(0, 1.5, 60), rng.normal(0, 1.5, 60)
    if loss.labels == "-1+1":
        y = np.sign(y)
    elif loss.labels in ("01", "distribution"):
        y = rng.uniform(0.01, 0.99, 60)
    if not name.endswith("logits") and loss.labels in ("01", "distribution"):
        a = rng.uniform(0.01, 0.99, 60)
    assert_scalar(loss.row, JAX_LOSSES[name], (a, y), orders)


@pytest.mark.parametrize("name", ["binary_cross_entropy", "categorical_cross_entropy", "kullback_leibler"])
def test_a_loss_agrees_with_jax_where_labels_are_whole(name: str, rng: np.random.Generator) -> None:
    a, y = rng.uniform(0.01, 0.99, 20), np.repeat([0.0, 1.0], 10)
    for order in range(3):
        assert_scalar(loss_named(name).row, JAX_LOSSES[name], (a, y), (order, 0))


@pytest.mark.parametrize(("row", "theirs"), [(softmax, jax.nn.softmax), (log_softmax, jax.nn.log_softmax)])
def test_softmax_agrees_with_jax(row: Any, theirs: Function, rng: np.random.Generator) -> None:
    z = np.concatenate([rng.normal(0, 2, (5, 4)), rng.normal(0, 800, (3, 4))])
    np.testing.assert_allclose(row.meaning(z, axis=-1), np.asarray(theirs(z, axis=-1)), rtol=1e-12, atol=1e-300)


NETWORKS = {
    "3-4-3": bp.Network(3, [bp.Dense(4, "tanh"), bp.Dense(3, "sigmoid")], loss="binary_cross_entropy"),
    "softmax": bp.Network(3, [bp.Dense(4, "gelu"), bp.Dense(3, "softmax")], loss="categorical_cross_entropy"),
    "softmax-inside": bp.Network(2, [bp.Dense(3, "softmax"), bp.Dense(2, "mish")], loss="huber(0.7)"),
    "log-softmax": bp.Network(2, [bp.Dense(3, "log_softmax"), bp.Dense(3, "softmax")], loss="kullback_leibler"),
    "logits": bp.Network(
        2, [bp.Dense(3, "selu"), bp.Dense(3, "identity")], loss="categorical_cross_entropy_from_logits"
    ),
    "penalties": bp.Network(2, [bp.Dense(3, "elu(1.5)"), bp.Dense(2, "tanh")], loss="hinge", l1=0.3, l2=0.7),
    "deep": bp.Network(
        2,
        [
            bp.Dense(n, name)
            for n, name in [(4, "silu"), (3, "softsign"), (1, "softplus"), (5, "relu"), (2, "hardtanh")]
        ],
        loss="absolute_error",
    ),
}
ROWWISE = {"softmax": jax.nn.softmax, "log_softmax": jax.nn.log_softmax}


def cost(network: bp.Network, inputs: Mapping[str, Any]) -> Any:
    """J in JAX, samples as rows."""
    a = inputs["X"]
    for k, layer in enumerate(network.layers, start=1):
        assert isinstance(layer, bp.Dense)
        name = str(layer.activation)
        a = (ROWWISE | dict(JAX_ACTIVATIONS))[name](a @ inputs[f"W[{k}]"].T + inputs[f"b[{k}]"])
    if network.loss == "categorical_cross_entropy_from_logits":
        a = jax.nn.log_softmax(a)
    j = JAX_LOSSES[str(network.loss)](a, inputs["Y"]).sum() / len(a)
    weights = [value for name, value in inputs.items() if name.startswith("W")]
    return j + sum(network.l1 * jnp.abs(w).sum() + network.l2 / 2 * jnp.square(w).sum() for w in weights)


@pytest.mark.parametrize("layout", ["columns", "rows"])
@pytest.mark.parametrize("mean", ["loss", "parameters"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_agrees_with_jax(name: str, mean: Mean, layout: Layout, rng: np.random.Generator) -> None:
    network, m = NETWORKS[name], 6
    sizes = [size.value or 0 for size in network.sizes()]
    kind = network.loss_row().labels
    draw: Mapping[str, Callable[[], Array]] = {
        "any": lambda: rng.normal(0, 1, (m, sizes[-1])),
        "01": lambda: rng.integers(0, 2, (m, sizes[-1])).astype(float),
        "-1+1": lambda: rng.choice([-1.0, 1.0], (m, sizes[-1])),
        "distribution": lambda: np.concatenate([np.eye(sizes[-1]), rng.dirichlet(np.ones(sizes[-1]), m - sizes[-1])]),
    }
    parameters: dict[str, Array] = {}
    for k in range(1, len(sizes)):
        parameters[f"W[{k}]"] = rng.normal(0, 1, (sizes[k], sizes[k - 1]))
        parameters[f"b[{k}]"] = rng.normal(0, 0.5, sizes[k])
    data = {"X": rng.normal(0, 1, (m, sizes[0])), "Y": draw[kind]()}
    derivation = bp.derive(network, mean=mean, layout=layout, inputs=True)
    trace = bp.run(derivation, (data["X"], data["Y"]), parameters=parameters)

    inputs = data | parameters
    np.testing.assert_allclose(trace["J"], float(cost(network, inputs)), rtol=1e-10)
    slopes = jax.grad(lambda given: cost(network, given | {"Y": data["Y"]}))(
        {k: v for k, v in inputs.items() if k != "Y"}
    )
    for symbol, slope in slopes.items():
        expected = np.asarray(slope).reshape(1, -1) if symbol[0] == "b" else np.asarray(slope)
        if layout == "columns" and symbol[0] != "W":
            expected = expected.T
        if mean == "parameters" and symbol == "X":
            expected = m * expected
        floor = 1e-12 * np.abs(expected).max()
        np.testing.assert_allclose(trace[f"d{symbol}"], expected, rtol=1e-10, atol=floor, err_msg=symbol)
