"""Optimisers and schedules, against their formulas written out in plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import backproof as bp
from backproof.execution.numpy_engine import NumpyEngine
from backproof.ir.errors import BackproofError
from backproof.training.optimisers import LBFGS, SGD, Adam, AdamW, RMSprop, optimiser_named
from backproof.training.schedules import schedule_named, times
from backproof.training.steps import planned

RATES = np.array([0.1, 0.1, 0.05, 0.2])
NETWORK = bp.Network(2, [bp.Dense(3, "tanh"), bp.Dense(2, "identity")], loss="mean_squared_error")


def steps(optimiser, clip: float | None = None) -> list[dict[str, np.ndarray]]:
    """The parameters after each of some steps of the engine."""
    derivation = bp.derive(NETWORK, layout="rows")
    plan = planned(derivation, optimiser, clip=clip)
    engine = NumpyEngine(plan.step, {"n_0": 2, "n_1": 3, "n": 2, "m": 5}, np.float64)
    parameters, data = start()
    state = {node: parameters.get(str(node.symbol), np.zeros(shape(node))) for node in plan.step.state}
    memory = engine.memory(state)
    found = []
    for k in range(len(RATES)):
        numbers = optimiser.values(RATES[k : k + 1], k + 1)
        engine.run([engine.laid_out(x, [data[str(x.symbol)]]) for x in plan.step.data], numbers, memory, 1)
        found.append({str(x.symbol): array for x, array in engine.state(memory).items()})
    return found


def shape(node) -> list[int]:
    return [size.value or 5 for size in node.shape]


def start() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    rng = np.random.default_rng(1)
    parameters = {"W[1]": rng.normal(size=(3, 2)), "b[1]": rng.normal(size=(1, 3))}
    parameters |= {"W[2]": rng.normal(size=(2, 3)), "b[2]": rng.normal(size=(1, 2))}
    return parameters, {"X": rng.normal(size=(5, 2)), "Y": rng.normal(size=(5, 2))}


def gradients(parameters: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    trace = bp.run(bp.derive(NETWORK, layout="rows"), (start()[1]["X"], start()[1]["Y"]), parameters=parameters)
    return {name: trace[f"d{name}"] for name in parameters}


def by_formula(rule, clip: float | None = None) -> list[dict[str, np.ndarray]]:
    """The same with a rule on arrays: (w, dw, memory, rate, step) -> w."""
    parameters, memory, found = start()[0], {}, []
    for k, rate in enumerate(RATES):
        slopes = gradients(parameters)
        length = np.sqrt(sum((x**2).sum() for x in slopes.values()))
        if clip is not None and length > clip:
            slopes = {name: x * clip / length for name, x in slopes.items()}
        parameters = {
            name: rule(w, slopes[name], memory.setdefault(name, {}), rate, k + 1) for name, w in parameters.items()
        }
        found.append(parameters)
    return found


def descent(w, dw, memory, rate, step):
    return w - rate * dw


def momentum(w, dw, memory, rate, step):
    memory["v"] = 0.9 * memory.get("v", 0) + dw
    return w - rate * memory["v"]


def nesterov(w, dw, memory, rate, step):
    memory["v"] = 0.9 * memory.get("v", 0) + dw
    return w - rate * (dw + 0.9 * memory["v"])


def rmsprop(w, dw, memory, rate, step):
    memory["s"] = 0.99 * memory.get("s", 0) + 0.01 * dw**2
    return w - rate * dw / (np.sqrt(memory["s"]) + 1e-8)


def adam(w, dw, memory, rate, step):
    memory["m"] = 0.9 * memory.get("m", 0) + 0.1 * dw
    memory["s"] = 0.999 * memory.get("s", 0) + 0.001 * dw**2
    mean, squares = memory["m"] / (1 - 0.9**step), memory["s"] / (1 - 0.999**step)
    return w - rate * mean / (np.sqrt(squares) + 1e-8)


def adamw(w, dw, memory, rate, step):
    return adam(w * (1 - rate * 0.01), dw, memory, rate, step)


RULES = [
    (SGD(), descent),
    (SGD(momentum=0.9), momentum),
    (SGD(momentum=0.9, nesterov=True), nesterov),
    (RMSprop(), rmsprop),
    (Adam(), adam),
    (AdamW(), adamw),
]


@pytest.mark.parametrize("clip", [None, 0.5])
@pytest.mark.parametrize(("optimiser", "rule"), RULES)
def test_steps_are_those_of_the_formula(optimiser, rule, clip) -> None:
    for found, right in zip(steps(optimiser, clip), by_formula(rule, clip), strict=True):
        for name, array in right.items():
            np.testing.assert_allclose(found[name], array, rtol=1e-11, atol=1e-13)


def test_optimisers_by_name() -> None:
    assert optimiser_named("adam", 0.5) == Adam(rate=0.5)
    assert optimiser_named("lbfgs") == LBFGS()
    assert optimiser_named(SGD(0.3)) == SGD(0.3)
    with pytest.raises(BackproofError, match="choose from sgd"):
        optimiser_named("adagrad")
    with pytest.raises(BackproofError, match="no learning rate"):
        optimiser_named("lbfgs", 0.1)
    with pytest.raises(BackproofError, match="twice"):
        optimiser_named(SGD(), 0.1)


@pytest.mark.parametrize("wrong", [{"rate": -1.0}, {"rate": float("nan")}, {"momentum": 1.0}, {"rate": "fast"}])
def test_impossible_numbers(wrong) -> None:
    with pytest.raises(BackproofError, match="is no number for SGD"):
        SGD(**wrong)


@pytest.mark.parametrize(
    ("text", "factors"),
    [
        ("constant", [1, 1, 1, 1, 1]),
        ("exponential(0.5)", [1, 0.5, 0.25, 0.125, 0.0625]),
        ("steps(2)", [1, 1, 0.1, 0.1, 0.01]),
        ("steps(2, 0.5)", [1, 1, 0.5, 0.5, 0.25]),
        ("cosine", [1, 0.85355339, 0.5, 0.14644661, 0]),
        ("linear(0)", [1, 0.75, 0.5, 0.25, 0]),
        ("linear(0.2)", [1, 0.8, 0.6, 0.4, 0.2]),
        ("warmup(2)", [0, 0.5, 1, 1, 1]),
        ("warmup_cosine(2)", [0, 0.5, 1, 0.5, 0]),
        ("one_cycle(0.5, 0.04)", [0.04, 0.52, 1, 0.5, 0]),
    ],
)
def test_schedules(text: str, factors: list[float]) -> None:
    found = schedule_named(text, 4)(times(0, 5, 1))
    np.testing.assert_allclose(found, factors, atol=1e-8)


def test_times_count_epochs() -> None:
    np.testing.assert_allclose(times(3, 3, 2), [1.5, 2, 2.5])


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "sometimes",
        "steps",
        "steps(1, 2, 3)",
        "steps(-1)",
        "steps(0)",
        "one_cycle(1)",
        "one_cycle(2)",
        "steps(1, 2)",
        "steps(x)",
        "cosine(",
    ],
)
def test_schedules_that_there_are_not(wrong: str) -> None:
    with pytest.raises(BackproofError):
        schedule_named(wrong, 4)
