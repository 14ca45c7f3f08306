"""The reverse sweep: from a scalar back to everything it depends on.

What cuts across the rules is done here and nowhere else: the contributions of all consumers are added up, what was
broadcast is summed back, and what needs no derivative is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from backproof.derivation.steps import Link, Path
from backproof.ir.errors import BackproofError, ShapeError
from backproof.ir.node import Node, ancestors, substitute
from backproof.ir.sizes import ONE, Shape, Size, show
from backproof.ir.symbol import Symbol
from backproof.ops.arithmetic import added, common_shape
from backproof.ops.complexes import ComplexNodes, complex_nodes, real_part
from backproof.ops.entries import row_of
from backproof.ops.leaves import variable
from backproof.ops.linear import stretch, stretched, unstretched
from backproof.ops.row import Row


@dataclass(slots=True, eq=False)
class Way:
    """A path while the sweep is on it: its last operation, by which input, and the way before, which others share.

    `before` is None where the operation gives `consumer`, the quantity of its own that the path begins at.
    """

    consumer: Node
    node: Node
    position: int
    stretched: tuple[Size, ...]
    before: Way | None

    def path(self) -> Path:
        """The whole path, from the quantity of its own down."""
        ways = [self]
        while (before := ways[-1].before) is not None:
            ways.append(before)
        ways.reverse()
        links = tuple(_link(way.node, way.position) for way in ways)
        return Path(self.consumer, links, tuple(size for way in ways for size in way.stretched))


def _link(node: Node, position: int) -> Link:
    others = tuple(other for j, other in enumerate(node.inputs) if j != position)
    return Link(row_of(node), position, node.inputs[position], others)


@dataclass(frozen=True, slots=True, eq=False)
class Gradient:
    """The derivative of the swept scalar by `of`, as the rules give it: the sum of a contribution by each path."""

    of: Node
    raw: Node
    contributions: tuple[Node, ...]
    ways: tuple[Way, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        """Why the contributions are what they are, one path for each."""
        return tuple(way.path() for way in self.ways)


Name = Callable[[Gradient], Node]
"""Turns a finished gradient of a named quantity into the named node that later equations refer to."""


def sweep(
    root: Node,
    seed: Node,
    wanted: Sequence[Node],
    name: Name,
    closed: Collection[Node] = (),
    quantities: Sequence[Node] = (),
) -> Iterator[Gradient]:
    """The gradients of `root` by every named node between it and the leaves in `wanted`, in textbook order.

    `seed` is the derivative of the result by `root`. Nodes in `closed` get none of their own: their derivatives stay
    part of the formulas further on, as those of nodes without a name do. Leaves follow as soon as all their uses are
    known, in the order of `wanted`: a layer's parameters after its derivative, before the layer below. Contributions
    stand in the order of the `quantities` that they come through.
    """
    order = ancestors([root])
    asked = {leaf: k for k, leaf in enumerate(wanted)}
    useful = _depend_on(order, wanted)
    complexes = complex_nodes(order)
    found: dict[Node, list[tuple[Node, Way]]] = {}
    above: dict[Node, Way] = {}
    consumers: dict[Node, int] = {}
    for node in order:
        for x in set(node.inputs) if node in useful else ():
            consumers[x] = consumers.get(x, 0) + 1
    ready: list[Node] = []
    rank = {node: k for k, node in enumerate(quantities)}

    def place(item: tuple[Node, Way]) -> tuple[bool, int]:
        # What comes through the network stands before a penalty's direct term, as one would write it.
        consumer = item[1].consumer
        return not consumer.shape, rank.get(consumer, 0)

    def gradient(node: Node) -> Gradient:
        contributions = sorted(found.pop(node), key=place)
        nodes, ways = zip(*contributions, strict=True)
        return Gradient(node, added(nodes), nodes, ways)

    def release(node: Node) -> None:
        """Counts a node's uses of its inputs as done; a leaf whose uses are all done is ready."""
        for x in dict.fromkeys(node.inputs):
            consumers[x] -= 1
            if consumers[x] == 0 and not x.inputs and x in found:
                ready.append(x)

    for node in reversed(order):
        if node not in useful or not node.inputs:
            continue
        if node is root:
            g = seed
        elif node not in found:
            release(node)  # it has no influence: a condition, or the places that entries are taken from
            continue
        else:
            own = node.symbol is not None and node not in closed
            if own:
                for leaf in sorted(ready, key=asked.__getitem__):
                    yield gradient(leaf)
                ready.clear()
            finished = gradient(node)
            g = finished.raw
            if own:
                yield finished
                g = name(finished)
        # A quantity of its own begins a path; an operation without a name goes on with the one that led to it.
        before = None if node is root or own else above[node]
        consumer = node if before is None else before.consumer
        for k, contribution, used_for in _contributions(node, g, useful, consumer, complexes):
            x, way = node.inputs[k], Way(consumer, node, k, used_for, before)
            found.setdefault(x, []).append((contribution, way))
            above.setdefault(x, way)
        release(node)
    for leaf in sorted(ready, key=asked.__getitem__):
        yield gradient(leaf)


def _depend_on(order: list[Node], wanted: Collection[Node]) -> set[Node]:
    useful = set(wanted)
    for node in order:
        if not useful.isdisjoint(node.inputs):
            useful.add(node)
    return useful


def _contributions(
    node: Node, g: Node, useful: Collection[Node], consumer: Node, complexes: ComplexNodes | None
) -> Iterator[tuple[int, Node, tuple[Size, ...]]]:
    """For each useful input its number, its derivative, and the axes that this was summed over."""
    row = row_of(node)
    if row.kind == "zero":
        return
    # An element-wise operation broadcasts by itself, so a stretched scalar need not be written out for it; but for an
    # input that is stretched, its places have to be there to be added up.
    alone = row.shape is common_shape and all(_as_long(x.shape, node.shape) for x in node.inputs if x in useful)
    if alone and g.op is stretch and g.symbol is None and not g.inputs[0].shape:
        g = g.inputs[0]
    derivatives: tuple[Node | None, ...]
    if row.body is not None:
        derivatives = _composite_vjp(node, g)
    elif row.vjp is not None:
        derivatives = row.vjp(g, node, *node.inputs)
    else:
        raise BackproofError(f"{row.name} has no derivative", where=f"in {consumer.symbol}")
    if len(derivatives) != len(node.inputs):
        raise BackproofError(
            f"the rule of {row.name} gives {len(derivatives)} derivatives for {len(node.inputs)} inputs"
        )
    for k, (x, dx) in enumerate(zip(node.inputs, derivatives, strict=True)):
        if dx is None or x not in useful:
            continue
        if complexes is not None and x not in complexes and dx in complexes:
            dx = real_part(dx)  # a real number can only be moved along the real axis
        if dx.shape == x.shape:
            yield k, dx, ()
            continue
        summed = unstretched(dx, x.shape) if len(dx.shape) >= len(x.shape) else dx
        full = stretched(summed, x.shape)
        if full.shape != x.shape:
            raise ShapeError(f"the rule of {row.name} gives ({show(dx.shape)}) for an input of ({show(x.shape)})")
        yield k, full, _summed(dx.shape, x.shape) if summed is not dx else ()


def _as_long(a: Shape, b: Shape) -> bool:
    """Whether two shapes are the same, be it that while code is followed their axes are not known to be so yet."""
    if a == b or len(a) != len(b):
        return a == b
    return all(x == y or (x.value is not None and x.value == y.value) for x, y in zip(a, b, strict=True))


def _summed(shape: Shape, own: Shape) -> tuple[Size, ...]:
    """The axes that an array of shape `own` was stretched along to `shape`."""
    lead = len(shape) - len(own)
    return tuple(size for k, size in enumerate(shape) if k < lead or (own[k - lead] == ONE and size != ONE))


def _composite_vjp(node: Node, g: Node) -> tuple[Node, ...]:
    """The derivative by the input of a composite of one input, derived from its body."""
    (x,) = node.inputs
    gs, ys, xs, result = _composite_rule(row_of(node), tuple(node.attrs.items()), x.shape)
    return (substitute(result, {gs: g, ys: node, xs: x}),)


@lru_cache(maxsize=256)
def _composite_rule(row: Row, attrs: tuple[tuple[str, object], ...], shape: Shape) -> tuple[Node, Node, Node, Node]:
    """A composite's derivative as (g, y, x, result): its body is swept, and the result written through its output."""
    # Here and not above: SymPy takes long to import, and only composites need it.
    from backproof.derivation.algebra import through_output

    assert row.body is not None
    x, y, g = (variable(Symbol(name), shape) for name in "xyg")
    body = row.body(x, **dict(attrs))
    (gradient,) = sweep(body, g, [x], lambda gradient: gradient.raw)
    return g, y, x, through_output(gradient.raw, body, x, y)
