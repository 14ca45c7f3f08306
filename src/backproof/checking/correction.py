"""The right line in somebody's own names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backproof.checking.mistakes import inside, operands
from backproof.derivation.algebra import Algebra
from backproof.execution.export import expression
from backproof.ir.node import Node, substitute
from backproof.ir.sizes import Size
from backproof.ops.activations import relu
from backproof.ops.arithmetic import add, div, mul, sub
from backproof.ops.calculus import tidy
from backproof.ops.entries import row_of
from backproof.ops.leaves import size_
from backproof.ops.scalar import ScalarRow


def corrected(
    forms: Sequence[Node],
    names: Mapping[Node, str],
    read: Sequence[Node],
    sizes: Mapping[Size, str],
    convention: Node | None,
    scaled: Sequence[Node],
    *,
    result_scaled: bool,
) -> str | None:
    """The right side of a statement as code; None where the code does not hold what it takes.

    forms          the right equation in all its forms, the simplest first
    names          the quantities that the code holds, and how they are written
    read           those that the statement reads: the form that is closest to what was written is taken
    convention     the factor that the derivatives in `scaled` are a multiple by in this code, and the result if
                   `result_scaled` says so
    """
    possible = [form for form in forms if all(x in names for x in operands(form))]
    if not possible:
        return None
    form = min(possible, key=lambda f: (_has_slopes(f), -len(set(operands(f)) & set(read)), len(inside(f))))
    if convention is not None:
        form = _in_convention(form, convention, set(scaled), result_scaled=result_scaled)
    lengths = [x.attrs["size"] for x in inside(form) if x.op is size_]
    if any(size not in sizes and not size.name.isdigit() for size in lengths):
        return None
    return expression(form, {x: names[x] for x in operands(form)}, sizes)


def _has_slopes(form: Node) -> bool:
    """Whether a derivative of a function stands in it by its name only, which would have to be defined first."""
    rows = map(row_of, inside(form))
    return any(isinstance(row, ScalarRow) and row.base is not None and row.base is not relu for row in rows)


def _in_convention(form: Node, factor: Node, scaled: set[Node], *, result_scaled: bool) -> Node:
    """The equation between quantities some of which are multiples by a factor."""
    from_above = [x for x in operands(form) if x in scaled]
    linear = all(any(x in scaled for x in operands(term)) or term in scaled for term in _terms(form))
    if result_scaled:
        if from_above and linear:
            return form  # the factor is passed on
        algebra = Algebra(opens=lambda node: False)
        return algebra.nodes(tidy(algebra.expr(mul(factor, form))), form)
    if from_above and linear:
        return div(form, factor)
    return substitute(form, {x: div(x, factor) for x in from_above})


def _terms(node: Node) -> list[Node]:
    if node.op in (add, sub) and node.symbol is None:
        return [term for x in node.inputs for term in _terms(x)]
    return [node]


