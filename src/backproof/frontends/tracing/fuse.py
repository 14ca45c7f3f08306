"""Makes one operation of each element-wise formula."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from backproof.ir.node import Node
from backproof.ir.symbol import Symbol
from backproof.ops.arithmetic import div, power
from backproof.ops.complexes import complex_nodes
from backproof.ops.elementary import pieces
from backproof.ops.entries import row_of
from backproof.ops.fused import ELEMENTWISE, RELATIONS, fused
from backproof.ops.leaves import constant_
from backproof.ops.row import Row
from backproof.ops.scalar import ScalarRow

MANY = 4
"""A formula that comes with more different numbers than this is one formula, of which the numbers are arguments."""


def fuse(order: Sequence[Node], symbols: Mapping[Node, Symbol]) -> dict[Node, Node]:
    """A graph, its nodes in order, with element-wise formulas as single operations: for each old node the new one.

    The new nodes have the symbols that are given for the old ones. A formula ends at a node that has one, that is used
    more than once, or that something else is done with. Of a formula that comes with many different numbers, as in a
    loop that counts, these are arguments: it is one formula.
    """
    users = {x: node for node in order for x in node.inputs}
    # A formula is one function of real numbers; what is complex stays the operations that it is.
    complexes = complex_nodes(order)
    elementwise = {x for x in order if is_elementwise(x) and (complexes is None or x not in complexes)}
    uses = Counter(x for node in order for x in set(node.inputs))
    inside: set[Node] = set()
    regions: dict[Node, Region] = {}
    numbers: dict[Hashable, set[Hashable]] = {}
    for node in order:
        if node in elementwise:
            if node not in symbols and uses[node] == 1 and users[node] in elementwise:
                inside.add(node)
            elif not inside.isdisjoint(node.inputs) or len(set(node.inputs)) < len(node.inputs):
                regions[node] = region = _region(node, inside)
                numbers.setdefault(region.structure, set()).add(region.numbers)
    known: dict[Hashable, tuple[Row, list[int]] | None] = {}
    done: dict[Node, Node] = {}
    for node in order:
        symbol, found = symbols.get(node), None
        if node in regions:
            region = regions[node]
            many = len(numbers[region.structure]) > MANY
            key = region.structure if many else (region.structure, region.numbers)
            if key not in known:
                one = _as_one(node, inside, many)
                known[key] = None if one is None else (row_of(one), [region.nodes.index(x) for x in one.inputs])
            found = known[key]
        if found is not None:
            row, places = found
            done[node] = row(*[done[region.nodes[k]] for k in places], symbol=symbol)
            continue
        inputs = tuple([done[x] for x in node.inputs])
        same = symbol is node.symbol and inputs == node.inputs
        done[node] = node if same else Node(node.op, inputs, node.shape, node.attrs, symbol)
    return done


def is_elementwise(node: Node) -> bool:
    """Whether a node is arithmetic or a scalar function on the entries of arrays at the same place."""
    if node.op not in ELEMENTWISE and not isinstance(node.op, ScalarRow):
        return False
    return bool([x for x in node.inputs if x.shape])


def _as_one(root: Node, inside: set[Node], many: bool) -> Node | None:
    """The formula that ends at `root` as one operation; None where it is one already, or a plain sum of products.

    With `many`, its numbers are arguments.
    """
    if root.op in RELATIONS:
        return None
    parts = [root, *_parts(root, inside)]
    outside = [x for part in parts for x in part.inputs if x not in inside]
    occurrences = Counter(x for x in outside if x.op is not constant_)
    curved = any(isinstance(x.op, ScalarRow) or x.op in (power, pieces) or _divides(x, inside) for x in parts)
    repeated = any(count > 1 for count in occurrences.values())
    if not (repeated or (curved and len(parts) > 1)):
        return None
    numbers = [x for x in dict.fromkeys(outside) if many and x.op is constant_]
    return fused(root.named(None), (*occurrences, *numbers))


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """The nodes of a formula, what it has in common with the same formula elsewhere, and the numbers in it."""

    nodes: list[Node]
    structure: Hashable
    numbers: Hashable


def _region(root: Node, inside: set[Node]) -> Region:
    """The formula that ends at `root`, read from there."""
    places: dict[Node, int] = {}
    structure: list[object] = []
    numbers: list[object] = []
    stack = [root]
    while stack:
        x = stack.pop()
        if x in places:
            structure.append(places[x])
            continue
        places[x] = len(places)
        if x is root or x in inside:
            structure += x.op, len(x.inputs)
            if x.attrs:
                structure.append(repr(x.attrs))
            stack += x.inputs
            continue
        structure.append(x.shape)
        if x.op is constant_:
            numbers.append(repr(x.attrs))
    return Region(list(places), tuple(structure), tuple(numbers))


def _parts(root: Node, inside: set[Node]) -> Iterator[Node]:
    stack = [x for x in reversed(root.inputs) if x in inside]
    while stack:
        x = stack.pop()
        yield x
        stack.extend(y for y in reversed(x.inputs) if y in inside)


def _divides(node: Node, inside: set[Node]) -> bool:
    return node.op is div and (node.inputs[1] in inside or bool(node.inputs[1].shape))
