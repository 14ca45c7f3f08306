"""The entries of values in LLVM's language: loaded, computed and stored."""

from __future__ import annotations

import math
from collections.abc import Sequence

from llvmlite import ir

from backproof.emit.entrywise import entry_of
from backproof.emit.native.arithmetic import LaneArithmetic
from backproof.emit.native.lanes import Kind, Value
from backproof.emit.native.loops import INDEX, index
from backproof.emit.native.strided import values as strided
from backproof.emit.native.strided.arguments import Arguments
from backproof.emit.native.strided.nests import Axis
from backproof.emit.native.strided.values import Applied, Loaded, Number


class Pointers:
    """The pointers that the function of a kernel is given: to arrays, and to the tables of those that have one."""

    def __init__(self, arguments: Arguments, function: ir.Function) -> None:
        self.number = arguments.number
        self.arrays: list[Value] = []
        self.tables: list[Value | None] = []
        given = iter(function.args)
        for x in arguments.arrays:
            self.arrays.append(next(given))
            self.tables.append(next(given) if x.table is not None else None)


class Entries:
    """The values at some places: one, or as many side by side as a vector has lanes."""

    def __init__(self, pointers: Pointers, lanes: LaneArithmetic, inner: Axis, offsets: Sequence[Value]) -> None:
        self._pointers, self._lanes, self._inner, self._offsets = pointers, lanes, inner, offsets
        self._one = LaneArithmetic(lanes.builder, Kind(lanes.kind.size))
        self._known: dict[int, Value] = {}
        self._loaded: dict[int, Value] = {}

    def value(self, x: strided.Value) -> Value:
        """The entries of a value."""
        if id(x) not in self._known:
            self._known[id(x)] = self._value(x)
        return self._known[id(x)]

    def _value(self, x: strided.Value) -> Value:
        match x:
            case Number(value=value):
                return self._lanes.number(value)
            case Loaded():
                return self.load(x)
            case Applied(node=node, inputs=inputs):
                return entry_of(node, [self.value(y) for y in inputs], self._lanes)

    def load(self, x: Loaded) -> Value:
        """Entries out of memory, or what was put there just now."""
        number = self._pointers.number(x)
        if number not in self._loaded:
            self._loaded[number] = self._load(x, number)
        return self._loaded[number]

    def _load(self, x: Loaded, number: int) -> Value:
        b, lanes = self._lanes.builder, self._lanes
        width, distance = lanes.kind.width, self._inner.distances[number]
        if width == 1 or (distance in (0, 1) and x.is_strided):
            pointer, is_there = self._address(x, number, 0)
            if width > 1 and distance == 1:
                return b.load(b.bitcast(pointer, lanes.kind.type.as_pointer()), align=self._lanes.kind.size)
            value = b.load(pointer)
            return lanes.splat(self._or_nan(value, is_there))
        found = ir.Constant(lanes.kind.type, ir.Undefined)
        for k in range(width):
            pointer, is_there = self._address(x, number, k)
            value = self._or_nan(b.load(pointer), is_there)
            found = b.insert_element(found, value, ir.Constant(ir.IntType(32), k))
        return found

    def _or_nan(self, value: Value, is_there: Value | None) -> Value:
        """What there is no entry for is no number."""
        return value if is_there is None else self._lanes.builder.select(is_there, value, self._one.number(math.nan))

    def store(self, x: Loaded, value: Value) -> None:
        """Puts entries where they belong."""
        b, width = self._lanes.builder, self._lanes.kind.width
        number = self._pointers.number(x)
        self._loaded[number] = value
        if width > 1 and self._inner.distances[number] == 1:
            pointer, _ = self._address(x, number, 0)
            b.store(value, b.bitcast(pointer, self._lanes.kind.type.as_pointer()), align=self._lanes.kind.size)
        elif width == 1:
            pointer, _ = self._address(x, number, 0)
            b.store(value, pointer)
        else:
            for k in range(width):
                pointer, _ = self._address(x, number, k)
                b.store(b.extract_element(value, ir.Constant(ir.IntType(32), k)), pointer)

    def _address(self, x: Loaded, number: int, lane: int) -> tuple[Value, Value | None]:
        """Where an entry lies, and whether there is one, if that is not sure."""
        b, kind = self._lanes.builder, self._lanes.kind
        at = self._offsets[number]
        if lane:
            at = b.add(at, index(lane * self._inner.distances[number]))
        table = self._pointers.tables[number]
        if table is not None:
            at = b.sext(b.load(b.gep(table, [at])), INDEX) if kind.size < 8 else b.load(b.gep(table, [at]))
        is_there: Value | None = None
        for lookup in x.lookups:
            told = self.value(lookup.value)
            if kind.width > 1:
                told = b.extract_element(told, ir.Constant(ir.IntType(32), lane))
            place = b.fptosi(self._one.intrinsic("rint", told), INDEX)
            below = b.icmp_signed("<", place, index(0))
            place = b.select(below, b.add(place, index(lookup.length)), place)
            fits = b.icmp_unsigned("<", place, index(lookup.length))
            at = b.add(at, b.mul(b.select(fits, place, index(0)), index(lookup.distance)))
            is_there = fits if is_there is None else b.and_(is_there, fits)
        return b.gep(self._pointers.arrays[number], [at]), is_there
