"""Steps of a training in native code, against the interpreter."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest

pytest.importorskip("llvmlite")
import backproof as bp
from backproof.derivation.derivation import Derivation
from backproof.emit.native.machine import host
from backproof.emit.native.panels import Panels
from backproof.emit.native.strided.module import Strided
from backproof.emit.native.unrolled import Unrolled
from backproof.emit.scalars import UncoveredError
from backproof.emit.step import Step
from backproof.execution.engine import Engine
from backproof.execution.interpret import evaluate
from backproof.execution.numpy_engine import NumpyEngine
from backproof.ir.sizes import Size
from backproof.ir.symbol import Symbol
from backproof.ops.arithmetic import mul, sub
from backproof.ops.leaves import variable
from backproof.ops.linear import matmul, total, transpose
from backproof.ops.rearranging import flip
from backproof.ops.softmax import log_softmax, softmax

RATE = 0.1
ALLOWED = {np.float32: 1e-5, np.float64: 1e-12}


def descent(derivation: Derivation) -> Step:
    """A step of gradient descent."""
    rate = variable(Symbol("r"), ())
    parameters = derivation.graph.parameters
    after = tuple(sub(p, mul(rate, derivation.gradients[str(p.symbol)])) for p in parameters)
    data = tuple(x for x in derivation.graph.inputs if x not in parameters)
    samples = next((size for x in data for size in x.shape if size.samples), Size("m", 1, samples=True))
    return Step(data, (rate,), parameters, after, derivation.result, samples)


def sizes_of(derivation: Derivation, samples: int) -> dict[str, int]:
    known = {size.name: size.value for x in derivation.graph.inputs for size in x.shape if size.value is not None}
    return {**known, "m": samples}


def compare(derivation: Derivation, samples: int, dtype: type, *, steps: int = 5) -> Engine:
    """Takes steps with both engines and with the interpreter, on the same batches."""
    compare_one(NumpyEngine, derivation, samples, dtype, steps=steps)
    return compare_one(Engine, derivation, samples, dtype, steps=steps)


def compare_one(kind, derivation: Derivation, samples: int, dtype: type, *, batches: int = 3, steps: int = 5):
    step, sizes = descent(derivation), sizes_of(derivation, samples)
    engine = kind(step, sizes, dtype)
    rng = np.random.default_rng(0)
    shapes = {x: [sizes[size.name] if size.value is None else size.value for size in x.shape] for x in step.state}
    state = {x: 0.6 * rng.normal(size=shape) for x, shape in shapes.items()}
    data = {x: [batch(derivation, x, samples, rng) for _ in range(batches)] for x in step.data}
    memory = engine.memory(state)
    laid_out = [engine.laid_out(x, data[x]) for x in step.data]
    found = engine.run(laid_out, np.full((steps, 1), RATE), memory, batches)
    values = {str(x.symbol): array for x, array in state.items()}
    for k in range(steps):
        given = {str(x.symbol): data[x][k % batches] for x in step.data}
        columns = derivation.quantities["X"].shape[-1].samples
        turned = {name: array.T if columns else array for name, array in given.items()}
        trace = bp.run(derivation, turned, parameters=values)
        assert engine.is_finite(memory)
        assert abs(found[k] - trace["J"]) <= ALLOWED[dtype] * max(1, abs(trace["J"]))
        values = {name: array - RATE * trace[f"d{name}"] for name, array in values.items()}
    for node, array in engine.state(memory).items():
        right = values[str(node.symbol)]
        assert array.shape == right.shape
        assert np.max(np.abs(array - right)) <= ALLOWED[dtype] * np.max(np.abs(right))
    return engine


def batch(derivation: Derivation, node, samples: int, rng: np.random.Generator) -> np.ndarray:
    size = next(size for size in node.shape if not size.samples)
    units = size.value or 0
    if str(node.symbol) == "X":
        rows = rng.normal(size=(samples, units))
    elif node.attrs["labels"] == "distribution":
        rows = np.eye(units)[rng.integers(0, units, samples)]
    elif node.attrs["labels"] == "-1+1":
        rows = rng.choice([-1.0, 1.0], (samples, units))
    else:
        rows = rng.integers(0, 2, (samples, units)).astype(float)
    return rows.T if node.shape[-1].samples else rows


def network(units: tuple[int, ...], activation: str, last: str, loss: str, **penalties: float) -> bp.Network:
    hidden = [bp.Dense(n, activation) for n in units[1:-1]]
    return bp.Network(units[0], [*hidden, bp.Dense(units[-1], last)], loss=loss, **penalties)


SMOOTH = [("tanh", "sigmoid", "binary_cross_entropy"), ("relu", "softmax", "categorical_cross_entropy")]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layout", ["columns", "rows"])
@pytest.mark.parametrize(("activation", "last", "loss"), SMOOTH)
@pytest.mark.parametrize(
    ("units", "samples", "code"),
    [((2, 8, 1), 4, Unrolled), ((3, 5, 4), 13, Unrolled), ((3, 5, 4), 40, Unrolled), ((30, 40, 11), 17, Panels)],
)
def test_as_the_interpreter(units, samples, code, activation, last, loss, dtype, layout) -> None:
    if last == "softmax" and units[-1] == 1:
        units = (*units[:-1], 3)
    derivation = bp.derive(network(units, activation, last, loss), layout=layout)
    assert isinstance(compare(derivation, samples, dtype)._code, code)


@pytest.mark.parametrize("activation", ["sigmoid", "leaky_relu", "elu", "gelu", "silu", "softplus", "softsign", "mish"])
def test_activations(activation: str) -> None:
    for units, samples in (((3, 4, 2), 5), ((30, 40, 9), 19)):
        compare(bp.derive(network(units, activation, "identity", "mean_squared_error")), samples, np.float64)


@pytest.mark.parametrize(
    ("last", "loss"),
    [
        ("sigmoid", "kullback_leibler"),
        ("identity", "binary_cross_entropy_from_logits"),
        ("identity", "categorical_cross_entropy_from_logits"),
        ("identity", "absolute_error"),
        ("identity", "huber(0.5)"),
        ("identity", "hinge"),
        ("tanh", "half_mean_squared_error"),
    ],
)
def test_losses(last: str, loss: str) -> None:
    for units, samples in (((3, 4, 3), 5), ((30, 40, 9), 19)):
        compare(bp.derive(network(units, "tanh", last, loss)), samples, np.float64)


def test_penalties_and_several_layers() -> None:
    for units, samples in (((3, 4, 3, 2), 5), ((30, 70, 20, 3), 23)):
        compare(bp.derive(network(units, "tanh", "identity", "mean_squared_error", l2=0.1)), samples, np.float64)


ENDS = [
    ("sigmoid", "binary_cross_entropy"),
    ("softmax", "categorical_cross_entropy"),
    ("identity", "mean_squared_error"),
    ("identity", "huber(0.5)"),
    ("tanh", "half_mean_squared_error"),
]


@pytest.mark.parametrize("seed", range(40))
def test_networks_drawn_at_random(seed: int) -> None:
    """Depth, widths, activations, loss, penalties, layout, samples and precision."""
    random = Random(seed)
    last, loss = random.choice(ENDS)
    widest = random.choice([5, 20, 70])
    units = [random.randint(1, widest) for _ in range(random.randint(2, 5))]
    hidden = [bp.Dense(n, random.choice(["tanh", "relu", "sigmoid", "gelu", "elu", "softplus"])) for n in units[1:-1]]
    outputs = max(2, units[-1]) if last == "softmax" else units[-1]
    penalties = {name: 0.01 for name in ("l1", "l2") if random.random() < 0.3}
    net = bp.Network(units[0], [*hidden, bp.Dense(outputs, last)], loss=loss, **penalties)
    derivation = bp.derive(net, layout=random.choice(["rows", "columns"]))
    # One step: some of these have so steep a loss that the next ones lead far away.
    compare(derivation, random.choice([1, 2, 7, 16, 33, 64]), random.choice([np.float32, np.float64]), steps=1)


@pytest.mark.parametrize("kind", [Engine, NumpyEngine])
def test_no_steps_change_nothing(kind) -> None:
    derivation = bp.derive(network((2, 3, 1), "tanh", "identity", "mean_squared_error"))
    step = descent(derivation)
    engine = kind(step, sizes_of(derivation, 4), np.float64)
    state = {x: np.ones([size.value or 1 for size in x.shape]) for x in step.state}
    memory = engine.memory(state)
    data = [engine.laid_out(x, [np.ones((size_of(x), 4))]) for x in step.data]
    assert len(engine.run(data, np.empty((0, 1)), memory, 1)) == 0
    assert all((engine.state(memory)[x] == 1).all() for x in step.state)


def size_of(node) -> int:
    return next(size.value or 0 for size in node.shape if not size.samples)


@pytest.mark.parametrize("units", [3, 90])
def test_what_goes_along_the_samples_is_done_on_arrays_as_they_lie(units: int) -> None:
    samples, n, k = Size("m", samples=True), Size("n", units), Size("k", units + 1)
    x, w, rate = variable(Symbol("X"), (k, samples)), variable(Symbol("W"), (n, k)), variable(Symbol("r"), ())
    z = matmul(w, x)
    rng = np.random.default_rng(0)
    arrays = {x: rng.normal(size=(units + 1, 5)), w: rng.normal(size=(units, units + 1)) / units, rate: np.array(0.1)}
    for node in (mul(z, softmax(z, axis=-1)), matmul(transpose(z), z)):
        result = total(node, (-2, -1), keepdims=False).named(Symbol("J"))
        step = Step((x,), (rate,), (w,), (sub(w, mul(rate, result)),), result, samples)
        engine = Engine(step, {"m": 5}, np.float64)
        assert isinstance(engine._code, Strided)
        memory = engine.memory({w: arrays[w]})
        losses = engine.run([engine.laid_out(x, arrays[x][None])], np.array([[0.1]]), memory, 1)
        right = evaluate([result, *step.after], arrays, {"m": 5})
        np.testing.assert_allclose(losses, right[result], rtol=1e-12)
        np.testing.assert_allclose(engine.state(memory)[w], right[step.after[0]], rtol=1e-12)


@pytest.mark.parametrize("code", [Panels, Strided])
@pytest.mark.parametrize("op", [softmax, log_softmax])
def test_exponentials_do_not_overflow(op, code) -> None:
    rows, columns = Size("m", samples=True), Size("n", 700)
    x, w, rate = variable(Symbol("X"), (rows, columns)), variable(Symbol("w"), (columns,)), variable(Symbol("r"), ())
    factor = flip(x, axes=(-1,)) if code is Strided else x  # panels have no form of what is turned round
    result = total(mul(op(mul(x, w), axis=-1), factor), (-2, -1), keepdims=False)
    step = Step((x,), (rate,), (w,), (sub(w, rate),), result, rows)
    engine = Engine(step, {"m": 3})
    assert isinstance(engine._code, code)
    given = np.random.default_rng(0).normal(size=(3, 700))
    scale = np.full(700, 1000.0)
    (found,) = engine.run([engine.laid_out(x, given[None])], np.zeros((1, 1)), engine.memory({w: scale}), 1)
    right = evaluate([result], {x: given, w: scale}, {"m": 3})[result]
    np.testing.assert_allclose(found, right, rtol=1e-4)


def test_parameters_that_change_places() -> None:
    """Each becomes the other: none is written before the other is read."""
    size = Size("n", 5)
    a, b, x, rate = (variable(Symbol(name), (size,)) for name in "abxr")
    rate = variable(Symbol("r"), ())
    result = total(mul(mul(a, b), x), (-1,), keepdims=False)
    turned = sub(flip(b, axes=(-1,)), a)
    for after in ((b, a), (mul(b, b), sub(a, b)), (a, sub(b, a)), (mul(a, b), turned)):
        step = Step((x,), (rate,), (a, b), after, result, Size("m", 1, samples=True))
        values = {node: np.arange(1.0, 6.0) + k for k, node in enumerate((a, b, x))}
        engine = Engine(step, {"m": 1}, np.float64)
        memory = engine.memory({a: values[a], b: values[b]})
        engine.run([engine.laid_out(x, values[x][None])], np.zeros((1, 1)), memory, 1)
        right = evaluate(after, values, {})
        for node, new in zip((a, b), after, strict=True):
            np.testing.assert_array_equal(engine.state(memory)[node], right[new])


def test_a_place_that_there_is_not_gives_no_number() -> None:
    def picked(E, places):
        return np.sum(E[places] ** 2)

    derivation = bp.derive(picked, {"E": np.ones((4, 9)), "places": np.array([0, 3, -1])})
    engine, step = Engine(descent(derivation), {"m": 1}), descent(derivation)
    memory = engine.memory({engine._step.state[0]: np.ones((4, 9))})
    for places, is_finite in (([0, 3, -4], True), ([0, 4, 1], False), ([0, -5, 1], False)):
        (loss,) = engine.run([engine.laid_out(step.data[0], np.array([places], float))], np.zeros((1, 1)), memory, 1)
        assert np.isfinite(loss) == is_finite


def test_what_there_is_no_native_form_of_is_computed_by_numpy() -> None:
    derivation = bp.derive(network((2, 3, 1), "sin(z)", "identity", "mean_squared_error"))
    with pytest.raises(UncoveredError, match="sin"):
        Engine(descent(derivation), sizes_of(derivation, 4))
    compare_one(NumpyEngine, derivation, 4, np.float64)


@pytest.fixture
def small_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Products in many parts and chunks, as those of large networks are."""
    machine = replace(host(), nearest=1 << 10, cache=8 << 10)
    monkeypatch.setattr("backproof.execution.engine.host", lambda: machine)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("units", "samples"), [((70, 90, 130, 9), 150), ((64, 64, 64), 64), ((33, 257, 3), 128), ((128, 50, 4), 100)]
)
@pytest.mark.usefixtures("small_caches")
def test_products_that_are_larger_than_the_caches(units, samples, dtype) -> None:
    derivation = bp.derive(network(units, "tanh", "softmax", "categorical_cross_entropy"), layout="rows")
    assert isinstance(compare(derivation, samples, dtype, steps=2)._code, Panels)


@pytest.mark.parametrize("layout", ["columns", "rows"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("outputs", "samples"), [(300, 7), (256, 1), (257, 33)])
def test_what_is_done_along_rows_of_any_length(outputs, samples, dtype, layout) -> None:
    for last, loss in (("softmax", "categorical_cross_entropy"), ("softmax", "mean_squared_error")):
        derivation = bp.derive(network((10, 40, outputs), "tanh", last, loss), layout=layout)
        assert isinstance(compare(derivation, samples, dtype, steps=2)._code, Panels)


@pytest.mark.usefixtures("small_caches")
def test_threads_that_share_chunks_come_to_the_same_numbers() -> None:
    test_threads_come_to_the_same_numbers((70, 90, 130, 9), 150, 2)


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize(
    ("units", "samples"), [((30, 40, 11), 17), ((90, 130, 70, 3), 40), ((30, 600, 1), 5), ((9, 20, 300), 30)]
)
def test_threads_come_to_the_same_numbers(units, samples, threads) -> None:
    last, loss = ("softmax", "categorical_cross_entropy") if units[-1] > 1 else ("sigmoid", "binary_cross_entropy")
    derivation = bp.derive(network(units, "tanh", last, loss, l2=0.01))
    step, sizes = descent(derivation), sizes_of(derivation, samples)
    rng = np.random.default_rng(0)
    shapes = {x: [size.value or 0 for size in x.shape] for x in step.state}
    state = {x: rng.normal(size=shape) / 10 for x, shape in shapes.items()}
    data = {x: [batch(derivation, x, samples, rng) for _ in range(3)] for x in step.data}
    found = []
    for number in (1, threads):
        engine = Engine(step, sizes, np.float32, threads=number)
        assert isinstance(engine._code, Panels)
        assert ("threads" in engine.machine) == (number > 1)
        memory = engine.memory(state)
        losses = engine.run([engine.laid_out(x, data[x]) for x in step.data], np.full((20, 1), RATE), memory, 3)
        found.append((losses, engine.state(memory)))
    (first, one), (second, other) = found
    np.testing.assert_array_equal(first, second)
    for node in step.state:
        np.testing.assert_array_equal(one[node], other[node])
