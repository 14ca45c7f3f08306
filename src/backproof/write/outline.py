"""What every writer asks about a document as a whole: its title, its plain text, the names of its places."""

from __future__ import annotations

import re

from backproof.write.doc import Block, Code, Document, Heading, Inline
from backproof.write.math_unicode import linear


def titled(document: Document) -> tuple[Block, ...]:
    """The blocks, headed by the document's title if they do not bring a heading of level 1 themselves."""
    if any(isinstance(block, Heading) and block.level == 1 for block in document.blocks):
        return document.blocks
    return (Heading(1, (document.title,)), *document.blocks)


def plain(text: Inline) -> str:
    """Running text without any markup, formulas on one line."""
    words = []
    for part in text:
        match part:
            case str():
                words.append(part)
            case Code(code):
                words.append(code)
            case _:
                words.append(linear(part))
    return "".join(words)


class Anchors:
    """Names of places in a document, each given out once: ``dZ[2]`` becomes ``dZ2``, a second one ``dZ2-2``."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def __call__(self, text: str) -> str:
        stem = re.sub(r"\W+", "-", re.sub(r"\[(\w+)\]", r"\1", text)).strip("-") or "place"
        name, count = stem, 1
        while name in self._given:
            count += 1
            name = f"{stem}-{count}"
        self._given.add(name)
        return name
