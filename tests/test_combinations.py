"""Every activation with every loss: the gradients against the complex step, the proofs and the explanations.

Nothing here is known in advance: the second opinion on a gradient is the complex step or a central difference of J, on
saturated outputs a difference in many digits (mpmath), and on a proof the trace, which comes from the rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from itertools import product

import mpmath
import numpy as np
import pytest

import backproof as bp
from backproof.derivation.derivation import Derivation
from backproof.derivation.steps import BackwardStep, Mean
from backproof.execution.explain import Explanation, Reader
from backproof.execution.interpret import evaluate
from backproof.execution.trace import Trace
from backproof.frontends.functions import ACTIVATIONS, LOSSES
from backproof.frontends.network import Layout
from backproof.ir.errors import DataError
from backproof.ir.node import Node
from backproof.ops.entries import at_, put_in, row_of, sum_over_
from backproof.ops.leaves import input_
from backproof.ops.losses import Labels, Loss
from backproof.ops.row import Array, Row
from backproof.ops.scalar import ScalarRow

NUMBERS = {"leaky_relu": 0.2, "elu": 1.5, "huber": 0.7}
"""A number other than the default for every function that takes one."""

ACTIVATION_NAMES = [*ACTIVATIONS, *(f"{name}({NUMBERS[name]})" for name in ACTIVATIONS if name in NUMBERS)]
LOSS_NAMES = [*LOSSES, *(f"{name}({NUMBERS[name]})" for name in LOSSES if name in NUMBERS)]
COMBINATIONS = list(product(ACTIVATION_NAMES, LOSS_NAMES))
MEANS: tuple[Mean, ...] = ("loss", "parameters")
LAYOUTS: tuple[Layout, ...] = ("columns", "rows")
VARIANTS = list(product(MEANS, LAYOUTS))

CONTINUED = {
    "binary_cross_entropy": "-(y*log(-a) + (1 - y)*log(1 - a))",
    "categorical_cross_entropy": "-y*log(-a)",
    "kullback_leibler": "y*log(y) - y*log(-a)",
}
"""The losses that take the logarithm of an output, continued to negative outputs. There log a is log(−a) + iπ; the
constant iπ, which the complex step would drown in, has no derivative, so it is left out."""

MARGIN = 0.02
"""How far from every kink the samples must be."""

Names = tuple[str, str]


def impossible(activation: str, loss: str) -> bool:
    """Whether the loss has no real value: log_softmax is always negative, whatever the parameters."""
    return activation == "log_softmax" and loss in CONTINUED


REAL = [names for names in COMBINATIONS if not impossible(*names)]
UNREAL = [names for names in COMBINATIONS if impossible(*names)]


# --- samples ---------------------------------------------------------------------------------------------------------


def labels(kind: Labels, shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """Labels that a loss takes, samples as rows; whole ones in the first two samples, where that is meant."""
    m, n = shape
    if kind == "01":
        y = rng.uniform(0, 1, shape)
        y[:2] = rng.integers(0, 2, (min(m, 2), n))
    elif kind == "-1+1":
        y = rng.choice([-1.0, 1.0], shape)
    elif kind == "distribution":
        y = rng.dirichlet(np.ones(n), m)
        y[:2] = np.eye(n)[rng.integers(0, n, min(m, 2))]
    else:
        y = rng.normal(0, 1, shape)
    return y


def between(row: ScalarRow) -> tuple[float, float]:
    """Where z must lie for the activation to be between 0.15 and 0.85."""
    z = np.linspace(-3, 3, 1201)
    a = row.meaning(z)
    inside = z[(a > 0.15) & (a < 0.85)]
    assert np.ptp(inside) == pytest.approx(0.005 * (len(inside) - 1)), "not an interval"
    return float(inside.min()), float(inside.max())


@lru_cache(maxsize=64)
def derived(network: bp.Network, mean: Mean, layout: Layout, inputs: bool) -> Derivation:
    """The derivation, made once: samples are tried on it until one is fit."""
    return bp.derive(network, mean=mean, layout=layout, inputs=inputs)


def trace_of(
    network: bp.Network,
    data: Mapping[str, Array],
    *,
    mean: Mean = "loss",
    layout: Layout = "columns",
    inputs: bool | None = None,
) -> Trace:
    """The trace on X and Y and parameters in `data`; with dX where that is ∂J/∂X, unless told otherwise."""
    derivation = derived(network, mean, layout, mean == "loss" if inputs is None else inputs)
    parameters = {name: value for name, value in data.items() if name not in ("X", "Y")}
    return bp.run(derivation, (data["X"], data["Y"]), parameters=parameters)


def drawn(network: bp.Network, seed: int, *, m: int = 3, spread: float = 1.0) -> dict[str, Array]:
    """Random X, Y and parameters; where the loss takes the logarithm of the outputs, these lie between 0 and 1."""
    rng = np.random.default_rng(seed)
    sizes = [size.value or 0 for size in network.sizes()]
    data: dict[str, Array] = {"X": rng.normal(0, 1, (m, sizes[0]))}
    data["Y"] = labels(network.loss_row().labels, (m, sizes[-1]), rng)
    last = len(sizes) - 1
    for k in range(1, last + 1):
        data[f"W[{k}]"] = rng.normal(0, spread, (sizes[k], sizes[k - 1]))
        data[f"b[{k}]"] = rng.normal(0, 0.5, sizes[k])
    row = network.rows()[-1]
    if network.loss_row().row.name in CONTINUED and isinstance(row, ScalarRow):
        # Each output's z is moved and scaled onto the interval that its activation takes to (0.15, 0.85).
        low, high = between(row)
        z = trace_of(network, data)[f"Z[{last}]"]
        scale = 0.98 * (high - low) / np.maximum(np.ptp(z, axis=1), 1e-3) if m > 1 else np.ones(sizes[-1])
        start = low + (0.01 if m > 1 else rng.uniform(0.1, 0.9, sizes[-1])) * (high - low)
        data[f"W[{last}]"] *= scale[:, None]
        data[f"b[{last}]"] = scale * (data[f"b[{last}]"] - z.min(axis=1)) + start
    return data


def edges(trace: Trace) -> Iterator[tuple[str, Array]]:
    """The distance with its sign of every value from every kink of the function that it is given to, by quantity."""
    (j,) = trace.derivation.graph.outputs
    values = evaluate([j], {node: trace[str(node.symbol)] for node in trace.derivation.graph.inputs}, trace.sizes)
    for node in values:
        row = row_of(node)
        if isinstance(row, ScalarRow):
            for edge in row.scalar.kinks(*(values[x] for x in node.inputs)):
                yield str(node.symbol), edge


def clear(trace: Trace, *, both: bool) -> bool:
    """Whether every value keeps its distance from the kinks; with `both`, some lie on either side in layer 1."""
    found = list(edges(trace))
    sides = not both or all(edge.min() < 0 < edge.max() for name, edge in found if name == "A[1]")
    return sides and all(np.abs(edge).min() > MARGIN for _, edge in found)


def moderate(trace: Trace) -> bool:
    """Whether no parameter is large and no gradient is tiny or huge: else the second opinion itself is inaccurate."""
    parameters = [np.abs(trace[str(node.symbol)]) for node in trace.derivation.graph.parameters]
    gradients = [np.abs(value) for name, value in trace.items() if name.startswith("d")]
    top = next(name for name in trace if name.startswith("dZ"))
    return (
        max(x.max() for x in parameters) < 6
        and max(x.max() for x in gradients) < 20
        and all(((x == 0) | (x > 1e-5)).all() for x in gradients)
        and all(x.max() > 1e-3 or not x.any() for x in gradients)
        # In no sample do the derivatives by the outputs cancel.
        and np.abs(trace[top]).max(axis=0).min() > 1e-3
    )


def sampled(network: bp.Network, *, m: int = 3, spread: float = 1.0, both: bool = False) -> dict[str, Array]:
    """The first random data that lie clear of every kink and are of moderate size."""
    for seed in range(1000):
        data = drawn(network, seed, m=m, spread=spread)
        trace = trace_of(network, data)
        if clear(trace, both=both) and moderate(trace):
            return data
    raise AssertionError("no sample lies clear of the kinks")


Variants = dict[tuple[Mean, Layout], Trace]


def variants(network: bp.Network, data: Mapping[str, Array]) -> Variants:
    """The traces in both placements of 1/m and both layouts."""
    return {(mean, layout): trace_of(network, data, mean=mean, layout=layout) for mean, layout in VARIANTS}


@cache
def combination(activation: str, loss: str) -> tuple[bp.Network, dict[str, Array], Variants]:
    """A network with the activation in both of its layers, its data, and its traces."""
    network = bp.Network(3, [bp.Dense(4, activation), bp.Dense(3, activation)], loss=loss)
    data = sampled(network, both=True)
    return network, data, variants(network, data)


# --- what must hold --------------------------------------------------------------------------------------------------


def assert_close(actual: Array, expected: Array, tolerance: float, name: str = "") -> None:
    """Equal to a relative tolerance; an entry that almost cancels is measured by a hundredth of the largest one."""
    floor = 0.01 * float(np.max(np.abs(expected[np.isfinite(expected)]), initial=0.0))
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance * floor, err_msg=name)


def assert_right(trace: Trace, method: str = "complex", tolerance: float = 1e-9) -> None:
    """Every gradient is right, none of its entries is left out, and none is excused."""
    report = bp.check(trace, method=method, tolerance=tolerance)  # type: ignore[arg-type]
    wanted = [f"d{name}" for name in trace if trace.derivation.quantities[name] in trace.derivation.graph.parameters]
    if trace.derivation.mean == "loss":
        wanted.append("dX")
    assert sorted(verdict.symbol for verdict in report.verdicts) == sorted(wanted)
    for verdict in report.verdicts:
        assert verdict.judgement == "right", verdict
        assert verdict.error <= tolerance, verdict
        assert verdict.kinks == 0, verdict
    assert report.ok
    # Where a derivative is exactly 0, the reference may be a last digit: nothing else is excused.
    excused = {name for note in report.notes for name in re.findall(r"(d[^ ]+) \(\d+\)", note)}
    assert not any(np.any(trace[name]) for name in excused)
    assert len(report.notes) == bool(excused)


def assert_agree(traces: Variants) -> None:
    """All quantities agree in the two layouts, and in the two placements of 1/m as these say, to 1e-12."""
    first = traces["loss", "columns"]
    m = first.sizes["m"]
    for (mean, layout), trace in traces.items():
        for name, value in trace.items():
            node = trace.derivation.quantities[name]
            assert node.symbol is not None
            expected = first[name]
            if layout == "rows" and node.symbol.base != "W":
                expected = expected.T
            if mean == "parameters" and name.startswith("d") and node.symbol.base not in ("W", "b"):
                expected = m * expected  # the derivative of one sample's loss
            assert_close(value, expected, 1e-12, f"{name}, mean={mean}, {layout}")


# --- every activation with every loss --------------------------------------------------------------------------------


def test_every_function_that_takes_a_number_is_tried_with_one() -> None:
    factories = {name for name, row in [*ACTIVATIONS.items(), *LOSSES.items()] if not isinstance(row, Row | Loss)}
    assert factories == set(NUMBERS)


@pytest.mark.parametrize(("activation", "loss"), REAL)
def test_gradients_agree_with_the_complex_step(activation: str, loss: str) -> None:
    _, _, traces = combination(activation, loss)
    for trace in traces.values():
        assert np.isfinite(trace["J"])
        assert_right(trace)


@pytest.mark.parametrize(("activation", "loss"), UNREAL)
def test_gradients_of_an_impossible_combination_are_those_of_its_continuation(activation: str, loss: str) -> None:
    network, data, traces = combination(activation, loss)
    continued = variants(bp.Network(network.inputs, network.layers, loss=CONTINUED[loss]), data)
    for which, trace in traces.items():
        assert np.isnan(trace["J"])
        with pytest.raises(DataError, match="J is nan"):
            bp.check(trace)
        assert_right(continued[which])
        for name in trace:
            if name != "J":
                assert_close(trace[name], continued[which][name], 1e-12, name)


@pytest.mark.parametrize(("activation", "loss"), COMBINATIONS)
def test_placements_and_layouts_agree(activation: str, loss: str) -> None:
    assert_agree(combination(activation, loss)[2])


@pytest.mark.parametrize(("activation", "loss"), REAL)
def test_gradients_agree_with_central_differences(activation: str, loss: str) -> None:
    # Also where there are kinks: the samples lie clear of them.
    assert_right(combination(activation, loss)[2]["loss", "columns"], "central", 1e-6)


@pytest.mark.parametrize("activation", ACTIVATION_NAMES)
@pytest.mark.parametrize("loss", CONTINUED)
def test_outputs_lie_where_the_logarithm_is_real(activation: str, loss: str) -> None:
    outputs = combination(activation, loss)[2]["loss", "columns"]["A[2]"]
    if impossible(activation, loss):
        assert (outputs < 0).all()
    else:
        assert (outputs > 0).all()
        assert (outputs < 1).all()


# --- kinks -----------------------------------------------------------------------------------------------------------

ON_A_KINK = [
    ("relu", 0.0, 0.0),
    ("leaky_relu(0.2)", 0.0, 0.2),
    ("leaky_relu", 0.0, 0.01),
    ("elu", 0.0, 1.0),
    ("elu(1.5)", 0.0, 1.5),
    ("selu", 0.0, 1.7580993408473766),
    ("hardtanh", 1.0, 1.0),
    ("hardtanh", -1.0, 1.0),
    ("softsign", 0.0, 1.0),
    ("abs(z)", 0.0, 0.0),
    ("max(z, 0)", 0.0, 1.0),
    ("min(z, 0)", 0.0, 1.0),
    ("where(z >= 0.5, 3*z, z)", 0.5, 3.0),
]
"""An activation, a z on its kink, and the slope that is taken there."""

LOSS_ON_A_KINK = [
    ("absolute_error", 0.5, 0.5, 0.0),
    ("huber(0.75)", 0.75, 0.0, 0.75),
    ("huber(0.75)", -0.75, 0.0, -0.75),
    ("huber", 1.5, 0.5, 1.0),
    ("huber", 0.5, 0.5, 0.0),
    ("hinge", 1.0, 1.0, 0.0),
    ("hinge", -1.0, -1.0, 0.0),
    ("abs(a - y)", 0.5, 0.5, 0.0),
]
"""A loss, an output and a label on its kink, and the slope that is taken there."""


def single(activation: str, loss: str, x: float, y: float, mean: Mean = "loss") -> Trace:
    """One sample through one node whose z is x."""
    network = bp.Network(1, [bp.Dense(1, activation)], loss=loss)
    data = {"X": np.array([[x]]), "Y": np.array([[y]]), "W[1]": np.ones((1, 1)), "b[1]": np.zeros(1)}
    return trace_of(network, data, mean=mean)


@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize(("activation", "z", "slope"), ON_A_KINK)
def test_slope_of_an_activation_on_its_kink(activation: str, z: float, slope: float, mean: Mean) -> None:
    trace = single(activation, "mean_squared_error", z, 4.0, mean)
    expected = trace["dA[1]"] * slope
    for name in ("dZ[1]", "db[1]") + (("dX",) if mean == "loss" else ()):
        np.testing.assert_allclose(trace[name], expected, rtol=1e-15)
    np.testing.assert_allclose(trace["dW[1]"], expected * z, rtol=1e-15)


@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize(("loss", "a", "y", "slope"), LOSS_ON_A_KINK)
def test_slope_of_a_loss_on_its_kink(loss: str, a: float, y: float, slope: float, mean: Mean) -> None:
    trace = single("identity", loss, a, y, mean)
    for name in ("dA[1]", "dZ[1]", "db[1]"):
        assert trace[name].item() == slope
    assert trace["dW[1]"].item() == slope * a


KINKED = [
    *((activation, "mean_squared_error", z, 4.0) for activation, z, _ in ON_A_KINK),
    *(("identity", loss, a, y) for loss, a, y, _ in LOSS_ON_A_KINK),
]


@pytest.mark.parametrize("shift", [0.0, 1e-5, -1e-5])
@pytest.mark.parametrize(("activation", "loss", "x", "y"), KINKED)
def test_central_differences_report_a_kink_and_raise_no_alarm(
    activation: str, loss: str, x: float, y: float, shift: float
) -> None:
    report = bp.check(single(activation, loss, x + shift, y), method="central")
    bias = next(verdict for verdict in report.verdicts if verdict.symbol == "db[1]")
    assert bias.kinks == 1
    assert bias.judgement == "not comparable"
    assert all(verdict.judgement != "wrong" for verdict in report.verdicts)
    assert any("exactly on a kink" in note for note in report.notes) == (shift == 0.0)


@pytest.mark.parametrize("shift", [0.0, 1e-5, -1e-5])
@pytest.mark.parametrize(("activation", "loss", "x", "y"), KINKED)
def test_the_complex_step_takes_the_same_side_of_a_kink(
    activation: str, loss: str, x: float, y: float, shift: float
) -> None:
    report = bp.check(single(activation, loss, x + shift, y))
    for verdict in report.verdicts:
        assert verdict.judgement == "right", verdict
        assert verdict.derived == pytest.approx(verdict.reference, rel=1e-12, abs=1e-15)
    assert any("exactly on a kink" in note for note in report.notes) == (shift == 0.0)


def test_only_the_entries_at_a_kink_are_left_out() -> None:
    network = bp.Network(2, [bp.Dense(2, "relu"), bp.Dense(1, "identity")], loss="mean_squared_error")
    data = {
        "X": np.array([[1.0, 2.0], [0.5, -1.0]]),
        "Y": np.array([[1.0], [-1.0]]),
        "W[1]": np.array([[2.0, -1.0], [1.0, 1.0]]),  # z = 0 in the first node of the first sample only
        "b[1]": np.zeros(2),
        "W[2]": np.array([[1.0, -2.0]]),
        "b[2]": np.zeros(1),
    }
    report = bp.check(trace_of(network, data), method="central")
    verdicts = {verdict.symbol: verdict for verdict in report.verdicts}
    assert {name: verdict.kinks for name, verdict in verdicts.items()} == {
        "dW[2]": 0,
        "db[2]": 0,
        "dW[1]": 2,
        "db[1]": 1,
        "dX": 2,
    }
    assert report.ok
    assert len(report.notes) == 1


@pytest.mark.parametrize("method", ["complex", "central"])
def test_the_check_of_an_absolute_penalty_at_a_weight_of_zero_raises_no_alarm(method: str) -> None:
    network = bp.Network(2, [bp.Dense(2, "tanh")], loss="mean_squared_error", l1=0.3)
    data = drawn(network, 1)
    data["W[1]"][0, 1] = 0.0
    trace = trace_of(network, data)
    plain = trace_of(bp.Network(2, network.layers, loss=network.loss), data)
    assert trace["dW[1]"][0, 1] == plain["dW[1]"][0, 1]
    report = bp.check(trace, method=method)  # type: ignore[arg-type]
    assert all(verdict.judgement == "right" for verdict in report.verdicts), report.verdicts


@pytest.mark.parametrize("method", ["complex", "central"])
def test_the_check_raises_no_alarm_over_a_gradient_that_cancels(method: str) -> None:
    # All labels lie below the outputs, so J is the sum of the outputs, which add up to one whatever the parameters.
    network = bp.Network(3, [bp.Dense(4, "softmax"), bp.Dense(3, "softmax")], loss="absolute_error")
    data = drawn(network, 0)
    trace = trace_of(network, {**data, "Y": -1 - np.abs(data["Y"])})
    report = bp.check(trace, method=method)  # type: ignore[arg-type]
    assert all(verdict.judgement != "wrong" for verdict in report.verdicts), report.verdicts


@pytest.mark.parametrize("method", ["complex", "central"])
def test_the_check_raises_no_alarm_over_gradients_that_vanish(method: str) -> None:
    network = bp.Network(3, [*[bp.Dense(4, "sigmoid")] * 8, bp.Dense(1, "identity")], loss="mean_squared_error")
    data = drawn(network, 0, m=20, spread=0.5)
    report = bp.check(trace_of(network, {**data, "Y": data["Y"] + 20}), method=method)  # type: ignore[arg-type]
    assert all(verdict.judgement != "wrong" for verdict in report.verdicts), report.verdicts


def test_the_check_raises_no_alarm_over_the_derivative_by_the_inputs_of_one_sample() -> None:
    network = bp.Network(2, [bp.Dense(2, "tanh")], loss="mean_squared_error")
    trace = trace_of(network, drawn(network, 1), mean="parameters", inputs=True)
    assert all(verdict.judgement == "right" for verdict in bp.check(trace).verdicts)


# --- other networks --------------------------------------------------------------------------------------------------


def dense(inputs: int, *layers: tuple[int, str], loss: str, l1: float = 0.0, l2: float = 0.0) -> bp.Network:
    """A network from pairs of width and activation."""
    return bp.Network(inputs, [bp.Dense(*layer) for layer in layers], loss=loss, l1=l1, l2=l2)


DEEP = ((4, "tanh"), (5, "gelu"), (3, "leaky_relu(0.2)"), (4, "softmax"), (3, "mish"))
OTHER = {
    "deep": dense(3, *DEEP, (2, "sigmoid"), loss="binary_cross_entropy"),
    "deep-logits": dense(2, *DEEP, (3, "identity"), loss="categorical_cross_entropy_from_logits"),
    "deep-of-width-1": dense(1, (1, "tanh"), (1, "silu"), (1, "softsign"), (1, "sigmoid"), loss="bce"),
    "one-layer": dense(3, (2, "tanh"), loss="half_mean_squared_error"),
    "one-layer-softmax": dense(3, (4, "softmax"), loss="categorical_cross_entropy"),
    "one-layer-of-width-1": dense(1, (1, "elu(1.5)"), loss="huber(0.7)"),
    "softmax-of-width-1": dense(2, (1, "softmax"), (2, "log_softmax"), loss="mse"),
    "one-output-distribution": dense(2, (3, "tanh"), (1, "sigmoid"), loss="kl"),
    "wide-to-narrow-to-wide": dense(6, (1, "tanh"), (7, "softplus"), loss="mae"),
}


@pytest.mark.parametrize("m", [1, 5])
@pytest.mark.parametrize("name", OTHER)
def test_networks_of_other_forms(name: str, m: int) -> None:
    network = OTHER[name]
    traces = variants(network, sampled(network, m=m))
    assert_agree(traces)
    for trace in traces.values():
        assert_right(trace)


@pytest.mark.parametrize("name", OTHER)
def test_central_differences_on_networks_of_other_forms(name: str) -> None:
    assert_right(trace_of(OTHER[name], sampled(OTHER[name])), "central", 1e-6)


@pytest.mark.parametrize(("l1", "l2"), [(0.3, 0.0), (0.0, 0.7), (0.3, 0.7), (1, 2)])
def test_regularisation(l1: float, l2: float) -> None:
    layers = ((4, "softmax"), (3, "relu"), (2, "sigmoid"))
    network = dense(3, *layers, loss="binary_cross_entropy", l1=l1, l2=l2)
    data = sampled(network)
    traces = variants(network, data)
    plain = variants(dense(3, *layers, loss="binary_cross_entropy"), data)
    assert_agree(traces)
    for which, trace in traces.items():
        assert_right(trace)
        weights = [trace[f"W[{k}]"] for k in (1, 2, 3)]
        penalty = sum(l1 * np.abs(w).sum() + l2 / 2 * (w**2).sum() for w in weights)
        np.testing.assert_allclose(trace["J"], plain[which]["J"] + penalty, rtol=1e-14)
        for name in trace:
            if not name.startswith("dW"):
                if name != "J":
                    np.testing.assert_allclose(trace[name], plain[which][name], rtol=1e-14)
                continue
            w = trace[name[1:]]
            np.testing.assert_allclose(trace[name], plain[which][name] + l1 * np.sign(w) + l2 * w, rtol=1e-13)


CUSTOM_ACTIVATIONS = [
    "z*sigmoid(z)",
    "sin(z) + z/2",
    "z**3/5",
    "sqrt(1 + z**2) - 1",
    "log(1 + z**2)",
    "exp(-z**2/2)",
    "max(z, z/10)",
    "where(z > 0.3, z**2, atan(z))",
    "erf(z)*cosh(z/2)",
    "2*z",
    "z/(1 + exp(-1.702*z))",
]
CUSTOM_LOSSES = [
    "(a - y)**4",
    "log(cosh(a - y))",
    "abs(a - y)**3",
    "exp(a) - y*a",
    "where(abs(a - y) <= 1, (a - y)**2, 2*abs(a - y) - 1)",
    "max(a - y, (y - a)/4)",
    "softplus(-y*a)",
    "y*a",
]


@pytest.mark.parametrize("activation", CUSTOM_ACTIVATIONS)
@pytest.mark.parametrize("loss", CUSTOM_LOSSES)
def test_functions_of_the_users_own(activation: str, loss: str) -> None:
    network = dense(2, (3, activation), (2, activation), loss=loss)
    traces = variants(network, sampled(network, spread=0.7))
    assert_agree(traces)
    for trace in traces.values():
        assert_right(trace)


@pytest.mark.parametrize(
    ("own", "named"),
    [
        (("1/(1 + exp(-z))", "-(y*log(a) + (1 - y)*log(1 - a))"), ("sigmoid", "binary_cross_entropy")),
        (("(exp(z) - exp(-z))/(exp(z) + exp(-z))", "(a - y)**2"), ("tanh", "mean_squared_error")),
        (("where(z > 0, z, 1.5*(exp(z) - 1))", "abs(a - y)"), ("elu(1.5)", "absolute_error")),
        (("relu(z)", "max(0, 1 - y*a)"), ("relu", "hinge")),
    ],
    ids=lambda names: "-".join(names),
)
def test_a_named_function_written_out_gives_the_same_numbers(own: Names, named: Names) -> None:
    network = dense(3, (4, named[0]), (2, named[0]), loss=named[1])
    data = sampled(network)
    expected = trace_of(network, data)
    trace = trace_of(dense(3, (4, own[0]), (2, own[0]), loss=own[1]), data)
    assert list(trace) == list(expected)
    for name in trace:
        assert_close(trace[name], expected[name], 1e-12, name)


@pytest.mark.parametrize(("mean", "layout"), VARIANTS)
def test_symbolic_sizes_give_the_same_numbers(mean: Mean, layout: Layout) -> None:
    functions = ("tanh", "softmax", "sigmoid")
    network = bp.Network(3, [bp.Dense(*pair) for pair in zip((4, 4, 2), functions, strict=True)], loss="bce", l2=0.1)
    symbolic = bp.Network(
        "n_0", [bp.Dense(*pair) for pair in zip(("h", "h", "n_3"), functions, strict=True)], loss="bce", l2=0.1
    )
    data = sampled(network)
    expected = trace_of(network, data, mean=mean, layout=layout)
    trace = trace_of(symbolic, data, mean=mean, layout=layout)
    assert dict(trace.sizes).items() >= {"n_0": 3, "h": 4, "n_3": 2, "m": 3}.items()
    assert list(trace) == list(expected)
    for name in trace:
        np.testing.assert_array_equal(trace[name], expected[name])
    assert_right(trace)


# --- saturated outputs -----------------------------------------------------------------------------------------------

SATURATED = np.array([[800.0, -800.0, 800.0], [-800.0, 40.0, -40.0], [0.5, -3.0, -800.0], [-800.0, 800.0, -799.0]])
SATURATED_LABELS: Mapping[str, Array] = {
    "01": np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.25, 0.75, 0.5], [0.0, 0.5, 0.25]]),
    "distribution": np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.25, 0.5, 0.25], [0.0, 1.0, 0.0]]),
}
Numbers = list[mpmath.mpf]


def _logistic(z: Numbers, y: Numbers) -> mpmath.mpf:
    pairs = list(zip(z, y, strict=True))
    return mpmath.fsum(b * mpmath.log1p(mpmath.exp(-a)) + (1 - b) * mpmath.log1p(mpmath.exp(a)) for a, b in pairs)


def _softmax(z: Numbers, y: Numbers) -> mpmath.mpf:
    top = mpmath.log(mpmath.fsum(map(mpmath.exp, z)))
    return mpmath.fsum(b * (top - a) for a, b in zip(z, y, strict=True))


def _divergence(z: Numbers, y: Numbers) -> mpmath.mpf:
    return _softmax(z, y) + mpmath.fsum(b * mpmath.log(b) for b in y if b)


Exact = Callable[[Numbers, Numbers], mpmath.mpf]


@cache
def exact(loss: Exact, kind: str) -> tuple[float, Array, Array, Array]:
    """J, dX, dW, db of z = W·x + b at W = 1, b = 0, by differences in 1,000 digits; dX is dZ."""

    def j(values: Array) -> mpmath.mpf:
        x, w, b = values[:12].reshape(4, 3), values[12:21].reshape(3, 3), values[21:]
        z = x @ w.T + b
        return mpmath.fsum(loss(list(row), list(y)) for row, y in zip(z, labelled, strict=True)) / len(x)

    with mpmath.workdps(1000):
        number = np.vectorize(mpmath.mpf, otypes=[object])
        labelled = number(SATURATED_LABELS[kind])
        start = number(np.concatenate([SATURATED.ravel(), np.eye(3).ravel(), np.zeros(3)]))
        h = mpmath.mpf(10) ** -400
        slopes = np.empty(len(start))
        for k in range(len(start)):
            up, down = start.copy(), start.copy()
            up[k] += h
            down[k] -= h
            slopes[k] = float((j(up) - j(down)) / (2 * h))
        return float(j(start)), slopes[:12].reshape(4, 3), slopes[12:21].reshape(3, 3), slopes[21:]


@pytest.mark.parametrize(("mean", "layout"), VARIANTS)
@pytest.mark.parametrize(
    ("activation", "loss", "reference"),
    [
        ("sigmoid", "binary_cross_entropy", _logistic),
        ("identity", "binary_cross_entropy_from_logits", _logistic),
        ("softmax", "categorical_cross_entropy", _softmax),
        ("identity", "categorical_cross_entropy_from_logits", _softmax),
        ("log_softmax", "categorical_cross_entropy_from_logits", _softmax),
        ("softmax", "kullback_leibler", _divergence),
    ],
)
def test_saturated_outputs(activation: str, loss: str, reference: Exact, mean: Mean, layout: Layout) -> None:
    network = dense(3, (3, activation), loss=loss)
    kind = network.loss_row().labels
    j, dz, dw, db = exact(reference, kind)
    data = {"X": SATURATED, "Y": SATURATED_LABELS[kind], "W[1]": np.eye(3), "b[1]": np.zeros(3)}
    trace = trace_of(network, data, mean=mean, layout=layout)
    np.testing.assert_allclose(trace["J"], j, rtol=1e-14)
    scale = len(SATURATED) if mean == "parameters" else 1
    columns = layout == "columns"
    expected = {"dZ[1]": (dz.T if columns else dz) * scale, "dW[1]": dw, "db[1]": db[:, None] if columns else db[None]}
    if mean == "loss":
        expected["dX"] = expected["dZ[1]"]
    for name, value in expected.items():
        # An output that rounds to 1 is off by 1e-16 at most, and so is its distance from the label.
        np.testing.assert_allclose(trace[name], value, rtol=1e-13, atol=2e-16 * np.abs(value).max(), err_msg=name)


@pytest.mark.parametrize(
    ("activation", "loss"),
    [
        ("sigmoid", "binary_cross_entropy"),
        ("softmax", "categorical_cross_entropy"),
        ("softmax", "kullback_leibler"),
    ],
)
@pytest.mark.parametrize("size", [50.0, 800.0])
def test_outputs_that_round_to_their_labels_cost_nothing(activation: str, loss: str, size: float) -> None:
    x = size * (2 * np.eye(3) - 1)
    data = {"X": x, "Y": np.eye(3), "W[1]": np.eye(3), "b[1]": np.zeros(3)}
    trace = trace_of(dense(3, (3, activation), loss=loss), data)
    np.testing.assert_allclose(trace["J"], 0, atol=1e-15)
    for name in ("dZ[1]", "db[1]", "dW[1]", "dX"):
        np.testing.assert_allclose(trace[name], 0, atol=1e-15 * size, err_msg=name)


@pytest.mark.parametrize(
    ("activation", "loss"), [("sigmoid", "binary_cross_entropy"), ("softmax", "categorical_cross_entropy")]
)
def test_only_the_quotient_is_undefined_where_outputs_round_to_their_labels(activation: str, loss: str) -> None:
    # dA is the quotient that it says it is, 0/0 there; nothing else is computed from it.
    data = {"X": 800 * (2 * np.eye(3) - 1), "Y": np.eye(3), "W[1]": np.eye(3), "b[1]": np.zeros(3)}
    trace = trace_of(dense(3, (3, activation), loss=loss), data)
    assert [name for name, value in trace.items() if np.isnan(value).any()] == ["dA[1]"]


# --- proofs ----------------------------------------------------------------------------------------------------------

PROVED = {
    "article": dense(3, (4, "tanh"), (3, "sigmoid"), loss="binary_cross_entropy"),
    "softmax": dense(2, (3, "softmax"), (3, "softmax"), loss="categorical_cross_entropy"),
    "log-softmax": dense(2, (3, "log_softmax"), (2, "log_softmax"), loss="mean_squared_error"),
    "logits": dense(2, (3, "relu"), (3, "identity"), loss="categorical_cross_entropy_from_logits"),
    "binary-logits": dense(2, (2, "gelu"), (1, "mish"), loss="binary_cross_entropy_from_logits"),
    "divergence": dense(2, (2, "softsign"), (3, "softmax"), loss="kullback_leibler"),
    "regularised": dense(2, (3, "leaky_relu(0.2)"), (2, "hardtanh"), loss="huber(0.7)", l1=0.3, l2=0.7),
    "l2": dense(2, (2, "selu"), (2, "softplus"), loss="hinge", l2=0.5),
    "one-layer": dense(3, (2, "gelu_tanh"), loss="absolute_error"),
    "width-1": dense(1, (1, "silu"), (1, "elu(1.5)"), loss="half_mean_squared_error"),
    "own": dense(2, (2, "z*sin(z)"), (2, "max(z, z/10)"), loss="log(cosh(a - y))"),
}


def proved(derivation: Derivation, step: BackwardStep, reader: Reader, shape: tuple[int, ...]) -> Array:
    """The sum of what a step's proofs find, at every place."""
    total = np.zeros(shape)
    for proof in derivation.proofs(step):
        letters = proof.entry.attrs["place"]
        for place in np.ndindex(*shape):
            formula = proof.result
            for letter, k in zip(letters, place, strict=True):
                formula = formula if letter is None else put_in(formula, letter, k + 1)
            total[place] += np.real(reader.value(formula))
    return total


@pytest.mark.parametrize(("mean", "layout"), VARIANTS)
@pytest.mark.parametrize("name", PROVED)
def test_proofs_find_the_gradients_of_the_rules(name: str, mean: Mean, layout: Layout) -> None:
    network = PROVED[name]
    trace = trace_of(network, sampled(network, m=2), mean=mean, layout=layout)
    reader = Reader(trace, trace.sizes)
    assert trace.derivation.backward
    for step in trace.derivation.backward:
        expected = trace[str(step.symbol)]
        assert trace.derivation.proofs(step)
        assert_close(proved(trace.derivation, step, reader, expected.shape), expected, 1e-12, str(step.symbol))


# --- explanations ----------------------------------------------------------------------------------------------------


class Descent:
    """Explains entries, then the entries in their terms, down to the inputs; each once."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.seen: dict[tuple[str, tuple[int, ...]], Explanation] = {}

    def below(self, name: str, *place: int) -> None:
        waiting = [(name, place)]
        while waiting:
            at = waiting.pop()
            if at in self.seen:
                continue
            self.seen[at] = explanation = self.trace.explain(at[0], *at[1])
            self.check(explanation, *at)
            waiting += [(entry.name, entry.place) for term in explanation.terms for entry in term.entries]

    def check(self, explanation: Explanation, name: str, place: tuple[int, ...]) -> None:
        entry = explanation.entry
        assert (entry.name, entry.place) == (name, place)
        assert entry.value == self.trace[name][tuple(k - 1 for k in place)]
        node = self.trace.derivation.quantities[name]
        if node.op is input_:
            assert explanation.formula is None
            assert explanation.terms == ()
            assert node in self.trace.derivation.graph.inputs
            return
        assert explanation.formula is not None
        values = [term.value for term in explanation.terms]
        size = max(map(abs, values))
        assert sum(values) == pytest.approx(entry.value, rel=1e-12, abs=1e-14 * size)

    def inputs(self) -> set[tuple[str, tuple[int, ...]]]:
        return {at for at, explanation in self.seen.items() if explanation.formula is None}

    def dead_ends(self) -> list[str]:
        """The entries that are no inputs and whose explanation names no entry to go on with."""
        return [
            str(x.entry)
            for x in self.seen.values()
            if x.formula is not None and not any(term.entries for term in x.terms)
        ]


@pytest.mark.parametrize(("mean", "layout"), VARIANTS)
@pytest.mark.parametrize("name", PROVED)
def test_explanations_add_up_down_to_the_inputs(
    name: str, mean: Mean, layout: Layout, rng: np.random.Generator
) -> None:
    network = PROVED[name]
    descent = Descent(trace_of(network, sampled(network, m=2), mean=mean, layout=layout))
    for quantity, value in descent.trace.items():
        descent.below(quantity, *(int(k) + 1 for k in rng.integers(0, value.shape)))
    assert descent.inputs()


@pytest.mark.parametrize("name", PROVED)
def test_no_explanation_ends_before_the_inputs(name: str) -> None:
    network = PROVED[name]
    descent = Descent(trace_of(network, sampled(network, m=2)))
    for quantity, value in descent.trace.items():
        descent.below(quantity, *value.shape)
    assert descent.dead_ends() == []


def used(formula: Node, reader: Reader) -> set[tuple[str, tuple[int, ...]]]:
    """The entries in a formula, those inside its sums too."""
    found, waiting = set(), [formula]
    while waiting:
        x = waiting.pop()
        if x.op is at_:
            entry = reader.entry(x)
            found.add((entry.name, entry.place))
        else:
            waiting += reader.expanded(x) if x.op is sum_over_ else x.inputs
    return found


@pytest.mark.parametrize("name", PROVED)
def test_an_explanation_names_every_entry_that_its_formula_holds(name: str) -> None:
    network = PROVED[name]
    trace = trace_of(network, sampled(network, m=2))
    reader = Reader(trace, trace.sizes)
    incomplete = []
    for quantity, value in trace.items():
        explanation = trace.explain(quantity, *value.shape)
        named = {(entry.name, entry.place) for term in explanation.terms for entry in term.entries}
        if explanation.formula is not None and named != used(explanation.formula, reader):
            incomplete.append(str(explanation.entry))
    assert incomplete == []


@pytest.mark.parametrize("name", ["article", "softmax", "divergence"])
def test_from_j_every_entry_of_every_input_is_reached(name: str) -> None:
    network = PROVED[name]
    descent = Descent(trace_of(network, sampled(network, m=2)))
    descent.below("J")
    assert descent.inputs() == {
        (str(node.symbol), tuple(k + 1 for k in place))
        for node in descent.trace.derivation.graph.inputs
        for place in np.ndindex(*descent.trace[str(node.symbol)].shape)
    }
