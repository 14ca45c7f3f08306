"""What NumPy's functions of single entries become: rounding, remainders, angles, choices, missing values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from backproof.frontends.tracing.calls import _sum, becomes
from backproof.frontends.tracing.tape import refuse
from backproof.frontends.tracing.traced import HANDLERS, Handler, Nodes, Traced
from backproof.ir.node import Node
from backproof.ir.sizes import broadcast
from backproof.ops import elementary
from backproof.ops.arithmetic import div, mul, neg, power, sub
from backproof.ops.leaves import constant
from backproof.ops.linear import stretched
from backproof.ops.row import Row

# --- whole numbers


@becomes(np.round, np.around)
def _round(nodes: Nodes, x: Any, decimals: int = 0, out: Any = None) -> Node:
    if out is not None:
        raise refuse("np.round writes into an array (out=…)", instead="assign the result instead")
    if decimals >= 0 and np.asarray(nodes.value(x)).dtype.kind in "iu":
        return nodes(x)
    if decimals == 0:
        return elementary.rint(nodes(x))
    unit = constant(10.0 ** abs(decimals))
    there, back = (mul, div) if decimals > 0 else (div, mul)
    return back(elementary.rint(there(nodes(x), unit)), unit)


HANDLERS[np.fix] = lambda nodes, x: elementary.trunc(nodes(x))


@becomes(np.remainder, np.mod)
def _remainder(nodes: Nodes, x: Any, y: Any) -> Node:
    """The dividend less the divisor as often as it goes into it."""
    dividend, divisor = nodes(x), nodes(y)
    return sub(dividend, mul(divisor, elementary.floor_divide(dividend, divisor)))


@becomes(np.divmod)
def _divmod(nodes: Nodes, x: Any, y: Any) -> list[Node]:
    return [elementary.floor_divide(nodes(x), nodes(y)), _remainder(nodes, x, y)]


@becomes(np.fmod)
def _fmod(nodes: Nodes, x: Any, y: Any) -> Node:
    dividend, divisor = nodes(x), nodes(y)
    return sub(dividend, mul(divisor, elementary.trunc(div(dividend, divisor))))


@becomes(np.modf)
def _modf(nodes: Nodes, x: Any) -> list[Node]:
    whole = elementary.trunc(nodes(x))
    return [sub(nodes(x), whole), whole]


@becomes(np.ldexp)
def _ldexp(nodes: Nodes, x: Any, exponent: Any) -> Node:
    return mul(nodes(x), nodes(np.exp2(nodes.value(exponent))))


# --- sizes, angles, powers


@becomes(np.sinc)
def _sinc(nodes: Nodes, x: Any) -> Node:
    """sin(πx)/(πx); where x is 0, the first terms of its series, so that the first two derivatives are right there."""
    node = mul(nodes(np.pi), nodes(x))
    if not np.any(nodes.value(x) == 0):
        return div(elementary.sin(node), node)
    at_zero = elementary.equal(node, constant(0))
    elsewhere = elementary.pieces(constant(1), at_zero, node)
    series = sub(constant(1), div(power(node, exponent=2), constant(6)))
    return elementary.pieces(series, at_zero, div(elementary.sin(elsewhere), elsewhere))


@becomes(np.cbrt)
def _cbrt(nodes: Nodes, x: Any) -> Node:
    node = nodes(x)
    if np.any(nodes.value(x) < 0):
        return mul(elementary.sign(node), power(elementary.absolute(node), exponent=1 / 3))
    return power(node, exponent=1 / 3)


def _times(factor: float) -> Handler:
    return lambda nodes, x: mul(nodes(x), constant(factor))


HANDLERS[np.deg2rad] = HANDLERS[np.radians] = _times(np.pi / 180)
HANDLERS[np.rad2deg] = HANDLERS[np.degrees] = _times(180 / np.pi)
HANDLERS[np.fabs] = lambda nodes, x: elementary.absolute(nodes(x))
HANDLERS[np.exp2] = lambda nodes, x: elementary.exp(mul(nodes(x), constant(float(np.log(2)))))


@becomes(np.logaddexp)
def _logaddexp(nodes: Nodes, x: Any, y: Any) -> Node:
    """Where one of the two is −∞, as the logarithm of a probability of 0 is, the other is left."""
    first, second = nodes(x), nodes(y)
    nothing = np.broadcast_arrays(*(np.isneginf(nodes.value(v)) for v in (x, y)))
    if not np.any(nothing):
        return elementary.logaddexp(first, second)
    nodes.tape.note("which logarithms are −∞ is taken from the arrays given")
    shape = broadcast([first.shape, second.shape])
    if np.all(nothing[0]):
        return stretched(second, shape)
    if np.all(nothing[1]):
        return stretched(first, shape)
    either, zero = nodes(nothing[0] | nothing[1]), constant(0)
    both = elementary.logaddexp(elementary.pieces(zero, either, first), elementary.pieces(zero, either, second))
    return elementary.pieces(second, nodes(nothing[0].copy()), first, nodes(nothing[1].copy()), both)


@becomes(np.logaddexp2)
def _logaddexp2(nodes: Nodes, x: Any, y: Any) -> Node:
    unit = constant(float(np.log(2)))
    return div(elementary.logaddexp(mul(nodes(x), unit), mul(nodes(y), unit)), unit)


@becomes(np.copysign)
def _copysign(nodes: Nodes, x: Any, y: Any) -> Node:
    size, value = elementary.absolute(nodes(x)), np.asarray(nodes.value(y))
    if not isinstance(y, Traced):
        return mul(size, nodes(np.copysign(1.0, value))) if value.ndim else neg(size) if np.signbit(value) else size
    positive = elementary.greater_equal(nodes(y), constant(0))
    if np.any(np.signbit(value) & (value == 0)):  # a negative zero, which no comparison tells from the positive one
        nodes.tape.note("which zeros are negative is taken from the arrays given")
        positive = nodes(~np.signbit(value))
    return elementary.pieces(size, positive, neg(size))


# --- choices


@becomes(np.heaviside)
def _heaviside(nodes: Nodes, x: Any, at_zero: Any) -> Node:
    node, zero = nodes(x), constant(0)
    return elementary.pieces(
        constant(1), elementary.greater(node, zero), nodes(at_zero), elementary.equal(node, zero), zero
    )


@becomes(np.select)
def _select(nodes: Nodes, conditions: Sequence[Any], choices: Sequence[Any], default: Any = 0) -> Node:
    pairs = zip(choices, conditions, strict=True)
    return elementary.pieces(*(nodes(part) for pair in pairs for part in pair), nodes(default))


@becomes(np.choose)
def _choose(nodes: Nodes, which: Any, choices: Sequence[Any], out: Any = None, mode: str = "raise") -> Node:
    if out is not None or mode != "raise":
        raise refuse("np.choose with out or mode is not followed", instead="use np.where or np.select")
    *first, last = range(len(choices))
    pairs = (part for k in first for part in (nodes(choices[k]), elementary.equal(nodes(which), constant(k))))
    return elementary.pieces(*pairs, nodes(choices[last]))


@becomes(np.piecewise, np.apply_along_axis, np.apply_over_axes)
def _calls_back(nodes: Nodes, *arguments: Any, **options: Any) -> None:
    raise refuse(
        "a function is given to NumPy, which calls it with plain arrays",
        why="what it does to them would not be seen",
        instead="use np.where or np.select for pieces, and an axis= or a loop with np.stack for the others",
    )


def _without_missing(row: Row) -> Handler:
    def handler(nodes: Nodes, x: Any, y: Any) -> Node:
        if np.any(np.isnan(nodes.value(x))) or np.any(np.isnan(nodes.value(y))):
            raise refuse(f"np.f{row.name[:3]} of missing values is not followed", instead="use np.where")
        return row(nodes(x), nodes(y))

    return handler


HANDLERS[np.fmax] = _without_missing(elementary.maximum)
HANDLERS[np.fmin] = _without_missing(elementary.minimum)

# --- missing values


def _filled(nodes: Nodes, x: Any) -> tuple[Node, np.ndarray[Any, Any]]:
    """An array with 0 for what is missing, and where it is not."""
    present = ~np.isnan(nodes.value(x))
    if not np.all(present):
        nodes.tape.note("which entries are missing is taken from the arrays given")
    return elementary.pieces(nodes(x), nodes(present), constant(0)), present


@becomes(np.nansum)
def _nansum(nodes: Nodes, x: Any, axis: Any = None, **options: Any) -> Node:
    return _sum(nodes, _filled(nodes, x)[0], axis, **options)


@becomes(np.nanmean)
def _nanmean(nodes: Nodes, x: Any, axis: Any = None, keepdims: Any = False, **options: Any) -> Node:
    filled, present = _filled(nodes, x)
    count = np.sum(present, axis=axis, keepdims=keepdims is True)
    return div(_sum(nodes, filled, axis, keepdims is True, **options), nodes(np.asarray(count, dtype=float)))


@becomes(np.nanvar)
def _nanvar(nodes: Nodes, x: Any, axis: Any = None, ddof: float = 0, keepdims: Any = False, **options: Any) -> Node:
    filled, present = _filled(nodes, x)
    kept = np.sum(present, axis=axis, keepdims=True)
    mean = div(_sum(nodes, filled, axis, True), nodes(np.asarray(kept, dtype=float)))
    spread = elementary.pieces(power(sub(filled, mean), exponent=2), nodes(present), constant(0))
    count = np.sum(present, axis=axis, keepdims=keepdims is True)
    return div(_sum(nodes, spread, axis, keepdims is True, **options), nodes(np.asarray(count - ddof, dtype=float)))


def _with_missing(fill: float, function: Any) -> Handler:
    """A reduction to which what is missing cannot be the result."""

    def handler(nodes: Nodes, x: Any, axis: Any = None, *arguments: Any, **options: Any) -> Node:
        node, present = _filled(nodes, x)
        if not np.all(np.any(present, axis=axis)):
            raise refuse("a part of an array of which all entries are missing")
        given = node.inputs[0] if np.all(present) else elementary.pieces(nodes(x), nodes(present), constant(fill))
        found: Node = HANDLERS[function](nodes, given, axis, *arguments, **options)
        return found

    return handler


HANDLERS[np.nanmax] = _with_missing(-np.inf, np.max)
HANDLERS[np.nanmin] = _with_missing(np.inf, np.min)
HANDLERS[np.nanprod] = _with_missing(1, np.prod)
HANDLERS[np.nancumsum] = _with_missing(0, np.cumsum)
HANDLERS[np.nancumprod] = _with_missing(1, np.cumprod)


def _only_present(function: Any) -> Handler:
    """Functions of the order of entries, which are followed where none is missing."""

    def handler(nodes: Nodes, x: Any, *arguments: Any, **options: Any) -> Node:
        if np.any(np.isnan(nodes.value(x))):
            raise refuse(f"np.nan{function.__name__} of missing values is not followed", instead="leave them out first")
        found: Node = HANDLERS[function](nodes, x, *arguments, **options)
        return found

    return handler


for _function in (np.median, np.quantile, np.percentile):
    HANDLERS[getattr(np, f"nan{_function.__name__}")] = _only_present(_function)


@becomes(np.nan_to_num)
def _nan_to_num(
    nodes: Nodes, x: Any, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None
) -> Node:
    value = np.asarray(nodes.value(x))
    finite = np.isfinite(value)
    if np.all(finite):
        return nodes(x)
    nodes.tape.note("which entries are not finite is taken from the arrays given")
    numbers = np.nan_to_num(value, nan=nan, posinf=posinf, neginf=neginf)
    return elementary.pieces(nodes(x), nodes(finite), nodes(np.where(finite, 0.0, numbers)))


HANDLERS[np.nanstd] = lambda nodes, *arguments, **options: elementary.sqrt(_nanvar(nodes, *arguments, **options))
