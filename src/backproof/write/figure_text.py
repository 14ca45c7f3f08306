"""A figure in characters: labels in columns and rows, the lines between them in Braille dots."""

from __future__ import annotations

from itertools import groupby, pairwise

from rich.cells import cell_len, chop_cells

from backproof.write.doc import Figure
from backproof.write.math_unicode import linear
from backproof.write.outline import plain

WIDEST, NARROWEST = 30, 10  # cells between neighbours
HIGH, LOW = 4, 2  # lines between neighbours: where there are few rows, and where there are many
MANY_ROWS = 6

# A cell of the Braille block (U+2800) is two dots wide and four high; each dot is one bit.
BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


def figure_text(figure: Figure, width: int) -> list[str]:
    """The figure, no wider than `width`; a list of its labels, column by column, where there is no room to draw."""
    labels = ["⋮" if dot.label is None else linear(dot.label) for dot in figure.dots]
    for unit in range(WIDEST, NARROWEST - 1, -1):
        if (centres := _centres(figure, labels, unit, width)) is not None:
            return _drawn(figure, labels, centres, width)
    return _listed(figure, labels, width)


def _centres(figure: Figure, labels: list[str], unit: int, width: int) -> list[int] | None:
    """The cell of each label's middle, or None if the labels do not fit side by side."""
    if not figure.dots:
        return []
    left = min(dot.x * unit - cell_len(label) // 2 for dot, label in zip(figure.dots, labels, strict=True))
    centres = [round(dot.x * unit - left) for dot in figure.dots]
    spans = sorted(
        (dot.y, *_span(centre, label)) for dot, centre, label in zip(figure.dots, centres, labels, strict=True)
    )
    fits = all(end <= width for _, _, end in spans) and all(
        one[0] != other[0] or one[2] + 3 <= other[1] for one, other in pairwise(spans)
    )
    return centres if fits else None


def _span(centre: int, text: str) -> tuple[int, int]:
    start = centre - cell_len(text) // 2
    return start, start + cell_len(text)


def _drawn(figure: Figure, labels: list[str], centres: list[int], width: int) -> list[str]:
    ys = [dot.y for dot in figure.dots] or [0.0]
    step = HIGH if max(ys) - min(ys) < MANY_ROWS else LOW
    rows = [round((dot.y - min(ys)) * step) for dot in figure.dots]
    spans = [_span(centre, label) for centre, label in zip(centres, labels, strict=True)]
    columns = max((end for _, end in spans), default=0)
    cells = [[0] * columns for _ in range(max(rows, default=-1) + 1)]
    for start, end in figure.lines:
        if centres[start] > centres[end]:
            start, end = end, start
        if centres[start] == centres[end]:
            # One above the other: from below the upper label to above the lower one.
            x, (top, bottom) = 2.0 * centres[start] + 0.5, sorted((rows[start], rows[end]))
            _line(cells, x, 4.0 * top + 4, x, 4.0 * bottom - 1)
        else:
            x0, x1 = 2.0 * (spans[start][1] + 1), 2.0 * (spans[end][0] - 1) - 1
            _line(cells, x0, 4.0 * rows[start] + 1.5, x1, 4.0 * rows[end] + 1.5)
    by_row = sorted(zip(rows, spans, labels, strict=True))
    canvas = [[chr(0x2800 + bits) if bits else " " for bits in row] for row in cells]
    lines = [
        _line_of(canvas[row], [(span, label) for at, span, label in by_row if at == row]) for row in range(len(canvas))
    ]
    return lines + _captions(figure, centres, width)


def _line(cells: list[list[int]], x0: float, y0: float, x1: float, y1: float) -> None:
    """Set the dots from (x0, y0) to (x1, y1), both in dots."""
    count = max(round(abs(x1 - x0)), round(abs(y1 - y0)), 1)
    for number in range(count + 1):
        # Half of a dot is rounded up everywhere, not to even, so that level lines are level.
        x, y = (int(a + (b - a) * number / count + 0.5) for a, b in ((x0, x1), (y0, y1)))
        if 0 <= y < 4 * len(cells) and 0 <= x < 2 * len(cells[0]):
            cells[y // 4][x // 2] |= BITS[y % 4][x % 2]


def _line_of(canvas: list[str], placed: list[tuple[tuple[int, int], str]]) -> str:
    """A row of the canvas with the labels over it, a free cell on either side of each."""
    text, at = "", 0
    for (start, end), label in placed:
        before = "".join(canvas[at : max(start - 1, at)])
        text += before.ljust(start - at) + label
        if end < len(canvas):
            canvas[end] = " "
        at = end
    return (text + "".join(canvas[at:])).rstrip()


def _captions(figure: Figure, centres: list[int], width: int) -> list[str]:
    """The captions under their columns; one that would run into its neighbour goes one line down."""
    if not figure.captions:
        return []
    place = {dot.x: centre for dot, centre in zip(figure.dots, centres, strict=True)}
    known = sorted(place)
    lines: list[str] = []
    for x, text in sorted(figure.captions, key=lambda caption: caption[0]):
        nearest = min(known, key=lambda one: abs(one - x), default=None)
        centre = width // 2 if nearest is None else place[nearest]
        for word in chop_cells(plain(text), width):
            start = max(min(_span(centre, word)[0], width - cell_len(word)), 0)
            for number, line in enumerate(lines):
                if not line or cell_len(line) + 2 <= start:
                    lines[number] = line + " " * (start - cell_len(line)) + word
                    break
            else:
                lines.append(" " * start + word)
    return ["", *lines]


def _listed(figure: Figure, labels: list[str], width: int) -> list[str]:
    """The labels of each column after its caption, as lines of words."""
    captions = {x: plain(text) for x, text in figure.captions}
    lines: list[str] = []
    ordered = sorted(zip(figure.dots, labels, strict=True), key=lambda one: (one[0].x, one[0].y))
    for x, column in groupby(ordered, key=lambda one: one[0].x):
        names = ", ".join(label for _, label in column)
        lines += _filled(f"{captions[x]}: {names}" if x in captions else names, width)
    return lines


def _filled(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and cell_len(lines[-1]) + 1 + cell_len(word) <= width:
            lines[-1] += f" {word}"
            continue
        pieces = chop_cells(word, width)
        lines[-1:] = [lines[-1], *pieces] if lines[-1] else pieces
    return lines
