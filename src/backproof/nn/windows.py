"""The windows that a kernel sees: what convolution and pooling have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from backproof.ir.errors import ShapeError

Array = np.ndarray[Any, Any]
Sides = int | tuple[int, ...]


def each(value: Sides, count: int) -> tuple[int, ...]:
    """One number for each of `count` axes."""
    return (value,) * count if isinstance(value, int) else tuple(value)


def padded(x: Array, padding: Sides, count: int, fill: float = 0) -> Array:
    """`x` with `padding` entries more at both ends of its last `count` axes."""
    widths = each(padding, count)
    if not any(widths):
        return x
    return np.pad(x, ((0, 0),) * (x.ndim - count) + tuple((p, p) for p in widths), constant_values=fill)


def windows(x: Array, size: tuple[int, ...], stride: Sides = 1, dilation: Sides = 1) -> Array:
    """The windows of the last axes, as many as `size` has numbers: these become positions, the places inside follow.

    Entry y of a position and p of a window is entry y·stride + p·dilation of `x`. Nothing is copied. Raises ShapeError
    where a window is larger than `x`.
    """
    count = len(size)
    steps, gaps = each(stride, count), each(dilation, count)
    spans = tuple((k - 1) * d + 1 for k, d in zip(size, gaps, strict=True))
    room = x.shape[x.ndim - count :]
    if any(span > n for span, n in zip(spans, room, strict=True)):
        raise ShapeError(
            "a kernel is larger than its input",
            where=f"kernel {spans} with its dilation, input {room} with its padding",
            why="there is no place to put it",
            instead="use a smaller kernel or dilation, or more padding",
        )
    kept: tuple[Any, ...] = (..., *(slice(None, None, step) for step in (*steps, *gaps)))
    return np.lib.stride_tricks.sliding_window_view(x, spans, axis=tuple(range(-count, 0)))[kept]
