"""Whether two values are the same, in whatever shape somebody gave them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from backproof.ops.row import Array

TOLERANCE = 1e-7
"""How far two values may differ, relative to the largest entry: rounding in another order of operations is less."""
SINGLE = 1e-4
"""The same in single precision."""
CANCELLED, CANCELLED_SINGLE = 1e-6, 1e-2
"""Which part of what it is summed up from a value is taken for at least, before the tolerance is applied."""


def layouts(array: Array, shape: tuple[int, ...]) -> Iterator[Array]:
    """A value in the shape that somebody else gave it: as it is, else transposed, or with other axes of length one.

    What has the right shape is not looked at transposed: of a square matrix that would hide a mistake.
    """
    if array.shape == shape:
        yield array
        return
    if array.ndim == 2 and array.shape[::-1] == shape:
        yield array.T
    if _long(array.shape) == _long(shape):
        yield array.reshape(shape)


def _long(shape: tuple[int, ...]) -> list[int]:
    return [n for n in shape if n != 1]


def same(found: Array, right: Array, summed: float = 0.0) -> bool:
    """Whether a value is the right one in one of its layouts, entry by entry; what is no number is like nothing.

    `summed` is the largest entry of what was summed up to it: where that cancels, what is left is rounding.
    """
    if found.size != right.size:
        return False
    single = found.dtype.itemsize <= 4 and found.dtype.kind == "f"
    tolerance, cancelled = (SINGLE, CANCELLED_SINGLE) if single else (TOLERANCE, CANCELLED)
    scale = max(float(np.max(np.abs(right), initial=0.0)), cancelled * summed) or 1.0
    return any(_near(found, form, tolerance * scale) for form in layouts(right, found.shape))


def _near(found: Array, form: Array, most: float) -> bool:
    """Whether no entry is further off than that; the corners first, which tell nearly all apart that differ."""
    corners = tuple(slice(None, None, max(1, n - 1)) for n in found.shape)
    return bool(np.all(np.abs(found[corners] - form[corners]) <= most) and np.all(np.abs(found - form) <= most))


def fits(gradient: Array, parameter: Array) -> bool:
    """Whether a parameter less a gradient has as many entries as the parameter: a column less a row has more."""
    try:
        return bool(np.broadcast(gradient, parameter).size == parameter.size)
    except ValueError:
        return False
