"""Text for people: a derivation as a document, and a document in each format."""

from __future__ import annotations

import io
from importlib import import_module
from typing import Literal

from backproof.derivation.derivation import Derivation
from backproof.write.doc import Document
from backproof.write.document import document

Format = Literal["markdown", "latex", "html", "json", "text"]
TEXT_WIDTH = 100


def rendered(derivation: Derivation, format: Format, *, expand: bool = False, title: str = "") -> str:
    """A derivation as text in one of the formats; `expand` adds entries and proofs (JSON always has them)."""
    if format == "json":
        from backproof.write.json import derivation_json

        return derivation_json(derivation, title=title)
    return written(document(derivation, title=title, expand=expand), format)


def written(content: Document, format: Format) -> str:
    """A document as text. Only the writer that is asked for is imported."""
    if format == "text":
        from rich.console import Console

        from backproof.write.terminal import terminal

        console = Console(file=io.StringIO(), width=TEXT_WIDTH, color_system=None)
        terminal(content, console)
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue()
    names = {"markdown": "markdown", "latex": "latex_document", "html": "html"}
    module = import_module(f"backproof.write.{'latex' if format == 'latex' else format}")
    text: str = getattr(module, names[format])(content)
    return text
