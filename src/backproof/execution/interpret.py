"""The interpreter: each node's NumPy meaning, in order. It is what every faster way of running is compared with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np

from backproof.ir.node import Node, ancestors
from backproof.ir.sizes import Size
from backproof.ops.entries import row_of
from backproof.ops.row import Array


class Plan:
    """In which order outputs are computed from known nodes: made once, it can be run on any values of these.

    A `lean` one forgets each value after its last use, and gives the outputs only.
    """

    def __init__(
        self, outputs: Iterable[Node], known: Collection[Node], sizes: Mapping[str, int], *, lean: bool = False
    ) -> None:
        outputs = list(outputs)
        self._outputs = outputs if lean else None
        self._steps: list[tuple[Node, Callable[..., Array], tuple[Node, ...], bool]] = []
        for node in ancestors(outputs, stop=known.__contains__):
            if node in known:
                continue
            row, attrs = row_of(node), _resolved(node.attrs, sizes) if node.attrs else None
            meaning = partial(row.meaning, **attrs) if attrs else row.meaning
            uneven = row.aligns and any(len(x.shape) < len(node.shape) for x in node.inputs)
            self._steps.append((node, meaning, node.inputs, uneven))
        self._last: dict[Node, list[Node]] = {}
        if lean:
            last = {x: node for node, _, inputs, _ in self._steps for x in inputs}
            for x, node in last.items():
                if x not in known and x not in outputs:
                    self._last.setdefault(node, []).append(x)

    def run(self, known: Mapping[Node, Array]) -> dict[Node, Array]:
        """The values of the outputs and, unless the plan is lean, of every other node on the way."""
        values = dict(known)
        # Numbers and sizes take the precision of what is given, or they would raise it.
        kinds = {x.dtype for x in known.values() if x.dtype.kind in "fc"}
        precise = np.finfo(np.result_type(*kinds or {np.dtype(float)})).dtype
        with np.errstate(all="ignore"):
            for node, meaning, inputs, uneven in self._steps:
                arrays = [values[x] for x in inputs]
                if uneven:
                    arrays = _aligned(node, arrays)
                value = np.asarray(meaning(*arrays))
                values[node] = value if arrays else _as_precise(value, precise)
                for x in self._last.get(node, ()):
                    del values[x]
        return values if self._outputs is None else {x: values[x] for x in self._outputs}


def _as_precise(number: Array, precise: np.dtype[Any]) -> Array:
    return number.astype(precise if number.dtype.kind != "c" else np.result_type(precise, np.complex64))


def evaluate(outputs: Iterable[Node], known: Mapping[Node, Array], sizes: Mapping[str, int]) -> dict[Node, Array]:
    """The values of `outputs` and of every node computed on the way.

    `known` gives the values of the inputs, and of any other node that is not to be computed again. An array may have
    more axes than its node: the extra leading ones are many evaluations at once. Overflow and division by zero give
    inf and nan, as in NumPy, without a warning: whoever shows the values says so.
    """
    return Plan(outputs, known, sizes).run(known)


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
    """The value of a size: the one given for its name, or its own."""
    given = sizes.get(size.name, size.value)
    if given is None:
        raise KeyError(size.name)
    return given
