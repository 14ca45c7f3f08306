"""The complex step, operation by operation: how a value moves when what it is computed from does.

At x + ih with h = 10⁻²⁰ the real part of every value is, to the last bit, what it is at x, and the imaginary part is so
small that it is proportional to h. So the real parts are computed once, and only the imaginary parts, over h, in every
way that is asked for: the tangents. No rule of a derivative is read: what an operation makes of a tangent is the
imaginary part that its NumPy meaning gives.

An element-wise operation multiplies all tangents with the same numbers, one at each place, which are measured once. A
sum or a matrix product is linear, so tangents go through it as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from backproof.checking.tangents import Tangent, added, at, everywhere, ranked, spread, stretched, turned
from backproof.execution.interpret import evaluate
from backproof.ir.node import Node, ancestors
from backproof.ops.arithmetic import common_shape
from backproof.ops.entries import row_of
from backproof.ops.linear import expand, matmul, stretch, sum_, transpose
from backproof.ops.row import Array
from backproof.ops.vectors import matvec

STEP = 1e-20
ASKED = 16
"""How many multiplications it takes to ask an operation's meaning for one number, roughly."""
IN_PRODUCT = 8
"""How many multiplications of a matrix product take as long as one by itself, roughly."""


class Carrier:
    """Carries tangents through the operations that a result is computed with.

    order   the nodes, each behind what its tangents come from
    values  what they all are
    work    how many multiplications it took so far, roughly
    """

    def __init__(self, result: Node, values: Mapping[Node, Array], sizes: Mapping[str, int]) -> None:
        self._sizes = sizes
        self._bodies: dict[Node, Node] = {}
        self._slopes: dict[tuple[Node, Node], Array | None] = {}
        self.values = dict(values)
        self.order: list[Node] = []
        self.work = 0
        for node in ancestors([result]):
            if row_of(node).body is not None:
                self._open(node)
            self.order.append(node)

    def inputs(self, node: Node) -> tuple[Node, ...]:
        """What the tangents of a node come from."""
        body = self._bodies.get(node)
        return node.inputs if body is None else (body,)

    def through(self, y: Node, tangents: Mapping[Node, Tangent]) -> Tangent | None:
        """How an operation's result moves; None where it does not."""
        moved = [x for x in dict.fromkeys(self.inputs(y)) if x in tangents]
        tangent = self._moved(y, moved, tangents) if moved else None
        self.work += 0 if tangent is None else tangent.array.size
        return tangent

    def _moved(self, y: Node, moved: Sequence[Node], tangents: Mapping[Node, Tangent]) -> Tangent | None:
        row, first = row_of(y), tangents[moved[0]]
        if y in self._bodies:
            return first
        if row.shape is common_shape:
            return self._element_wise(y, moved, tangents)
        if row in (matmul, matvec):
            return self._product(y, tangents)
        if row is transpose:
            return turned(first)
        if row is expand:
            axes = y.attrs["axes"]
            rest, rank = iter(first.places), len(y.shape)
            places = tuple(None if axis - rank in axes else next(rest) for axis in range(rank))
            return Tangent(np.expand_dims(first.array, axes), places)
        if row is sum_:
            axes, keepdims = y.attrs["axes"], y.attrs["keepdims"]
            rank = len(first.places)
            gone = {axis % rank for axis in axes}
            places = tuple(None if k in gone else p for k, p in enumerate(first.places) if keepdims or k not in gone)
            self.work += first.array.size
            return Tangent(np.sum(first.array, axis=tuple(k + 1 for k in gone), keepdims=keepdims), places)
        if row is stretch:
            return stretched(first, self.values[y].shape)
        return self._asked(y, moved, tangents)

    def _element_wise(self, y: Node, moved: Sequence[Node], tangents: Mapping[Node, Tangent]) -> Tangent | None:
        terms = []
        for x in moved:
            slope = self._slope(y, x)
            if slope is None:
                return self._asked(y, moved, tangents)
            if slope.ndim == 0 and slope == 0:
                continue
            tangent = stretched(tangents[x], self.values[y].shape)
            if slope.ndim:
                tangent = Tangent(at(slope, tangent.places) * tangent.array, tangent.places)
            elif slope != 1:
                tangent = Tangent(slope * tangent.array, tangent.places)
            terms.append(tangent)
        return added(terms, self.values[y].shape) if terms else None

    def _evaluated(self, y: Node, known: dict[Node, Array]) -> Array:
        """What an operation's meaning gives for values of its inputs."""
        return evaluate([y], known, self._sizes)[y]

    def _slope(self, y: Node, x: Node) -> Array | None:
        """What an element-wise operation multiplies a tangent of an input with, at each place of its result.

        One number where that is the same everywhere, None where it is infinite somewhere.
        """
        if (y, x) not in self._slopes:
            known = {z: self.values[z] for z in y.inputs}
            found = self._evaluated(y, {**known, x: known[x] + 1j * STEP})
            slope = np.broadcast_to(np.imag(found) / STEP, self.values[y].shape)
            if slope.size and np.all(slope == slope.flat[0]):
                slope = np.array(slope.flat[0])
            self._slopes[y, x] = slope if np.all(np.isfinite(slope)) else None
        return self._slopes[y, x]

    def _product(self, y: Node, tangents: Mapping[Node, Tangent]) -> Tangent:
        """How a matrix product, or one with a vector, moves with either factor."""
        (a, b), rank = y.inputs, len(y.shape)
        left, right = self.values[a], self.values[b]
        terms = []
        if row_of(y) is matvec:
            if a in tangents:
                term = self._times(tangents[a], left.shape, right[:, None], 2)
                terms.append(Tangent(term.array[..., 0], term.places[:1]))
            if b in tangents:
                t = tangents[b]
                term = self._times(Tangent(t.array[:, None], (None, *t.places)), (1, *right.shape), left.T, 2)
                terms.append(Tangent(term.array[:, 0], term.places[1:]))
        else:
            if a in tangents:
                terms.append(self._times(tangents[a], left.shape, right, rank))
            if b in tangents:
                left, right = np.swapaxes(left, -1, -2), np.swapaxes(right, -1, -2)
                term = self._times(turned(tangents[b]), right.shape, left, rank)
                terms.append(turned(term))
        return added(terms, self.values[y].shape)

    def _times(self, tangent: Tangent, shape: tuple[int, ...], other: Array, rank: int) -> Tangent:
        """A tangent times a matrix: of one that moves at one place of each row only one row of the matrix counts."""
        tangent = spread(tangent, shape, range(len(shape) - 2))
        row, place = tangent.places[-2:]
        array = ranked(tangent.array, rank)
        if place is not None:
            array = array * ranked(at(other, (*[None] * (other.ndim - 2), place, None)), rank)
        else:
            self.work += array.size * other.shape[-1] // IN_PRODUCT
            if other.ndim == 2:  # one product for all tangents
                array = (array.reshape(-1, other.shape[0]) @ other).reshape(*array.shape[:-1], other.shape[1])
            else:
                array = np.matmul(array, other)
        return Tangent(array, (*[None] * (rank - 2), row, None))

    def _asked(self, y: Node, moved: Sequence[Node], tangents: Mapping[Node, Tangent]) -> Tangent | None:
        """How any operation's result moves: its meaning is asked for every tangent."""
        known = {x: self.values[x] for x in y.inputs}
        known |= {x: known[x] + 1j * STEP * everywhere(tangents[x], known[x].shape) for x in moved}
        found = self._evaluated(y, known)
        shape = self.values[y].shape
        self.work += ASKED * max(array.size for array in known.values())
        if found.dtype.kind != "c":
            return None
        count = len(tangents[moved[0]].array)
        # What is infinite stays so; of complex numbers NumPy computes ∞·0 in its imaginary part.
        moving = np.where(np.isinf(np.real(found)), 0, np.imag(found)) / STEP
        return Tangent(np.broadcast_to(moving, (count, *shape)), (None,) * len(shape))

    def _open(self, node: Node) -> None:
        """Lets tangents go through what a composite is made of, unless that overflows where the composite does not."""
        body = row_of(node).body(*node.inputs, **node.attrs)  # type: ignore[misc]
        values = evaluate([body], {x: self.values[x] for x in node.inputs}, self._sizes)
        if np.allclose(values[body], self.values[node], rtol=1e-10, atol=1e-14):
            self.order += [x for x in ancestors([body]) if x not in self.values]
            self.values |= values
            self._bodies[node] = body
