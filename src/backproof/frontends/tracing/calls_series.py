"""What NumPy's functions of samples and series become: moments, quantiles, interpolation, polynomials, slopes."""

from __future__ import annotations

from typing import Any

import numpy as np

from backproof.frontends.tracing.calls import (
    _array,
    _axes,
    _concatenate,
    _flat,
    _indexed,
    _product,
    _stack,
    _sum,
    becomes,
)
from backproof.frontends.tracing.calls_arrays import _diff, _part, _sort
from backproof.frontends.tracing.tape import refuse
from backproof.frontends.tracing.traced import HANDLERS, Nodes, Traced
from backproof.ir.node import Node
from backproof.ops import elementary, linalg, reductions, shaping
from backproof.ops.arithmetic import add, div, mul, power, sub
from backproof.ops.leaves import constant
from backproof.ops.linear import expand, matmul, stretched, transposed

# --- moments and quantiles


@becomes(np.cov)
def _cov(nodes: Nodes, m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None) -> Node:
    if y is not None:
        raise refuse("np.cov of two arrays is not followed", instead="join them: np.cov(np.vstack([x, y]))")
    node = _array(nodes, m)
    vector = len(node.shape) == 1
    rows = expand(node, axes=(-2,)) if vector else node if rowvar else transposed(node)
    count = (rows.shape[-1].value or 0) - (ddof if ddof is not None else 0 if bias else 1)
    centred = sub(rows, reductions.mean(rows, (-1,), keepdims=True))
    found = div(matmul(centred, transposed(centred)), constant(count))
    return found if found.shape[0].value != 1 else shaping.squeeze(found, axes=(-2, -1))


@becomes(np.corrcoef)
def _corrcoef(nodes: Nodes, x: Any, y: Any = None, rowvar: bool = True) -> Node:
    both = nodes(x) if y is None else _stack(nodes, [x, y])
    covariance = _cov(nodes, both, rowvar=rowvar)
    if not covariance.shape:
        return div(covariance, covariance)
    deviation = elementary.sqrt(linalg.diagonal(covariance))
    return div(div(covariance, expand(deviation, axes=(-1,))), expand(deviation, axes=(-2,)))


@becomes(np.quantile)
def _quantile(nodes: Nodes, x: Any, q: Any, axis: Any = None, keepdims: bool = False, **options: Any) -> Node:
    method = options.pop("method", "linear")
    if isinstance(q, Traced) or np.ndim(q) > 1 or method != "linear" or any(v is not None for v in options.values()):
        raise refuse(
            "np.quantile in this form is not followed",
            instead='give plain numbers for the probabilities, and method="linear"',
        )
    node = _array(nodes, x)
    axes = _axes(node, axis)
    kept = [k for k in range(-len(node.shape), 0) if k not in axes]
    rank = len(node.shape)
    # The axes that are left come first, all the others are one axis at the end.
    turned = shaping.permute(node, axes=(*kept, *axes)) if [*kept, *axes] != list(range(-rank, 0)) else node
    lengths = [node.shape[k].value or 0 for k in kept]
    if len(axes) > 1:
        turned = HANDLERS[np.reshape](nodes, turned, (*lengths, -1))
    ordered = _sort(nodes, turned)
    last = (ordered.shape[-1].value or 0) - 1
    found = []
    for probability in np.atleast_1d(q):
        place = float(probability) * last
        low = min(int(place), max(last - 1, 0))
        at, after = (_indexed(nodes, ordered, (..., k)) for k in (low, min(low + 1, last)))
        found.append(add(at, mul(constant(place - low), sub(after, at))) if last else at)
    if keepdims:
        shape = [1 if k in axes else node.shape[k].value or 0 for k in range(-rank, 0)]
        found = [HANDLERS[np.reshape](nodes, x, shape) for x in found]
    return found[0] if np.ndim(q) == 0 else _stack(nodes, found)


HANDLERS[np.percentile] = lambda nodes, x, q, *more, **options: _quantile(
    nodes, x, q if isinstance(q, Traced) else np.asarray(q) / 100, *more, **options
)


# --- series


HANDLERS[np.ediff1d] = lambda nodes, x: _diff(nodes, _flat(nodes(x)))


@becomes(np.gradient)
def _gradient(nodes: Nodes, x: Any, *spacing: Any, axis: Any = None, edge_order: int = 1) -> Any:
    node = nodes(x)
    axes = _axes(node, axis)
    if edge_order != 1 or any(np.ndim(h) for h in spacing) or len(spacing) not in (0, 1, len(axes)):
        raise refuse("np.gradient with places or edge_order is not followed", instead="give one spacing for each axis")
    widths = [nodes(h) for h in spacing] * (len(axes) if len(spacing) == 1 else 1) or [constant(1)] * len(axes)
    found = [_slopes(nodes, node, k, h) for k, h in zip(axes, widths, strict=True)]
    return found[0] if len(found) == 1 else found


def _slopes(nodes: Nodes, node: Node, axis: int, width: Node) -> Node:
    """Differences to both sides inside, to one side at the ends."""
    n = node.shape[axis].value or 0
    steps = _diff(nodes, node, axis=axis)
    ends = [_part(steps, axis, 0, 1), _part(steps, axis, n - 2, n - 1)]
    inside = [div(sub(_part(node, axis, 2, n), _part(node, axis, 0, n - 2)), constant(2))] if n > 2 else []
    return div(_concatenate(nodes, [ends[0], *inside, ends[1]], axis), width)


@becomes(np.interp)
def _interp(nodes: Nodes, x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Node:
    if isinstance(xp, Traced) or left is not None or right is not None or period is not None:
        raise refuse(
            "np.interp in this form is not followed",
            instead="give plain places xp, and no left, right or period",
        )
    places = np.asarray(xp, dtype=float)
    value = np.asarray(nodes.value(x), dtype=float)
    low = np.clip(np.searchsorted(places, value, side="right") - 1, 0, len(places) - 2)
    if isinstance(x, Traced):
        nodes.tape.note("np.interp finds the interval of each point; the derivation is that for the points given")
    ends = HANDLERS[np.clip](nodes, x, float(places[0]), float(places[-1]))
    heights = nodes(fp)
    start, end = (_indexed(nodes, heights, k if k.ndim else int(k)) for k in (low, low + 1))
    weight = div(sub(ends, nodes(places[low])), nodes(places[low + 1] - places[low]))
    return add(start, mul(weight, sub(end, start)))


# --- polynomials


@becomes(np.polyval)
def _polyval(nodes: Nodes, p: Any, x: Any) -> Node:
    """Horner's rule."""
    coefficients, at = nodes(p), nodes(x)
    parts = [_indexed(nodes, coefficients, k) for k in range(coefficients.shape[0].value or 0)]
    found = stretched(parts[0], at.shape)
    for part in parts[1:]:
        found = add(mul(found, at), part)
    return found


@becomes(np.vander)
def _vander(nodes: Nodes, x: Any, N: int | None = None, increasing: bool = False) -> Node:
    node = nodes(x)
    count = (node.shape[0].value or 0) if N is None else int(N)
    columns = [_to_the(node, k) for k in range(count)]
    return _stack(nodes, columns if increasing else columns[::-1], axis=1)


def _to_the(node: Node, exponent: int) -> Node:
    if exponent == 0:
        return stretched(constant(1), node.shape)
    return node if exponent == 1 else power(node, exponent=exponent)


# --- products of stacks, parts


@becomes(np.vecdot)
def _vecdot(nodes: Nodes, a: Any, b: Any, axis: int = -1) -> Node:
    return _sum(nodes, mul(nodes(a), nodes(b)), axis)


HANDLERS[np.linalg.vecdot] = lambda nodes, a, b, axis=-1: _vecdot(nodes, a, b, axis)
HANDLERS[np.matvec] = lambda nodes, a, x: shaping.squeeze(_product(nodes, a, expand(nodes(x), axes=(-1,))), axes=(-1,))
HANDLERS[np.matrix_transpose] = lambda nodes, x: transposed(nodes(x))


@becomes(np.unstack)
def _unstack(nodes: Nodes, x: Any, axis: int = 0) -> list[Node]:
    node = nodes(x)
    place = axis % len(node.shape)
    return [_indexed(nodes, node, (*[slice(None)] * place, k)) for k in range(node.shape[place].value or 0)]


@becomes(np.delete)
def _delete(nodes: Nodes, x: Any, obj: Any, axis: Any = None) -> Node:
    node = _flat(nodes(x)) if axis is None else nodes(x)
    place = 0 if axis is None else axis % len(node.shape)
    kept = np.delete(np.arange(node.shape[place].value or 0), obj)
    return _indexed(nodes, node, (*[slice(None)] * place, kept))


# --- transforms


@becomes(
    *(np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft, np.fft.fft2, np.fft.ifft2, np.fft.rfft2, np.fft.irfft2),
    *(np.fft.fftn, np.fft.ifftn, np.fft.rfftn, np.fft.irfftn, np.fft.hfft, np.fft.ihfft),
)
def _transform(nodes: Nodes, *arguments: Any, **options: Any) -> None:
    raise refuse(
        "a Fourier transform is not followed",
        why="its result is complex, and only real numbers are followed",
        instead="multiply by the matrices np.cos(angles) and np.sin(angles), 2π·k·n/N being the angles",
    )
