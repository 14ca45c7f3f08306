"""Other arguments of the same kind, for the further runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from backproof.ops.row import Array


def copied(value: Any) -> Any:
    """A copy of arrays and of the containers that hold them."""
    return each(lambda array: array.copy(), value)


def redrawn(arguments: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Other arguments of the same kind: decimal numbers of about the same size; labels and places in another order.

    What right code may rely on stays: see `like`. What is as long is put in the same order, so that pairs stay pairs.
    """
    orders: dict[int, Array] = {}
    return dict(each(lambda array: _other(array, rng, orders), dict(arguments)))


def between(near: Any, far: Any, share: float) -> Any:
    """Arguments that are a share of the way from some to others; labels, places and masks are those of the first."""

    def mixed(array: Array, other: Array) -> Array:
        if is_label(array):
            return array
        return np.asarray(like(array, array + share * (other - array)), dtype=array.dtype)

    return each(mixed, near, far)


def each(change: Callable[..., Array], value: Any, *others: Any) -> Any:
    """Containers with their arrays changed, each together with those at the same place in others."""
    if isinstance(value, dict):
        return {key: each(change, part, *(x[key] for x in others)) for key, part in value.items()}
    if isinstance(value, list | tuple):
        parts = [each(change, *same_place) for same_place in zip(value, *others, strict=True)]
        return value._make(parts) if hasattr(value, "_make") else type(value)(parts)
    return change(value, *others) if isinstance(value, np.ndarray) else value


def _other(array: Array, rng: np.random.Generator, orders: dict[int, Array]) -> Array:
    if is_label(array):
        return _reordered(array, rng, orders) if array.ndim else array
    size = float(np.sqrt(np.mean(np.square(array, dtype=float)))) or 0.5
    is_positive = array.any() and (array >= 0).all()
    new = rng.uniform(0.5, 1.5, array.shape) if is_positive else rng.normal(size=array.shape)
    return np.asarray(like(array, np.asarray(size * new)), dtype=array.dtype)


def is_label(array: Array) -> bool:
    """Whether an array holds labels, places or a mask, and not measurements: whole numbers, or two values only."""
    if array.dtype.kind != "f":
        return True
    if len(np.unique(array.ravel()[:64])) > 2:
        return False
    values = np.unique(array)
    return len(values) == 2 and (array.size > 4 or bool(np.isin(values, (-1.0, 0.0, 1.0)).all()))


def _reordered(array: Array, rng: np.random.Generator, orders: dict[int, Array]) -> Array:
    """The same entries at other places; a row of one-hot labels stays one."""
    axis = int(np.argmax(array.shape)) if array.dtype.kind == "f" else 0
    length = array.shape[axis]
    if length not in orders:
        orders[length] = rng.permutation(length)
    moved = np.take(array, orders[length], axis)
    return np.take(moved, orders[length], 1) if is_symmetric(array) else moved


def like(array: Array, other: Array) -> Array:
    """Other numbers with what right code may rely on in an array.

    That is: a symmetric matrix; along an axis shares, numbers that add up to 1, where there are any, or squares that
    do; numbers in their order.
    """
    if is_symmetric(array):
        return np.asarray(np.triu(other) + np.triu(other, 1).T)
    nearly = max(1e-6, 8 * float(np.finfo(array.dtype).eps)) if array.dtype.kind == "f" else 0.0
    for axis in (k for k, length in enumerate(array.shape) if length > 1):
        if (array >= 0).all() and np.allclose(array.sum(axis), 1, rtol=nearly):
            some = other * (array > 0)
            return np.asarray(some / some.sum(axis, keepdims=True))
        if np.allclose(np.square(array).sum(axis), 1, rtol=nearly):
            return np.asarray(other / np.sqrt(np.square(other).sum(axis, keepdims=True)))
    if array.ndim == 1 and len(array) > 3 and (np.diff(array) >= 0).all() and array.any():
        return np.sort(other)
    return other


def is_symmetric(array: Array) -> bool:
    """Whether a matrix is symmetric, and not because all of its entries off the diagonal are the same.

    The latter, such as the identity, are values that weights begin with; so are symmetric ones of two rows.
    """
    if array.ndim != 2 or len(array) < 3 or array.shape[0] != array.shape[1] or not np.array_equal(array, array.T):
        return False
    beside = array[~np.eye(len(array), dtype=bool)]
    return bool((beside != beside[0]).any())
