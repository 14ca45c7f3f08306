"""Functions that NumPy does not have. Those that a program needs are written at its head, word for word."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any
"""What arithmetic on arrays is typed as in NumPy's stubs."""


def sigmoid(z: Array) -> Array:
    """1/(1 + exp(-z)), without overflow."""
    small = np.exp(-np.abs(z))
    return np.where(z < 0, small, 1) / (1 + small)


def softplus(z: Array) -> Array:
    """log(1 + exp(z)), without overflow."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def softmax(z: Array, axis: int) -> Array:
    """Exponentials divided by their sum along an axis, without overflow."""
    e = np.exp(z - np.max(z, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def log_softmax(z: Array, axis: int) -> Array:
    """The logarithm of softmax, without overflow."""
    shifted = z - np.max(z, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def put(values: Array, like: Array, places: Any) -> Array:
    """Zeros of the shape of `like`, with values added at places."""
    result = np.zeros_like(like)
    np.add.at(result, places, values)
    return result


def put_part(values: Array, like: Array, places: Any) -> Array:
    """Zeros of the shape of `like`, with values at a part of it."""
    result = np.zeros_like(like)
    result[places] = values
    return result


def windows(a: Array, axes: Any, lengths: Any, strides: Any, dilations: Any) -> Array:
    """The windows of `a` along `axes`, as a view: these become positions, the places inside a window follow."""
    spans = [(k - 1) * d + 1 for k, d in zip(lengths, dilations, strict=True)]
    kept = [slice(None)] * a.ndim + [slice(None, None, d) for d in dilations]
    for axis, stride in zip(axes, strides, strict=True):
        kept[a.ndim + axis] = slice(None, None, stride)
    return np.lib.stride_tricks.sliding_window_view(a, spans, axis=axes)[tuple(kept)]


def overlap_add(g: Array, axes: Any, lengths: Any, strides: Any, dilations: Any, shape: Any) -> Array:
    """The array of that shape whose windows `g` are; what lies over each other is added."""
    result = np.zeros(shape, g.dtype)
    for offsets in np.ndindex(*lengths):
        where = [slice(None)] * len(shape)
        for axis, offset, stride, dilation in zip(axes, offsets, strides, dilations, strict=True):
            start = offset * dilation
            where[axis] = slice(start, start + (g.shape[len(shape) + axis] - 1) * stride + 1, stride)
        result[tuple(where)] += g[(..., *offsets)]
    return result


def put_along(values: Array, places: Array, axis: int, size: int) -> Array:
    """Zeros with values added at places along an axis of that size."""
    shape = list(values.shape)
    shape[axis] = size
    result = np.zeros(shape, values.dtype)
    where = list(np.ogrid[tuple(slice(n) for n in values.shape)])
    where[axis] = places
    np.add.at(result, tuple(where), values)
    return result


def replaced(a: Array, values: Array, places: Any) -> Array:
    """A copy of `a` with values at places."""
    result = np.array(a)
    result[places] = values
    return result


def scaled_identity(number: Array, rows: int, columns: int) -> Array:
    """The identity matrix times a number, or one for each of many."""
    return np.asarray(number)[..., None, None] * np.eye(rows, columns)


def diagonal_matrix(a: Array) -> Array:
    """The matrix that has `a` on its diagonal, for each vector along the last axis."""
    return a[..., None] * np.eye(a.shape[-1], dtype=a.dtype)


def half_triangle(a: Array) -> Array:
    """The lower triangle of a square matrix with its diagonal halved."""
    return np.tril(a) * (1 - np.eye(a.shape[-1], dtype=a.dtype) / 2)


def reciprocal_gaps(w: Array) -> Array:
    """The matrix of 1/(w_k - w_j), with 0 on its diagonal."""
    own = np.eye(w.shape[-1], dtype=w.dtype)
    return (1 - own) / (w[..., None, :] - w[..., :, None] + own)


def doubled(a: Array, axis: int, even: bool) -> Array:
    """Frequencies times 2 along an axis, but for the first and, of an even number, the last."""
    last = np.array(np.moveaxis(a, axis, -1))
    last[..., 1 : -1 if even else None] *= 2
    return np.moveaxis(last, -1, axis)


def product_of_others(a: Array, axis: int) -> Array:
    """For each entry the product of all others along an axis."""
    last = np.moveaxis(a, axis, -1)
    one = np.ones_like(last[..., :1])
    before = np.cumprod(np.concatenate([one, last[..., :-1]], -1), -1)
    after = np.cumprod(np.concatenate([one, last[..., :0:-1]], -1), -1)[..., ::-1]
    return np.moveaxis(before * after, -1, axis)


def recurrence(factors: Array, terms: Array, axis: int, reverse: bool) -> Array:
    """y with y_k = terms_k + factors_k * y_(k-1) along an axis, or backwards."""
    c, b = (np.moveaxis(x, axis, 0) for x in np.broadcast_arrays(factors, terms))
    y = np.array(b)
    steps = range(len(y) - 2, -1, -1) if reverse else range(1, len(y))
    for k in steps:
        y[k] += c[k] * y[k + 1 if reverse else k - 1]
    return np.moveaxis(y, 0, axis)
