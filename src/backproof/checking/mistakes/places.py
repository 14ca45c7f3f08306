"""Entries at the wrong place: kernels, windows, paddings, repeated indices."""

# ruff: noqa: B023  (each candidate is made before the loop that offers it goes on)

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from backproof.checking.equations import exchanged, inside, operands
from backproof.checking.mistakes.kinds import Candidate, Context
from backproof.checking.mistakes.rows import plain_row
from backproof.ir.node import Node
from backproof.ops.rearranging import convolve, correlate, flip, roll
from backproof.ops.row import Array
from backproof.ops.shaping import Key, Slot, unindex
from backproof.ops.windows import overlap_add, windows


def flipped(root: Node, context: Context) -> Iterator[Candidate]:
    """The entries of a kernel the other way round."""
    for x in operands(root):
        rank = len(x.shape)
        for axes in ((-2, -1), (-1,), (-2,)) if rank > 1 else ((-1,),) if rank else ():
            says = "{0} is flipped, or not flipped where it should be"
            yield Candidate(says, lambda: exchanged(root, x, flip(x, axes=axes)), (x,))
    for node in inside(root):
        if node.op in (convolve, correlate):
            other = correlate if node.op is convolve else convolve
            says = f"np.{other.name} stands where np.{node.op.name} belongs: the kernel is not flipped as it should be"
            yield Candidate(says, lambda: exchanged(root, node, other(*node.inputs, **node.attrs)))


def moved(root: Node, context: Context) -> Iterator[Candidate]:
    """All entries moved by a place: cut out of a padded array at the wrong place, or a window beside the right one."""
    for x in (root, *operands(root)):
        rank = len(x.shape)
        for steps in product((0, -1, 1), repeat=min(rank, 2)):
            if any(steps):
                axes = tuple(range(-len(steps), 0))
                says = "the entries are moved along: the padding is cut off at the wrong place"
                yield Candidate(says, lambda: exchanged(root, x, roll(x, shifts=steps, axes=axes)))


def strides(root: Node, context: Context) -> Iterator[Candidate]:
    """Windows put back without their stride."""
    for node in inside(root):
        if node.op is overlap_add:
            ones = (1,) * len(node.attrs["strides"])
            attrs = {**node.attrs, "strides": ones}
            says = "the windows are put back side by side, without their stride"
            yield Candidate(says, lambda: exchanged(root, node, overlap_add(*node.inputs, **attrs)))


def last_wins(root: Node, context: Context) -> Iterator[Candidate]:
    """Of what goes to the same place the last one only: ``dE[ids] += dx`` adds once to each index."""
    for node in inside(root):
        if node.op is unindex and len(node.inputs) > 1:
            attrs: dict[str, Any] = {"key": node.attrs["key"], "sizes": node.attrs["sizes"]}
            says = "where an index stands several times only its last entry is kept; np.add.at adds up all of them"
            yield Candidate(says, lambda: exchanged(root, node, written(*node.inputs, **attrs)))
        if node.op is overlap_add:
            says = "where windows overlap only the last one is kept (= in place of +=)"
            for inside_out in (False, True):
                attrs = {**node.attrs, "inside_out": inside_out}
                yield Candidate(says, lambda: exchanged(root, node, overwritten(*node.inputs, **attrs)))


def _written(values: Array, *arrays: Array, key: Key, sizes: tuple[int, ...]) -> Array:
    result = np.zeros(sizes)
    result[tuple(arrays[k.number].astype(int) if isinstance(k, Slot) else k for k in key)] = values
    return result


def _overwritten(values: Array, sizes: tuple[int, ...], inside_out: bool, **attrs: Any) -> Array:
    """The windows laid where they were taken, one over the other; or first all first entries of them, and so on."""
    places = windows.meaning(np.arange(math.prod(sizes)).reshape(sizes), **attrs)
    if inside_out:
        rank = len(sizes)
        order = (*range(rank, places.ndim), *range(rank))
        places, values = places.transpose(order), values.transpose(order)
    result = np.zeros(sizes)
    result.flat[places.ravel()] = values.ravel()
    return result


written = plain_row("written", _written, lambda shapes, attrs: attrs["sizes"])
overwritten = plain_row("overwritten", _overwritten, lambda shapes, attrs: attrs["sizes"])
