"""Math nodes as plain text: on one line (`linear`), or laid out in two dimensions for a terminal (`pretty`)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, assert_never

from rich.cells import cell_len

from backproof.write.math import (
    EQUALS,
    BigSum,
    Cases,
    Dots,
    Equation,
    Fence,
    Frac,
    Func,
    Hat,
    Ident,
    Math,
    Matrix,
    Number,
    Prime,
    Row,
    Scripts,
    Sign,
    Sqrt,
    Word,
    chain,
    is_tall,
    printable,
)

DOTS = {"h": "…", "v": "⋮", "d": "⋱"}
RAISED = str.maketrans("0123456789+−T", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵀ")

# Top, extension, middle and bottom of brackets that grow; then the two halves where the height is two.
TALL = {
    "(": "⎛⎜⎜⎝⎛⎝",
    ")": "⎞⎟⎟⎠⎞⎠",
    "[": "⎡⎢⎢⎣⎡⎣",
    "]": "⎤⎥⎥⎦⎤⎦",
    "{": "⎧⎪⎨⎩⎰⎱",
    "}": "⎫⎪⎬⎭⎱⎰",
    "|": "││││││",
    "‖": "║║║║║║",
}

BIG = (Frac, BigSum)
HANG = 2  # the indent of what continues a line
NARROW = 12  # below this width a layout makes no sense


@lru_cache(maxsize=16384)
def linear(node: Math) -> str:
    """The node on one line, for messages and titles: ``dZ[2] = dA[2] * g[2]'(Z[2])``.

    A layer or sample stands in its brackets right after the letter, ``a[2](i)_j``; other superscripts follow ``^`` or
    are raised characters.
    """
    return _line(node, False)


def pretty(of: Equation | Math, width: int) -> list[str]:
    """The lines of a two-dimensional layout, none longer than `width`; what does not fit is broken, never cut off."""
    width = max(width, 1)
    whole = _box(chain(of) if isinstance(of, Equation) else of)
    if whole.width <= width:
        return [line.rstrip() for line in whole.lines]
    equation = of if isinstance(of, Equation) else _equation(of)
    blocks = _broken(equation, width) if width >= NARROW else _chopped(chain(equation), width)
    lines: list[str] = []
    for i, block in enumerate(blocks):
        # Subscripts of one block and superscripts of the next would be taken for each other's.
        if i and len(block.lines) > 1 and blocks[i - 1].depth > 0:
            lines.append("")
        lines += [line.rstrip() for line in block.lines]
    return lines


# One line


def _line(node: Math, script: bool) -> str:
    match node:
        case Ident(text) | Number(text) | Word(text) | Func(text):
            return printable(text)
        case Sign(text, role):
            return _sign(text, "tight" if script else role)
        case Row(parts):
            return _line_of(tuple(_flat(parts)), script)
        case Scripts(base, sub, sup):
            below = "" if sub is None else f"_{_grouped(sub, '{}')}"
            above = "" if sup is None else _superscript(sup)
            return f"{_bracketed(base, script)}{above}{below}"
        case Prime(base, count):
            return _bracketed(base, script) + "'" * count
        case Hat(base):
            return _hatted(base) or f"hat({_line(base, script)})"
        case Frac(numerator, denominator):
            return f"{_bracketed(numerator, script)}/{_bracketed(denominator, script)}"
        case Sqrt(body):
            return f"√{_bracketed(body, script)}"
        case BigSum(lower, upper, body):
            limits = f"_{_grouped(lower, '{}')}" + ("" if upper is None else f"^{_grouped(upper, '()')}")
            return f"Σ{limits} {_line(body, script)}"
        case Fence(body, left, right):
            return f"{printable(left)}{_line(body, script)}{printable(right)}"
        case Dots(direction):
            return DOTS[direction]
        case Matrix(rows):
            return f"[{'; '.join(', '.join(_line(cell, script) for cell in row) for row in rows)}]"
        case Cases(pieces):
            return f"{{{'; '.join(f'{_line(value, script)} {_line(when, script)}' for value, when in pieces)}}}"
    assert_never(node)


def _line_of(parts: Sequence[Math], script: bool) -> str:
    line = ""
    for i, part in enumerate(parts):
        text = _line(part, script)
        # (1/m) dZ, not 1/m dZ: what follows does not stand below the stroke.
        if isinstance(part, Frac) and i + 1 < len(parts) and not isinstance(parts[i + 1], Sign):
            text = f"({text})"
        line += f" {text}" if i and _apart(parts[i - 1], part, line, text, script) else text
    return line


def _apart(left: Math, right: Math, before: str, after: str, script: bool) -> bool:
    """Whether two neighbours need a blank between them, lest two names be read as one."""
    if script or isinstance(left, Sign) or isinstance(right, Sign) or left in (Ident("d"), Ident("∂")):
        return False
    last, first = before[-1:], after[:1]
    return (last.isalnum() or last in tuple(")]}'_ᵀ")) and (first.isalnum() or first == "√")


def _sign(text: str, role: str) -> str:
    text = printable(text)
    if role == "tight" or not text:
        return text
    return f"{text} " if role == "punctuation" else f" {text} "


def _flat(parts: Iterable[Math]) -> Iterator[Math]:
    for part in parts:
        if isinstance(part, Row):
            yield from _flat(part.parts)
        else:
            yield part


def _is_one(node: Math) -> bool:
    """Whether the node reads as one thing on a line: a name, something in brackets, a function with its arguments."""
    match node:
        case Row(parts):
            flat = [part for part in _flat(parts) if part not in (Ident("d"), Ident("∂"))]
            if len(flat) == 2 and isinstance(flat[1], Fence):
                return isinstance(flat[0], Ident | Func | Word | Scripts | Prime)
            return len(flat) == 1 and _is_one(flat[0])
        case Frac() | BigSum() | Sign():
            return False
        case Word(text):
            return " " not in text
        case _:
            return True


def _bracketed(node: Math, script: bool) -> str:
    text = _line(node, script)
    return text if _is_one(node) else f"({text})"


def _grouped(node: Math, brackets: str) -> str:
    """An index or a limit: in brackets unless it is a single name or number."""
    text = _line(node, True)
    return text if isinstance(node, Ident | Number | Word) else f"{brackets[0]}{text}{brackets[1]}"


def _superscript(node: Math) -> str:
    parts = list(_flat([node]))
    text = _line(node, True)
    if parts and isinstance(parts[0], Sign) and parts[0].text in ("[", "("):
        transposed = parts[-1] in (Ident("T"), Word("T"))
        return f"{text[:-1]}ᵀ" if transposed else text
    if text and all(ord(char) in RAISED for char in text):
        return text.translate(RAISED)
    return f"^{_grouped(node, '()')}"


def _hatted(node: Math) -> str:
    """The letter with a circumflex, where Unicode has it as one character."""
    letter = node.text if isinstance(node, Ident) else ""
    composed = unicodedata.normalize("NFC", f"{letter}\u0302")
    return composed if len(letter) == len(composed) == 1 else ""


# Two dimensions


class _Box(NamedTuple):
    """Lines that are all `width` columns wide; `base` is the one that stands on the line of its neighbours."""

    lines: tuple[str, ...]
    base: int
    width: int

    @property
    def depth(self) -> int:
        return len(self.lines) - 1 - self.base


NONE: Mapping[int, _Box] = {}


@lru_cache(maxsize=4096)
def _leaf(text: str) -> _Box:
    return _Box((text,), 0, len(text) if text.isascii() else cell_len(text))


def _beside(boxes: Sequence[_Box]) -> _Box:
    """Boxes side by side, on one base line."""
    above = below = width = 0
    for lines_, base, width_ in boxes:
        above, below, width = max(above, base), max(below, len(lines_) - 1 - base), width + width_
    if not above and not below:
        return _Box(("".join([box.lines[0] for box in boxes]),), 0, width)
    columns = []
    for lines_, base, width_ in boxes:
        blank = (" " * width_,)
        columns.append(blank * (above - base) + lines_ + blank * (below + base + 1 - len(lines_)))
    return _Box(tuple(map("".join, zip(*columns, strict=True))), above, width)


def _widened(box: _Box, width: int, align: str = "center") -> _Box:
    space = width - box.width
    if space <= 0:
        return box
    left = 0 if align == "left" else space // 2
    before, after = " " * left, " " * (space - left)
    return _Box(tuple(f"{before}{line}{after}" for line in box.lines), box.base, width)


def _stacked(boxes: Sequence[_Box], base: int, align: str = "center") -> _Box:
    """Boxes one below another; the base line is that of box number `base`."""
    width = max(box.width for box in boxes)
    lines: list[str] = []
    at = 0
    for i, box in enumerate(boxes):
        if i == base:
            at = len(lines) + box.base
        lines += _widened(box, width, align).lines
    return _Box(tuple(lines), at, width)


def _box(node: Math, script: bool = False) -> _Box:
    match node:
        case Ident(text) | Number(text) | Word(text) | Func(text):
            return _leaf(printable(text))
        case Sign(text, role):
            return _leaf(_sign(text, "tight" if script else role))
        case Row(parts):
            return _box_of(parts, script)
        case Scripts(base, sub, sup):
            return _box_with_scripts(_box(base, script), sub, sup)
        case Prime(base, count):
            box, primes = _box(base, script), _leaf("'" * count)
            return _beside([box, _Box((*primes.lines, *[" " * count] * box.base), box.base, count)])
        case Hat(base):
            if hatted := _hatted(base):
                return _leaf(hatted)
            box = _box(base, script)
            hat = "^" if box.width < 2 else f"╱{'‾' * (box.width - 2)}╲"
            return _stacked([_leaf(hat), box], 1)
        case Frac(numerator, denominator):
            upper, lower = _box(numerator, script), _box(denominator, script)
            # A stroke inside another's numerator or denominator must be the shorter one.
            longer = HANG * isinstance(numerator, Frac) or HANG * isinstance(denominator, Frac)
            return _stacked([upper, _leaf("─" * (max(upper.width, lower.width) + longer)), lower], 1)
        case Sqrt(body):
            return _root(_box(body, script), isinstance(body, Ident | Number))
        case BigSum(lower, upper, body):
            sign = _Box(("___", "╲  ", "╱__"), 2, 3)
            limits = [] if upper is None else [_box(upper, True)]
            sum_ = _stacked([*limits, sign, _box(lower, True)], len(limits))
            return _beside([sum_, _leaf(" "), _box(body, script)])
        case Fence(body, left, right):
            inside = _box(body, script)
            return _fenced(inside, left, right, len(inside.lines) > 1 and is_tall(body))
        case Dots(direction):
            return _leaf(DOTS[direction])
        case Matrix(rows):
            return _matrix([[_box(cell, script) for cell in row] for row in rows])
        case Cases(pieces):
            cells = [[_box(value, script), _leaf("  "), _box(when, script)] for value, when in pieces]
            return _fenced(_grid(cells, 0, airy=True, align="left"), "{", "", True)
    assert_never(node)


def _box_of(parts: Sequence[Math], script: bool, known: Mapping[int, _Box] = NONE) -> _Box:
    """Parts side by side; `known` are the boxes of some of them, by `id`."""
    boxes: list[_Box] = []
    before: Math | None = None
    for part in parts:
        box = known.get(id(part)) or _box(part, script)
        # Signs bring their own space.
        if before is not None and not isinstance(before, Sign) and not isinstance(part, Sign):
            last, first = boxes[-1].lines[boxes[-1].base], box.lines[box.base]
            if isinstance(before, BIG) or isinstance(part, BIG) or _apart(before, part, last, first, script):
                boxes.append(_leaf(" "))
        boxes.append(box)
        before = part
    return boxes[0] if len(boxes) == 1 else _beside(boxes)


@lru_cache(maxsize=4096)
def _script(node: Math) -> _Box:
    """A derivation has few different subscripts and superscripts, over and over."""
    return _box(node, True)


def _box_with_scripts(base: _Box, below: Math | None, above: Math | None) -> _Box:
    """Superscript and subscript stand in one column, a line above and a line below the base, or at its ends."""
    sub, sup = below and _script(below), above and _script(above)
    if sup and not sub and len(base.lines) == len(sup.lines) == 1:
        # By far the most common case, Z[2], in short.
        return _Box((" " * base.width + sup.lines[0], base.lines[0] + " " * sup.width), 1, base.width + sup.width)
    width = max(sub.width if sub else 0, sup.width if sup else 0)
    column: list[str] = []
    if sup:
        column += _widened(sup, width, "left").lines
    # The superscript's last line is one above the base line, or the first of a higher base.
    column += [" " * width] * (max(base.base, 1) if sup else 1)
    at = len(column) - 1
    if sub:
        column += [" " * width] * (max(base.depth, 1) - 1)
        column += _widened(sub, width, "left").lines
    return _beside([base, _Box(tuple(column), at, width)])


def _root(body: _Box, plain: bool) -> _Box:
    if plain:
        return _beside([_leaf("√"), body])
    height = len(body.lines)
    lines = [f"{' ' * (height + 1)}{'_' * body.width}"]
    for i, line in enumerate(body.lines):
        stroke = f"{' ' * (height - 1 - i)}╱{' ' * i}"
        lines.append(f"{' ' if i < height - 1 else '╲'}{stroke}{line}")
    return _Box(tuple(lines), body.base + 1, body.width + height + 1)


def _fenced(body: _Box, left: str, right: str, tall: bool) -> _Box:
    sides = [_bracket(side, body, tall) for side in (left, right)]
    return _beside([sides[0], body, sides[1]])


def _bracket(side: str, body: _Box, tall: bool) -> _Box:
    height = len(body.lines)
    if not tall or height == 1 or side not in TALL:
        return _leaf(printable(side))
    top, extension, middle, bottom, *halves = list(TALL[side])
    lines = halves if height == 2 else [top, *[extension] * (height - 2), bottom]
    if height > 2:
        lines[height // 2] = middle
    return _Box(tuple(lines), body.base, 1)


def _grid(rows: Sequence[Sequence[_Box]], space: int, *, airy: bool, align: str = "center") -> _Box:
    """Cells in columns. With more than one line to a cell, or if `airy`, a blank line parts the rows."""
    columns = max(map(len, rows), default=0)
    if not columns:
        return _leaf("")
    widths = [max((row[i].width for row in rows if i < len(row)), default=0) for i in range(columns)]
    gap = [_leaf(" " * space)] if space else []
    lines: list[str] = []
    bases: list[int] = []
    apart = airy or any(len(box.lines) > 1 for row in rows for box in row)
    width = sum(widths) + space * (columns - 1)
    for row in rows:
        boxes: list[_Box] = []
        for i, wide in enumerate(widths):
            boxes += gap if i else []
            boxes.append(_widened(row[i] if i < len(row) else _leaf(""), wide, align))
        line = _beside(boxes)
        if lines and apart:
            lines.append(" " * width)
        bases.append(len(lines) + line.base)
        lines += line.lines
    half = len(rows) // 2
    # On the middle row; between the two middle ones where their number is even.
    base = bases[half] if len(rows) % 2 else (bases[half - 1] + bases[half]) // 2
    return _Box(tuple(lines), base, width)


def _matrix(rows: Sequence[Sequence[_Box]]) -> _Box:
    return _fenced(_grid(rows, 2, airy=False), "[", "]", True)


# Breaking what is too wide. A block is a box with further lines below it.


def _equation(node: Math) -> Equation:
    """A row with ``=`` in it, as the chain that it is."""
    sides: list[list[Math]] = [[]]
    for part in _flat([node]):
        if part == EQUALS:
            sides.append([])
        else:
            sides[-1].append(part)
    left, *parts = (side[0] if len(side) == 1 else Row(tuple(side)) for side in sides)
    return Equation(left, tuple(parts))


def _broken(equation: Equation, width: int) -> list[_Box]:
    """Every part on lines of its own, its ``=`` below the first one."""
    left = _box(equation.left)
    room = width - left.width - 3
    blocks: list[_Box] = []
    if not equation.parts or room < min(24, 2 * width // 3):
        # The left side alone: it takes too much of the width.
        blocks = _fit(_segments(list(_flat([equation.left]))), width)
        prefix = _leaf("  = ")
    else:
        prefix = _beside([left, _leaf(" = ")])
    for part in equation.parts:
        blocks += _led(prefix, _fit(_segments(list(_flat([part]))), width - prefix.width))
        prefix = _leaf(f"{' ' * (prefix.width - 2)}= ")
    return blocks


def _led(prefix: _Box, blocks: list[_Box]) -> list[_Box]:
    """Blocks behind a prefix: beside the first one, as an indent before the others."""
    first, *others = blocks
    return [_beside([prefix, first]), *(_beside([_leaf(" " * prefix.width), block]) for block in others)]


Segment = list[Math]
"""Neighbours between which no line is broken."""


def _segments(parts: Sequence[Math]) -> list[Segment]:
    segments: list[Segment] = []
    for i, part in enumerate(parts):
        breaks = isinstance(part, Sign) and part.role in ("binary", "relation")
        after = i > 0 and isinstance(before := parts[i - 1], Sign) and before.role == "punctuation"
        if not segments or breaks or after:
            segments.append([])
        segments[-1].append(part)
    return segments


def _at_start(parts: Sequence[Math]) -> list[Math]:
    """The parts where they begin a line: a sign there has no space before it."""
    if parts and isinstance(sign := parts[0], Sign) and sign.role in ("binary", "relation"):
        return [Sign(sign.text, "punctuation"), *parts[1:]]
    return list(parts)


def _fit(segments: Sequence[Segment], room: int) -> list[_Box]:
    """Blocks of at most `room` columns, as many segments to a line as go in."""
    blocks: list[_Box] = []
    line: list[Math] = []
    known = {id(part): _box(part) for segment in segments for part in segment}
    whole = _box_of([part for segment in segments for part in segment], False, known)
    if whole.width <= room:
        return [whole] if segments else [_leaf("")]
    for i, segment in enumerate(segments):
        indent = HANG if blocks else 0
        start = line if line else []
        trial = _box_of([*start, *segment] if start else _at_start(segment) if i else segment, False, known)
        if trial.width + indent <= room:
            line = [*start, *segment] if start else _at_start(segment) if i else segment
            continue
        if line:
            blocks.append(_indented(_box_of(line, False, known), indent))
            line, indent = [], HANG
            segment = _at_start(segment)
            if _box_of(segment, False, known).width + indent <= room:
                line = segment
                continue
        blocks += [_indented(block, indent) for block in _forced(segment, room - indent)]
    if line:
        blocks.append(_indented(_box_of(line, False, known), HANG if blocks else 0))
    return blocks or [_leaf("")]


def _indented(block: _Box, indent: int) -> _Box:
    return _beside([_leaf(" " * indent), block]) if indent else block


def _forced(segment: Segment, room: int) -> list[_Box]:
    """A segment that is too wide: opened, or taken apart."""
    if room < NARROW:
        return _chopped(Row(tuple(segment)), room)
    if len(segment) > 1 and isinstance(sign := segment[0], Sign):
        prefix = _leaf(_sign(sign.text, "tight" if sign.role == "tight" else "punctuation"))
        if prefix.width < room // 2:
            return _led(prefix, _fit([segment[1:]], room - prefix.width))
    opened = [part for node in segment for part in _opened(node)]
    if len(opened) > len(segment):
        return _fit(_segments(opened), room)
    if len(segment) > 1:
        return _fit([[part] for part in segment], room)
    (node,) = segment
    return _columns(node, room) if isinstance(node, Matrix) else _chopped(node, room)


def _opened(node: Math) -> list[Math]:
    """The parts of a bracket or a sum, as neighbours."""
    match node:
        case Fence(body, left, right) if not is_tall(body):
            return [Sign(left, "tight"), *_flat([body]), Sign(right, "tight")]
        case BigSum(lower, upper, body) if body != Row(()):
            return [BigSum(lower, upper, Row(())), *_flat([body])]
        case _:
            return [node]


def _columns(matrix: Matrix, room: int) -> list[_Box]:
    """A matrix in blocks of as many columns as go in, each with a line that says which."""
    rows = [[_box(cell) for cell in row] for row in matrix.rows]
    count = max(map(len, rows))
    elided = any(cell == Dots("h") for row in matrix.rows for cell in row)
    total = f"of the {count} shown" if elided else f"of {count}"
    blocks: list[_Box] = []
    first = 0
    while first < count:
        last = first + 1
        block = _matrix([row[first:last] for row in rows])
        while last < count and (wider := _matrix([row[first : last + 1] for row in rows])).width <= room:
            block, last = wider, last + 1
        which = f"columns {first + 1}–{last}" if last > first + 1 else f"column {last}"
        title = next((text for text in (f"{which} {total}:", f"{which}:") if len(text) <= room), "")
        if block.width <= room:
            blocks.append(_stacked([_leaf(title), block], 0, "left"))
        else:
            # Not even one column goes in: entry by entry.
            blocks.append(_leaf(title))
            for row in matrix.rows:
                if first < len(row):
                    blocks += [_indented(part, HANG) for part in _fit(_segments([*_flat([row[first]])]), room - HANG)]
        first = last
    return blocks


def _chopped(node: Math, room: int) -> list[_Box]:
    """The last resort: on one line, and that broken at blanks, or anywhere."""
    room = max(room, 1)
    lines: list[str] = []
    cut = False
    for word in _line(node, False).split():
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= room:
            lines[-1] += f" {word}"
            continue
        lines.append("")
        for char in word:
            if lines[-1] and cell_len(lines[-1] + char) > room:
                lines.append("")
                cut = True
            lines[-1] += char
    # A word that was cut is read on in the next line: nothing, such as a neighbour's subscript, may come between.
    return [*([_leaf("")] if cut else []), *map(_leaf, lines)] or [_leaf("")]
