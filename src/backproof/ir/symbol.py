"""Symbols: the one name of a quantity in formulas, code, messages and files."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Symbol:
    """`base` and `layer` name a quantity; `of` is the scalar that it is a derivative of, if it is one.

    >>> str(Symbol("W", 2)), str(Symbol("Z", 1, of="J"))
    ('W[2]', 'dZ[1]')
    """

    base: str
    layer: int | None = None
    of: str | None = None

    def __str__(self) -> str:
        layer = "" if self.layer is None else f"[{self.layer}]"
        return f"{'d' if self.of else ''}{self.base}{layer}"

    def derivative(self, of: str) -> Symbol:
        """The symbol of the derivative of the scalar `of` by this quantity."""
        return Symbol(self.base, self.layer, of)
