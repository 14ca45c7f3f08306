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
    _only,
    _product,
    _stack,
    _sum,
    becomes,
)
from backproof.frontends.tracing.calls_arrays import _diff, _on_axis, _part, _sort
from backproof.frontends.tracing.tape import refuse
from backproof.frontends.tracing.traced import HANDLERS, Nodes, Traced
from backproof.ir.node import Node
from backproof.ir.sizes import broadcast, of_length
from backproof.ops import elementary, linalg, reductions, shaping
from backproof.ops.arithmetic import add, div, mul, power, sub
from backproof.ops.leaves import constant
from backproof.ops.linear import expand, matmul, stretched, transposed

# --- moments and quantiles


@becomes(np.cov)
def _cov(nodes: Nodes, m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None) -> Node:
    node = _array(nodes, m)
    if y is not None:
        node = HANDLERS[np.vstack](nodes, [_as_rows(x, rowvar) for x in (node, _array(nodes, y))])
        rowvar = True
    vector = len(node.shape) == 1
    rows = expand(node, axes=(-2,)) if vector else node if rowvar else transposed(node)
    count = (rows.shape[-1].value or 0) - (ddof if ddof is not None else 0 if bias else 1)
    centred = sub(rows, reductions.mean(rows, (-1,), keepdims=True))
    found = div(matmul(centred, transposed(centred)), constant(count))
    return found if found.shape[0].value != 1 else shaping.squeeze(found, axes=(-2, -1))


def _as_rows(node: Node, rowvar: bool) -> Node:
    return node if rowvar or len(node.shape) < 2 else transposed(node)


@becomes(np.corrcoef)
def _corrcoef(nodes: Nodes, x: Any, y: Any = None, rowvar: bool = True) -> Node:
    covariance = _cov(nodes, x, y, rowvar=rowvar)
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
    if edge_order != 1 or len(spacing) not in (0, 1, len(axes)):
        raise refuse("np.gradient with edge_order is not followed", instead="give one spacing for each axis")
    widths = [nodes(h) for h in spacing] * (len(axes) if len(spacing) == 1 else 1) or [constant(1)] * len(axes)
    found = [_slopes(nodes, node, k, h) for k, h in zip(axes, widths, strict=True)]
    return found[0] if len(found) == 1 else found


def _slopes(nodes: Nodes, node: Node, axis: int, width: Node) -> Node:
    """Differences to both sides inside, to one side at the ends; the width is one number or there are places."""
    n = node.shape[axis].value or 0
    steps = _diff(nodes, node, axis=axis)
    if width.shape:
        return _slopes_between(nodes, div(steps, _on_axis(_diff(nodes, width), axis)), _diff(nodes, width), axis)
    ends = [_part(steps, axis, 0, 1), _part(steps, axis, n - 2, n - 1)]
    inside = [div(sub(_part(node, axis, 2, n), _part(node, axis, 0, n - 2)), constant(2))] if n > 2 else []
    return div(_concatenate(nodes, [ends[0], *inside, ends[1]], axis), width)


def _slopes_between(nodes: Nodes, slopes: Node, gaps: Node, axis: int) -> Node:
    """At each place inside the slopes on its two sides, each weighed with the gap on the other side."""
    n = slopes.shape[axis].value or 0
    ends = [_part(slopes, axis, 0, 1), _part(slopes, axis, n - 1, n)]
    if n < 2:
        return _concatenate(nodes, ends, axis)
    before, after = (_on_axis(_part(gaps, -1, *place), axis) for place in ((0, n - 1), (1, n)))
    weighed = add(mul(after, _part(slopes, axis, 0, n - 1)), mul(before, _part(slopes, axis, 1, n)))
    return _concatenate(nodes, [ends[0], div(weighed, add(before, after)), ends[1]], axis)


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


# --- places and grids


@becomes(np.linspace)
def _linspace(nodes: Nodes, start: Any, stop: Any, num: int = 50, endpoint: bool = True, **options: Any) -> Node:
    _only({name: value or None for name, value in options.items()}, "np.linspace")
    first, last = nodes(start), nodes(stop)
    shares = np.linspace(0.0, 1.0, num, endpoint=endpoint)
    if first.shape or last.shape:
        shares = shares.reshape(-1, *[1] * max(len(first.shape), len(last.shape)))
    return add(first, mul(nodes(shares), sub(last, first)))


@becomes(np.logspace)
def _logspace(nodes: Nodes, start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0) -> Node:
    return elementary.exp(mul(_linspace(nodes, start, stop, num, endpoint), elementary.log(nodes(base))))


@becomes(np.geomspace)
def _geomspace(nodes: Nodes, start: Any, stop: Any, num: int = 50, endpoint: bool = True) -> Node:
    first, last = (elementary.log(nodes(end)) for end in (start, stop))
    return elementary.exp(_linspace(nodes, first, last, num, endpoint))


@becomes(np.meshgrid)
def _meshgrid(nodes: Nodes, *axes: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> list[Node]:
    vectors = [_flat(nodes(x)) for x in axes]
    rank = len(vectors)
    places = list(range(-rank, 0))
    if indexing == "xy" and rank > 1:
        places[0], places[1] = places[1], places[0]
    found = [
        expand(x, axes=tuple(k for k in range(-rank, 0) if k != at)) for x, at in zip(vectors, places, strict=True)
    ]
    if sparse:
        return found
    shape = broadcast([x.shape for x in found])
    return [stretched(x, shape) for x in found]


@becomes(np.unwrap)
def _unwrap(nodes: Nodes, p: Any, discont: Any = None, axis: int = -1, *, period: float = 2 * np.pi) -> Node:
    """Angles with whole turns added, which do not vary."""
    value = nodes.value(p)
    turns = np.unwrap(value, discont, axis, period=period) - value
    nodes.tape.note("np.unwrap adds whole turns; the derivation is that for the turns of the angles given")
    return add(nodes(p), nodes(np.round(turns / period) * period))


@becomes(np.bincount)
def _bincount(nodes: Nodes, x: Any, weights: Any = None, minlength: int = 0) -> Node | None:
    if weights is None:
        return None
    counted = np.asarray(nodes.value(x))
    count = max(int(counted.max()) + 1, minlength)
    return shaping.unindex(nodes(weights), nodes(x), key=(shaping.Slot(0),), sizes=(of_length(count),))


# --- polynomials


@becomes(np.polyfit)
def _polyfit(nodes: Nodes, x: Any, y: Any, deg: int, *arguments: Any, **options: Any) -> Node:
    if arguments or options:
        raise refuse(
            "np.polyfit with weights, a threshold or more results is not followed", instead="use np.linalg.lstsq"
        )
    columns = _vander(nodes, x, int(deg) + 1)
    turned = transposed(columns)
    found: Node = HANDLERS[np.linalg.solve](nodes, matmul(turned, columns), _product(nodes, turned, nodes(y)))
    return found


@becomes(np.polyder)
def _polyder(nodes: Nodes, p: Any, m: int = 1) -> Node:
    node = nodes(p)
    for _ in range(m):
        degree = (node.shape[0].value or 0) - 1
        node = mul(_part(node, -1, 0, degree), nodes(np.arange(degree, 0, -1.0)))
    return node


@becomes(np.polyint)
def _polyint(nodes: Nodes, p: Any, m: int = 1, k: Any = None) -> Node:
    if m != 1 or np.ndim(k):
        raise refuse("np.polyint more than once is not followed", instead="integrate one time after the other")
    node = nodes(p)
    lowest = _flat(nodes(0.0 if k is None else k))
    degrees = nodes(np.arange(node.shape[0].value or 0, 0, -1.0))
    return _concatenate(nodes, [div(node, degrees), lowest], -1)


HANDLERS[np.polymul] = lambda nodes, a, b: HANDLERS[np.convolve](nodes, a, b)


def _of_one_length(nodes: Nodes, a: Any, b: Any) -> tuple[Node, Node]:
    """Two polynomials with zeros before the coefficients of the shorter one."""
    left, right = _flat(nodes(a)), _flat(nodes(b))
    most = max(left.shape[0].value or 0, right.shape[0].value or 0)
    first, second = (HANDLERS[np.pad](nodes, x, ((most - (x.shape[0].value or 0), 0),)) for x in (left, right))
    return first, second


HANDLERS[np.polyadd] = lambda nodes, a, b: add(*_of_one_length(nodes, a, b))
HANDLERS[np.polysub] = lambda nodes, a, b: sub(*_of_one_length(nodes, a, b))


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


HANDLERS[np.matvec] = lambda nodes, a, x: shaping.squeeze(_product(nodes, a, expand(nodes(x), axes=(-1,))), axes=(-1,))
HANDLERS[np.vecmat] = lambda nodes, x, a: shaping.squeeze(_product(nodes, expand(nodes(x), axes=(-2,)), a), axes=(-2,))
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
