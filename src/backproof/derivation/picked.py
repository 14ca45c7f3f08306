"""Arrays with one entry in each row, as the derivative of ``log_probs[arange(m), y]`` is: sums over them are that entry.

So what an index picked and what is multiplied with it meet again, and the derivative of a cross-entropy with labels as
numbers is as short as the one with labels as rows: (P − 1 at the label)/m.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from backproof.ir.node import Node
from backproof.ops.arithmetic import add, mul, neg, product, sub
from backproof.ops.linear import expand, stretch, sum_
from backproof.ops.shaping import Slot, index, unindex

Formulas = Callable[[Node], Node]
"""Gives, for an operation on quantities, the quantity or node that has this formula already, or itself."""
Shorten = Callable[[Node], Node]


def is_one_in_each_row(node: Node) -> bool:
    """Whether a matrix is zero but for one place in each row, in the order of the rows."""
    if node.op is not unindex or node.attrs["key"] != (Slot(0), Slot(1)) or len(node.inputs) != 3:
        return False
    rows = node.inputs[1].attrs.get("value")
    lengths = [size.value for size in node.shape]
    return rows is not None and np.array_equal(rows, np.arange(lengths[0] or 0))


def without_picked_sums(node: Node, known: Formulas, shorten: Shorten) -> Node | None:
    """A sum over rows that hold one entry each; a product with the difference of such an array and its sum."""
    if node.op is sum_ and tuple(node.attrs["axes"]) == (-1,):
        found = _entries(node.inputs[0], known)
        if found is None:
            return None
        return _column(shorten(found)) if node.attrs["keepdims"] else shorten(found)
    return None


def _column(entries: Node) -> Node:
    """Entries as a column; a number that is the same in all rows stays a number, and a sign stands before."""
    if entries.symbol is None:
        if entries.op is neg:
            return neg(_column(entries.inputs[0]))
        if entries.op is stretch:
            return _column(entries.inputs[0])
    return expand(entries, axes=(-1,)) if entries.shape else entries


def _entries(summand: Node, known: Formulas) -> Node | None:
    """The entry in each row, for an array of them or its product with another array."""
    if is_one_in_each_row(summand):
        return summand.inputs[0]
    if summand.op is mul and summand.symbol is None:
        for picked, other in (summand.inputs, summand.inputs[::-1]):
            if is_one_in_each_row(picked) and other.shape == picked.shape:
                return _times(picked, other, known)
    return None


def _times(picked: Node, other: Node, known: Formulas) -> Node:
    return mul(picked.inputs[0], known(index(other, *picked.inputs[1:], key=picked.attrs["key"])))


def multiplied_out(node: Node, known: Formulas, shorten: Shorten) -> Node | None:
    """A·(D ± S) as (A·D) ± A·S, where D has one entry in each row, which A shortens."""
    if node.op is not mul:
        return None
    for factor, difference in (node.inputs, node.inputs[::-1]):
        if difference.op not in (add, sub) or difference.symbol is not None:
            continue
        picked, rest = difference.inputs
        if not is_one_in_each_row(picked) or factor.shape != picked.shape:
            continue
        times = _times(picked, factor, known)
        entries = shorten(times)
        if entries is times:
            return None
        combine = add if difference.op is add else sub
        return combine(replace(picked, inputs=(entries, *picked.inputs[1:]), symbol=None), product(factor, rest))
    return None
