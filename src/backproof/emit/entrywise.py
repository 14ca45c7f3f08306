"""What operations on entries at the same place do with the values of one place."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sympy

from backproof.emit.scalars import NAMED, Arithmetic, UncoveredError, V, is_covered, powered, value_of
from backproof.ir.node import Node
from backproof.ops import arithmetic, elementary
from backproof.ops.entries import row_of
from backproof.ops.functions import symbols, xlogy
from backproof.ops.row import Row
from backproof.ops.scalar import ScalarRow

SIMPLE = (arithmetic.add, arithmetic.sub, arithmetic.mul, arithmetic.div, arithmetic.neg)


def is_entrywise(node: Node) -> bool:
    """Whether each entry of a node depends on the entries at its place, and there is a form for it."""
    op = row_of(node)
    if op is arithmetic.power:
        return is_covered(float(node.attrs["exponent"]))
    return op in SIMPLE or op in elementary.COMPARISONS or op is elementary.pieces or isinstance(op, ScalarRow)


CHEAP: tuple[Row, ...] = (
    *(arithmetic.add, arithmetic.sub, arithmetic.mul, arithmetic.neg, arithmetic.power),
    elementary.pieces,
    *elementary.COMPARISONS,
)


def is_cheap(node: Node) -> bool:
    """Whether an entry takes less time to compute than to keep: no function of its own, no division of arrays."""
    op = row_of(node)
    if isinstance(op, ScalarRow):
        return op.scalar.specified and not op.scalar.expr.has(*NAMED, sympy.Pow, xlogy)
    return op in CHEAP or (op is arithmetic.div and not node.shape)


def entry_of(node: Node, values: Sequence[V], on: Arithmetic[V]) -> V:
    """The entry of a node from those of its inputs. Raises UncoveredError."""
    op = row_of(node)
    if op in SIMPLE:
        simple: Callable[..., V] = getattr(on, op.name)
        return simple(*values)
    if op in elementary.COMPARISONS:
        return on.as_number(on.compare(elementary.COMPARISONS[op], *values))
    if op is arithmetic.power:
        return powered(on, values[0], float(node.attrs["exponent"]))
    if op is elementary.pieces:
        result = values[-1]
        for value, condition in zip(values[-3::-2], values[-2::-2], strict=True):
            result = on.select(on.compare("!=", condition, on.number(0)), value, result)
        return result
    if isinstance(op, ScalarRow) and op.scalar.specified:
        names = symbols(op.scalar.arguments)
        found: V = value_of(op.scalar.expr, dict(zip(names, values, strict=True)), on)
        return found
    raise UncoveredError(f"the operation {node.op.name}")
