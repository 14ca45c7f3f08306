"""Largest and smallest entries, running sums, products, variances."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce

import numpy as np

from backproof.ir.node import Node
from backproof.ir.sizes import ONE, Shape, affine
from backproof.ops.arithmetic import add, div, mul, power, product, sub
from backproof.ops.elementary import equal, pieces
from backproof.ops.entries import EntryOf, LetterPool, Places, own_entry, sum_over
from backproof.ops.leaves import constant, constant_, size
from backproof.ops.linear import expand, reduced_shape, stretched, total
from backproof.ops.notation import Apply, Over
from backproof.ops.outside import where_within
from backproof.ops.row import Array, Domain, Row
from backproof.ops.shaping import concatenate, index, sliced


def kept(x: Node, y: Node) -> Node:
    """`x`, of the shape of the reduction `y`, with the reduced axes of length one put back."""
    rank = len(y.inputs[0].shape)
    if y.attrs["keepdims"] or (not x.shape and rank == len(y.attrs["axes"])):
        return x
    return expand(x, axes=tuple(axis % rank - rank for axis in y.attrs["axes"]))


def _extreme_vjp(g: Node, y: Node, a: Node) -> tuple[Node]:
    axes = y.attrs["axes"]
    chosen = pieces(constant(1), equal(a, kept(y, y)), constant(0))
    return (div(product(kept(g, y), chosen), total(chosen, axes)),)


def _extreme(name: str, about: str, choose: Callable[..., Array]) -> Row:
    def meaning(a: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
        found = choose(a.real, axis=axes, keepdims=True)
        if np.iscomplexobj(a):
            # By the real part alone, so that a complex step does not change which entry it is; of several that are
            # equal it moves each by an equal share, as the rule has it.
            found = found + 1j * np.mean(a.imag, axis=axes, keepdims=True, where=a.real == found)
        return np.asarray(found if keepdims else np.squeeze(found, axis=axes))

    return Row(
        name=name,
        kind="general",
        about=about,
        meaning=meaning,
        shape=reduced_shape,
        notation=Over(name),
        entry=own_entry,
        vjp=_extreme_vjp,
        reasons=(
            f"Only the entry of {{x}} that is the {name} acts on {{y}}, so it alone receives the derivative; where "
            "several are equal, each receives an equal share, which is a choice.",
        ),
        domain=(Domain((3, 4)),),
        attrs={"axes": (-1,), "keepdims": True},
    )


max_ = _extreme("max", "The largest entry along axes; where it is not the only one, its derivative is shared.", np.max)
min_ = _extreme("min", "The smallest entry along axes; where it is not the only one, its derivative is shared.", np.min)


def _cumsum(a: Array, axis: int, reverse: bool) -> Array:
    if reverse:
        return np.flip(np.cumsum(np.flip(a, axis), axis), axis)
    return np.cumsum(a, axis)


def _cumsum_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    """The sum over the axis of what is not behind the place; with `reverse`, not before it."""
    (a,) = node.inputs
    axis, here = node.attrs["axis"], place[node.attrs["axis"]]
    if a.shape[axis] == ONE:
        return entry(a, place)
    running = letters.fresh(a.shape[axis])
    inner = list(place)
    inner[axis] = running
    ahead = affine([(1, running), (-1, here)], 0)
    ends = (0, None) if node.attrs["reverse"] else (None, 0)
    return sum_over(running, where_within(((ahead, *ends),), lambda: entry(a, tuple(inner)), constant(0)))


cumsum: Row = Row(
    name="cumsum",
    kind="linear",
    about="The running sum along an axis, from the first entry on or, with `reverse`, from the last one back.",
    meaning=_cumsum,
    shape=lambda shapes, attrs: shapes[0],
    notation=Apply("cumsum"),
    entry=_cumsum_entry,
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
    return mul(div(constant(1), count(a.shape, axes)), total(a, axes, keepdims=keepdims))


def count(shape: Shape, axes: tuple[int, ...]) -> Node:
    """How many entries lie along axes: the product of their lengths, those that are mere numbers in front."""
    known = [shape[axis] for axis in axes]
    named = [size(of) for of in known if of.axis is not None or not of.name.isdigit()]
    number = math.prod(of.value or 1 for of in known if of.axis is None and of.name.isdigit())
    return reduce(mul, named if named and number == 1 else [constant(number), *named])


def _divisor(y: Node, a: Node) -> Node:
    """What a variance divides by."""
    n, ddof = count(a.shape, y.attrs["axes"]), y.attrs["ddof"]
    if not ddof:
        return n
    return constant(n.attrs["value"] - ddof) if n.op is constant_ else sub(n, constant(ddof))


def _var_vjp(g: Node, y: Node, a: Node) -> tuple[Node]:
    centred = sub(a, mean(a, y.attrs["axes"], keepdims=True))
    return (mul(kept(g, y), mul(div(constant(2), _divisor(y, a)), centred)),)


def _var_entry(y: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    (a,) = y.inputs
    axes = y.attrs["axes"]
    squared = power(sub(a, mean(a, axes, keepdims=True)), exponent=2)
    return entry(mul(div(constant(1), _divisor(y, a)), total(squared, axes, keepdims=y.attrs["keepdims"])), place)


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
    notation=Over("var"),
    entry=_var_entry,
    vjp=_var_vjp,
    reasons=(
        "The derivative of the squared distances by {x} is twice the distance from the mean. The mean depends on {x} "
        "too, but what comes through it is 0, since the distances from the mean add up to 0.",
    ),
    domain=(Domain((2, 4)),),
    attrs={"axes": (-1,), "keepdims": True, "ddof": 0},
)


def _shifted(a: Node, axis: int, fill: float, *, back: bool) -> Node:
    """`a` moved on by one place along an axis, or back by one; the place that becomes free is filled."""
    rank, n = len(a.shape), a.shape[axis].value or 0
    edge = stretched(constant(fill), tuple(ONE if k - rank == axis else size for k, size in enumerate(a.shape)))
    if n == 1:
        return edge
    key = [sliced(0, size.value or 0) for size in a.shape]
    key[axis] = sliced(1, n) if back else sliced(0, n - 1)
    rest = index(a, key=tuple(key))
    return concatenate(*((rest, edge) if back else (edge, rest)), axis=axis, rank=rank)


def _recurrence(c: Array, b: Array, axis: int, reverse: bool) -> Array:
    c, b = np.broadcast_arrays(c, b)
    factors, terms = np.moveaxis(c, axis, 0), np.moveaxis(b, axis, 0)
    result = np.zeros(terms.shape, dtype=np.result_type(c, b))
    before = np.zeros(terms.shape[1:], dtype=result.dtype)
    for k in range(len(terms))[:: -1 if reverse else 1]:
        before = result[k] = terms[k] + factors[k] * before
    return np.moveaxis(result, 0, axis)


def _recurrence_vjp(g: Node, y: Node, c: Node, b: Node) -> tuple[Node, Node]:
    axis, reverse = y.attrs["axis"], y.attrs["reverse"]
    arrived = recurrence(_shifted(c, axis, 0, back=not reverse), g, axis=axis, reverse=not reverse)
    return mul(arrived, _shifted(y, axis, 0, back=reverse)), arrived


recurrence: Row = Row(
    name="recurrence",
    kind="general",
    about="The sequence y of b + c times the entry of y before, along an axis, from 0 on or, with `reverse`, "
    "backwards.",
    meaning=_recurrence,
    shape=lambda shapes, attrs: shapes[1],
    notation=Apply("recurrence"),
    entry=own_entry,
    vjp=_recurrence_vjp,
    reasons=(
        "An entry of {x} multiplies the entry of {y} before it. So it receives that entry times all that arrives at "
        "its own entry of {y}, which is {dy} there and what comes back from the entry after: a recurrence the other "
        "way.",
        "An entry of {x} is a term of its own entry of {y}. So it receives all that arrives there, which is {dy} there "
        "and what comes back from the entry after: a recurrence the other way.",
    ),
    domain=(Domain((2, 4)), Domain((2, 4))),
    attrs={"axis": -1, "reverse": False},
)


def _cumprod(a: Array, axis: int, reverse: bool) -> Array:
    if reverse:
        return np.flip(np.cumprod(np.flip(a, axis), axis), axis)
    return np.cumprod(a, axis)


def _cumprod_vjp(g: Node, y: Node, a: Node) -> tuple[Node]:
    # Not the running sum of g * y over a, which divides by zero where an entry is 0.
    axis, reverse = y.attrs["axis"], y.attrs["reverse"]
    arrived = recurrence(_shifted(a, axis, 0, back=not reverse), g, axis=axis, reverse=not reverse)
    return (mul(arrived, _shifted(y, axis, 1, back=reverse)),)


cumprod: Row = Row(
    name="cumprod",
    kind="general",
    about="The running product along an axis, from the first entry on or, with `reverse`, from the last one back.",
    meaning=_cumprod,
    shape=lambda shapes, attrs: shapes[0],
    notation=Apply("cumprod"),
    entry=own_entry,
    vjp=_cumprod_vjp,
    reasons=(
        "An entry of {x} multiplies the running product before it, so it receives that product times all that arrives "
        "at its own entry of {y}: {dy} there, and what comes back from the entry after, which has one factor more.",
    ),
    domain=(Domain((2, 4)),),
    attrs={"axis": -1, "reverse": False},
)


def _others(a: Array, axis: int) -> Array:
    last = np.moveaxis(a, axis, -1)
    one = np.ones_like(last[..., :1])
    before = np.cumprod(np.concatenate([one, last[..., :-1]], -1), -1)
    after = np.cumprod(np.concatenate([one, last[..., :0:-1]], -1), -1)[..., ::-1]
    return np.moveaxis(before * after, -1, axis)


def _others_vjp(g: Node, y: Node, a: Node) -> tuple[Node]:
    # The others are those before and those after: the product of two running products.
    axis = y.attrs["axis"]
    upward, downward = cumprod(a, axis=axis, reverse=False), cumprod(a, axis=axis, reverse=True)
    before, after = _shifted(upward, axis, 1, back=False), _shifted(downward, axis, 1, back=True)
    (first,) = _cumprod_vjp(_shifted(product(g, after), axis, 0, back=True), upward, a)
    (second,) = _cumprod_vjp(_shifted(product(g, before), axis, 0, back=False), downward, a)
    return (add(first, second),)


prod_others: Row = Row(
    name="prod_others",
    kind="general",
    about="For each entry the product of all others along an axis.",
    meaning=_others,
    shape=lambda shapes, attrs: shapes[0],
    notation=Apply("others"),
    entry=own_entry,
    vjp=_others_vjp,
    reasons=(
        "An entry of {x} is a factor of every entry of {y} but its own, in the product of the entries before or in "
        "that of the entries after; each of the two running products gives one term.",
    ),
    domain=(Domain((2, 4)),),
    attrs={"axis": -1},
)

prod: Row = Row(
    name="prod",
    kind="general",
    about="The product along an axis.",
    meaning=lambda a, axes, keepdims: np.asarray(np.prod(a, axis=axes, keepdims=keepdims)),
    shape=reduced_shape,
    notation=Over("prod"),
    entry=own_entry,
    vjp=lambda g, y, a: (product(kept(g, y), prod_others(a, axis=y.attrs["axes"][0])),),
    reasons=(
        "{y} is each entry of {x} times the product of the others, so each receives {dy} times the product of the "
        "others. No division is needed, so this is right where entries are 0, too.",
    ),
    domain=(Domain((2, 4)),),
    attrs={"axes": (-1,), "keepdims": True},
)
