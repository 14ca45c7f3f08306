"""Another quantity in the place of the right one."""

# ruff: noqa: B023  (each candidate is made before the loop that offers it goes on)

from __future__ import annotations

from collections.abc import Iterator

from backproof.checking.equations import exchanged, inside, operands
from backproof.checking.mistakes.kinds import Candidate, Context, is_derivative, is_slope
from backproof.ir.node import Node
from backproof.ops.entries import row_of
from backproof.ops.linear import transposed
from backproof.ops.scalar import ScalarRow


def slopes_elsewhere(root: Node, context: Context) -> Iterator[Candidate]:
    """The derivative of an activation taken of A for Z, of Z for A, or of another layer."""
    for node in inside(root):
        row = row_of(node)
        is_named = isinstance(row, ScalarRow) and row.base is not None and len(node.inputs) == 1
        if not is_named and not is_slope(node):
            continue
        (old,) = node.inputs if is_named else operands(node)
        for new in (*context.quantities, *context.gradients.values()):
            if new is not old and len(new.shape) == len(old.shape):
                says = "the derivative of the activation is taken of {0} in place of {1}"
                yield Candidate(says, lambda: exchanged(root, node, exchanged(node, old, new)), (new, old))


def others(root: Node, context: Context) -> Iterator[Candidate]:
    """A quantity of another layer, before the activation or behind it, from the forward pass or from behind."""
    forward, backward = context.quantities, tuple(context.gradients.values())
    for old in operands(root):
        for new in (*backward, *forward) if is_derivative(old) else (*forward, *backward):
            if new is not old:
                for put in (new, transposed(new)) if len(new.shape) == 2 else (new,):
                    yield Candidate("{0} stands where {1} belongs", lambda: exchanged(root, old, put), (new, old))
