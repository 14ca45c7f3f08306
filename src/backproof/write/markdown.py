"""A document as GitHub-flavoured Markdown with formulas in dollars, as GitHub, MyST and KaTeX read it."""

from __future__ import annotations

import re
from collections.abc import Iterable
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
from backproof.write.figure_text import figure_text
from backproof.write.math import Math, chain, printable
from backproof.write.math_latex import latex
from backproof.write.outline import titled
from backproof.write.values import extract, matrix, size

WIDTH = 76  # of figures
MOST = 8  # rows and columns of a matrix of numbers
RULES = {"l": ":--", "r": "--:", "c": ":-:"}

# Markdown may look at a formula before TeX does: it takes `\{` for `{`, `*` and `_` for emphasis, `](` for a link,
# `<` for a tag, and a table ends its cell at any `|`. So a formula is spelled without them.
_IN_MATH = {
    r"\{": r"\lbrace ",
    r"\}": r"\rbrace ",
    r"\|": r"\Vert ",
    r"\,": r"\thinspace ",
    r"\:": r"\medspace ",
    r"\;": r"\thickspace ",
    r"\!": r"\negthinspace ",
    "*": r"\ast ",
    "|": r"\vert ",
    "<": r"\lt ",
    ">": r"\gt ",
    "~": r"\ ",
    "](": "] (",
    "][": "] [",
}
_MATH = re.compile(r"\\\\|\\[^A-Za-z]|\\[A-Za-z]+|\]\(|\]\[|(?<![0-9A-Za-z])_|[*|<>~]")
_TEXT = re.compile(r"[\\`*_{}\[\]<>#|~$]|&(?=#?\w+;)")
_START = re.compile(r"^(?:([-+=])|(\d+)([.)])(?=\s|$))")


def markdown(document: Document) -> str:
    """The document as Markdown."""
    return "\n\n".join(_blocks(titled(document), 1)) + "\n"


def _blocks(blocks: Iterable[Block], level: int) -> list[str]:
    """The blocks' texts; a step's heading is one level below the heading it stands under."""
    texts = []
    for block in blocks:
        if isinstance(block, Heading):
            level = block.level
        texts.append(_block(block, level))
    return texts


def _block(block: Block, level: int) -> str:
    match block:
        case Heading(own, text):
            return f"{'#' * min(own, 6)} {_inline(text)}"
        case Paragraph(text):
            return _START.sub(lambda start: f"\\{start[1]}" if start[1] else f"{start[2]}\\{start[3]}", _inline(text))
        case Display(_, equation):
            return f"$$\n{_math(chain(equation), display=True)}\n$$"
        case CodeBlock(text, language):
            return _fenced(text, language)
        case Table(header, rows, align):
            return _table([_inline(cell) for cell in header], [[_inline(cell) for cell in row] for row in rows], align)
        case Values():
            return _values(block)
        case Figure(_, alt):
            return f"{_fenced(chr(10).join(figure_text(block, WIDTH)), 'text')}\n\n*{_escaped(alt.strip())}*"
        case Step(number, symbol, title, inner):
            deeper = min(level + 1, 6)
            heading = f"{'#' * deeper} {number}. {_code(symbol)} {_inline(title)}".rstrip()
            return "\n\n".join([heading, *_blocks(inner, deeper)])
        case _:
            assert_never(block)


def _inline(text: Inline) -> str:
    written = ""
    for part in text:
        match part:
            case str():
                after = _escaped(part)
            case Code(code):
                after = _code(code)
            case _:
                after = f"${_math(part)}$"
        # A dollar beside a letter, a digit or another dollar is no limit of a formula.
        if (written[-1:] == "$" and re.match(r"[\w$]", after)) or (after[:1] == "$" and re.search(r"\w$", written)):
            written += " "
        written += after
    return written.strip()


def _escaped(text: str) -> str:
    return _TEXT.sub(
        lambda found: "&amp;" if found[0] == "&" else f"\\{found[0]}", printable(re.sub(r"\s*\n\s*", " ", text))
    )


def _code(text: str) -> str:
    text = printable(text)
    fence = "`" * (_longest(text, "`") + 1)
    pad = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _longest(text: str, mark: str) -> int:
    return max(map(len, re.findall(f"{mark}+", text)), default=0)


def _fenced(text: str, language: str) -> str:
    body = "\n".join(map(printable, text.expandtabs(4).splitlines()))
    fence = "`" * max(_longest(text, "`") + 1, 3)
    return f"{fence}{language}\n{body}\n{fence}"


def _math(node: Math, *, display: bool = False) -> str:
    def spelled(found: re.Match[str]) -> str:
        if found[0] == "_":
            return "_ "  # before a space it cannot open an emphasis, and TeX does not mind the space
        if found[0] == r"\\":
            return found[0] if display else r"\cr "
        return _IN_MATH.get(found[0], found[0])

    # Blank lines end a formula.
    spelt = re.sub(r"\n\s*", "\n" if display else " ", _MATH.sub(spelled, latex(node)))
    return re.sub(" {2,}", " ", spelt).strip()


def _table(header: list[str], rows: list[list[str]], align: str) -> str:
    def line(cells: Iterable[str]) -> str:
        return f"| {' | '.join(_cell(cell) for cell in cells)} |"

    rules = f"| {' | '.join(RULES[one] for one in align)} |"
    return "\n".join([line(header), rules, *map(line, rows)])


def _cell(text: str) -> str:
    # A code word may still hold a bar; plain text has escaped its own already.
    return re.sub(r"(?<!\\)\|", r"\\|", text)


def _values(values: Values) -> str:
    array = matrix(values.array)
    label = f"{_inline(values.label)} ({size(array)})"
    if not array.size:
        return f"{label}: empty"
    shown = extract(array, MOST, MOST)
    header = ["", *("⋯" if one is None else str(one + 1) for one in shown.columns)]
    rows = [
        ["⋮" if row is None else f"**{row + 1}**", *cells]
        for row, cells in zip(shown.rows, shown.grid("", ""), strict=True)
    ]
    note = f"; {shown.left_out}" if shown.left_out else ""
    return f"{label}{note}:\n\n{_table(header, rows, 'r' * len(header))}"
