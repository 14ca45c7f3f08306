"""Traces: the value of every quantity of a derivation, for given data."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from backproof.derivation.derivation import Derivation
from backproof.execution.explain import Explanation, explain
from backproof.execution.interpret import evaluate
from backproof.execution.jacobians import jacobian_values
from backproof.ir.errors import BackproofError, DataError, NameUnknownError
from backproof.ir.node import Node
from backproof.ir.sizes import ONE
from backproof.ops.row import Array


@dataclass(frozen=True, eq=False)
class Trace(Mapping[str, Array]):
    """The values of a derivation's quantities by their plain names: ``trace["dZ[2]"]``.

    `start` says how the parameters were drawn that nobody gave.
    """

    derivation: Derivation
    arrays: Mapping[str, Array]
    sizes: Mapping[str, int]
    start: str = ""

    def __getitem__(self, name: str) -> Array:
        try:
            # A scalar as a number: an array without axes cannot be rounded or formatted.
            return self.arrays[name][()]
        except KeyError:
            if name[:1] == "d" and name[1:] in {str(node.symbol) for node in self._inputs}:
                raise NameUnknownError(
                    f"{name} was not derived",
                    why="derivatives by the data are derived on request",
                    instead="derive with inputs=True, on the command line with --dx",
                ) from None
            same = [other for other in self.arrays if other.lower() == name.lower()]
            near = same[::-1] or difflib.get_close_matches(name, list(self.arrays), n=1, cutoff=0.4)
            raise NameUnknownError(
                f"there is no quantity {name!r}",
                instead=(f"did you mean {near[0]!r}? " if near else "") + f"There are {', '.join(self.arrays)}.",
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)

    def __repr__(self) -> str:
        return f"<trace of {', '.join(self.arrays)}>"

    @cached_property
    def mean_factor(self) -> float:
        """The factor of the mean over samples (1/m) that the derivatives of a single sample's loss leave out, or 1."""
        scale = next((step.scale for step in self.derivation.backward if step.scale is not None), None)
        return 1.0 if scale is None else float(evaluate([scale], {}, self.sizes)[scale])

    @property
    def samples(self) -> int:
        """How many samples the trace is of; 0 where the graph has no axis of samples, or one whose length is fixed."""
        return next((self.sizes.get(size.name, 0) for node in self._inputs for size in node.shape if size.samples), 0)

    def first(self, samples: int) -> Trace:
        """The trace of the first samples alone."""
        values = {}
        for node in self._inputs:
            array = self.arrays[str(node.symbol)]
            values[str(node.symbol)] = array[tuple(slice(samples if size.samples else None) for size in node.shape)]
        return run(self.derivation, values, dtype=np.result_type(*values.values()))

    @property
    def _inputs(self) -> tuple[Node, ...]:
        return self.derivation.graph.inputs

    def explain(self, name: str, *place: int) -> Explanation:
        """Where one entry comes from: the sum that it is, term by term. `place` counts from 1: row, column.

        Raises BackproofError for an unknown quantity or a place outside it.
        """
        self[name]
        if name not in self.derivation.quantities:
            raise BackproofError(
                f"{name} is explained by its formula",
                why="its entries are computed all at once",
                instead="render the derivation",
            )
        return explain(self.derivation.quantities[name], place, self.arrays, self.sizes)


def run(derivation: Derivation, values: Mapping[str, ArrayLike], *, dtype: DTypeLike = np.float64) -> Trace:
    """The trace of a derivation, given the values of its inputs by name (``X``, ``Y``, ``W[1]``, …) in its layout.

    Raises DataError for a missing or unknown name, a shape that does not fit, an empty array, or NaN.
    """
    if not np.issubdtype(np.dtype(dtype), np.floating):
        raise BackproofError(f"{np.dtype(dtype)} is not a floating-point type", instead="choose float64 or float32")
    inputs = {str(node.symbol): node for node in derivation.graph.inputs}
    arrays = {name: _array(name, value, inputs.get(name), dtype) for name, value in values.items()}
    unknown = [name for name in arrays if name not in inputs]
    missing = [name for name in inputs if name not in arrays]
    if unknown or missing:
        raise DataError(
            f"no values are given for {', '.join(missing)}" if missing else f"there is no input {unknown[0]!r}",
            instead=f"the inputs are {', '.join(inputs)}",
        )
    sizes: dict[str, int] = {}
    for name, node in inputs.items():
        _bind(name, node, arrays[name], sizes)
    return _computed(derivation, {node: arrays[name] for name, node in inputs.items()}, sizes, dtype)


def of_other_sizes(derivation: Derivation, other: Derivation) -> Trace:
    """The trace of a derivation on the values that another one of the same function was followed on, of other sizes.

    The lengths of a followed function's axes are those that it was given; these are taken in their place.
    """
    mine, theirs = derivation.graph.inputs, other.graph.inputs
    arrays = [x.attrs["value"] for x in theirs]
    sizes = {size.name: n for x, a in zip(mine, arrays, strict=True) for size, n in zip(x.shape, a.shape, strict=True)}
    decimal = (a.astype(float) if a.dtype.kind in "f" else a for a in arrays)
    return _computed(derivation, dict(zip(mine, decimal, strict=True)), sizes, np.float64)


def _computed(
    derivation: Derivation, values: Mapping[Node, Array], sizes: Mapping[str, int], dtype: DTypeLike
) -> Trace:
    outputs = derivation.quantities
    computed = evaluate(outputs.values(), values, sizes)
    found = {name: computed[node] for name, node in outputs.items()}
    for step in derivation.backward:  # a derivative may be a whole number, but it is no count
        found[str(step.symbol)] = _decimal(found[str(step.symbol)], dtype)
    if derivation.jacobians:
        found |= jacobian_values(derivation, computed, sizes)
    return Trace(derivation, found, sizes)


def _decimal(array: Array, dtype: DTypeLike) -> Array:
    return array.astype(dtype) if array.dtype.kind in "biu" else array


def _kind(node: Node | None, dtype: DTypeLike) -> DTypeLike:
    """The type of an input's numbers: whole numbers that code counts or indexes with stay whole."""
    given = None if node is None else node.attrs.get("value")
    if given is None or given.dtype.kind == "f":
        return dtype
    return np.result_type(dtype, np.complex64) if given.dtype.kind == "c" else given.dtype


def _array(name: str, value: ArrayLike, node: Node | None, dtype: DTypeLike) -> Array:
    try:
        array = np.asarray(value, dtype=_kind(node, dtype))
    except (TypeError, ValueError) as error:
        raise DataError(f"the values of {name} are not numbers", why=str(error)) from None
    if node is not None and node.attrs.get("outside"):
        return array  # the code made it itself, and knows why it is empty or holds infinity
    if array.size == 0:
        raise DataError(f"{name} is empty", where=f"its shape is {array.shape}")
    if not np.all(np.isfinite(array)):
        place = tuple(int(k) + 1 for k in np.argwhere(~np.isfinite(array))[0])
        raise DataError(f"{name} holds {array[tuple(k - 1 for k in place)]}", where=f"at {list(place)}, counted from 1")
    return array


def _bind(name: str, node: Node, array: Array, sizes: dict[str, int]) -> None:
    """Checks an array against its node's shape, and learns the sizes that have no value yet."""
    fits = array.ndim == len(node.shape)
    for size, length in zip(node.shape, array.shape, strict=False):
        expected = size.value if size == ONE or size.value is not None else sizes.setdefault(size.name, length)
        fits = fits and expected == length
    if not fits:
        wanted = " × ".join(
            size.name if size.value is None and size.name not in sizes else str(size.value or sizes[size.name])
            for size in node.shape
        )
        raise DataError(
            f"{name} has the wrong shape",
            where=f"it is {' × '.join(map(str, array.shape)) or 'a single number'}, and must be {wanted}",
        )
