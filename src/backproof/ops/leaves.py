"""Rows without inputs: data and parameters, numbers, sizes."""

from __future__ import annotations

from typing import Any

import numpy as np

from backproof.ir.node import Node
from backproof.ir.sizes import Shape, Size
from backproof.ir.symbol import Symbol
from backproof.ops.entries import at
from backproof.ops.notation import Leaf
from backproof.ops.row import Array, Row


def _no_meaning(**attrs: Any) -> Array:
    raise TypeError("an input has no value of its own: it is given")


input_ = Row(
    name="input",
    kind="leaf",
    about="Data or a parameter: its values are given.",
    meaning=_no_meaning,
    shape=lambda shapes, attrs: attrs["shape"],
    notation=Leaf(),
    entry=lambda node, place, entry, letters: at(node, place),
)

constant_ = Row(
    name="constant",
    kind="leaf",
    about="A number.",
    meaning=lambda value, text="": np.asarray(value, dtype=np.complex128 if isinstance(value, complex) else np.float64),
    shape=lambda shapes, attrs: (),
    notation=Leaf(),
    entry=lambda node, place, entry, letters: node,
)

size_ = Row(
    name="size",
    kind="leaf",
    about="The length of an axis, as a number.",
    meaning=lambda size: np.asarray(size, dtype=np.float64),
    shape=lambda shapes, attrs: (),
    notation=Leaf(),
    entry=lambda node, place, entry, letters: node,
)


def variable(symbol: Symbol, shape: Shape) -> Node:
    """An input of a graph."""
    return input_(symbol=symbol, shape=shape)


def constant(value: complex) -> Node:
    """A number. The row's attribute `text`, where given, is how it is spelled: π."""
    return constant_(value=value)


def size(of: Size) -> Node:
    """The length of an axis as a scalar node."""
    return size_(size=of)


def is_number(node: Node, value: complex) -> bool:
    """Whether the node is this number."""
    return node.op is constant_ and bool(node.attrs["value"] == value)
