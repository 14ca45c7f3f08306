"""Convolution: padding, windows, and one sum of products."""

from __future__ import annotations

from typing import Any

import numpy as np

from backproof.ir.errors import ShapeError
from backproof.nn.windows import Sides, padded, windows

Array = np.ndarray[Any, Any]


def conv1d(
    x: Array,
    w: Array,
    b: Array | None = None,
    stride: Sides = 1,
    padding: Sides = 0,
    dilation: Sides = 1,
    groups: int = 1,
) -> Array:
    """`x` is N × C × L, `w` is O × C/groups × K, `b` is O; the result is N × O × positions.

    ``out[n, o, y] = Σ_c,p w[o, c, p] · x[n, c, y·stride + p·dilation]``, of the padded `x`. Raises ShapeError where the
    shapes do not fit, `groups` does not divide the channels, or the kernel is larger than the padded input.
    """
    _check(x, w, b, groups, count=1)
    x_padded = padded(x, padding, 1)
    kernel = w.shape[2:]
    if groups == 1:
        out = np.einsum("ncyp,ocp->noy", windows(x_padded, kernel, stride, dilation), w, optimize=True)
    else:
        x_grouped, w_grouped = _grouped(x_padded, 1, groups), _grouped(w, 0, groups)
        out = np.einsum("ngcyp,gocp->ngoy", windows(x_grouped, kernel, stride, dilation), w_grouped, optimize=True)
        out = np.reshape(out, (len(x), len(w), *out.shape[3:]))
    return out if b is None else out + b[:, None]


def conv2d(
    x: Array,
    w: Array,
    b: Array | None = None,
    stride: Sides = 1,
    padding: Sides = 0,
    dilation: Sides = 1,
    groups: int = 1,
) -> Array:
    """`x` is N × C × H × W, `w` is O × C/groups × KH × KW, `b` is O; the result is N × O × rows × columns.

    ``out[n, o, y, x] = Σ_c,p,q w[o, c, p, q] · x[n, c, y·stride + p·dilation, x·stride + q·dilation]``, of the padded
    `x`; `stride`, `padding` and `dilation` are one number or one for each axis. Raises ShapeError where the shapes do
    not fit, `groups` does not divide the channels, or the kernel is larger than the padded input.
    """
    _check(x, w, b, groups, count=2)
    x_padded = padded(x, padding, 2)
    kernel = w.shape[2:]
    if groups == 1:
        out = np.einsum("ncyxpq,ocpq->noyx", windows(x_padded, kernel, stride, dilation), w, optimize=True)
    else:
        x_grouped, w_grouped = _grouped(x_padded, 1, groups), _grouped(w, 0, groups)
        out = np.einsum("ngcyxpq,gocpq->ngoyx", windows(x_grouped, kernel, stride, dilation), w_grouped, optimize=True)
        out = np.reshape(out, (len(x), len(w), *out.shape[3:]))
    return out if b is None else out + b[:, None, None]


def _grouped(x: Array, axis: int, groups: int) -> Array:
    """`x` with the axis of channels parted into groups."""
    return np.reshape(x, (*x.shape[:axis], groups, x.shape[axis] // groups, *x.shape[axis + 1 :]))


def _check(x: Array, w: Array, b: Array | None, groups: int, *, count: int) -> None:
    if x.ndim != count + 2 or w.ndim != count + 2 or (b is not None and b.shape != w.shape[:1]):
        raise ShapeError(
            "the arrays of a convolution have the wrong shapes",
            where=f"x {x.shape}, w {w.shape}" + ("" if b is None else f", b {b.shape}"),
            why=f"{count} axes are convolved, after one of samples and one of channels",
            instead="give x as N × C × …, w as O × C × …, b as O",
        )
    if x.shape[1] != groups * w.shape[1] or len(w) % groups:
        raise ShapeError(
            "the channels of an input and of its kernels do not fit",
            where=f"x {x.shape}, w {w.shape}, {groups} groups",
            why="w has, in axis 1, the channels of one group, and each group has as many kernels",
            instead="choose groups that divide the channels and the kernels; give w C / groups channels",
        )
