"""Sliding windows of an array, and their adjoint: what convolution and pooling are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import product as combinations
from typing import Any

import numpy as np

from backproof.ir.errors import ShapeError
from backproof.ir.node import Node
from backproof.ir.sizes import ONE, Index, Place, Shape, affine, letters_of, of_length, show
from backproof.ops.arithmetic import product
from backproof.ops.entries import EntryOf, LetterPool, Places, delta, sum_over
from backproof.ops.leaves import is_number
from backproof.ops.notation import Apply
from backproof.ops.outside import told
from backproof.ops.row import Array, Domain, Row


def _windows(
    a: Array, axes: tuple[int, ...], lengths: tuple[int, ...], strides: tuple[int, ...], dilations: tuple[int, ...]
) -> Array:
    """A view: nothing is copied."""
    spans = tuple((k - 1) * d + 1 for k, d in zip(lengths, dilations, strict=True))
    views = np.lib.stride_tricks.sliding_window_view(a, spans, axis=axes)
    kept = [slice(None)] * a.ndim + [slice(None, None, d) for d in dilations]
    for axis, stride in zip(axes, strides, strict=True):
        kept[a.ndim + axis] = slice(None, None, stride)
    return np.asarray(views[tuple(kept)])


def _windows_shape(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    (own,) = shapes
    result = list(own)
    options = zip(attrs["axes"], attrs["lengths"], attrs["strides"], attrs["dilations"], strict=True)
    for axis, length, stride, dilation in options:
        room = (own[axis].value or 0) - (length - 1) * dilation - 1
        if room < 0:
            raise ShapeError(
                f"windows of {length} entries, {dilation} apart, do not fit into {own[axis]}",
                where=f"an array of {show(own)}",
                why="there is no place for even one of them",
                instead="use smaller windows, or pad the array",
            )
        result[axis] = of_length(room // stride + 1)
    return (*result, *map(of_length, attrs["lengths"]))


def _within(
    places: Sequence[Place], axes: Sequence[int], offsets: Sequence[Place], attrs: Mapping[str, Any]
) -> Iterator[tuple[int, Place]]:
    """For each axis of the windows, where on it an entry of a window lies: position·stride + offset·dilation.

    Both are counted from 1, as entries are.
    """
    for axis, offset, stride, dilation in zip(axes, offsets, attrs["strides"], attrs["dilations"], strict=True):
        yield axis, affine(((stride, places[axis]), (dilation, offset)), 1 - stride - dilation)


def _windows_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    (a,) = node.inputs
    rank = len(a.shape)
    inner = list(place[:rank])
    for axis, position in _within(place[:rank], node.attrs["axes"], place[rank:], node.attrs):
        inner[axis] = None if a.shape[axis] == ONE else position
    return entry(a, tuple(inner))


def _overlap_add(
    g: Array,
    axes: tuple[int, ...],
    lengths: tuple[int, ...],
    strides: tuple[int, ...],
    dilations: tuple[int, ...],
    sizes: tuple[int, ...],
) -> Array:
    """A loop over the places inside a window: all windows are added at once, each with one of its entries."""
    own, inside = len(sizes), len(axes)
    lead = g.ndim - own - inside
    result = np.zeros((*g.shape[:lead], *sizes), dtype=g.dtype)
    for offsets in combinations(*map(range, lengths)):
        where = [slice(None)] * result.ndim
        for axis, offset, stride, dilation in zip(axes, offsets, strides, dilations, strict=True):
            count = g.shape[lead + own + axis]
            start = offset * dilation
            where[axis] = slice(start, start + (count - 1) * stride + 1, stride)
        entries: tuple[Any, ...] = (..., *offsets)
        result[tuple(where)] += g[entries]
    return result


def _overlap_add_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    with letters.scope():
        solved = _by_offsets(node, place, entry, letters)
    return solved or _by_windows(node, place, entry, letters)


def _by_offsets(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node | None:
    """A sum over the places inside a window: each tells which window has the entry there, if there is one.

    Of position p = (r − 1)·stride + (o − 1)·dilation + 1 that is window r, or place o where there is one window only.
    None where the formula would not show of which entry there may be none.
    """
    (g,) = node.inputs
    rank = len(place)
    inner = list(place)
    offsets: list[Place] = []
    running: list[Index] = []
    bounds: list[tuple[Place, int | None, int | None]] = []
    options = zip(node.attrs["axes"], g.shape[rank:], node.attrs["strides"], node.attrs["dilations"], strict=True)
    for axis, size, stride, dilation in options:
        count = g.shape[rank + axis]
        if count == ONE:
            inner[axis] = None
            offset = affine([(1, place[axis])], dilation - 1, dilation)
            bounds.append((offset, 1, size.value))
        else:
            offset = None if size == ONE else letters.fresh(size)
            running += letters_of(offset)
            inner[axis] = affine([(1, place[axis]), (-dilation, offset)], dilation - 1 + stride, stride)
            bounds.append((inner[axis], 1, count.value))
        offsets.append(None if size == ONE else offset)
    body = told(tuple(bounds), lambda: entry(g, (*inner, *offsets)))
    return body if body is None or is_number(body, 0) else _summed(running, body)


def _by_windows(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    """A sum over all places of all windows, with a delta for those that are the entry's own."""
    (g,) = node.inputs
    rank, axes = len(place), node.attrs["axes"]
    inner = list(place)
    for axis in axes:
        inner[axis] = None if g.shape[rank + axis] == ONE else letters.fresh(g.shape[rank + axis])
    offsets = tuple(None if size == ONE else letters.fresh(size) for size in g.shape[rank:])
    body = entry(g, (*inner, *offsets))
    for axis, position in reversed([*_within(inner, axes, offsets, node.attrs)]):
        body = product(delta(place[axis] or 1, position), body)
    return _summed([x for place in (*(inner[axis] for axis in axes), *offsets) for x in letters_of(place)], body)


def _summed(running: Sequence[Index], body: Node) -> Node:
    return reduce(lambda inside, index: sum_over(index, inside), reversed(running), body)


def _attrs(y: Node) -> dict[str, Any]:
    return {name: y.attrs[name] for name in ("axes", "lengths", "strides", "dilations")}


windows: Row = Row(
    name="windows",
    kind="rearranging",
    about="The windows of an array along some of its axes: these become positions, the places inside a window follow.",
    meaning=_windows,
    shape=_windows_shape,
    notation=Apply("windows"),
    entry=_windows_entry,
    vjp=lambda g, y, a: (overlap_add(g, sizes=a.shape, **_attrs(y)),),
    reasons=(
        "An entry of {x} lies in several windows, at another place in each: the further on in a window, the earlier "
        "this begins. The chain rule adds up what comes back from all of them: the windows of {dy} are laid where they "
        "were taken, and what lies over each other is added.",
    ),
    domain=(Domain((2, 6, 7)),),
    attrs={"axes": (-2, -1), "lengths": (2, 3), "strides": (3, 2), "dilations": (2, 1)},
)

overlap_add: Row = Row(
    name="overlap_add",
    kind="linear",
    about="An array from its windows: each is laid where it was taken, and what lies over each other is added.",
    meaning=_overlap_add,
    shape=lambda shapes, attrs: attrs["sizes"],
    notation=Apply("overlap_add"),
    entry=_overlap_add_entry,
    vjp=lambda g, y, a: (windows(g, **_attrs(y)),),
    reasons=("Each entry of {x} is added to one entry of {y}, and receives the derivative by that entry.",),
    domain=(Domain((2, 2, 3, 2, 3)),),
    attrs={
        "axes": (-2, -1),
        "lengths": (2, 3),
        "strides": (3, 2),
        "dilations": (2, 1),
        "sizes": (of_length(2), of_length(6), of_length(7)),
    },
)


def thinned(y: Node, key: Sequence[object]) -> Node | None:
    """Windows of which an index keeps every so many, as windows of another stride and dilation; None for another index.

    `key` has one item for each axis.
    """
    (a,) = y.inputs
    rank, strides, dilations, lengths = len(a.shape), [], [], []
    steps = []
    for k, size in zip(key, y.shape, strict=True):
        if not isinstance(k, slice) or k.start != 0 or k.stop != size.value or k.step < 1:
            return None
        steps.append(k.step)
    for n, axis in enumerate(y.attrs["axes"]):
        step = steps[rank + n]
        strides.append(y.attrs["strides"][n] * steps[rank + axis])
        steps[rank + axis] = 1
        dilations.append(y.attrs["dilations"][n] * step)
        lengths.append((y.attrs["lengths"][n] - 1) // step + 1)
    if any(step != 1 for step in steps[:rank]):
        return None
    return windows(a, axes=y.attrs["axes"], lengths=tuple(lengths), strides=tuple(strides), dilations=tuple(dilations))
