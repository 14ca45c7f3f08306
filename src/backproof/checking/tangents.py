"""Tangents: how a value moves, in many ways at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from backproof.ops.row import Array


@dataclass(frozen=True, slots=True, eq=False)
class Tangent:
    """How a value moves, in as many ways as the array is long along an axis before all others.

    places  for each axis of the value the one place along it where the value moves, in each of the ways; None where it
            may move everywhere. The array has length one along an axis with places.
    """

    array: Array
    places: tuple[Array | None, ...]


def single(entries: Array, base: Array) -> Tangent:
    """An array with one of some entries moving at a time."""
    places = np.unravel_index(entries, base.shape) if base.ndim else ()
    ones = np.ones((len(entries), *[1] * base.ndim), base.dtype)
    return Tangent(ones, tuple(None if n == 1 else place for n, place in zip(base.shape, places, strict=True)))


def at(array: Array, places: Sequence[Array | None]) -> Array:
    """What an array has at the places of a tangent, in each of its ways."""
    axes = [axis for axis, place in enumerate(places) if place is not None]
    if not axes:
        return array[None]
    taken = np.moveaxis(array, axes, range(len(axes)))[tuple(place for place in places if place is not None)]
    return np.expand_dims(taken, [axis + 1 for axis in axes])


def spread(tangent: Tangent, shape: tuple[int, ...], axes: Sequence[int]) -> Tangent:
    """The same tangent with its zeros along some axes."""
    axes = [axis for axis in axes if tangent.places[axis] is not None]
    if not axes:
        return tangent
    lengths = list(tangent.array.shape)
    for axis in axes:
        lengths[axis + 1] = shape[axis]
    array = np.zeros(lengths, tangent.array.dtype)
    moved = np.moveaxis(array, [axis + 1 for axis in axes], range(1, len(axes) + 1))
    where = [place for axis, place in enumerate(tangent.places) if axis in axes]
    moved[(np.arange(len(array)), *where)] = np.squeeze(tangent.array, tuple(axis + 1 for axis in axes))
    return Tangent(array, tuple(None if axis in axes else place for axis, place in enumerate(tangent.places)))


def everywhere(tangent: Tangent, shape: tuple[int, ...]) -> Array:
    """The array of a tangent with all its zeros."""
    return spread(tangent, shape, range(len(shape))).array


def added(terms: Sequence[Tangent], shape: tuple[int, ...]) -> Tangent:
    """The sum of tangents, carried along the axes where they move at the same places."""
    differ = [axis for axis in range(len(shape)) if not _same_places([term.places[axis] for term in terms])]
    whole = [spread(term, shape, differ) for term in terms]
    return Tangent(reduce(np.add, [term.array for term in whole]), whole[0].places)


def _same_places(places: Sequence[Array | None]) -> bool:
    first, *others = places
    return all(x is first or (x is not None and first is not None and np.array_equal(x, first)) for x in others)


def ranked(array: Array, rank: int) -> Array:
    """An array of tangents with as many axes as those of a value of this rank have, as broadcasting adds them."""
    return array.reshape(array.shape[0], *[1] * (rank + 1 - array.ndim), *array.shape[1:])


def stretched(tangent: Tangent, shape: tuple[int, ...]) -> Tangent:
    """The tangent of the value broadcast to a shape."""
    places = (*[None] * (len(shape) - len(tangent.places)), *tangent.places)
    lengths = [n if place is None else 1 for n, place in zip(shape, places, strict=True)]
    array = np.broadcast_to(ranked(tangent.array, len(shape)), (len(tangent.array), *lengths))
    return Tangent(array, places)


def turned(tangent: Tangent) -> Tangent:
    """The tangent of the transposed value."""
    *lead, rows, columns = tangent.places
    return Tangent(np.swapaxes(tangent.array, -1, -2), (*lead, columns, rows))
