"""Entries in another order: turned round, moved on, sorted; and sums of products at shifted places (convolution)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backproof.ir.errors import ShapeError
from backproof.ir.node import Node
from backproof.ir.sizes import ONE, Index, Place, Shape, affine, digit, of_length, show
from backproof.ops.arithmetic import product
from backproof.ops.entries import EntryOf, LetterPool, Places, align, delta, looked_up, own_entry, sum_over
from backproof.ops.leaves import constant
from backproof.ops.notation import Apply
from backproof.ops.outside import told, where_within
from backproof.ops.row import Array, Domain, Row


def _same_shape(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    return shapes[0]


def _flip_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    inner = list(place)
    for axis in node.attrs["axes"]:
        if place[axis] is not None:
            inner[axis] = affine([(-1, place[axis])], 1 + (node.shape[axis].value or 0))
    return entry(node.inputs[0], tuple(inner))


flip: Row = Row(
    name="flip",
    kind="rearranging",
    about="The entries in the opposite order along axes.",
    meaning=lambda a, axes: np.flip(a, axes),
    shape=_same_shape,
    notation=Apply("flip"),
    entry=_flip_entry,
    vjp=lambda g, y, a: (flip(g, axes=y.attrs["axes"]),),
    reasons=("The opposite order moves each entry to its mirrored place, so the derivative is moved back.",),
    domain=(Domain((2, 3)),),
    attrs={"axes": (-1,)},
)


def _roll_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    inner = list(place)
    for axis, shift in zip(node.attrs["axes"], node.attrs["shifts"], strict=True):
        n = node.shape[axis].value or 0
        if n > 1 and shift % n:
            inner[axis] = affine([(1, digit(affine([(1, inner[axis])], -shift), 1, n))], 1)
    return entry(node.inputs[0], tuple(inner))


roll: Row = Row(
    name="roll",
    kind="rearranging",
    about="The entries moved on along axes; what is moved over the end comes in again at the beginning.",
    meaning=lambda a, shifts, axes: np.roll(a, shifts, axes),
    shape=_same_shape,
    notation=Apply("roll"),
    entry=_roll_entry,
    vjp=lambda g, y, a: (roll(g, shifts=tuple(-k for k in y.attrs["shifts"]), axes=y.attrs["axes"]),),
    reasons=("Each entry of {x} is moved on by as many places, so the derivative is moved back by as many.",),
    domain=(Domain((2, 5)),),
    attrs={"shifts": (2,), "axes": (-1,)},
)

argsort = Row(
    name="argsort",
    kind="zero",
    about="The places of the entries in ascending order along an axis; complex numbers are ordered by their real part.",
    meaning=lambda a, axis: np.argsort(np.real(a), axis=axis, kind="stable"),
    shape=_same_shape,
    notation=Apply("argsort"),
    entry=own_entry,
    domain=(Domain((2, 5)),),
    attrs={"axis": -1},
)


def _whole(indices: Array, ndim: int) -> Array:
    """Places as whole numbers, with axes of length one in front for the extra ones of the array they are places of."""
    whole = np.real(indices).astype(np.intp)
    return whole.reshape((1,) * (ndim - whole.ndim) + whole.shape)


def _take_along(a: Array, indices: Array, axis: int) -> Array:
    where = _whole(indices, a.ndim)
    return np.take_along_axis(a.reshape((1,) * (where.ndim - a.ndim) + a.shape), where, axis)


def _along_shape(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    a, indices = shapes
    axis = attrs["axis"]
    if len(a) != len(indices) or any(
        k != axis and a[k].value != indices[k].value for k in range(-min(len(a), len(indices)), 0)
    ):
        raise ShapeError("an array and the places to take do not fit", where=f"({show(a)}) and ({show(indices)})")
    return tuple(indices[k] if k == axis else a[k] for k in range(-len(a), 0))


def _counted(indices: Node) -> bool:
    """Whether places are surely counted from the front: those of an order are, and given ones may be."""
    value = indices.attrs.get("value")
    return indices.op is argsort or (value is not None and bool(np.min(value) >= 0))


def _along(indices: Node, place: Places, axis: int, n: int, entry: EntryOf) -> Place:
    """The position on an axis that the entry of `indices` at a place names."""
    return looked_up(entry(indices, align(place, indices.shape)), n, counted=_counted(indices))


def _take_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    a, indices = node.inputs
    axis = node.attrs["axis"]
    inner = list(place)
    n = a.shape[axis].value or 0
    inner[axis] = None if n == 1 else _along(indices, place, axis, n, entry)
    return entry(a, align(tuple(inner), a.shape))


take_along: Row = Row(
    name="take_along",
    kind="rearranging",
    about="Along an axis, the entries of an array at the given places.",
    meaning=_take_along,
    shape=_along_shape,
    notation=Apply("take"),
    entry=_take_entry,
    vjp=lambda g, y, a, indices: (put_along(g, indices, axis=y.attrs["axis"], size=a.shape[y.attrs["axis"]]), None),
    reasons=(
        "Each entry of {y} is an entry of {x}, so its derivative goes back to that place. An entry that is taken "
        "several times receives the sum, one that is not taken 0.",
        "A place is a whole number, which cannot vary a little, so it has no derivative.",
    ),
    domain=(Domain((2, 5)), Domain((2, 4), 0.0, 5.0)),
    attrs={"axis": -1},
)


def _put_along(a: Array, indices: Array, axis: int, size: int) -> Array:
    a, where = np.broadcast_arrays(a, _whole(indices, a.ndim))
    lengths = list(a.shape)
    lengths[axis] = size
    result = np.zeros(lengths, dtype=a.dtype)
    places: list[Any] = list(np.ogrid[tuple(slice(n) for n in a.shape)])
    places[axis] = where
    np.add.at(result, tuple(places), a)
    return result


def _put_shape(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    result = list(shapes[0])
    result[attrs["axis"]] = attrs["size"]
    return tuple(result)


def _put_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    a, indices = node.inputs
    axis = node.attrs["axis"]
    inner = list(place)
    size = a.shape[axis]
    inner[axis] = None if size == ONE else letters.fresh(size)
    body = entry(a, align(tuple(inner), a.shape))
    if node.shape[axis] != ONE:
        named = _along(indices, tuple(inner), axis, node.shape[axis].value or 0, entry)
        body = product(delta(place[axis], named), body)
    running = inner[axis]
    return sum_over(running, body) if isinstance(running, Index) else body


put_along: Row = Row(
    name="put_along",
    kind="linear",
    about="An array of zeros with entries put at the given places along an axis, and added up where they repeat.",
    meaning=_put_along,
    shape=_put_shape,
    notation=Apply("put"),
    entry=_put_entry,
    vjp=lambda g, y, a, indices: (take_along(g, indices, axis=y.attrs["axis"]), None),
    reasons=(
        "Each entry of {x} is added to one entry of {y}, and receives the derivative by that entry.",
        "A place is a whole number, which cannot vary a little, so it has no derivative.",
    ),
    domain=(Domain((2, 4)), Domain((2, 4), 0.0, 5.0)),
    attrs={"axis": -1, "size": of_length(5)},
)


def _convolve(a: Array, v: Array) -> Array:
    if v.shape[-1] > a.shape[-1]:
        a, v = v, a
    n = a.shape[-1]
    lead = np.broadcast_shapes(a.shape[:-1], v.shape[:-1])
    result = np.zeros((*lead, n + v.shape[-1] - 1), dtype=np.result_type(a, v))
    for k in range(v.shape[-1]):
        result[..., k : k + n] += a * v[..., k : k + 1]
    return result


def _convolve_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    """The entries of the longer one with those of the shorter that they meet; where there are none, 0."""
    long, short = sorted(node.inputs, key=lambda x: x.shape[-1].value or 0, reverse=True)
    k = None if short.shape[-1] == ONE else letters.fresh(short.shape[-1])
    n = long.shape[-1].value or 0
    met = affine([(1, place[-1]), (-1, k)], 1)
    bounds = ((met, 1, n),)

    def both() -> Node:
        return product(entry(long, (None if n == 1 else met,)), entry(short, (k,)))

    inside = told(bounds, both) or where_within(bounds, both, constant(0))
    return inside if k is None else sum_over(k, inside)


convolve: Row = Row(
    name="convolve",
    kind="linear",
    about="The convolution of two vectors: entry n is the sum of the products of entries j and k with j + k = n.",
    meaning=_convolve,
    shape=lambda shapes, attrs: (of_length((shapes[0][0].value or 0) + (shapes[1][0].value or 0) - 1),),
    notation=Apply("convolve"),
    entry=_convolve_entry,
    vjp=lambda g, y, a, v: (correlate(g, v), correlate(g, a)),
    reasons=(
        "Entry j of {x} goes into every entry j + k of {y}, multiplied by entry k of {other}. The chain rule adds "
        "these up: {other} is laid along {dy} at place j, and the products are added.",
    )
    * 2,
    domain=(Domain((5,)), Domain((3,))),
)


def _correlate(a: Array, v: Array) -> Array:
    n = a.shape[-1] - v.shape[-1] + 1
    lead = np.broadcast_shapes(a.shape[:-1], v.shape[:-1])
    result = np.zeros((*lead, n), dtype=np.result_type(a, v))
    for k in range(v.shape[-1]):
        result += a[..., k : k + n] * v[..., k : k + 1]
    return result


def _correlate_shape(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    a, v = shapes
    length = (a[0].value or 0) - (v[0].value or 0) + 1
    if length < 1:
        raise ShapeError("a vector is laid along a shorter one", where=f"({show(v)}) along ({show(a)})")
    return (of_length(length),)


def _correlate_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    a, v = node.inputs
    k = None if v.shape[-1] == ONE else letters.fresh(v.shape[-1])
    met = None if a.shape[-1] == ONE else affine([(1, place[-1]), (1, k)], -1)
    body = product(entry(a, (met,)), entry(v, (k,)))
    return body if k is None else sum_over(k, body)


correlate: Row = Row(
    name="correlate",
    kind="linear",
    about="The products of a vector with the pieces of another one that are as long, from place to place.",
    meaning=_correlate,
    shape=_correlate_shape,
    notation=Apply("correlate"),
    entry=_correlate_entry,
    vjp=lambda g, y, a, v: (convolve(g, v), correlate(a, g)),
    reasons=(
        "Entry n + k of {x} goes into entry n of {y}, multiplied by entry k of {other}. The chain rule adds up all "
        "pairs n and k that lead to the same entry of {x}: that is a convolution.",
        "Entry k of {x} goes into every entry n of {y}, multiplied by entry n + k of {other}. The chain rule adds "
        "these up: {dy} is laid along {other} at place k, and the products are added.",
    ),
    domain=(Domain((5,)), Domain((3,))),
)
