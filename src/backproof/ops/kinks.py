"""Where an operation has no derivative, and what is taken for it there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from backproof.ir.node import Node
from backproof.ops.arithmetic import add, power
from backproof.ops.elementary import pieces, sqrt
from backproof.ops.fused import RELATIONS, FusedRow
from backproof.ops.leaves import constant_, size_
from backproof.ops.rearranging import argsort
from backproof.ops.reductions import max_, min_
from backproof.ops.row import Array
from backproof.ops.scalar import ScalarRow

PIECES = "where a condition changes, the derivative is that of the piece that the formula names there: a choice"
EQUAL = "of equal entries each receives an equal share of the derivative: a choice"
SORTED = "equal entries are sorted as they stand, and each receives the derivative by its own place: a choice"
ROOT = "the derivative of a root of 0 is infinite, and none is chosen: what is multiplied with it has no finite value"


def choice(node: Node) -> str | None:
    """What is taken for the derivative where there is none; None where there is one, or its name says it already."""
    if node.op in (max_, min_):
        return EQUAL
    if node.op is argsort:
        return SORTED
    if node.op is pieces:
        return PIECES if any(x.op in RELATIONS for x in node.inputs[1::2]) else None
    if node.op in (power, sqrt):
        return ROOT if _is_root(node) and not _is_positive(node.inputs[0]) else None
    if isinstance(node.op, FusedRow):
        return PIECES if _has_edges(node.op) else None
    return None


def _is_root(node: Node) -> bool:
    return node.op is sqrt or 0 < node.attrs["exponent"] < 1


def _is_positive(node: Node) -> bool:
    """Whether what is under a root is a length or a number, or has something positive added, as in a normalisation."""
    return node.op in (size_, constant_) or (
        node.op is add and any(x.op is constant_ and x.attrs["value"] > 0 for x in node.inputs)
    )


def _has_edges(row: ScalarRow) -> bool:
    """Whether a definition is made of pieces."""
    return re.search(r"\b(where|abs|sign|Max|Min)\(", row.scalar.definition or "") is not None


def _has_roots(row: ScalarRow) -> bool:
    return re.search(r"\bsqrt\(|\*\*\s*\(?(0\.|1/)", row.scalar.definition or "") is not None


def has_kinks(node: Node) -> bool:
    """Whether there may be places where an operation has no derivative."""
    if node.op in (max_, min_, argsort) or node.op in RELATIONS:
        return True
    if node.op in (power, sqrt):
        return _is_root(node)
    return isinstance(node.op, ScalarRow) and (_has_edges(node.op) or _has_roots(node.op))


def met(node: Node, arrays: Sequence[Array]) -> Iterator[tuple[str, Array]]:
    """Given its inputs, what is taken for an operation's derivative where there is none, and for each entry whether."""
    if node.op in (max_, min_):
        (a,) = arrays
        axes = node.attrs["axes"]
        ties = a == (np.max if node.op is max_ else np.min)(a, axis=axes, keepdims=True)
        yield EQUAL, np.asarray(ties & (np.sum(ties, axis=axes, keepdims=True) > 1))
    elif node.op is argsort:
        last = np.moveaxis(arrays[0], node.attrs["axis"], -1)
        again = np.sum(last[..., None] == last[..., None, :], axis=-1) > 1
        yield SORTED, np.moveaxis(again, -1, node.attrs["axis"])
    elif node.op in RELATIONS:
        yield PIECES, np.equal(*np.broadcast_arrays(*arrays))
    elif node.op in (power, sqrt):
        if _is_root(node):
            yield ROOT, np.equal(arrays[0], 0)
    elif isinstance(node.op, ScalarRow) and node.op.scalar.specified and not any(node.op.scalar.orders):
        if _has_edges(node.op):
            for edge in node.op.scalar.kinks(*arrays):
                yield PIECES, np.equal(edge, 0)
        if _has_roots(node.op):
            for base in node.op.scalar.roots(*arrays):
                yield ROOT, np.equal(base, 0)
