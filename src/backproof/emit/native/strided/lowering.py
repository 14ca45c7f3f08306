"""From a step to what is done with arrays, one thing after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import prod
from typing import Any

import numpy as np

from backproof.emit.entrywise import is_cheap, is_entrywise
from backproof.emit.native.strided.gathering import BACK, looked_up
from backproof.emit.native.strided.kernels import Entrywise, Kernel, Product, Reduction, Store, merged
from backproof.emit.native.strided.primitive import in_primitives
from backproof.emit.native.strided.products import leading
from backproof.emit.native.strided.values import (
    Applied,
    Buffer,
    Loaded,
    Number,
    Value,
    loaded,
    moved,
    moved_entries,
    stretched,
)
from backproof.emit.native.writer import NUMBERS
from backproof.emit.scalars import UncoveredError
from backproof.emit.step import Step
from backproof.ir.node import Node, ancestors
from backproof.ir.sizes import Size
from backproof.ops import arithmetic, leaves, linalg, linear, reductions, shaping
from backproof.ops.entries import row_of
from backproof.ops.row import Array, Row

MOST_READ = 10
"""Up to how many arrays are read for one that is not stored itself."""
FEW_READ = 3
"""The same for one that is read in several places."""
REDUCED = {linear.sum_: "sum", reductions.max_: "max", reductions.min_: "min"}
MOVED = (linear.stretch, linalg.diagonal)
"""Operations that only move entries, beside those that are called rearranging."""


class Lowered:
    """The kernels of a step in the order in which they run.

    data    where the data lie
    state   where the parts of the state lie
    result  where the result lies
    called  what that is called which has no name of its own: what becomes of the state

    Raises UncoveredError for what there is no kernel for.
    """

    def __init__(self, step: Step, sizes: Mapping[str, int]) -> None:
        self._sizes = sizes
        self.kernels: list[Kernel] = []
        self._known: dict[Node, Value] = {}
        self._outer = {*step.data, *step.numbers, *step.state}
        self._owner: dict[Buffer, Node] = {}
        self.data = [Buffer(self._count(node), f"data {k}") for k, node in enumerate(step.data)]
        for node, buffer in zip(step.data, self.data, strict=True):
            self._known[node] = self._whole(buffer, node)
        for k, node in enumerate(step.numbers):
            self._known[node] = self._whole(Buffer(1, NUMBERS, k), node)
        self.state = [Buffer(self._count(node)) for node in step.state]
        for node, buffer in zip(step.state, self.state, strict=True):
            self._known[node] = self._whole(buffer, node)
        result, *after = in_primitives([step.result, *step.after], self._lengths)
        self.called = {new: f"next {old.symbol}" for old, new in zip(step.state, after, strict=True)}
        nodes = ancestors([result, *after])
        self._uses = Counter([x for node in nodes for x in node.inputs] + [result, *after])
        self._delayed = self._terms(nodes)
        for node in nodes:
            if node not in self._known and node not in self._delayed:
                self._known[node] = self._computed(node)
        self.result = self._stored(self._value(result), result).buffer
        self._update(after)
        self.kernels = merged(self.kernels)

    # --- shapes

    def _lengths(self, shape: Sequence[Size]) -> tuple[int, ...]:
        found = []
        for size in shape:
            value = self._sizes.get(size.name, size.value)
            assert value is not None
            if not value:
                raise UncoveredError("an array without entries")
            found.append(value)
        return tuple(found)

    def _count(self, node: Node) -> int:
        return prod(self._lengths(node.shape))

    def _whole(self, buffer: Buffer, node: Node) -> Loaded:
        return Loaded(buffer, buffer.places.reshape(self._lengths(node.shape)))

    def _new(self, node: Node) -> Loaded:
        """A place for all of an array."""
        buffer = Buffer(self._count(node))
        self._owner[buffer] = node
        return self._whole(buffer, node)

    # --- what is computed

    def _value(self, node: Node) -> Value:
        """A value, computed if it was put off."""
        if node not in self._known:
            self._known[node] = self._computed(node)
        return self._known[node]

    def _computed(self, node: Node) -> Value:
        op = row_of(node)
        if op is leaves.constant_:
            return Number(float(node.attrs["value"]))
        if op is leaves.size_:
            return Number(float(self._lengths([node.attrs["size"]])[0]))
        if op is leaves.input_:
            return self._given(node)
        if is_entrywise(node):
            return self._entrywise(node)
        if op.kind == "rearranging" or op in MOVED:
            return self._joined(node) if op is shaping.concatenate else self._taken(node)
        if op in REDUCED:
            return self._reduced(node)
        if op is linear.matmul:
            return self._product(node, self._new(node), adds=False)
        if op is shaping.replace_:
            return self._replaced(node)
        if op in BACK:
            target = self._new(node)
            self._put(target, Number(0.0), node)
            return self._put_back(node, target)
        raise UncoveredError(f"the operation {node.op.name}")

    def _given(self, node: Node) -> Loaded:
        array = node.attrs.get("value")
        if array is None:
            raise UncoveredError(f"the input {node.symbol}")
        buffer = Buffer(self._count(node), given=np.asarray(array, dtype=float).ravel())
        return self._whole(buffer, node)

    def _entrywise(self, node: Node) -> Value:
        if row_of(node) is arithmetic.add:
            added = self._added(node)
            if added is not None:
                return added
        inputs = [self._value(x) for x in node.inputs]
        numbers = [x.value for x in inputs if isinstance(x, Number)]
        if len(numbers) == len(inputs):
            with np.errstate(all="ignore"):
                return Number(float(row_of(node).meaning(*map(np.float64, numbers), **node.attrs)))
        shape = self._lengths(node.shape)
        pairs = zip(node.inputs, inputs, strict=True)
        value = Applied(node, tuple(stretched(self._spread(x, value, shape), shape) for x, value in pairs), shape)
        is_shared = self._uses[node] > 1
        if value.reads > MOST_READ or (is_shared and (not is_cheap(node) or value.reads > FEW_READ)):
            return self._stored(value, node)
        return value

    def _spread(self, node: Node, value: Value, shape: tuple[int, ...]) -> Value:
        """A value that is to be repeated, and is not to be computed again each time."""
        return self._stored(value, node) if isinstance(value, Applied) and prod(shape) > prod(value.shape) else value

    def _added(self, node: Node) -> Loaded | None:
        """A sum one term of which is added where the other lies, if nobody else reads that."""
        first, second = node.inputs
        for x, term in ((first, second), (second, first)):
            if term in self._delayed and self._lengths(x.shape) == self._lengths(term.shape):
                place = self._value(x) if x in self._delayed else self._known[x]
                if isinstance(place, Loaded) and self._is_own(x, place):
                    self._owner[place.buffer] = node
                    is_product = term.op is linear.matmul
                    return self._product(term, place, adds=True) if is_product else self._put_back(term, place)
        return None

    def _is_own(self, node: Node, value: Loaded) -> bool:
        """Whether a value lies where it alone does, and only one operation reads it."""
        return value.is_whole and self._owner.get(value.buffer) is node and self._uses[node] == 1

    def _terms(self, nodes: Sequence[Node]) -> set[Node]:
        """What need not be computed before it is added to something else."""
        found = set()
        for node in nodes:
            if row_of(node) is arithmetic.add:
                found |= {x for x in node.inputs if self._uses[x] == 1 and (x.op is linear.matmul or row_of(x) in BACK)}
        return found

    def _stored(self, value: Value, node: Node) -> Loaded:
        """A value in memory, computed now if it is not there."""
        if isinstance(value, Loaded) and value.is_whole:
            return value
        return self._copied(value, node)

    def _copied(self, value: Value, node: Node) -> Loaded:
        target = self._new(node)
        self._put(target, value if isinstance(value, Number) else stretched(value, target.shape), node)
        self._known[node] = target
        return target

    def _update(self, after: Sequence[Node]) -> None:
        """Writes what becomes of the state where this lies, once nobody reads it any more."""
        left = {buffer: self._value(x) for buffer, x in zip(self.state, after, strict=True)}
        nodes = dict(zip(self.state, after, strict=True))
        apart: set[Buffer] = set()
        while left:
            for buffer, value in left.items():
                others = loaded(*(x for other, x in left.items() if other is not buffer))
                own = [x for x in loaded(value) if x.buffer is buffer]
                if all(x.buffer is not buffer for x in others) and all(x.is_whole for x in own):
                    break
            else:  # each is read by another: one of them is computed apart
                buffer = next(x for x in left if x not in apart)
                left[buffer] = self._copied(left[buffer], nodes[buffer])
                apart.add(buffer)
                continue
            whole = Loaded(buffer, buffer.places.reshape(self._lengths(nodes[buffer].shape)))
            if value not in own:
                self._put(whole, value, nodes[buffer])
            del left[buffer]

    def _put(self, target: Loaded, value: Value, node: Node, *, adds: bool = False) -> None:
        self.kernels.append(Entrywise(target.shape, [Store(target, value, adds)], [node]))

    # --- entries that move

    def _taken(self, node: Node) -> Value:
        """Entries of one array at other places, which further arrays may tell."""
        x = self._spread(node.inputs[0], self._value(node.inputs[0]), self._lengths(node.shape))
        if isinstance(x, Number):
            return x
        if len(node.inputs) > 1:
            return self._at(row_of(node), node, x, node.inputs[0], self._lengths(node.shape))
        found = moved(x, self._change(row_of(node), node))
        if row_of(node) is shaping.reshape and _has_tables(found) and not _has_tables(x):
            return moved(self._stored(x, node.inputs[0]), self._change(row_of(node), node))
        return found

    def _at(self, op: Row, node: Node, x: Value, own: Node, shape: tuple[int, ...]) -> Loaded:
        """The entries of an array at the places that the further arrays of an operation tell."""
        if not (isinstance(x, Loaded) and x.is_strided):
            x = self._stored(x, own)
        arrays = node.inputs[2:] if row_of(node) is shaping.replace_ else node.inputs[1:]
        if all(row_of(y) is leaves.input_ and "value" in y.attrs and y not in self._outer for y in arrays):
            known = [np.asarray(y.attrs["value"]) for y in arrays]
            change = self._change(op, node)
            return moved_entries(x, lambda places: change(places, *known))
        return looked_up(op, node.attrs, x, [self._value(y) for y in arrays], shape)

    def _put_back(self, node: Node, whole: Loaded) -> Loaded:
        """Adds what is put back where it was taken from."""
        op, _ = BACK[row_of(node)]
        shape = self._lengths(node.inputs[0].shape)
        if len(node.inputs) > 1:
            target = self._at(op, node, whole, node, shape)
        else:
            target = moved_entries(whole, self._change(op, node))
        self._put(target, self._value(node.inputs[0]), node, adds=True)
        return whole

    def _replaced(self, node: Node) -> Loaded:
        before, value, *arrays = node.inputs
        place = self._value(before)
        if isinstance(place, Loaded) and self._is_own(before, place):
            self._owner[place.buffer] = node
            whole: Loaded = place
        else:
            whole = self._new(node)
            self._put(whole, place, node)
        if arrays:
            target = self._at(shaping.index, node, whole, node, self._named_shape(node))
        else:
            target = moved_entries(whole, self._change(shaping.index, node))
        new = self._value(value)
        self._put(target, new if isinstance(new, Number) else stretched(new, target.shape), node)
        return whole

    def _named_shape(self, node: Node) -> tuple[int, ...]:
        before, _, *arrays = node.inputs
        return self._lengths(shaping.index.shape([x.shape for x in (before, *arrays)], node.attrs))

    def _joined(self, node: Node) -> Loaded:
        """Arrays one behind the other, each put at its place."""
        whole, axis, end = self._new(node), node.attrs["axis"], 0
        for x in node.inputs:
            begin, end = end, end + self._lengths(x.shape)[axis]
            part = np.moveaxis(np.moveaxis(whole.places, axis, 0)[begin:end], 0, axis)
            value = self._value(x)
            self._put(Loaded(whole.buffer, part), value, node)
        return whole

    def _change(self, op: Row, node: Node) -> Callable[..., Array]:
        """What an operation does to the places of entries."""
        own = row_of(node)
        names = BACK[own][1] if own in BACK else [name for name in node.attrs if name != "rank" or op is own]
        return partial(op.meaning, **{name: self._resolved(node.attrs[name]) for name in names})

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, Size):
            return self._lengths([value])[0]
        return tuple(map(self._resolved, value)) if isinstance(value, tuple) else value

    # --- sums and products

    def _reduced(self, node: Node) -> Value:
        x, kind = self._value(node.inputs[0]), REDUCED[row_of(node)]
        inner = self._lengths(node.inputs[0].shape)
        over = frozenset(axis % len(inner) for axis in node.attrs["axes"])
        if isinstance(x, Number):
            return Number(x.value * prod(inner[axis] for axis in over) if kind == "sum" else x.value)
        target = self._new(node)
        shape = tuple(1 if axis in over else n for axis, n in enumerate(inner))
        places = np.broadcast_to(target.places.reshape(shape), inner)
        self.kernels.append(Reduction(Loaded(target.buffer, places), x, over, kind, [node]))
        return target

    def _product(self, node: Node, target: Loaded, *, adds: bool) -> Loaded:
        left, right = (self._matrix(self._value(x), x) for x in node.inputs)
        self.kernels.append(Product(target, left, right, adds, [node]))
        return target

    def _matrix(self, x: Value, node: Node) -> Loaded:
        """A factor that lies row by row or column by column."""
        if isinstance(x, Loaded) and x.is_strided and leading(x) is not None:
            return x
        return self._stored(x, node)


def _has_tables(x: Value) -> bool:
    return any(y.table is not None for y in loaded(x))
