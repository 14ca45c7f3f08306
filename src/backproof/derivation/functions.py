"""The scalar functions of a network and their derivatives, as they follow from the definitions."""

from __future__ import annotations

from collections.abc import Iterable

from backproof.derivation.steps import FunctionFacts
from backproof.ir.node import Node
from backproof.ir.symbol import Symbol
from backproof.ops.entries import row_of
from backproof.ops.leaves import variable
from backproof.ops.scalar import ScalarRow, derivative


def functions_of(nodes: Iterable[Node]) -> tuple[FunctionFacts, ...]:
    """The facts of every specified function among the nodes, each once, in order of use."""
    rows = dict.fromkeys(row for row in map(row_of, nodes) if isinstance(row, ScalarRow) and row.scalar.specified)
    return tuple(map(_facts, rows))


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
