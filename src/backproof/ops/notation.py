"""How operations are spelled: a closed set of notations that writers turn into formulas."""

from __future__ import annotations

from dataclasses import dataclass

SUM, PRODUCT, SIGN, POWER, ATOM = range(5)
"""How tightly an operation binds; a looser one inside a tighter one stands in brackets."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A quantity, a number or a size: spelled by its symbol, value or name."""


@dataclass(frozen=True, slots=True)
class Infix:
    """``x + y``. `sign` "*" is the element-wise product between matrices and ``·`` between scalars."""

    sign: str
    precedence: int


@dataclass(frozen=True, slots=True)
class Minus:
    """``−x``."""


@dataclass(frozen=True, slots=True)
class Fraction:
    """``x / y``, as a fraction."""


@dataclass(frozen=True, slots=True)
class Superscript:
    """``xᵀ``; with no text, the exponent is the operation's attribute ``exponent``."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Root:
    """``√x``."""


@dataclass(frozen=True, slots=True)
class Bars:
    """``|x|``."""


@dataclass(frozen=True, slots=True)
class Exponential:
    """``e`` to the power of the input."""


@dataclass(frozen=True, slots=True)
class Apply:
    """A function and its arguments in brackets; `letter` in italics (``g``, ``σ``) instead of upright.

    `layer` is a superscript of the function's name, `primes` counts derivatives; the inverse function has −1 there.
    `option` is an attribute that is written behind the arguments, as in code, where it is not 0: ``tril(x, k=1)``.
    """

    name: str
    letter: bool = False
    layer: int | None = None
    primes: int = 0
    inverse: bool = False
    option: str = ""


@dataclass(frozen=True, slots=True)
class Subscripts:
    """``einsum("ij,jk->ik", x, y)``: a function with the letters of the axes, as they are written in code."""

    name: str


@dataclass(frozen=True, slots=True)
class Leibniz:
    """``dL(a, y)/da``: the derivative of a function of several arguments by argument number `argument`.

    Of a higher derivative, ``d²L(a, y)/da da``, `before` are the arguments that it was differentiated by already.
    """

    function: Apply
    argument: int
    before: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TimesLog:
    """``x · log(y)``, which counts as 0 where x is 0."""


@dataclass(frozen=True, slots=True)
class Reduction:
    """A sum over axes: ``Σ_i``."""


@dataclass(frozen=True, slots=True)
class Over:
    """``max_k(x_{·k})``: a reduction that is no sum, with the letters of the axes it runs over."""

    name: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an array: ``a_j^{[2](i)}``."""


@dataclass(frozen=True, slots=True)
class Position:
    """A position as a number: ``j − 1``."""


@dataclass(frozen=True, slots=True)
class Kronecker:
    """``δ_{jk}``."""


@dataclass(frozen=True, slots=True)
class Within:
    """``2 ≤ k ≤ 5``: where positions lie."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """A function given piece by piece: inputs are value, condition, value, condition, …, value otherwise."""


@dataclass(frozen=True, slots=True)
class TimesTransposed:
    """``x · yᵀ`` of two vectors."""


@dataclass(frozen=True, slots=True)
class InverseTimes:
    """``x⁻¹ · y``."""


@dataclass(frozen=True, slots=True)
class DiagonalTimes:
    """``diag(x) · y``."""


@dataclass(frozen=True, slots=True)
class TimesIdentity:
    """``x · I``, and ``I`` alone where x is 1."""


@dataclass(frozen=True, slots=True)
class Reshaped:
    """``reshape(x, n × 2 × 3)``, with the shape that it becomes."""


@dataclass(frozen=True, slots=True)
class Permuted:
    """``transpose(x, (0, 2, 1))``, with the axes as they are written in code."""


@dataclass(frozen=True, slots=True)
class Bracketed:
    """``x[1:, 2]``, as it is written in code; `back` is the array that has x at these places and 0 elsewhere."""

    back: bool = False


@dataclass(frozen=True, slots=True)
class Replaced:
    """``x with y at [1:, 2]``."""


@dataclass(frozen=True, slots=True)
class Inline:
    """A scalar function without a name, spelled as its definition."""


@dataclass(frozen=True, slots=True)
class Partial:
    """``∂y/∂x`` of the node in the attribute ``of`` by argument number `argument`."""

    argument: int


@dataclass(frozen=True, slots=True)
class Bare:
    """Spelled as its only input: what only stretches or reshapes."""


Notation = (
    Leaf
    | Infix
    | Minus
    | Fraction
    | Superscript
    | Root
    | Bars
    | Exponential
    | Apply
    | Subscripts
    | Leibniz
    | TimesLog
    | Reduction
    | Over
    | Entry
    | Position
    | Kronecker
    | Within
    | Pieces
    | Bare
    | TimesTransposed
    | InverseTimes
    | DiagonalTimes
    | TimesIdentity
    | Reshaped
    | Permuted
    | Bracketed
    | Inline
    | Replaced
    | Partial
)
