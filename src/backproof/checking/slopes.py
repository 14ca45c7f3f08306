"""What the derivative from above is multiplied by, entry by entry: g'(Z) of ``dZ = dA * g'(Z)``.

A function for the derivative of an activation returns it, and it is no derivative of the loss itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

import numpy as np

from backproof.checking.comparing import same
from backproof.checking.equations import factors
from backproof.checking.truth import Quantity, Truth
from backproof.ops.arithmetic import mul
from backproof.ops.row import Array

CLOSE = 1e-3
"""How far the sum of a value's entries may be from that of what it is, relative to the largest: rounding is less."""


class Slopes:
    """The values of all such factors on the first draw."""

    def __init__(self, truth: Truth) -> None:
        self._by_size: dict[int, list[tuple[float, float, Array]]] = {}
        for quantity in truth.derivatives:
            for array in _slopes(truth, quantity):
                far = CLOSE * array.size * float(np.max(np.abs(array), initial=0.0))
                self._by_size.setdefault(array.size, []).append((float(array.sum()), far, array))

    def has(self, array: Array) -> bool:
        """Whether a value is one of them; single numbers may be anything."""
        if array.size < 2:
            return False
        known, total = self._by_size.get(array.size, ()), float(array.sum())
        return any(abs(total - own) <= far and same(array, slope) for own, far, slope in known)


def _slopes(truth: Truth, quantity: Quantity) -> Iterator[Array]:
    for form in quantity.forms:
        parts = factors(form)
        above = [x for x in parts if (q := truth.of_node.get(x)) is not None and q.is_whole]
        others = [x for x in parts if x not in above]
        if len(above) == 1 and others:
            yield truth.plain(reduce(lambda product, x: mul(product, x), others), 0)
