"""What comes back to the input of a convolution, as textbooks write it: a correlation with the kernel turned round.

The rule of `windows` lays the windows that come back where they were taken. Where these are products of a derivative dy
and a kernel w, entry p of the sum is Σ_o dy_{(p − o·d)/s}·w_o: as o grows, the place in dy falls. So it is the
correlation of w in the opposite order with dy put among zeros: between its entries for a stride s, around it for the
entries at the ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from backproof.derivation.steps import Rewrite
from backproof.ir.node import Node, ancestors, substitute
from backproof.ir.sizes import of_length
from backproof.ops.arithmetic import mul, product
from backproof.ops.leaves import constant
from backproof.ops.linear import matmul, transpose
from backproof.ops.rearranging import flip
from backproof.ops.shaping import sliced, unindex
from backproof.ops.vectors import einsum, outer
from backproof.ops.windows import overlap_add, windows


class _Products(NamedTuple):
    """A sum of products: its factors, the letters of their axes, and those of the result's."""

    factors: Sequence[Node]
    axes: Sequence[str]
    result: str


def as_correlation(node: Node) -> Rewrite | None:
    """The right side of an equation with what it lays over each other as a correlation; None where there is no such."""
    for x in ancestors([node], stop=lambda x: x.symbol is not None and x is not node):
        if x.op is not overlap_add:
            continue
        number, factors = constant(1), x.inputs[0]
        if factors.op is mul and not factors.inputs[0].shape:
            number, factors = factors.inputs
        products = _products(factors)
        found = _correlation(x, products) if products is not None else None
        if found is not None:
            result = product(number, found.result)
            return replace(found, result=result if x is node else substitute(replace(node, symbol=None), {x: result}))
    return None


def _products(node: Node) -> _Products | None:
    """What a derivative is the sum of products of; one with a name is looked into."""
    if node.op is einsum:
        return _Products(node.inputs, node.attrs["axes"], node.attrs["result"])
    if node.op is outer:
        return _Products(node.inputs, ("a", "b"), "ab")
    if node.op is matmul and all(len(x.shape) == 2 for x in node.inputs):
        left, right = node.inputs
        if right.op is transpose and right.symbol is None:
            return _Products((left, right.inputs[0]), ("ac", "bc"), "ab")
        return _Products((left, right), ("ac", "cb"), "ab")
    return None


def _correlation(node: Node, products: _Products) -> Rewrite | None:
    """What `node` lays over each other; one factor has the positions of windows, the others the places inside them."""
    rank = len(node.shape)
    axes, lengths, strides, dilations = (node.attrs[name] for name in ("axes", "lengths", "strides", "dilations"))
    own, inside = products.result[:rank], products.result[rank:]
    positions = [own[axis] for axis in axes]
    holding = [k for k, letters in enumerate(products.axes) if not set(letters).isdisjoint(positions)]
    if len(holding) != 1:
        return None
    (k,) = holding
    letters = products.axes[k]
    if not set(letters).issuperset(positions) or not set(letters).isdisjoint(inside):
        return None
    dy = products.factors[k]
    own_axes = tuple(letters.index(letter) - len(letters) for letter in positions)
    key = [sliced(0, size.value or 0) for size in dy.shape]
    sizes = list(dy.shape)
    for axis, letter, length, stride, dilation in zip(own_axes, positions, lengths, strides, dilations, strict=True):
        count, before = dy.shape[axis].value or 0, (length - 1) * dilation
        key[axis] = sliced(before, before + (count - 1) * stride + 1, stride)
        sizes[axis] = of_length((node.shape[own.index(letter)].value or 0) + before)
    among_zeros = unindex(dy, key=tuple(key), sizes=tuple(sizes))
    laid = windows(among_zeros, axes=own_axes, lengths=lengths, strides=(1,) * len(axes), dilations=dilations)
    factors, names = list(products.factors), list(products.axes)
    factors[k], names[k] = laid, letters + inside
    kernels = []
    for j, (factor, its) in enumerate(zip(products.factors, products.axes, strict=True)):
        turned = tuple(its.index(letter) - len(its) for letter in its if letter in inside)
        if turned:
            factors[j] = flip(factor, axes=turned)
            kernels.append(factor)
    result = einsum(*factors, axes=tuple(names), result=own)
    return Rewrite(result, " ".join(_reasons(len(kernels), node)), (dy, *kernels, *node.inputs))


def _reasons(kernels: int, node: Node) -> Iterator[str]:
    if node.inputs[0].symbol is not None:
        yield f"{{{kernels + 1}}} is put in."
    names = " and ".join(f"{{{k}}}" for k in range(1, kernels + 1))
    turned = "turned by 180°" if len(node.attrs["axes"]) == 2 else "in the opposite order"
    yield f"As the place in {names} grows, the place in {{0}} that it meets falls."
    yield f"So this is the correlation of {{0}} with {names} {turned}."
    yield "{0} has zeros around it, since entries at the ends lie in fewer windows: the correlation is called full."
    if any(stride > 1 for stride in node.attrs["strides"]):
        yield "Between its entries there are zeros for the places that a stride leaves out."
