"""Expressions as text, with how tightly they bind: Python's levels, which most languages share."""

from __future__ import annotations

from dataclasses import dataclass

COMPARISON, SUM, PRODUCT, SIGN, POWER, ATOM = range(6)


@dataclass(frozen=True, slots=True)
class Text:
    """The text of an expression and the level of its outermost operation."""

    code: str
    level: int = ATOM

    def __str__(self) -> str:
        return self.code

    def at(self, level: int) -> str:
        """The text as an operand of an operation of that level: in brackets where it binds more loosely."""
        return self.code if self.level >= level else f"({self.code})"


def infix(left: Text, sign: str, right: Text, level: int, *, associative: bool = False) -> Text:
    """Two operands of a sign that binds to the left, or, if it is `associative`, either way; comparisons do neither."""
    least = SUM if level == COMPARISON else level  # in Python a < b < c is a < b and b < c
    return Text(f"{left.at(least)} {sign} {right.at(level if associative else level + 1)}", level)


def call(function: str, *arguments: object, **options: object) -> Text:
    """A function call."""
    parts = [*map(str, arguments), *(f"{name}={value}" for name, value in options.items())]
    return Text(f"{function}({', '.join(parts)})")
