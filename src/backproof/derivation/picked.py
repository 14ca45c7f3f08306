"""Arrays that are zero but for the places that an index names.

The derivative of ``log_probs[arange(m), y]`` has one entry in each row, and a sum over a row is that entry. So what an
index picked and what is multiplied with it meet again, and the derivative of a cross-entropy with labels as numbers is
as short as the one with labels as rows: (P − 1 at the label)/m. The derivative of an array that code takes apart by
slices is a sum of arrays side by side: these joined.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from backproof.ir.node import Node
from backproof.ops.arithmetic import add, mul, neg, product, sub
from backproof.ops.leaves import constant
from backproof.ops.linear import expand, stretch, stretched, sum_
from backproof.ops.shaping import concatenate, index, picks_rows, unindex

Formulas = Callable[[Node], Node]
"""Gives, for an operation on quantities, the quantity or node that has this formula already, or itself."""
Shorten = Callable[[Node], Node]


def is_one_in_each_row(node: Node) -> bool:
    """Whether a matrix is zero but for one place in each row, in the order of the rows."""
    return node.op is unindex and picks_rows(node)


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


def collected(node: Node, same: Callable[[Node, Node], bool]) -> Node | None:
    """c·X − c·D as c·(X − D), where D is 1 at one place in each row and 0 elsewhere."""
    if node.op is not add:
        return None
    for picked, rest in (node.inputs, node.inputs[::-1]):
        if not is_one_in_each_row(picked) or rest.op is not mul or rest.symbol is not None:
            continue
        factor, x = sorted(rest.inputs, key=lambda factor: bool(factor.shape))
        entries, negative = picked.inputs[0], False
        while entries.op in (stretch, neg) and entries.symbol is None:
            entries, negative = entries.inputs[0], negative != (entries.op is neg)
        if negative and not factor.shape and same(entries, factor):
            ones = stretched(constant(1), picked.inputs[0].shape)
            return mul(factor, sub(x, replace(picked, inputs=(ones, *picked.inputs[1:]), symbol=None)))
    return None


def joined_parts(node: Node) -> Node | None:
    """A sum of arrays that hold one slice each, as the slices joined; None where they leave gaps or overlap."""
    terms = _terms(node)
    if not all(term.op is unindex and len(term.inputs) == 1 and term.symbol is None for term in terms):
        return None
    rank = len(node.shape)
    found = {_slice(term) for term in terms}
    axes = {axis for axis, _ in found if axis is not None}
    if len(axes) != 1 or any(axis is None for axis, _ in found) or len(found) != len(terms):
        return None
    (axis,) = axes
    parts = sorted(terms, key=lambda term: term.attrs["key"][axis].start)
    places = [term.attrs["key"][axis] for term in parts]
    ends = [0, *(place.stop for place in places)]
    if any(place.start != end or place.step != 1 for place, end in zip(places, ends, strict=False)):
        return None
    if ends[-1] != node.shape[axis].value:
        return None
    return concatenate(*(term.inputs[0] for term in parts), axis=axis - rank, rank=rank)


def _terms(node: Node) -> list[Node]:
    """What a sum adds up, in its order."""
    terms: list[Node] = []
    stack = [node]
    while stack:
        x = stack.pop()
        if x.op is add and (x.symbol is None or x is node):
            stack += x.inputs[::-1]
        else:
            terms.append(x)
    return terms


def _slice(term: Node) -> tuple[int | None, int]:
    """The one axis of which an index takes a part, and where the part begins; None where it is no such index."""
    key, shape = term.attrs["key"], term.shape
    partial = [n for n, (k, size) in enumerate(zip(key, shape, strict=True)) if k != slice(0, size.value, 1)]
    if len(partial) != 1 or not isinstance(key[partial[0]], slice):
        return None, 0
    return partial[0], key[partial[0]].start
