"""What a step does region by region: operations that are done in one go, and what that takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from backproof.emit.step import Step
from backproof.ir.node import Node
from backproof.ir.sizes import ONE, Size
from backproof.ops import linear, reductions, softmax

ALONG = (linear.sum_, reductions.max_, softmax.softmax, softmax.log_softmax)
"""Operations that go through all entries of what they are given."""


@dataclass(frozen=True, slots=True)
class Region:
    """Operations that are done in one go.

    kind        how: "matrix product", "entry by entry", …
    computes    the quantities that are computed, in order; operations without a name where none has one
    over        the axes that it goes through
    operations  how many on single numbers: two for each term of a product, one for each entry of anything else
    read        how many numbers it takes from arrays
    written     how many it puts there
    """

    kind: str
    computes: tuple[str, ...]
    over: tuple[str, ...]
    operations: int
    read: int
    written: int


def operations(node: Node, sizes: Mapping[str, int]) -> int:
    """How many operations on single numbers a node takes."""
    if node.op is linear.matmul:
        return 2 * entries(node, sizes) * _length(node.inputs[0].shape[-1], sizes)
    return entries(node.inputs[0] if node.op in ALONG else node, sizes)


def entries(node: Node, sizes: Mapping[str, int]) -> int:
    """How many entries an array has."""
    return prod(_length(size, sizes) for size in node.shape if size != ONE)


def called(step: Step) -> dict[Node, str]:
    """What the quantities of a step are called: what becomes of W[1] is the next W[1]."""
    pairs = zip(step.state, step.after, strict=True)
    return {new: f"next {state.symbol}" for state, new in pairs if new is not state}


def names(nodes: list[Node], own: Mapping[Node, str]) -> tuple[str, ...]:
    """What some operations are called; those without a name only where none of them has one."""
    found = [own.get(x) or (str(x.symbol) if x.symbol is not None else "") for x in nodes]
    return tuple(filter(None, found)) or tuple(dict.fromkeys(x.op.name for x in nodes))


def _length(size: Size, sizes: Mapping[str, int]) -> int:
    value = sizes.get(size.name, size.value)
    assert value is not None
    return value
