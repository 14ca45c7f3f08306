"""The pictures of a document: one SVG file for each displayed equation and each figure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from backproof.write.doc import Block, CodeBlock, Display, Document, Figure, Heading, Paragraph, Step, Table, Values
from backproof.write.figure_svg import figure_svg
from backproof.write.math import chain
from backproof.write.math_svg import svg


def svgs(document: Document) -> dict[str, str]:
    """File name to SVG, in the document's order."""
    files: dict[str, str] = {}
    _collect(document.blocks, files)
    return files


def _collect(blocks: Iterable[Block], files: dict[str, str]) -> None:
    for block in blocks:
        match block:
            case Display(name, equation):
                files[f"{name}.svg"] = svg(chain(equation))
            case Figure(name):
                files[f"{name}.svg"] = figure_svg(block)
            case Step(_, _, _, inner):
                _collect(inner, files)
            case Heading() | Paragraph() | CodeBlock() | Table() | Values():
                pass
            case _:
                assert_never(block)
