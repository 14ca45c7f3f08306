"""Values as documents: a table of all quantities, the numbers of one, and where an entry comes from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from backproof.execution.explain import EntryValue, Explanation
from backproof.execution.trace import Trace
from backproof.ir.numbers import digits
from backproof.ops.entries import at
from backproof.write.doc import Block, Code, Display, Document, Heading, Inline, Paragraph, Table, Values
from backproof.write.expansion import outside
from backproof.write.math import Equation, Math, Number
from backproof.write.spell import spell, symbol

MOST_MATRICES = 12
"""How many matrices of an array of more axes are shown."""
MOST_TERMS = 12
"""How many terms of a sum a table shows: the largest, in their order, and a line for the rest."""


def table_document(trace: Trace, data: str) -> Document:
    """Every quantity with its shape and the range of its values."""
    header: tuple[Inline, ...] = tuple((text,) for text in ("quantity", "shape", "smallest", "mean", "largest"))
    counted = "" if trace.derivation.sources else f" ({trace.samples} samples)"
    rows: list[tuple[Inline, ...]] = []
    spoiled = []
    for name, array in trace.items():
        if not np.isfinite(array).all():
            spoiled.append(name)
        with np.errstate(all="ignore"):
            sizes = np.abs(array) if np.iscomplexobj(array) else array
            numbers = (sizes.min(), array.mean(), sizes.max())
        cells: tuple[Inline, ...] = tuple((digits(x),) for x in numbers)
        rows.append(((Code(name),), (" × ".join(map(str, array.shape)) or "scalar",), *cells))
    blocks: list[Block] = [
        Heading(1, (f"Every quantity on {data}{counted}",)),
        Table(header, tuple(rows), "llrrr"),
    ]
    if trace.start:
        blocks.insert(1, Paragraph((trace.start,)))
    if any(np.iscomplexobj(array) for array in trace.values()):
        text = "Of complex numbers, smallest and largest are the distances from 0 (the moduli)."
        blocks.append(Paragraph((text,)))
    for name in spoiled:
        count = int(np.sum(~np.isfinite(trace[name])))
        blocks.append(
            Paragraph(
                (
                    Code(name),
                    f": {count} entries are not finite. An output that rounds to exactly 0 or 1 is a usual cause; "
                    "steps "
                    "whose simplified form needs no division are not touched by it.",
                )
            )
        )
    return Document("Values", tuple(blocks))


def values_document(trace: Trace, name: str) -> Document:
    """The numbers of one quantity."""
    array = trace[name]
    names = {str(jacobian.symbol): jacobian.symbol for jacobian in trace.derivation.jacobians}
    of = names[name] if name in names else trace.derivation.quantities[name].symbol
    assert of is not None
    if not array.shape:
        return Document(f"The value of {name}", (Paragraph((symbol(of), f" = {digits(array, 9)}")),))
    title = f"The values of {name}"
    if array.ndim <= 2:
        return Document(title, (Values((symbol(of),), array),))
    # Of an array of more axes the matrices in its last two, one after the other.
    places = list(np.ndindex(array.shape[:-2]))
    blocks: list[Block] = []
    for place in places[:MOST_MATRICES]:
        where = ",".join(str(k + 1) for k in place)
        blocks.append(Values((symbol(of), f" at [{where},·,·]"), array[place]))
    if len(places) > MOST_MATRICES:
        blocks.append(
            Paragraph((f"… and {len(places) - MOST_MATRICES} matrices more; -o saves all values to a file.",))
        )
    return Document(title, tuple(blocks))


def entry_document(trace: Trace, name: str, place: tuple[int, ...], depth: int) -> Document:
    """Where an entry comes from; from level to level the explanation follows the entries of the largest term."""
    blocks: list[Block] = []
    waiting = [trace.explain(name, *place)]
    seen: set[str] = set()
    for _ in range(depth):
        following = []
        for explanation in waiting:
            if str(explanation.entry) in seen:
                continue
            seen.add(str(explanation.entry))
            blocks += _explained(explanation)
            following += [trace.explain(e.name, *e.place) for e in _heaviest(explanation)]
        waiting = following
    return Document("Where an entry comes from", tuple(blocks))


def _heaviest(explanation: Explanation) -> tuple[EntryValue, ...]:
    """The entries of the largest term, of those that hold an entry which comes from somewhere in turn."""
    terms = [term for term in explanation.terms if any(entry.node.inputs for entry in term.entries)]
    return max(terms or explanation.terms, key=lambda term: abs(term.value)).entries if explanation.terms else ()


def _explained(explanation: Explanation) -> Iterator[Block]:
    entry = explanation.entry
    yield Heading(1, (f"{entry} = {digits(entry.value, 9)}",))
    if explanation.formula is None:
        yield Paragraph((Code(str(entry)), " is given: it is data or a parameter."))
        return
    left = _name(entry)
    plain = str(entry).replace("[", "-").replace("]", "").replace(",", "-")
    parts: tuple[Math, ...] = (spell(explanation.formula), Number(digits(entry.value, 9)))
    yield Display(plain, Equation(left, parts))
    yield from outside([explanation.formula])
    terms = explanation.terms
    if not terms:
        yield Paragraph(("None of the terms has an entry, so the sum is 0.",))
        return
    heads = [e.name for e in terms[0].entries]
    alike = all([e.name for e in term.entries] == heads for term in terms)
    shown = sorted(sorted(range(len(terms)), key=lambda k: -abs(terms[k].value))[:MOST_TERMS])
    header: tuple[Inline, ...] = (
        ("term" if len(terms) <= MOST_TERMS else "term no.",),
        *((name,) for name in heads if alike),
        *(() if alike else (("entries",),)),
        ("value",),
    )
    rows: list[tuple[Inline, ...]] = []
    for k in shown:
        entries: tuple[Inline, ...] = tuple((f"{e} = {digits(e.value)}",) for e in terms[k].entries)
        if not alike:
            entries = (tuple(x for part in entries for x in (*part, "  ")),)
        rows.append(((spell(terms[k].formula),) if not alike else (str(k + 1),), *entries, (digits(terms[k].value),)))
    rest = [terms[k].value for k in range(len(terms)) if k not in shown]
    middle: tuple[Inline, ...] = tuple(("",) for _ in range(len(header) - 2))
    if rest:
        rows.append(((f"{len(rest)} smaller terms",), *middle, (digits(sum(rest)),)))
    if len(terms) > 1:
        rows.append((("sum",), *middle, (digits(sum(term.value for term in terms), 9),)))
    yield Table(header, tuple(rows), "l" * (len(header) - 1) + "r")


def _name(entry: EntryValue) -> Math:
    place = tuple(None if size.name == "1" else k for size, k in zip(entry.node.shape, entry.place, strict=True))
    return spell(at(entry.node, place))
