"""Finds what code computes twice: equal functions of the same values are one value."""

from __future__ import annotations

from collections.abc import Container, Hashable, Sequence

from backproof.ir.node import Node
from backproof.ops.entries import row_of
from backproof.ops.linalg import det, inv, logabsdet, solve, solvevec
from backproof.ops.scalar import ScalarRow
from backproof.ops.shaping import index

CLOSED = (det, inv, logabsdet, solve, solvevec)
"""What formulas of matrices repeat, as arithmetic does: they are shorter than with a name for it."""


def merge(order: Sequence[Node], named: Container[Node]) -> dict[Node, Node]:
    """A graph, its nodes in order, with equal functions as one node: for each old node the new one.

    What has a name, or is in `named`, stays a value of its own.
    """
    numbers: dict[Hashable, int] = {}
    number: dict[Node, int] = {}
    known: dict[int, Node] = {}
    done: dict[Node, Node] = {}
    for node in order:
        attrs = repr(sorted(node.attrs.items())) if node.inputs and node.attrs else ""
        key: Hashable = (node.op, tuple([number[x] for x in node.inputs]), attrs)
        number[node] = numbers.setdefault(key if node.inputs else node, len(numbers))
        done[node] = node.on(tuple([done[x] for x in node.inputs]))
        if node.inputs and _is_worth(node):
            first = known.setdefault(number[node], done[node])
            if node.symbol is None and node not in named:
                done[node] = first
    return done


def _is_worth(node: Node) -> bool:
    """Whether a value has a name of its own where it is used twice: a part of an array, or a function of it."""
    general = row_of(node).kind == "general" and node.op not in CLOSED
    return general or node.op is index or isinstance(node.op, ScalarRow)
