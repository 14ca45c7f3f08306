"""The gradient check: every entry of every gradient against a second opinion that reads no rule.

The complex step (Squire & Trapp, SIAM Review 40(1), 1998) evaluates J at x + ih with h = 10⁻²⁰; the imaginary part over
h is the derivative to machine precision, since nothing is subtracted. Central differences are taken at two steps and
combined (Richardson), which leaves an error of order h⁴.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Literal

import numpy as np

from backproof.checking.report import Judgement, Report, Verdict
from backproof.execution.interpret import evaluate
from backproof.execution.trace import Trace
from backproof.ir.errors import DataError
from backproof.ir.node import Node, ancestors
from backproof.ops.entries import row_of
from backproof.ops.row import Array
from backproof.ops.scalar import ScalarRow

Method = Literal["complex", "central"]

COMPLEX_STEP = 1e-20
CENTRAL_STEP = 1e-3
TOLERANCE: Mapping[str, float] = {"complex": 1e-9, "central": 1e-6}
CHUNK = 2**21
"""How many numbers the largest array of one batch of perturbed evaluations may hold."""


def check_gradients(trace: Trace, *, method: Method = "complex", tolerance: float | None = None) -> Report:
    """Compares each gradient of a trace with the complex step or with central differences of J.

    An entry's error is its difference over the larger of both values, but at least over 10⁻⁶ of the largest entry of
    its gradient: where a sum cancels to almost nothing, its rounding has the size of its terms. `tolerance` is 1e-9 for
    the complex step and 1e-6 for central differences unless given.

    Entries whose perturbation crosses a kink (relu at 0) are counted and not compared.
    Raises DataError if J is not finite.
    """
    (result,) = trace.derivation.graph.outputs
    if not np.isfinite(trace[str(result.symbol)]):
        raise DataError(
            f"{result.symbol} is {trace[str(result.symbol)]}",
            why="usual causes are an overflow, and the logarithm of an output that is not positive",
            instead="choose a loss that fits the last activation, smaller weights or scaled data",
        )
    limit = TOLERANCE[method] if tolerance is None else tolerance
    perturb = _Perturbation(trace, method)
    rounding = _Rounding(trace)
    verdicts = []
    excused: list[str] = []
    for name, node in trace.derivation.gradients.items():
        symbol = str(node.symbol)
        reference, kinks = perturb.gradient(name)
        if node.symbol is not None and node.symbol.of == "L":
            # A derivative of the summed losses, from which the mean's factor was left out.
            reference = reference / trace.mean_factor
        errors = _errors(trace[symbol], reference, kinks)
        if (errors[~kinks] > limit).any():
            allowed = np.maximum(rounding.of(symbol), perturb.noise)
            lost = (errors > limit) & (np.abs(trace[symbol] - reference) <= allowed)
            if lost.any():
                excused.append(f"{symbol} ({int(lost.sum())})")
            errors = np.where(lost, 0.0, errors)
        verdicts.append(_judge(symbol, trace[symbol], reference, errors, kinks, limit))
    samples = trace.sizes.get("m", 0)
    notes = list(perturb.notes())
    if excused:
        notes.append(
            f"Entries of {', '.join(excused)} differ from the reference, but by no more than the rounding of the "
            "values that they are computed from explains, as of 1 − a² where a is almost 1."
        )
    return Report(tuple(verdicts), method, limit, samples, tuple(notes))


def _errors(derived: Array, reference: Array, kinks: Array) -> Array:
    """The relative error of every entry; infinite where a value is not finite."""
    scale = float(np.max(np.abs(reference[~kinks]), initial=0.0))
    size = np.maximum(np.maximum(np.abs(derived), np.abs(reference)), 1e-6 * scale)
    with np.errstate(invalid="ignore", divide="ignore"):
        errors = np.where(derived == reference, 0.0, np.abs(derived - reference) / size)
    return np.where(np.isfinite(derived) & np.isfinite(reference), errors, np.inf)


def _judge(symbol: str, derived: Array, reference: Array, errors: Array, kinks: Array, limit: float) -> Verdict:
    ranked = np.where(kinks, -1.0, errors)
    worst = np.unravel_index(int(np.argmax(ranked)), ranked.shape)
    judgement: Judgement = "right" if ranked[worst] <= limit else "wrong"
    if kinks.all() or np.isinf(ranked[worst]):
        judgement = "not comparable"
    return Verdict(
        symbol,
        derived.shape,
        tuple(int(k) + 1 for k in worst),
        float(derived[worst]),
        float(reference[worst]),
        float(max(ranked[worst], 0.0)),
        int(kinks.sum()),
        judgement,
    )


class _Rounding:
    """How far the gradients move when every forward value moves by one rounding: what no formula can do better than.

    A wrong gradient does not move more than a right one, so this excuses rounding and nothing else.
    """

    DRAWS = 8

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    @cached_property
    def _moved(self) -> dict[str, Array]:
        derivation, rng = self._trace.derivation, np.random.default_rng(0)
        backward = {str(step.symbol): step.node for step in derivation.backward}
        forward = {step.node: self._trace[str(step.node.symbol)] for step in derivation.forward}
        # The backward pass names the forward step as it was before a rewriting, so both stand for the value.
        forward |= {step.raw: self._trace[str(step.node.symbol)] for step in derivation.forward}
        given = {node: self._trace[str(node.symbol)] for node in derivation.graph.inputs}
        # Against values computed here and not against the trace's, which are what is being judged.
        still = evaluate(backward.values(), {**given, **forward}, self._trace.sizes)
        moved = {name: np.zeros_like(still[node]) for name, node in backward.items()}
        for _ in range(self.DRAWS):
            known = {
                node: value * (1 + np.finfo(value.dtype).eps * rng.choice([-1.0, 1.0], value.shape))
                for node, value in forward.items()
            }
            values = evaluate(backward.values(), {**given, **known}, self._trace.sizes)
            for name, node in backward.items():
                with np.errstate(invalid="ignore"):
                    moved[name] = np.fmax(moved[name], np.abs(values[node] - still[node]))
        return moved

    def of(self, name: str) -> Array:
        """Some times the largest movement seen of each entry: the reference and its terms are rounded too."""
        return 16 * self._moved[name]


class _Perturbation:
    """Evaluations of J with one entry of one input moved, many at a time."""

    def __init__(self, trace: Trace, method: Method) -> None:
        self._trace, self._method = trace, method
        (self._result,) = (step.node for step in trace.derivation.forward if not step.node.shape)
        self._order = ancestors([self._result])
        self._inputs = {str(node.symbol): node for node in trace.derivation.graph.inputs}
        self._values = evaluate([self._result], {node: trace[name] for name, node in self._inputs.items()}, trace.sizes)

    def gradient(self, name: str) -> tuple[Array, Array]:
        """The derivative of J by every entry of an input, and a mask of the entries that a kink spoils."""
        node = self._inputs[name]
        base = self._values[node]
        # What does not depend on the input is computed once; the rest again for every perturbed copy.
        moved = {node}
        for x in self._order:
            if any(y in moved for y in x.inputs):
                moved.add(x)
        fixed = {x: value for x, value in self._values.items() if x not in moved}
        widest = max(self._values[x].size for x in moved)
        gradient = np.empty(base.size)
        kinks = np.zeros(base.size, dtype=bool)
        for entries in _chunks(base.size, max(1, CHUNK // widest)):
            if self._method == "complex":
                j = self._at(node, base, entries, 1j * COMPLEX_STEP, fixed)[self._result]
                gradient[entries] = np.imag(j) / COMPLEX_STEP
            else:
                gradient[entries], kinks[entries] = self._central(node, base, entries, fixed, moved)
        return gradient.reshape(base.shape), kinks.reshape(base.shape)

    def _at(
        self, node: Node, base: Array, entries: Array, step: complex | Array, fixed: Mapping[Node, Array]
    ) -> dict[Node, Array]:
        copies = np.repeat(base.ravel()[None].astype(np.result_type(base, step)), len(entries), axis=0)
        copies[np.arange(len(entries)), entries] += step
        return evaluate([self._result], {**fixed, node: copies.reshape(len(entries), *base.shape)}, self._trace.sizes)

    def _central(
        self, node: Node, base: Array, entries: Array, fixed: Mapping[Node, Array], moved: set[Node]
    ) -> tuple[Array, Array]:
        steps = CENTRAL_STEP * np.maximum(1.0, np.abs(base.ravel()[entries]))
        sides = [self._at(node, base, entries, s * steps, fixed) for s in (1.0, -1.0, 0.5, -0.5)]
        up, down, half_up, half_down = (side[self._result] for side in sides)
        wide, narrow = (up - down) / (2 * steps), (half_up - half_down) / steps
        crossed = np.zeros(len(entries), dtype=bool)
        for x in self._order:
            row = row_of(x)
            if x in moved and isinstance(row, ScalarRow):
                above, below = (row.scalar.kinks(*(side[y] for y in x.inputs)) for side in sides[:2])
                for a, b in zip(above, below, strict=True):
                    differs = np.sign(a) != np.sign(b)
                    crossed |= (
                        np.broadcast_to(differs, (len(entries), *differs.shape[1:]))
                        .reshape(len(entries), -1)
                        .any(axis=1)
                    )
        return (4 * narrow - wide) / 3, crossed

    @property
    def noise(self) -> float:
        """The rounding of a reference value: the complex step subtracts nothing, a difference loses J's last digits."""
        if self._method == "complex":
            return 0.0
        return float(8 * np.finfo(float).eps * np.max(np.abs(self._values[self._result])) / CENTRAL_STEP)

    def notes(self) -> Iterator[str]:
        """What a reader should know: values that lie exactly on a kink, where the derivative is a choice."""
        for x in self._order:
            row = row_of(x)
            if isinstance(row, ScalarRow) and row.scalar.specified:
                on = sum(int(np.sum(edge == 0)) for edge in row.scalar.kinks(*(self._values[y] for y in x.inputs)))
                if on:
                    yield (
                        f"{on} entries of {x.symbol or 'the loss'} lie exactly on a kink of {row.name}; there the "
                        "derivative is a choice, and the second opinion takes the same side."
                    )


def _chunks(total: int, size: int) -> Iterator[Array]:
    for start in range(0, total, size):
        yield np.arange(start, min(total, start + size))
