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


def windows(x: Array, size: Sides, stride: Sides = 1, dilation: Sides = 1, *, count: int) -> Array:
    """The windows of the last `count` axes: these axes become positions, and those inside a window come after them.

    Entry y of a position and p of a window is entry y·stride + p·dilation of `x`. Nothing is copied. Raises ShapeError
    where a window is larger than `x`.
    """
    sizes, steps, gaps = each(size, count), each(stride, count), each(dilation, count)
    spans = tuple((k - 1) * d + 1 for k, d in zip(sizes, gaps, strict=True))
    if any(span > n for span, n in zip(spans, x.shape[x.ndim - count :], strict=True)):
        raise ShapeError(
            "a kernel is larger than its input",
            where=f"kernel {spans} with its dilation, input {x.shape[x.ndim - count :]} with its padding",
            why="there is no place to put it",
            instead="use a smaller kernel or dilation, or more padding",
        )
    views = np.lib.stride_tricks.sliding_window_view(x, spans, axis=tuple(range(x.ndim - count, x.ndim)))
    kept: tuple[Any, ...] = (..., *(slice(None, None, step) for step in (*steps, *gaps)))
    return views[kept]
