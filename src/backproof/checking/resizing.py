"""Arguments of other sizes, for data on which different mistakes give the same numbers.

Where two axes happen to be equally long, 1/m and 1/n are the same; where one has length 2, so are 1/m and ½.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from backproof.checking.comparing import same
from backproof.checking.subjects.drawing import each, is_symmetric, like
from backproof.derivation.derivation import Derivation
from backproof.execution.trace import of_other_sizes, run
from backproof.ir.node import Node
from backproof.ir.sizes import ONE, Size
from backproof.ops.row import Array
from backproof.ops.shaping import index

SMALL = 12
"""Axes that are longer keep their length: what they are as long as is hardly an accident."""
LENGTHS = (3, 5, 7, 11, 13)
"""Lengths that share no factor."""


def resized(arguments: Mapping[str, Any], derivation: Derivation, rng: np.random.Generator) -> dict[str, Any] | None:
    """The arguments with axes of other lengths, no two alike; None where the lengths are telling as they are.

    Which axes are equally long is known from the derivation. Axes whose places the function goes through one by one
    keep their length: another one would be another network.
    """
    lengths = _lengths(derivation)
    if lengths is None:
        return None
    shapes = {_content(x.attrs["value"]): x.shape for x in derivation.graph.inputs}
    return dict(each(lambda array: _other(array, shapes, lengths, rng), dict(arguments)))


def _lengths(derivation: Derivation) -> dict[Size, int] | None:
    inputs = derivation.graph.inputs
    sizes = dict.fromkeys(size for x in inputs for size in x.shape if size != ONE)
    values = {size: x.attrs["value"].shape[k] for x in inputs for k, size in enumerate(x.shape) if size in sizes}
    fixed = {size for x in derivation.graph.nodes() if x.op is index for size in (*x.inputs[0].shape, *_chosen(x))}
    fixed |= {size for x in inputs if is_symmetric(x.attrs["value"]) for size in x.shape}
    small = [size for size in sizes if values[size] <= SMALL and size not in fixed]
    unlucky = [size for size in small if values[size] <= 2 or list(values.values()).count(values[size]) > 1]
    if not unlucky:
        return None
    free = iter([n for n in LENGTHS if n not in values.values()])
    # A longer axis, so that what counts along it is still in range.
    chosen = {size: next((n for n in free if n > values[size]), values[size]) for size in unlucky}
    return values | chosen


def _chosen(node: Node) -> tuple[Size, ...]:
    """The axes of an array that names places one by one and none of them twice: as a longer one it would have to."""
    value = node.inputs[1].attrs.get("value") if len(node.inputs) == 2 else None
    return () if value is None or len(np.unique(value)) < value.size else node.inputs[1].shape


def _content(array: Array) -> tuple[tuple[int, ...], bytes]:
    return array.shape, np.asarray(array, dtype=float).tobytes() if array.dtype.kind in "biuf" else b""


def _other(array: Array, shapes: Mapping[Any, Any], lengths: Mapping[Size, int], rng: np.random.Generator) -> Array:
    shape = shapes.get(_content(array))
    if shape is None:
        return array
    wanted = tuple(lengths.get(size, array.shape[k]) for k, size in enumerate(shape))
    return array if wanted == array.shape else _longer(array, wanted, rng)


def _longer(array: Array, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """An array of a larger shape with entries like those of a smaller one; one-hot labels stay one-hot."""
    hot = next(_hot_axes(array), None)
    if hot is not None:
        others = shape[:hot] + shape[hot + 1 :]
        places = rng.integers(0, shape[hot], others)
        return np.moveaxis(np.eye(shape[hot], dtype=array.dtype)[places], -1, hot)
    return like(array, rng.choice(array.ravel(), shape))


def _hot_axes(array: Array) -> Iterator[int]:
    """The axes along which an array holds a single one among zeros."""
    if array.ndim > 1 and np.isin(array, (0, 1)).all():
        for axis in range(array.ndim):
            if (array.sum(axis) == 1).all():
                yield axis


def same_network(derivation: Derivation, other: Derivation) -> bool:
    """Whether a derivation holds at the sizes of another one, of the same function: all its values are the same."""
    if list(derivation.quantities) != list(other.quantities):
        return False
    here = of_other_sizes(derivation, other)
    there = run(other, {str(x.symbol): x.attrs["value"] for x in other.graph.inputs})
    return all(np.shape(here[name]) == np.shape(there[name]) and same(here[name], there[name]) for name in here)
