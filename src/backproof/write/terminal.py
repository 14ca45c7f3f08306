"""A document in the terminal.

Everything is laid out here as segments and given to Rich in one piece: a derivation may have thousands of steps, and
a call of `console.print` for each line costs more than the line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len, chop_cells
from rich.console import Console, JustifyMethod
from rich.segment import Segment, Segments
from rich.style import Style
from rich.table import Table as RichTable
from rich.text import Text

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
from backproof.write.math import printable
from backproof.write.math_unicode import linear, pretty
from backproof.write.outline import titled
from backproof.write.values import extract, matrix, size

Line = list[Segment]

INDENT = 4
MOST_ROWS = 12  # of a matrix of numbers
MOST_FIGURE = 100

PLAIN = Style.null()
TITLE = Style(bold=True)
NUMBER = Style(dim=True)
SYMBOL = Style(bold=True, color="cyan")
CODE = Style(color="cyan")
NOTE = Style(dim=True)

RULES = {1: "═", 2: "─"}
JUSTIFY: dict[str, JustifyMethod] = {"l": "left", "r": "right", "c": "center"}


def terminal(document: Document, console: Console) -> None:
    """Print a document, wrapped to the console's width."""
    width = max(console.width, 1)
    lines: list[Line] = []
    for block in titled(document):
        if lines:
            lines.append([])
        lines += _block(block, console, width)
    newline = Segment("\n")
    console.print(Segments(segment for line in lines for segment in (*line, newline)), crop=False, end="")


def _block(block: Block, console: Console, width: int) -> list[Line]:
    match block:
        case Heading(level, text):
            lines = _wrap([(word, TITLE) for word, _ in _inline(text)], width)
            if rule := RULES.get(level):
                lines.append([Segment(rule * max(sum(part.cell_length for part in line) for line in lines), NOTE)])
            return lines
        case Paragraph(text):
            return _wrap(_inline(text), width)
        case Display(_, equation):
            inner = max(width - INDENT, 1)
            return _indented(_fitted(pretty(equation, inner), inner), width)
        case CodeBlock(text):
            inner = max(width - INDENT, 1)
            folded = [piece for line in text.splitlines() for piece in _folded(printable(line.expandtabs(4)), inner)]
            return _indented(folded, width)
        case Table():
            return _table(block, console, width)
        case Values():
            return _values(block, width)
        case Figure():
            return _indented(figure_text(block, min(max(width - INDENT, 1), MOST_FIGURE)), width)
        case Step():
            return _step(block, console, width)
        case _:
            assert_never(block)


def _step(step: Step, console: Console, width: int) -> list[Line]:
    title = [(f"[{step.number}] ", NUMBER), (printable(step.symbol), SYMBOL), ("  ", PLAIN), *_inline(step.title)]
    lines = _wrap(title, width, hanging=INDENT)
    before_tight = True
    for block in step.blocks:
        # Equations carry their own indent; a step's other blocks stand under its title.
        own = isinstance(block, (Display, CodeBlock, Figure))
        below = _block(block, console, width if own else max(width - INDENT, 1))
        if not own and width > INDENT:
            below = [[Segment(" " * INDENT), *line] if line else line for line in below]
        tight = isinstance(block, Paragraph) or (isinstance(block, Display) and len(below) == 1)
        if not (tight and before_tight):
            lines.append([])
        lines += below
        before_tight = tight
    return lines


def _inline(text: Inline) -> list[tuple[str, Style]]:
    runs = []
    for part in text:
        match part:
            case str():
                runs.append((printable(part), PLAIN))
            case Code(code):
                runs.append((printable(code), CODE))
            case _:
                # A formula is broken only where it is so long that it must be.
                formula = linear(part)
                runs.append((formula.replace(" ", "\xa0") if len(formula) < 30 else formula, PLAIN))
    return runs


def _width(text: str) -> int:
    return len(text) if text.isascii() else cell_len(text)


def _folded(line: str, width: int) -> Iterator[str]:
    """The pieces of a line of code, broken at spaces; the later ones stand further in than the first."""
    hanging = len(line) - len(line.lstrip()) + INDENT
    while _width(line) > width:
        start = len(line) - len(line.lstrip())
        cut = next((k for k in range(min(width, len(line) - 1), max(start, hanging), -1) if line[k] == " "), 0)
        if not cut or _width(line[:cut]) > width:
            break
        yield line[:cut].rstrip()
        line = " " * hanging + line[cut:].lstrip()
    yield from _chopped(line, width)


def _chopped(text: str, width: int) -> list[str]:
    return [text] if _width(text) <= width else chop_cells(text, width)


def _words(runs: Iterable[tuple[str, Style]]) -> list[list[tuple[str, Style]]]:
    """The runs cut at their spaces: each word is one or more pieces, as the style changes within it."""
    words: list[list[tuple[str, Style]]] = []
    open_word = False
    for text, style in runs:
        pieces = text.split(" ")
        if pieces[0]:
            if open_word:
                words[-1].append((pieces[0], style))
            else:
                words.append([(pieces[0], style)])
            open_word = True
        if len(pieces) > 1:
            words += [[(piece, style)] for piece in pieces[1:] if piece]
            open_word = pieces[-1] != ""
    return words


def _wrap(runs: Sequence[tuple[str, Style]], width: int, hanging: int = 0) -> list[Line]:
    """Lines no wider than the width; all but the first are indented by `hanging` (where there is room for it)."""
    text = "".join([text for text, _ in runs])
    if (
        _width(text) <= width
        and text.strip() == text
        and (text.count("  ") <= (len(runs) > 2 and runs[1][1] is SYMBOL))
    ):
        # Most text fits on its line as it is.
        return [_joined([run for run in runs if run[0]])]
    hanging = hanging if width > 2 * hanging else 0
    lines: list[list[tuple[str, Style]]] = [[]]
    used = 0
    for word in _words(runs):
        length = sum(_width(text) for text, _ in word)
        margin = hanging if len(lines) > 1 else 0
        if used > margin and used + 1 + length <= width:
            # Two spaces after a step's symbol, so that it stands apart from the title.
            gap = 2 if lines[-1][-1][1] is SYMBOL and used + 2 + length <= width else 1
            lines[-1].append((" " * gap, PLAIN if lines[-1][-1][1] is not word[0][1] else word[0][1]))
            lines[-1] += word
            used += gap + length
            continue
        if used > margin:
            lines.append([])
            used = _margin(lines[-1], hanging)
        for text, style in word:
            for piece in _pieces(text, width - used, width - hanging):
                if used + _width(piece) > width:
                    lines.append([])
                    used = _margin(lines[-1], hanging)
                lines[-1].append((piece, style))
                used += _width(piece)
    return [_joined(line) for line in lines]


def _joined(line: list[tuple[str, Style]]) -> Line:
    """Neighbours of one style as one segment."""
    segments: Line = []
    start = 0
    for k in range(1, len(line) + 1):
        if k == len(line) or line[k][1] is not line[start][1]:
            segments.append(Segment("".join([text for text, _ in line[start:k]]), line[start][1]))
            start = k
    return segments if line else []


def _margin(line: list[tuple[str, Style]], hanging: int) -> int:
    if hanging:
        line.append((" " * hanging, PLAIN))
    return hanging


def _pieces(text: str, first: int, width: int) -> list[str]:
    """A word as it is, or in pieces if it is wider than a whole line."""
    return [text] if _width(text) <= max(first, width) else chop_cells(text, max(width, 1))


def _indented(lines: Iterable[str], width: int) -> list[Line]:
    indent = " " * INDENT if width > INDENT else ""
    return [[Segment(indent + line.rstrip())] if line.strip() else [] for line in lines]


def _fitted(lines: list[str], width: int) -> list[str]:
    """A picture of characters that is too wide, cut into parts as wide as allowed, one under the other."""
    full = max(map(_width, lines), default=0)
    if full <= width:
        return lines
    columns = [_chopped(line + " " * (full - _width(line)), width) for line in lines]
    panels: list[str] = []
    for number in range(max(map(len, columns))):
        if number:
            panels.append("")
        panels += [column[number] if number < len(column) else "" for column in columns]
    return panels


def _table(table: Table, console: Console, width: int) -> list[Line]:
    drawn = RichTable(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style=TITLE)
    rows = [[_text(cell) for cell in row] for row in table.rows]
    heads = [_text(header) for header in table.header]
    for head, align, wide in zip(heads, table.align, _column_widths(heads, rows, table.align, width), strict=True):
        drawn.add_column(head, justify=JUSTIFY[align], overflow="fold", width=wide)
    for row in rows:
        drawn.add_row(*row)
    return [_stripped(line) for line in console.render_lines(drawn, console.options.update(width=width), pad=False)]


def _column_widths(
    heads: Sequence[Text], rows: Sequence[Sequence[Text]], align: str, width: int
) -> Sequence[int | None]:
    """The width of each column: numbers stay whole, text is broken between words; None if that is too wide."""
    columns = list(zip(heads, *rows, strict=True))
    natural = [max(cell.cell_len for cell in column) for column in columns]
    least = [
        max(_longest_word(head), *(cell.cell_len if kind == "r" else _longest_word(cell) for cell in cells), 0)
        for (head, *cells), kind in zip(columns, align, strict=True)
    ]
    # Rich puts three places between two columns.
    room = width - 3 * (len(columns) - 1) - sum(least)
    if room < 0:
        return [None] * len(columns)
    widths = []
    for narrow, wide in zip(least, natural, strict=True):
        more = min(room, wide - narrow)
        widths.append(narrow + more)
        room -= more
    return widths


def _longest_word(text: Text) -> int:
    return max(map(_width, text.plain.split()), default=0)


def _text(text: Inline) -> Text:
    return Text.assemble(*_inline(text))


def _stripped(line: Line) -> Line:
    while line and not line[-1].text.strip() and not line[-1].control:
        line = line[:-1]
    return [*line[:-1], Segment(line[-1].text.rstrip(), *line[-1][1:])] if line else []


def _values(values: Values, width: int) -> list[Line]:
    array = matrix(values.array)
    label = [*_inline(values.label), (f" ({size(array)})", NOTE)]
    if not array.size:
        return _wrap([*label, (" empty", NOTE)], width)
    room = max(width - INDENT, 1)
    indent = INDENT if width > INDENT else 0
    # Fewer and fewer columns until they fit; one column is shown in any case. A number takes two places at least.
    for most in range(min(array.shape[1], max(room // 2, 1)), 0, -1):
        shown = extract(array, MOST_ROWS, most)
        grid = shown.grid()
        widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
        if sum(widths) + 2 * (len(widths) - 1) <= room:
            break
    note = f"; {shown.left_out}" if shown.left_out else ""
    lines = _wrap([*label, (f"{note}:", NOTE)], width)
    for row in grid:
        text = "  ".join(cell.rjust(wide) for cell, wide in zip(row, widths, strict=True))
        lines += [[Segment(" " * indent + piece.rstrip())] for piece in _chopped(text, room)]
    return lines
