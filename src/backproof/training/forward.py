"""The forward pass alone: outputs and the loss, in parts that fit into memory."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from backproof.derivation.derivation import Derivation
from backproof.execution.interpret import Plan
from backproof.execution.reading.on_disk import Rows
from backproof.ir.node import Node
from backproof.ops.row import Array

AT_ONCE = 2**22
"""How many entries of the widest layer are computed at once."""


class Forward:
    """The outputs of a network, and its loss; the samples are rows."""

    def __init__(self, derivation: Derivation, output: Node, sizes: Mapping[str, int]) -> None:
        self._derivation, self._output, self._sizes = derivation, output, sizes
        self._x = derivation.quantities["X"]
        widest = max(sizes.get(size.name, size.value or 1) for step in derivation.forward for size in step.node.shape)
        self._rows = max(1, AT_ONCE // max(1, widest))

    def outputs(self, parameters: Mapping[Node, Array], X: Array | Rows) -> Array:
        """What the last layer gives for each sample, [samples, outputs]."""
        plan = Plan([self._output], {self._x, *parameters}, self._sizes, lean=True)
        starts = range(0, max(1, len(X)), self._rows)
        parts = (plan.run({self._x: X[k : k + self._rows], **parameters}) for k in starts)
        return np.concatenate([part[self._output] for part in parts])

    def loss(self, parameters: Mapping[Node, Array], X: Array | Rows, Y: Array | Rows, **others: Array | Rows) -> float:
        """J on all of these samples: that of the parts, weighted by how many samples they have."""
        named = {self._derivation.quantities[name]: array for name, array in {"X": X, "Y": Y, **others}.items()}
        total = 0.0
        for k in range(0, len(X), self._rows):
            part = {node: array[k : k + self._rows] for node, array in named.items()}
            count = len(part[self._x])
            plan = Plan([self._derivation.result], {*part, *parameters}, {**self._sizes, "m": count}, lean=True)
            total += count * float(plan.run({**part, **parameters})[self._derivation.result])
        return total / len(X)


def output_of(derivation: Derivation) -> Node:
    """What the last layer of a network gives."""
    nodes = [step.node for step in derivation.forward]
    return [node for node in nodes if node.symbol is not None and node.symbol.base == "A"][-1]


def sizes_of(derivation: Derivation, arrays: Mapping[str, Array | Rows]) -> dict[str, int]:
    """How long axes are, but for that of the samples; `arrays` are inputs by their names."""
    sizes = {size.name: size.value for x in derivation.graph.inputs for size in x.shape if size.value is not None}
    for name, array in arrays.items():
        shape = derivation.quantities[name].shape
        pairs = zip(shape, array.shape, strict=True)
        sizes |= {size.name: length for size, length in pairs if not size.samples and size.value is None}
    return sizes
