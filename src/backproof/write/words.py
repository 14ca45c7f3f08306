"""The words and signs in a derivation's formulas that a reader of NumPy code need not know, and what they stand for."""

from __future__ import annotations

from collections.abc import Iterator

from backproof.derivation.derivation import Derivation
from backproof.derivation.steps import BackwardStep, ForwardStep
from backproof.ir.node import Node, ancestors
from backproof.ir.sizes import ONE
from backproof.ops.entries import row_of
from backproof.ops.notation import PRODUCT, Apply, Bracketed, Infix, Over, Permuted, Replaced, Reshaped, Subscripts
from backproof.ops.row import Row as Operation
from backproof.ops.shaping import picks_rows
from backproof.write.doc import Code, Inline
from backproof.write.math import Ident, Number, Row, Scripts, Sign
from backproof.write.spell import number_everywhere


def formulas(derivation: Derivation) -> list[Node]:
    """Every node of every equation in every form."""
    steps: list[ForwardStep | BackwardStep] = [*derivation.forward, *derivation.backward]
    forms = [x for step in steps for x in (step.raw, *(rewrite.result for rewrite in step.rewrites), step.node)]
    return ancestors([*forms, *(rewrite.result for rewrite in derivation.correlations.values())])


def words(nodes: list[Node], known: set[str]) -> Iterator[tuple[str, str]]:
    """The words that operations are written as, but for the `known` ones, each with what it is."""
    found: dict[tuple[str, str], None] = {}
    for row in dict.fromkeys(map(row_of, nodes)):
        word = _word(row)
        if word is not None and row.name not in known and row.about:
            found[word, row.about] = None
    yield from found


def _word(row: Operation) -> str | None:
    match row.notation:
        case Apply(word, primes=0, inverse=inverse):
            return f"{word}⁻¹" if inverse else word
        case Over(word):
            return word
        case Bracketed(back):
            return "put" if back else None
        case Subscripts():
            return "einsum"
        case Replaced():
            return "set"
        case Reshaped():
            return "reshape"
        case Permuted():
            return "transpose"
    return None


def axes_and_indices(nodes: list[Node]) -> Iterator[Inline]:
    """How axes and indices are counted, where there are some to be counted."""
    if any(len(x.shape) > 2 for x in nodes):
        unseen = any(len(x.shape) > 2 and ONE in x.shape for x in nodes)
        yield ("Axes are counted from 1." + " One of length 1 has no letter." * unseen,)
    if any(map(picks_rows, nodes)):
        label = Scripts(Ident("y"), sub=Ident("i"))
        yield (
            "Labels are whole numbers from 0: with y, ",
            Scripts(Ident("a"), sub=Row((Ident("i"), Sign(",", "tight"), label, Sign("+", "tight"), Number("1")))),
            " is the entry of row i that y names, and ",
            Scripts(Number("1"), sub=Ident("y")),
            " the matrix of the labels as rows: 1 at that place of each row, else 0.",
        )
    factors = [y for x in nodes if row_of(x).notation == Infix("·", PRODUCT) for y in x.inputs]
    if any(x.shape and number_everywhere(x) is not None for x in factors):
        shape = Row((Ident("n"), Sign("×", "tight"), Ident("m")))
        yield (Scripts(Number("1"), sub=shape), " is the matrix of n rows and m columns that is 1 everywhere.")
    keys = [x for x in nodes if isinstance(row_of(x).notation, Bracketed | Replaced | Permuted)]
    if keys:
        yield (
            "What stands in brackets after a name, or in put, set and transpose, is an index as in code, which counts "
            "from 0; subscripts count from 1: ",
            Code("x[0]"),
            " has the entries ",
            Scripts(Ident("x"), sub=Row((Number("1"), Ident("j")))),
            ".",
        )
