"""Labels: one class off, or used as the numbers that they are."""

# ruff: noqa: B023  (each candidate is made before the loop that offers it goes on)

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from backproof.checking.equations import exchanged, inside, operands
from backproof.checking.mistakes.kinds import Candidate, Context, is_derivative
from backproof.checking.mistakes.rows import plain_row
from backproof.ir.node import Node
from backproof.ir.sizes import ONE
from backproof.ops.arithmetic import sub
from backproof.ops.entries import row_of
from backproof.ops.leaves import input_
from backproof.ops.rearranging import roll
from backproof.ops.row import Array
from backproof.ops.shaping import index, unindex


def one_off(root: Node, context: Context) -> Iterator[Candidate]:
    """Each label taken for the class beside it."""
    for labels in _one_hot(root):
        for shift in (1, -1):
            for axis in range(-len(labels.shape), 0):
                moved = roll(labels, shifts=(shift,), axes=(axis,))
                says = "the labels are one class off"
                for place in _places(root, labels):
                    yield Candidate(says, lambda: exchanged(root, place, _with(place, labels, moved)))


def as_numbers(root: Node, context: Context) -> Iterator[Candidate]:
    """The numbers of the classes used where a one at the place of the class belongs."""
    for labels in _one_hot(root):
        for axis in range(-len(labels.shape), 0):
            for first in (0.0, 1.0):
                numbers = _numbers(labels, axis=axis, first=first)
                says = "the labels are used as numbers, where each has to be a one at the place of its class"
                for place in _places(root, labels):
                    yield Candidate(says, lambda: exchanged(root, place, _with(place, labels, numbers)))


def _one_hot(root: Node) -> list[Node]:
    """What may be labels with a one at the place of the class: data, or ones put at places."""
    data = [x for x in operands(root) if x.op is input_ and not is_derivative(x) and len(x.shape) == 2]
    placed = [x for x in inside(root) if x.op in (unindex, index) and len(x.shape) == 2]
    return data + placed


def _places(root: Node, labels: Node) -> list[Node]:
    """The whole equation, and where the labels are subtracted from something."""
    return [root, *(x for x in inside(root) if x.op is sub and labels in x.inputs and x is not root)]


def _with(place: Node, labels: Node, new: Node) -> Node:
    """An operation with something else where it takes the labels themselves; of an equation everywhere in it."""
    if labels not in place.inputs:
        return exchanged(place, labels, new)
    return row_of(place)(*(new if x is labels else x for x in place.inputs), **place.attrs)


def _as_numbers(labels: Array, axis: int, first: float) -> Array:
    places = np.arange(labels.shape[axis]).reshape(-1, *(1,) * (-axis - 1))
    return np.asarray(np.sum(labels * (places + first), axis=axis, keepdims=True))


_numbers = plain_row(
    "labels as numbers",
    _as_numbers,
    lambda shapes, attrs: tuple(
        ONE if axis - len(shapes[0]) == attrs["axis"] else size for axis, size in enumerate(shapes[0])
    ),
)
