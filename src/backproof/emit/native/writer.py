"""The entries of a kernel: where they are taken from, what is computed of them, and where they are put."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

from llvmlite import ir

from backproof.emit.entrywise import entry_of, is_cheap
from backproof.emit.native.arithmetic import LaneArithmetic
from backproof.emit.native.kernels import ALONG, Kernel, Plan, axes, bare, lengths
from backproof.emit.native.lanes import Kind, Value
from backproof.emit.native.loops import index
from backproof.emit.native.machine import Machine
from backproof.emit.native.memory import Memory, Place
from backproof.emit.native.threads import Share
from backproof.emit.scalars import summed
from backproof.emit.step import Step
from backproof.ir.node import Node
from backproof.ir.sizes import Size
from backproof.ops import leaves, linear

Known = dict[Node, list[Value]]
"""What is computed of a row."""
NUMBERS = "numbers"
"""The name of what holds the numbers of a step."""


class Writer:
    """Writes the entries of one kernel; `arguments` are the pointers that its function is given, by name."""

    def __init__(
        self,
        kernel: Kernel,
        builder: ir.IRBuilder,
        arguments: Mapping[str, Value],
        step: Step,
        sizes: Mapping[str, int],
        plan: Plan,
        memory: Memory,
        size: int,
        machine: Machine,
        share: Share | None,
    ) -> None:
        self.share = share
        self.kernel, self.builder, self.plan, self.memory, self.machine = kernel, builder, plan, memory, machine
        self._arguments, self._step, self._sizes, self.size = arguments, step, sizes, size
        self.width = machine.lanes(size)
        self.many = LaneArithmetic(builder, Kind(size, self.width))
        self.one = LaneArithmetic(builder, Kind(size))
        self.rows, self.long = lengths(sizes, kernel.row, kernel.lane)

    def length(self, size: Size) -> int:
        """How long an axis is."""
        return lengths(self._sizes, size)[0]

    # --- addresses

    def pointer(self, place: Place, at: Value) -> Value:
        """A pointer to a number of an array."""
        return self.builder.gep(self._arguments[place.base], [self.builder.add(at, index(place.start))])

    def vector(self, place: Place, panel: Value, row: Value) -> Value:
        """A pointer to a panel of a row."""
        at = self.times(self.builder.add(self.times(panel, place.rows), row), self.width)
        return self.builder.bitcast(self.pointer(place, at), self.many.kind.type.as_pointer())

    def times(self, value: Value, number: int) -> Value:
        """A count times a number."""
        return self.builder.mul(value, index(number))

    def load_vector(self, pointer: Value) -> Value:
        """What a pointer to a panel of a row points to."""
        return self.builder.load(pointer, align=self.size * self.width)

    def load(self, node: Node, panel: Value | None, row: Value | None, lanes: LaneArithmetic) -> Value:
        """The entries of an array at a panel of a row; a number in all lanes where it has no such axis."""
        if node.op is leaves.constant_:
            return lanes.number(float(node.attrs["value"]))
        if node.op is leaves.size_:
            return lanes.number(self.length(node.attrs["size"]))
        if node in self._step.numbers:
            at = index(self._step.numbers.index(node))
            return lanes.splat(self.builder.load(self.builder.gep(self._arguments[NUMBERS], [at])))
        own = axes(node)
        here = row if self.kernel.row in own and row is not None else index(0)
        if self.kernel.lane in own and lanes is self.many:
            assert panel is not None
            return self.load_vector(self.vector(self.memory.places[node, self.kernel.lane], panel, here))
        return lanes.splat(self.builder.load(self.pointer(self.memory.of(node), here), align=self.size))

    def store(self, node: Node, value: Value, panel: Value | None, row: Value | None) -> None:
        """Puts entries where others find them, if anybody does; the lanes behind the last entry stay 0."""
        place = self.memory.places.get((node, self.plan.lane(node)))
        if place is None:
            return
        own = axes(node)
        here = row if self.kernel.row in own and row is not None else index(0)
        if self.kernel.lane in own:
            assert panel is not None
            if self.rest:
                value = self.many.select(self.inside(panel), value, self.many.number(0))
            self.builder.store(value, self.vector(place, panel, here), align=self.size * self.width)
        else:
            self.builder.store(value, self.pointer(place, here), align=self.size)

    @property
    def rest(self) -> int:
        """How many entries the last panel has that is not full; 0 if all are."""
        return self.long % self.width

    def inside(self, panel: Value) -> Value:
        """Which lanes of a panel hold entries."""
        bit = ir.IntType(1)
        bits = ir.VectorType(bit, self.width)
        last = ir.Constant(bits, [ir.Constant(bit, int(k < self.rest)) for k in range(self.width)])
        whole = ir.Constant(bits, [ir.Constant(bit, 1)] * self.width)
        return self.builder.select(self.builder.icmp_unsigned("==", panel, index(self.long // self.width)), last, whole)

    # --- entries

    def compute(self, panels: Sequence[Value] | None, rows: Sequence[Value | None], known: Sequence[Known]) -> None:
        """Computes all of a kernel for some rows, of which `panels` are at hand, and stores what is read elsewhere.

        What is known of each row grows. What a row has once is a list of one value; of what it has for each entry there
        is one for each panel.
        """
        for node in (*known[0], *self.kernel.body):
            self.compute_one(node, panels, rows, known)
            places = panels if panels is not None and self.kernel.lane in axes(node) else [index(0)]
            for row, own in zip(rows, known, strict=True):
                for value, panel in zip(own[node], places, strict=True):
                    self.store(node, value, panel, row)

    def compute_one(
        self, node: Node, panels: Sequence[Value] | None, rows: Sequence[Value | None], known: Sequence[Known]
    ) -> None:
        """Computes one operation for some rows, where it is not known."""
        if node in known[0]:
            return
        is_narrow = not any(self.kernel.lane in axes(x) for x in (node, *map(bare, node.inputs)))
        if is_narrow and len(rows) > 1 and not is_cheap(node):
            values = self._side_by_side(node, rows, known)
        else:
            values = [self.computed(node, panels, row, own) for row, own in zip(rows, known, strict=True)]
        for own, value in zip(known, values, strict=True):
            own[node] = value

    def _side_by_side(self, node: Node, rows: Sequence[Value | None], known: Sequence[Known]) -> list[list[Value]]:
        """What some rows have once, computed in the lanes of one vector."""
        lanes = LaneArithmetic(self.builder, Kind(self.size, 1 << (len(rows) - 1).bit_length()))
        places = [ir.Constant(ir.IntType(32), k) for k in range(len(rows))]
        vectors = []
        for x in map(bare, node.inputs):
            vector = lanes.number(1)
            for place, row, own in zip(places, rows, known, strict=True):
                vector = self.builder.insert_element(vector, self.given(x, None, row, own)[0], place)
            vectors.append(vector)
        result = entry_of(node, vectors, lanes)
        return [[self.builder.extract_element(result, place)] for place in places]

    def computed(
        self, node: Node, panels: Sequence[Value] | None, row: Value | None, known: Mapping[Node, list[Value]]
    ) -> list[Value]:
        """The entries of an operation in a row: one for each panel, or what the row has once."""
        inputs = [bare(x) for x in node.inputs]
        is_wide = panels is not None and any(self.kernel.lane in axes(x) for x in (node, *inputs))
        lanes = self.many if is_wide else self.one
        given = [self.given(x, panels if is_wide else None, row, known) for x in inputs]
        if node.op in ALONG:
            assert panels is not None
            return [self.along(given[0], panels, is_sum=node.op is linear.sum_)]
        return [entry_of(node, values, lanes) for values in zip(*given, strict=True)]

    def given(
        self, node: Node, panels: Sequence[Value] | None, row: Value | None, known: Mapping[Node, list[Value]]
    ) -> list[Value]:
        """An operand of what a row has for each entry: a vector for each panel; without panels, a single number."""
        lanes = self.one if panels is None else self.many
        is_wide = self.kernel.lane in axes(node)
        if node in known:
            values = known[node]
            return values if panels is None or is_wide else [lanes.splat(values[0])] * len(panels)
        if self.plan.is_inner(node):
            values = self.computed(node, panels, row, known)
            return values if panels is None or is_wide else [lanes.splat(values[0])] * len(panels)
        if panels is None:
            return [self.load(node, None, row, lanes)]
        if is_wide:
            return [self.load(node, panel, row, lanes) for panel in panels]
        return [self.load(node, None, row, lanes)] * len(panels)

    def along(self, values: Sequence[Value], panels: Sequence[Value], *, is_sum: bool) -> Value:
        """The sum of a row, or its largest entry."""
        values = [self.masked(value, panel, is_sum=is_sum) for value, panel in zip(values, panels, strict=True)]
        if is_sum:
            return self.many.sum(summed(self.many, values))
        return self.many.top(reduce(self.many.largest, values))

    def masked(self, value: Value, panel: Value, *, is_sum: bool) -> Value:
        """The entries of a panel, and behind the last one what changes no sum, or no largest entry."""
        if not self.rest:
            return value
        return self.many.select(self.inside(panel), value, self.many.number(0.0 if is_sum else float("-inf")))
