"""The values of Jacobians and Hessians: those of their formula, or their products with every unit vector."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from backproof.derivation.derivation import Derivation, Jacobian
from backproof.execution.interpret import Plan, length
from backproof.ir.errors import DataError
from backproof.ir.node import Node
from backproof.ops.row import Array

LARGEST = 10**7
"""How many numbers a Jacobian may have: 80 megabytes."""
CHUNK = 2**21
"""How many numbers the largest array of one batch of products may hold."""


def jacobian_values(derivation: Derivation, values: Mapping[Node, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
    """The values of a derivation's Jacobians by their plain names, given those of its quantities.

    Raises DataError for one that is too large to be written down.
    """
    # Formulas name a forward step as it was before a rewriting; it has the same value.
    values = {**values, **{step.raw: values[step.node] for step in derivation.forward}}
    return {str(jacobian.symbol): _values(jacobian, values, sizes) for jacobian in derivation.jacobians}


def _values(jacobian: Jacobian, values: Mapping[Node, Array], sizes: Mapping[str, int]) -> Array:
    shape = tuple(length(size, sizes) for size in jacobian.shape)
    rank = len(jacobian.of.shape)
    if math.prod(shape) > LARGEST:
        of, by = jacobian.of.symbol, jacobian.by.symbol
        raise DataError(
            f"{jacobian.symbol} would have {math.prod(shape):,} entries",
            where=f"{of} has {math.prod(shape[:rank]):,}, {by} {math.prod(shape[rank:]):,}",
            why=f"more than {LARGEST:,} are not computed",
            instead=f'hvp="{by}": the product with a vector has the size of {by}' if jacobian.second else "take fewer",
        )
    if jacobian.matrix is not None:
        matrix = jacobian.matrix
        found = Plan([matrix], values.keys(), sizes, lean=True).run(values)[matrix]
        if np.isfinite(found).all():
            return np.broadcast_to(found, shape).copy()
        # A formula may overflow where the steps, which go through values already computed, do not.
    return _rows(jacobian, values, sizes, shape[:rank]).reshape(shape)


def _rows(jacobian: Jacobian, values: Mapping[Node, Array], sizes: Mapping[str, int], shape: tuple[int, ...]) -> Array:
    """The product with every unit vector, many at a time: each is the derivative of one entry of `of`."""
    count = math.prod(shape)
    plan = Plan([jacobian.image], {*values, jacobian.direction}, sizes, lean=True)
    # Every value on the way has an axis for the vectors; the largest known is a fair guess of their size.
    widest = max((np.size(value) for value in values.values()), default=1)
    size = max(1, CHUNK // widest)
    dtype = np.asarray(values[jacobian.by]).dtype
    own = tuple(length(axis, sizes) for axis in jacobian.by.shape)
    rows = []
    for start in range(0, count, size):
        units = np.zeros((min(size, count - start), count), dtype=dtype)
        units[np.arange(len(units)), np.arange(start, start + len(units))] = 1
        found = plan.run({**values, jacobian.direction: units.reshape(len(units), *shape)})[jacobian.image]
        rows.append(np.broadcast_to(found, (len(units), *own)))
    return np.concatenate(rows)
