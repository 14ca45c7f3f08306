"""The closed set of math nodes: what a formula looks like, before any format is chosen.

`spell` turns graph nodes into these; one printer per format (`math_latex`, `math_mathml`, `math_unicode`) turns
these into text. A printer is one `match` over `Math`, closed by `assert_never`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never


@dataclass(frozen=True, slots=True)
class Ident:
    """A quantity's letters, set in italics: ``a``, ``dZ``, ``σ`` (Greek as Unicode)."""

    text: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is to be read: ``1``, ``0.044715``, ``1.2e-05``."""

    text: str


@dataclass(frozen=True, slots=True)
class Word:
    """Upright words inside a formula: ``if``, ``otherwise``, a user's own name such as ``hidden``."""

    text: str


@dataclass(frozen=True, slots=True)
class Func:
    """The upright name of a function: ``tanh``, ``log``, ``softmax``."""

    text: str


@dataclass(frozen=True, slots=True)
class Sign:
    """An operator, relation or separator, as Unicode: ``= + − * · , > ≤ |``.

    ``·`` between scalars or matrices, ``*`` for the element-wise product. `role` decides the spacing: ``binary`` and
    ``relation`` have space on both sides, ``punctuation`` after it, ``tight`` none.
    """

    text: str
    role: str = "binary"


@dataclass(frozen=True, slots=True)
class Row:
    """Parts set side by side without added space (signs bring their own)."""

    parts: tuple[Math, ...]


@dataclass(frozen=True, slots=True)
class Scripts:
    """A base with a subscript, a superscript or both: ``a_{1}^{[2](1)}``."""

    base: Math
    sub: Math | None = None
    sup: Math | None = None


@dataclass(frozen=True, slots=True)
class Prime:
    """A derivative's primes on a base: ``{g^{[2]}}'``."""

    base: Math
    count: int = 1


@dataclass(frozen=True, slots=True)
class Hat:
    """A wide hat over a base, as in the article's Ŷ."""

    base: Math


@dataclass(frozen=True, slots=True)
class Frac:
    """A fraction."""

    numerator: Math
    denominator: Math


@dataclass(frozen=True, slots=True)
class Sqrt:
    """A square root."""

    body: Math


@dataclass(frozen=True, slots=True)
class BigSum:
    """A sum sign with its index, and what is summed. `upper` is None where only the index is named."""

    lower: Math
    upper: Math | None
    body: Math


@dataclass(frozen=True, slots=True)
class Fence:
    """Something between brackets that grow with it: ``( )``, ``[ ]``, ``| |``."""

    body: Math
    left: str = "("
    right: str = ")"


@dataclass(frozen=True, slots=True)
class Dots:
    """What is left out of a matrix or a sum: ``h`` (…), ``v`` (⋮) or ``d`` (⋱)."""

    direction: str = "h"


@dataclass(frozen=True, slots=True)
class Matrix:
    """A matrix written out, in square brackets: rows of cells, all rows equally long."""

    rows: tuple[tuple[Math, ...], ...]


@dataclass(frozen=True, slots=True)
class Cases:
    """A function given piece by piece: (value, condition) pairs behind one left brace."""

    pieces: tuple[tuple[Math, Math], ...]


Math = (
    Ident
    | Number
    | Word
    | Func
    | Sign
    | Row
    | Scripts
    | Prime
    | Hat
    | Frac
    | Sqrt
    | BigSum
    | Fence
    | Dots
    | Matrix
    | Cases
)


@dataclass(frozen=True, slots=True)
class Equation:
    """A chain ``left = parts[0] = parts[1] …``; a printer may break the line before any ``=``."""

    left: Math
    parts: tuple[Math, ...]


EQUALS = Sign("=", "relation")


def chain(equation: Equation) -> Row:
    """The equation on one line."""
    parts: list[Math] = [equation.left]
    for part in equation.parts:
        parts += [EQUALS, part]
    return Row(tuple(parts))


def is_tall(node: Math) -> bool:
    """Whether brackets around the node must grow: something inside is more than one line high."""
    match node:
        case Frac() | BigSum() | Matrix() | Cases():
            return True
        case Ident() | Number() | Word() | Func() | Sign() | Dots():
            return False
        case Row(parts):
            return any(map(is_tall, parts))
        case Scripts(base, sub, sup):
            return any(is_tall(part) for part in (base, sub, sup) if part is not None)
        case Prime(base) | Hat(base):
            return is_tall(base)
        case Sqrt(body) | Fence(body):
            return is_tall(body)
    assert_never(node)


def printable(text: str) -> str:
    """A user's text, fit for every format: one line, and no character that a terminal or XML would stumble over."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else " " if char.isspace() else "\ufffd" for char in text)
