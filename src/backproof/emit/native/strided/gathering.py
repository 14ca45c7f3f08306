"""Where entries lie that an index names, of an array in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backproof.emit.native.strided.values import Loaded, Lookup, Value, moved, stretched
from backproof.ops import linalg, rearranging, shaping, windows
from backproof.ops.row import Array, Row
from backproof.ops.shaping import Key, Slot

BACK: Mapping[Row, tuple[Row, tuple[str, ...]]] = {
    shaping.unindex: (shaping.index, ("key",)),
    rearranging.put_along: (rearranging.take_along, ("axis",)),
    windows.overlap_add: (windows.windows, ("axes", "lengths", "strides", "dilations")),
    linalg.diag: (linalg.diagonal, ()),
}
"""Operations that put entries where others take them from, and the attributes that both have."""


def looked_up(op: Row, attrs: Mapping[str, Any], x: Loaded, arrays: Sequence[Value], shape: tuple[int, ...]) -> Loaded:
    """The entries of an array, told by distances, at places that other arrays name."""
    if op is rearranging.take_along:
        return _along(attrs["axis"], x, arrays[0], shape)
    return _indexed(attrs["key"], x, arrays, shape)


def _along(axis: int, x: Loaded, array: Value, shape: tuple[int, ...]) -> Loaded:
    first = x.places.swapaxes(axis, 0)[:1].swapaxes(axis, 0)
    lookup = Lookup(stretched(array, shape), x.strides[axis], x.shape[axis])
    return Loaded(x.buffer, np.broadcast_to(first, shape), lookups=(lookup,))


def _indexed(key: Key, x: Loaded, arrays: Sequence[Value], shape: tuple[int, ...]) -> Loaded:
    common = len(np.broadcast_shapes(*(array.shape for array in arrays)))
    first = x.places[tuple(0 if isinstance(k, Slot) else k for k in key)]
    begin = _begin(key)
    lookups = []
    for axis, k in enumerate(key):
        if isinstance(k, Slot):
            array = moved(arrays[k.number], lambda a: _laid(a, common, len(shape) - common - begin))
            lookups.append(Lookup(stretched(array, shape), x.strides[axis], x.shape[axis]))
    whole = np.broadcast_to(np.expand_dims(first, tuple(range(begin, begin + common))), shape)
    return Loaded(x.buffer, whole, lookups=tuple(lookups))


def _laid(array: Array, common: int, behind: int) -> Array:
    """An array with axes of length one in front, up to those that all arrays have, and behind."""
    return array.reshape((1,) * (common - array.ndim) + array.shape + (1,) * behind)


def _begin(key: Key) -> int:
    """Which axis of the result is the first of those that the arrays have: the first of all where they are apart."""
    advanced = [axis for axis, k in enumerate(key) if not isinstance(k, slice)]
    return advanced[0] if advanced[-1] - advanced[0] + 1 == len(advanced) else 0
