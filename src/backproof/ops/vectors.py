"""Products of a matrix with a vector, of two vectors, and sums of products by the names of their axes (einsum)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np

from backproof.ir.errors import ShapeError
from backproof.ir.node import Node
from backproof.ir.sizes import ONE, Shape, Size, agreed, show
from backproof.ops.arithmetic import product
from backproof.ops.entries import EntryOf, LetterPool, Places, align, sum_over
from backproof.ops.leaves import constant
from backproof.ops.linear import expand, stretched, transposed
from backproof.ops.notation import PRODUCT, Infix, Subscripts, TimesTransposed
from backproof.ops.row import Array, Domain, Row


def _matvec_shape(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    a, x = shapes
    if len(a) != 2 or len(x) != 1 or agreed(a[1], x[0]) is None:
        raise ShapeError(
            "a matrix and a vector do not fit",
            where=f"({show(a)}) · ({show(x)})",
            why="the matrix must have as many columns as the vector has entries",
        )
    return (a[0],)


def _matvec_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    a, x = node.inputs
    k = None if a.shape[1] == ONE else letters.fresh(a.shape[1])
    term = product(entry(a, (place[0], k)), entry(x, (k,)))
    return term if k is None else sum_over(k, term)


matvec: Row = Row(
    name="matvec",
    kind="linear",
    about="The product of a matrix and a vector.",
    meaning=lambda a, x: np.matmul(a, x[..., None])[..., 0],
    shape=_matvec_shape,
    notation=Infix("·", PRODUCT),
    entry=_matvec_entry,
    vjp=lambda g, y, a, x: (outer(g, x), matvec(transposed(a), g)),
    reasons=(
        "The entry of {x} in row j and column k is used once: it multiplies entry k of {other} and goes into entry j "
        "of {y}. So its derivative is the product of entry j of {dy} and entry k of {other}.",
        "An entry of the vector {x} is used in every entry of the product, each time with another row of {other}. The "
        "chain rule adds these up, and this sum is the product with {turned}.",
    ),
    domain=(Domain((3, 4)), Domain((4,))),
)


def _outer_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    a, b = node.inputs
    return product(entry(a, (place[0],)), entry(b, (place[1],)))


outer: Row = Row(
    name="outer",
    kind="linear",
    about="The product of every entry of one vector with every entry of another, as a matrix.",
    meaning=lambda a, b: a[..., :, None] * b[..., None, :],
    shape=lambda shapes, attrs: (shapes[0][0], shapes[1][0]),
    notation=TimesTransposed(),
    entry=_outer_entry,
    vjp=lambda g, y, a, b: (matvec(g, b), matvec(transposed(g), a)),
    reasons=(
        "An entry of {x} multiplies every entry of {other} in one row of {y}; the chain rule adds up that row.",
        "An entry of {x} multiplies every entry of {other} in one column of {y}; the chain rule adds up that column.",
    ),
    domain=(Domain((3,)), Domain((4,))),
)


def _sizes_of(letters: Sequence[str], shapes: Sequence[Shape]) -> dict[str, Size]:
    """The size of every axis of an einsum by its letter."""
    sizes: dict[str, Size] = {}
    for names, shape in zip(letters, shapes, strict=True):
        if len(names) != len(shape):
            raise ShapeError(f"{names!r} names {len(names)} axes", where=f"the array is ({show(shape)})")
        for name, size in zip(names, shape, strict=True):
            known = sizes.setdefault(name, size)
            both = size if known == ONE else known if size == ONE else agreed(known, size)
            if both is None:
                raise ShapeError(f"the axes called {name} differ", where=f"{sizes[name]} and {size}")
            sizes[name] = both
    return sizes


MANY = 4
"""An array of more axes than this is one of patches, as convolution sums it."""


def _einsum_shape(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    sizes = _sizes_of(attrs["axes"], shapes)
    return tuple(sizes[name] for name in attrs["result"])


def _einsum(*arrays: Array, axes: tuple[str, ...], result: str) -> Array:
    # Without an ellipsis where there are no extra axes: NumPy is quicker then.
    dots = "..." if any(a.ndim > len(names) for a, names in zip(arrays, axes, strict=True)) else ""
    spec = ",".join(dots + names for names in axes)
    return np.asarray(np.einsum(f"{spec}->{dots}{result}", *arrays, optimize=by_products(arrays)))


def by_products(arrays: Sequence[Array] | Sequence[Node]) -> bool:
    """Whether an einsum is done as products of matrices: that takes time to plan, and pays for many axes."""
    return len(arrays) > 2 or any(len(a.shape) > MANY for a in arrays)


def _einsum_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    axes = node.attrs["axes"]
    sizes = _sizes_of(axes, [x.shape for x in node.inputs])
    at_letter = dict(zip(node.attrs["result"], place, strict=True))
    summed = []
    for name, size in sizes.items():
        if name not in at_letter:
            at_letter[name] = None if size == ONE else letters.fresh(size)
            summed.append(at_letter[name])
    factors = [
        entry(x, align(tuple(at_letter[name] for name in names), x.shape))
        for x, names in zip(node.inputs, axes, strict=True)
    ]
    body = reduce(product, factors)
    for index in reversed(summed):
        body = body if index is None else sum_over(index, body)
    return body


def _einsum_vjp(g: Node, y: Node, *inputs: Node) -> tuple[Node, ...]:
    axes, result = y.attrs["axes"], y.attrs["result"]
    sizes = _sizes_of(axes, [x.shape for x in inputs])
    found = []
    for k, x in enumerate(inputs):
        others = [(names, other) for j, (names, other) in enumerate(zip(axes, inputs, strict=True)) if j != k]
        there = set(result).union(*(names for names, _ in others))
        # An axis of length one is used for every place of the others' axis, so its uses are summed over.
        there -= {name for name, size in zip(axes[k], x.shape, strict=True) if size == ONE != sizes[name]}
        kept = "".join(name for name in axes[k] if name in there)
        terms = [(result, g), *others] if result else others
        if terms:
            dx = einsum(*(node for _, node in terms), axes=tuple(names for names, _ in terms), result=kept)
        else:
            dx = constant(1)
        if not result:
            dx = product(g, dx)
        lost = tuple(p - len(axes[k]) for p, name in enumerate(axes[k]) if name not in there)
        found.append(stretched(expand(dx, axes=lost) if lost and dx.shape else dx, x.shape))
    return tuple(found)


einsum: Row = Row(
    name="einsum",
    kind="linear",
    about="The sum of products of entries, over every axis whose letter the result does not have.",
    meaning=_einsum,
    shape=_einsum_shape,
    notation=Subscripts("einsum"),
    entry=_einsum_entry,
    vjp=_einsum_vjp,
    reasons=(
        "An entry of {x} stands in every product that has its letters; the chain rule adds these up, over the letters "
        "that {x} does not have.",
    )
    * 2,
    domain=(Domain((2, 3)), Domain((3, 4))),
    attrs={"axes": ("ij", "jk"), "result": "ki"},
)
