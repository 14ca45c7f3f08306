"""A source taken apart, before it is fitted to a network; and the words that errors about data share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backproof.ir.errors import DataError

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Part:
    """A source taken apart: X is finite numbers, which may lie on disk, Y (m, k) still raw: float64, or text."""

    X: NDArray[Any]
    Y: NDArray[Any]
    places: Places
    name: str
    features: tuple[str, ...] | None = None
    parameters: dict[str, NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Places:
    """How a person finds a target in the source: in a table by line and heading, else by array and index.

    `line` is the word for a line: a file that is no text has rows.
    """

    lines: NDArray[np.int64] | None
    columns: tuple[str, ...]
    line: str = "line"

    def of(self, row: int, column: int = 0) -> str:
        if self.lines is None:
            return f"Y[{row}, {column}]"
        return f"{self.line} {self.lines[row]}, {self.columns[column]}"


def not_finite(value: float, where: str) -> DataError:
    return DataError(
        f"{value} in the data",
        where=where,
        why="One such value makes the cost and every gradient NaN.",
        instead="Leave the row out, or replace the value.",
    )


def counted(n: int | None, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def listed(names: Sequence[str], most: int = 8) -> str:
    """A list of names, cut in the middle when it is long."""
    if len(names) <= most:
        return ", ".join(names)
    return ", ".join([*names[: most - 2], "…", names[-1]])
