"""Statements of NumPy on values that do not lie anywhere yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod


@dataclass(eq=False, slots=True)
class Held:
    """A value of a step.

    shape     how long its axes are
    is_truth  whether it holds truths instead of numbers
    parts_of  the values that it may share its memory with: those that it is a view of
    name      the variable that holds it, once it has one
    """

    shape: tuple[int, ...]
    is_truth: bool = False
    parts_of: tuple[Held, ...] = ()
    name: str = ""


Operand = Held | float
PRODUCTS = ("np.dot(", "np.matmul(")
"""How the statements begin that are matrix products."""


@dataclass(eq=False, slots=True)
class Statement:
    """One call of NumPy.

    text      the call, with the operands as {0}, {1}, … and where the result goes as {out}
    operands  what it is computed of
    out       the result
    in_place  whether this may lie where an operand of the same shape lies
    makes     whether the call gives the result itself: a view, or an array of its own
    about     the quantity that it is
    """

    text: str
    operands: tuple[Operand, ...]
    out: Held
    in_place: bool = False
    makes: bool = False
    about: str = ""
    extra: dict[str, object] = field(default_factory=dict)
    """What the text names beside NumPy."""

    @property
    def operations(self) -> int:
        """How many operations on single numbers it is: none for a view, two for each term of a product."""
        if self.makes and not self.extra:
            return 0
        if self.text.startswith(PRODUCTS):
            return 2 * prod(self.out.shape) * self.held[0].shape[-1]
        return max(prod(x.shape) for x in (self.out, *self.held))

    @property
    def held(self) -> list[Held]:
        """The operands that are no plain numbers."""
        return [x for x in self.operands if isinstance(x, Held)]
