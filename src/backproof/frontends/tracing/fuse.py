"""Makes one operation of each element-wise formula."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence

from backproof.ir.node import Node, ancestors
from backproof.ops.arithmetic import div, power
from backproof.ops.complexes import complex_nodes
from backproof.ops.elementary import pieces
from backproof.ops.entries import row_of
from backproof.ops.fused import ELEMENTWISE, RELATIONS, fused
from backproof.ops.leaves import constant_
from backproof.ops.row import Row
from backproof.ops.scalar import ScalarRow


def fuse(order: Sequence[Node]) -> dict[Node, Node]:
    """A graph, its nodes in order, with element-wise formulas as single operations: for each old node the new one.

    A formula ends at a node that has a name, that is used more than once, or that something else is done with.
    """
    users = {x: node for node in order for x in node.inputs}
    # A formula is one function of real numbers; what is complex stays the operations that it is.
    complexes = complex_nodes(order)
    elementwise = {x for x in order if is_elementwise(x) and (complexes is None or x not in complexes)}
    uses = Counter(x for node in order for x in set(node.inputs))
    inside: set[Node] = set()
    known: dict[Hashable, tuple[Row, list[int]] | None] = {}
    done: dict[Node, Node] = {}
    for node in order:
        made = node.on(tuple([done[x] for x in node.inputs]))
        if node in elementwise:
            if node.symbol is None and uses[node] == 1 and users[node] in elementwise:
                inside.add(made)
            elif not inside.isdisjoint(made.inputs) or len(set(made.inputs)) < len(made.inputs):
                region, structure = _structure(made, inside)
                if structure not in known:
                    one = _as_one(made, inside)
                    known[structure] = None if one is None else (row_of(one), [region.index(x) for x in one.inputs])
                found = known[structure]
                if found is not None:
                    row, places = found
                    made = row(*[region[k] for k in places], symbol=made.symbol)
        done[node] = made
    return done


def is_elementwise(node: Node) -> bool:
    """Whether a node is arithmetic or a scalar function on the entries of arrays at the same place."""
    if node.op not in ELEMENTWISE and not isinstance(node.op, ScalarRow):
        return False
    return bool([x for x in node.inputs if x.shape])


def _as_one(root: Node, inside: set[Node]) -> Node | None:
    """The formula that ends at `root` as one operation; None where it is one already, or a plain sum of products."""
    if root.op in RELATIONS:
        return None
    parts = [root, *_parts(root, inside)]
    occurrences = Counter(x for part in parts for x in part.inputs if x not in inside and x.op is not constant_)
    curved = any(isinstance(x.op, ScalarRow) or x.op in (power, pieces) or _divides(x, inside) for x in parts)
    repeated = any(count > 1 for count in occurrences.values())
    if not (repeated or (curved and len(parts) > 1)):
        return None
    return fused(root.named(None), tuple(occurrences))


def _structure(root: Node, inside: set[Node]) -> tuple[list[Node], Hashable]:
    """The nodes of the formula that ends at `root`, and what it has in common with the same formula elsewhere."""
    region = ancestors([root], stop=lambda x: x is not root and x not in inside)
    places = {x: k for k, x in enumerate(region)}
    key: list[object] = []
    for x in region:
        if x is root or x in inside:
            key += x.op, tuple([places[y] for y in x.inputs])
        else:
            key.append(x.shape)
        if x.attrs and (x.op is constant_ or x is root or x in inside):
            key.append(repr(x.attrs))
    return region, tuple(key)


def _parts(root: Node, inside: set[Node]) -> Iterator[Node]:
    stack = [x for x in reversed(root.inputs) if x in inside]
    while stack:
        x = stack.pop()
        yield x
        stack.extend(y for y in reversed(x.inputs) if y in inside)


def _divides(node: Node, inside: set[Node]) -> bool:
    return node.op is div and (node.inputs[1] in inside or bool(node.inputs[1].shape))
