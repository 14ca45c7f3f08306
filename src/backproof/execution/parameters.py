"""Starting values for the parameters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from backproof.execution.interpret import length
from backproof.ir.errors import DataError
from backproof.ir.node import Graph
from backproof.ops.row import Array


def initial(graph: Graph, *, seed: int = 0, sizes: Mapping[str, int] | None = None) -> dict[str, Array]:
    """Weights from a normal distribution of variance 1/fan-in (LeCun et al., "Efficient BackProp", 1998), biases zero.

    `sizes` gives numbers to sizes that are symbolic. Raises DataError if one is missing, or the seed is negative.
    """
    if not isinstance(seed, int) or seed < 0:
        raise DataError(f"{seed!r} is not a seed", instead="give a whole number from 0 up")
    rng = np.random.default_rng(seed)
    values: dict[str, Array] = {}
    for node in graph.parameters:
        missing = [s.name for s in node.shape if s.value is None and s.name not in (sizes or {})]
        if missing:
            raise DataError(
                f"the size {missing[0]} has no value",
                where=f"in {node.symbol}",
                why="values need numbers for sizes",
                instead="give the number of nodes in the network",
            )
        shape = tuple(length(size, sizes or {}) for size in node.shape)
        is_weight = node.symbol is not None and node.symbol.base == "W"
        values[str(node.symbol)] = rng.normal(0.0, shape[-1] ** -0.5, shape) if is_weight else np.zeros(shape)
    return values
