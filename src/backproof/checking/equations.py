"""The right side of one equation as a small graph: what stands in it, and with something else put in."""

from __future__ import annotations

from backproof.ir.node import Node, ancestors, right_side
from backproof.ops.arithmetic import add, mul, sub
from backproof.ops.entries import row_of
from backproof.ops.linear import expand, stretch


def inside(root: Node) -> list[Node]:
    """The operations of one equation's right side, the root last."""
    return [x for x in right_side(root) if x.symbol is None or x is root]


def operands(root: Node) -> list[Node]:
    """The quantities that an equation is written in."""
    return [x for x in right_side(root) if x.symbol is not None and x is not root]


def terms(node: Node) -> list[Node]:
    """What an equation adds up and subtracts."""
    if node.op in (add, sub) and node.symbol is None:
        return [term for x in node.inputs for term in terms(x)]
    return [node]


def factors(node: Node) -> list[Node]:
    """What an equation multiplies, entry by entry."""
    if node.op is mul and node.symbol is None:
        return [factor for x in node.inputs for factor in factors(x)]
    return [node]


def exchanged(root: Node, old: Node, new: Node) -> Node:
    """The equation with an operation or a quantity exchanged; the shapes of what stands above are computed anew."""
    done: dict[Node, Node] = {old: new}
    for node in ancestors([root], stop=lambda x: x is old or (x.symbol is not None and x is not root)):
        if node in done:
            continue
        inputs = tuple(done[x] for x in node.inputs) if node.symbol is None or node is root else node.inputs
        done[node] = node if inputs == node.inputs else _applied(node, inputs)
    return done[root]


def _applied(node: Node, inputs: tuple[Node, ...]) -> Node:
    if node.op is stretch and inputs[0].shape != node.inputs[0].shape:
        return inputs[0]  # an equation's right side is of a fixed shape; what an edit makes of it need not be
    if node.op is expand and len(inputs[0].shape) != len(node.inputs[0].shape):
        return inputs[0]  # what has kept its axes, or has none, needs no further ones
    return row_of(node)(*inputs, **node.attrs)
