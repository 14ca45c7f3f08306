"""The interpreter: each node's NumPy meaning, in order. It is what every faster way of running is compared with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from backproof.ir.node import Node, ancestors
from backproof.ir.sizes import Size
from backproof.ops.entries import row_of
from backproof.ops.row import Array


def evaluate(outputs: Iterable[Node], known: Mapping[Node, Array], sizes: Mapping[str, int]) -> dict[Node, Array]:
    """The values of `outputs` and of every node computed on the way.

    `known` gives the values of the inputs, and of any other node that is not to be computed again. An array may have
    more axes than its node: the extra leading ones are many evaluations at once. Overflow and division by zero give
    inf and nan, as in NumPy, without a warning: whoever shows the values says so.
    """
    values = dict(known)
    # Numbers and sizes take the precision of what is given, or they would raise it.
    kinds = {x.dtype for x in known.values() if x.dtype.kind in "fc"}
    precise = np.finfo(np.result_type(*kinds or {np.dtype(float)})).dtype
    with np.errstate(all="ignore"):
        for node in ancestors(outputs, stop=lambda node: node in known):
            if node not in values:
                row = row_of(node)
                arrays = [values[x] for x in node.inputs]
                if row.aligns:
                    arrays = _aligned(node, arrays)
                value = np.asarray(row.meaning(*arrays, **_resolved(node.attrs, sizes)))
                values[node] = value if arrays else value.astype(precise)
    return values


def _aligned(node: Node, arrays: list[Array]) -> list[Array]:
    """Arrays with extra leading axes, given axes of length one where their node has fewer than the result."""
    rank = len(node.shape)
    result = []
    for x, array in zip(node.inputs, arrays, strict=True):
        own = len(x.shape)
        if array.ndim > own < rank:
            array = array.reshape(
                array.shape[: array.ndim - own] + (1,) * (rank - own) + array.shape[array.ndim - own :]
            )
        result.append(array)
    return result


def _resolved(attrs: Mapping[str, Any], sizes: Mapping[str, int]) -> dict[str, Any]:
    def resolve(value: Any) -> Any:
        if isinstance(value, Size):
            return length(value, sizes)
        if isinstance(value, tuple):
            return tuple(resolve(x) for x in value)
        return value

    return {name: resolve(value) for name, value in attrs.items()}


def length(size: Size, sizes: Mapping[str, int]) -> int:
    """The value of a size: its own, or the one given for its name."""
    return size.value if size.value is not None else sizes[size.name]
