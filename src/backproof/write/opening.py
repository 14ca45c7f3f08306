"""What stands before the steps: which scalar is differentiated, how things are written, sizes and functions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backproof.derivation.derivation import Derivation
from backproof.derivation.steps import CompositeFacts
from backproof.ir.sizes import ONE, Size
from backproof.ops.arithmetic import add
from backproof.ops.kinks import choice
from backproof.write.doc import Block, Code, Display, Heading, Inline, Paragraph
from backproof.write.math import Equation, Frac, Func, Ident, Math, Row, Scripts, Sign
from backproof.write.spell import name, partial, spell, spell_as_part, symbol
from backproof.write.words import axes_and_indices, formulas, words

MOST_SIZES = 9
"""A network with more sizes than this names the first ones and the last."""

MEAN = Frac(Ident("1"), Ident("m"))


def opening(derivation: Derivation, *, expand: bool) -> Iterator[Block]:
    """The first words: which scalar is differentiated, and how layers, samples, nodes and products are written."""
    if derivation.sources:
        yield from _of_code(derivation)
    else:
        penalty = " plus the penalty on the weights" if derivation.graph.outputs[0].op is add else ""
        samples = f" The samples are the {'columns' if samples_are_columns(derivation) else 'rows'} of "
        yield Paragraph((*_placement(derivation, penalty), samples, Ident("X"), "."))
        deltas = expand or any(isinstance(facts, CompositeFacts) for facts in derivation.functions)
        yield Paragraph((*_scripts(samples_are_columns(derivation)), *_signs(deltas)))


def _of_code(derivation: Derivation) -> Iterator[Block]:
    text: Inline = (
        "The names are those of the code; a number at the end of a name stands above it in brackets. A subscript names "
        "an entry, of a matrix the row and the column. ",
    )
    yield Paragraph((*text, *_signs(expand=True)))
    if derivation.complexes is not None:
        yield Paragraph(_of_complex(derivation))
    yield from map(Paragraph, axes_and_indices(formulas(derivation)))
    for chosen in dict.fromkeys(map(choice, derivation.graph.nodes())):
        if chosen is not None and not any(note.endswith(chosen) for note in derivation.notes):
            yield Paragraph((f"{chosen[0].upper()}{chosen[1:]}.",))
    for note in derivation.notes:
        yield Paragraph((note + ".",))


def _of_complex(derivation: Derivation) -> Inline:
    """What the derivative by a complex quantity is: there is more than one convention."""
    result, z, i = result_of(derivation), Ident("z"), Ident("i")
    by = [Frac(Row((Ident("∂"), result)), Row((Ident("∂"), Func(part), z))) for part in ("Re", "Im")]
    return (
        "Some quantities are complex numbers; ",
        i,
        " is the imaginary unit, ",
        Scripts(z, sup=Ident("*")),
        " the conjugate. For a complex quantity ",
        z,
        ", ",
        Ident("dz"),
        " stands for ",
        Row((by[0], Sign("−"), i, by[1])),
        ": when ",
        z,
        " changes by a little δ, ",
        result,
        " changes by the real part of ",
        Row((Ident("dz"), Sign("·"), Ident("δ"))),
        ". So the chain rule is that of real numbers; but a real quantity can only move along the real axis, and of "
        "what arrives at it the real part is taken.",
    )


def _scripts(columns: bool) -> Inline:
    sample, node = ("column", "row") if columns else ("row", "column")
    return (
        "A superscript ",
        _bracketed("l", "[]"),
        " counts layers, ",
        _bracketed("i", "()"),
        " samples, a subscript nodes: of a matrix, ",
        Scripts(Ident("Z"), sup=_bracketed("i", "()")),
        f" is the {sample} of sample ",
        Ident("i"),
        ", ",
        Scripts(Ident("Z"), sub=Ident("j")),
        f" the {node} of node ",
        Ident("j"),
        ". ",
    )


def _signs(expand: bool) -> Inline:
    products: Inline = (
        Sign("*", "tight"),
        " is the element-wise product, ",
        Sign("·", "tight"),
        " the matrix product.",
    )
    delta = Scripts(Ident("δ"), sub=Row((Ident("j"), Ident("k"))))
    return (*products, *((" ", delta, " is 1 where j = k, else 0.") if expand else ()))


def _placement(derivation: Derivation, penalty: str) -> Inline:
    if derivation.mean == "loss":
        last = next(iter(derivation.backward), None)
        target: Inline = (symbol(last.symbol),) if last is not None else ("the first derivative",)
        return (
            "Every derivative is that of ",
            Ident("J"),
            f", the mean of the losses over the samples{penalty}: the factor ",
            MEAN,
            " stands in ",
            *target,
            " and is passed on from there.",
        )
    return (
        Ident("J"),
        f" is the mean of the losses over the samples{penalty}. The derivatives by the parameters are those of ",
        Ident("J"),
        "; the others are, for each sample, those of that sample's own loss ",
        Ident("L"),
        ", the sum over its outputs: so the factor ",
        MEAN,
        " of the mean stands in the gradients of the parameters.",
    )


def convention(derivation: Derivation) -> Inline:
    """What dx stands for, and in which order the steps go."""
    result = result_of(derivation)
    of_j = Frac(Row((Ident("∂"), result)), Ident("∂x"))
    order: Inline = (
        "; it has the shape of x. The steps go from ",
        result,
        " back to the input, each using the ones before it.",
    )
    if derivation.mean == "loss":
        itself: Inline = (" ", Row((Ident("d"), result)), " itself is 1.") if derivation.sources else ()
        return ("For any quantity x, dx stands for ", of_j, *order, *itself)
    return ("For a parameter x, dx stands for ", of_j, ", for any other quantity for ", _of_sample(), *order)


def _of_sample() -> Math:
    return Frac(Ident("∂L"), Ident("∂x"))


def _bracketed(letter: str, brackets: str) -> Math:
    return Row((Sign(brackets[0], "tight"), Ident(letter), Sign(brackets[1], "tight")))


def result_of(derivation: Derivation) -> Math:
    """The name of the scalar that is differentiated."""
    return spell_as_part(derivation.graph.outputs[0])


def samples_are_columns(derivation: Derivation) -> bool:
    """Whether the samples are the columns of the first input."""
    x = derivation.graph.inputs[0]
    return bool(x.shape) and x.shape[-1].samples


def sizes(derivation: Derivation) -> Iterator[Block]:
    """The sizes that have numbers, and what counts the samples."""
    found: dict[Size, None] = {}
    # Of a network the weights first, whose rows are the layer after; of code its arguments, as they are given.
    leaves = () if derivation.sources else derivation.graph.parameters
    for node in (*leaves, *derivation.graph.inputs):
        shape = node.shape if derivation.sources else node.shape[::-1]
        found |= dict.fromkeys(size for size in shape if size != ONE)
    known = [size for size in found if size.value is not None and not size.name.isdigit()]
    left_out = len(known) > MOST_SIZES
    parts: list[str | Math | Code] = []
    for size in (*known[: MOST_SIZES - 1], known[-1]) if left_out else known:
        parts += [
            (", …, " if left_out and size is known[-1] else ", ") if parts else "Sizes: ",
            Row((name(size.name), Sign("=", "relation"), name(str(size.value)))),
        ]
    for size in found:
        if size.samples:
            parts += ["; " if parts else "", name(size.name), " is the number of samples."]
    if parts:
        yield Paragraph(tuple(parts))


def functions(derivation: Derivation) -> Iterator[Block]:
    """The functions that the network uses, each with its definition and its derivative."""
    told: list[tuple[str, str]] = []
    if derivation.sources:
        told = [*words(formulas(derivation), {facts.name for facts in derivation.functions})]
    if derivation.functions or told:
        yield Heading(2, ("The functions",))
    for facts in derivation.functions:
        plain = re.sub(r"\W+", "-", facts.name).strip("-")
        yield Paragraph((Code(facts.name), ": ", facts.about))
        if facts.definition is not None:
            yield Display(f"function-{plain}", Equation(spell(facts.call), (spell(facts.definition),)))
        slope = partial(facts.call, facts.argument) if isinstance(facts, CompositeFacts) else spell(facts.slope)
        yield Display(f"function-{plain}-derivative", Equation(slope, tuple(map(spell, facts.slope_forms))))
    for word, about in told:
        yield Paragraph((Code(word), ": ", about))
