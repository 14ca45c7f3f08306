"""Matrix product, transpose, sums, stretching. Axes are counted from the end, so leading axes may be added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backproof.ir.errors import ShapeError
from backproof.ir.node import Node
from backproof.ir.sizes import ONE, Shape, Size, agreed, broadcast, show
from backproof.ops.arithmetic import mul
from backproof.ops.entries import EntryOf, LetterPool, Places, align, sum_over
from backproof.ops.notation import PRODUCT, Bare, Infix, Reduction, Superscript
from backproof.ops.row import Array, Domain, Row


def _matmul_shape(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    a, b = shapes
    if len(a) < 2 or len(b) < 2 or agreed(a[-1], b[-2]) is None:
        raise ShapeError(
            "a matrix product does not fit",
            where=f"({show(a)}) · ({show(b)})",
            why="the columns of the left factor must be as many as the rows of the right one",
        )
    return (*broadcast([a[:-2], b[:-2]]), a[-2], b[-1])


def _matmul_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    a, b = node.inputs
    k = None if a.shape[-1] == ONE else letters.fresh(a.shape[-1])
    stack = place[:-2]
    left, right = (*align(stack, a.shape[:-2]), place[-2], k), (*align(stack, b.shape[:-2]), k, place[-1])
    term = mul(entry(a, left), entry(b, right))
    return term if k is None else sum_over(k, term)


matmul: Row = Row(
    name="matmul",
    kind="linear",
    about="The matrix product; of larger arrays, that of the last two axes.",
    meaning=np.matmul,
    shape=_matmul_shape,
    aligns=True,
    notation=Infix("·", PRODUCT),
    entry=_matmul_entry,
    vjp=lambda g, y, a, b: (matmul(g, transposed(b)), matmul(transposed(a), g)),
    reasons=(
        "An entry of the left factor {x} takes part in a whole row of the product, once with each column of {other}. "
        "The chain rule adds up that row, and this sum is the product with {turned}, on the right.",
        "An entry of the right factor {x} takes part in a whole column of the product, once with each row of {other}. "
        "The chain rule adds up that column, and this sum is the product with {turned}, on the left.",
    ),
    domain=(Domain((2, 3)), Domain((3, 4))),
)


def _transpose_shape(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    if len(shapes[0]) < 2:
        raise ShapeError("only a matrix can be transposed", where=f"({show(shapes[0])})")
    return (*shapes[0][:-2], shapes[0][-1], shapes[0][-2])


transpose = Row(
    name="transpose",
    kind="rearranging",
    about="The transposed matrix; of a larger array, its last two axes exchanged.",
    meaning=lambda a: np.swapaxes(a, -1, -2),
    shape=_transpose_shape,
    notation=Superscript("T"),
    entry=lambda node, place, entry, letters: entry(node.inputs[0], (*place[:-2], place[-1], place[-2])),
    vjp=lambda g, y, a: (transposed(g),),
    reasons=("Transposing moves each entry to its mirrored place, so the derivative is moved back.",),
    domain=(Domain((2, 3)),),
)


def reduced_shape(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    """The shape rule of every reduction over `axes`, with or without `keepdims`."""
    (shape,) = shapes
    axes = {axis % len(shape) for axis in attrs["axes"]}
    if attrs["keepdims"]:
        return tuple(ONE if axis in axes else size for axis, size in enumerate(shape))
    return tuple(size for axis, size in enumerate(shape) if axis not in axes)


def _sum_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    (a,) = node.inputs
    rank = len(a.shape)
    axes = {axis % rank for axis in node.attrs["axes"]}
    kept = iter(place if not node.attrs["keepdims"] else [p for k, p in enumerate(place) if k not in axes])
    # Samples outermost, as the article writes J.
    running = {
        axis: letters.fresh(a.shape[axis])
        for axis in sorted(axes, key=lambda axis: not a.shape[axis].samples)
        if a.shape[axis] != ONE
    }
    inside: Places = tuple(running.get(axis) if axis in axes else next(kept) for axis in range(rank))
    term = entry(a, inside)
    for axis in reversed(list(running)):
        term = sum_over(running[axis], term)
    return term


def _sum_vjp(g: Node, y: Node, a: Node) -> tuple[Node]:
    axes = tuple(axis % len(a.shape) - len(a.shape) for axis in y.attrs["axes"])
    if g.shape and not y.attrs["keepdims"]:
        g = expand(g, axes=axes)
    return (stretched(g, a.shape),)


sum_ = Row(
    name="sum",
    kind="linear",
    about="The sum over axes.",
    meaning=lambda a, axes, keepdims: np.sum(a, axis=axes, keepdims=keepdims),
    shape=reduced_shape,
    notation=Reduction(),
    entry=_sum_entry,
    vjp=_sum_vjp,
    reasons=("Each entry of {x} is one term of the sum, so each receives the derivative of the sum.",),
    domain=(Domain((2, 3)),),
    attrs={"axes": (-1,), "keepdims": True},
)


def _expand_shape(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    rest = iter(shapes[0])
    rank = len(shapes[0]) + len(attrs["axes"])
    if not all(-rank <= axis < 0 for axis in attrs["axes"]):
        raise ShapeError(f"no axes {attrs['axes']} can be put into {show(shapes[0])}")
    return tuple(ONE if axis - rank in attrs["axes"] else next(rest) for axis in range(rank))


def _expand_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    rank = len(place)
    return entry(node.inputs[0], tuple(p for axis, p in enumerate(place) if axis - rank not in node.attrs["axes"]))


expand = Row(
    name="expand",
    kind="rearranging",
    about="An array with further axes of length one, at `axes` of the result.",
    meaning=lambda a, axes: np.expand_dims(a, axes),
    shape=_expand_shape,
    notation=Bare(),
    entry=_expand_entry,
    vjp=lambda g, y, a: (summed_out(g, y.attrs["axes"]),),
    reasons=("The axes of length one change no entry.",),
    domain=(Domain((2, 3)),),
    attrs={"axes": (-2,)},
)


def _stretch(a: Array, sizes: tuple[int, ...], rank: int) -> Array:
    lead = a.shape[: a.ndim - rank]
    return np.broadcast_to(a.reshape(lead + (1,) * (len(sizes) - rank) + a.shape[a.ndim - rank :]), lead + sizes)


def _unstretch(g: Node, y: Node, a: Node) -> tuple[Node]:
    return (unstretched(g, a.shape),)


stretch = Row(
    name="stretch",
    kind="linear",
    about="An array repeated along axes of length one, to a larger shape.",
    meaning=_stretch,
    shape=lambda shapes, attrs: attrs["sizes"],
    notation=Bare(),
    entry=lambda node, place, entry, letters: entry(node.inputs[0], align(place, node.inputs[0].shape)),
    vjp=_unstretch,
    reasons=("{x} is used once for each place that it is stretched to, and the chain rule adds up its uses.",),
    domain=(Domain((2, 1)),),
    attrs={"sizes": (Size("2", 2), Size("3", 3)), "rank": 2},
)


def total(a: Node, axes: tuple[int, ...], *, keepdims: bool = True) -> Node:
    """The sum of `a` over `axes` (negative numbers)."""
    return sum_(a, axes=axes, keepdims=keepdims)


def summed_out(a: Node, axes: tuple[int, ...]) -> Node:
    """The sum of `a` over `axes`, which are then gone; of an `a` that is a sum itself, and has no name, one sum."""
    if a.op is sum_ and a.symbol is None:
        (x,) = a.inputs
        own, rank = a.attrs["axes"], len(x.shape)
        if a.attrs["keepdims"]:
            gone = sorted({axis % rank for axis in axes})
            if gone == sorted({axis % rank for axis in own}):
                return summed_out(x, own)
        else:
            left = [axis - rank for axis in range(rank) if axis - rank not in own]
            return total(x, tuple(sorted({*own, *(left[axis] for axis in axes)})), keepdims=False)
    return total(a, axes, keepdims=False)


def transposed(a: Node) -> Node:
    """`a` transposed; twice is not at all."""
    return a.inputs[0] if a.op is transpose and a.symbol is None else transpose(a)


def stretched(a: Node, shape: Shape) -> Node:
    """`a` stretched to `shape`, left out where it has that shape."""
    if a.shape == shape:
        return a
    return stretch(a, sizes=shape, rank=len(a.shape))


def unstretched(g: Node, shape: Shape) -> Node:
    """`g` summed over what an array of `shape` was stretched by: the one place that undoes broadcasting."""
    if g.shape == shape:
        return g
    rank = len(g.shape)
    if not shape:
        return total(g, tuple(range(-rank, 0)), keepdims=False)
    lead = rank - len(shape)
    axes = tuple(
        axis - rank for axis in range(rank) if axis < lead or (shape[axis - lead] == ONE and g.shape[axis] != ONE)
    )
    if lead:
        g = summed_out(g, tuple(range(-rank, lead - rank)))
        axes = axes[lead:]
    return total(g, axes) if axes else g


def restated(a: Node) -> Node:
    """`a` as the right side of an equation of its own: a node that has a symbol is repeated, not opened."""
    return a if a.symbol is None else stretch(a, sizes=a.shape, rank=len(a.shape))
