"""What NumPy's functions on whole arrays become: joining, splitting, padding, sorting, products, windows.

A function whose result is a truth value or a whole number gives that plain value, with a note on the tape: the
derivation holds where it does not change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backproof.frontends.tracing.calls import (
    _array,
    _axes,
    _concatenate,
    _flat,
    _indexed,
    _mean,
    _only,
    _permuted,
    _reshaped,
    becomes,
)
from backproof.frontends.tracing.tape import refuse
from backproof.frontends.tracing.traced import HANDLERS, RUNNING_TOTALS, Handler, Nodes, Traced
from backproof.ir.node import Node
from backproof.ir.sizes import ONE, Size, broadcast, of_length
from backproof.ops import rearranging, reductions
from backproof.ops.arithmetic import add, div, mul, sub
from backproof.ops.leaves import constant
from backproof.ops.linear import expand, stretched, total
from backproof.ops.shaping import index, sliced, squeeze, unindex


def _lengths(node: Node) -> tuple[int, ...]:
    return tuple(size.value or 0 for size in node.shape)


def _axis(node: Node, axis: Any, function: str) -> int:
    """One axis, as a negative number."""
    if isinstance(axis, tuple | list):
        raise refuse(f"{function} over several axes is not followed", instead="reshape them to one axis first")
    return _axes(node, axis)[0]


def _along(nodes: Nodes, x: Any, axis: Any, function: str) -> tuple[Node, int]:
    """An argument and the axis that a function works along; without one, NumPy flattens the array."""
    node = _array(nodes, x)
    return (_flat(node), -1) if axis is None or not node.shape else (node, _axis(node, axis, function))


def _part(node: Node, axis: int, start: int, stop: int) -> Node:
    """The entries from `start` to before `stop` along an axis."""
    if (start, stop) == (0, node.shape[axis].value):
        return node
    key = [sliced(0, n) for n in _lengths(node)]
    key[axis] = sliced(start, stop)
    return index(node, key=tuple(key))


# --- plain values


def _as_given(name: str) -> Handler:
    def handler(nodes: Nodes, *arguments: Any, **options: Any) -> None:
        nodes.tape.note(f"np.{name} depends on values; the derivation is that for the ones given")

    return handler


for _name in (
    *("all", "allclose", "any", "argmax", "argmin", "argsort", "argwhere", "array_equal", "bitwise_and", "bitwise_or"),
    *("bitwise_xor", "count_nonzero", "digitize", "flatnonzero", "invert", "isclose", "isfinite", "isinf", "isnan"),
    *("argpartition", "array_equiv", "isin", "isneginf", "isposinf", "lexsort", "nanargmax", "nanargmin"),
    *("logical_and", "logical_not", "logical_or", "logical_xor", "nonzero", "searchsorted", "signbit"),
):
    HANDLERS[getattr(np, _name)] = _as_given(_name)


for _name in (
    *("array2string", "array_repr", "array_str", "can_cast", "common_type", "may_share_memory", "min_scalar_type"),
    *("result_type", "shares_memory"),
):
    HANDLERS[getattr(np, _name)] = lambda nodes, *arguments, **options: None


# --- the same array


HANDLERS[np.copy] = lambda nodes, x, **options: nodes(x)


@becomes(np.full_like)
def _full_like(nodes: Nodes, x: Any, fill: Any, dtype: Any = None, **options: Any) -> Node:
    if options.get("shape") is not None:
        raise refuse("np.full_like with another shape is not followed", instead="use np.full or np.broadcast_to")
    return stretched(nodes(fill), nodes(x).shape)


# --- products


@becomes(np.prod)
def _prod(nodes: Nodes, x: Any, axis: Any = None, keepdims: Any = False, **options: Any) -> Node:
    _only(options, "np.prod")
    node = _array(nodes, x)
    kept = keepdims is True
    if axis is None and len(node.shape) > 1 and not kept:
        node = _flat(node)
    for k in _axes(node, axis):
        node = reductions.prod(node, axes=(k,), keepdims=kept)
    return node


@becomes(np.cumprod)
def _cumprod(nodes: Nodes, x: Any, axis: Any = None, **options: Any) -> Node:
    _only(options, "np.cumprod")
    node, along = _along(nodes, x, axis, "np.cumprod")
    return reductions.cumprod(node, axis=along, reverse=False)


def _cumulative(function: Any, first: float) -> Handler:
    def handler(nodes: Nodes, x: Any, *, axis: Any = None, include_initial: bool = False, **options: Any) -> Node:
        node = nodes(x)
        along = _axes(node, -1 if axis is None else axis)[0]
        found: Node = HANDLERS[function](nodes, node, along, **options)
        return _concatenate(nodes, [*_edge(node, along, 1, first), found], along) if include_initial else found

    return handler


HANDLERS[np.cumulative_sum], HANDLERS[np.cumulative_prod] = _cumulative(np.cumsum, 0), _cumulative(np.cumprod, 1)


# --- the opposite order, moved on


@becomes(np.flip)
def _flip(nodes: Nodes, x: Any, axis: Any = None) -> Node:
    node = nodes(x)
    return rearranging.flip(node, axes=_axes(node, axis)) if node.shape else node


HANDLERS[np.flipud] = lambda nodes, x: _flip(nodes, x, 0)
HANDLERS[np.fliplr] = lambda nodes, x: _flip(nodes, x, 1)


@becomes(np.roll)
def _roll(nodes: Nodes, x: Any, shift: Any, axis: Any = None) -> Node:
    node = nodes(x)
    if axis is None:
        moved = rearranging.roll(_flat(node), shifts=(int(shift),), axes=(-1,))
        return _reshaped(moved, _lengths(node))
    shifts, axes = np.broadcast_arrays(np.atleast_1d(shift), np.atleast_1d(axis))
    rank = len(node.shape)
    return rearranging.roll(node, shifts=tuple(int(k) for k in shifts), axes=tuple(int(k) % rank - rank for k in axes))


@becomes(np.rot90)
def _rot90(nodes: Nodes, x: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> Node:
    node = nodes(x)
    rank = len(node.shape)
    first, second = (int(axis) % rank for axis in axes)
    order = list(range(rank))
    order[first], order[second] = second, first
    match k % 4:
        case 0:
            return node
        case 1:
            return _permuted(_flip(nodes, node, second), order)
        case 2:
            return _flip(nodes, node, (first, second))
    return _flip(nodes, _permuted(node, order), second)


@becomes(np.rollaxis)
def _rollaxis(nodes: Nodes, x: Any, axis: int, start: int = 0) -> Node:
    node = nodes(x)
    # The lengths 2, 3, … tell which axis went where.
    places = np.rollaxis(np.empty(tuple(range(2, 2 + len(node.shape)))), axis, start).shape
    return _permuted(node, [n - 2 for n in places])


# --- repeated


@becomes(np.resize)
def _resize(nodes: Nodes, x: Any, new_shape: Any) -> Node:
    node = _flat(nodes(x))
    places = np.resize(np.arange(node.shape[0].value or 0), new_shape)
    return _reshaped(_indexed(nodes, node, places.ravel()), places.shape)


@becomes(np.repeat)
def _repeat(nodes: Nodes, x: Any, repeats: Any, axis: Any = None) -> Node:
    node, along = _along(nodes, x, axis, "np.repeat")
    node = node if node.shape else expand(node, axes=(-1,))
    counts = np.atleast_1d(repeats)
    if counts.size > 1:
        places = np.repeat(np.arange(node.shape[along].value or 0), counts)
        return _indexed(nodes, node, (..., places, *[slice(None)] * (-along - 1)))
    times = int(counts[0])
    if times < 1:
        raise refuse("np.repeat with 0 repetitions gives an empty array")
    within, lengths = expand(node, axes=(along,)), list(_lengths(node))
    sizes = list(within.shape)
    sizes[along] = of_length(times)
    lengths[along] *= times
    return _reshaped(stretched(within, tuple(sizes)), lengths)


@becomes(np.tile)
def _tile(nodes: Nodes, x: Any, reps: Any) -> Node:
    node = nodes(x)
    times = [int(k) for k in np.atleast_1d(reps)]
    if min(times) < 1:
        raise refuse("np.tile with 0 repetitions gives an empty array")
    node = _at_least(node, len(times))
    rank = len(node.shape)
    times = [1] * (rank - len(times)) + times
    # Each axis in two, of which the first counts the repetitions.
    doubled = expand(node, axes=tuple(range(-2 * rank, 0, 2)))
    sizes = [part for k, size in zip(times, node.shape, strict=True) for part in (of_length(k), size)]
    return _reshaped(stretched(doubled, tuple(sizes)), [k * n for k, n in zip(times, _lengths(node), strict=True)])


@becomes(np.broadcast_arrays)
def _broadcast_arrays(nodes: Nodes, *arrays: Any, **options: Any) -> list[Node]:
    found = [nodes(x) for x in arrays]
    shape = broadcast([x.shape for x in found])
    return [stretched(x, shape) for x in found]


GATHERING = ("edge", "reflect", "symmetric", "wrap")
"""Ways of padding with entries of the array itself."""


@becomes(np.pad)
def _pad(nodes: Nodes, x: Any, pad_width: Any, mode: Any = "constant", **options: Any) -> Node:
    node = nodes(x)
    rank = len(node.shape)
    if isinstance(pad_width, dict):
        by_axis = {int(axis) % rank: np.broadcast_to(ends, 2).tolist() for axis, ends in pad_width.items()}
        pad_width = [by_axis.get(axis, [0, 0]) for axis in range(rank)]
    if mode != "constant" and (mode not in GATHERING or options):
        raise refuse(f"np.pad with mode={mode!r} in this form is not followed", instead="use np.concatenate")
    widths = np.broadcast_to(np.asarray(pad_width), (rank, 2)).tolist()
    if mode != "constant":
        return _gathered(nodes, node, widths, mode)
    values = options.get("constant_values", 0)
    if not np.any(values):
        return _among_zeros(node, widths)
    for axis, (ends, edges) in enumerate(zip(widths, np.broadcast_to(values, (rank, 2)).tolist(), strict=True)):
        before, after = (_edge(node, axis, n, value) for n, value in zip(ends, edges, strict=True))
        node = _concatenate(nodes, [*before, node, *after], axis)
    return node


def _among_zeros(node: Node, widths: list[list[int]]) -> Node:
    key, sizes = [], []
    for (before, after), size in zip(widths, node.shape, strict=True):
        n = size.value or 0
        key.append(sliced(before, before + n))
        sizes.append(of_length(before + n + after) if before + after else size)
    return unindex(node, key=tuple(key), sizes=tuple(sizes))


def _edge(node: Node, axis: int, n: int, value: float) -> list[Node]:
    """What is joined to an array to pad it with n times the same number."""
    sizes: list[Size] = list(node.shape)
    sizes[axis] = of_length(n)
    return [stretched(constant(value), tuple(sizes))] if n else []


def _gathered(nodes: Nodes, node: Node, widths: list[list[int]], mode: Any) -> Node:
    for axis, ends in enumerate(widths):
        if any(ends):
            places = np.pad(np.arange(node.shape[axis].value or 0), ends, mode=mode)
            node = _indexed(nodes, node, (*[slice(None)] * axis, places))
    return node


# --- sorted


@becomes(np.sort)
def _sort(nodes: Nodes, x: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Node:
    _only({"order": order}, "np.sort")
    node, along = _along(nodes, x, axis, "np.sort")
    return rearranging.take_along(node, rearranging.argsort(node, axis=along), axis=along)


@becomes(np.partition)
def _partition(nodes: Nodes, x: Any, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None) -> Node:
    _only({"order": order}, "np.partition")
    node, along = _along(nodes, x, axis, "np.partition")
    nodes.tape.note("np.partition depends on values; the derivation is that for the ones given")
    value = nodes.value(x) if axis is not None else np.ravel(nodes.value(x))
    order, ranks = (np.argsort(a, axis=along, kind="stable") for a in (value, np.partition(value, kth, axis=along)))
    places = np.take_along_axis(order, np.argsort(ranks, axis=along), axis=along)
    return rearranging.take_along(node, nodes(places), axis=along)


def _running_extreme(ufunc: np.ufunc) -> Callable[..., Any]:
    """The largest or smallest entry so far, taken from its place."""

    def running(x: Traced, axis: int = 0) -> Any:
        x.tape.note(f"np.{ufunc.__name__}.accumulate takes entries from where they are in the arrays given")
        is_new = x.value == ufunc.accumulate(x.value, axis=axis)
        own = np.expand_dims(np.arange(x.value.shape[axis]), tuple(k for k in range(x.ndim) if k != axis % x.ndim))
        return np.take_along_axis(x, np.maximum.accumulate(np.where(is_new, own, 0), axis=axis), axis)

    return running


RUNNING_TOTALS.update({ufunc: _running_extreme(ufunc) for ufunc in (np.maximum, np.minimum)})


@becomes(np.unique)
def _unique(nodes: Nodes, x: Any, *which: Any, axis: Any = None, **options: Any) -> Any:
    """Of each value the entry where it comes first; of whole numbers, such as labels, the plain result."""
    value = np.asarray(nodes.value(x))
    nodes.tape.note("np.unique depends on values; the derivation is that for the ones given")
    if value.dtype.kind in "biu":
        return None
    if axis is not None:
        raise refuse("np.unique along an axis is not followed")
    first = np.unique(value, return_index=True)[1]
    found = _indexed(nodes, _flat(nodes(x)), first)
    others = [name for name in ("return_index", "return_inverse", "return_counts") if options.get(name)]
    return [found, *([None] * (sum(map(bool, which)) + len(others)))] if which or others else found


@becomes(np.median)
def _median(nodes: Nodes, x: Any, axis: Any = None, keepdims: bool = False, **options: Any) -> Node:
    options.pop("overwrite_input", None)
    _only(options, "np.median")
    whole = _array(nodes, x)
    if isinstance(axis, tuple | list):
        return _median_of_several(nodes, whole, _axes(whole, axis), keepdims)
    node, along = _along(nodes, whole, axis, "np.median")
    ordered = _sort(nodes, node, along)
    n = node.shape[along].value or 0
    middle = _part(ordered, along, n // 2, n // 2 + 1)
    if n % 2 == 0:
        middle = div(add(_part(ordered, along, n // 2 - 1, n // 2), middle), constant(2))
    if keepdims:
        return middle if axis is not None else _reshaped(middle, [1] * len(whole.shape))
    return squeeze(middle, axes=(along,))


def _median_of_several(nodes: Nodes, node: Node, axes: Sequence[int], keepdims: bool) -> Node:
    """The median over several axes, which are made one at the end."""
    rank, lengths = len(node.shape), _lengths(node)
    kept = [k for k in range(-rank, 0) if k not in axes]
    last = _reshaped(_permuted(node, [k + rank for k in (*kept, *axes)]), [*(lengths[k] for k in kept), -1])
    found = _median(nodes, last, -1)
    return _reshaped(found, [n if k - rank in kept else 1 for k, n in enumerate(lengths)]) if keepdims else found


@becomes(np.ptp)
def _ptp(nodes: Nodes, x: Any, axis: Any = None, keepdims: Any = False, **options: Any) -> Node:
    _only(options, "np.ptp")
    node = _array(nodes, x)
    axes, kept = _axes(node, axis), keepdims is True
    return sub(reductions.max_(node, axes=axes, keepdims=kept), reductions.min_(node, axes=axes, keepdims=kept))


@becomes(np.take_along_axis)
def _take_along_axis(nodes: Nodes, x: Any, indices: Any, axis: Any = -1) -> Node:
    node, along = _along(nodes, x, axis, "np.take_along_axis")
    places = nodes(indices)
    rank = len(node.shape)
    if len(places.shape) != rank:
        raise refuse("np.take_along_axis with places of another number of axes is not followed")
    others = [ONE if k - rank == along else size for k, size in enumerate(node.shape)]
    wanted = [ONE if k - rank == along else size for k, size in enumerate(places.shape)]
    common = list(broadcast([tuple(others), tuple(wanted)]))
    shapes = [[x.shape[k] if k - rank == along else common[k] for k in range(rank)] for x in (node, places)]
    return rearranging.take_along(stretched(node, tuple(shapes[0])), stretched(places, tuple(shapes[1])), axis=along)


# --- joined and taken apart


def _at_least(node: Node, rank: int) -> Node:
    """The array with axes of length one in front, up to `rank` axes."""
    missing = rank - len(node.shape)
    return expand(node, axes=tuple(range(-rank, -rank + missing))) if missing > 0 else node


def _at_least_3(node: Node) -> Node:
    """As np.atleast_3d has it: a vector lies in the middle, a matrix in front."""
    lead = _at_least(node, 2)
    return lead if len(lead.shape) > 2 else expand(lead, axes=(-1,))


def _each(change: Any) -> Handler:
    def handler(nodes: Nodes, *arrays: Any) -> Any:
        found = [change(nodes(x)) for x in arrays]
        return found[0] if len(found) == 1 else found

    return handler


HANDLERS[np.atleast_1d] = _each(lambda node: _at_least(node, 1))
HANDLERS[np.atleast_2d] = _each(lambda node: _at_least(node, 2))
HANDLERS[np.atleast_3d] = _each(_at_least_3)


@becomes(np.hstack)
def _hstack(nodes: Nodes, arrays: Sequence[Any], **options: Any) -> Node:
    parts = [_at_least(nodes(x), 1) for x in arrays]
    return _concatenate(nodes, parts, 0 if len(parts[0].shape) == 1 else 1)


@becomes(np.vstack)
def _vstack(nodes: Nodes, arrays: Sequence[Any], **options: Any) -> Node:
    return _concatenate(nodes, [_at_least(nodes(x), 2) for x in arrays], 0)


@becomes(np.dstack)
def _dstack(nodes: Nodes, arrays: Sequence[Any]) -> Node:
    return _concatenate(nodes, [_at_least_3(nodes(x)) for x in arrays], 2)


@becomes(np.block)
def _block(nodes: Nodes, arrays: Any) -> Node:
    return _joined(nodes, arrays, max(_depth(arrays), _most_axes(nodes, arrays)))


def _joined(nodes: Nodes, arrays: Any, rank: int) -> Node:
    """Nested lists of arrays joined: the innermost along the last axis, each list around along the axis before."""
    if not isinstance(arrays, list):
        return _at_least(nodes(arrays), rank)
    return _concatenate(nodes, [_joined(nodes, part, rank) for part in arrays], -_depth(arrays))


def _depth(arrays: Any) -> int:
    return 1 + max(map(_depth, arrays)) if isinstance(arrays, list) else 0


def _most_axes(nodes: Nodes, arrays: Any) -> int:
    if isinstance(arrays, list):
        return max(_most_axes(nodes, part) for part in arrays)
    return len(nodes(arrays).shape)


@becomes(np.column_stack)
def _column_stack(nodes: Nodes, arrays: Sequence[Any]) -> Node:
    parts = [_at_least(nodes(x), 1) for x in arrays]
    return _concatenate(nodes, [expand(x, axes=(-1,)) if len(x.shape) == 1 else x for x in parts], 1)


@becomes(np.append)
def _append(nodes: Nodes, x: Any, values: Any, axis: Any = None) -> Node:
    parts = [_at_least(_array(nodes, part), 1) for part in (x, values)]
    return _concatenate(nodes, parts, axis)


@becomes(np.insert)
def _insert(nodes: Nodes, x: Any, obj: Any, values: Any, axis: Any = None) -> Node:
    node, along = _along(nodes, x, axis, "np.insert")
    n = node.shape[along].value or 0
    if np.ndim(obj) or isinstance(obj, slice):
        raise refuse("np.insert at several places is not followed", instead="insert at one place after the other")
    place = int(obj) % n if obj < 0 else int(obj)
    value, rank = nodes(values), len(node.shape)
    if value.shape and len(value.shape) < rank:
        value = expand(value, axes=(along,)) if rank - len(value.shape) == 1 else value
    count = value.shape[along].value or 1 if len(value.shape) == rank else 1
    sizes = tuple(of_length(count) if k - rank == along else size for k, size in enumerate(node.shape))
    before, after = ([_part(node, along, *ends)] if ends[0] < ends[1] else [] for ends in ((0, place), (place, n)))
    return _concatenate(nodes, [*before, stretched(value, sizes), *after], along)


@becomes(np.compress)
def _compress(nodes: Nodes, condition: Any, x: Any, axis: Any = None, out: Any = None) -> Node:
    node, along = _along(nodes, x, axis, "np.compress")
    nodes.tape.note("np.compress depends on values; the derivation is that for the ones given")
    places = np.flatnonzero(nodes.value(condition))
    return _indexed(nodes, node, (..., places, *[slice(None)] * (-along - 1)))


HANDLERS[np.extract] = lambda nodes, condition, x: _compress(nodes, np.ravel(nodes.value(condition)), x)


@becomes(np.array_split, np.split)
def _split(nodes: Nodes, x: Any, sections: Any, axis: int = 0) -> list[Node]:
    node = nodes(x)
    along = _axis(node, axis, "np.split")
    places = np.array_split(np.arange(node.shape[along].value or 0), sections)
    if any(part.size == 0 for part in places):
        raise refuse("an array is split into parts of which one is empty")
    return [_part(node, along, int(part[0]), int(part[-1]) + 1) for part in places]


HANDLERS[np.vsplit] = lambda nodes, x, sections: _split(nodes, x, sections, 0)
HANDLERS[np.hsplit] = lambda nodes, x, sections: _split(nodes, x, sections, min(1, len(nodes(x).shape) - 1))
HANDLERS[np.dsplit] = lambda nodes, x, sections: _split(nodes, x, sections, 2)


# --- differences, means, integrals


@becomes(np.diff)
def _diff(nodes: Nodes, x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Node:
    node = nodes(x)
    along = _axis(node, axis, "np.diff")
    ends = [_end(nodes, node, along, end) for end in (prepend, append)]
    node = _concatenate(nodes, [*ends[0], node, *ends[1]], along)
    for _ in range(n):
        length = node.shape[along].value or 0
        if length < 2:
            raise refuse("np.diff of a single entry gives an empty array")
        node = sub(_part(node, along, 1, length), _part(node, along, 0, length - 1))
    return node


def _end(nodes: Nodes, node: Node, axis: int, end: Any) -> list[Node]:
    """What np.diff joins to an array at one end."""
    if end is None or end is np._NoValue:
        return []
    found = nodes(end)
    rank = len(node.shape)
    sizes = tuple(ONE if k - rank == axis else size for k, size in enumerate(node.shape))
    return [found if found.shape else stretched(found, sizes)]


@becomes(np.trapezoid)
def _trapezoid(nodes: Nodes, y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Node:
    node = nodes(y)
    along = _axis(node, axis, "np.trapezoid")
    n = node.shape[along].value or 0
    pairs = add(_part(node, along, 1, n), _part(node, along, 0, n - 1))
    if x is None:
        widths = nodes(dx)
    else:
        places = nodes(x)
        widths = _diff(nodes, places, axis=-1 if len(places.shape) == 1 else along)
        widths = _on_axis(widths, along) if len(places.shape) == 1 else widths
    return total(div(mul(widths, pairs), constant(2)), (along,), keepdims=False)


def _on_axis(vector: Node, axis: int) -> Node:
    """A vector as it is broadcast along an axis, counted from the end, of a larger array."""
    return expand(vector, axes=tuple(range(axis + 1, 0))) if axis < -1 else vector


@becomes(np.average)
def _average(
    nodes: Nodes, x: Any, axis: Any = None, weights: Any = None, returned: bool = False, **options: Any
) -> Node:
    if returned:
        raise refuse("np.average with returned=True is not followed", instead="compute the sum of the weights")
    if weights is None:
        return _mean(nodes, x, axis, **options)
    keepdims = options.pop("keepdims", False) is True
    node, factor = _array(nodes, x), nodes(weights)
    if len(factor.shape) != len(node.shape):
        factor = _on_axis(factor, _axis(node, axis, "np.average with a vector of weights"))
    axes = _axes(node, axis)
    factor = stretched(factor, node.shape)
    return div(total(mul(node, factor), axes, keepdims=keepdims), total(factor, axes, keepdims=keepdims))


# --- windows


@becomes(np.convolve)
def _convolve(nodes: Nodes, a: Any, v: Any, mode: Any = "full") -> Node:
    long, short = _at_least(nodes(a), 1), _at_least(nodes(v), 1)
    if (short.shape[0].value or 0) > (long.shape[0].value or 0):
        long, short = short, long
    n, m = long.shape[0].value or 0, short.shape[0].value or 0
    match mode:
        case "full":
            return rearranging.convolve(long, short)
        case "same":
            return _part(rearranging.convolve(long, short), -1, (m - 1) // 2, (m - 1) // 2 + n)
        case "valid":
            return rearranging.correlate(long, rearranging.flip(short, axes=(-1,)))
    raise refuse(f"a convolution with mode={mode!r} is not followed", instead='use "full", "same" or "valid"')


@becomes(np.correlate)
def _correlate(nodes: Nodes, a: Any, v: Any, mode: Any = "valid") -> Node:
    first, second = _at_least(nodes(a), 1), _at_least(nodes(v), 1)
    if (second.shape[0].value or 0) > (first.shape[0].value or 0):
        return rearranging.flip(_correlate(nodes, second, first, mode), axes=(-1,))
    if mode == "valid":
        return rearranging.correlate(first, second)
    return _convolve(nodes, first, rearranging.flip(second, axes=(-1,)), mode)
