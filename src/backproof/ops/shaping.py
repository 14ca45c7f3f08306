"""Entries that change places: axes exchanged, arrays reshaped, joined, and taken apart by index."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from backproof.ir.errors import ShapeError
from backproof.ir.node import Node
from backproof.ir.sizes import ONE, Affine, Index, Place, Shape, Size, affine, agreed, broadcast, digit, of_length, show
from backproof.ops.arithmetic import add, neg, product, sub
from backproof.ops.elementary import pieces
from backproof.ops.entries import (
    EntryOf,
    LetterPool,
    Places,
    align,
    delta,
    looked_up,
    row_of,
    sum_over,
    within,
)
from backproof.ops.leaves import constant, is_number
from backproof.ops.linear import expand, matmul, stretch, stretched, transpose
from backproof.ops.notation import Apply, Bare, Bracketed, Permuted, Replaced, Reshaped
from backproof.ops.outside import can_hold, told, where_within
from backproof.ops.row import Array, Domain, Row


def _permute(a: Array, axes: tuple[int, ...]) -> Array:
    lead = a.ndim - len(axes)
    return np.transpose(a, (*range(lead), *(axis + a.ndim for axis in axes)))


def _permute_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    inner: list[Any] = [None] * len(place)
    for position, axis in zip(place, node.attrs["axes"], strict=True):
        inner[axis] = position
    return entry(node.inputs[0], tuple(inner))


def _inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    rank = len(axes)
    return tuple(axes.index(axis - rank) - rank for axis in range(rank))


permute: Row = Row(
    name="permute",
    kind="rearranging",
    about="The axes in another order, each by its number in the argument.",
    meaning=_permute,
    shape=lambda shapes, attrs: tuple(shapes[0][axis] for axis in attrs["axes"]),
    notation=Permuted(),
    entry=_permute_entry,
    vjp=lambda g, y, a: (permute(g, axes=_inverse(y.attrs["axes"])),),
    reasons=("Exchanging axes moves each entry to another place, so the derivative is moved back.",),
    domain=(Domain((2, 3, 4)),),
    attrs={"axes": (-1, -3, -2)},
)


def _reshape(a: Array, sizes: tuple[int, ...], rank: int) -> Array:
    return np.reshape(a, (*a.shape[: a.ndim - rank], *sizes))


Group = tuple[list[int], list[int]]
"""Axes of an array and those that they become when it is reshaped."""


def _groups(own: Shape, new: Shape) -> list[Group]:
    """Which axes become which: as few at a time as hold as many entries. Those of length one are left out."""
    found: list[Group] = []
    before, after = ([(k, n.value or 0) for k, n in enumerate(shape) if n != ONE][::-1] for shape in (own, new))
    while before or after:
        group: Group = ([], [])
        left = right = 1
        while left != right or left == 1:
            axes, sizes = (group[0], before) if left <= right else (group[1], after)
            k, n = sizes.pop()
            axes.append(k)
            left, right = (left * n, right) if axes is group[0] else (left, right * n)
        found.append(group)
    return found


def _joined(axes: Sequence[int], shape: Shape, place: Places) -> Place:
    """The position on one axis that these axes are joined to: 3p + q − 3 for axes of which the second is 3 long."""
    step, terms = 1, []
    for axis in reversed(axes):
        terms.append((step, place[axis]))
        step *= shape[axis].value or 0
    return affine(reversed(terms), 1 - sum(factor for factor, _ in terms))


def _parted(position: Place, axes: Sequence[int], shape: Shape) -> Places:
    """The positions on the axes that a position on one axis stands for: letters where these tell, else its digits."""
    lengths = [shape[axis].value or 0 for axis in axes]
    if isinstance(position, Affine):
        found = tuple(single for _, single in position.terms if isinstance(single, Index))
        if [single.size.value for single in found] == lengths:
            place: list[Place] = [None] * len(shape)
            for axis, single in zip(axes, found, strict=True):
                place[axis] = single
            if _joined(axes, shape, tuple(place)) == position:
                return found
    steps = [math.prod(lengths[k + 1 :]) for k in range(len(lengths))]
    digits = (digit(position, step, n if k else None) for k, (step, n) in enumerate(zip(steps, lengths, strict=True)))
    return tuple(affine([(1, found)], 1) for found in digits)


def _reshape_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    (a,) = node.inputs
    inner: list[Place] = [None] * len(a.shape)
    for before, after in _groups(a.shape, node.shape):
        position = _joined(after, node.shape, place)
        parts = (position,) if len(before) == 1 else _parted(position, before, a.shape)
        for axis, part in zip(before, parts, strict=True):
            inner[axis] = part
    return entry(a, tuple(inner))


def places_of(node: Node, letters: LetterPool) -> Places:
    """Letters for the axes of a result: for one that others were joined to, those of the others, as 3p + q − 3."""
    place: list[Place] = []
    for size, parts in zip(node.shape, _parts(node), strict=True):
        if size == ONE:
            place.append(None)
        elif parts is None:
            place.append(letters.fresh(size))
        else:
            place.append(_joined(range(len(parts)), parts, tuple(map(letters.fresh, parts))))
    return tuple(place)


def _parts(node: Node) -> list[Shape | None]:
    """For each axis of a formula the sizes of those that it was joined of, if it was."""
    own: list[Shape | None] = [None] * len(node.shape)
    if node.op is reshape:
        (a,) = node.inputs
        for before, after in _groups(a.shape, node.shape):
            if len(after) == 1 and len(before) > 1:
                own[after[0]] = tuple(a.shape[axis] for axis in before)
        return own
    inner = [_parts(x) if x.symbol is None else [None] * len(x.shape) for x in node.inputs]
    if node.op is transpose:
        return [*inner[0][:-2], inner[0][-1], inner[0][-2]]
    if node.op is permute:
        return [inner[0][axis] for axis in node.attrs["axes"]]
    if node.op is matmul:
        return [*own[:-2], inner[0][-2], inner[1][-1]]
    if row_of(node).kind == "elementwise" or node.op in (add, sub, neg):
        for parts in inner:
            for axis in range(-len(parts), 0):
                own[axis] = own[axis] or parts[axis]
    return own


reshape: Row = Row(
    name="reshape",
    kind="rearranging",
    about="The same entries in the same order, in an array of another shape.",
    meaning=_reshape,
    shape=lambda shapes, attrs: attrs["sizes"],
    notation=Reshaped(),
    entry=_reshape_entry,
    vjp=lambda g, y, a: (reshape(g, sizes=a.shape, rank=len(y.shape)),),
    reasons=("Reshaping changes no entry and no order, so the derivative is reshaped back.",),
    domain=(Domain((2, 6)),),
    attrs={"sizes": (of_length(3), of_length(4)), "rank": 2},
)


@dataclass(frozen=True, slots=True)
class Slot:
    """In an index, the place of an array of whole numbers: the argument of that number."""

    number: int


Key = tuple[int | slice | Slot, ...]
"""An index with one item for each axis; slices have all their parts, counted from the front."""


def sliced(start: int, stop: int, step: int = 1) -> slice:
    """A slice as a key has it."""
    return slice(start, stop, step)


def _filled(key: Key, arrays: Sequence[Array], lead: int) -> tuple[tuple[Any, ...], int | None]:
    """A key for an array with `lead` extra axes in front, and where NumPy then puts the axes of the index arrays.

    The second is None where they are where they are without the extra axes.
    """
    # Places that were computed are decimal numbers, as all constants are.
    items = tuple(np.rint(arrays[k.number]).astype(np.intp) if isinstance(k, Slot) else k for k in key)
    advanced = [n for n, k in enumerate(key) if isinstance(k, Slot | int)] if arrays else []
    apart = bool(advanced) and advanced[-1] - advanced[0] + 1 != len(advanced)
    return (slice(None),) * lead + items, 0 if apart and lead else None


def _index(a: Array, *arrays: Array, key: Key) -> Array:
    lead = a.ndim - len(key)
    where, moved = _filled(key, arrays, lead)
    found = np.asarray(a[where])
    if moved is None:
        return found
    axes = np.broadcast_shapes(*(np.shape(x) for x in arrays))
    return np.moveaxis(found, range(len(axes), len(axes) + lead), range(lead))


def _index_shape(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    own, *others = shapes
    if not others:
        return tuple(
            size if k == slice(0, size.value, 1) else of_length(len(range(*k.indices(size.value or 0))))
            for size, k in zip(own, attrs["key"], strict=True)
            if isinstance(k, slice)
        )
    lengths = [tuple(size.value or 0 for size in shape) for shape in shapes]
    dummies = [np.zeros(n, dtype=int) for n in lengths[1:]]
    found = _index(np.broadcast_to(np.int8(0), lengths[0]), *dummies, key=attrs["key"]).shape
    key = attrs["key"]
    kept: list[Size | None] = [
        size if k == slice(0, size.value, 1) else None for size, k in zip(own, key, strict=True) if isinstance(k, slice)
    ]
    kept[_first(key) : _first(key)] = broadcast(others)
    return tuple(size or of_length(n) for size, n in zip(kept, found, strict=True))


def _first(key: Key) -> int:
    """Which axis of the result is the first of those that the index arrays have together."""
    advanced = [n for n, k in enumerate(key) if not isinstance(k, slice)]
    apart = advanced[-1] - advanced[0] + 1 != len(advanced)
    return 0 if apart else advanced[0]


def _index_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    a, *arrays = node.inputs
    key = node.attrs["key"]
    common = len(broadcast(x.shape for x in arrays))
    first = _first(key) if arrays else 0
    together, rest = place[first : first + common], iter(place[:first] + place[first + common :])
    sliced_ = tuple(next(rest) if isinstance(k, slice) else None for k in key)
    return entry(a, _named(key, a.shape, arrays, together, sliced_, entry))


def _named(key: Key, shape: Shape, arrays: Sequence[Node], together: Places, sliced_: Places, entry: EntryOf) -> Places:
    """The places of an array that an index names, by the positions on the axes of its result.

    `together` are those on the axes that the index arrays have, `sliced_` those of the slices, one for each item.
    """
    found: list[Place] = []
    for k, size, position in zip(key, shape, sliced_, strict=True):
        if size == ONE:
            found.append(None)
        elif isinstance(k, int):
            found.append(k + 1)
        elif isinstance(k, Slot):
            found.append(_looked_up(arrays[k.number], size, together, entry))
        else:
            # Entry p of x[start::step], both counted from 1, is entry start + 1 + (p − 1)·step of x.
            found.append(affine([(k.step, position)], k.start + 1 - k.step))
    return tuple(found)


def _looked_up(array: Node, size: Size, together: Places, entry: EntryOf) -> Place:
    own = align(together, array.shape)
    if len(own) == 1 and is_arange(array, array.shape[0]):
        return affine([(1, own[0])], 0)
    value = array.attrs.get("value")
    return looked_up(entry(array, own), size.value or 0, counted=value is not None and bool(np.min(value) >= 0))


def picks_rows(node: Node) -> bool:
    """Whether an index names one place in each row of a matrix, in the order of the rows: [arange(m), y]."""
    if node.op not in (index, unindex) or node.attrs["key"] != (Slot(0), Slot(1)) or len(node.inputs) != 3:
        return False
    matrix = node if node.op is unindex else node.inputs[0]
    return is_arange(node.inputs[1], matrix.shape[0])


def is_arange(node: Node, size: Size) -> bool:
    """Whether an array is 0, 1, 2, … up to a length."""
    value = node.attrs.get("value")
    return value is not None and np.array_equal(value, np.arange(size.value or 0))


def _nothing(arrays: Sequence[Node]) -> tuple[None, ...]:
    return (None,) * len(arrays)


index: Row = Row(
    name="index",
    kind="rearranging",
    about="The entries of an array that an index names.",
    meaning=_index,
    shape=_index_shape,
    notation=Bracketed(),
    entry=_index_entry,
    vjp=lambda g, y, a, *arrays: (
        unindex(g, *arrays, key=y.attrs["key"], sizes=a.shape),
        *_nothing(arrays),
    ),
    reasons=(
        "Each entry of {y} is an entry of {x}, so its derivative goes back to that place. An entry that is taken "
        "several times receives the sum, one that is not taken 0.",
    ),
    domain=(Domain((4, 3)),),
    attrs={"key": (sliced(1, 4, 2), 2)},
)


def _unindex(g: Array, *arrays: Array, key: Key, sizes: tuple[int, ...]) -> Array:
    rank = len(_index_shape_of(key, arrays, sizes))
    lead = g.ndim - rank
    result = np.zeros((*g.shape[:lead], *sizes), dtype=g.dtype)
    where, moved = _filled(key, arrays, lead)
    if moved is not None:
        axes = np.broadcast_shapes(*(np.shape(x) for x in arrays))
        g = np.moveaxis(g, range(lead), range(len(axes), len(axes) + lead))
    if arrays:
        np.add.at(result, where, g)
    else:
        result[where] = g
    return result


def _index_shape_of(key: Key, arrays: Sequence[Array], sizes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(_index(np.broadcast_to(np.int8(0), sizes), *arrays, key=key).shape)


def _put_at(
    node: Node, value: Node | None, arrays: Sequence[Node], place: Places, entry: EntryOf, letters: LetterPool
) -> Node:
    """What an index puts at a place of an array: a sum over all that is put, with a delta for each axis.

    Without a value the sum is that of ones: how often the place is named.
    """
    key, shape = node.attrs["key"], node.shape
    common = broadcast(x.shape for x in arrays)
    # An axis along which the places are 0, 1, 2, … is the one that they are put along.
    counted = {
        len(common) - 1: position
        for k, size, position in zip(key, shape, place, strict=True)
        if isinstance(k, Slot) and len(arrays[k.number].shape) == 1 and is_arange(arrays[k.number], size)
    }
    running: list[Place] = [letters.fresh(n) if n != ONE and k not in counted else None for k, n in enumerate(common)]
    together = tuple(counted.get(k, position) for k, position in enumerate(running))
    sliced_: list[Place] = []
    for k, size, position in zip(key, shape, place, strict=True):
        whole = isinstance(k, slice) and k == slice(0, size.value, 1)
        taken = of_length(len(range(*k.indices(size.value or 0)))) if isinstance(k, slice) else ONE
        sliced_.append(position if whole else None if taken == ONE else letters.fresh(taken))
        running += [] if whole else [sliced_[-1]]
    first = _first(key) if arrays else 0
    named = _named(key, shape, arrays, together, tuple(sliced_), entry)
    own = [position for k, position in zip(key, sliced_, strict=True) if isinstance(k, slice)]
    body = constant(1) if value is None else entry(value, align((*own[:first], *together, *own[first:]), value.shape))
    pairs = [(p, q) for p, q, size in zip(place, named, shape, strict=True) if size != ONE and p != q]
    body = reduce(lambda x, pair: product(delta(*pair), x), reversed(pairs), body)
    return reduce(lambda x, index: sum_over(index, x) if isinstance(index, Index) else x, reversed(running), body)


def _unindex_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    a, *arrays = node.inputs
    if arrays:
        return _put_at(node, a, arrays, place, entry, letters)
    inner: list[Place] = []
    bounds: list[tuple[Place, int | None, int | None]] = []
    spread: list[tuple[Place, int | None, int | None]] = []
    factors: list[Node] = []
    for k, position, size in zip(node.attrs["key"], place, node.shape, strict=True):
        if isinstance(k, int):
            if size != ONE:
                factors.append(delta(position, k + 1))
            continue
        count = len(range(*k.indices(size.value or 0)))
        if k.step != 1:
            found = _taken_from(k, position)
            spread.append((found, 1, count))
        else:
            found = affine([(1, position)], -k.start)
            if k != slice(0, size.value, 1):
                bounds.append((position, k.start + 1 if k.start else None, k.stop if k.stop != size.value else None))
        inner.append(None if count == 1 else found)
    if not can_hold(tuple(bounds)):
        return constant(0)
    counted = told(tuple(spread), lambda: entry(a, tuple(inner)))
    if counted is None:
        return _put_at(node, a, arrays, place, entry, letters)
    value = where_within(tuple(bounds), lambda: counted, constant(0))
    return reduce(product, reversed(factors), value) if factors else value


def _taken_from(k: slice, position: Place) -> Place:
    """The position in x[start::step] of what stands at a position of x: entry start + 1 + (p − 1)·step is entry p."""
    sign = 1 if k.step > 0 else -1
    return affine([(sign, position)], abs(k.step) - sign * (k.start + 1), abs(k.step))


unindex: Row = Row(
    name="unindex",
    kind="linear",
    about="An array of zeros with entries put at the places that an index names, and added up where it repeats.",
    meaning=_unindex,
    shape=lambda shapes, attrs: attrs["sizes"],
    notation=Bracketed(back=True),
    entry=_unindex_entry,
    vjp=lambda g, y, a, *arrays: (index(g, *arrays, key=y.attrs["key"]), *_nothing(arrays)),
    reasons=("Each entry of {x} is added to one entry of {y}, and receives the derivative by that entry.",),
    domain=(Domain((2,)),),
    attrs={"key": (sliced(1, 4, 2), 2), "sizes": (of_length(4), of_length(3))},
)


def _replace(a: Array, value: Array, *arrays: Array, key: Key, rank: int) -> Array:
    lead = np.broadcast_shapes(a.shape[: a.ndim - len(key)], value.shape[: value.ndim - rank])
    result = np.broadcast_to(a, (*lead, *a.shape[a.ndim - len(key) :])).astype(np.result_type(a, value))
    where, moved = _filled(key, arrays, len(lead))
    value = np.broadcast_to(value, (*lead, *value.shape[value.ndim - rank :]))
    if moved is not None:
        axes = np.broadcast_shapes(*(np.shape(x) for x in arrays))
        value = np.moveaxis(value, range(len(lead)), range(len(axes), len(axes) + len(lead)))
    result[where] = value
    return result


def _replace_vjp(g: Node, y: Node, a: Node, value: Node, *arrays: Node) -> tuple[Node | None, ...]:
    key, rank = y.attrs["key"], y.attrs["rank"]
    nothing = stretched(constant(0), value.shape)
    return replace_(g, nothing, *arrays, key=key, rank=rank), index(g, *arrays, key=key), *_nothing(arrays)


def _replace_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    a, value, *arrays = node.inputs
    if arrays:
        with letters.scope():
            named = _put_at(node, None, arrays, place, entry, letters)
        kept = product(sub(constant(1), named), entry(a, place))
        if value.op is stretch and is_number(value.inputs[0], 0):
            return kept
        return add(kept, _put_at(node, value, arrays, place, entry, letters))
    bounds: list[tuple[Place, int | None, int | None]] = []
    inner: list[Place] = []
    for k, position, size in zip(node.attrs["key"], place, node.shape, strict=True):
        if isinstance(k, int):
            bounds.append((position or 1, k + 1, k + 1))
        elif k == slice(0, size.value, 1):
            inner.append(position)
        else:
            # Counted from the first that is taken, in its direction: 1, 1 + step, 1 + 2 step, …
            sign, step, count = (1 if k.step > 0 else -1), abs(k.step), len(range(*k.indices(size.value or 0)))
            along = affine([(sign, position)], 1 - sign * (k.start + 1))
            bounds += [(along, 1, (count - 1) * step + 1)] if count else [(1, 2, None)]
            bounds += [(digit(along, 1, step), 0, 0)] if step > 1 else []
            inner.append(None if count == 1 else _taken_from(k, position))
    return where_within(tuple(bounds), lambda: entry(value, align(tuple(inner), value.shape)), entry(a, place))


replace_: Row = Row(
    name="replace",
    kind="linear",
    about="An array with other entries at the places that an index names.",
    meaning=_replace,
    shape=lambda shapes, attrs: shapes[0],
    notation=Replaced(),
    entry=_replace_entry,
    vjp=_replace_vjp,
    reasons=(
        "The entries of {x} that are replaced have no influence any more; the others pass {dy} on.",
        "The entries of {x} stand in {y} at the places named, and receive the derivative there.",
    ),
    domain=(Domain((4, 3)), Domain((2,))),
    attrs={"key": (sliced(1, 4, 2), 2), "rank": 1},
)


def _concatenate(*arrays: Array, axis: int, rank: int) -> Array:
    lead = np.broadcast_shapes(*(a.shape[: a.ndim - rank] for a in arrays))
    return np.concatenate([np.broadcast_to(a, (*lead, *a.shape[a.ndim - rank :])) for a in arrays], axis)


def _concatenate_shape(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    axis = attrs["axis"]
    result = list(shapes[0])
    for shape in shapes[1:]:
        for k in range(-len(result), 0):
            both = agreed(result[k], shape[k]) if len(shape) == len(result) else None
            if k != axis and both is None:
                raise ShapeError("arrays cannot be joined", where=" and ".join(f"({show(s)})" for s in shapes))
            result[k] = both or result[k]
    result[axis] = of_length(sum(shape[axis].value or 0 for shape in shapes))
    return tuple(result)


def _concatenate_vjp(g: Node, y: Node, *inputs: Node) -> tuple[Node, ...]:
    axis, start, found = y.attrs["axis"], 0, []
    for x in inputs:
        length = x.shape[axis].value or 0
        key = [sliced(0, size.value or 0) for size in y.shape]
        key[axis] = sliced(start, start + length)
        found.append(index(g, key=tuple(key)))
        start += length
    return tuple(found)


def _concatenate_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    axis, end, found = node.attrs["axis"], 0, []
    for x in node.inputs:
        start, end = end, end + (x.shape[axis].value or 0)
        inner = list(place)
        inner[axis] = None if end - start == 1 else affine([(1, place[axis])], -start)
        found.append((end, x, tuple(inner)))
    if isinstance(position := place[axis], int):
        _, x, inner_place = next(item for item in found if position <= item[0])
        return entry(x, inner_place)
    parts = [part for end, x, inner in found[:-1] for part in (entry(x, inner), within(((position, None, end),)))]
    return pieces(*parts, entry(*found[-1][1:]))


concatenate: Row = Row(
    name="concatenate",
    kind="rearranging",
    about="Arrays joined along an axis.",
    meaning=_concatenate,
    shape=_concatenate_shape,
    notation=Apply("concatenate"),
    entry=_concatenate_entry,
    vjp=_concatenate_vjp,
    reasons=("{x} is one part of {y}, so its derivative is that part of {dy}.",) * 2,
    domain=(Domain((2, 3)), Domain((2, 2))),
    attrs={"axis": -1, "rank": 2},
)

squeeze: Row = Row(
    name="squeeze",
    kind="rearranging",
    about="An array without axes of length one, at `axes` of the argument.",
    meaning=lambda a, axes: np.squeeze(a, axes),
    shape=lambda shapes, attrs: tuple(
        size for k, size in enumerate(shapes[0]) if k - len(shapes[0]) not in attrs["axes"]
    ),
    notation=Bare(),
    entry=lambda node, place, entry, letters: entry(node.inputs[0], _with_none(place, node.attrs["axes"])),
    vjp=lambda g, y, a: (expand(g, axes=y.attrs["axes"]),),
    reasons=("The axes of length one change no entry.",),
    domain=(Domain((2, 1, 3)),),
    attrs={"axes": (-2,)},
)


def _with_none(place: Places, axes: tuple[int, ...]) -> Places:
    rank, rest = len(place) + len(axes), iter(place)
    return tuple(None if k - rank in axes else next(rest) for k in range(rank))
