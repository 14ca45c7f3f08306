"""Makes mistakes.md from the table of mistakes: `make golden` writes it, and a test fails while it is out of date."""

from __future__ import annotations

from inspect import cleandoc

from backproof.checking.mistakes.kinds import Kind
from backproof.checking.mistakes.table import IN_THE_LINE, IN_THE_NUMBERS, TABLE
from backproof.write.doc import Block, Code, CodeBlock, Document, Heading, Inline, Paragraph
from backproof.write.markdown import markdown

OPENING = """
This page is made from the table of mistakes, `backproof.checking.mistakes.table`, by `docs/mistakes.py`. The name of a
mistake is what `backproof check` calls it in `finding.mistakes`, and stays. Of each, the first line has the mistake and
the second is right.
"""

PARTS: dict[str, tuple[str, tuple[Kind, ...]]] = {
    "Edits of the right equation": (
        "The right equation is edited, and a mistake is named if the edited one gives the numbers found. Where several "
        "give the same numbers, those come first that are made of the quantities that the line reads, and then those "
        "that stand further up here.",
        TABLE,
    ),
    "Numbers": ("How large these are is found from the numbers.", IN_THE_NUMBERS),
    "Lines": ("These are found in the code itself.", IN_THE_LINE),
}


def page() -> str:
    """The whole page as Markdown."""
    blocks: list[Block] = [Heading(1, ("The mistakes",)), Paragraph(_with_code(cleandoc(OPENING)))]
    for title, (opening, kinds) in PARTS.items():
        blocks += [Heading(2, (title,)), Paragraph((opening,))]
        for kind in kinds:
            blocks += [Heading(3, _with_code(kind.name)), Paragraph(_with_code(kind.about))]
            blocks.append(CodeBlock(f"{kind.wrong}\n{kind.right}", "text"))
    return markdown(Document("The mistakes", tuple(blocks)))


def _with_code(text: str) -> Inline:
    parts = text.replace("\n", " ").split("`")
    return tuple(Code(part) if k % 2 else part for k, part in enumerate(parts) if part)


if __name__ == "__main__":
    print(page(), end="")
