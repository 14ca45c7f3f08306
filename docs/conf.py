"""Sphinx: `make docs` builds with warnings as errors."""

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert

import backproof

project = "Backproof"
copyright = "2026, the Backproof authors"
author = "The Backproof authors"
version = release = backproof.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "Backproof"
html_copy_source = False
html_show_sphinx = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
python_use_unqualified_type_names = True

# What latex2mathml leaves to the reader's browser, and browsers that know MathML Core alone do not understand.
_CORE = {
    'width="thinmathspace"': 'width="0.1667em"',
    'width="mediummathspace"': 'width="0.2222em"',
    'width="thickmathspace"': 'width="0.2778em"',
    "<mo>&#x0002A;</mo>": "<mo>&#x02217;</mo>",
}
# A minus that no operand stands before is a sign, and set closer.
_SIGN = re.compile(r"(<mrow>|<mtd[^>]*>|<mo[^>]*>(?:&#x0003D;|&#x00028;|,|&#x0002C;)</mo>)<mo>&#x02212;</mo>")


def mathml(latex: str, *, display: bool) -> str:
    """A formula as MathML, which browsers show by themselves: no script, nothing from another server."""
    latex = re.sub(r"\\begin\{aligned\}", r"\\begin{array}{rl}", latex).replace(r"\end{aligned}", r"\end{array}")
    written = convert(latex.replace("...", r"\dots "), display="block" if display else "inline")
    for found, better in _CORE.items():
        written = written.replace(found, better)
    written = _SIGN.sub(r'\1<mo form="prefix" lspace="0" rspace="0">&#x02212;</mo>', written)
    return written


def inline_math(translator: Any, node: nodes.math) -> None:
    translator.body.append(mathml(node.astext(), display=False))
    raise nodes.SkipNode


def display_math(translator: Any, node: nodes.math_block) -> None:
    pieces = "<wbr>".join(f'<span class="part">{mathml(piece, display=True)}</span>' for piece in parts(node.astext()))
    translator.body.append(f'<div class="formula" tabindex="0">{pieces}</div>\n')
    raise nodes.SkipNode


def parts(latex: str) -> list[str]:
    """A = B = C as "A = B" and "= C": a browser breaks lines between formulas, never inside one."""
    depth, start, seen, found = 0, 0, False, []
    for token in re.finditer(r"\\(?:begin|end|left|right)(?![A-Za-z])|\\.|[{}=]", latex):
        if token[0] in ("{", r"\begin", r"\left"):
            depth += 1
        elif token[0] in ("}", r"\end", r"\right"):
            depth -= 1
        elif token[0] == "=" and depth == 0:
            if seen:
                found.append(latex[start : token.start()])
                start = token.start()
            seen = True
    return [*found, latex[start:]]


def docstring(app: Any, what: str, name: str, obj: object, options: Any, lines: list[str]) -> None:
    """Reads our docstrings for Sphinx: two columns are a list of names, and a single backquote marks code."""
    written: list[str] = []
    column = None
    for line in lines:
        named = re.match(r"(\w+(?:, \w+)*)( {2,})(\S.*)", line)
        if named:
            column = named.end(2)
            written += ["", f"``{named[1]}``", f"    {named[3]}"]
        elif column is not None and line.startswith(" " * column):
            written.append(f"    {line.strip()}")
        else:
            column = None
            written.append(line)
    lines[:] = [re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", line) for line in written]


def setup(app: Any) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", docstring)
    app.add_html_math_renderer("mathml", (inline_math, None), (display_math, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
