"""Derivatives of activations, of softmax and of losses, taken for one another or used twice."""

# ruff: noqa: B023  (each candidate is made before the loop that offers it goes on)

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backproof.checking.equations import exchanged, inside, operands
from backproof.checking.mistakes.kinds import Candidate, Context, is_derivative, is_slope
from backproof.ir.node import Node
from backproof.ops import activations
from backproof.ops.arithmetic import div, mul, neg, sub
from backproof.ops.elementary import equal, greater, pieces
from backproof.ops.entries import row_of
from backproof.ops.formula import through_value
from backproof.ops.fused import FusedRow
from backproof.ops.leaves import constant
from backproof.ops.linear import sum_
from backproof.ops.scalar import ScalarRow, derivative

COMMON = (activations.sigmoid, activations.tanh, activations.relu)
"""Activations whose derivatives are taken for those of others."""


def wrong_activations(root: Node, context: Context) -> Iterator[Candidate]:
    """The derivative of another activation."""
    rows = dict.fromkeys((*_rows(context), *COMMON))
    for node in inside(root):
        row = row_of(node)
        if isinstance(row, ScalarRow) and row.base is not None and len(node.inputs) == 1:
            for other in rows:
                if other is not row.base:
                    says = f"the derivative of {other.name} stands where that of {row.base.name} belongs"
                    yield Candidate(says, lambda: exchanged(root, node, derivative(other, 0)(*node.inputs)))
            for x in context.quantities:
                if row_of(x) is row.base and x.inputs == node.inputs:
                    for other in rows:
                        if other is not row.base:
                            yield from _through(root, node, x, other)
        elif is_slope(node):
            (x,) = operands(node)
            for other in rows:
                yield from _through(root, node, x, other)
                if node.op is pieces:  # as that of a leaky relu is
                    says = f"the derivative of {other.name} stands where that of another activation belongs"
                    yield Candidate(says, lambda: exchanged(root, node, derivative(other, 0)(x)))


def _through(root: Node, node: Node, value: Node, other: ScalarRow) -> Iterator[Candidate]:
    """The derivative of another activation, written through the value of this one: a·(1 − a) where 1 − a² belongs."""
    form = derivative(other, 0).scalar.value_form
    if form is not None and other is not row_of(value):
        says = f"the derivative of {other.name}, written through its value, stands where that of {{0}} belongs"
        yield Candidate(says, lambda: exchanged(root, node, through_value(form, value)), (value,))


def _rows(context: Context) -> list[ScalarRow]:
    rows = [row for row in map(row_of, context.quantities) if isinstance(row, ScalarRow)]
    return [row for row in rows if len(row.scalar.arguments) == 1 and not isinstance(row, FusedRow)]


def undifferentiated(root: Node, context: Context) -> Iterator[Candidate]:
    """The activation itself in the place of its derivative."""
    for node in inside(root):
        row = row_of(node)
        if isinstance(row, ScalarRow) and row.base is not None and len(node.inputs) == 1:
            says = f"{row.base.name} itself stands where its derivative belongs"
            own = row.base
            yield Candidate(says, lambda: exchanged(root, node, own(*node.inputs)))
            says = "{0} itself stands where a derivative of it belongs"
            yield Candidate(says, lambda: exchanged(root, node, node.inputs[0]), node.inputs)
        elif is_slope(node):
            (x,) = operands(node)
            yield Candidate("{0} itself stands where a derivative belongs", lambda: exchanged(root, node, x), (x,))


def slopes_twice(root: Node, context: Context) -> Iterator[Candidate]:
    """The derivative of an activation where the equation has it already, as the A − Y of a loss has."""
    for x in context.quantities:
        row = row_of(x)
        if isinstance(row, ScalarRow) and len(x.inputs) == 1:
            says = "the derivative of {0} by {1} is in it once too often"
            yield Candidate(says, lambda: mul(root, derivative(row, 0)(*x.inputs)), (x, *x.inputs))
    for x in context.quantities:
        if x.shape == root.shape:
            for says, slope in _of_value(x):
                says = f"it is multiplied by {says} too, a derivative that is in it"
                yield Candidate(says, lambda: mul(root, slope), (x,))


def _of_value(x: Node) -> Iterable[tuple[str, Node]]:
    """The usual derivatives written through a value."""
    one = constant(1)
    return (
        ("{0}·(1 − {0})", mul(x, sub(one, x))),
        ("1 − {0}²", sub(one, mul(x, x))),
        ("{0} > 0", pieces(one, greater(x, constant(0)), constant(0))),
    )


def entrywise_softmax(root: Node, context: Context) -> Iterator[Candidate]:
    """Softmax differentiated as if each entry depended on its own alone: dP * P * (1 − P)."""
    for x, dx in context.gradients.items() if any(node.op is sum_ for node in inside(root)) else ():
        if x.shape == root.shape and dx.shape == x.shape and x in operands(root) and dx in operands(root):
            says = "softmax is differentiated element by element, but each entry of {0} depends on a whole row"
            yield Candidate(says, lambda: mul(dx, mul(x, sub(constant(1), x))), (x,))


def wrong_losses(root: Node, context: Context) -> Iterator[Candidate]:
    """The derivative of another loss, or of the loss by something else."""
    found = [x for x in operands(root) if not is_derivative(x) and x.shape == root.shape]
    for a in found:
        for y in found:
            if a is y:
                continue
            by_logits, one = sub(a, y), constant(1)
            yield Candidate("{0} − {1} stands where the derivative of the loss belongs", lambda: by_logits, (a, y))
            says = "−{1}/{0} stands where the derivative of the loss belongs"
            yield Candidate(says, lambda: neg(div(y, a)), (a, y))
            says = "({0} − {1})/({0}·(1 − {0})), the derivative of the cross-entropy, stands where another belongs"
            yield Candidate(says, lambda: div(by_logits, mul(a, sub(one, a))), (a, y))
            says = "the sign of {0} − {1} stands where the derivative of the loss belongs"
            yield Candidate(says, lambda: pieces(one, greater(a, y), neg(one)), (a, y))


def comparisons(root: Node, context: Context) -> Iterator[Candidate]:
    """A mask the wrong way round, or of everything."""
    one, zero = constant(1), constant(0)
    for node in inside(root):
        row = row_of(node)
        if isinstance(row, ScalarRow) and row.base is activations.relu:
            says = "the comparison in the derivative of relu is the wrong way round"
            mask = pieces(zero, greater(node.inputs[0], zero), one)
            yield Candidate(says, lambda: exchanged(root, node, mask))
        if node.op is pieces and len(node.inputs) == 3:
            first, condition, second = node.inputs
            says = "the comparison is the wrong way round"
            yield Candidate(says, lambda: exchanged(root, node, pieces(second, condition, first)))
            if condition.op is equal:
                says = "all entries receive the derivative, and not the one that was chosen alone"
                yield Candidate(says, lambda: exchanged(root, node, first))
