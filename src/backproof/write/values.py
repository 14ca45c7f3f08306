"""The numbers of a matrix as text: how each is spelled, which are shown, how a column is aligned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backproof.ir.numbers import digits

DIGITS = 6
GAPS = frozenset("⋯⋮⋱")
"""What stands for left-out columns, rows and both."""


@dataclass(frozen=True, slots=True)
class Extract:
    """What is shown of a matrix: positions along both axes, None where some are left out, and words that say so."""

    array: np.ndarray
    rows: tuple[int | None, ...]
    columns: tuple[int | None, ...]
    left_out: str

    def grid(self, digit: str = " ", point: str = " ") -> list[list[str]]:
        """The rows of cells, with `GAPS` where something is left out; `digit` and `point` pad as in `aligned`."""
        columns = []
        for column in self.columns:
            if column is None:
                columns.append(["⋱" if row is None else "⋯" for row in self.rows])
                continue
            numbers = [None if row is None else number(self.array[row, column]) for row in self.rows]
            columns.append(["⋮" if cell is None else cell for cell in aligned(numbers, digit, point)])
        return [list(row) for row in zip(*columns, strict=True)]


def matrix(array: np.ndarray) -> np.ndarray:
    """The array with two axes; one axis is a row."""
    return array.reshape((1, array.size)) if array.ndim < 2 else array


def size(array: np.ndarray) -> str:
    """``3 × 4``."""
    return " × ".join(map(str, matrix(array).shape))


def number(value: object) -> str:
    """A number as it is to be read, with six significant digits."""
    if isinstance(value, (float, np.floating, complex, np.complexfloating)):
        return digits(value, DIGITS)
    return str(value)


def extract(array: np.ndarray, most_rows: int, most_columns: int) -> Extract:
    """The head and the tail of each axis that is longer than allowed."""
    array = matrix(array)
    parts: list[tuple[int | None, ...]] = []
    missing = []
    for name, length, most in zip(("row", "column"), array.shape, (most_rows, most_columns), strict=True):
        if length <= most:
            parts.append(tuple(range(length)))
            continue
        head, tail = most - most // 2, most // 2
        parts.append((*range(head), None, *range(length - tail, length)))
        first, last = head + 1, length - tail
        missing.append(f"{name} {first}" if first == last else f"{name}s {first} to {last}")
    words = " and ".join(missing) + " left out" if missing else ""
    return Extract(array, parts[0], parts[1], words)


def aligned(numbers: Sequence[str | None], digit: str = " ", point: str = " ") -> list[str | None]:
    """The numbers of one column, padded on the right so that, set flush right, their decimal points meet."""
    if any(one is not None and ("e" in one or "i" in one) for one in numbers):
        return list(numbers)  # powers of ten and complex numbers: points that meet only make the column wide
    tails = [None if one is None else (one.partition(".")[1], len(one.partition(".")[2])) for one in numbers]
    longest = max((length for tail in tails if tail for _, length in [tail]), default=0)
    any_point = any(tail and tail[0] for tail in tails)
    padded: list[str | None] = []
    for one, tail in zip(numbers, tails, strict=True):
        if one is None or tail is None:
            padded.append(None)
        else:
            padded.append(one + (point if any_point and not tail[0] else "") + digit * (longest - tail[1]))
    return padded
