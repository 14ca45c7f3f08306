"""Pooling: the largest entry or the mean of each window."""

from __future__ import annotations

from typing import Any

import numpy as np

from backproof.nn.windows import Sides, each, padded, windows

Array = np.ndarray[Any, Any]


def max_pool1d(x: Array, size: Sides, stride: Sides | None = None, padding: Sides = 0) -> Array:
    """The largest entry of each window; `x` is N × C × L. The stride is the size unless it is given.

    Raises ShapeError where a window is larger than the padded input.
    """
    patches = _patches(x, size, stride, padding, -np.inf, count=1)
    return np.max(patches, axis=-1)


def max_pool2d(x: Array, size: Sides, stride: Sides | None = None, padding: Sides = 0) -> Array:
    """The largest entry of each window; `x` is N × C × H × W. The stride is the size unless it is given.

    Raises ShapeError where a window is larger than the padded input.
    """
    patches = _patches(x, size, stride, padding, -np.inf, count=2)
    return np.max(patches, axis=(-2, -1))


def avg_pool1d(x: Array, size: Sides, stride: Sides | None = None, padding: Sides = 0) -> Array:
    """The mean of each window, padding counted; `x` is N × C × L. The stride is the size unless it is given.

    Raises ShapeError where a window is larger than the padded input.
    """
    patches = _patches(x, size, stride, padding, 0, count=1)
    return np.mean(patches, axis=-1)


def avg_pool2d(x: Array, size: Sides, stride: Sides | None = None, padding: Sides = 0) -> Array:
    """The mean of each window, padding counted; `x` is N × C × H × W. The stride is the size unless it is given.

    Raises ShapeError where a window is larger than the padded input.
    """
    patches = _patches(x, size, stride, padding, 0, count=2)
    return np.mean(patches, axis=(-2, -1))


def global_avg_pool(x: Array) -> Array:
    """The mean of each channel of each sample: `x` is N × C × …, the result is N × C."""
    return np.mean(x, axis=tuple(range(2, x.ndim)))


def _patches(x: Array, size: Sides, stride: Sides | None, padding: Sides, fill: float, *, count: int) -> Array:
    sizes = each(size, count)
    return windows(padded(x, padding, count, fill), sizes, sizes if stride is None else stride)
