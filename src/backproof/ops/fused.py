"""Element-wise formulas without a name: several operations on entries at the same place, as one scalar function.

``1/(1 + exp(-Z))`` written in code is four operations; to a reader it is one function of Z, with one derivative. So a
formula becomes a row of its own: its definition is that of its operations, its derivative is found like any other's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backproof.ir.errors import SpecError
from backproof.ir.node import Node, substitute
from backproof.ir.sizes import Shape
from backproof.ir.symbol import Symbol
from backproof.ops.arithmetic import add, common_shape, div, mul, neg, power, product, sub
from backproof.ops.elementary import greater, greater_equal, less, less_equal, pieces
from backproof.ops.entries import EntryOf, LetterPool, Places, align, entry_of, row_of
from backproof.ops.leaves import constant_, variable
from backproof.ops.notation import Inline, Partial
from backproof.ops.row import Row
from backproof.ops.scalar import Scalar, ScalarRow, elementwise

SIGNS: Mapping[Row, str] = {add: "+", sub: "-", mul: "*", div: "/"}
RELATIONS: Mapping[Row, str] = {greater: ">", greater_equal: ">=", less: "<", less_equal: "<="}
LONGEST = 400
"""A definition of more characters than this is left as its operations."""

_ROWS: dict[tuple[str, tuple[Shape, ...]], FusedRow] = {}


@dataclass(frozen=True, eq=False, repr=False)
class FusedRow(ScalarRow):
    """A scalar function given by a formula: `template` is it as it was written, on `leaves`."""

    template: Node = field(kw_only=True)
    leaves: tuple[Node, ...] = field(kw_only=True)

    def written(self, *inputs: Node) -> Node:
        """The formula as it was written, on other arguments."""
        return substitute(self.template, dict(zip(self.leaves, inputs, strict=True)))


def fused(node: Node, atoms: tuple[Node, ...]) -> Node | None:
    """The element-wise formula `node` in `atoms` as one operation on them; None where it is too long for one."""
    names = ["z"] if len(atoms) == 1 else [f"x{k}" for k in range(1, len(atoms) + 1)]
    text = definition(node, dict(zip(atoms, names, strict=True)))
    if text is None or len(text) > LONGEST:
        return None
    key = (text, tuple(x.shape for x in atoms))
    if key not in _ROWS:
        if not _is_readable(text, names):
            return None
        leaves = tuple(variable(Symbol(name), x.shape) for name, x in zip(names, atoms, strict=True))
        template = substitute(node, dict(zip(atoms, leaves, strict=True)))
        _ROWS[key] = _row(Scalar("the formula", tuple(names), text), template, leaves)
    return _ROWS[key](*atoms)


def _is_readable(text: str, names: list[str]) -> bool:
    # Here and not above: SymPy takes long to import, and code without formulas never needs it.
    from backproof.ops.expression import parse

    try:
        parse(text, names)
    except SpecError:
        return False
    return True


def _row(scalar: Scalar, template: Node, leaves: tuple[Node, ...]) -> FusedRow:
    plain = elementwise(scalar, Inline())

    def entry(node: Node, place: Places, inner: EntryOf, letters: LetterPool) -> Node:
        row = row_of(node)
        assert isinstance(row, FusedRow)
        return entry_of(row.written(*node.inputs), place, letters)

    def vjp(g: Node, y: Node, *inputs: Node) -> tuple[Node, ...]:
        return tuple(product(g, slope(y, k)) for k in range(len(inputs)))

    row = FusedRow(
        name=plain.name,
        kind="elementwise",
        about="A formula in entries at the same place.",
        meaning=plain.meaning,
        shape=common_shape,
        aligns=True,
        notation=Inline(),
        entry=entry,
        vjp=vjp,
        reasons=("The formula takes entries at the same place, so the chain rule is an element-wise product.",)
        * len(leaves),
        domain=plain.domain,
        scalar=scalar,
        template=template,
        leaves=leaves,
    )
    return row


def slope(y: Node, argument: int) -> Node:
    """The derivative of a fused node by one of its arguments, spelled ∂y/∂x."""
    row = y.op
    assert isinstance(row, FusedRow)
    if (row, argument) not in _SLOPES:
        plain = elementwise(row.scalar.derivative(argument), Partial(argument))

        def entry(node: Node, place: Places, inner: EntryOf, letters: LetterPool) -> Node:
            of = node.attrs["of"]
            inputs = tuple(inner(x, align(place, x.shape)) for x in node.inputs)
            return Node(node.op, inputs, (), {"of": inner(of, place)})

        _SLOPES[row, argument] = ScalarRow(
            **{
                **{name: getattr(plain, name) for name in plain.__dataclass_fields__},
                "entry": entry,
                "base": row,
            }
        )
    return _SLOPES[row, argument](*y.inputs, of=y)


_SLOPES: dict[tuple[FusedRow, int], ScalarRow] = {}


def definition(node: Node, names: Mapping[Node, str]) -> str | None:
    """An element-wise formula as text that `expression.parse` reads; None where something in it has no such text."""
    done: dict[Node, str | None] = dict(names)

    def text(x: Node) -> str | None:
        if x not in done:
            done[x] = _text(x, [text(y) for y in x.inputs], names)
        return done[x]

    return text(node)


def _text(x: Node, parts: list[str | None], names: Mapping[Node, str]) -> str | None:
    if any(part is None or len(part) > LONGEST for part in parts):
        return None
    inside = [
        f"where({part}, 1, 0)" if y.op in RELATIONS and y not in names and x.op is not pieces else _bracketed(str(part))
        for y, part in zip(x.inputs, parts, strict=True)
    ]
    if x.op is constant_:
        return _number(x.attrs)
    if x.op is neg:
        return f"-{inside[0]}"
    if x.op is power:
        exponent = x.attrs["exponent"]
        return f"{inside[0]}**({exponent!r})"
    sign = {**SIGNS, **RELATIONS}.get(row_of(x))
    if sign is not None:
        return f"{inside[0]} {sign} {inside[1]}"
    if x.op is pieces and all(y.op in RELATIONS and y not in names for y in x.inputs[1::2]):
        result = str(parts[-1])
        for value, condition in zip(parts[-3::-2], parts[-2::-2], strict=True):
            result = f"where({condition}, {value}, {result})"
        return result
    row = x.op
    if (
        isinstance(row, ScalarRow)
        and not isinstance(row, FusedRow)
        and row.scalar.definition
        and not any(row.scalar.orders)
    ):
        arguments = dict(zip(row.scalar.arguments, inside, strict=True))
        return re.sub(r"\b[A-Za-z_]\w*\b", lambda found: arguments.get(found[0], found[0]), row.scalar.definition)
    return None


def _bracketed(text: str) -> str:
    return text if re.fullmatch(r"\w+|\d+\.?\d*", text) else f"({text})"


def _number(attrs: Mapping[str, Any]) -> str | None:
    value = attrs["value"]
    if value != value or value in (float("inf"), float("-inf")):
        return None
    return f"({value!r})" if value < 0 else repr(value)


ELEMENTWISE: frozenset[Row] = frozenset((*SIGNS, *RELATIONS, neg, power, pieces))
"""The arithmetic that formulas are made of, besides scalar functions."""
