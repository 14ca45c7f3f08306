"""The row of the rule table: everything that is known of one operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from backproof.ir.node import NO_ATTRS, Node
from backproof.ir.sizes import Index, Place, Shape, Size
from backproof.ir.symbol import Symbol
from backproof.ops.notation import Notation

Array = np.ndarray[Any, Any]
Kind = Literal["leaf", "zero", "linear", "rearranging", "general", "elementwise", "composite", "entry"]
"""How a row's derivative comes about.

``zero`` has none; ``linear``, ``rearranging`` (entries only change places), ``general`` and arithmetic have a
hand-written rule; ``elementwise`` is differentiated from its scalar function, ``composite`` from its body. ``entry``
rows speak of single entries and appear only in entry forms.
"""


class Letters(Protocol):
    """Hands out index letters that are not in use yet."""

    def fresh(self, size: Size) -> Index: ...


EntryRule = Callable[[Node, tuple[Place, ...], Callable[[Node, tuple[Place, ...]], Node], Any], Node]
"""(node, place, entry, letters) -> the scalar node of the entry at `place`; `entry` gives an input's entry."""


@dataclass(frozen=True, slots=True)
class Domain:
    """What the table test draws an input from: the lengths of its axes and an open interval of values.

    Of complex numbers the interval is that of both parts.
    """

    shape: tuple[int, ...]
    low: float = -2.0
    high: float = 2.0
    complex_numbers: bool = False


@dataclass(frozen=True, eq=False)
class Row:
    """One operation.

    name      unique in the table, as it is called in code
    kind      how its derivative comes about (see `Kind`)
    about     what it is, in one sentence
    meaning   the NumPy meaning, ``meaning(*arrays, **attrs)``; extra leading axes are many evaluations at once
    shape     ``shape(shapes, attrs)``; raises ShapeError
    notation  how it is spelled
    entry     its entry form
    vjp       ``vjp(g, y, *inputs)``: for each input the derivative of the scalar result by it, given `g`, the
              derivative by the output `y`; None where there is none. Never un-broadcasts, never accumulates: the
              engine does.
    reasons   one sentence per input; ``{x}`` is the input, ``{y}`` the output, ``{dx}`` and ``{dy}`` their derivatives,
              ``{other}`` the input beside it and ``{turned}`` that one transposed
    domain    where tests draw the inputs
    attrs     attributes that tests apply it with
    aligns    whether inputs of fewer axes are broadcast, as in NumPy
    body      for a composite: the operation in terms of other rows
    """

    name: str
    kind: Kind
    about: str
    meaning: Callable[..., Array]
    shape: Callable[[Sequence[Shape], Mapping[str, Any]], Shape]
    notation: Notation
    entry: EntryRule
    vjp: Callable[..., tuple[Node | None, ...]] | None = None
    reasons: tuple[str, ...] = ()
    domain: tuple[Domain, ...] = ()
    attrs: Mapping[str, Any] | None = None
    aligns: bool = False
    body: Callable[..., Node] | None = None

    def __call__(self, *inputs: Node, symbol: Symbol | None = None, **attrs: Any) -> Node:
        """The node that applies this operation. Raises ShapeError where sizes do not fit."""
        return Node(self, inputs, self.shape([x.shape for x in inputs], attrs), attrs or NO_ATTRS, symbol)

    def __repr__(self) -> str:
        return f"<operation {self.name}>"
