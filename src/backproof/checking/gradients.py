"""The gradient check: every entry of every gradient against a second opinion that reads no rule.

The complex step (Squire & Trapp, SIAM Review 40(1), 1998) evaluates J at x + ih with h = 10⁻²⁰; the imaginary part over
h is the derivative to machine precision, since nothing is subtracted. For all entries together that takes about as long
as some backward passes (`entrywise` says how). Central differences are taken at two steps and
combined (Richardson), which leaves an error of order h⁴.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Literal

import numpy as np

from backproof.checking.carrying import Carrier
from backproof.checking.entrywise import Entrywise
from backproof.checking.report import Judgement, Report, Verdict
from backproof.checking.rounding import DRAWS, RoundedCarrier, movements, rounded_values
from backproof.derivation.derivation import Jacobian
from backproof.execution.interpret import evaluate, length
from backproof.execution.trace import Trace
from backproof.ir.errors import DataError
from backproof.ir.node import Node, ancestors
from backproof.ops.complexes import complex_nodes, modulus
from backproof.ops.entries import row_of
from backproof.ops.linear import matmul
from backproof.ops.reductions import max_, min_
from backproof.ops.row import Array
from backproof.ops.scalar import ScalarRow

Method = Literal["complex", "central"]

CENTRAL_STEP = 1e-3
TOLERANCE: Mapping[str, float] = {"complex": 1e-9, "central": 1e-6}
COMPLEX_QUANTITIES = (
    "Complex numbers stand between the arguments and the result. The complex step needs their place for itself, so "
    "central differences were taken."
)
CHUNK = 2**21
"""How many numbers the largest array of one batch of perturbed evaluations may hold."""
WORK = 15 * 10**9
"""How many multiplications a check takes on by itself: some seconds."""
ELEMENT = 16
"""How many multiplications of a matrix product take as long as an operation on one entry, roughly."""
FEWEST = 16
"""How many entries of a gradient are compared in any case."""


def check_gradients(
    trace: Trace, *, method: Method = "complex", tolerance: float | None = None, every: bool = False
) -> Report:
    """Compares each gradient of a trace with the complex step or with central differences of J.

    An entry's error is its difference over the larger of both values, but at least over 10⁻⁶ of the largest entry of
    its gradient: where a sum cancels to almost nothing, its rounding has the size of its terms. What is beyond that is
    excused where the rounding of the values that either side is computed from explains it, and a note says so.
    `tolerance` is 1e-9 for the complex step and 1e-6 for central differences unless given.

    Where comparing all entries would take long, as with central differences, which cost some forward passes for each,
    entries are drawn at random, the same each time, and the verdict says how many; `every` compares them all.

    Entries whose perturbation crosses a kink (relu at 0) are counted and not compared.
    Raises DataError if J is not finite.
    """
    (result,) = trace.derivation.graph.outputs
    if not np.isfinite(trace[str(result.symbol)]).all():
        raise DataError(
            f"{result.symbol} is {trace[str(result.symbol)]}",
            why="usual causes are an overflow, and the logarithm of an output that is not positive",
            instead="choose a loss that fits the last activation, smaller weights or scaled data",
        )
    if method == "complex" and _is_complex(trace):
        report = check_gradients(trace, method="central", tolerance=tolerance, every=every)
        return replace(report, notes=(COMPLEX_QUANTITIES, *report.notes))
    limit = TOLERANCE[method] if tolerance is None else tolerance
    perturb = _Perturbation(trace, method)
    rounding = _Rounding(trace)
    most = None if every else _affordable(trace, perturb)
    rng = np.random.default_rng(0)
    verdicts = []
    excused: list[str] = []
    for name, node in trace.derivation.gradients.items():
        symbol = str(node.symbol)
        derived = np.asarray(trace[symbol])
        chosen = np.arange(derived.size)
        if most is not None and derived.size > most:
            chosen = np.sort(rng.choice(derived.size, most, replace=False))
        reference, kinks = perturb.gradient(name, chosen)
        # A derivative of the summed losses is one from which the mean's factor was left out.
        share = trace.mean_factor if node.symbol is not None and node.symbol.of == "L" else 1.0
        reference = reference / share
        values = derived.ravel()[chosen]
        errors = _errors(values, reference, kinks)
        off = np.flatnonzero((errors > limit) & ~kinks)
        off = off[np.argsort(-errors[off], kind="stable")]
        lost = 0
        # The largest error first: what rounding does not explain is wrong, whatever the smaller ones are.
        for part in _growing(len(off)):
            some = off[part]
            allowed = np.maximum(rounding.of(symbol).ravel()[chosen[some]], perturb.noise)
            allowed += perturb.rounding(name, chosen[some]) / abs(share)
            explained = np.abs(values - reference)[some] <= allowed
            errors[some[explained]] = 0.0
            lost += int(explained.sum())
            if not explained.all():
                break
        if lost:
            excused.append(f"{symbol} ({lost})")
        ranked = np.where(kinks, -1.0, errors)
        worst = int(np.argmax(ranked))
        judgement: Judgement = "right" if ranked[worst] <= limit else "wrong"
        if kinks.all() or np.isinf(ranked[worst]):
            judgement = "not comparable"
        verdicts.append(
            Verdict(
                symbol,
                derived.shape,
                len(chosen),
                tuple(int(k) + 1 for k in np.unravel_index(chosen[worst], derived.shape)),
                float(values[worst]),
                float(reference[worst]),
                float(max(ranked[worst], 0.0)),
                int(kinks.sum()),
                judgement,
            )
        )
    for jacobian in trace.derivation.jacobians:
        verdict, lost_entries = _whole(trace, jacobian, method, limit, rounding)
        verdicts.append(verdict)
        excused += [f"{jacobian.symbol} ({lost_entries})"] if lost_entries else []
    notes = list(perturb.notes())
    if excused:
        notes.append(
            f"Entries of {', '.join(excused)} differ from the reference, but by no more than the rounding of the "
            "values that both are computed from explains: as of 1 − a² where a is almost 1, or of terms that cancel."
        )
    return Report(tuple(verdicts), method, limit, trace.samples, tuple(notes))


def _whole(trace: Trace, jacobian: Jacobian, method: Method, limit: float, rounding: _Rounding) -> tuple[Verdict, int]:
    """The verdict on a Jacobian or a Hessian, and how many entries rounding excuses.

    Its columns are the derivatives of `of` by each entry of `by`.
    """
    values = np.asarray(trace[str(jacobian.symbol)])
    perturb = _Perturbation(trace, method, jacobian.of)
    count = math.prod(length(axis, trace.sizes) for axis in jacobian.by.shape)
    entries = np.arange(count)
    columns, kinks = perturb.gradient(str(jacobian.by.symbol), entries)
    reference = np.moveaxis(columns.reshape(count, -1), 0, -1).reshape(values.shape)
    spoiled = np.broadcast_to(kinks, (values.size // count, count)).reshape(values.shape)
    errors = np.where(spoiled, -1.0, _errors(values, reference, spoiled))
    lost = np.zeros(values.shape, dtype=bool)
    if (errors > limit).any():
        theirs = np.broadcast_to(perturb.rounding(str(jacobian.by.symbol), entries), columns.shape)
        allowed = np.maximum(np.reshape(rounding.of_all(jacobian), values.shape), perturb.noise)
        allowed = allowed + np.moveaxis(theirs.reshape(count, -1), 0, -1).reshape(values.shape)
        lost = (errors > limit) & (np.abs(values - reference) <= allowed)
        errors = np.where(lost, 0.0, errors)
    place = np.unravel_index(int(np.argmax(errors)), values.shape)
    judgement: Judgement = "right" if errors[place] <= limit else "wrong"
    if spoiled.all() or np.isinf(errors[place]):
        judgement = "not comparable"
    verdict = Verdict(
        str(jacobian.symbol),
        values.shape,
        values.size,
        tuple(int(k) + 1 for k in place),
        float(values[place]),
        float(reference[place]),
        float(max(errors[place], 0.0)),
        int(spoiled.sum()),
        judgement,
    )
    return verdict, int(lost.sum())


def affordable_samples(trace: Trace, method: Method = "complex") -> int:
    """On how many of a trace's samples every entry is compared in a few seconds; not fewer than eight of them."""
    perturb = _Perturbation(trace, "central" if _is_complex(trace) else method)
    return min(trace.samples, max(8, int(trace.samples * WORK / max(perturb.work(_sizes(trace)), 1))))


def _affordable(trace: Trace, perturb: _Perturbation) -> int | None:
    """How many entries of each gradient are compared in a few seconds; None for all."""
    sizes = _sizes(trace)
    most = whole = max(sizes.values(), default=0)
    while most > FEWEST and perturb.work({name: min(size, most) for name, size in sizes.items()}) > WORK:
        most = max(FEWEST, most // 2)
    return None if most == whole else most


def _sizes(trace: Trace) -> dict[str, int]:
    return {name: np.asarray(trace[name]).size for name in trace.derivation.gradients}


def _is_complex(trace: Trace) -> bool:
    return complex_nodes(ancestors([trace.derivation.result])) is not None


def _multiplications(node: Node, sizes: Mapping[str, int]) -> int:
    size = math.prod(length(axis, sizes) for axis in node.shape)
    if node.op is matmul:
        return size * length(node.inputs[0].shape[-1], sizes)
    return max(size, *(math.prod(length(axis, sizes) for axis in x.shape) for x in node.inputs)) * ELEMENT


def _depending(order: list[Node], node: Node) -> set[Node]:
    """A node and all that is computed from it."""
    found = {node}
    for x in order:
        if any(y in found for y in x.inputs):
            found.add(x)
    return found


def _errors(derived: Array, reference: Array, kinks: Array) -> Array:
    """The relative error of every entry; infinite where a value is not finite."""
    scale = float(np.max(np.abs(reference[~kinks]), initial=0.0))
    size = np.maximum(np.maximum(np.abs(derived), np.abs(reference)), 1e-6 * scale)
    with np.errstate(invalid="ignore", divide="ignore"):
        errors = np.where(derived == reference, 0.0, np.abs(derived - reference) / size)
    return np.where(np.isfinite(derived) & np.isfinite(reference), errors, np.inf)


class _Rounding:
    """How far the gradients move when every value moves by one rounding: the forward ones, and those on the way back.

    A wrong gradient does not move more than a right one, so this excuses rounding and nothing else.
    """

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    @cached_property
    def _given(self) -> dict[Node, Array]:
        return {node: self._trace[str(node.symbol)] for node in self._trace.derivation.graph.inputs}

    @cached_property
    def _forward(self) -> dict[Node, Array]:
        forward = self._trace.derivation.forward
        # The backward pass names the forward step as it was before a rewriting, so both stand for the value.
        return {node: self._trace[str(step.node.symbol)] for step in forward for node in (step.node, step.raw)}

    def _moved(
        self, nodes: Collection[Node], known: Mapping[Node, Array], forward: Mapping[Node, Array]
    ) -> list[Array]:
        # Against values computed here and not against the trace's, which are what is being judged.
        return movements(nodes, known, forward, self._trace.sizes)

    @cached_property
    def _backward(self) -> dict[str, Array]:
        nodes = {str(step.symbol): step.node for step in self._trace.derivation.backward}
        return dict(zip(nodes, self._moved(nodes.values(), self._given, self._forward), strict=True))

    def of(self, name: str) -> Array:
        """How far a gradient moves."""
        return self._backward[name]

    def of_all(self, jacobian: Jacobian) -> Array:
        """How far a Jacobian or a Hessian moves: its formula, or its product with every unit vector."""
        backward = self._trace.derivation.backward
        quantities = {**self._forward, **{step.node: self._trace[str(step.symbol)] for step in backward}}
        if jacobian.matrix is not None:
            (moved,) = self._moved([jacobian.matrix], self._given, quantities)
            return moved
        shape = tuple(length(axis, self._trace.sizes) for axis in jacobian.of.shape)
        units = np.eye(math.prod(shape)).reshape(-1, *shape)
        size = max(1, CHUNK // max(value.size for value in quantities.values()))
        rows = [
            self._moved([jacobian.image], {**self._given, jacobian.direction: units[part]}, quantities)[0]
            for part in _parts(len(units), size)
        ]
        return np.concatenate(rows)


class _Perturbation:
    """Evaluations of J, or of another quantity `of`, with one entry of one input moved, many at a time."""

    def __init__(self, trace: Trace, method: Method, of: Node | None = None) -> None:
        self._trace, self._method = trace, method
        self._result = trace.derivation.computed(of) if of is not None else trace.derivation.result
        self._order = ancestors([self._result])
        self._inputs = {str(node.symbol): node for node in trace.derivation.graph.inputs}
        self._values = evaluate([self._result], {node: trace[name] for name, node in self._inputs.items()}, trace.sizes)

    @cached_property
    def _entrywise(self) -> Entrywise:
        return Entrywise(self._result, Carrier(self._result, self._values, self._trace.sizes))

    def work(self, counts: Mapping[str, int]) -> int:
        """How many multiplications the derivatives by so many entries of each input take, roughly."""
        nodes = {self._inputs[name]: count for name, count in counts.items()}
        if self._method == "complex":
            return ELEMENT * self._entrywise.work(nodes)
        return sum(count * self._multiplications(node) for node, count in nodes.items())

    def _multiplications(self, node: Node) -> int:
        """How many multiplications one evaluation with an entry of an input moved takes."""
        return sum(_multiplications(x, self._trace.sizes) for x in _depending(self._order, node) if x.inputs)

    def gradient(self, name: str, chosen: Array) -> tuple[Array, Array]:
        """The derivative of the result by the chosen entries of an input, and a mask of those that a kink spoils.

        Of a result that is an array there is an array for each entry.
        """
        node = self._inputs[name]
        if self._method == "complex":
            return self._entrywise.by(node, chosen), np.zeros(len(chosen), dtype=bool)
        base = self._values[node]
        # What does not depend on the input is computed once; the rest again for every perturbed copy.
        moved = _depending(self._order, node)
        fixed = {x: value for x, value in self._values.items() if x not in moved}
        widest = max(self._values[x].size for x in moved)
        gradient = np.zeros((len(chosen), *np.shape(self._values[self._result])))
        if self._result not in moved:
            return gradient, np.zeros(len(chosen), dtype=bool)
        kinks = np.zeros(len(chosen), dtype=bool)
        for part in _parts(len(chosen), max(1, CHUNK // widest)):
            gradient[part], kinks[part] = self._central(node, base, chosen[part], fixed, moved)
        return gradient, kinks

    def rounding(self, name: str, chosen: Array) -> Array:
        """Some times how far the reference moves when every value on its way moves by one rounding.

        Where the terms that it adds up cancel, this has their size and not that of the sum. It is the complex step's:
        of differences, `noise` tells more. It reads nothing of the derivative that is judged.
        """
        if self._method != "complex":
            return np.zeros(())
        node = self._inputs[name]
        return np.asarray(16 * np.ptp([moved.by(node, chosen) for moved in self._rounded_entrywise], axis=0))

    @cached_property
    def _rounded_entrywise(self) -> list[Entrywise]:
        carriers = (
            RoundedCarrier(self._result, values, self._trace.sizes, draw)
            for draw, values in enumerate(self._rounded_values())
        )
        return [Entrywise(self._result, carrier) for carrier in carriers]

    def _rounded_values(self) -> Iterator[dict[Node, Array]]:
        """All values, a few times, each moved by one rounding."""
        given = {x: value for x, value in self._values.items() if not x.inputs}
        for draw in range(DRAWS):
            yield rounded_values(given, self._order, self._trace.sizes, draw)

    @staticmethod
    def _copies(base: Array, entries: Array, step: complex | Array) -> Array:
        """The array once for each of some entries, with that entry moved."""
        copies = np.repeat(base.ravel()[None].astype(np.result_type(base, step)), len(entries), axis=0)
        copies[np.arange(len(entries)), entries] += step
        return copies.reshape(len(entries), *base.shape)

    def _at(
        self, node: Node, base: Array, entries: Array, step: complex | Array, fixed: Mapping[Node, Array]
    ) -> dict[Node, Array]:
        copies = self._copies(base, entries, step)
        return evaluate([self._result], {**fixed, node: copies}, self._trace.sizes)

    def _central(
        self, node: Node, base: Array, entries: Array, fixed: Mapping[Node, Array], moved: set[Node]
    ) -> tuple[Array, Array]:
        steps = CENTRAL_STEP * np.maximum(1.0, np.abs(base.ravel()[entries]))
        sides = [self._at(node, base, entries, s * steps, fixed) for s in (1.0, -1.0, 0.5, -0.5)]
        up, down, half_up, half_down = (side[self._result] for side in sides)
        each = steps.reshape(-1, *[1] * (up.ndim - 1))
        wide, narrow = (up - down) / (2 * each), (half_up - half_down) / each
        crossed = np.zeros(len(entries), dtype=bool)
        for x in self._order:
            row = row_of(x)
            if x in moved and isinstance(row, ScalarRow):
                above, below = (row.scalar.kinks(*(side[y] for y in x.inputs)) for side in sides[:2])
                for a, b in zip(above, below, strict=True):
                    crossed |= _anywhere(np.sign(a) != np.sign(b), len(entries))
            if x in moved and row in (max_, min_):
                up_there, down_there = (_extremes(x, side) for side in sides[:2])
                crossed |= _anywhere(np.asarray(up_there != down_there), len(entries))
        return (4 * narrow - wide) / 3, crossed

    @cached_property
    def noise(self) -> float:
        """The rounding of a reference value: the complex step subtracts nothing, a difference loses J's last digits.

        Where J is a sum that cancels, these are the last digits of its terms.
        """
        if self._method == "complex":
            return 0.0
        lost = np.max(np.ptp([values[self._result] for values in self._rounded_values()], axis=0))
        own = 8 * np.finfo(float).eps * np.max(np.abs(self._values[self._result]))
        return float(max(own, 4 * lost) / CENTRAL_STEP)

    def notes(self) -> Iterator[str]:
        """What a reader should know: values that lie exactly on a kink, where the derivative is a choice."""
        for x in self._order:
            row = row_of(x)
            if row is modulus and (on := int(np.sum(self._values[x] == 0))):
                yield f"{on} complex numbers of which the modulus is taken are 0; there its derivative is set to 0."
            on = 0
            if isinstance(row, ScalarRow) and row.scalar.specified:
                on = sum(int(np.sum(edge == 0)) for edge in row.scalar.kinks(*(self._values[y] for y in x.inputs)))
            elif row in (max_, min_):
                on = int(np.sum(np.sum(_extremes(x, self._values), axis=x.attrs["axes"]) > 1))
            if on:
                yield (
                    f"{on} entries of {x.symbol or 'the loss'} lie exactly on a kink of {row.name}; there the "
                    "derivative is a choice, and the second opinion takes the same side."
                )


def _extremes(x: Node, values: Mapping[Node, Array]) -> Array:
    """Which entries are the largest or smallest that a node takes, but for rounding."""
    a, found = values[x.inputs[0]], values[x]
    if not x.attrs["keepdims"]:
        found = np.expand_dims(found, x.attrs["axes"])
    with np.errstate(invalid="ignore"):  # of what is −∞, as a logarithm, the distance is none
        return np.asarray(np.abs(a - found) <= 1e-9 * np.maximum(1.0, np.abs(found)))


def _anywhere(differs: Array, count: int) -> Array:
    """For each of so many copies whether something differs in it."""
    each: Array = np.any(np.broadcast_to(differs, (count, *differs.shape[1:])).reshape(count, -1), axis=1)
    return each


def _growing(total: int) -> Iterator[slice]:
    """Parts of a list, each eight times as long as the one before."""
    start, count = 0, 1
    while start < total:
        yield slice(start, start + count)
        start, count = start + count, 8 * count


def _parts(total: int, size: int) -> Iterator[slice]:
    for start in range(0, total, size):
        yield slice(start, start + size)
