"""Lengths of axes: which of them are the same, and what the code calls them.

Each axis of an array that is given starts as a size of its own. Operations that need two of them to be equal make one
of them, and the variables of the code name it: ``m, n = X.shape``. A number computed from lengths, as ``1/(m - 1)`` or
``np.sqrt(d)``, keeps its formula.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from itertools import chain, count
from typing import Any

import numpy as np

from backproof.ir.node import Node
from backproof.ir.sizes import Shape, Size, of_length
from backproof.ops.arithmetic import add, div, mul, neg, sub
from backproof.ops.elementary import sqrt
from backproof.ops.entries import NODE_LETTERS, SAMPLE_LETTERS
from backproof.ops.leaves import constant, constant_, size, size_
from backproof.ops.linear import stretch
from backproof.ops.row import Row


class Measured:
    """A number computed from lengths, with its formula. What has no formula here gives a plain number."""

    node: Node
    size: Size | None = None

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if any(hasattr(x, "tape") for x in inputs):
            return NotImplemented  # a traced array takes the number for what it is
        result = getattr(ufunc, method)(*map(_plain, inputs), **options)
        return _measured(float(result), sqrt(self.node)) if ufunc is np.sqrt and not options else result

    def __neg__(self) -> Any:
        return _measured(-_plain(self), neg(self.node))


class Length(Measured, int):
    """A whole number: the length of an axis as code gets it from ``x.shape``, or computed from such."""


class Measure(Measured, float):
    """A decimal number computed from lengths."""


def _plain(x: Any) -> Any:
    return int(x) if type(x) is Length else float(x) if type(x) is Measure else x


def _measured(value: float, node: Node, of: Size | None = None) -> Any:
    number: Any = Length(value) if type(value) is int else Measure(value)
    number.node, number.size = node, of
    return number


def _combined(operation: Callable[[Any, Any], Any], row: Row, *numbers: Any) -> Any:
    if any(type(x) not in (int, float, Length, Measure) for x in numbers):
        return NotImplemented
    return _measured(operation(*map(_plain, numbers)), row(*(getattr(x, "node", None) or constant(x) for x in numbers)))


def _add_operator(name: str, row: Row) -> None:
    operation = getattr(operator, name)
    setattr(Measured, f"__{name}__", lambda self, other: _combined(operation, row, self, other))
    setattr(Measured, f"__r{name}__", lambda self, other: _combined(operation, row, other, self))


for _name, _row in {"add": add, "sub": sub, "mul": mul, "truediv": div}.items():
    _add_operator(_name, _row)


@lru_cache(maxsize=4096)
def length(of: Size) -> int:
    """The length of an axis as the code gets it; a plain number where no name could belong to it."""
    assert of.value is not None
    return of.value if of.axis is None and of.name.isdigit() else _measured(of.value, size(of), of)


def sizes_of(lengths: Any) -> list[Size | None]:
    """The sizes of axes that code asks for by their lengths, None where it gives a mere number."""
    asked = lengths if isinstance(lengths, tuple | list) else (lengths,)
    return [getattr(n, "size", None) if isinstance(n, Measured) else None for n in asked]


Bound = Mapping[Size, tuple[int, int, str]]
"""The variables that held lengths: for each size how deep in the calls, which in order, and the name."""


def named_sizes(
    leaves: Mapping[str, Node], pairs: Iterable[tuple[Size, Size]], bound: Bound, data: Iterable[str]
) -> Callable[[Size], Size]:
    """The sizes that stand for those of single axes: one for all that are equal, with a name.

    That is the one of an annotation, or a variable's, or n_1, n_2, … in the order of the arguments. Axes that no
    argument has keep their numbers, and so do those that have to be as long as something is whose length an operation
    computed, as the windows of a convolution. `m` counts samples if it is the length of one of the arguments in `data`.
    """
    classes = _Classes()
    for one, other in sorted(dict.fromkeys(pairs), key=lambda pair: all(of.name.isdigit() for of in pair)):
        classes.join(one, other)
    held = [of for node in leaves.values() for of in node.shape]
    names: dict[Size, str] = {}
    taken = {*leaves, *(of.name for of in held if of.axis is None)}
    for of, (_, _, name) in sorted(bound.items(), key=lambda item: item[1]):
        wanted = f"n_{name}" if name in NODE_LETTERS + SAMPLE_LETTERS else name
        root = classes.of(of)
        if wanted not in taken and root.axis is not None and root not in names:
            names[root] = wanted
            taken.add(wanted)
    unnamed = dict.fromkeys(
        root for of in held if of.axis is not None and (root := classes.of(of)).axis is not None and root not in names
    )
    numbered = (f"n_{k}" for k in count(1))
    free = (name for name in (numbered if len(unnamed) > 1 else chain(["n"], numbered)) if name not in taken)
    names |= zip(unnamed, free, strict=False)
    samples = {classes.of(of) for name in data if name in leaves for of in leaves[name].shape}

    @cache
    def named(of: Size) -> Size:
        if of.axis is None or of.value is None:
            return of
        root = classes.of(of)
        if root.axis is None:
            return root
        name = names.get(root)
        return of_length(of.value) if name is None else Size(name, of.value, name == "m" and root in samples)

    return named


class _Classes:
    """Sizes that are equal, one standing for the others: a name or a number that is not of a single axis, if any is."""

    def __init__(self) -> None:
        self._above: dict[Size, Size] = {}

    def of(self, member: Size) -> Size:
        while member in self._above:
            member = self._above[member]
        return member

    def join(self, one: Size, other: Size) -> None:
        one, other = self.of(one), self.of(other)
        if one.axis is None:
            one, other = other, one
        if one != other and one.axis is not None:
            self._above[one] = other


def resized(order: Sequence[Node], named: Callable[[Size], Size]) -> dict[Node, Node]:
    """Nodes with sizes of single axes replaced: for each old node the new one.

    What needed no name after all is as if it had been a mere number: nothing is stretched to its own shape, and a
    product of numbers is a number.
    """
    shapes: dict[int, Shape] = {}
    done: dict[Node, Node] = {}
    for node in order:
        shape = shapes.get(id(node.shape))  # many nodes have the very shape of their input
        if shape is None:
            shape = shapes.setdefault(id(node.shape), tuple(map(named, node.shape)))
        inputs = tuple([done[x] for x in node.inputs])
        if node.op is stretch and node.symbol is None and inputs[0].shape == shape:
            done[node] = inputs[0]
            continue
        attrs = node.attrs
        if any(map(_holds_sizes, attrs.values())):
            attrs = {key: _renamed(value, named) if _holds_sizes(value) else value for key, value in attrs.items()}
        made = Node(node.op, inputs, shape, attrs, node.symbol)
        done[node] = made if shape else _number(made)
    return done


def _holds_sizes(value: Any) -> bool:
    return isinstance(value, Size) or (type(value) is tuple and bool(value) and isinstance(value[0], Size))


def _renamed(value: Any, named: Callable[[Size], Size]) -> Any:
    return named(value) if isinstance(value, Size) else tuple(map(named, value))


def _number(node: Node) -> Node:
    if node.op is size_ and node.attrs["size"].name.isdigit():
        return constant(node.attrs["size"].value)
    if node.op is mul and all(x.op is constant_ and x.symbol is None for x in node.inputs):
        return constant(math.prod(x.attrs["value"] for x in node.inputs))
    return node
