"""Every writer, on a document with every kind of block and every character that some format takes for its own."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import shutil
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from backproof.write.doc import (
    Block,
    Code,
    CodeBlock,
    Display,
    Document,
    Dot,
    Figure,
    Heading,
    Paragraph,
    Step,
    Table,
    Values,
)
from backproof.write.html import html
from backproof.write.latex import latex_document
from backproof.write.markdown import markdown
from backproof.write.math import (
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
)
from backproof.write.outline import Anchors
from backproof.write.svg import svgs
from backproof.write.terminal import terminal
from backproof.write.values import aligned, extract, number


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Pictures are kept between runs, but not those of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


NASTY = r"< & > _ $ % # \ | * ` ~ ^ { } [x](y) <b>bold</b> 'single' \"double\" &amp; --"


def layer(base: str, l: int, sub: Math | None = None) -> Math:
    return Scripts(Ident(base), sub, Row((Sign("[", "tight"), Number(str(l)), Sign("]", "tight"))))


def matrix(rows: int, columns: int) -> Matrix:
    return Matrix(
        tuple(
            tuple(
                layer("w", 2, Row((Number(str(p)), Sign(",", "tight"), Number(str(q))))) for q in range(1, columns + 1)
            )
            for p in range(1, rows + 1)
        )
    )


M_INVERSE = Frac(Number("1"), Ident("m"))
A_T = Scripts(layer("A", 1), None, Ident("T"))
DW = Equation(
    layer("dW", 2),
    (
        Frac(Ident("∂J"), Row((Ident("∂"), layer("W", 2)))),
        Row((M_INVERSE, layer("dZ", 2), Sign("·"), A_T)),
        Row((layer("dZ", 2), Sign("·"), A_T)),
    ),
)
EVERY_MATH = Row(
    (
        Hat(Ident("Y")),
        Sign("=", "relation"),
        Sqrt(Row((Ident("x"), Sign("+"), Number("0.044715")))),
        Sign("*"),
        Prime(layer("g", 2)),
        Fence(Ident("z")),
        Sign("−"),
        BigSum(Row((Ident("i"), Sign("=", "relation"), Number("1"))), Ident("m"), Scripts(Ident("y"), Ident("i"))),
        Sign("·"),
        Func("tanh"),
        Fence(Ident("z"), "|", "|"),
        Dots("h"),
        Cases(((Ident("z"), Row((Word("if "), Ident("z"), Sign(">", "relation"), Number("0")))),
               (Number("0"), Word("otherwise")))),
    )
)  # fmt: skip

FIGURE = Figure(
    "network",
    "A network <with> 2 & 1 nodes",
    (Dot(0, 0, layer("a", 1)), Dot(0, 1, None), Dot(0, 2, layer("a", 1, Number("3"))), Dot(1, 1, Ident("y"))),
    ((0, 3), (2, 3)),
    ((0.0, ("layer_1",)), (1.0, ("output",))),
)
NUMBERS = np.array([[1.0, -0.5, 1234567.0], [1.2345678e-05, 0.0, np.nan]])

BLOCKS: tuple[Block, ...] = (
    Heading(1, ("The backward pass of ", Code("4-4-3"))),
    Paragraph(("Text with ", Ident("x"), " and ", Code("W[1]"), ": ", NASTY)),
    FIGURE,
    Heading(2, ("Backward pass ", layer("dA", 2))),
    Step(
        12,
        "dW[2]",
        ("the derivative by ", layer("W", 2)),
        (
            Display("dW2", DW),
            Paragraph(("It holds for ∂J → 0, Σ ≤ 1, x₁², é and 中.",)),
            Display("dW2-entries", Equation(layer("W", 2), (matrix(2, 2),))),
        ),
    ),
    Step(13, "dW[2]", (), (Paragraph(("The same symbol again.",)),)),
    Display("everything", Equation(Ident("y"), (EVERY_MATH,))),
    CodeBlock("def f(x):\n\treturn x < 1 and '`' | \"_$%#\\\\\"  # & ```\n", "python"),
    Table(
        (("name",), ("a | b",), (Ident("z"),)),
        (((NASTY,), (Code("p|q"),), ("1.5",)), (("",), (Row((Ident("a"), Sign("|", "tight"), Ident("b"))),), ("-2",))),
        "lcr",
    ),
    Values((layer("dW", 1), " & co."), NUMBERS),
    Values(("many",), np.arange(400.0).reshape(20, 20)),
    Values(("row",), np.arange(3)),
    Values(("none",), np.zeros((0, 3))),
)
SAMPLE = Document("Backward & forward <pass>", BLOCKS)


def printed(document: Document, width: int, *, colour: bool = False) -> str:
    file = io.StringIO()
    terminal(
        document, Console(file=file, width=width, force_terminal=colour, color_system="truecolor" if colour else None)
    )
    return file.getvalue()


def only(*blocks: Block) -> Document:
    """A document whose title is in the way of nothing."""
    return Document("T", (Heading(1, ("T",)), *blocks))


# All of them


@pytest.mark.parametrize("write", [markdown, latex_document, html, svgs, lambda d: printed(d, 80)])
def test_the_same_again(write: Callable[[Document], object]) -> None:
    assert write(SAMPLE) == write(SAMPLE)


def test_a_title_stands_where_no_heading_does() -> None:
    document = Document("A & B", (Paragraph(("text",)),))
    assert printed(document, 40).splitlines()[0] == "A & B"
    assert markdown(document).startswith("# A & B\n")
    assert r"\documenttitle{A \& B}" in latex_document(document)
    assert "<h1>A &amp; B</h1>" in html(document)


# Numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float64(1 / 3), "0.333333"),
        (np.float64(-0.0), "0"),
        (np.float64(1.2e-05), "1.2e-05"),
        (np.float32(0.1), "0.1"),
        (np.int64(12345678), "12345678"),
        (np.bool_(True), "True"),
        (np.float64(np.nan), "nan"),
    ],
)
def test_number(value: object, text: str) -> None:
    assert number(value) == text


def test_decimal_points_meet() -> None:
    assert aligned(["1.25", "-3", None, "10.5"]) == ["1.25", "-3   ", None, "10.5 "]
    assert aligned(["1", "-3"]) == ["1", "-3"]
    assert aligned(["1.25", "1e-05"]) == ["1.25", "1e-05"]


def test_extract_says_what_it_leaves_out() -> None:
    shown = extract(np.zeros((5, 9)), 8, 4)
    assert shown.rows == (0, 1, 2, 3, 4)
    assert shown.columns == (0, 1, None, 7, 8)
    assert shown.left_out == "columns 3 to 7 left out"
    assert extract(np.zeros((3, 9)), 2, 8).left_out == "row 2 and column 5 left out"


def test_anchors_are_given_once() -> None:
    anchors = Anchors()
    assert [anchors(text) for text in ("dZ[2]", "dZ[2]", "layer norm.γ", "<&>", "W[1]_2")] == [
        "dZ2",
        "dZ2-2",
        "layer-norm-γ",
        "place",
        "W1_2",
    ]


# Terminal


@pytest.mark.parametrize("width", [1, 7, 20, 40, 61, 80, 200])
def test_no_line_is_wider_than_the_console(width: int) -> None:
    widths = [cell_len(line) for line in printed(SAMPLE, width).splitlines()]
    assert max(widths) <= max(width, 2)  # a character of two cells needs them


def test_no_colour_when_piped() -> None:
    assert "\x1b" not in printed(SAMPLE, 80)
    assert "\x1b[" in printed(SAMPLE, 80, colour=True)


def test_control_characters_are_not_obeyed() -> None:
    text = printed(only(Paragraph(("a\x1b[31mb\x07",)), CodeBlock("c\x1b]0;d\x9b"), Step(1, "x\x1b", (), ())), 40)
    assert "a�[31mb�" in text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)


def test_code_is_broken_at_spaces() -> None:
    text = printed(only(CodeBlock("    dW = first @ second + third\n" + "x" * 30)), 24)
    assert text.splitlines()[3:] == [
        "        dW = first @",
        "            second +",
        "            third",
        "    " + "x" * 20,
        "    " + "x" * 10,
    ]


def test_terminal_layout() -> None:
    step = Step(12, "dW[2]", ("the derivative by ", Ident("W")), (Paragraph(("one two three four five six",)),))
    assert printed(only(Heading(2, ("Part",)), step, CodeBlock("a\n\n  b"), Values(("v",), np.eye(2) / 4)), 24) == (
        "T\n"
        "═\n"
        "\n"
        "Part\n"
        "────\n"
        "\n"
        "[12] dW[2]  the\n"
        "    derivative by W\n"
        "    one two three four\n"
        "    five six\n"
        "\n"
        "    a\n"
        "\n"
        "      b\n"
        "\n"
        "v (2 × 2):\n"
        "    0.25  0\n"
        "    0     0.25\n"
    )


def test_terminal_values() -> None:
    assert printed(only(Values(("v",), NUMBERS)), 60).splitlines()[3:] == [
        "v (2 × 3):",
        "              1  -0.5  1.23457e+06",
        "    1.23457e-05   0            nan",
    ]
    text = printed(only(Values(("many",), np.arange(400).reshape(20, 20))), 60).splitlines()[3:]
    assert text[0] == "many (20 × 20); rows 7 to 14 and columns 7 to 15 left out:"
    assert len(text) == 14
    assert text[7] == "      ⋮    ⋮    ⋮    ⋮    ⋮    ⋮  ⋱    ⋮    ⋮    ⋮    ⋮    ⋮"


def test_terminal_words_stay_whole_across_styles() -> None:
    words = ("see ", Code("alpha"), "-", Code("beta"), ", then go")
    assert printed(only(Paragraph(words)), 16).splitlines()[3:] == ["see alpha-beta,", "then go"]


def test_terminal_is_fast() -> None:
    equation = Equation(layer("dZ", 2), (Row((layer("dA", 2), Sign("*"), Prime(layer("g", 2)))),))
    sentence = (
        "The derivative of an element-wise function acts entry by entry, so ",
        layer("Z", 2),
        " keeps its shape.",
    )
    steps = tuple(
        Step(k, f"dZ[{k}]", ("the derivative by ", layer("Z", 2)), (Display(f"dZ{k}", equation), Paragraph(sentence)))
        for k in range(600)
    )
    best = min(_seconds(Document("T", steps)) for _ in range(3))
    assert best < 0.5  # ten times what is usual, so that a busy machine is no failure


def _seconds(document: Document) -> float:
    start = time.perf_counter()
    printed(document, 100)
    return time.perf_counter() - start


# Markdown


def test_markdown_escapes_text() -> None:
    assert markdown(only(Paragraph((r"a_b *c* $5 [x](y) <i> & &lt; #1 p|q ~~s~~ `k` \n",)))) == (
        "# T\n\n"
        r"a\_b \*c\* \$5 \[x\](y) \<i\> & &amp;lt; \#1 p\|q \~\~s\~\~ \`k\` \\n"
        "\n"
    )
    assert markdown(only(Paragraph(("1. not a list",)), Paragraph(("- nor this",)))).endswith(
        "\n1\\. not a list\n\n\\- nor this\n"
    )


def test_markdown_formulas_hold_nothing_that_markdown_takes() -> None:
    text = markdown(SAMPLE)
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    formulas = re.findall(r"\$\$\n(.*?)\n\$\$|(?<![\\$])\$([^$\n]+)\$", prose, flags=re.DOTALL)
    assert len(formulas) >= 8
    for display, inline in formulas:
        formula = display or inline
        assert not re.search(r"[*|<>~]|\]\(|\]\[|\\[,;:!{}|]", formula), formula
        assert not re.search(r"[^0-9A-Za-z]_(?! )", formula), formula
        assert "\n\n" not in formula


def test_markdown_display_is_one_chain() -> None:
    equation = Equation(Ident("a"), (Ident("b"), Ident("c")))
    assert "$$\na = b = c\n$$" in markdown(only(Display("a", equation))).replace("  ", " ")


def test_markdown_dollars_have_limits() -> None:
    text = markdown(only(Paragraph(("2", Ident("x"), Ident("y"), "s (", Ident("z"), ")"))))
    assert "2 $x$ $y$ s ($z$)" in text


def test_markdown_fences_are_longer_than_what_they_hold() -> None:
    text = markdown(only(CodeBlock("```\n"), Paragraph((Code("a`b"), " ", Code("`")))))
    assert "````\n```\n````" in text
    assert "``a`b`` `` ` ``" in text


def test_markdown_tables_keep_their_columns() -> None:
    tables = re.findall(r"(?:^\|.*\n)+", markdown(SAMPLE), flags=re.MULTILINE)
    assert len(tables) == 4
    for table in tables:
        counts = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(counts) == 1
    assert r"`p\|q`" in tables[0]


def test_markdown_values() -> None:
    text = markdown(only(Values(("v",), np.arange(20.0).reshape(2, 10))))
    assert text.endswith(
        "v (2 × 10); columns 5 to 6 left out:\n\n"
        "|  | 1 | 2 | 3 | 4 | ⋯ | 7 | 8 | 9 | 10 |\n"
        "| --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |\n"
        "| **1** | 0 | 1 | 2 | 3 | ⋯ | 6 | 7 | 8 | 9 |\n"
        "| **2** | 10 | 11 | 12 | 13 | ⋯ | 16 | 17 | 18 | 19 |\n"
    )


def test_markdown_steps_stand_below_their_heading() -> None:
    assert "\n## Backward pass $" in markdown(SAMPLE)
    assert "\n### 12. `dW[2]` the derivative by $" in markdown(SAMPLE)


# LaTeX


def test_latex_escapes_text() -> None:
    text = latex_document(only(Paragraph((r"< & _ $ % # \ | ^ ~ { } -- ---",))))
    for escaped in (
        r"\textless{} \& \_ \$ \% \# \textbackslash{} \textbar{} \textasciicircum{} \textasciitilde{} \{ \} ",
        " -{}- -{}-{}-",
    ):
        assert escaped in text


def test_latex_knows_signs_in_text() -> None:
    text = latex_document(only(Paragraph(("∂ Σ − · ≤ x₁ m⁻¹ → é 中",))))
    assert r"$\partial$ $\Sigma$ $-$ $\cdot$ $\le$ x$_{1}$ m$^{-}$$^{1}$ $\to$ é [U+4E2D]" in text


def test_latex_breaks_chains() -> None:
    one, two = Equation(Ident("a"), (Ident("b"),)), Equation(Ident("a"), (Ident("b"), Ident("c")))
    assert "aligned" not in latex_document(only(Display("a", one)))
    assert "\\begin{aligned}\n  a\n  &= b \\\\\n  &= c\n\\end{aligned}" in latex_document(only(Display("a", two)))


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_compiles(tmp_path: Path) -> None:
    everything = " ".join(chr(code) for code in (*range(32, 0x250), *range(0x370, 0x400), *range(0x2000, 0x2300)))
    wide = Display("wide", Equation(Ident("W"), (matrix(30, 24), matrix(2, 2))))
    long = Table((("n",), ("about",)), tuple(((str(k),), ("words " * 30,)) for k in range(60)), "rl")
    source = tmp_path / "document.tex"
    code = "np.sum((W@h+np.tanh(W@h*2.0+1.0)*np.maximum(W@h+0.5,0.0)*3.0+np.sin(W@h)*np.cos(W@h)+np.log(1.0+h))**2)"
    title = Step(1, "J", (Code(code), " (model.py, line 3)"), ())
    blocks = (*BLOCKS, wide, long, Paragraph((everything,)), CodeBlock(everything), title)
    source.write_text(latex_document(Document("T", blocks)), encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", source.name],
        cwd=tmp_path,
        capture_output=True,
        timeout=120,
    )
    log = done.stdout.decode(errors="replace")
    assert done.returncode == 0, log[-3000:]
    # No formula or table off the page; a line of prose may stick out by a few points.
    over = [float(width) for width in re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\)", log)]
    assert max(over, default=0) < 20, log


# HTML


class Page(HTMLParser):
    """The elements of a page, checked to be closed in order."""

    VOID = frozenset({"meta", "br", "hr", "img", "link", "wbr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_html_is_well_formed() -> None:
    text = html(SAMPLE)
    page = Page(text)
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == 1
    names = [name for _, attributes in page.elements if (name := attributes.get("id"))]
    assert len(names) == len(set(names))
    links = {(attributes.get("href") or "").removeprefix("#") for attributes in page.all("a")}
    assert links <= set(names)
    formulas = re.findall(r"<math\b.*?</math>", text, flags=re.DOTALL)
    pictures = re.findall(r"<figure id.*?</figure>", text, flags=re.DOTALL)
    assert len(formulas) >= 8
    assert len(pictures) == 1
    for fragment in (*formulas, *pictures):
        ElementTree.fromstring(fragment)


def test_html_escapes() -> None:
    page = Page(html(SAMPLE))
    assert NASTY in page.text
    assert page.all("b") == []
    assert "<title>Backward &amp; forward &lt;pass&gt;</title>" in html(SAMPLE)


def test_html_steps_are_sections_in_the_contents() -> None:
    page = Page(html(SAMPLE))
    steps = [attributes["id"] for attributes in page.all("section") if attributes.get("class") == "step"]
    assert steps == ["dW2", "dW2-2"]
    for anchor in (*steps, "Backward-pass-dA-2"):
        assert anchor is not None
    linked = [attributes.get("href") for attributes in page.all("a")]
    assert linked.count("#dW2") == 2  # in the contents and at the step itself


def test_html_allows_its_own_style_and_nothing_else() -> None:
    text = html(SAMPLE)
    style = text.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(a["content"] for a in Page(text).all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; ")
    assert "<script" not in text
    outside = re.findall(r"""(?:src|href)=["'](?!#)([^"']*)|url\((?!#)([^)]*)\)""", text)
    assert outside == []


def test_html_boxes_that_scroll_can_be_reached() -> None:
    boxes = [
        attributes for tag, attributes in Page(html(SAMPLE)).elements if "scroll" in (attributes.get("class") or "")
    ]
    assert len(boxes) >= 8
    for box in boxes:
        assert box["tabindex"] == "0"
        assert box["role"] == "group"
        assert box["aria-label"]


def test_html_short_page_has_no_contents() -> None:
    assert "<nav" not in html(only(Paragraph(("text",))))


def test_html_values_are_elided() -> None:
    text = html(only(Values(("v",), np.zeros((40, 50)))))
    assert "40 × 50; rows 9 to 32 and columns 9 to 42 left out" in text
    assert text.count("<tr>") == 17


# SVG


def test_svgs_one_file_per_picture() -> None:
    files = svgs(SAMPLE)
    assert list(files) == ["network.svg", "dW2.svg", "dW2-entries.svg", "everything.svg"]
    for text in files.values():
        assert ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"


@pytest.mark.parametrize("write", [html, markdown, latex_document, lambda document: svgs(document)["f.svg"]])
def test_no_control_characters(write: Callable[[Document], str]) -> None:
    nasty = "a\x00\x1b\x07\x9b\u2028\u202eb"
    figure = Figure("f", nasty, (Dot(0, 0, Ident("x")),), (), ((0.0, (nasty,)),))
    table = Table(((nasty,),), (((Code(nasty),),),), "l")
    blocks = (Heading(2, (nasty,)), Paragraph((nasty, Code(nasty))), CodeBlock(nasty), table, figure)
    text = write(Document(nasty, (*blocks, Step(1, nasty, (nasty,), ()))))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]", text)
