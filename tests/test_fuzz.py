"""Small NumPy programs put together at random: J and every gradient against differences, and the export against both.

Each operation has tests of its own elsewhere; here it is what happens between them that is tested.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import pytest

import backproof as bp
from backproof.derivation.derivation import Derivation
from backproof.execution.export import compiled, program
from backproof.ops.row import Array

PROGRAMS = 120
LARGEST = 40
"""How many entries a value of a program may have."""

Operation = Callable[..., Any]

OF_ONE: Mapping[str, Operation] = {
    "-a": lambda a: -a,
    "a + 1": lambda a: a + 1,
    "1 - a": lambda a: 1 - a,
    "0.3 * a": lambda a: 0.3 * a,
    "a ** 2": lambda a: a**2,
    "a ** 3": lambda a: a**3,
    "a * a": lambda a: a * a,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "exp(-a²)": lambda a: np.exp(-(a**2)),
    "sqrt(1 + a²)": lambda a: np.sqrt(1 + a**2),
    "log(1 + a²)": lambda a: np.log(1 + a**2),
    "log1p(exp)": lambda a: np.log1p(np.exp(a)),
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "abs": np.abs,
    "relu": lambda a: np.maximum(a, 0),
    "leaky": lambda a: np.where(a > 0, a, 0.1 * a),
    "clip": lambda a: np.clip(a, -0.5, 0.7),
    "copysign": lambda a: np.copysign(a, -1.0),
    "arctan": np.arctan,
    "cbrt(2 + sin)": lambda a: np.cbrt(2 + np.sin(a)),
    "interp": lambda a: np.interp(a, [-1.0, 0.0, 1.0], [0.0, 1.0, 3.0]),
    "hypot": lambda a: np.hypot(a, 1.2),
    "mod": lambda a: np.mod(a, 0.7),
    "T": lambda a: a.T,
    "ravel": np.ravel,
    "[None]": lambda a: a[None],
    "[..., None]": lambda a: a[..., None],
    "flip": np.flip,
    "atleast_2d": np.atleast_2d,
    "squeeze": np.squeeze,
    "repeat": lambda a: np.repeat(a, 2),
    "sum": np.sum,
    "mean": np.mean,
    "norm": lambda a: np.sqrt(np.sum(a**2) + 0.1),
}

OF_AN_ARRAY: Mapping[str, Operation] = {
    "sum of rows": lambda a: np.sum(a, axis=-1),
    "sum, kept": lambda a: np.sum(a, axis=0, keepdims=True),
    "mean of columns": lambda a: np.mean(a, axis=0),
    "max": lambda a: np.max(a, axis=-1, keepdims=True),
    "min": lambda a: np.min(a, axis=0),
    "prod": lambda a: np.prod(a, axis=-1),
    "var": lambda a: np.var(a, axis=0),
    "std": lambda a: np.std(np.concatenate([a, 1 + 2 * a]), axis=0),
    "centred": lambda a: a - a.mean(axis=-1, keepdims=True),
    "normalised": lambda a: (a - a.mean(axis=0)) / np.sqrt(a.var(axis=0) + 0.1),
    "softmax": lambda a: np.exp(a) / np.exp(a).sum(axis=-1, keepdims=True),
    "shifted softmax": lambda a: (e := np.exp(a - a.max(axis=0))) / e.sum(axis=0),
    "logsumexp": lambda a: np.log(np.sum(np.exp(a), axis=-1)),
    "cumsum": lambda a: np.cumsum(a, axis=0),
    "cumprod": lambda a: np.cumprod(a, axis=-1),
    "sort": lambda a: np.sort(a, axis=-1),
    "median": lambda a: np.median(a, axis=0),
    "diff": lambda a: np.diff(np.concatenate([a, a**2])),
    "roll": lambda a: np.roll(a, 1, axis=0),
    "pad": lambda a: np.pad(a, 1),
    "stack": lambda a: np.stack([a, 2 * a]),
    "concatenate": lambda a: np.concatenate([a, np.sin(a)], axis=-1),
    "a[0]": lambda a: a[0],
    "a[::-1]": lambda a: a[::-1],
    "a[..., -1]": lambda a: a[..., -1],
    "a[[0, 0, -1]]": lambda a: a[np.array([0, 0, -1])],
    "a[a > 0]": lambda a: a[a > 0],
    "tril": lambda a: np.tril(np.atleast_2d(a)),
    "diag": lambda a: np.diag(a.ravel()),
    "outer": lambda a: np.outer(a, a),
    "aᵀa": lambda a: a.T @ a,
    "trace": lambda a: np.trace(np.atleast_2d(a)),
    "filled": lambda a: _filled(a),
    "masked": lambda a: _masked(a),
}

OF_TWO: Mapping[str, Operation] = {
    "a + b": lambda a, b: a + b,
    "a - b": lambda a, b: a - b,
    "a * b": lambda a, b: a * b,
    "a / (1 + b²)": lambda a, b: a / (1 + b**2),
    "(a - b)²": lambda a, b: (a - b) ** 2,
    "a * exp(b)": lambda a, b: a * np.exp(b),
    "maximum": np.maximum,
    "minimum": np.minimum,
    "where": lambda a, b: np.where(a > b, a, 2 * b),
    "clip by": lambda a, b: np.clip(a, b, b + 1),
    "hypot by": lambda a, b: np.hypot(a, b + 2),
    "logaddexp": np.logaddexp,
    "matmul": lambda a, b: a @ b,
    "matmul, turned": lambda a, b: a @ b.T,
    "inner": lambda a, b: np.einsum("...i,...i->...", a, b),
    "einsum": lambda a, b: np.einsum("ij,ij->i", a, b),
    "kron": lambda a, b: np.kron(a.ravel(), b.ravel()),
}

RESULTS: Mapping[str, Operation] = {
    "sum": np.sum,
    "mean of squares": lambda a: np.mean(a**2),
    "weighted": lambda a: np.sum(a * np.cos(a)),
}


def _filled(a: Any) -> Any:
    result = np.zeros(a.shape)
    for k in range(len(a)):
        result[k] = a[k] * (k + 1)
    return result


def _counting(a: Any) -> Any:
    total = 0.0
    for k in range(9):
        total = total + np.exp(-a * k / 9) * np.where(a > k / 19, np.sin(a * (k / 7)), a / (k + 2) ** 2)
    return np.sum(total)


def _masked(a: Any) -> Any:
    result = 2 * a
    result[result < 0] = 0
    return result


@dataclass(frozen=True)
class Drawn:
    """A program: operations, each with the numbers of the values that it takes, the arguments being the first."""

    arguments: Mapping[str, Array]
    steps: Sequence[tuple[str, Operation, tuple[int, ...]]]
    result: str
    also: int

    def __call__(self, **arguments: Any) -> Any:
        values = [arguments[name] for name in self.arguments]
        for _, operation, places in self.steps:
            values.append(operation(*[values[k] for k in places]))
        return RESULTS[self.result](values[-1]) + np.mean(values[self.also])

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in self.arguments.items())
        return "; ".join([shapes, *(f"{name} of {places}" for name, _, places in self.steps), self.result])


def drawn(random: Random) -> Drawn:
    """A program of three to eight operations."""
    rng = np.random.default_rng(random.getrandbits(32))
    lengths = [1, random.randint(1, 3), random.randint(2, 4)]
    arguments = {
        name: rng.normal(size=[random.choice(lengths) for _ in range(random.randint(0, 2))])
        for name in "abc"[: random.randint(1, 3)]
    }
    values: list[Any] = [*arguments.values()]
    steps: list[tuple[str, Operation, tuple[int, ...]]] = []
    wanted = random.randint(3, 8)
    while len(steps) < wanted:
        table = random.choice([OF_ONE, OF_AN_ARRAY, OF_TWO])
        name = random.choice([*table])
        places = tuple(_recent(random, len(values)) for _ in range(2 if table is OF_TWO else 1))
        if table is OF_AN_ARRAY and not values[places[0]].shape:
            continue
        try:
            with np.errstate(all="ignore"):
                value = table[name](*[values[k] for k in places])
        except (ValueError, IndexError, AttributeError):
            continue  # it does not fit these shapes
        if 0 < np.size(value) <= LARGEST and np.max(np.abs(value)) < 100:
            steps.append((name, table[name], places))
            values.append(np.asarray(value))
    return Drawn(arguments, steps, random.choice([*RESULTS]), random.randrange(len(values)))


def _recent(random: Random, count: int) -> int:
    return max(random.randrange(count), random.randrange(count))


def differences(function: Operation, arguments: Mapping[str, Array], name: str) -> tuple[Array, float]:
    """The gradient by one argument from central differences of two widths, and how far these are apart."""

    def at(width: float) -> Array:
        found = np.zeros(arguments[name].shape)
        for place in np.ndindex(found.shape):
            up, down = arguments[name].copy(), arguments[name].copy()
            up[place] += width
            down[place] -= width
            found[place] = (function(**{**arguments, name: up}) - function(**{**arguments, name: down})) / (2 * width)
        return found

    wide, narrow = at(2e-4), at(1e-4)
    return (4 * narrow - wide) / 3, float(np.max(np.abs(wide - narrow), initial=0.0))


def holds(function: Operation, arguments: Mapping[str, Array]) -> bool:
    """Asserts that what is derived and what is exported are right; False where the differences themselves are not."""
    references = {name: differences(function, arguments, name) for name in arguments}
    value = float(function(**arguments))
    size = max([1.0, abs(value), *(np.max(np.abs(x), initial=0.0) for x, _ in references.values())])
    if not size < 1e4 or any(apart > 1e-4 * size for _, apart in references.values()):
        return False
    derivation = bp.derive(function, dict(arguments), wrt=[*arguments])
    trace = bp.run(derivation)
    result, gradients = _exported(derivation, trace)
    for found in (trace[str(derivation.result.symbol)], result):
        assert np.shape(found) == ()
        assert found == pytest.approx(value, rel=1e-11, abs=1e-13)
    assert gradients.keys() == arguments.keys()
    for name, (reference, _) in references.items():
        derived = trace[f"d{name}"]
        assert np.shape(derived) == np.shape(gradients[name]) == reference.shape
        np.testing.assert_allclose(derived, reference, rtol=0, atol=1e-7 * size)
        np.testing.assert_allclose(gradients[name], derived, rtol=1e-10, atol=1e-12 * size)
    return True


def _exported(derivation: Derivation, trace: bp.Trace) -> tuple[Any, Mapping[str, Any]]:
    inputs = program(derivation).inputs
    return compiled(derivation)(*(trace[str(x.symbol)] for x in inputs))


@pytest.mark.parametrize("seed", range(PROGRAMS))
def test_a_program_drawn_at_random(seed: int) -> None:
    random = Random(seed)
    for _ in range(20):
        function = drawn(random)
        if holds(function, function.arguments):
            return
    pytest.fail("differences are of no use for twenty programs in a row")


GIVEN = {"a": np.array([[0.3, -1.2, 0.8], [1.1, 0.4, -0.6]])}
FOUND: Mapping[str, tuple[Operation, Mapping[str, Array]]] = {
    "the square of a root": (lambda a: np.sum(np.std(a, axis=0) ** 2), GIVEN),
    "an einsum that stretches an axis": (
        lambda a, b: np.sum(np.einsum("...i,...i->...", a, b) ** 2),
        {**GIVEN, "b": np.array([[0.5, 2.0, -1.0]])},
    ),
    "an einsum that stretches what it sums": (
        lambda a, b: np.sum(np.einsum("ij,ij->i", a, b) ** 2),
        {**GIVEN, "b": np.array([[0.5], [2.0]])},
    ),
    "an einsum that stretches a vector beside a matrix": (
        lambda a, b: np.sum(np.einsum("ij,j->i", a, b) ** 2),
        {**GIVEN, "b": np.array([0.5])},
    ),
    "ones that stretch a factor": (
        lambda b: (s := np.sum(b, axis=0, keepdims=True)) @ np.ones(1) + np.sum(b * s) + np.mean(np.kron(b, s)),
        {"b": np.array([0.5, 0.4, -1.0, 2.0])},
    ),
    "a derivative of zeros and ones": (
        lambda b, c: np.sum(np.clip(b.ravel(), c, c + 1)) + np.sin(b.ravel()[0]),
        {"b": np.array(0.5), "c": np.array(0.2)},
    ),
    "a mask that selects nothing": (lambda a: np.sum(_masked(a**2 + 1)), GIVEN),
    "an index that selects nothing": (lambda a: np.sum(a[a > 5]) + np.sum(a**2), GIVEN),
    "an index of nothing": (lambda a: np.sum(a[np.array([], int)]) + np.sum(a**2), GIVEN),
    "infinity in a mask": (lambda a: np.sum(np.exp(a[:, :2] + np.array([[0, -np.inf], [0, 0]])) ** 2), GIVEN),
    "another number in each step": (lambda a: _counting(a), GIVEN),
    "softmax over one entry": (lambda a: np.sum((np.exp(a) / np.exp(a).sum(axis=-1)) ** 2), {"a": np.array([0.3])}),
}
"""Programs that were wrong once."""


@pytest.mark.parametrize("format", ["text", "markdown", "latex", "html", "json"])
@pytest.mark.parametrize(("function", "arguments"), FOUND.values(), ids=FOUND)
def test_a_program_that_was_wrong_is_written(function: Operation, arguments: Mapping[str, Array], format: Any) -> None:
    assert bp.render(bp.derive(function, dict(arguments), wrt=[*arguments]), format, expand=True)


@pytest.mark.parametrize(("function", "arguments"), FOUND.values(), ids=FOUND)
def test_a_program_that_was_wrong(function: Operation, arguments: Mapping[str, Array]) -> None:
    assert holds(function, arguments)
