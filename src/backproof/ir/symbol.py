"""Symbols: the one name of a quantity in formulas, code, messages and files."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

GREEK = {
    **{"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "eps": "ε", "epsilon": "ε", "eta": "η", "theta": "θ"},
    **{"kappa": "κ", "lam": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ"},
    **{"psi": "ψ", "omega": "ω"},
}
"""Names in code that are written as a letter."""
NUMBERED = re.compile(r"(.*[A-Za-z])_?(\d+)")


@lru_cache(maxsize=4096)
def written(name: str) -> tuple[str, int | None]:
    """The letters of a name in code and its number, if it has one: W1 and W_1 are written like W[1]."""
    numbered = NUMBERED.fullmatch(name)
    if numbered is None:
        return GREEK.get(name, name), None
    return GREEK.get(numbered[1], numbered[1]), int(numbered[2])


@dataclass(frozen=True, slots=True)
class Symbol:
    """`base` and `layer` name a quantity; `of` is the scalar that it is a derivative of, if it is one.

    `second` is the scalar of the second order that the quantity, or the derivative itself, is differentiated by again:
    where s is made of derivatives of J, DZ is that of s by Z, and DdZ that of s by dZ. `plain` symbols are written as
    they stand in code, since another quantity is written alike: W_1 beside W1.

    With `capital` its entries are written with the letter as it is, as the small one names another quantity.

    >>> str(Symbol("W", 2)), str(Symbol("Z", 1, of="J")), str(Symbol("Z", 1, of="J", second="s"))
    ('W[2]', 'dZ[1]', 'DdZ[1]')
    """

    base: str
    layer: int | None = None
    of: str | None = None
    second: str | None = None
    capital: bool = False
    plain: bool = False

    def __str__(self) -> str:
        layer = "" if self.layer is None else f"[{self.layer}]"
        return f"{self.prefix}{self.base}{layer}"

    @property
    def prefix(self) -> str:
        """The letters that say what it is a derivative of."""
        return ("D" if self.second else "") + ("d" if self.of else "")

    def derivative(self, of: str) -> Symbol:
        """The symbol of the derivative of the scalar `of` by this quantity."""
        return Symbol(self.base, self.layer, of, capital=self.capital, plain=self.plain)

    def second_derivative(self, of: str) -> Symbol:
        """As `derivative`, for a scalar that is made of derivatives itself."""
        return replace(self, second=of)

    def by(self, other: Symbol) -> Symbol:
        """Of a derivative: the symbol of the derivative of the same scalar by another quantity."""
        return other.second_derivative(self.second) if self.second else other.derivative(self.of or "J")

    @property
    def written(self) -> tuple[str, int | None]:
        """The letters and the number that it is written with."""
        return (self.base, self.layer) if self.plain else self.letters_and_number

    @property
    def letters_and_number(self) -> tuple[str, int | None]:
        """The letters of the name and its number, if it has one, also where it is written as in code."""
        return written(self.base) if self.layer is None else (GREEK.get(self.base, self.base), self.layer)
