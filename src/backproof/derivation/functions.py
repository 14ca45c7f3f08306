"""The functions of a network and their derivatives, as they follow from the definitions."""

from __future__ import annotations

from collections.abc import Iterable

from backproof.derivation.proof import local_derivative
from backproof.derivation.steps import CompositeFacts, FunctionFacts
from backproof.ir.node import Node
from backproof.ir.sizes import Size
from backproof.ir.symbol import Symbol
from backproof.ops.entries import LetterPool, at, entry_of, row_of
from backproof.ops.fused import FusedRow
from backproof.ops.leaves import variable
from backproof.ops.row import Row
from backproof.ops.scalar import ScalarRow, derivative


def functions_of(nodes: Iterable[Node]) -> tuple[FunctionFacts | CompositeFacts, ...]:
    """The facts of every specified function among the nodes, each once, in order of use."""
    facts: dict[Row, FunctionFacts | CompositeFacts] = {}
    for row in map(row_of, nodes):
        if row in facts or isinstance(row, FusedRow):
            continue
        if isinstance(row, ScalarRow) and row.scalar.specified and row.base is None:
            facts[row] = _facts(row)
        elif row.body is not None:
            facts[row] = _composite(row)
    return tuple(facts.values())


def _facts(row: ScalarRow) -> FunctionFacts:
    # Here and not above: SymPy takes long to import, and unspecified functions never need it.
    from backproof.ops.formula import formula, through_value

    arguments = [variable(Symbol(name), ()) for name in row.scalar.arguments]
    slope = derivative(row, 0)
    forms = [formula(slope, *arguments)]
    if slope.scalar.value_form is not None:
        forms.append(through_value(slope.scalar.value_form, variable(Symbol("a"), ())))
    return FunctionFacts(
        row.name,
        row.about,
        row(*arguments),
        None if row.scalar.primitive else formula(row, *arguments),
        slope(*arguments),
        tuple(forms),
    )


def _composite(row: Row) -> CompositeFacts:
    """The facts for the nodes of one sample."""
    shape = (Size("n"),)
    letters = LetterPool()
    z = variable(Symbol("z"), shape)
    a = row(z, symbol=Symbol("a"), axis=-1)
    output, argument = letters.place(shape), letters.place(shape)
    slope = local_derivative(a, output, z, argument)
    return CompositeFacts(row.name, row.about, at(a, output), entry_of(a, output), at(z, argument), (slope,))
