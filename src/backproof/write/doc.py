"""The closed set of document nodes. Every writer is one `match` over `Block`, closed by `assert_never`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backproof.write.math import Equation, Math


@dataclass(frozen=True, slots=True)
class Code:
    """A word of code inside running text: a symbol's plain name, a command, a file."""

    text: str


Inline = tuple["str | Math | Code", ...]
"""Running text: plain strings, formulas and words of code, in order."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 is the document's title."""

    level: int
    text: Inline


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of running text."""

    text: Inline


@dataclass(frozen=True, slots=True)
class Display:
    """A displayed equation. `name` is unique in the document and fit for a file name: ``dZ2``, ``dZ2-entries``."""

    name: str
    equation: Equation


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A program or a terminal's output, verbatim."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table. `align` has one of ``l``, ``r``, ``c`` per column."""

    header: tuple[Inline, ...]
    rows: tuple[tuple[Inline, ...], ...]
    align: str


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """The numbers of one matrix (one or two axes); a writer elides what does not fit and says what it left out."""

    label: Inline
    array: np.ndarray


@dataclass(frozen=True, slots=True)
class Dot:
    """A node of a figure at (x, y), in units of the distance between neighbours; y grows downward.

    `label` None is a place where nodes were left out: three dots.
    """

    x: float
    y: float
    label: Math | None


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture of nodes and the lines between them (`lines` holds pairs of positions in `dots`).

    `captions` are short texts under the picture: (x, text).
    """

    name: str
    alt: str
    dots: tuple[Dot, ...]
    lines: tuple[tuple[int, int], ...]
    captions: tuple[tuple[float, Inline], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the derivation: a title line and what belongs to it. `symbol` is its plain name, e.g. ``dZ[2]``."""

    number: int
    symbol: str
    title: Inline
    blocks: tuple[Block, ...]


Block = Heading | Paragraph | Display | CodeBlock | Table | Values | Figure | Step


@dataclass(frozen=True, slots=True)
class Document:
    """A whole document: its title (plain text) and its blocks."""

    title: str
    blocks: tuple[Block, ...]
