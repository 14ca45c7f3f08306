"""Where one entry comes from: the entry form of its equation, with the values put in, term by term."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from backproof.execution.interpret import evaluate, length
from backproof.ir.errors import BackproofError
from backproof.ir.node import Node, ancestors
from backproof.ir.numbers import digits
from backproof.ir.sizes import ONE, Affine, Digit, Index, Place
from backproof.ops.arithmetic import add, mul, neg, sub
from backproof.ops.complexes import real
from backproof.ops.elementary import pieces
from backproof.ops.entries import (
    Looked,
    at,
    at_,
    counted_,
    delta_,
    entry_of,
    lies_between,
    position_,
    put_in,
    row_of,
    sum_over_,
    within_,
)
from backproof.ops.leaves import constant_, input_, is_number, size_
from backproof.ops.row import Array

Values = Mapping[str, Array]


@dataclass(frozen=True, slots=True, eq=False)
class EntryValue:
    """One entry of a quantity and its value; `place` counts from 1 and has as many numbers as the array has axes."""

    name: str
    place: tuple[int, ...]
    value: complex
    node: Node

    def __str__(self) -> str:
        return f"{self.name}[{','.join(map(str, self.place))}]" if self.place else self.name


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """One term of the sum: its formula with numbers for indices, its value, and the entries that stand in it."""

    formula: Node
    value: complex
    entries: tuple[EntryValue, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """An entry, the formula that it is computed by (None for an input), and the terms that add up to it.

    Each entry in a term can be explained in turn, down to the inputs.
    """

    entry: EntryValue
    formula: Node | None
    terms: tuple[Term, ...]

    def __str__(self) -> str:
        head = f"{self.entry} = {digits(self.entry.value)}"
        if self.formula is None:
            return f"{head} is given"
        lines = [f"{head}, the sum of {len(self.terms)} terms:" if len(self.terms) > 1 else f"{head}, from:"]
        for term in self.terms:
            lines.append(f"  {digits(term.value)} from " + ", ".join(f"{e} = {digits(e.value)}" for e in term.entries))
        return "\n".join(lines)


def explain(node: Node, place: tuple[int, ...], values: Values, sizes: Mapping[str, int]) -> Explanation:
    """Where the entry of a named node at `place` (from 1) comes from. Raises BackproofError outside the array."""
    where = _full_place(node, place, sizes)
    reader = Reader(values, sizes)
    entry = reader.entry(at(node, where))
    if node.op is input_:
        return Explanation(entry, None, ())
    formula = entry_of(node, where)
    terms = tuple(
        Term(term, _of_kind(reader.value(term), entry.value), tuple(reader.entries(term)))
        for term in reader.terms(formula)
        if not reader.vanishes(term)
    )
    return Explanation(entry, formula, terms)


def _of_kind(value: complex, entry: complex) -> complex:
    """A term's value: a plain number where the entry that it is a part of is one; no negative zeros."""
    return complex(value) + 0.0 if isinstance(entry, complex) else float(np.real(value)) + 0.0


def _full_place(node: Node, place: tuple[int, ...], sizes: Mapping[str, int]) -> tuple[Place, ...]:
    """The place on every axis; axes of length one may be left out."""
    shape = node.shape
    if not all(isinstance(k, int | np.integer) for k in place):
        raise BackproofError(f"{list(place)} is not a place", instead="give whole numbers: row, column")
    long_axes = [size for size in shape if size != ONE]
    if len(place) == len(long_axes) < len(shape):
        given = iter(place)
        place = tuple(1 if size == ONE else next(given) for size in shape)
    lengths = [length(size, sizes) for size in shape]
    if shape and not place:
        raise BackproofError(
            f"no entry of {node.symbol} is named",
            where=f"its shape is {' × '.join(map(str, lengths))}",
            instead=f"say which, counted from 1: {node.symbol}[{','.join('1' for _ in shape)}]",
        )
    if len(place) != len(shape) or any(not 1 <= k <= n for k, n in zip(place, lengths, strict=True)):
        raise BackproofError(
            f"{node.symbol} has no entry {list(place)}",
            where=f"its shape is {' × '.join(map(str, lengths)) or 'that of a single number'}",
            instead="rows and columns are counted from 1",
        )
    return tuple(None if size == ONE else k for size, k in zip(shape, place, strict=True))


class Reader:
    """Reads values out of entry forms."""

    def __init__(self, values: Values, sizes: Mapping[str, int]) -> None:
        self._values, self._sizes = values, sizes
        self._computed: dict[Node, Array] = {}

    def entry(self, node: Node) -> EntryValue:
        (array,) = node.inputs
        place = tuple(int(self.position(p)) for p in node.attrs["place"])
        name = str(array.symbol) if array.symbol is not None else row_of(array).name
        value = self._array(array)[tuple(k - 1 for k in place)]
        return EntryValue(name, place, (complex(value) if np.iscomplexobj(value) else float(value)) + 0.0, array)

    def position(self, place: Place) -> int | Fraction:
        """The number that a position without letters is; where there is none such, it may be a fraction."""
        match place:
            case None:
                return 1
            case Affine(terms, offset, divisor):
                return Fraction(offset + sum(factor * self.position(single) for factor, single in terms), divisor)
            case Digit(position, step, length):
                found = (self.position(position) - 1) // step
                return found if length is None else found % length
            case Looked(entry):
                return round(self.value(entry).real)
        return int(place)  # type: ignore[arg-type]  # a letter is none

    def _hold(self, node: Node) -> bool:
        """Whether each of the positions that a condition names is a whole number between its bounds."""
        return all(lies_between(self.position(place), *ends) for place, *ends in node.attrs["bounds"])

    def vanishes(self, term: Node) -> bool:
        """Whether a factor of a product says that its places do not meet, or that there is no such place."""
        if term.op is delta_:
            return not self.value(term)
        if term.op is counted_:
            return not self._hold(term)
        return is_number(term, 0) or (term.op is mul and any(map(self.vanishes, term.inputs)))

    def _array(self, array: Node) -> Array:
        """The values of a quantity, or of an operation without a name, computed from the quantities in it."""
        if self._is_known(array):
            return self._values[str(array.symbol)]
        if array not in self._computed:
            within = ancestors([array], stop=self._is_known)
            known = {x: np.asarray(self._values[str(x.symbol)]) for x in within if self._is_known(x)}
            self._computed[array] = evaluate([array], known, self._sizes)[array]
        return self._computed[array]

    def _is_known(self, node: Node) -> bool:
        return node.symbol is not None and str(node.symbol) in self._values

    def entries(self, node: Node) -> Iterator[EntryValue]:
        """The entries that stand in a formula, each once, sums written out."""
        seen: set[str] = set()
        stack = [node]
        while stack:
            x = stack.pop()
            if x.op is at_:
                entry = self.entry(x)
                if str(entry) not in seen:
                    seen.add(str(entry))
                    yield entry
            elif x.op is pieces:
                stack.append(self._chosen(x))
            elif x.op is not counted_ or self._hold(x):
                stack.extend(reversed([*self.expanded(x)] if x.op is sum_over_ else x.inputs))

    def _chosen(self, node: Node) -> Node:
        """The piece that counts: the others may stand for places that there are not."""
        *parts, otherwise = node.inputs
        return next((x for x, when in zip(parts[::2], parts[1::2], strict=True) if self.value(when)), otherwise)

    def value(self, node: Node) -> complex:
        if node.op is at_:
            return self.entry(node).value
        if node.op is sum_over_:
            return sum(self.value(term) for term in self.expanded(node))
        if node.op is delta_:
            return float(self.position(node.attrs["left"]) == self.position(node.attrs["right"]))
        if node.op is position_:
            return float(self.position(node.attrs["place"]))
        if node.op is within_:
            return float(self._hold(node))
        if node.op is counted_:
            return self.value(node.inputs[0]) if self._hold(node) else 0.0
        if node.op is pieces:
            return self.value(self._chosen(node))
        if node.op is size_:
            return float(length(node.attrs["size"], self._sizes))
        if node.op is constant_:
            value: complex = node.attrs["value"]
            return value if isinstance(value, complex) else float(value)
        with np.errstate(all="ignore"):
            inputs = [np.asarray(self.value(x)) for x in node.inputs]
            return complex(row_of(node).meaning(*inputs, **node.attrs))

    def expanded(self, node: Node) -> Iterator[Node]:
        """The terms of a sum over an index, with the numbers put in for it."""
        index: Index = node.attrs["index"]
        for number in range(1, length(index.size, self._sizes) + 1):
            yield put_in(node.inputs[0], index, number)

    def terms(self, node: Node) -> Iterator[Node]:
        """The terms that a formula adds up, sums written out; factors in front are multiplied into each."""
        if node.op in (add, sub):
            first, second = node.inputs
            yield from self.terms(first)
            for term in self.terms(second):
                yield term if node.op is add else neg(term)
        elif node.op is counted_:
            yield from self.terms(node.inputs[0]) if self._hold(node) else ()
        elif node.op is real:
            for term in self.terms(node.inputs[0]):
                yield real(term)
        elif node.op is neg and node.inputs[0].op is sum_over_:
            for term in self.terms(node.inputs[0]):
                yield neg(term)
        elif node.op is mul and node.inputs[1].op is sum_over_:
            for term in self.terms(node.inputs[1]):
                yield mul(node.inputs[0], term)
        elif node.op is sum_over_:
            for term in self.expanded(node):
                yield from self.terms(term)
        else:
            yield node
