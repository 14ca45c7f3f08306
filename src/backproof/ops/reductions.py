"""Largest and smallest entries, running sums, variances."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from backproof.ir.node import Node
from backproof.ops.arithmetic import div, mul, product, sub
from backproof.ops.elementary import equal, pieces
from backproof.ops.entries import own_entry
from backproof.ops.leaves import constant, size
from backproof.ops.linear import expand, reduced_shape, total
from backproof.ops.notation import Apply
from backproof.ops.row import Array, Domain, Row


def kept(x: Node, y: Node) -> Node:
    """`x`, of the shape of the reduction `y`, with the reduced axes of length one put back."""
    rank = len(y.inputs[0].shape)
    if y.attrs["keepdims"] or (not x.shape and rank == len(y.attrs["axes"])):
        return x
    return expand(x, axes=tuple(axis % rank - rank for axis in y.attrs["axes"]))


def _extreme_vjp(g: Node, y: Node, a: Node) -> tuple[Node]:
    axes = y.attrs["axes"]
    chosen = pieces(constant(1), equal(a, kept(y, y)), constant(0))
    count = total(chosen, axes)
    return (div(product(kept(g, y), chosen), count),)


def _extreme(name: str, about: str, choose: Callable[..., Array]) -> Row:
    def meaning(a: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
        if not np.iscomplexobj(a):
            found = (np.max if choose is np.argmax else np.min)(a, axis=axes, keepdims=True)
        else:
            # By the real part alone, so that a complex step does not change which entry it is.
            rest = [k - a.ndim for k in range(a.ndim) if k - a.ndim not in axes]
            order = [k + a.ndim for k in (*rest, *axes)]
            flat = np.transpose(a, order).reshape(*(a.shape[k] for k in rest), -1)
            found = np.take_along_axis(flat, choose(flat.real, axis=-1)[..., None], -1)[..., 0]
            found = np.expand_dims(found, axes)
        return np.asarray(found if keepdims else np.squeeze(found, axis=axes))

    return Row(
        name=name,
        kind="general",
        about=about,
        meaning=meaning,
        shape=reduced_shape,
        notation=Apply(name),
        entry=own_entry,
        vjp=_extreme_vjp,
        reasons=(
            f"Only the entry of {{x}} that is the {name} acts on {{y}}, so it alone receives the derivative; where "
            "several are equal, each receives an equal share, which is a choice.",
        ),
        domain=(Domain((3, 4)),),
        attrs={"axes": (-1,), "keepdims": True},
    )


max_ = _extreme(
    "max", "The largest entry along axes; where it is not the only one, its derivative is shared.", np.argmax
)
min_ = _extreme(
    "min", "The smallest entry along axes; where it is not the only one, its derivative is shared.", np.argmin
)


def _cumsum(a: Array, axis: int, reverse: bool) -> Array:
    if reverse:
        return np.flip(np.cumsum(np.flip(a, axis), axis), axis)
    return np.cumsum(a, axis)


cumsum: Row = Row(
    name="cumsum",
    kind="linear",
    about="The running sum along an axis, from the first entry on or, with `reverse`, from the last one back.",
    meaning=_cumsum,
    shape=lambda shapes, attrs: shapes[0],
    notation=Apply("cumsum"),
    entry=own_entry,
    vjp=lambda g, y, a: (cumsum(g, axis=y.attrs["axis"], reverse=not y.attrs["reverse"]),),
    reasons=(
        "An entry of {x} is a term of its own running sum and of all that follow, so it receives the sum of their "
        "derivatives: a running sum the other way.",
    ),
    domain=(Domain((2, 4)),),
    attrs={"axis": -1, "reverse": False},
)


def mean(a: Node, axes: tuple[int, ...], *, keepdims: bool) -> Node:
    """The mean over axes: the sum over their length."""
    lengths = [size(a.shape[axis]) for axis in axes]
    count = lengths[0] if len(lengths) == 1 else constant(math.prod(a.shape[axis].value or 1 for axis in axes))
    return mul(div(constant(1), count), total(a, axes, keepdims=keepdims))


def _var_vjp(g: Node, y: Node, a: Node) -> tuple[Node]:
    axes, ddof = y.attrs["axes"], y.attrs["ddof"]
    n = math.prod(a.shape[axis].value or 1 for axis in axes)
    centred = sub(a, mean(a, axes, keepdims=True))
    return (mul(kept(g, y), mul(div(constant(2), constant(n - ddof)), centred)),)


def _var(a: Array, axes: tuple[int, ...], keepdims: bool, ddof: int) -> Array:
    centred = a - np.mean(a, axis=axes, keepdims=True)
    n = math.prod(a.shape[axis] for axis in axes)
    # Not np.var, which takes the absolute value of complex numbers.
    return np.asarray(np.sum(centred * centred, axis=axes, keepdims=keepdims) / (n - ddof))


var: Row = Row(
    name="var",
    kind="general",
    about="The variance over axes: the mean squared distance from the mean.",
    meaning=_var,
    shape=reduced_shape,
    notation=Apply("var"),
    entry=own_entry,
    vjp=_var_vjp,
    reasons=(
        "The derivative of the squared distances by {x} is twice the distance from the mean. The mean depends on {x} "
        "too, but what comes through it is 0, since the distances from the mean add up to 0.",
    ),
    domain=(Domain((2, 4)),),
    attrs={"axes": (-1,), "keepdims": True, "ddof": 0},
)
