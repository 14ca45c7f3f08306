"""Makes operations.md from the rule table: `make golden` writes it, and a test fails while it is not up to date."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc

import numpy as np
import sympy

from backproof.derivation.functions import functions_of
from backproof.derivation.sweep import sweep
from backproof.ir.node import Node
from backproof.ir.sizes import ONE, Shape, Size, of_length
from backproof.ir.symbol import Symbol
from backproof.ops.complexes import ComplexNodes
from backproof.ops.functions import symbols
from backproof.ops.leaves import input_, variable
from backproof.ops.row import Row
from backproof.ops.scalar import ScalarRow, derivative
from backproof.ops.table import FAMILIES
from backproof.write.doc import Block, Code, Display, Document, Heading, Inline, Paragraph
from backproof.write.markdown import markdown
from backproof.write.math import Equation
from backproof.write.spell import spell, spell_as_part, symbol

SIZES = {1: ONE, 2: Size("p"), 3: Size("q"), 4: Size("r")}
"""The lengths that the table's tests draw, as sizes with names."""

KINDS = {
    "zero": "It has no derivative.",
    "linear": "Linear: its rule is written by hand.",
    "rearranging": "It only moves entries: its rule is written by hand.",
    "general": "Its rule is written by hand.",
    "elementwise": "Element-wise.",
    "composite": "Made of other operations: its rule is derived from them.",
}

OPENING = """
This page is made from the rule table, `backproof.ops.table`, by `docs/operations.py`. `Y` is the result of the
operation, `A`, `B`, … are its arguments; `dY` is the derivative by the result, from which the rule makes the
derivatives by the arguments. The formulas are those that a derivation uses. A rule never sums back what was
broadcast and never adds up several uses of an argument: the reverse sweep does both, for all operations alike. Nor does
a rule take the real part of what arrives at real numbers by way of complex ones.
"""


def page() -> str:
    """The whole page as Markdown."""
    blocks: list[Block] = [Heading(1, ("The operations",)), Paragraph(_with_code(cleandoc(OPENING)))]
    for family, rows in FAMILIES.items():
        blocks.append(Heading(2, (family,)))
        for row in rows:
            blocks += [Heading(3, (Code(row.name),)), *_row(row)]
    return markdown(Document("The operations", tuple(blocks)))


def _argument(name: Symbol, shape: Shape, *, complex_numbers: bool) -> Node:
    if not complex_numbers:
        return variable(name, shape)
    return input_(symbol=name, shape=shape, value=np.zeros((), dtype=complex))


def _row(row: Row) -> Iterator[Block]:
    yield Paragraph((row.about, *((" ", KINDS[row.kind]) if row.kind in KINDS else ())))
    if row.kind in ("leaf", "entry"):
        return
    # An operation that speaks of lengths itself is shown with numbers.
    numbered = row.body is None and not {"axis", "key", "rank", "sizes"}.isdisjoint(row.attrs or ())
    numbered = numbered or any(n not in SIZES for d in row.domain for n in d.shape)
    size = of_length if numbered else SIZES.__getitem__
    inputs = [
        _argument(Symbol("ABCDE"[k]), tuple(size(n) for n in d.shape), complex_numbers=d.complex_numbers)
        for k, d in enumerate(row.domain)
    ]
    y = row(*inputs, **(row.attrs or {})).named(Symbol("Y"))
    if isinstance(row, ScalarRow):
        yield from _function(row)
    elif row.body is not None:
        yield Display("body", Equation(symbol(Symbol("Y")), (spell(row.body(*inputs, **(row.attrs or {}))),)))
    else:
        yield Display("meaning", Equation(symbol(Symbol("Y")), (spell(y),)))
    yield Paragraph(_shapes(row, inputs, y))
    if row.kind == "zero":
        return
    if isinstance(row, ScalarRow) and row.scalar.arguments in (("a", "y"), ("p", "y")):
        yield Paragraph((row.reasons[0].format(x=row.scalar.arguments[0], y="J"),))
        yield from _kinks(row)
        return
    g = _argument(Symbol("Y", of="J"), y.shape, complex_numbers=y in ComplexNodes())
    derived = {gradient.of: gradient.raw for gradient in sweep(y, g, inputs, lambda gradient: gradient.raw)}
    for x in inputs:
        if x in derived:
            assert x.symbol is not None
            yield Display("rule", Equation(symbol(x.symbol.derivative("J")), (spell_as_part(derived[x]),)))
    filled = [
        reason.format(
            x="ABCDE"[k], y="Y", dx=f"d{'ABCDE'[k]}", dy="dY", other="ABCDE"[1 - k], turned=f"{'ABCDE'[1 - k]}ᵀ"
        )
        for k, reason in enumerate(row.reasons)
        if inputs[k] in derived
    ]
    same = len({reason for reason, x in zip(row.reasons, inputs, strict=True) if x in derived}) == 1
    for reason in filled[:1] if same else filled:
        yield Paragraph((reason,))
    if isinstance(row, ScalarRow):
        yield from _kinks(row)


def _function(row: ScalarRow) -> Iterator[Block]:
    arguments = [variable(Symbol(name), ()) for name in row.scalar.arguments]
    for facts in functions_of([row(*arguments)]):
        if facts.definition is not None:
            yield Display("definition", Equation(spell(facts.call), (spell(facts.definition),)))
        yield Display("derivative", Equation(spell(facts.slope), tuple(map(spell, facts.slope_forms))))


def _shapes(row: Row, inputs: list[Node], y: Node) -> Inline:
    if row.aligns:
        return ("Arguments of any shape; sizes of one are stretched." if len(inputs) > 1 else "Any shape.",)
    given = ", ".join(f"{x.symbol} is {_shape(x.shape)}" for x in inputs)
    return (f"Shapes: {given}; Y is {_shape(y.shape)}.",)


def _shape(shape: Shape) -> str:
    return " × ".join(size.name for size in shape)


def _kinks(row: ScalarRow) -> Iterator[Block]:
    """Where the slopes on both sides differ, and which one is taken there."""
    names = symbols(row.scalar.arguments)
    first, others = names[0], names[1:]
    slope = derivative(row, 0).scalar.meaning
    labels = [np.ones(())] * len(others)
    for edge in sorted(_edges(row), key=str):
        for place in sorted(sympy.solve(edge, first), key=str):
            at = float(place.subs(dict.fromkeys(others, 1)))
            left, here, right = (float(slope(np.asarray(at + h), *labels)) for h in (-1e-7, 0.0, 1e-7))
            if abs(left - right) > 1e-4:
                where = f"{first} = {place}".replace("*", "·").replace("-", "−")
                beside = " (with y = 1)" if others else ""
                yield Paragraph(
                    (
                        f"Kink at {where}: the slope jumps from {left:.4g} to {right:.4g}{beside}; "
                        f"at the kink itself it is taken as {here:.4g}, which is a choice.".replace("-", "−"),
                    )
                )


def _edges(row: ScalarRow) -> set[sympy.Expr]:
    found = set()
    for x in sympy.preorder_traversal(row.scalar.expr):
        if isinstance(x, sympy.Piecewise):
            for _, condition in x.args:
                found |= {c.lhs - c.rhs for c in condition.atoms(sympy.core.relational.Relational)}
        elif isinstance(x, sympy.Abs | sympy.sign):
            found.add(x.args[0])
    return found


def _with_code(text: str) -> Inline:
    parts = text.replace("\n", " ").split("`")
    return tuple(Code(part) if k % 2 else part for k, part in enumerate(parts) if part)


if __name__ == "__main__":
    print(page(), end="")
