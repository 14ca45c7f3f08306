"""A step as kernels: which operations are done in one go, in which order, and how what they share is stored.

An axis is told by its size alone: a product's factors are arrays of named axes, whichever way round they lie, and a
transposed array is the same array. A `Contraction` is a matrix product, with all that
is done to its entries one by one in the same go; any other goes through the entries of arrays row by row. One axis of
each array is that of the lanes: it is cut into panels as wide as a vector.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from backproof.emit.entrywise import is_cheap, is_entrywise
from backproof.emit.scalars import UncoveredError
from backproof.emit.step import Step
from backproof.ir.node import Node, ancestors
from backproof.ir.sizes import ONE, Size
from backproof.ops import leaves, linear, reductions, shaping, softmax

MOVED = (linear.transpose, linear.expand, linear.stretch, shaping.squeeze, shaping.permute)
ACROSS = (softmax.softmax, softmax.log_softmax)
"""Operations along one axis that give an array of the same shape."""
ALONG = (linear.sum_, reductions.max_)
"""Operations that make one number of a row."""
LEAVES = (leaves.constant_, leaves.size_)


def bare(node: Node) -> Node:
    """The array that a node is but for the places of its axes."""
    while _is_moved(node):
        node = node.inputs[0]
    return node


def _is_moved(node: Node) -> bool:
    """Whether an operation only gives axes other places, adds some of length one or takes some away."""
    if node.op in ALONG:
        return all(node.inputs[0].shape[axis] == ONE for axis in node.attrs["axes"])
    return node.op in MOVED or (node.op is shaping.reshape and axes(node) == axes(node.inputs[0]))


def axes(node: Node) -> tuple[Size, ...]:
    """The axes of an array that are longer than one, as far as their sizes tell."""
    return tuple(size for size in node.shape if size != ONE)


@dataclass(eq=False, slots=True)
class Kernel:
    """Operations that are done in one go.

    row, lane  the axes that it goes through: row by row, and within a row vector by vector; None where it has none
    body       what is computed for each entry, or once for each row, in order
    sums       what is added up over the rows
    """

    row: Size | None
    lane: Size | None
    body: list[Node] = field(default_factory=list)
    sums: list[Node] = field(default_factory=list)

    @property
    def space(self) -> frozenset[Size]:
        """The axes that it goes through."""
        return frozenset(size for size in (self.row, self.lane) if size is not None)


@dataclass(eq=False, slots=True)
class Contraction(Kernel):
    """A matrix product and what is done to its entries.

    root    the product
    vector  the factor with the axis of the lanes
    single  the other one, of which single numbers are taken
    over    the axis that is summed over
    """

    root: Node = field(kw_only=True)
    vector: Node = field(kw_only=True)
    single: Node = field(kw_only=True)
    over: Size = field(kw_only=True)


@dataclass(eq=False, slots=True)
class Relaid(Kernel):
    """An array stored once more, with another axis as that of the lanes."""

    node: Node = field(kw_only=True)


Stored = tuple[Node, Size | None]
"""An array, and which of its axes is that of the lanes."""


class Plan:
    """The kernels of a step in the order in which they run, and the arrays that are stored.

    Up to the `widest` rows, what is done along them is done at once with a product; up to the `longest` ones, all of a
    row is at hand. Raises UncoveredError for what there is no kernel for.
    """

    def __init__(self, step: Step, sizes: Mapping[str, int], widest: int, longest: int) -> None:
        self._step, self._sizes, self._widest, self._longest = step, sizes, widest, longest
        self._made_in: dict[Node, Kernel] = {}
        self._built: list[Kernel] = []
        self._own_lane: dict[Node, Size] = {}
        self._lanes: dict[Node, Size | None] = {}
        self._leaves = {*step.data, *step.numbers, *step.state}
        outputs = [bare(x) for x in (step.result, *step.after)]
        every = [x for x in ancestors(outputs) if x is bare(x) and x not in self._leaves and x.op not in LEAVES]
        factors = {bare(y) for x in every if x.op is linear.matmul for y in x.inputs}
        self._inner = {x for x in every if x.symbol is None and is_cheap(x)} - factors - {*outputs}
        self._order = [x for x in every if x not in self._inner]
        for node in (*self._order, *self._leaves):
            if len(set(axes(node))) < len(axes(node)):
                raise UncoveredError("an array with two axes of the same size")
            if len(axes(node)) > 2:
                raise UncoveredError("an array with more than two axes")
        if step.others:
            raise UncoveredError("arrays that the code brings itself")
        if any(bare(new) in self._leaves and bare(new) is not x for x, new in zip(step.state, step.after, strict=True)):
            raise UncoveredError("a parameter that becomes what is given")
        self._outputs = {bare(after): state for state, after in zip(step.state, step.after, strict=True)}
        self._find_lanes()
        for node in self._order:
            self._place(node)
        self.kernels = self._in_order()

    def is_inner(self, node: Node) -> bool:
        """Whether a node is computed wherever it is read: it has no name, and is quicker computed than kept."""
        return node in self._inner

    def read(self, kernel: Kernel) -> Iterator[Node]:
        """What a kernel takes from arrays, and what it computes itself."""
        if isinstance(kernel, Relaid):
            yield kernel.node
        if isinstance(kernel, Contraction):
            yield from (kernel.vector, kernel.single)
        yield from self._inputs([*kernel.body, *kernel.sums])

    def _inputs(self, nodes: Iterable[Node]) -> Iterator[Node]:
        """What operations read, and what is read by what is computed within them."""
        for node in nodes:
            for x in map(bare, node.inputs):
                yield from self._inputs([x]) if x in self._inner else (x,)

    # --- lanes

    def _find_lanes(self) -> None:
        """Which axis of an array is that of the lanes: not the samples; of a parameter, that of what it gives."""
        for node in self._order:
            if node.op is linear.matmul and self._step.samples in axes(node):
                lane = self._lane_of_two(axes(node))
                for x in map(bare, node.inputs):
                    if lane in axes(x):
                        self._own_lane.setdefault(x, lane)

    def lane(self, node: Node) -> Size | None:
        """The axis of the lanes of an array as it is computed and given."""
        if node not in self._lanes:
            self._lanes[node] = self._lane_of(bare(node))
        return self._lanes[node]

    def _lane_of(self, node: Node) -> Size | None:
        if node in self._own_lane:
            return self._own_lane[node]
        own = axes(node)
        if len(own) < 2:
            return own[0] if own else None
        if self._step.samples in own:
            return self._lane_of_two(own)
        alike = (lane for other, lane in self._own_lane.items() if set(axes(other)) == set(own))
        return next(alike, own[0])

    def _lane_of_two(self, both: Sequence[Size]) -> Size:
        return next((size for size in both if size != self._step.samples), both[0])

    # --- which kernel computes what

    def _place(self, node: Node) -> None:
        if node.op is linear.matmul:
            self._add(node, self._contraction(node))
            return
        needed = self._needed(node)
        is_sum, kept = self._is_sum_over_rows(node)
        read = list(self._inputs([node]))
        latest = max((self._built.index(self._made_in[x]) for x in read if x in self._made_in), default=0)
        for kernel in self._built[latest:]:
            inside = [x for x in read if self._made_in.get(x) is kernel]
            if inside and not any(x in kernel.sums for x in inside) and self._fits(node, kernel, needed, is_sum):
                (kernel.sums if is_sum else kernel.body).append(node)
                self._made_in[node] = kernel
                return
        lane = self.lane(kept)
        row = next((size for size in needed if size != lane), None)
        kernel = Kernel(row, lane)
        (kernel.sums if is_sum else kernel.body).append(node)
        self._add(node, kernel)

    def _add(self, node: Node, kernel: Kernel) -> None:
        self._built.append(kernel)
        self._made_in[node] = kernel

    def _needed(self, node: Node) -> tuple[Size, ...]:
        """The axes that an operation goes through."""
        if node.op in ALONG:
            own = axes(bare(node.inputs[0]))
            if set(own) != set(axes(node.inputs[0])):
                raise UncoveredError("the sum of what is repeated")
            return own
        if not is_entrywise(node):
            raise UncoveredError(f"the operation {node.op.name}")
        return axes(node)

    def _is_sum_over_rows(self, node: Node) -> tuple[bool, Node]:
        """Whether an operation adds up over the rows, and the array whose axis of the lanes is that of its kernel."""
        if node.op not in ALONG:
            return False, node
        x = node.inputs[0]
        whole, gone = bare(x), {x.shape[axis] for axis in node.attrs["axes"]} - {ONE}
        lane = self.lane(whole)
        along = gone == {lane} and len(axes(whole)) == 2
        if not along and node.op is not linear.sum_:
            raise UncoveredError("the largest of several rows")
        return not along, whole

    def _fits(self, node: Node, kernel: Kernel, needed: Sequence[Size], is_sum: bool) -> bool:
        """Whether a kernel can compute an operation too."""
        if isinstance(kernel, Relaid) or not kernel.space.issuperset(needed):
            return False
        written = {self._outputs[x] for x in kernel.body if x in self._outputs}
        if any(x in written for x in self._inputs([node])):
            return False  # it needs what this kernel writes over
        (long,) = lengths(self._sizes, kernel.lane)
        is_narrow, is_long = long <= self._widest, long > self._longest
        if is_sum:
            is_taken = is_long and any(x.op in ALONG for x in kernel.body)
            return not (isinstance(kernel, Contraction) or is_taken) and kernel.space == set(needed)
        if node.op in ALONG:
            is_taken = isinstance(kernel, Contraction) or (is_long and bool(kernel.sums))
            return (is_narrow or not is_taken) and kernel.space == set(needed)
        if isinstance(kernel, Contraction) and not is_narrow:
            return kernel.space == set(needed)
        return kernel.space == set(needed) or (kernel.row is not None and set(needed) == {kernel.row})

    def _contraction(self, node: Node) -> Contraction:
        a, b = map(bare, node.inputs)
        over = node.inputs[0].shape[-1]
        own = axes(node)
        if over == ONE or len(own) != 2 or len(axes(a)) != 2 or len(axes(b)) != 2:
            raise UncoveredError("a product with a vector")
        lane = self.lane(node)
        assert lane is not None
        vector, single = (a, b) if lane in axes(a) else (b, a)
        if lane in axes(single):
            raise UncoveredError("a product of an array with itself")
        row = next(size for size in own if size != lane)
        return Contraction(row, lane, root=node, vector=vector, single=single, over=over)

    # --- the order

    def _in_order(self) -> list[Kernel]:
        """The kernels, what is read before what writes over it."""
        kernels = [*self._relaid(), *self._built]
        before: dict[Kernel, set[Kernel]] = {kernel: set() for kernel in kernels}
        readers: dict[Node, list[Kernel]] = {}
        for kernel in kernels:
            for x in self.read(kernel):
                readers.setdefault(x, []).append(kernel)
                if x in self._made_in and self._made_in[x] is not kernel:
                    before[kernel].add(self._made_in[x])
            if isinstance(kernel, Contraction):
                before[kernel] |= {x for x in kernels if isinstance(x, Relaid) and x.node is kernel.vector}
        for node, state in self._outputs.items():
            writer = self._made_in.get(node)
            if writer is not None:
                before[writer] |= {x for x in readers.get(state, ()) if x is not writer}
        done: list[Kernel] = []
        while len(done) < len(kernels):
            ready = next((k for k in kernels if k not in done and before[k].issubset(done)), None)
            if ready is None:
                raise UncoveredError("parameters that change in a circle")
            done.append(ready)
        return done

    def _relaid(self) -> list[Relaid]:
        """Copies of the arrays that products need with another axis as that of the lanes."""
        found: dict[Stored, Relaid] = {}
        for kernel in self._built:
            if isinstance(kernel, Contraction) and self.lane(kernel.vector) != kernel.lane:
                row = self.lane(kernel.vector)
                found.setdefault((kernel.vector, kernel.lane), Relaid(row, kernel.lane, node=kernel.vector))
        if any(x.node not in self._leaves for x in found.values()):
            raise UncoveredError("a product that needs an array in two layouts")
        return list(found.values())

    def stored(self) -> list[Stored]:
        """The arrays that kernels hand on, besides those that are given."""
        found: dict[Stored, None] = {}
        for kernel in self.kernels:
            if isinstance(kernel, Relaid):
                found[kernel.node, kernel.lane] = None
            for x in self.read(kernel):
                if x in self._made_in and self._made_in[x] is not kernel:
                    found[x, self.lane(x)] = None
        for x in map(bare, (self._step.result, *self._step.after)):
            found[x, self.lane(x)] = None
        return list(found)


def lengths(sizes: Mapping[str, int], *axes_: Size | None) -> list[int]:
    """How long axes are; 1 for none."""
    found = []
    for size in axes_:
        value = 1 if size is None else sizes.get(size.name, size.value)
        assert value is not None
        found.append(value)
    return found
