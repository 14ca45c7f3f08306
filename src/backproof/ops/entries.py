"""Entry forms: the scalar expression of one entry of an array.

They are ordinary nodes of shape (), made of three rows that appear nowhere else (an entry, a sum over an index, a
Kronecker delta) and of the arithmetic of all other nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from backproof.ir.node import Node, ancestors
from backproof.ir.sizes import ONE, Computed, Index, Place, Shape, Size, affine, digit, letters_of, put
from backproof.ops.notation import Bare, Entry, Kronecker, Position, Reduction, Within
from backproof.ops.row import Array, Row

Places = tuple[Place, ...]
EntryOf = Callable[[Node, Places], Node]

NODE_LETTERS = "jkpqruvw"
SAMPLE_LETTERS = "ist"
FURTHER_LETTERS = "lgch"
"""For formulas of many axes; a network's sizes may be called like these."""


class LetterPool:
    """Index letters not yet in use: j, k, p, … for nodes and i, s, t, … for samples (the article's j and i first)."""

    def __init__(self, used: Iterable[Place] = ()) -> None:
        self._used = {index.letter for place in used for index in letters_of(place)}

    def fresh(self, size: Size) -> Index:
        """The next free letter for an axis of this size."""
        letters = SAMPLE_LETTERS if size.samples else NODE_LETTERS + FURTHER_LETTERS
        letter = next((x for x in letters if x not in self._used), None)
        if letter is None:
            count = sum(x.startswith(letters[0]) for x in self._used)
            letter = f"{letters[0]}{count}"
        self._used.add(letter)
        return Index(letter, size)

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Letters handed out inside are free again afterwards: the sums of separate terms may use the same ones."""
        before = set(self._used)
        yield
        self._used = before

    def place(self, shape: Shape) -> Places:
        """A fresh letter for every axis, None where the length is one."""
        return tuple(None if size == ONE else self.fresh(size) for size in shape)


def _scalar_only(*arrays: Array, **attrs: Any) -> Array:
    raise TypeError("entry forms are evaluated one entry at a time")


def _no_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    return node


def _entry_row(name: str, about: str, notation: Bare | Entry | Reduction | Kronecker | Position | Within) -> Row:
    return Row(name, "entry", about, _scalar_only, lambda shapes, attrs: (), notation, _no_entry)


at_ = _entry_row("at", "One entry of an array.", Entry())
sum_over_ = _entry_row("sum_over", "A sum over an index.", Reduction())
delta_ = _entry_row("delta", "Kronecker's delta: 1 where two indices agree, else 0.", Kronecker())
position_ = _entry_row("position", "A position on an axis, as a number.", Position())
within_ = _entry_row("within", "Whether positions lie between bounds: 1 or 0.", Within())
counted_ = _entry_row("counted", "A formula that is 0 where there is no entry at a position.", Bare())


def at(node: Node, place: Places) -> Node:
    """The entry of `node` at `place`."""
    return at_(node, place=place)


def sum_over(index: Index, body: Node) -> Node:
    """The sum of `body` over `index`."""
    return sum_over_(body, index=index)


def delta(left: Place, right: Place) -> Node:
    """1 where `left` and `right` are the same position, else 0."""
    return delta_(left=left, right=right)


def position_of(place: Place) -> Node:
    """A position as a number that formulas reckon with."""
    return position_(place=place)


@dataclass(frozen=True, eq=False)
class Looked(Computed):
    """A number in an array of whole ones, by its entry form; two that are written alike are equal."""

    entry: Node

    @cached_property
    def letters(self) -> tuple[Index, ...]:
        """Those of the places in it."""
        places = [p for x in ancestors([self.entry]) for p in positions_in(x)]
        return tuple(dict.fromkeys(letter for p in places for letter in letters_of(p)))

    def put(self, index: Index, position: Place) -> Place:
        """The number at another place."""
        return Looked(put_in(self.entry, index, position))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Looked) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        return _written(self.entry)


def _written(node: Node) -> str:
    """The same text for the same entry form."""
    array = node.inputs[0] if node.op is at_ else None
    inside = str(array.symbol or id(array)) if array is not None else ",".join(map(_written, node.inputs))
    attrs = ",".join(map(str, node.attrs["place"])) if array is not None else str(dict(node.attrs))
    return f"{row_of(node).name}({inside};{attrs})"


def looked_up(entry: Node, length: int, *, counted: bool) -> Place:
    """The position, from 1 on, that an entry of an array of places names on an axis.

    Places count from 0; unless they are `counted` from the front alone, negative ones count from the end.
    """
    found = Looked(entry)
    return affine([(1, found if counted else digit(affine([(1, found)], 1), 1, length))], 1)


Bounds = tuple[tuple[Place, int | None, int | None], ...]
"""Positions, each with the least and the greatest that it may be; None where every one will do."""


def lies_between(position: int | Fraction, least: int | None, most: int | None) -> bool:
    """Whether a number is a whole one between its bounds."""
    return position.denominator == 1 and (least is None or least <= position) and (most is None or position <= most)


def within(bounds: Bounds) -> Node:
    """Whether each position lies between its bounds."""
    return within_(bounds=bounds)


def counted(bounds: Bounds, value: Node) -> Node:
    """`value` where each position is a whole number between its bounds, else 0."""
    return counted_(value, bounds=bounds)


def positions_in(node: Node) -> Iterator[Place]:
    """The positions that an entry form names itself, not in what it is made of."""
    if node.op is at_:
        yield from node.attrs["place"]
    elif node.op is delta_:
        yield from (node.attrs["left"], node.attrs["right"])
    elif node.op is position_:
        yield node.attrs["place"]
    elif node.op in (within_, counted_):
        yield from (place for place, _, _ in node.attrs["bounds"])


def align(place: Places, shape: Shape) -> Places:
    """`place` as it falls on an array of `shape` that is broadcast."""
    return tuple(
        None if size == ONE else position
        for position, size in zip(place[len(place) - len(shape) :], shape, strict=True)
    )


def elementwise_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    """The entry rule of every element-wise row: the same operation on the entries at the same place."""
    return Node(node.op, tuple(entry(x, align(place, x.shape)) for x in node.inputs), (), node.attrs)


def terms_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    """The entry rule of sums and differences: as element-wise, each term with letters of its own."""
    terms = []
    for x in node.inputs:
        with letters.scope():
            terms.append(entry(x, align(place, x.shape)))
    return Node(node.op, tuple(terms), (), node.attrs)


def own_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    """The entry rule of a row whose places no letter can name: that entry of the result itself."""
    return at(node if node.symbol is None else Node(node.op, node.inputs, node.shape, node.attrs), place)


def entry_of(node: Node, place: Places, letters: LetterPool | None = None, *, opened: bool = True) -> Node:
    """The entry form of `node` at `place`, opened down to the nodes that have a symbol.

    With `opened` false a node that has a symbol is not opened either: its entry is just its name.
    """
    pool = letters or LetterPool(place)

    def entry(x: Node, at_place: Places) -> Node:
        if x.symbol is not None:
            return at(x, at_place)
        return row_of(x).entry(x, at_place, entry, pool)

    return row_of(node).entry(node, place, entry, pool) if opened else entry(node, place)


def put_in(node: Node, index: Index, position: Place) -> Node:
    """An entry form with a position put in for a running letter."""

    if node.op is at_:
        return at(node.inputs[0], tuple(put(p, index, position) for p in node.attrs["place"]))
    if node.op is delta_:
        return delta(put(node.attrs["left"], index, position), put(node.attrs["right"], index, position))
    if node.op is position_:
        return position_of(put(node.attrs["place"], index, position))
    if node.op in (within_, counted_):
        bounds = tuple((put(place, index, position), *ends) for place, *ends in node.attrs["bounds"])
        return within(bounds) if node.op is within_ else counted(bounds, put_in(node.inputs[0], index, position))
    if node.op is sum_over_ and node.attrs["index"] == index:
        return node  # inside, the letter is the sum's own
    return Node(node.op, tuple(put_in(x, index, position) for x in node.inputs), node.shape, node.attrs)


def row_of(node: Node) -> Row:
    """The row of the node's operation."""
    row = node.op
    if not isinstance(row, Row):
        raise TypeError(f"{row!r} is not a row of the rule table")
    return row
