"""How the arrays of a step lie in memory: in panels as wide as a vector.

One axis of each array is that of the lanes; it is cut into panels, and within a panel the rows lie one after the other.
What is behind the last entry of that axis is 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from backproof.emit.native.kernels import Plan, axes, bare, lengths
from backproof.emit.step import Step
from backproof.ir.node import Node
from backproof.ir.sizes import Size
from backproof.ops.row import Array

ALIGNED = 64
"""In bytes: how arrays begin, so that no vector lies across two lines of the cache."""
PERIOD, APART = 4096, 512
"""In bytes: what lies whole periods apart meets in the same lines of the cache; panels that would are so far apart."""
MEMORY = "memory"
"""The name of the memory that a step keeps to itself, beside those of its data."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an array lies.

    base    what it is in: one of the data, by its name, or the memory of the step
    start   after how many numbers it begins
    rows    how many rows a panel has, and as many more as keep panels from meeting in the cache
    panels  how many panels there are
    width   how wide these are
    """

    base: str
    start: int
    rows: int
    panels: int
    width: int

    @property
    def entries(self) -> int:
        """How many numbers it takes."""
        return self.rows * self.panels * self.width

    def packed(self, array: Array) -> Array:
        """The entries of an array [lanes, rows], or of several, in the order in which they lie here."""
        *several, lanes, rows = array.shape
        whole = np.zeros((*several, self.panels * self.width, self.rows), array.dtype)
        whole[..., :lanes, :rows] = array
        return whole.reshape(*several, self.panels, self.width, self.rows).swapaxes(-1, -2).ravel()

    def unpacked(self, numbers: Array, lanes: int, rows: int) -> Array:
        """The array [lanes, rows] of the entries that lie here."""
        whole = numbers.reshape(self.panels, self.rows, self.width).swapaxes(1, 2).reshape(-1, self.rows)
        return whole[:lanes, :rows]


@dataclass(frozen=True, slots=True)
class _Form:
    """How an array lies in its place: its shape, how long its lanes and rows are, and whether the rows come first."""

    place: Place
    shape: tuple[int, ...]
    lanes: int
    rows: int
    is_turned: bool


class Memory:
    """The places of all arrays of a step.

    places   by the array and the axis of its lanes
    entries  how many numbers the memory holds that is kept from step to step
    """

    def __init__(self, step: Step, sizes: Mapping[str, int], plan: Plan, size: int, width: int) -> None:
        self._sizes, self._plan, self._size, self._width = sizes, plan, size, width
        self.places: dict[tuple[Node, Size | None], Place] = {}
        self._forms: dict[Node, _Form] = {}
        self.entries = 0
        for node in step.data:
            self.places[node, plan.lane(node)] = self._place(node, plan.lane(node), str(node.symbol), 0)
        for node in step.state:
            self._reserve(node, plan.lane(node))
        after = {bare(x): state for state, x in zip(step.state, step.after, strict=True)}
        for node, lane in plan.stored():
            state = after.get(node)
            if state is not None and (state, lane) in self.places:
                self.places[node, lane] = self.places[state, lane]  # what it becomes lies where it was
            elif (node, lane) not in self.places:
                self._reserve(node, lane)

    def of(self, node: Node) -> Place:
        """Where an array lies as it is given or computed."""
        return self.places[node, self._plan.lane(node)]

    def _reserve(self, node: Node, lane: Size | None) -> None:
        place = self._place(node, lane, MEMORY, self.entries)
        self.places[node, lane] = place
        whole = ALIGNED // self._size
        self.entries += -(-place.entries // whole) * whole

    def _place(self, node: Node, lane: Size | None, base: str, start: int) -> Place:
        """A place for an array; a single number takes a vector."""
        long, rows = self._lengths(node, lane)
        panels, line = -(-long // self._width), self._width * self._size
        if panels > 1 and rows * line % PERIOD == 0:
            rows += APART // line
        return Place(base, start, rows, panels, self._width)

    def _lengths(self, node: Node, lane: Size | None) -> tuple[int, int]:
        """How long the axis of the lanes is, and the other one; 1 for none."""
        long, rows = lengths(self._sizes, lane, next((size for size in axes(node) if size != lane), None))
        return long, rows

    def packed(self, node: Node, array: Array) -> Array:
        """An array, or several of them one after the other, in the order in which the entries lie."""
        form = self._form(node)
        several = array.shape[: array.ndim - len(node.shape)]
        found = array.reshape(*several, *((form.rows, form.lanes) if form.is_turned else (form.lanes, form.rows)))
        return form.place.packed(found.swapaxes(-1, -2) if form.is_turned else found)

    def unpacked(self, node: Node, memory: Array) -> Array:
        """An array out of the memory of a step, in its own shape."""
        form = self._form(node)
        place = form.place
        found = place.unpacked(memory[place.start : place.start + place.entries], form.lanes, form.rows)
        return (found.T if form.is_turned else found).reshape(form.shape).copy()

    def _form(self, node: Node) -> _Form:
        """How an array lies; found once, as a training asks for it again and again."""
        if node not in self._forms:
            own, lane = axes(node), self._plan.lane(node)
            is_turned = len(own) == 2 and own[0] != lane
            shape = tuple(lengths(self._sizes, *node.shape))
            self._forms[node] = _Form(self.of(node), shape, *self._lengths(node, lane), is_turned)
        return self._forms[node]
