"""A notebook as a module: its code cells are run one after the other, as IPython runs them."""

from __future__ import annotations

import json
import linecache
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from backproof.ir.errors import SpecError

MAGIC = re.compile(r"\s*(%{1,2}[a-zA-Z]|!(?!=)|\?|[\w.]+\?\??\s*$|[\w ,.]+=\s*(%[a-zA-Z]|!(?!=)))")
"""Lines that are IPython's and not Python's: magics, commands of the shell, questions."""
FAILED = "__failed__"
"""Under this name, what cells did not run, and why."""
PLAIN_CELLS = ("%%time", "%%timeit", "%%capture", "%%prun", "%%backproof")
"""Magics whose cell is Python; that of any other is left out."""


def run_notebook(path: Path, text: str) -> dict[str, Any]:
    """What the code cells of a notebook define. Places in it are named ``file.ipynb, cell 3, line 2``.

    A cell that fails, as one that plots without a display, does not keep the others from running. Raises SpecError for
    a file that is no notebook, or of which no cell runs.
    """
    module = ModuleType(path.stem)
    failed = []
    cells = list(enumerate(_cells(path, text), 1))
    for number, source in cells:
        name = f"{path.resolve()}, cell {number}"
        linecache.cache[name] = len(source), None, source.splitlines(keepends=True), name
        try:
            exec(compile(source, name, "exec"), module.__dict__)
        except (Exception, SystemExit) as error:
            failed.append(f"cell {number}: {type(error).__name__}: {error}")
    if failed and len(failed) == len(cells):
        raise SpecError(f"{path} cannot be run", why=failed[0])
    return {**vars(module), FAILED: failed}


def _cells(path: Path, text: str) -> Iterator[str]:
    """The source of each code cell, with a comment in the place of each line that is IPython's."""
    try:
        cells = json.loads(text)["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError):
        raise SpecError(
            f"{path} is not a notebook", why="it has no list of cells", instead="save it in the format 4 of Jupyter"
        ) from None
    for source in sources:
        first = source.lstrip().partition("\n")[0].split()
        if first and first[0].startswith("%%") and first[0] not in PLAIN_CELLS:
            yield ""
        else:
            yield "".join(map(_plain, source.splitlines(keepends=True)))


def _plain(line: str) -> str:
    if MAGIC.match(line) is None:
        return line
    indent = line[: len(line) - len(line.lstrip())]
    return f"{indent}pass  # {line.lstrip()}"
