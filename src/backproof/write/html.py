"""A document as one self-contained page: MathML for the formulas, no script, its style inside."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from string import Template
from typing import assert_never

from backproof.write.doc import (
    Block,
    Code,
    CodeBlock,
    Display,
    Document,
    Figure,
    Heading,
    Inline,
    Paragraph,
    Step,
    Table,
    Values,
)
from backproof.write.figure_svg import figure_svg
from backproof.write.math import EQUALS, Equation, Row, chain, printable
from backproof.write.math_mathml import mathml
from backproof.write.math_unicode import linear
from backproof.write.outline import Anchors, plain, titled
from backproof.write.values import GAPS, extract, matrix, size

MOST_ROWS, MOST_COLUMNS = 16, 16  # of a matrix of numbers
WIDE_FIGURE = 4  # columns; a wider figure scrolls on a small screen rather than shrink
FEW = 3  # places; a shorter page needs no table of contents

FIGURE_SPACE, POINT_SPACE = "\u2007", "\u2008"  # as wide as a digit, as wide as a point


@dataclass(frozen=True, slots=True)
class _Place:
    """A line of the table of contents: a heading, or a step with its number."""

    depth: int
    anchor: str
    label: str
    number: int | None = None


@dataclass(slots=True)
class _Page:
    """What is known while a page is written: the steps' names, the names given out, the places passed."""

    steps: Iterator[str]
    anchors: Anchors
    places: list[_Place] = field(default_factory=list)


def html(document: Document) -> str:
    """The document as an HTML page."""
    templates = files("backproof.write").joinpath("templates")
    style = templates.joinpath("page.css").read_text(encoding="utf-8")
    skeleton = Template(templates.joinpath("page.html").read_text(encoding="utf-8"))
    blocks = titled(document)
    anchors = Anchors()
    anchors("content")
    # Steps have the first choice of names, so that links to them stay as they are when a heading is added.
    page = _Page(iter([anchors(step.symbol) for step in _steps(blocks)]), anchors)
    body = "\n".join(_blocks(blocks, page, 1))
    return skeleton.substitute(
        title=_escaped(document.title),
        style=style,
        style_hash="sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        contents=_contents(page.places),
        body=body,
    )


def _steps(blocks: Iterable[Block]) -> Iterator[Step]:
    for block in blocks:
        if isinstance(block, Step):
            yield block
            yield from _steps(block.blocks)


def _blocks(blocks: Iterable[Block], page: _Page, level: int) -> list[str]:
    """The blocks' elements; from each heading below the first level to the next of its rank is a section."""
    parts: list[str] = []
    open_sections: list[int] = []
    for block in blocks:
        if isinstance(block, Heading):
            while open_sections and open_sections[-1] >= block.level:
                open_sections.pop()
                parts.append("</section>")
            level = block.level
            if level > 1:
                open_sections.append(level)
                anchor = page.anchors(plain(block.text))
                page.places.append(_Place(level, anchor, _inline(block.text)))
                parts.append(f'<section id="{escape(anchor)}">')
        parts.append(_block(block, page, level))
    return parts + ["</section>"] * len(open_sections)


def _block(block: Block, page: _Page, level: int) -> str:
    match block:
        case Heading(own, text):
            return f"<h{min(own, 6)}>{_inline(text)}</h{min(own, 6)}>"
        case Paragraph(text):
            return f"<p>{_inline(text)}</p>"
        case Display(name, equation):
            return _scroll("equation", f"equation {name}", _parts(equation), page.anchors(f"eq-{name}"))
        case CodeBlock(text, language):
            label = f"{language} code" if language else "code"
            code = "\n".join(map(_escaped, text.expandtabs(4).splitlines()))
            return f'<pre tabindex="0" role="group" aria-label="{_escaped(label)}"><code>{code}</code></pre>'
        case Table():
            return _table(block)
        case Values():
            return _values(block)
        case Figure(name, alt):
            kind = "picture wide" if len({dot.x for dot in block.dots}) > WIDE_FIGURE else "picture"
            picture = _scroll(kind, alt, figure_svg(block).strip())
            return f'<figure id="{escape(page.anchors(f"fig-{name}"))}">{picture}</figure>'
        case Step():
            return _step(block, page, min(level + 1, 6))
        case _:
            assert_never(block)


def _step(step: Step, page: _Page, level: int) -> str:
    anchor = next(page.steps)
    symbol = f"<code>{_escaped(step.symbol)}</code>"
    page.places.append(_Place(level, anchor, symbol, step.number))
    parts = [
        f'<section class="step" id="{escape(anchor)}">',
        f'<h{level}><a class="number" href="#{escape(anchor)}" aria-label="Step {step.number}">{step.number}</a> '
        f'<code class="symbol">{_escaped(step.symbol)}</code> <span class="title">{_inline(step.title)}</span>'
        f"</h{level}>",
        *_blocks(step.blocks, page, level),
        "</section>",
    ]
    return "\n".join(parts)


def _scroll(kind: str, label: str, content: str, anchor: str = "") -> str:
    """A box that scrolls sideways by itself, with the mouse or the keyboard."""
    place = f' id="{escape(anchor)}"' if anchor else ""
    return f'<div class="scroll {kind}"{place} tabindex="0" role="group" aria-label="{_escaped(label)}">{content}</div>'


def _escaped(text: str) -> str:
    return escape(printable(text))


def _inline(text: Inline) -> str:
    written = []
    for part in text:
        match part:
            case str():
                written.append(_escaped(part))
            case Code(code):
                written.append(f"<code>{_escaped(code)}</code>")
            case _:
                written.append(mathml(part, alttext=linear(part)))
    return "".join(written)


def _parts(equation: Equation) -> str:
    """A chain in parts, each a formula of its own: a browser breaks lines between formulas, never inside one."""
    if len(equation.parts) < 2:
        pieces = [chain(equation)]
    else:
        pieces = [
            chain(Equation(equation.left, equation.parts[:1])),
            *(Row((EQUALS, part)) for part in equation.parts[1:]),
        ]
    return "<wbr>".join(
        f'<span class="part">{mathml(piece, display=True, alttext=linear(piece))}</span>' for piece in pieces
    )


def _table(table: Table) -> str:
    classes = [f' class="{align}"' if align != "l" else "" for align in table.align]

    def cells(row: Iterable[Inline], open_tag: str, close_tag: str) -> str:
        return "".join(f"<{open_tag}{kind}>{_inline(cell)}{close_tag}" for kind, cell in zip(classes, row, strict=True))

    head = f"<thead><tr>{cells(table.header, 'th scope=' + chr(34) + 'col' + chr(34), '</th>')}</tr></thead>"
    rows = "\n".join(f"<tr>{cells(row, 'td', '</td>')}</tr>" for row in table.rows)
    label = ", ".join(plain(cell) for cell in table.header)
    return _scroll("table", f"table: {label}", f"<table>\n{head}\n<tbody>\n{rows}\n</tbody>\n</table>")


def _values(values: Values) -> str:
    array = matrix(values.array)
    shown = extract(array, MOST_ROWS, MOST_COLUMNS)
    notes = [size(array), *(["empty"] if not array.size else []), *([shown.left_out] if shown.left_out else [])]
    caption = f'<figcaption>{_inline(values.label)} <span class="size">({"; ".join(notes)})</span></figcaption>'
    if not array.size:
        return f"<figure>{caption}</figure>"
    rows = [
        "<tr>"
        + "".join(
            f'<td class="gap">{cell}</td>' if cell in GAPS else f"<td>{escape(cell).replace('-', '−')}</td>"
            for cell in row
        )
        + "</tr>"
        for row in shown.grid(FIGURE_SPACE, POINT_SPACE)
    ]
    table = '<table class="matrix">\n' + "\n".join(rows) + "\n</table>"
    return f"<figure>{caption}\n{_scroll('values', plain(values.label), table)}</figure>"


def _contents(places: list[_Place]) -> str:
    """The table of contents: the headings, and under each the steps that follow it."""
    if len(places) < FEW:
        return ""
    parts: list[str] = []
    in_steps = in_item = False
    for place in places:
        link = f'<a href="#{escape(place.anchor)}">'
        if place.number is None:
            parts.append(("</ol>" if in_steps else "") + ("</li>" if in_item else ""))
            parts.append(f'<li class="level-{place.depth}">{link}<span>{place.label}</span></a>')
            in_steps, in_item = False, True
            continue
        if not in_steps:
            parts.append(("" if in_item else "<li>") + '<ol class="steps">')
            in_steps = in_item = True
        parts.append(f'<li>{link}<span class="number">{place.number}</span> {place.label}</a></li>')
    parts.append(("</ol>" if in_steps else "") + ("</li>" if in_item else ""))
    listing = "\n".join(part for part in parts if part)
    return (
        '<nav aria-label="Contents"><details open><summary>Contents</summary><div class="list">'
        f"<ol>\n{listing}\n</ol></div></details></nav>\n"
    )
