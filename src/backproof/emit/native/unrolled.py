"""Steps of small networks, written out operation by operation: parameters in registers, samples in lanes.

What the interpreter does with arrays is done here with arrays of LLVM's values: an entry of a quantity that each sample
has its own of is a vector, with a sample in each lane; an entry of any other is a single number. Nothing is stored
between the first operation of a step and the last one of the next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial, reduce
from math import prod
from typing import Any

import numpy as np
from llvmlite import ir

from backproof.emit.entrywise import entry_of, is_entrywise
from backproof.emit.native import mathematics
from backproof.emit.native.arithmetic import LaneArithmetic
from backproof.emit.native.builder import Builder
from backproof.emit.native.kernels import ACROSS
from backproof.emit.native.lanes import FLOATS, Kind, Value
from backproof.emit.native.loops import INDEX, index, loop, next_batch
from backproof.emit.native.machine import Machine
from backproof.emit.native.regions import region_in_registers
from backproof.emit.regions import Region
from backproof.emit.scalars import UncoveredError, summed
from backproof.emit.step import Step
from backproof.ir.node import Node, ancestors
from backproof.ir.sizes import ONE, Size
from backproof.ops import leaves, linear, shaping, softmax
from backproof.ops.entries import row_of
from backproof.ops.row import Array, Row

Entries = np.ndarray[Any, Any]
"""An array of LLVM's values; the axis of the samples, which is that of the lanes, has length one."""

MOVED: frozenset[Row] = frozenset(
    {
        linear.transpose,
        linear.expand,
        shaping.squeeze,
        shaping.permute,
    }
)
"""Operations that only give entries other places: their meaning does that with values as well."""


def _width(samples: int, size: int, machine: Machine) -> int:
    whole = machine.lanes(size)
    while whole > 1 and whole // 2 >= samples:
        whole //= 2
    return whole


class Unrolled:
    """The module of a step. Raises UncoveredError for what there is no form of.

    ``run(data…, numbers, state, results, steps, batches)``: each of the data as batches of [entries, samples], the
    samples filled up to whole vectors; the numbers of each step one after the other, as are the entries of the state,
    and one result for each step. The data begin anew after as many steps as there are `batches`.
    """

    def __init__(self, step: Step, sizes: Mapping[str, int], size: int, machine: Machine) -> None:
        self._step, self._sizes, self._size = step, sizes, size
        self._samples = sizes[step.samples.name]
        self._width = _width(self._samples, size, machine)
        self._nodes = ancestors([step.result, *step.after])
        self._is_sum = {x: not self._is_wide(x) and any(map(self._is_wide, x.inputs)) for x in self._nodes}
        self._is_late: dict[Node, bool] = {}
        if step.others or not all(map(self._is_wide, step.data)):
            raise UncoveredError("data that are the same for all samples")
        for node in self._nodes:
            if node.shape.count(step.samples) > 1:
                raise UncoveredError("an array with two axes of the same size")
            if node.op in ACROSS and node.shape[node.attrs["axis"]] == step.samples:
                raise UncoveredError(f"the operation {node.op.name} along the samples")
            self._is_late[node] = any(self._is_late[x] or self._is_sum[x] for x in node.inputs)
            if self._is_late[node] and self._is_wide(node):
                raise UncoveredError("statistics of a batch")

    @cached_property
    def module(self) -> ir.Module:
        """The module in LLVM's language."""
        self._module = ir.Module("step")
        self._write()
        return self._module

    @property
    def regions(self) -> list[Region]:
        """What the step does: all in one go."""
        return [region_in_registers(self._step, self._sizes)]

    @property
    def entries(self) -> int:
        """How many numbers the state holds."""
        return sum(map(self._entries, self._step.state))

    kept = entries

    constants: Sequence[tuple[int, Array]] = ()
    """What lies in the memory from the beginning on, and where."""

    def start(self, node: Node) -> int:
        """Where a part of the state begins."""
        return sum(map(self._entries, self._step.state[: self._step.state.index(node)]))

    def packed(self, node: Node, array: Array) -> Array:
        """An array, or several of them, in the order in which the entries lie."""
        if not self._is_wide(node):
            return array.ravel()
        axis = node.shape.index(self._step.samples) - len(node.shape)
        whole = -(-self._samples // self._width) * self._width
        filled = np.zeros((array.size // self._samples, whole), array.dtype)
        filled[:, : self._samples] = np.moveaxis(array, axis, -1).reshape(-1, self._samples)
        return filled.ravel()

    def unpacked(self, node: Node, memory: Array) -> Array:
        """A part of the state, in its own shape."""
        start = self.start(node)
        return memory[start : start + self._entries(node)].reshape(self._lengths(node)).copy()

    def _is_wide(self, node: Node) -> bool:
        return self._step.samples in node.shape

    def _lengths(self, node: Node) -> tuple[int, ...]:
        """The shape of an array of entries."""
        return tuple(1 if n in (ONE, self._step.samples) else self._length(n) for n in node.shape)

    def _length(self, size: Size) -> int:
        value = self._sizes.get(size.name, size.value)
        assert value is not None
        return value

    # --- the function

    def _write(self) -> None:
        step = self._step
        pointer = FLOATS[self._size].as_pointer()
        arguments = [pointer] * (len(step.data) + 3) + [INDEX, INDEX]
        function = ir.Function(self._module, ir.FunctionType(ir.VoidType(), arguments), "run")
        for argument in function.args[:-2]:
            argument.add_attribute("noalias")
        *data, numbers, state, results, steps, batches = function.args
        self._builder = Builder(function.append_basic_block("begin"))
        self._one = LaneArithmetic(self._builder, Kind(self._size))
        # Two vectors at once: what one of them waits for is hidden by the other.
        self._many, self._twice = (LaneArithmetic(self._builder, Kind(self._size, k * self._width)) for k in (1, 2))
        first = self._loaded(state, index(0), step.state)
        flat = [value for entries in first for value in entries.ravel()]
        shapes = [entries.shape for entries in first]

        def take(k: Value, carried: Sequence[Value]) -> Sequence[Value]:
            *values, batch = carried
            known = dict(zip(step.state, _split(values, shapes), strict=True))
            at = self._builder.mul(k, index(len(step.numbers)))
            known |= dict(zip(step.numbers, self._loaded(numbers, at, step.numbers), strict=True))
            done = self._taken(known, data, batch)
            self._builder.store(done[step.result].item(), self._builder.gep(results, [k]))
            new = [value for node in step.after for value in done[node].ravel()]
            return [*new, next_batch(self._builder, batch, batches)]

        *left, _ = loop(self._builder, steps, [*flat, index(0)], take, name="step")
        for k, value in enumerate(left):
            self._builder.store(value, self._builder.gep(state, [index(k)]))
        self._builder.ret_void()

    def _loaded(self, base: Value, at: Value, nodes: Sequence[Node]) -> list[Entries]:
        """The entries of nodes that lie one after the other."""
        found, k = [], 0
        for node in nodes:
            entries = np.empty(self._lengths(node), object)
            for place in np.ndindex(entries.shape):
                entries[place] = self._builder.load(self._builder.gep(base, [self._builder.add(at, index(k))]))
                k += 1
            found.append(entries)
        return found

    def _taken(self, known: dict[Node, Entries], data: Sequence[Value], batch: Value) -> dict[Node, Entries]:
        """All that a step computes."""
        whole = [
            x for x in self._nodes if not x.inputs or not (self._is_wide(x) or self._is_late[x] or self._is_sum[x])
        ]
        for node in whole:
            if node not in known and node not in self._step.data:
                known[node] = self._value(node, known)
        sums = [x for x in self._nodes if self._is_sum[x]]
        shapes = [self._lengths(x) for x in sums]
        width = self._width
        begin = [
            self._builder.mul(batch, index(self._entries(x) * -(-self._samples // width) * width))
            for x in self._step.data
        ]

        def block(lanes: LaneArithmetic, k: Value, carried: Sequence[Value], mask: Value | None = None) -> list[Value]:
            inner = dict(known)
            for node, base, at in zip(self._step.data, data, begin, strict=True):
                inner[node] = self._vectors(base, at, k, node, lanes)
            for node in self._nodes:
                if self._is_wide(node) and node not in inner:
                    inner[node] = self._value(node, inner, lanes)
            new: list[Value] = []
            before = _split(carried, shapes)
            for node, old in zip(sums, before, strict=True):
                new += list(self._added(node, inner, old, lanes, mask).ravel())
            return new

        found = [self._many.number(0) for shape in shapes for _ in range(prod(shape))]
        pairs, left = divmod(self._samples, 2 * width)
        if pairs > 2:
            several = partial(block, self._twice)
            found = loop(self._builder, index(pairs * 2 * width), found, several, name="samples", step=2 * width)
        else:
            for k in range(pairs):
                found = block(self._twice, index(k * 2 * width), found)
        full, rest = divmod(left, width)
        for k in range(full):
            found = block(self._many, index(pairs * 2 * width + k * width), found)
        if rest:
            lanes = [ir.Constant(ir.IntType(1), int(k < rest)) for k in range(width)]
            mask = ir.Constant(ir.VectorType(ir.IntType(1), width), lanes) if width > 1 else lanes[0]
            found = block(self._many, index(self._samples - rest), found, mask)
        for node, entries in zip(sums, _split(found, shapes), strict=True):
            known[node] = _each(self._many.sum, entries)
        for node in self._nodes:
            if self._is_late[node] and not self._is_wide(node) and node not in known:
                known[node] = self._value(node, known)
        return known

    def _halves(self, vector: Value) -> list[Value]:
        """The vectors that one is made of, if it is two."""
        if vector.type == self._many.kind.type:
            return [vector]
        number = ir.IntType(32)
        places = [[ir.Constant(number, k + first) for k in range(self._width)] for first in (0, self._width)]
        kind = ir.VectorType(number, self._width)
        return [self._builder.shuffle_vector(vector, vector, ir.Constant(kind, own)) for own in places]

    def _entries(self, node: Node) -> int:
        return prod(self._lengths(node))

    def _vectors(self, base: Value, begin: Value, k: Value, node: Node, lanes: LaneArithmetic) -> Entries:
        """The entries of one of the data for the samples from the k-th on."""
        entries = np.empty(self._lengths(node), object)
        length = -(-self._samples // self._width) * self._width
        wide = lanes.kind.type.as_pointer()
        for number, place in enumerate(np.ndindex(entries.shape)):
            at = self._builder.add(begin, self._builder.add(k, index(number * length)))
            pointer = self._builder.bitcast(self._builder.gep(base, [at]), wide)
            entries[place] = self._builder.load(pointer, align=self._size)
        return entries

    # --- operations

    def _added(
        self, node: Node, known: Mapping[Node, Entries], old: Entries, lanes: LaneArithmetic, mask: Value | None
    ) -> Entries:
        """A sum over the samples with those of one block added."""
        shown = partial(self._masked, mask=mask)
        axis = [x.shape.index(self._step.samples) if self._is_wide(x) else None for x in node.inputs]
        if node.op is linear.sum_:
            (x,) = node.inputs
            axes = [a % len(x.shape) for a in node.attrs["axes"]]
            entries = _each(shown, known[x])
            others = tuple(a for a in axes if a != axis[0])
            entries = self._summed(entries, others, lanes, keepdims=True)
            entries = entries if node.attrs["keepdims"] else np.squeeze(entries, tuple(axes))
            return _each(
                lambda before, x: reduce(self._many.add, self._halves(x), before), old, entries.reshape(old.shape)
            )
        if node.op is linear.matmul and len(node.shape) == 2:
            a, b = (known[x] for x in node.inputs)
            new = np.empty(old.shape, object)
            for i, j in np.ndindex(new.shape):
                new[i, j] = old[i, j]
                for first, second in zip(self._halves(shown(a[i, 0])), self._halves(b[0, j]), strict=True):
                    new[i, j] = self._many.fma(first, second, new[i, j])
            return new
        raise UncoveredError(f"{node.op.name} over the samples")

    def _masked(self, value: Value, mask: Value | None) -> Value:
        return value if mask is None else self._many.select(mask, value, self._many.number(0))

    def _value(self, node: Node, known: Mapping[Node, Entries], lanes: LaneArithmetic | None = None) -> Entries:
        """The entries of an operation; those that each sample has in the given lanes."""
        lanes = lanes or self._one
        inputs = [self._given(known[x], self._is_wide(x), lanes) for x in node.inputs]
        op, attrs = row_of(node), node.attrs
        if op in MOVED:
            return np.asarray(op.meaning(inputs[0], **attrs), dtype=object)
        if op is linear.stretch:
            return np.broadcast_to(inputs[0], self._lengths(node))
        if op is leaves.constant_:
            return _single(lanes.number(attrs["value"]))
        if op is leaves.size_:
            return _single(lanes.number(self._length(attrs["size"])))
        if op is linear.matmul and len(node.shape) == 2:
            return self._product(inputs[0], inputs[1], lanes)
        if op is linear.sum_:
            axes = tuple(a % len(node.inputs[0].shape) for a in attrs["axes"])
            return self._summed(inputs[0], axes, lanes, keepdims=attrs["keepdims"])
        if op in ACROSS:
            return self._softmax(inputs[0], attrs["axis"], lanes, logarithm=op is softmax.log_softmax)
        if is_entrywise(node):
            return _each(lambda *z: entry_of(node, z, lanes), *inputs)
        raise UncoveredError(f"the operation {node.op.name}")

    def _given(self, entries: Entries, is_wide: bool, lanes: LaneArithmetic) -> Entries:
        if is_wide or lanes is self._one:
            return entries
        return _each(lanes.splat, entries)

    def _product(self, a: Entries, b: Entries, lanes: LaneArithmetic) -> Entries:
        result = np.empty((a.shape[0], b.shape[1]), object)
        for i, j in np.ndindex(result.shape):
            value = lanes.mul(a[i, 0], b[0, j])
            for k in range(1, a.shape[1]):
                value = lanes.fma(a[i, k], b[k, j], value)
            result[i, j] = value
        return result

    def _summed(self, a: Entries, axes: tuple[int, ...], lanes: LaneArithmetic, *, keepdims: bool) -> Entries:
        if not axes:
            return a
        rest = [k for k in range(a.ndim) if k not in axes]
        moved = np.transpose(a, [*rest, *axes]).reshape([a.shape[k] for k in rest] + [-1])
        result = np.empty(moved.shape[:-1], object)
        for place in np.ndindex(result.shape):
            result[place] = summed(lanes, list(moved[place]))
        return np.expand_dims(result, axes) if keepdims else result

    def _softmax(self, z: Entries, axis: int, lanes: LaneArithmetic, *, logarithm: bool) -> Entries:
        axis %= z.ndim
        top = np.expand_dims(np.apply_along_axis(lambda x: _single(reduce(lanes.largest, x)), axis, z), axis)
        shifted = _each(lanes.sub, z, top.reshape(tuple(1 if k == axis else n for k, n in enumerate(z.shape))))
        e = _each(partial(mathematics.exp, lanes), shifted)
        total = self._summed(e, (axis,), lanes, keepdims=True)
        if logarithm:
            return _each(lanes.sub, shifted, _each(partial(mathematics.log, lanes), total))
        return _each(lanes.div, e, total)


def _single(value: Value) -> Entries:
    entries = np.empty((), object)
    entries[()] = value
    return entries


def _each(function: Callable[..., Value], *arrays: Entries) -> Entries:
    """A function of the entries at each place, the arrays broadcast."""
    arrays = tuple(np.broadcast_arrays(*arrays)) if len(arrays) > 1 else arrays
    result = np.empty(arrays[0].shape, object)
    for place in np.ndindex(result.shape):
        result[place] = function(*(a[place] for a in arrays))
    return result


def _split(values: Sequence[Value], shapes: Sequence[tuple[int, ...]]) -> list[Entries]:
    """Values one after the other as arrays of these shapes."""
    found, k = [], 0
    for shape in shapes:
        entries = np.empty(shape, object)
        for place in np.ndindex(shape):
            entries[place] = values[k]
            k += 1
        found.append(entries)
    return found
