"""Places in a user's source code, as messages and reports name them."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from traceback import walk_tb
from types import CodeType
from typing import TypeVar

from backproof.ir.errors import BackproofError

E = TypeVar("E", bound=BackproofError)


_SHOWN: dict[str, str] = {}


def show_as(file: str, name: str) -> None:
    """Calls a file by another name wherever a place in it is told: a notebook's cell, which Python takes for a file."""
    _SHOWN[file] = name


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the user's source."""

    file: str
    number: int
    within: CodeType | None = None
    """The code of a lambda, which is only a part of its line."""

    def __str__(self) -> str:
        return f"{_SHOWN.get(self.file, Path(self.file).name)}, line {self.number}"

    @property
    def text(self) -> str:
        """The line as it is written; of a lambda its expression."""
        return (self.within and _expression(self.within)) or linecache.getline(self.file, self.number).strip()


def raised(
    kind: type[E],
    name: str,
    error: Exception,
    is_own: Callable[[CodeType], bool],
    shapes: Mapping[str, tuple[int, ...]],
) -> E:
    """The error of a kind for a function of the user's that does not run, with the last line of his that it came to."""
    own = [Line(frame.f_code.co_filename, n) for frame, n in walk_tb(error.__traceback__) if is_own(frame.f_code)]
    given = ", ".join(f"{key} {' × '.join(map(str, shape)) or 'one number'}" for key, shape in shapes.items())
    return kind(
        f"{name} raises {type(error).__name__}",
        where=str(own[-1]) if own else "",
        why=str(error),
        instead=f"it has to run on its arguments, whose shapes are: {given}" if given else "",
    )


def _expression(code: CodeType) -> str:
    """The source of a lambda's expression, which is where all its instructions come from; "" where there is none."""
    spans = [span for span in map(span_of, code.co_positions()) if span is not None and span[0] < span[1]]
    if not spans:
        return ""
    return written(code.co_filename, (min(start for start, _ in spans), max(end for _, end in spans)))


Span = tuple[tuple[int, int], tuple[int, int]]
"""From which line and column to which; columns are counted in bytes."""


def span_of(position: tuple[int | None, int | None, int | None, int | None]) -> Span | None:
    """Where an instruction comes from, as Python tells it; None where it does not."""
    first, last, start, end = position
    if first is None or last is None or start is None or end is None:
        return None
    return (first, start), (last, end)


def written(file: str, span: Span) -> str:
    """An expression as it is written, in one line."""
    (first, start), (last, end) = span
    lines = [linecache.getline(file, number).encode() for number in range(first, last + 1)]
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][start:]
    text = b"".join(lines).decode(errors="replace")
    try:
        return text if first == last else ast.unparse(ast.parse(f"({text})", mode="eval"))
    except SyntaxError:  # the file is another one by now
        return ""
