"""The IPython extension: ``%load_ext backproof``, then ``%%backproof check forward,backward`` above a cell.

The cell is run as any other. Functions and their arguments are found by name among the variables of the notebook.
"""

from __future__ import annotations

import inspect
import shlex
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from backproof.api import diagnose, render
from backproof.frontends.spec import passes_among
from backproof.ir.errors import BackproofError
from backproof.ir.source import show_as

if TYPE_CHECKING:
    from backproof.checking.diagnosis import Diagnosis

USAGE = "write %%backproof check forward,backward; or %%backproof check, and usual names are looked for"


class Shown:
    """A diagnosis as a notebook shows it: with formulas, and in a terminal as text."""

    def __init__(self, diagnosis: Diagnosis) -> None:
        self.diagnosis = diagnosis

    def _repr_markdown_(self) -> str:
        return render(self.diagnosis, "markdown")

    def __repr__(self) -> str:
        return render(self.diagnosis, "text")


def load(shell: Any) -> None:
    """Registers the magic with a shell of IPython."""

    def backproof(line: str, cell: str) -> Shown | None:
        try:
            return _run(shell, line, cell)
        except BackproofError as error:
            print(f"backproof: {error}", file=sys.stderr)
            return None

    shell.register_magic_function(backproof, "cell")


def _run(shell: Any, line: str, cell: str) -> Shown | None:
    words = shlex.split(line)
    if not words or words[0] != "check" or len(words) > 2:
        raise BackproofError(f"{line!r} is not understood", instead=USAGE)
    files: Mapping[str, int] = getattr(shell.compile, "_filename_map", {})  # Python takes cells for files
    before, number = set(files), max(files.values(), default=0)
    if not shell.run_cell(f"# {line}\n{cell}").success:  # lines are counted from that of the magic
        return None  # the error has been shown
    for file, own in files.items():
        show_as(file, f"cell {own if file in before else number}")
    names: dict[str, Any] = shell.user_ns
    passes = passes_among(names, words[1].split(",") if len(words) > 1 else [], "the notebook")
    if passes is None:
        raise BackproofError(f"{words[1]} is no forward and backward pass", instead=USAGE)
    code = [x for x in (passes.forward, passes.backward, passes.loss) if x is not None]
    return Shown(diagnose(passes.forward, passes.backward, dict(_arguments(code, names)), loss=passes.loss))


def _arguments(code: list[Any], names: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The variables that functions, or the methods of an object, have parameters for."""
    for part in code:
        methods: list[Any] = [f for _, f in inspect.getmembers(part, inspect.isroutine)]
        for function in [part, *([] if inspect.isroutine(part) else methods)]:
            try:
                parameters = inspect.signature(function).parameters
            except (TypeError, ValueError):  # one that is built in
                continue
            yield from ((name, names[name]) for name in parameters if name in names and name != "self")
