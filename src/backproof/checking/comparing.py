"""Whether two values are the same, in whatever shape somebody gave them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from backproof.ops.row import Array

TOLERANCE = 1e-7
"""How far two values may differ, relative to the largest entry: rounding in another order of operations is less."""
SINGLE, HALF = 1e-4, 3e-2
"""The same in single precision and in half: 840 and 31 times what one rounding is at most."""


def tolerance(kind: np.dtype[Any]) -> float:
    """How far values may differ that are kept in a kind of number."""
    return {2: HALF, 4: SINGLE}.get(kind.itemsize, TOLERANCE) if kind.kind == "f" else TOLERANCE


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


def same(found: Array, right: Array) -> bool:
    """Whether a value is the right one in one of its layouts, entry by entry; what is no number is like nothing."""
    if found.size != right.size:
        return False
    if found.dtype.kind == "b":  # a mask
        found = found.astype(float)
    scale = float(np.max(np.abs(right), initial=0.0)) or 1.0
    return any(_near(found, form, tolerance(found.dtype) * scale) for form in layouts(right, found.shape))


def distance(found: Array, right: Array) -> float:
    """How far a value is at most from the right one, in the layout that is closest; infinite where it has none."""
    forms = layouts(right, found.shape) if found.size == right.size else ()
    return min((float(np.max(np.abs(found - form), initial=0.0)) for form in forms), default=np.inf)


def _near(found: Array, form: Array, most: float) -> bool:
    """Whether no entry is further off than that; the first and the corners before all, which tell most apart."""
    if found.size and abs(found.item(0) - form.item(0)) > most:
        return False
    corners = tuple(slice(None, None, max(1, n - 1)) for n in found.shape)
    return bool(np.all(np.abs(found[corners] - form[corners]) <= most) and np.all(np.abs(found - form) <= most))


def fits(gradient: Array, parameter: Array) -> bool:
    """Whether a parameter less a gradient has as many entries as the parameter: a column less a row has more."""
    try:
        return bool(np.broadcast(gradient, parameter).size == parameter.size)
    except ValueError:
        return False
