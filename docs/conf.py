"""Sphinx: `make docs` builds with warnings as errors."""

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

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
