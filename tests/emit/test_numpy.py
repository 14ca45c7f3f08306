"""NumPy source: every operation against its meaning, every program against the interpreter."""

from __future__ import annotations

import ast
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import backproof as bp
from backproof.derivation.derivation import Derivation
from backproof.emit.numpy import HELPERS, covers, source
from backproof.emit.program import Program, identifier
from backproof.execution.export import compiled, exported, program
from backproof.execution.interpret import evaluate
from backproof.frontends.functions import ACTIVATIONS, LOSSES
from backproof.ir.errors import SpecError
from backproof.ir.node import Node
from backproof.ir.sizes import Size
from backproof.ir.symbol import Symbol
from backproof.ops.arithmetic import add, div, mul
from backproof.ops.elementary import exp
from backproof.ops.fused import fused, slope
from backproof.ops.leaves import variable
from backproof.ops.row import Array, Row
from backproof.ops.scalar import ScalarRow, derivative
from backproof.ops.table import ROWS

Drawn = Callable[[Row], tuple[Node, dict[Node, Array]]]
COMPUTED = [row for row in ROWS if row.kind not in ("leaf", "entry")]


def run_alone(y: Node, values: dict[Node, Array]) -> Array:
    """The value of one operation by the program that is written for it."""
    named = y.named(Symbol("y"))
    text = source(Program("f", tuple(values), (), (named,), named, (), {}))
    space: dict[str, Any] = {}
    exec(compile(text, "<one operation>", "exec"), space)
    return np.asarray(space["f"](*values.values())[0])


def test_every_operation_is_covered() -> None:
    assert [row.name for row in COMPUTED if not covers(row)] == []


@pytest.mark.parametrize("row", COMPUTED, ids=lambda row: row.name)
def test_an_operation_gives_its_meaning(row: Row, drawn: Drawn) -> None:
    y, values = drawn(row)
    expected = evaluate([y], values, {})[y]
    found = run_alone(y, values)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


SCALARS = [row for row in COMPUTED if isinstance(row, ScalarRow)]


@pytest.mark.parametrize("row", SCALARS, ids=lambda row: row.name)
def test_a_derivative_gives_its_meaning(row: ScalarRow, drawn: Drawn) -> None:
    _, values = drawn(row)
    for argument in range(len(values)):
        slope = derivative(row, argument)
        y = slope(*values)
        again = derivative(slope, argument)(*values)
        for node in (y, again):
            np.testing.assert_allclose(
                run_alone(node, values), evaluate([node], values, {})[node], rtol=1e-12, atol=1e-14
            )


@pytest.mark.parametrize(("helper"), HELPERS)
def test_a_helper_is_documented_and_needs_no_other_file(helper: str) -> None:
    assert HELPERS[helper].__doc__


def agree(derivation: Derivation, trace: bp.Trace) -> None:
    """The compiled program gives J and every gradient as the interpreter does."""
    text = exported(derivation, "numpy")
    ast.parse(text)
    assert "backproof" not in text
    function = compiled(derivation)
    value, gradients = function(*(trace[str(x.symbol)] for x in program(derivation).inputs))
    result = derivation.graph.outputs[0]
    np.testing.assert_allclose(value, trace[str(result.symbol)], rtol=1e-10, atol=1e-13)
    assert len(gradients) == len(derivation.gradients)
    for found, node in zip(gradients.values(), derivation.gradients.values(), strict=True):
        expected = trace[str(node.symbol)]
        scale = np.max(np.abs(expected), initial=1e-300)
        np.testing.assert_allclose(np.broadcast_to(found, np.shape(expected)), expected, rtol=1e-10, atol=1e-12 * scale)


@pytest.mark.parametrize(("activation", "loss"), [*product(ACTIVATIONS, LOSSES)])
def test_networks(activation: str, loss: str) -> None:
    network = bp.Network(3, [bp.Dense(4, "tanh"), bp.Dense(2, activation)], loss=loss, l2=0.1)
    rng = np.random.default_rng(2)
    labels = rng.uniform(0.1, 0.9, (5, 2))
    labels /= labels.sum(axis=1, keepdims=True)
    if "hinge" in loss:
        labels = np.where(labels > 0.5, 1.0, -1.0)
    trace = bp.run(bp.derive(network), (rng.uniform(-1, 1, (5, 3)), labels))
    if np.isfinite(trace["J"]):
        agree(trace.derivation, trace)


@settings(deadline=None, max_examples=25)
@given(
    sizes=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    activation=st.sampled_from(["tanh", "gelu", "elu", "softplus", "softmax"]),
    layout=st.sampled_from(["columns", "rows"]),
    mean=st.sampled_from(["loss", "parameters"]),
    samples=st.integers(1, 5),
)
def test_networks_of_any_shape(sizes: list[int], activation: str, layout: Any, mean: Any, samples: int) -> None:
    network = bp.Network(sizes[0], [bp.Dense(n, activation) for n in sizes[1:]], loss="mean_squared_error")
    derivation = bp.derive(network, layout=layout, mean=mean, inputs=True)
    rng = np.random.default_rng(0)
    data = rng.normal(size=(samples, sizes[0])), rng.normal(size=(samples, sizes[-1]))
    agree(derivation, bp.run(derivation, data))


def test_single_precision_stays_single() -> None:
    derivation = bp.derive(bp.load("3-4:gelu-2:sigmoid", loss="binary_cross_entropy", l2=0.1))
    rng = np.random.default_rng(0)
    trace = bp.run(derivation, (rng.normal(size=(5, 3)), rng.uniform(0.1, 0.9, (5, 2))), dtype="float32")
    value, gradients = compiled(derivation)(*(trace[str(x.symbol)] for x in derivation.graph.inputs))
    assert value.dtype == np.float32
    assert {gradient.dtype for gradient in gradients.values()} == {np.dtype("float32")}


def test_a_whole_file() -> None:
    text = exported(bp.derive(bp.load("3-4:tanh-2:softmax", loss="categorical_cross_entropy")), "numpy")
    assert text.endswith(
        '''
def value_and_gradients(X, Y, W1, b1, W2, b2):
    """J and its derivatives by W2, b2, W1 and b1."""
    m = X.shape[1]

    # forward
    Z1 = W1 @ X + b1  # n_1 × m
    A1 = np.tanh(Z1)  # n_1 × m
    Z2 = W2 @ A1 + b2  # n × m
    A2 = softmax(Z2, axis=0)  # n × m
    J = np.sum(-Y * log_softmax(Z2, axis=0)) / m

    # backward
    dZ2 = (A2 - Y) / m  # n × m
    dW2 = dZ2 @ A1.T  # n × n_1
    db2 = np.sum(dZ2, axis=1, keepdims=True)  # n × 1
    dA1 = W2.T @ dZ2  # n_1 × m
    dZ1 = dA1 * (1 - A1 * A1)  # n_1 × m
    dW1 = dZ1 @ X.T  # n_1 × n_0
    db1 = np.sum(dZ1, axis=1, keepdims=True)  # n_1 × 1
    return J, {"W2": dW2, "b2": db2, "W1": dW1, "b1": db1}
'''
    )


def test_what_is_unspecified_cannot_be_exported() -> None:
    with pytest.raises(SpecError, match=r"g\[1\] is unspecified"):
        exported(bp.derive("3-2"), "numpy")


def test_names_are_identifiers_and_unique() -> None:
    def f(np_, put, sigmoid, λ):  # type: ignore[no-untyped-def]
        return np.sum(1 / (1 + np.exp(-put)) * sigmoid * np_ * λ)

    rng = np.random.default_rng(0)
    derivation = bp.derive(f, {name: rng.normal(size=3) for name in ("np_", "put", "sigmoid", "λ")})
    agree(derivation, bp.run(derivation))
    assert identifier(Symbol("lambda"), ()) == "lambda_"
    assert identifier(Symbol("W", 2, "J"), {"dW2"}) == "dW2_"


def test_a_traceback_shows_the_line() -> None:
    function = compiled(bp.derive(bp.load("3-2:tanh", loss="mean_squared_error")))
    with pytest.raises(ValueError, match="matmul") as error:
        function(np.ones((4, 5)), np.ones((2, 5)), np.ones((2, 3)), np.ones((2, 1)))
    assert "Z1 = W1 @ X + b1" in str(error.getrepr())


AFTER_J = {
    "clip": lambda a: np.mean(np.clip(a, 0, 1) ** 2),
    "copysign": lambda a: np.sum(np.copysign(np.exp(a), -1.0)),
    "interp": lambda a: np.sum(np.interp(a, [-1.0, 0.5, 3.0], [0.0, 1.0, 3.0]) ** 2),
    "norm": lambda a: np.linalg.norm(np.tanh(a)),
    "pad": lambda a: np.sum(np.pad(a, 1) ** 2),
}


@pytest.mark.parametrize("function", AFTER_J.values(), ids=AFTER_J)
def test_what_has_no_line_of_code_is_not_taken_for_j(function: Any) -> None:
    derivation = bp.derive(function, a=np.array([0.3, 2.0]))
    assert '"""J and its derivatives by a."""' in exported(derivation, "numpy")
    assert str(derivation.forward[-1].node.symbol) == "J"
    agree(derivation, bp.run(derivation))


def test_two_formulas_have_functions_of_their_own() -> None:
    x, z = (variable(Symbol(name), (Size("3", 3),)) for name in ("x", "z"))
    one, two = fused(mul(exp(x), x), (x,)), fused(div(exp(x), add(x, z)), (x, z))
    assert one is not None
    assert two is not None
    p, q = slope(one, 0).named(Symbol("p")), slope(two, 1).named(Symbol("q"))
    y = add(p, q).named(Symbol("y"))
    taken = variable(Symbol("the_formula_slope"), x.shape)
    text = source(Program("f", (x, z, taken), (), (p, q, y), y, (), {}))
    space: dict[str, Any] = {}
    exec(compile(text, "<two formulas>", "exec"), space)
    a, b = np.array([0.3, -0.4, 1.0]), np.array([2.0, 1.0, 0.5])
    expected = (1 + a) * np.exp(a) - np.exp(a) / (a + b) ** 2
    np.testing.assert_allclose(space["f"](a, b, a)[0], expected, rtol=1e-13)
