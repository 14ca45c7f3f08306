"""Layers without a family: a product with weights, a table, dropout."""

from __future__ import annotations

from typing import Any

import numpy as np

from backproof.ir.errors import ShapeError

Array = np.ndarray[Any, Any]


def linear(x: Array, W: Array, b: Array | None = None) -> Array:
    """x·Wᵀ + b: `x` is … × in, `W` is out × in, `b` is out; the result is … × out. Raises ShapeError else."""
    if W.ndim != 2 or x.shape[-1] != W.shape[1]:
        raise ShapeError(
            "an input and weights do not fit",
            where=f"x {x.shape}, W {W.shape}",
            why="each row of W multiplies the last axis of x, so both must be as long",
            instead="give W as out × in",
        )
    return x @ W.T if b is None else x @ W.T + b


def embedding(table: Array, ids: Array) -> Array:
    """The rows of `table` (words × width) that the whole numbers `ids` name; the shape of `ids`, × width."""
    return table[ids]


def dropout(x: Array, mask: Array, rate: float) -> Array:
    """`x` where `mask` is 1 and 0 where it is 0, divided by the share that is kept, 1 − `rate`.

    The mask is given, so that the function can be differentiated: ``rng.random(x.shape) >= rate``.
    Source: Srivastava et al. 2014, section 10, with the division in training.
    """
    return x * mask / (1 - rate)
