"""Scalar functions and the rows that apply them element by element.

A scalar function is given by its definition as text, or left unspecified as the article leaves g and L. Its derivative
is never typed: `calculus` differentiates the definition. SymPy takes a good part of a second to import, and a network
with unspecified functions never needs it, so `calculus` is imported where the first value or derivative is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from backproof.ir.errors import SpecError
from backproof.ir.node import Node
from backproof.ops.arithmetic import common_shape, product
from backproof.ops.entries import elementwise_entry
from backproof.ops.notation import Apply, Leibniz, Notation
from backproof.ops.row import Array, Domain, Row

if TYPE_CHECKING:
    import sympy

REASON = (
    "Each entry of {y} depends on the entry of {x} at the same place and on no other, so the chain rule is an "
    "element-wise product."
)


@dataclass(frozen=True)
class Scalar:
    """A scalar function: the names of its arguments and its definition in them, None where it is unspecified.

    `orders` counts how often it is differentiated by each argument; the definition is that of the function itself.
    """

    name: str
    arguments: tuple[str, ...]
    definition: str | None
    orders: tuple[int, ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.orders:
            object.__setattr__(self, "orders", (0,) * len(self.arguments))

    @property
    def specified(self) -> bool:
        """Whether the function has a definition."""
        return self.definition is not None

    @property
    def primitive(self) -> bool:
        """Whether the name says it all: tanh(z) is its own definition, and so is polygamma(2, z), of order 2."""
        arguments = ", ".join(self.arguments)
        return self.definition == f"{self.name}({arguments})" or bool(
            re.fullmatch(rf"\w+\((?:[\d.]+, )+{re.escape(arguments)}\)", self.definition or "")
        )

    @cached_property
    def expr(self) -> sympy.Expr:
        """The function (or derivative) as an expression in its arguments. Raises SpecError if it is unspecified."""
        from backproof.ops import calculus

        if self.definition is None:
            raise SpecError(
                f"the function {self.name} is unspecified",
                why="a derivation can be written for an unspecified function, but it has no values",
                instead='name it, e.g. "tanh" or "binary_cross_entropy", or give it as an expression',
            )
        return calculus.differentiated(self.definition, self.arguments, self.orders)

    @cached_property
    def value_form(self) -> sympy.Expr | None:
        """The derivative written through the value `a` of the function itself, if there is such a form."""
        from backproof.ops import calculus

        if not self.specified or len(self.arguments) != 1 or self.orders != (1,):
            return None
        return calculus.through_value(replace(self, orders=(0,)).expr, self.expr, self.arguments[0])

    @cached_property
    def meaning(self) -> Callable[..., Array]:
        """The function on NumPy arrays."""
        from backproof.ops import calculus

        return calculus.compiled(self.expr, self.arguments)

    @cached_property
    def kinks(self) -> Callable[..., list[Array]]:
        """Functions of the arguments whose zeros are the places where a definition changes from piece to piece."""
        from backproof.ops import calculus

        return calculus.kinks(replace(self, orders=(0,) * len(self.arguments)).expr, self.arguments)

    @cached_property
    def roots(self) -> Callable[..., list[Array]]:
        """What a definition takes roots of, as functions of the arguments."""
        from backproof.ops import calculus

        return calculus.roots(replace(self, orders=(0,) * len(self.arguments)).expr, self.arguments)

    def derivative(self, argument: int) -> Scalar:
        """The function differentiated once more by an argument."""
        orders = tuple(n + (k == argument) for k, n in enumerate(self.orders))
        return replace(self, name=f"{self.name}'", orders=orders)


@dataclass(frozen=True, eq=False, repr=False)
class ScalarRow(Row):
    """The row that applies a scalar function element by element; `base` is the row that it is a derivative of."""

    scalar: Scalar = field(kw_only=True)
    base: ScalarRow | None = field(default=None, kw_only=True)


def elementwise(
    scalar: Scalar,
    notation: Apply | Notation,
    about: str = "",
    *,
    reason: str = REASON,
    domain: tuple[Domain, ...] = (),
) -> ScalarRow:
    """The row of a scalar function."""

    def meaning(*arrays: Array, **attrs: Any) -> Array:
        return scalar.meaning(*arrays)

    def vjp(g: Node, y: Node, *inputs: Node) -> tuple[Node, ...]:
        return tuple(product(g, derivative(row, k)(*inputs)) for k in range(len(inputs)))

    row = ScalarRow(
        name=scalar.name,
        kind="elementwise",
        about=about,
        meaning=meaning,
        shape=common_shape,
        aligns=True,
        notation=notation,
        entry=elementwise_entry,
        vjp=vjp,
        reasons=(reason,) * len(scalar.arguments),
        domain=domain or (Domain((2, 3)),) * len(scalar.arguments),
        scalar=scalar,
    )
    return row


@lru_cache(maxsize=4096)
def derivative(row: ScalarRow, argument: int) -> ScalarRow:
    """The row of a scalar function's derivative by one argument; asked again, the same row."""
    scalar = row.scalar.derivative(argument)
    notation: Notation = row.notation
    if isinstance(notation, Apply) and len(scalar.arguments) == 1:
        notation = replace(notation, primes=notation.primes + 1)
    elif isinstance(notation, Apply):
        notation = Leibniz(notation, argument)
    elif isinstance(notation, Leibniz):
        notation = Leibniz(notation.function, argument, (*notation.before, notation.argument))
    else:
        notation = Apply(row.name, primes=1)
    slope = elementwise(scalar, notation, f"The derivative of {row.name}.", domain=row.domain)
    return replace(slope, base=row)


def spelled(number: float) -> str:
    """A number as one would write it: 1 and 0.2, not 1.0."""
    return str(int(number)) if float(number).is_integer() and abs(number) < 1e15 else repr(float(number))
