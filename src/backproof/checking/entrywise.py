"""Derivatives by every entry, by the complex step: every entry is moved, and how it moves the result is computed.

Two things make that fast. An entry of a weight moves one row of what the weight is multiplied with, so only that row is
carried. And where everything goes through one value, as through the Z of a layer, an entry is only followed to there:
how that value's entries move the result need be known once for all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from backproof.checking.carrying import Carrier
from backproof.checking.tangents import Tangent, at, everywhere, single
from backproof.ir.node import Node
from backproof.ops.row import Array

CHUNK = 2**16
"""How many numbers the largest tangents of one batch may hold: they are to stay near the processor."""


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """What lies between two values: the operations, each with the values that are not needed behind it.

    work    how many multiplications it takes to follow one entry, roughly
    widest  how many numbers the largest tangent on the way holds
    """

    start: Node
    end: Node
    steps: tuple[tuple[Node, tuple[Node, ...]], ...]
    work: int = 0
    widest: int = 1


class Entrywise:
    """The derivatives of a result by entries of what it is computed from."""

    def __init__(self, result: Node, carrier: Carrier) -> None:
        self._result, self._carrier = result, carrier
        self._position = {x: k for k, x in enumerate(carrier.order)}
        self._last = {x: y for y in carrier.order for x in carrier.inputs(y)}
        self._known_ways: dict[tuple[Node, bool], Way] = {}
        # The derivatives of one number by all entries of values that everything goes through.
        self._by_all: dict[Node, Array] = {}
        if carrier.values[result].size == 1:
            self._by_all[result] = np.ones(carrier.values[result].shape)

    def by(self, node: Node, entries: Array) -> Array:
        """The derivatives by some entries of a node: for each an array of the result's shape."""
        shape = self._carrier.values[self._result].shape
        if node is self._result:
            return everywhere(single(entries, self._carrier.values[node]), shape)
        if node not in self._last:
            return np.zeros((len(entries), *shape))
        ways, _ = self._ways(node, len(entries), self._by_all)
        for way in ways[:0:-1]:
            base = self._carrier.values[way.start]
            self._by_all[way.start] = self._met(way, np.arange(base.size)).reshape(base.shape)
        (way, *_) = ways
        if way.end in self._by_all and np.isfinite(self._by_all[way.end]).all():
            return self._met(way, entries).reshape(len(entries), *shape)
        return np.concatenate([everywhere(end, shape) for end in self._batches(self._way(node, whole=True), entries)])

    def work(self, counts: Mapping[Node, int]) -> int:
        """How many multiplications the derivatives by so many entries of each node take, roughly."""
        known, total = {*self._by_all}, 0
        for node, count in counts.items():
            if node in self._last:
                ways, work = self._ways(node, count, known)
                known.update(way.start for way in ways[1:])
                total += work
        return total

    def _ways(self, node: Node, count: int, known: Collection[Node]) -> tuple[list[Way], int]:
        """From one value that all goes through to the next, up to one that is known, or at once; and the work."""
        work = 0
        if known:
            ways = [self._way(node)]
            while ways[-1].end not in known:
                ways.append(self._way(ways[-1].end))
            work = count * ways[0].work + sum(self._carrier.values[way.start].size * way.work for way in ways[1:])
            if work <= count * sum(way.work for way in ways):  # at once it takes no less than that
                return ways, work
        whole = self._way(node, whole=True)
        at_once = count * whole.work
        return (ways, work) if known and work <= at_once else ([whole], at_once)

    def _way(self, node: Node, *, whole: bool = False) -> Way:
        """The way to the next value that everything goes through, or to the result."""
        if (node, whole) not in self._known_ways:
            moving: set[Node] = {node}
            steps: list[tuple[Node, tuple[Node, ...]]] = []
            for y in self._carrier.order[self._position[node] + 1 :]:
                inputs = dict.fromkeys(self._carrier.inputs(y))
                if moving.isdisjoint(inputs):
                    continue
                done = tuple(x for x in inputs if x in moving and self._last[x] is y)
                moving.difference_update(done)
                moving.add(y)
                steps.append((y, done))
                if len(moving) == 1 and not whole:
                    break
            before = self._carrier.work
            way = Way(node, steps[-1][0], tuple(steps))
            _, widest = self._carried(way, np.zeros(1, dtype=int))
            self._known_ways[node, whole] = replace(way, work=self._carrier.work - before, widest=widest)
        return self._known_ways[node, whole]

    def _met(self, way: Way, entries: Array) -> Array:
        """The derivatives of one number by entries, from those by the entries of the value that they all go through."""
        by_all = self._by_all[way.end]
        found = []
        for tangent in self._batches(way, entries):
            terms = tangent.array * at(by_all, tangent.places)
            found.append(terms.reshape(len(terms), -1).sum(axis=1))
        return np.concatenate(found)

    def _batches(self, way: Way, entries: Array) -> Iterator[Tangent]:
        """The tangents at the end of a way, of as many entries at a time as there is room for."""
        count = max(1, CHUNK // way.widest)
        for start in range(0, len(entries), count):
            yield self._carried(way, entries[start : start + count])[0]

    def _carried(self, way: Way, entries: Array) -> tuple[Tangent, int]:
        """The tangents at the end of a way, and how many numbers the largest on the way hold."""
        tangents = {way.start: single(entries, self._carrier.values[way.start])}
        widest = 1
        for y, done in way.steps:
            tangent = self._carrier.through(y, tangents)
            if tangent is not None:
                tangents[y] = tangent
                widest = max(widest, tangent.array.size)
            for x in done:
                tangents.pop(x, None)
        if way.end in tangents:
            return tangents[way.end], widest
        shape = self._carrier.values[way.end].shape
        return Tangent(np.zeros((len(entries), *shape)), (None,) * len(shape)), widest
