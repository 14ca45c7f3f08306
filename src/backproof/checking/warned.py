"""Warnings that NumPy gives in somebody's code: not printed in the middle of it, but told of."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from backproof.checking.diagnosis import Remark
from backproof.ir.source import Line
from backproof.write.doc import Code

MOST_WARNINGS = 3
"""How many lines with warnings are told of."""

_GIVEN: dict[Any, Any] = {}
"""Which warnings have been given, so that each is given once although the code runs several times."""


@contextmanager
def noted_warnings(files: Collection[str]) -> Iterator[dict[Line, str]]:
    """What is warned of in some files, by line; other warnings are given as they would be."""
    found: dict[Line, str] = {}
    with warnings.catch_warnings(record=True) as caught, np.errstate(divide="warn", over="warn", invalid="warn"):
        warnings.simplefilter("always", RuntimeWarning)
        yield found
    for warning in caught:
        if issubclass(warning.category, RuntimeWarning):
            if warning.filename in files:
                found.setdefault(Line(warning.filename, warning.lineno), str(warning.message))
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno, registry=_GIVEN)


def warned(lines: Iterable[tuple[Line, str]]) -> Iterator[Remark]:
    """A remark about each of the first lines that a warning comes from."""
    for line, message in list(lines)[:MOST_WARNINGS]:
        text = f"On the data given NumPy warns in {line}, “{message}”: "
        yield Remark("comparison", "a warning", (text, Code(line.text)))
