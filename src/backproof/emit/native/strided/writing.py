"""The kernels of a step as functions in LLVM's language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from llvmlite import ir

from backproof.emit.entrywise import is_cheap
from backproof.emit.native.arithmetic import LaneArithmetic
from backproof.emit.native.builder import Builder
from backproof.emit.native.lanes import Kind, Value
from backproof.emit.native.loops import index, loop
from backproof.emit.native.strided.arguments import Arguments
from backproof.emit.native.strided.entries import Entries, Pointers
from backproof.emit.native.strided.kernels import Entrywise, Reduction
from backproof.emit.native.strided.nests import Axis, nest
from backproof.emit.native.strided.values import computed

FUNCTION = 15
"""About how many instructions a function or a division takes."""
AT_ONCE = 4
"""How many vectors are added up side by side, so that additions need not wait for each other."""


Offsets = list[Value]
Part = Callable[[LaneArithmetic, Value, int, Sequence[Value]], Sequence[Value]]
"""What is done for some entries: with which lanes, from which on, for how many vectors, with what is carried on."""


def _by(body: Part, lanes: LaneArithmetic, many: int, k: Value, given: Sequence[Value]) -> Sequence[Value]:
    return body(lanes, k, many, given)


class KernelWriter:
    """Writes the function of one kernel."""

    def __init__(
        self, kernel: Entrywise | Reduction, arguments: Arguments, function: ir.Function, size: int, width: int
    ) -> None:
        self._kernel, self._width = kernel, width
        self._builder = Builder(function.append_basic_block("begin"))
        self._pointers = Pointers(arguments, function)
        self._one = LaneArithmetic(self._builder, Kind(size))
        self._many = LaneArithmetic(self._builder, Kind(size, width))
        shape = kernel.shape if isinstance(kernel, Entrywise) else kernel.value.shape
        stored = len(kernel.stores) if isinstance(kernel, Entrywise) else 1
        over = kernel.over if isinstance(kernel, Reduction) else frozenset[int]()
        strides = [x.strides for x in arguments.arrays]
        self._axes = nest(shape, strides, stored, over, width=width, work=_work(kernel))

    def write(self) -> None:
        """Writes it."""
        begin: Offsets = [index(0)] * len(self._pointers.arrays)
        if isinstance(self._kernel, Reduction):
            self._reduce(self._kernel, begin)
        else:
            self._entries(self._kernel, begin)
        self._builder.ret_void()

    # --- loops

    def _on(self, offsets: Sequence[Value], axis: Axis, k: Value) -> Offsets:
        """Where the arrays are in round k of a loop."""
        b = self._builder
        return [
            x if not d else b.add(x, b.mul(k, index(d)) if d != 1 else k)
            for x, d in zip(offsets, axis.distances, strict=True)
        ]

    def _through(
        self,
        axes: Sequence[Axis],
        offsets: Offsets,
        carried: Sequence[Value],
        body: Callable[[Offsets, Sequence[Value]], Sequence[Value]],
    ) -> Sequence[Value]:
        """Goes through some loops, one in the other."""
        if not axes:
            return body(offsets, carried)
        first, *rest = axes

        def round_(k: Value, given: Sequence[Value]) -> Sequence[Value]:
            return self._through(rest, self._on(offsets, first, k), given, body)

        return loop(self._builder, index(first.length), carried, round_, name="axis")

    def _along(
        self,
        axis: Axis,
        carried: Sequence[Value],
        body: Part,
        *,
        at_once: int,
    ) -> Sequence[Value]:
        """Goes through the innermost loop by vectors, so many at once, and what is left number by number."""
        whole = axis.length // self._width if self._is_wide(axis) else 0
        done = 0
        for many in dict.fromkeys((at_once, 1)):
            count = (whole - done // self._width) // many
            if count:
                step = many * self._width
                carried = self._rounds(done, count, step, carried, partial(_by, body, self._many, many))
                done += count * step
        if done < axis.length:
            carried = self._rounds(done, axis.length - done, 1, carried, partial(_by, body, self._one, 1))
        return carried

    def _rounds(
        self,
        start: int,
        count: int,
        step: int,
        carried: Sequence[Value],
        body: Callable[[Value, Sequence[Value]], Sequence[Value]],
    ) -> Sequence[Value]:
        if count == 1:
            return body(index(start), carried)

        def round_(k: Value, given: Sequence[Value]) -> Sequence[Value]:
            return body(self._builder.add(k, index(start)), given)

        return loop(self._builder, index(count * step), carried, round_, name="entries", step=step)

    def _is_wide(self, axis: Axis) -> bool:
        """Whether what is stored along an axis can be stored by vectors."""
        if isinstance(self._kernel, Reduction):
            return True
        for x in self._kernel.stores:
            distance = axis.distances[self._pointers.number(x.target)]
            if x.target.table is not None or x.target.lookups or distance == 0:
                return False
        return True

    # --- kernels

    def _entries(self, kernel: Entrywise, begin: Offsets) -> None:
        *outer, inner = self._axes or [Axis(1, (0,) * len(begin))]

        def row(offsets: Offsets, _: Sequence[Value]) -> Sequence[Value]:
            def part(lanes: LaneArithmetic, k: Value, many: int, _: Sequence[Value]) -> Sequence[Value]:
                entries = Entries(self._pointers, lanes, inner, self._on(offsets, inner, k))
                for x in kernel.stores:
                    value = entries.value(x.value)
                    if x.adds:
                        value = lanes.add(entries.load(x.target), value)
                    entries.store(x.target, value)
                return []

            self._along(inner, [], part, at_once=1)
            return []

        self._through(outer, begin, [], row)

    def _reduce(self, kernel: Reduction, begin: Offsets) -> None:
        combine, empty = _combining(kernel.kind)
        *rest, inner = self._axes or [Axis(1, (0,) * len(begin), is_over=True)]
        kept, gone = ([x for x in rest if x.is_over is is_over] for is_over in (False, True))
        target = self._pointers.number(kernel.target)

        def along_sum(offsets: Offsets, _: Sequence[Value]) -> Sequence[Value]:
            """All that is added up to one number: the vectors in some totals, what is left in another."""
            wide = min(AT_ONCE, max(1, inner.length // self._width)) if self._width > 1 else 1
            totals = [*([self._many.number(empty)] * wide), self._one.number(empty)]

            def some(at: Offsets, given: Sequence[Value]) -> Sequence[Value]:
                def part(lanes: LaneArithmetic, k: Value, many: int, held: Sequence[Value]) -> Sequence[Value]:
                    new = list(held)
                    for j in range(many):
                        here = self._builder.add(k, index(j * self._width))
                        found = Entries(self._pointers, lanes, inner, self._on(at, inner, here)).value(kernel.value)
                        slot = j if lanes is self._many else wide
                        new[slot] = combine(lanes, new[slot], found)
                    return new

                return self._along(inner, given, part, at_once=wide)

            *vectors, single = self._through(gone, offsets, totals, some)
            if inner.length >= self._width > 1:
                while len(vectors) > 1:
                    vectors = [
                        combine(self._many, *pair) if len(pair) == 2 else pair[0]
                        for pair in (vectors[k : k + 2] for k in range(0, len(vectors), 2))
                    ]
                single = combine(self._one, self._across(vectors[0], combine), single)
            self._builder.store(single, self._builder.gep(self._pointers.arrays[target], [offsets[target]]))
            return []

        def along_kept(offsets: Offsets, _: Sequence[Value]) -> Sequence[Value]:
            """Numbers side by side, each of which is added up on its own."""

            def part(lanes: LaneArithmetic, k: Value, many: int, _: Sequence[Value]) -> Sequence[Value]:
                heres = [self._on(offsets, inner, self._builder.add(k, index(j * self._width))) for j in range(many)]

                def some(at: Offsets, given: Sequence[Value]) -> Sequence[Value]:
                    moved = [self._builder.sub(a, b) for a, b in zip(at, heres[0], strict=True)]
                    new = []
                    for own, total in zip(heres, given, strict=True):
                        here = [self._builder.add(a, b) for a, b in zip(own, moved, strict=True)]
                        new.append(
                            combine(lanes, total, Entries(self._pointers, lanes, inner, here).value(kernel.value))
                        )
                    return new

                totals = self._through(gone, heres[0], [lanes.number(empty)] * many, some)
                for own, total in zip(heres, totals, strict=True):
                    Entries(self._pointers, lanes, inner, own).store(kernel.target, total)
                return []

            self._along(inner, [], part, at_once=AT_ONCE)
            return []

        self._through(kept, begin, [], along_sum if inner.is_over else along_kept)

    def _across(self, vector: Value, combine: Callable[[LaneArithmetic, Value, Value], Value]) -> Value:
        """All lanes of a vector in one number."""
        b = self._builder
        found = [b.extract_element(vector, ir.Constant(ir.IntType(32), k)) for k in range(self._width)]
        while len(found) > 1:
            found = [combine(self._one, *pair) for pair in zip(found[::2], found[1::2], strict=True)]
        return found[0]


def _work(kernel: Entrywise | Reduction) -> int:
    """About how many instructions the operations of a kernel take for a vector."""
    own = [kernel.value] if isinstance(kernel, Reduction) else [x.value for x in kernel.stores]
    return sum(1 if is_cheap(x.node) else FUNCTION for x in computed(*own))


def _combining(kind: str) -> tuple[Callable[[LaneArithmetic, Value, Value], Value], float]:
    """How two parts of a sum are put together, or two that the larger is taken of; and what is there before any."""
    if kind == "sum":
        return LaneArithmetic.add, 0.0
    sign = ">" if kind == "max" else "<"

    def extreme(lanes: LaneArithmetic, a: Value, b: Value) -> Value:
        """What is no number stays, wherever it is."""
        chosen = lanes.select(lanes.builder.fcmp_unordered(sign, b, a), b, a)
        return lanes.select(lanes.compare("!=", a, a), a, chosen)

    return extreme, float("-inf") if kind == "max" else float("inf")
