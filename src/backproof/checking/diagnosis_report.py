"""The doctor's report: the wrong lines with what is wrong in them, and what every other value turned out to be."""

from __future__ import annotations

import linecache
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

from backproof.checking.diagnosis import Diagnosis, Remark, Returned
from backproof.checking.equations import inside
from backproof.checking.mistakes.kinds import Edited
from backproof.checking.repair import Repair
from backproof.checking.telling import Account, Told, Worst, account, sentence
from backproof.derivation.derivation import Derivation
from backproof.derivation.steps import BackwardStep
from backproof.ir.node import Node
from backproof.write.doc import Block, Code, CodeBlock, Display, Document, Heading, Inline, Paragraph, Table
from backproof.write.math import Equation, Math
from backproof.write.outline import plain
from backproof.write.reasons import backward_reasons
from backproof.write.spell import spell, spell_as_part, symbol

T = TypeVar("T")

AROUND = 2
"""How many lines of the code stand before and behind a wrong one."""
MOST_OPERATIONS = 12
"""An equation with more is shown only in its last form."""
LONGEST = 41
"""A longer expression is shortened in the table of quantities."""
MOST_SYMBOLS = 3
"""Of more quantities than this that one statement computes, the first and the last are named."""

WORDS: Mapping[Returned, str] = {
    "right": "right",
    "inherited": "inherited",
    "wrong": "wrong",
    "shape": "right in its numbers, but not of the shape of its parameter",
    "lost": "computed rightly, but not returned",
    "none": "None",
    "missing": "not computed",
}
TOPICS: Mapping[str, str] = {
    "comparison": "How it was compared",
    "doubt": "What looks wrong and is right",
    "learning": "Why it may not learn all the same",
}


def document(diagnosis: Diagnosis, hint: int = 3) -> Document:
    """The report; `hint` 1 tells only where a mistake is, 2 also of what kind it is."""
    told = account(diagnosis, hint)
    return Document("The diagnosis", (Heading(1, ("The diagnosis",)), *_blocks(told, diagnosis.derivation)))


def _blocks(told: Account, derivation: Derivation) -> Iterator[Block]:
    yield Paragraph(_verdict(told))
    lengths = _Lengths(derivation)
    for rounds in _grouped(told.wrong, _statement):
        yield from _about(rounds, derivation, lengths)
    if told.convention is not None:
        factor = spell(told.convention)
        text = Paragraph(
            (
                "Derivatives of intermediate quantities are ",
                factor,
                " times those of the mean in this code: the 1/",
                factor,
                " comes in with the parameters. That is a convention, not a mistake.",
            )
        )
        yield from (text, *lengths.of([text]))
    yield from _remarks(told.remarks)
    if told.findings:
        yield Heading(2, ("What every value is",))
        yield _table(told.findings)
        if any(finding.judgement == "inherited" for finding in told.findings):
            yield Paragraph(("Inherited: wrong because of what goes into it; the line itself is right.",))
    for word in ("shape", "lost", "none", "missing"):
        names = [name for name, found in told.returned.items() if found == word]
        if names:
            is_, s = ("is", "") if len(names) == 1 else ("are", "s")
            yield Paragraph((f"The derivative{s} by ", *_listed(names), f" {is_} {WORDS[word]}."))


def _listed(names: Sequence[str]) -> Inline:
    parts: list[str | Math | Code] = []
    for k, name in enumerate(names):
        parts += [("" if k == 0 else " and " if k == len(names) - 1 else ", "), Code(name)]
    return tuple(parts)


def _remarks(remarks: Sequence[Remark]) -> Iterator[Block]:
    for topic, title in TOPICS.items():
        said = [remark for remark in remarks if remark.topic == topic]
        if said:
            yield Heading(2, (title,))
        for remark in said:
            yield Paragraph(remark.text)


# --- the verdict


def _verdict(told: Account) -> Inline:
    if told.raised:
        return (f"The backward pass does not run to its end. {told.raised}",)
    wrong = [name for name, word in told.returned.items() if word not in ("right", "missing")]
    right = sum(word == "right" for word in told.returned.values())
    if not wrong and not right:
        names = ", ".join(told.returned)
        return (f"No gradient was found in what the backward pass computes; the derivatives by {names} are wanted.",)
    if not wrong:
        return (f"Your gradients are right: {right} of {right} agree with the derivation, entry by entry.",)
    are = "is" if len(wrong) == 1 else "are"
    returned = any(told.returned[name] not in ("lost", "none") for name in wrong)
    what = "wrong" if returned else "not returned"
    text = f"{len(wrong)} of {right + len(wrong)} gradients {are} {what}: {', '.join(wrong)}."
    places = {finding.moment.number: finding.moment.place for finding in told.wrong}
    if not places:
        return (text,)
    if not all(places):
        quantities = list(dict.fromkeys(finding.text for finding in told.wrong))
        if len(quantities) == 1:
            return (f"{text} One quantity explains ", "it: " if len(wrong) == 1 else "all: ", Code(quantities[0]), ".")
        return (f"{text} Wrong in themselves are ", *_listed(quantities), ".")
    first, *more = places.values()
    if not more:
        follows = "; all else follows from it" if any(x.explained for x in told.wrong) else ""
        return (f"{text} One line is wrong, {first}{follows}.",)
    return (f"{text} {len(places)} lines are wrong in themselves; the first is {first}.",)


class _Lengths:
    """Tells once what lengths are that the code has no variable for: ``n_1 = 5, the number of rows of X``."""

    def __init__(self, derivation: Derivation) -> None:
        self._known: dict[str, str] = {}
        for x in derivation.graph.inputs:
            axes = ("rows", "columns") if len(x.shape) == 2 else ()
            for k, size in enumerate(x.shape):
                what = f"the number of {axes[k]}" if axes else "the length" if len(x.shape) == 1 else f"axis {k}"
                if re.fullmatch(r"n_\d+", size.name):
                    self._known.setdefault(size.name, f"{size.value}, {what} of {x.symbol}")

    def of(self, blocks: Sequence[Paragraph | Display]) -> Iterator[Paragraph]:
        """A paragraph about the lengths in some blocks that no other was about."""
        text = " ".join(map(_plain_text, blocks))
        found = [name for name in re.findall(r"\bn_\d+\b", text) if name in self._known]
        said = [f"{name} = {self._known.pop(name)}" for name in dict.fromkeys(found)]
        if said:
            yield Paragraph((f"Here {'; '.join(said)}.",))


def _plain_text(block: Paragraph | Display) -> str:
    if isinstance(block, Paragraph):
        return plain(block.text)
    return plain((block.equation.left, *block.equation.parts))


# --- a wrong line


def _about(rounds: Sequence[Told], derivation: Derivation, lengths: _Lengths) -> Iterator[Block]:
    """What is told of a statement that is wrong in one round of a loop or more; the first speaks for all."""
    first = rounds[0]
    numbers = _numbers(rounds)
    which = "" if numbers == "1" else f", round{'s' if len(rounds) > 1 else ''} {numbers}"
    if first.moment.file:
        yield Heading(2, (f"{first.moment.place}: ", Code(first.written), which))
        yield CodeBlock(_excerpt(first), "python")
    else:
        yield Heading(2, (Code(first.text),))
    if first.step is not None and not first.misplaced:
        yield Paragraph(_meant(first, first.step))
    if first.worst is None:
        for kind in dict.fromkeys(kind for finding in rounds for kind in finding.kinds):
            yield Paragraph((kind,))
        return
    if first.misplaced:
        for edit in first.mistakes:
            yield Paragraph(sentence(edit, "" if edit.says.startswith("{") else "Here "))
        yield from _corrected(first.correction)
        return
    assert first.step is not None
    name = f"{f'line-{first.moment.number}-{first.moment.visit}' if first.moment.file else first.text}-right"
    equation = Display(name, Equation(symbol(first.step.symbol), tuple(map(spell, _forms(first.step)))))
    said = [Paragraph((f"The line raises {first.moment.raised}",))] if first.moment.raised else [*_mistakes(rounds)]
    yield from said
    yield from lengths.of([*said, equation])
    yield from _corrected(first.correction)
    yield equation
    (output,) = derivation.graph.outputs
    if first.part is not None:
        yield Paragraph((Code(first.text), " is only a part of it: ", spell(first.part), "."))
    for reason in backward_reasons(first.step, spell_as_part(output)):
        yield Paragraph(reason)
    if not first.moment.raised:
        yield Paragraph(_evidence(first, first.worst))


def _corrected(line: str | None) -> Iterator[Block]:
    """The right line; one that is too many is left out."""
    if line == "pass":
        yield Paragraph(("The line is too many: leave it out.",))
    elif line is not None:
        yield Paragraph(("It should be",))
        yield CodeBlock(line, "python")


def _forms(step: BackwardStep) -> list[Node]:
    """The right side as the rule gives it, where that is short, and as it is computed."""
    if not step.rewrites:
        return [step.raw]
    last = step.rewrites[-1].result
    return [step.raw, last] if len(inside(step.raw)) <= MOST_OPERATIONS else [last]


def _meant(finding: Told, step: BackwardStep) -> Inline:
    which = " is meant to be " if finding.part is None else " is meant to be a part of "
    return (Code(finding.text), which, symbol(step.symbol), ", the derivative by ", spell_as_part(step.of), ".")


def _mistakes(rounds: Sequence[Told]) -> Iterator[Paragraph]:
    edits = _common(rounds)
    for k, edit in enumerate(edits):
        yield Paragraph(sentence(edit, "Or, which gives the same numbers: " if k else "Here "))
    if not edits:
        yield Paragraph(
            (
                "What it gives does not follow from what it was given. Which mistake it is was not recognised: none of "
                "those in the table, and no two of them, gives these numbers.",
            )
        )


def _common(rounds: Sequence[Told]) -> Sequence[Edited | Repair]:
    """The mistakes that explain all rounds, as they are said of the first; without one, those of the first."""
    told = [{edit.says for edit in finding.mistakes} for finding in rounds if finding.mistakes]
    first = next((finding.mistakes for finding in rounds if finding.mistakes), ())
    return [edit for edit in first if all(edit.says in says for says in told)] or first


def _excerpt(finding: Told) -> str:
    """The lines around a statement, its first one marked."""
    moment = finding.moment
    lines = linecache.getlines(moment.file)
    first = max(1, moment.number - AROUND)
    shown = range(first, min(len(lines), moment.number + AROUND) + 1)
    width = len(str(shown[-1]))
    return "\n".join(f"{'>' if n == moment.number else ' '} {n:{width}} | {lines[n - 1].rstrip()}" for n in shown)


def _evidence(finding: Told, worst: Worst) -> Inline:
    """The entry that is furthest off."""
    if worst.place is None:
        found, right = (" × ".join(map(str, shape)) or "a single number" for shape in worst.shapes)
        return (f"Its shape is {found}; that of the right one is {right}.",)
    place = f"[{','.join(map(str, worst.place))}]" if worst.place else ""
    return (
        "On the data given the entry furthest off is ",
        Code(f"{finding.text}{place}"),
        f" = {worst.found:.6g}; {worst.right:.6g} would be right.",
    )


# --- the table


def _table(findings: Sequence[Told]) -> Table:
    """Every statement in the order of the lines; the rounds of a loop that turned out alike are one row."""
    order = list(dict.fromkeys(finding.moment.file for finding in findings))
    lines = sorted(findings, key=lambda finding: (order.index(finding.moment.file), finding.moment.number))
    groups = _grouped(lines, lambda finding: (*_statement(finding), finding.judgement, finding.part is None))
    loops = any(finding.moment.visit for finding in findings)
    files = len({finding.moment.file for finding in findings}) > 1
    named = any(finding.step is not None for finding in findings)
    chosen = (any(order), loops, True, named, True)
    heads: tuple[Inline, ...] = (("line",), ("rounds",), ("value",), ("is",), ("",))
    rows = []
    for group in groups:
        first = group[0]
        cells: tuple[Inline, ...] = (
            (first.moment.place if files else str(first.moment.number),),
            (_numbers(group),),
            (Code(_shortened(first.written if len(group) > 1 else first.text)),),
            (*(("part of ",) if first.part is not None else ()), *_symbols(group)),
            (WORDS[first.judgement],),
        )
        rows.append(_picked(cells, chosen))
    align = "".join(_picked(tuple("rllll"), chosen))
    return Table(_picked(heads, chosen), tuple(rows), align if not files else f"l{align[1:]}")


def _shortened(text: str) -> str:
    """An expression without its middle, where that makes it too long for a cell."""
    half = (LONGEST - 3) // 2
    return text if len(text) <= LONGEST else f"{text[:half].rstrip()} … {text[-half:].lstrip()}"


def _picked(cells: tuple[T, ...], chosen: Iterable[bool]) -> tuple[T, ...]:
    return tuple(cell for cell, wanted in zip(cells, chosen, strict=True) if wanted)


def _symbols(group: Sequence[Told]) -> Inline:
    """The quantities that a statement computes from round to round."""
    steps = dict.fromkeys(finding.step.symbol for finding in group if finding.step is not None)
    names = list(map(symbol, steps))
    if len(names) > MOST_SYMBOLS:
        return (names[0], ", …, ", names[-1])
    return tuple(part for k, name in enumerate(names) for part in ((", ", name) if k else (name,)))


def _statement(finding: Told) -> tuple[str, int, str]:
    return finding.moment.file, finding.moment.number, finding.written


def _grouped(findings: Sequence[Told], key: Callable[[Told], Hashable]) -> list[list[Told]]:
    groups: dict[Hashable, list[Told]] = {}
    for finding in findings:
        groups.setdefault(key(finding), []).append(finding)
    return list(groups.values())


def _numbers(group: Sequence[Told]) -> str:
    """The rounds of a loop, or the calls of a function, counted from 1: ``1–4, 6``."""
    rounds = sorted({finding.moment.visit + 1 for finding in group})
    starts = [rounds[0], *(b for a, b in pairwise(rounds) if b != a + 1)]
    ends = [*(a for a, b in pairwise(rounds) if b != a + 1), rounds[-1]]
    return ", ".join(f"{a}–{b}" if b > a else str(a) for a, b in zip(starts, ends, strict=True))
