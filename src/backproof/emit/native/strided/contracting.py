"""Sums of products of entries (einsum) as products of matrices, so that as little as possible is copied for them.

The axes of two arrays fall into groups: those that only the left one has (rows), those that only the right one has
(columns), those that are summed over; the axes of a group are joined to one. Where they do not lie side by side the
array is copied for that, or some of them are left in front, as a stack of products.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from backproof.ir.node import Node
from backproof.ir.sizes import ONE, Size, of_length
from backproof.ops import linalg, linear, shaping, windows
from backproof.ops.arithmetic import mul

PER_PRODUCT = 400
"""A product more costs about as much as to copy so many entries."""
Sizes = Mapping[str, Size]


@dataclass(frozen=True, slots=True)
class Factor:
    """An array and the letters of its axes, in the order in which its entries lie."""

    node: Node
    names: str

    @property
    def is_apart(self) -> bool:
        """Whether its entries surely lie elsewhere than one after the other."""
        return self.node.op is windows.windows


def contracted(arrays: Sequence[Node], names: Sequence[str], result: str) -> Node:
    """The sum of the products of entries, over every letter that the result does not have."""
    sizes: dict[str, Size] = {}
    for x, own in zip(arrays, names, strict=True):
        for name, size in zip(own, x.shape, strict=True):
            sizes[name] = size if sizes.get(name, ONE) == ONE else sizes[name]
    factors = [_plain(Factor(x, own)) for x, own in zip(arrays, names, strict=True)]
    whole = "".join(name for name in result if sizes[name] != ONE)
    while len(factors) > 1:
        first, second, *rest = factors
        later = {*whole, *(name for x in rest for name in x.names)}
        kept = "".join(dict.fromkeys(name for name in first.names + second.names if name in later))
        kept = whole if not rest else kept
        factors = [Factor(_of_two(_alone(first, second, kept), _alone(second, first, kept), kept, sizes), kept), *rest]
    (last,) = factors
    if len(arrays) == 1:
        last = _alone(last, Factor(last.node, ""), whole)
    found = _permuted(last.node, last.names, whole)
    missing = tuple(k - len(result) for k, name in enumerate(result) if sizes[name] == ONE)
    return linear.expand(found, axes=missing) if missing and found.shape else _filled(found, len(missing))


def _filled(x: Node, axes: int) -> Node:
    return linear.expand(x, axes=tuple(range(-axes, 0))) if axes else x


def _plain(x: Factor) -> Factor:
    """A factor without axes of length one, without a letter twice, and as its entries lie before they are exchanged."""
    node, names = x.node, x.names
    for name in dict.fromkeys(names):
        while names.count(name) > 1:  # the entries at the same place of both axes
            first, second = [k for k, other in enumerate(names) if other == name][:2]
            rest = "".join(other for k, other in enumerate(names) if k not in (first, second))
            order = [*(k for k in range(len(names)) if k not in (first, second)), first, second]
            node, names = linalg.diagonal(_in_order(node, order)), rest + name
    short = [k for k, size in enumerate(node.shape) if size == ONE]
    if short:
        node = shaping.squeeze(node, axes=tuple(k - len(names) for k in short))
        names = "".join(name for k, name in enumerate(names) if k not in short)
    while node.op in (linear.transpose, shaping.permute):
        axes = node.attrs.get("axes", (*range(-len(names), -2), -1, -2))
        inner = [""] * len(names)
        for name, axis in zip(names, axes, strict=True):
            inner[axis] = name
        node, names = node.inputs[0], "".join(inner)
    return Factor(node, names)


def _alone(x: Factor, other: Factor, kept: str) -> Factor:
    """A factor summed over what neither the other one nor the result has."""
    gone = [k for k, name in enumerate(x.names) if name not in other.names and name not in kept]
    if not gone:
        return x
    summed = linear.total(x.node, tuple(k - len(x.names) for k in gone), keepdims=False)
    return Factor(summed, "".join(name for k, name in enumerate(x.names) if k not in gone))


# --- two factors


@dataclass(frozen=True, slots=True)
class Way:
    """How two factors are multiplied: what is left in front, what of that is summed over, and what is joined."""

    stack: str
    rows: str
    over: str
    columns: str


def _of_two(a: Factor, b: Factor, result: str, sizes: Sizes) -> Node:
    over = "".join(name for name in a.names if name in b.names and name not in result)
    if not over:
        return _multiplied(a, b, result)
    way = min(_ways(a, b, result, over), key=lambda way: _cost(way, a, b, result, sizes))
    left = _matrix(a, way.stack, way.rows, way.over, sizes)
    right = _matrix(b, way.stack, way.over, way.columns, sizes)
    order = way.stack + way.rows + way.columns
    turned = way.stack + way.columns + way.rows
    if _moves(turned, result) < _moves(order, result):
        product, order = linear.matmul(linear.transposed(right), linear.transposed(left)), turned
    else:
        product = linear.matmul(left, right)
    parted = _reshaped(product, [sizes[name] for name in order])
    gone = [k for k, name in enumerate(order) if name not in result]
    if gone:
        parted = linear.total(parted, tuple(k - len(order) for k in gone), keepdims=False)
        order = "".join(name for name in order if name in result)
    return _permuted(parted, order, result)


def _moves(order: str, result: str) -> bool:
    return "".join(name for name in order if name in result) != result


def _ways(a: Factor, b: Factor, result: str, over: str) -> Iterator[Way]:
    """Without a stack but for what all have; with the first axes of one of them as a stack, or of both."""
    both = "".join(name for name in result if name in a.names and name in b.names)
    rows = "".join(name for name in a.names if name in result and name not in both)
    columns = "".join(name for name in b.names if name in result and name not in both)
    orders = dict.fromkeys((over, "".join(name for name in b.names if name in over)))
    for order in orders:
        for n in range(max(1, len(rows))):
            yield Way(both + rows[:n], rows[n:], order, columns)
        for n in range(1, len(columns)):
            yield Way(both + columns[:n], rows, order, columns[n:])
        for n in range(1, len(order)):
            if rows and columns and a.names.startswith(order[:n]) and b.names.startswith(order[:n]):
                yield Way(both + order[:n], rows, order[n:], columns)


def _cost(way: Way, a: Factor, b: Factor, result: str, sizes: Sizes) -> float:
    """About how many entries are copied."""
    copied = sum(
        _count(x.names, sizes) * (2 if x.is_apart else 1)
        for x, groups in ((a, (way.rows, way.over)), (b, (way.over, way.columns)))
        if x.is_apart or not all(group in x.names for group in groups)
    )
    made = _count(way.stack + way.rows + way.columns, sizes)
    orders = (way.stack + way.rows + way.columns, way.stack + way.columns + way.rows)
    is_moved = all(_moves(order, result) for order in orders)
    added = made if any(name not in result for name in way.stack) else 0
    return copied + added + made * is_moved + PER_PRODUCT * _count(way.stack, sizes)


def _matrix(x: Factor, stack: str, rows: str, columns: str, sizes: Sizes) -> Node:
    """A factor as a stack of matrices, an axis of length one for each letter in front that it does not have."""
    own = "".join(name for name in stack if name in x.names)
    groups = [rows, columns]
    # Of what is copied the longer of the last axes is the inner one; else the order is that in which entries lie.
    if x.is_apart:
        is_turned = _last(rows, sizes) > _last(columns, sizes)
    else:
        is_turned = bool(rows and columns) and x.names.index(rows[0]) > x.names.index(columns[0])
    first, second = groups[::-1] if is_turned else groups
    laid = _permuted(x.node, x.names, own + first + second)
    shaped = _reshaped(laid, [*(sizes[name] for name in own), _joined(first, sizes), _joined(second, sizes)])
    found = linear.transposed(shaped) if is_turned else shaped
    missing = tuple(k - len(stack) - 2 for k, name in enumerate(stack) if name not in x.names)
    return linear.expand(found, axes=missing) if missing else found


def _multiplied(a: Factor, b: Factor, result: str) -> Node:
    """Products of entries that nothing is summed of."""

    def laid(x: Factor) -> Node:
        own = "".join(name for name in result if name in x.names)
        missing = tuple(k - len(result) for k, name in enumerate(result) if name not in x.names)
        found = _permuted(x.node, x.names, own)
        return linear.expand(found, axes=missing) if missing and found.shape else found

    return mul(laid(a), laid(b))


# --- axes


def _count(names: str, sizes: Sizes) -> int:
    return prod(sizes[name].value or 1 for name in names)


def _last(names: str, sizes: Sizes) -> int:
    return (sizes[names[-1]].value or 1) if names else 1


def _joined(names: str, sizes: Sizes) -> Size:
    return sizes[names] if len(names) == 1 else of_length(_count(names, sizes))


def _permuted(x: Node, own: str, order: str) -> Node:
    return _in_order(x, [own.index(name) for name in order])


def _in_order(x: Node, order: Sequence[int]) -> Node:
    rank = len(order)
    return x if list(order) == list(range(rank)) else shaping.permute(x, axes=tuple(k - rank for k in order))


def _reshaped(x: Node, shape: Sequence[Size]) -> Node:
    return x if list(x.shape) == list(shape) else shaping.reshape(x, sizes=tuple(shape), rank=len(x.shape))
