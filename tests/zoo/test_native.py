"""The functions of the zoo as native code, a step of gradient descent each, against the interpreter in float64."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

pytest.importorskip("llvmlite")
import backproof as bp
from backproof.derivation.derivation import Derivation
from backproof.emit.scalars import UncoveredError
from backproof.emit.step import Step
from backproof.execution.engine import Engine
from backproof.ir.sizes import Size
from backproof.ir.symbol import Symbol
from backproof.ops.arithmetic import mul, sub
from backproof.ops.leaves import variable
from test_fuzz import drawn, holds
from zoo.case import Case
from zoo.test_zoo import CASES, arguments_of

RATE = 0.01
ALLOWED = {np.float32: 1e-5, np.float64: 1e-12}
NONE = "linear algebra, Fourier transforms, complex numbers, and functions without a form"


def descent(derivation: Derivation) -> Step:
    """A step of gradient descent by all that the derivation has a gradient of."""
    rate = variable(Symbol("r_"), ())
    state = tuple(x for x in derivation.graph.inputs if str(x.symbol) in derivation.gradients)
    after = tuple(sub(x, mul(rate, derivation.gradients[str(x.symbol)])) for x in state)
    data = tuple(x for x in derivation.graph.inputs if x not in state)
    axes = [size for x in data for size in x.shape]
    samples = next((size for size in axes if size.samples), Size("m_", 1, samples=True))
    return Step(data, (rate,), state, after, derivation.result, samples)


def compare(derivation: Derivation) -> None:
    """Takes a step in both precisions; skips where there is no native code."""
    step = descent(derivation)
    trace = bp.run(derivation)
    values = {str(x.symbol): np.asarray(x.attrs["value"]) for x in derivation.graph.inputs}
    for dtype, allowed in ALLOWED.items():
        try:
            engine = Engine(step, {step.samples.name: step.samples.value or 1}, dtype)
        except UncoveredError:
            pytest.skip(f"there is no native code: {NONE}")
        memory = engine.memory({x: values[str(x.symbol)].astype(float) for x in step.state})
        data = [engine.laid_out(x, values[str(x.symbol)].astype(float)[None]) for x in step.data]
        (loss,) = engine.run(data, np.full((1, 1), RATE), memory, 1)
        right = trace[str(derivation.result.symbol)]
        assert abs(loss - right) <= allowed * max(1, abs(right))
        for node, array in engine.state(memory).items():
            name = str(node.symbol)
            gradient = trace[str(derivation.gradients[name].symbol)]
            change = RATE * np.broadcast_to(gradient, array.shape)
            scale = max(np.max(np.abs(values[name])), np.max(np.abs(change)))
            assert np.max(np.abs(array - (values[name] - change))) <= allowed * scale, name


@pytest.mark.parametrize("case", CASES)
def test_as_the_interpreter(case: Case) -> None:
    compare(bp.derive(case.function, arguments_of(case)))


@pytest.mark.parametrize("seed", range(120))
def test_programs_drawn_at_random(seed: int) -> None:
    random = Random(1000 + seed)
    function = drawn(random)
    while not holds(function, function.arguments):
        function = drawn(random)
    compare(bp.derive(function, dict(function.arguments), wrt=[*function.arguments]))
