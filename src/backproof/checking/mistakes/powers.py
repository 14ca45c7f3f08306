"""Squares, roots and the small numbers beside them."""

# ruff: noqa: B023  (each candidate is made before the loop that offers it goes on)

from __future__ import annotations

from collections.abc import Iterator

from backproof.checking.equations import exchanged, inside, operands
from backproof.checking.mistakes.kinds import Candidate, Context, is_derivative
from backproof.ir.node import Node
from backproof.ops.arithmetic import add, div, mul, power, raised, sub
from backproof.ops.elementary import sqrt
from backproof.ops.entries import row_of
from backproof.ops.leaves import constant, constant_, is_number

SMALL = 0.01
"""A number up to this size that is added to something is there against division by zero."""


def wrong_powers(root: Node, context: Context) -> Iterator[Candidate]:
    """A square or a root left out, too many, or at the wrong place; another exponent."""
    for node in inside(root):
        if node.op is mul and node.inputs[0] is node.inputs[1]:
            x = node.inputs[0]
            yield Candidate("a square is left out", lambda: exchanged(root, node, x))
            yield Candidate("2·x stands where x² belongs", lambda: exchanged(root, node, mul(constant(2), x)))
        if node.op is power:
            (x,), own = node.inputs, node.attrs["exponent"]
            for exponent in (own - 1, own + 1, own - 0.5, own + 0.5, -own):
                says = f"the exponent is {exponent:g} in place of {own:g}"
                yield Candidate(says, lambda: exchanged(root, node, raised(x, exponent)))
        if node.op in (sub, add) and node.inputs[1].op is mul and node.inputs[1].inputs[0] is node.inputs[1].inputs[1]:
            difference = row_of(node)(node.inputs[0], node.inputs[1].inputs[0])
            says = "the whole is squared, where one term of it is"
            yield Candidate(says, lambda: exchanged(root, node, mul(difference, difference)))
        if node.op is sqrt:
            yield Candidate("a square root is left out", lambda: exchanged(root, node, node.inputs[0]))
        if node.op is div and is_number(node.inputs[0], 1):
            yield Candidate("x stands where 1/x belongs", lambda: exchanged(root, node, node.inputs[1]))
    for x in operands(root):
        if not is_derivative(x) and x.shape:
            yield Candidate("{0} is squared", lambda: exchanged(root, x, mul(x, x)), (x,))
            yield Candidate("the square root of {0} is taken", lambda: exchanged(root, x, sqrt(x)), (x,))
            yield Candidate("1/{0} stands where {0} belongs", lambda: exchanged(root, x, div(constant(1), x)), (x,))


def without_epsilon(root: Node, context: Context) -> Iterator[Candidate]:
    """A small number left out that the forward pass adds against division by zero."""
    for node in inside(root):
        yield from _without(root, node, node)
    for x in operands(root):
        if not is_derivative(x):
            for node in inside(x):
                yield from _without(root, node, x)


def _without(root: Node, node: Node, inner: Node) -> Iterator[Candidate]:
    for small, other in (node.inputs, node.inputs[::-1]) if node.op is add else ():
        if small.op is constant_ and abs(small.attrs["value"]) <= SMALL:
            says = "the small number {0} that the forward pass adds is left out"
            without = exchanged(inner, node, other)
            yield Candidate(says, lambda: exchanged(root, inner, without), (small,))
