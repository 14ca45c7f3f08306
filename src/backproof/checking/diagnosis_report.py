"""The doctor's report: the wrong lines with what is wrong in them, and what every other value turned out to be."""

from __future__ import annotations

import linecache
from collections.abc import Iterator

import numpy as np

from backproof.checking.comparing import layouts
from backproof.checking.diagnosis import Diagnosis, Finding, Returned
from backproof.checking.mistakes.kinds import Edited
from backproof.checking.repair import Repair
from backproof.ir.node import Node
from backproof.write.doc import Block, Code, CodeBlock, Display, Document, Heading, Inline, Paragraph, Table
from backproof.write.math import Equation, Math
from backproof.write.reasons import backward_reasons
from backproof.write.spell import spell, spell_as_part, symbol

AROUND = 2
"""How many lines of the code stand before and behind a wrong one."""

WORDS: dict[Returned, str] = {
    "right": "right",
    "inherited": "wrong because of what goes into it; the line itself is right",
    "wrong": "wrong",
    "lost": "computed rightly, but not returned",
    "missing": "not computed",
}


def document(diagnosis: Diagnosis) -> Document:
    """The whole report."""
    return Document("The diagnosis", (Heading(1, ("The diagnosis",)), *_blocks(diagnosis)))


def _blocks(diagnosis: Diagnosis) -> Iterator[Block]:
    yield Paragraph(_verdict(diagnosis))
    for finding in diagnosis.wrong:
        yield from _about(finding, diagnosis)
    if diagnosis.convention is not None:
        factor = spell(diagnosis.convention)
        yield Paragraph(
            (
                "Derivatives of intermediate quantities are ",
                factor,
                " times those of the mean in this code: the 1/",
                factor,
                " comes in with the parameters. That is a convention, not a mistake.",
            )
        )
    yield Heading(2, ("What every value is",))
    yield _table(diagnosis)
    others = [(name, word) for name, word in diagnosis.returned.items() if word in ("lost", "missing")]
    for name, word in others:
        yield Paragraph(("The derivative by ", Code(name), f" is {WORDS[word]}."))


def _verdict(diagnosis: Diagnosis) -> Inline:
    wrong = [name for name, word in diagnosis.returned.items() if word not in ("right", "missing")]
    if not wrong:
        right = sum(word == "right" for word in diagnosis.returned.values())
        return (f"The gradients are right: {right} of {right} agree with the derivation, entry by entry.",)
    compared = sum(word != "missing" for word in diagnosis.returned.values())
    text = f"{len(wrong)} of {compared} gradients are wrong: {', '.join(wrong)}."
    if not diagnosis.wrong:
        return (text,)
    places = {finding.moment.number: finding.moment.place for finding in diagnosis.wrong}
    first, *more = places.values()
    if not more:
        return (f"{text} One line is wrong, {first}; all else follows from it.",)
    return (f"{text} {len(places)} lines are wrong in themselves; the first is {first}.",)


def _about(finding: Finding, diagnosis: Diagnosis) -> Iterator[Block]:
    moment, step = finding.moment, finding.step
    yield Heading(2, (f"{moment.place}: ", Code(finding.text)))
    yield CodeBlock(_excerpt(finding), "python")
    if finding.is_misplaced:
        for edit in finding.mistakes:
            yield Paragraph(_sentence(edit, ""))
        return
    yield Paragraph((Code(finding.text), " is meant to be ", *_meant(finding), "."))
    if finding.mistakes:
        for k, edit in enumerate(finding.mistakes):
            yield Paragraph(_sentence(edit, "Or, which gives the same numbers: " if k else "Here "))
    else:
        yield Paragraph(
            (
                "What it was given is right, and what it gives is not. Which mistake it is was not recognised: none of "
                "those in the table, and no two of them, gives these numbers.",
            )
        )
    if finding.correction is not None:
        yield Paragraph(("It should be",))
        yield CodeBlock(finding.correction, "python")
    forms = [step.raw, *(rewrite.result for rewrite in step.rewrites)]
    yield Display(f"{_plain(finding)}-right", Equation(symbol(step.symbol), tuple(map(spell, forms))))
    (output,) = diagnosis.derivation.graph.outputs
    for reason in backward_reasons(step, spell_as_part(output)):
        yield Paragraph(reason)
    yield Paragraph(_evidence(finding))


def _meant(finding: Finding) -> Inline:
    of = finding.step.of
    whole: Inline = (symbol(finding.step.symbol), ", the derivative by ", spell_as_part(of))
    return whole if finding.part is None else (spell_as_part(finding.part), ", a part of ", *whole)


def _sentence(edit: Edited | Repair, opening: str) -> Inline:
    """A mistake's sentence with the quantities set as formulas."""
    parts: list[str | Math | Code] = []
    rest = f"{opening}{edit.says}."
    quantities: tuple[Node | str, ...] = edit.named
    for k, named in enumerate(quantities):
        before, mark, rest = rest.partition(f"{{{k}}}")
        word = spell_as_part(named) if isinstance(named, Node) else Code(named)
        parts += [before, *([word] if mark else [])]
    return (*parts, rest)


def _excerpt(finding: Finding) -> str:
    """The lines around a statement, its first one marked."""
    moment = finding.moment
    lines = linecache.getlines(moment.file)
    first = max(1, moment.number - AROUND)
    shown = range(first, min(len(lines), moment.number + AROUND) + 1)
    width = len(str(shown[-1]))
    return "\n".join(
        f"{'>' if n == moment.number else ' '} {n:{width}} | {lines[n - 1].rstrip()}" for n in shown
    )


def _evidence(finding: Finding) -> Inline:
    """The entry that is furthest off."""
    right = next(layouts(finding.right, finding.found.shape), None)
    if right is None:
        shapes = [" × ".join(map(str, x.shape)) or "a single number" for x in (finding.found, finding.right)]
        return (f"Its shape is {shapes[0]}; that of the right one is {shapes[1]}.",)
    with np.errstate(invalid="ignore"):
        off = np.where(np.isfinite(finding.found), np.abs(finding.found - right), np.inf)
    worst = np.unravel_index(int(np.argmax(off)), off.shape) if off.shape else ()
    place = f"[{','.join(str(int(k) + 1) for k in worst)}]" if worst else ""
    return (
        "On the data given the entry furthest off is ",
        Code(f"{finding.text}{place}"),
        f" = {float(finding.found[worst]):.6g}; {float(right[worst]):.6g} would be right.",
    )


def _table(diagnosis: Diagnosis) -> Table:
    header: tuple[Inline, ...] = (("line",), ("value",), ("is",), ("",))
    rows = [
        (
            (str(finding.moment.number),),
            (Code(finding.text),),
            (symbol(finding.step.symbol),),
            (WORDS[finding.judgement],),
        )
        for finding in diagnosis.findings
    ]
    return Table(header, tuple(rows), "rlll")


def _plain(finding: Finding) -> str:
    return f"line-{finding.moment.number}-{finding.moment.visit}"
