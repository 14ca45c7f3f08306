"""The article is the first golden: its displayed equations, token for token, from the tool's own output.

White space does not count, and neither do the commands that only make some (``\\;``, ``\\ ``), size commands, and the
empty rows that the article puts between the rows of a matrix to spread them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

import pytest

import backproof as bp
from backproof.write.doc import Block, Display, Step
from backproof.write.document import document
from backproof.write.math import chain
from backproof.write.math_latex import latex

TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\\\\|[^\s]")
SPACING = {"\\;", "\\,", "\\ ", "\\large", "\\displaystyle"}


def tokens(latex: str) -> list[str]:
    latex = re.sub(r"\\\\(\s*(&\s*)+\\\\)", r"\\\\", latex)  # an empty row
    latex = re.sub(r"\\\\\[\d+pt\]", r"\\\\", latex)  # room between rows
    latex = re.sub(r"\\\\\s*\\end", r"\\end", latex)  # a row ended although none follows
    return [token for token in TOKEN.findall(latex) if token not in SPACING]


def from_comment(article: str) -> dict[str, str]:
    """The equations in the comment at the article's end, by what they are."""
    comment = article[article.index("<!--") : article.index("Size and format")]
    names = {
        "A[2]": "A[2] forward propagation:",
        "J": "total loss function:",
        "dA[2]": "dA[2] (size 10pts):",
        "dZ[2]": "dZ[2] (size 10pts):",
    }
    found = {}
    for name, title in names.items():
        start = comment.index(title) + len(title)
        found[name] = re.split(r"\n\s*\n(?=[a-zA-Z])", comment[start:].strip() + "\n\n")[0]
    return found


def from_pictures(article: str) -> list[str]:
    """The equations that the article displays, which are pictures with their source in the address."""
    return [unquote(address) for address in re.findall(r"latex\.codecogs\.com/svg\.latex\?([^\s]+)\)", article)]


@pytest.fixture(scope="module")
def displayed() -> list[list[str]]:
    """The tokens of every displayed equation that the tool writes for the article's network."""
    content = document(bp.derive("3-4-3", mean="parameters"), expand=True)
    return [tokens(latex(chain(display.equation))) for display in displays(content.blocks)]


def displays(blocks: Iterable[Block]) -> Iterator[Display]:
    for block in blocks:
        if isinstance(block, Display):
            yield block
        elif isinstance(block, Step):
            yield from displays(block.blocks)


@pytest.mark.parametrize("name", ["A[2]", "J", "dA[2]", "dZ[2]"])
def test_equation_of_the_comment_is_written_token_for_token(
    article: str, displayed: list[list[str]], name: str
) -> None:
    expected = tokens(from_comment(article)[name])
    assert len(expected) > 20
    assert expected in displayed


def test_every_displayed_equation_of_the_article_is_written(article: str, displayed: list[list[str]]) -> None:
    equations = from_pictures(article)
    assert len(equations) == 5
    for equation in equations:
        assert tokens(equation) in displayed, equation


def test_a_changed_token_is_noticed(article: str, displayed: list[list[str]]) -> None:
    equation = from_comment(article)["dZ[2]"].replace("'", "", 1)
    assert tokens(equation) not in displayed
