"""The picture of a network: in characters, as SVG, as TikZ."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

import pytest
from rich.cells import cell_len

from backproof.write.doc import Dot, Figure
from backproof.write.figure_svg import figure_svg
from backproof.write.figure_text import figure_text
from backproof.write.figure_tikz import figure_tikz
from backproof.write.math import Ident, Math, Number, Row, Scripts, Sign
from backproof.write.outline import plain


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Pictures are kept between runs, but not those of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


SVG = "{http://www.w3.org/2000/svg}"


def label(base: str, layer: int | None, node: int) -> Math:
    """``a_{2}^{[1]}``."""
    sup = None if layer is None else Row((Sign("[", "tight"), Number(str(layer)), Sign("]", "tight")))
    return Scripts(Ident(base), Number(str(node)), sup)


def network(*sizes: int, gap: bool = False) -> Figure:
    """Layers side by side, each centred, all nodes of neighbours connected; with `gap` the last node but one is ⋮."""
    dots: list[Dot] = []
    lines: list[tuple[int, int]] = []
    before: list[int] = []
    for layer, size in enumerate(sizes):
        column = []
        for node in range(size):
            left_out = gap and size > 2 and node == size - 2
            name = label("x", None, node + 1) if layer == 0 else label("a", layer, node + 1)
            if not left_out:
                column.append(len(dots))
            dots.append(Dot(float(layer), node + (max(sizes) - size) / 2, None if left_out else name))
        lines += [(one, other) for one in before for other in column]
        before = column
    captions = tuple((float(i), ("input",) if i == 0 else (f"layer {i}",)) for i in range(len(sizes)))
    return Figure("network", "A network with layers of " + ", ".join(map(str, sizes)) + " nodes", tuple(dots),
                  tuple(lines), captions)  # fmt: skip


ARTICLE = network(4, 4, 3)


@pytest.mark.parametrize("width", [4, 11, 20, 33, 40, 60, 80, 120])
@pytest.mark.parametrize("gap", [False, True])
@pytest.mark.parametrize("sizes", [(4, 4, 3), (1,), (2, 9), (3, 3, 3, 3, 3, 3, 3)])
def test_text_keeps_to_its_width(sizes: tuple[int, ...], gap: bool, width: int) -> None:
    lines = figure_text(network(*sizes, gap=gap), width)
    assert lines
    assert max(map(cell_len, lines)) <= width
    assert all(line == line.rstrip() for line in lines)


def test_text_shows_every_label_and_caption() -> None:
    text = "\n".join(figure_text(ARTICLE, 80))
    for dot in ARTICLE.dots:
        assert dot.label is not None
        assert plain((dot.label,)) in text
    last = text.splitlines()[-1]
    assert last.split("  ")[0].strip() == "input"
    assert last.index("input") < last.index("layer 1") < last.index("layer 2")


def test_text_draws_lines_in_braille() -> None:
    dots = (Dot(0, 0, Ident("a")), Dot(1, 0, Ident("b")))
    joined = figure_text(Figure("f", "", dots, ((0, 1),), ()), 40)
    apart = figure_text(Figure("f", "", dots, (), ()), 40)
    assert joined == ["a " + "⠤" * 27 + " b"]
    assert apart == ["a" + " " * 29 + "b"]


def test_text_draws_what_is_above_and_below() -> None:
    dots = (Dot(0, 0, Ident("a")), Dot(0, 1, Ident("b")))
    assert figure_text(Figure("f", "", dots, ((1, 0),), ()), 40) == ["a", "⢸", "⢸", "⢸", "b"]


def test_text_puts_dots_where_nodes_are_left_out() -> None:
    assert "⋮" in "\n".join(figure_text(network(4, 3, gap=True), 60))


def test_text_without_room_is_a_list() -> None:
    lines = figure_text(ARTICLE, 20)
    assert lines[0].startswith("input: ")
    assert any(line.startswith("layer 2: ") for line in lines)


def test_text_moves_captions_that_would_meet() -> None:
    dots = tuple(Dot(float(x), 0, Ident("a")) for x in range(3))
    captions = tuple((float(x), (f"a very long caption {x}",)) for x in range(3))
    lines = figure_text(Figure("f", "", dots, (), captions), 40)
    assert max(map(cell_len, lines)) <= 40
    for number in range(3):
        assert any(f"a very long caption {number}" in line for line in lines)


def test_text_of_nothing() -> None:
    assert figure_text(Figure("f", "", (), (), ()), 40) == []


def test_svg_is_well_formed_and_says_what_it_shows() -> None:
    root = ElementTree.fromstring(figure_svg(ARTICLE))
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert root[0].tag == f"{SVG}title"
    assert root[0].text == ARTICLE.alt
    described = root.findtext(f"{SVG}desc") or ""
    assert described.startswith("input: ")
    assert len(root.findall(f".//{SVG}line")) == 4 * 4 + 4 * 3
    assert len(root.findall(f"{SVG}circle")) == 11
    assert [text.text for text in root.findall(f"{SVG}text")] == ["input", "layer 1", "layer 2"]


def test_svg_stays_inside_its_picture() -> None:
    root = ElementTree.fromstring(figure_svg(network(2, 5, gap=True)))
    _, _, width, height = map(float, (root.get("viewBox") or "").split())
    for circle in root.findall(f"{SVG}circle"):
        x, y, r = (float(circle.get(name, "0")) for name in ("cx", "cy", "r"))
        assert 0 <= x - r <= x + r <= width
        assert 0 <= y - r <= y + r <= height


def test_svg_names_are_its_own() -> None:
    text = figure_svg(ARTICLE)
    root = ElementTree.fromstring(text)
    names = [name for element in root.iter() if (name := element.get("id"))]
    assert len(names) == len(set(names))
    assert all(name.startswith("network-") for name in names)
    used = [(element.get("href") or "").removeprefix("#") for element in root.iter() if element.get("href")]
    assert set(used) <= set(names)


def test_svg_takes_the_colour_of_the_text() -> None:
    text = figure_svg(ARTICLE)
    assert "currentColor" in text
    assert "black" not in text
    assert "style=" not in text  # the page's policy forbids it


def test_svg_escapes() -> None:
    root = ElementTree.fromstring(figure_svg(Figure("f", 'a < b & "c"', (Dot(0, 0, None),), (), ((0.0, ("<&>",)),))))
    assert root[0].text == 'a < b & "c"'
    assert root.findtext(f"{SVG}text") == "<&>"


def test_tikz() -> None:
    dots = (Dot(0, 0.5, Ident("x")), Dot(1, 0, None), Dot(1, 1, Row((Ident("y"),))))
    figure = Figure("f", "", dots, ((0, 2),), ((0.0, ("a_b",)),))
    assert figure_tikz(figure, lambda text: "caption") == (
        "\\begin{tikzpicture}[x=26mm, y=12.5mm]\n"
        "  \\node[unit] (n0) at (0,-0.5) {$x$};\n"
        "  \\node[gap] (n1) at (1,0) {$\\vdots$};\n"
        "  \\node[unit] (n2) at (1,-1) {$y$};\n"
        "  \\draw[link] (n0) -- (n2);\n"
        "  \\node[caption] at (0,-1.8) {caption};\n"
        "\\end{tikzpicture}"
    )
