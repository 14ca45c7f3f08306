"""Sums over the wrong axis, means in place of sums, sums left out."""

# ruff: noqa: B023  (each candidate is made before the loop that offers it goes on)

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from backproof.checking.equations import exchanged, inside
from backproof.checking.mistakes.kinds import Candidate, Context
from backproof.ir.node import Node
from backproof.ops.linear import matmul, stretch, sum_, total
from backproof.ops.reductions import mean
from backproof.ops.shaping import index, sliced


def left_out(root: Node, context: Context) -> Iterator[Candidate]:
    """A sum left out."""
    for node in _sums(root):
        yield Candidate("the sum is left out", lambda: exchanged(root, node, node.inputs[0]))


def means(root: Node, context: Context) -> Iterator[Candidate]:
    """A mean where a sum belongs."""
    for node in _sums(root):
        (x,) = node.inputs
        own, keep = node.attrs["axes"], node.attrs["keepdims"]
        says = "a mean is taken where the sum belongs"
        yield Candidate(says, lambda: exchanged(root, node, mean(x, own, keepdims=keep)))
        for axes, kept in _other_axes(node):
            says = "a mean over the wrong axis is taken where the sum belongs"
            yield Candidate(says, lambda: exchanged(root, node, mean(x, axes, keepdims=kept)))


def wrong_axes(root: Node, context: Context) -> Iterator[Candidate]:
    """A sum over the wrong axis."""
    for node in _sums(root):
        for axes, kept in _other_axes(node):
            says = "the sum runs over the wrong axis"
            if len(axes) > len(node.attrs["axes"]):
                says = "the sum runs over more axes than it should"
            yield Candidate(says, lambda: exchanged(root, node, total(node.inputs[0], axes, keepdims=kept)))


def axes_lost(root: Node, context: Context) -> Iterator[Candidate]:
    """A sum without its axis of length one, which is then stretched along another axis."""
    for node in _sums(root):
        if node is not root:
            own, keep = node.attrs["axes"], node.attrs["keepdims"]
            says = "keepdims is missing, so that the sum is stretched along the wrong axis"
            if not keep:
                says = "the sum keeps its axis, so that it is stretched along the wrong one"
            yield Candidate(says, lambda: exchanged(root, node, total(node.inputs[0], own, keepdims=not keep)))


def last_only(root: Node, context: Context) -> Iterator[Candidate]:
    """Of a sum over the samples the last one alone: each round has written over the one before."""
    for node in inside(root):
        says = "only the last sample is kept, where a sum over all belongs (= in place of +=)"
        if node.op is matmul and len(node.shape) == 2:
            a, b = node.inputs
            yield Candidate(says, lambda: exchanged(root, node, matmul(_last(a, -1), _last(b, -2))))
        if node.op is sum_ and len(node.attrs["axes"]) == 1:
            (axis,), keep = node.attrs["axes"], node.attrs["keepdims"]
            yield Candidate(
                says, lambda: exchanged(root, node, total(_last(node.inputs[0], axis), (axis,), keepdims=keep))
            )


def _last(x: Node, axis: int) -> Node:
    """The last entry along an axis, which stays."""
    size = x.shape[axis].value
    if size is None:
        raise ValueError("the length of the axis is not known")
    key = [sliced(0, s.value or 0, 1) for s in x.shape]
    key[axis] = sliced(size - 1, size, 1)
    return index(x, key=tuple(key))


def _sums(root: Node) -> list[Node]:
    return [node for node in inside(root) if node.op is sum_]


def _other_axes(node: Node) -> Iterator[tuple[tuple[int, ...], bool]]:
    """Axes that a sum may run over in the place of its own, with and without an axis of length one for each."""
    rank, own, keep = len(node.inputs[0].shape), set(node.attrs["axes"]), node.attrs["keepdims"]
    for size in range(1, rank + 1):
        for axes in combinations(range(-rank, 0), size):
            if set(axes) != own:
                yield axes, keep
                yield axes, not keep


def unstretched(root: Node, context: Context) -> Iterator[Candidate]:
    """Not repeated to the shape that the quantity has."""
    for node in inside(root):
        if node.op is stretch and node is not root:
            yield Candidate("it is not repeated along an axis", lambda: exchanged(root, node, node.inputs[0]))
