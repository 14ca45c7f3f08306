"""How the values of a statement lie to those of an equation: the same, a multiple, the same but for one part of it."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from backproof.checking.comparing import layouts, same
from backproof.checking.equations import exchanged
from backproof.checking.trial import Trial
from backproof.checking.truth import Quantity, Truth
from backproof.execution.interpret import Plan, length
from backproof.ir.errors import BackproofError
from backproof.ir.node import Node, ancestors
from backproof.ops.arithmetic import mul
from backproof.ops.leaves import constant
from backproof.ops.row import Array


class Fitting:
    """The values that a statement gave on the first draw, beside those of one form of the equation and its edits."""

    def __init__(self, truth: Truth, trial: Trial, quantity: Quantity, form: Node) -> None:
        self._sizes = truth.sizes[0]
        self._found = trial.event.arrays[0] / truth.scale(quantity, 0)
        self._largest = int(np.argmax(np.abs(self._found))) if self._found.size else 0
        known = {x: value for x, value in trial.known(0).items() if x is not form}
        self._values = Plan([form], known, self._sizes).run(known)
        self.right = self._values[form]

    @property
    def is_zero(self) -> bool:
        """Whether the statement gave nothing but zeros."""
        return not self._found.any()

    def multiple(self, node: Node) -> float | None:
        """By which factor the values are those of an edited equation; None where they are not."""
        value = self._value(node, self._found.size)
        if value is None:
            return None
        if self.is_zero:
            return None if value.any() else 1.0
        for form in layouts(value, self._found.shape):
            entry = form.flat[self._largest]
            with np.errstate(all="ignore"):
                factor = float(self._found.flat[self._largest] / entry)
                if math.isfinite(factor) and factor and same(self._found, factor * form):
                    return factor
        return None

    def scale(self, node: Node) -> float | None:
        """By which factor an edit of the equation multiplies the whole; None where it does something else."""
        value = self._value(node, self.right.size)
        if value is None or value.shape != self.right.shape or not self.right.any():
            return None
        place = int(np.argmax(np.abs(self.right)))
        factor = float(value.flat[place] / self.right.flat[place])
        return factor if same(value, factor * self.right) else None

    def factor_of(self, part: Node, form: Node) -> float | None:
        """The factor of one part of the equation that makes it give the values; None where there is none."""
        without = self._value(exchanged(form, part, mul(constant(0), part)), self._found.size)
        if self.is_zero or without is None or without.shape != self.right.shape or not without.any():
            return None
        for right, rest in zip(
            layouts(self.right, self._found.shape), layouts(without, self._found.shape), strict=False
        ):
            own = right - rest
            place = int(np.argmax(np.abs(own)))
            with np.errstate(all="ignore"):
                factor = float((self._found - rest).flat[place] / own.flat[place])
                if math.isfinite(factor) and same(self._found, rest + factor * own):
                    return factor
        return None

    def _value(self, node: Node, entries: int) -> Array | None:
        if math.prod(length(size, self._sizes) for size in node.shape) != entries:
            return None
        reached = ancestors([node], stop=self._values.__contains__)
        known: Mapping[Node, Array] = {x: self._values[x] for x in reached if x in self._values}
        try:
            return np.asarray(Plan([node], known, self._sizes).run(known)[node])
        except (ValueError, IndexError, TypeError, BackproofError):  # an edit of which NumPy makes nothing
            return None
