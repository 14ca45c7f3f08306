"""Other arguments of the same kind, for the further runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from backproof.ops.row import Array


def copied(value: Any) -> Any:
    """A copy of arrays and of the containers that hold them."""
    if isinstance(value, dict):
        return {key: copied(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(copied, value))
    return value.copy() if isinstance(value, np.ndarray) else value


def redrawn(arguments: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Other arguments of the same kind: decimal numbers of about the same size; labels in another order."""
    return {name: _redrawn(value, rng) for name, value in arguments.items()}


def _redrawn(value: Any, rng: np.random.Generator) -> Any:
    if isinstance(value, dict):
        return {key: _redrawn(part, rng) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_redrawn(part, rng) for part in value)
    if not isinstance(value, np.ndarray):
        return value
    return _other(value, rng)


def _other(array: Array, rng: np.random.Generator) -> Array:
    if array.dtype.kind != "f" or (np.isin(array, (0.0, 1.0)).all() and 0 < array.mean() < 1):
        # Labels, whole numbers, masks: the same ones at other places; a row of one-hot labels stays one.
        axis = int(np.argmax(array.shape)) if array.ndim and array.dtype.kind == "f" else 0
        return np.take(array, rng.permutation(array.shape[axis]), axis) if array.ndim else array
    size = float(np.sqrt(np.mean(np.square(array)))) or 0.5
    if (array > 0).all():
        return np.asarray(size * rng.uniform(0.5, 1.5, array.shape), dtype=array.dtype)
    return np.asarray(size * rng.normal(size=array.shape), dtype=array.dtype)
