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
# The examples are shown as they are: they are what the tool writes, not pages.
exclude_patterns = ["_build", "examples"]

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


def mathml(latex: str, *, display: bool) -> str:
    """A formula as MathML, which browsers show by themselves: no script, nothing from another server."""
    latex = re.sub(r"\\begin\{aligned\}", r"\\begin{array}{rl}", latex).replace(r"\end{aligned}", r"\end{array}")
    written = convert(latex, display="block" if display else "inline")
    for found, better in _CORE.items():
        written = written.replace(found, better)
    return written


def inline_math(translator: Any, node: nodes.math) -> None:
    translator.body.append(mathml(node.astext(), display=False))
    raise nodes.SkipNode


def display_math(translator: Any, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="formula" tabindex="0">{mathml(node.astext(), display=True)}</div>\n')
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (inline_math, None), (display_math, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
