"""Many equations evaluated on the same values: what they have in common is computed once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from backproof.execution.interpret import evaluate
from backproof.ir.node import Node, ancestors
from backproof.ops.row import Array

MOST_BYTES = 2**25
"""How much of what equations have in common is kept."""


class Evaluations:
    """The values of equations in nodes that are `known`."""

    def __init__(self, known: Mapping[Node, Array], sizes: Mapping[str, int]) -> None:
        self.known, self._sizes = known, sizes
        self._parts: dict[Node, Array] = {}
        self._bytes = 0

    def value(self, form: Node) -> Array:
        """What an equation gives, even if its own value is known. Raises what NumPy raises."""
        if form in self.known and not form.inputs:
            return self.known[form]  # nothing computes it
        given = {x: value for x in self._order(form) if x is not form and (value := self._of(x)) is not None}
        values = evaluate([form], given, self._sizes)
        for x, value in values.items():
            if x is not form and x not in given:
                self._keep(x, value)
        return np.asarray(values[form])

    def _order(self, form: Node) -> list[Node]:
        return ancestors([form], stop=lambda x: x is not form and (x in self.known or x in self._parts))

    def _of(self, x: Node) -> Array | None:
        return self.known[x] if x in self.known else self._parts.get(x)

    def _keep(self, x: Node, value: Array) -> None:
        if self._bytes + value.nbytes > MOST_BYTES:
            self._parts.clear()
            self._bytes = 0
        self._parts[x] = value
        self._bytes += value.nbytes
