"""Tables of text: CSV files, their columns, and the numbers and labels in them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from itertools import chain, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backproof.execution.reading.columns import Columns
from backproof.execution.reading.files import read_lines
from backproof.execution.reading.joining import joined
from backproof.execution.reading.part import Floats, Part, Places, counted, not_finite
from backproof.ir.errors import DataError


@dataclass(frozen=True)
class _Table:
    """Cells of a CSV file as text; every row is as wide as the heading. `lines` are line numbers in the file."""

    name: str
    columns: tuple[str, ...]
    header: bool
    cells: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]


CELLS = 2**18
"""About how many cells of a table are read at once."""


def read_table(
    file: Traversable,
    name: str,
    inputs: int | None,
    outputs: int | None,
    target: Sequence[str],
    classification: bool,
    *,
    bundled: bool,
) -> tuple[Part, bool]:
    """A table taken apart, and whether its last column is the target, alone. Raises DataError."""
    tables = _tables(file, name)
    first = next(tables)
    text = not _is_number(first.cells[0][-1])
    columns = Columns(first.columns, name, header=first.header)
    chosen = columns.targets(inputs, outputs, target, text=text, classification=classification, bundled=bundled)
    rest = columns.others(chosen)
    start = _split(first, chosen, rest)
    del first  # as text it takes several times the room of its numbers
    part = joined(chain([start], (_split(table, chosen, rest) for table in tables)))
    return part, chosen == [len(columns.names) - 1]


def _tables(file: Traversable, name: str) -> Iterator[_Table]:
    """A file as tables of some of its rows, one after the other."""
    records = _records(read_lines(file, name), name)
    start = next(records, None)
    if start is None:
        raise DataError(f"{name} is empty", where=name, instead="Give a table with one row per sample.")
    line, first = start
    # A heading has no number in it. A row with some text and some numbers is data, so that a typo there is reported.
    header = not any(_is_number(cell) for cell in first)
    body = records if header else chain([start], records)
    numbered = [f"column {i}" for i in range(1, len(first) + 1)]
    columns = [cell or number for cell, number in zip(first, numbered, strict=True)] if header else numbered
    rows, is_empty = max(1, CELLS // len(first)), True
    while part := list(islice(body, rows)):
        for number, cells in part:
            if len(cells) != len(first):
                raise DataError(
                    f"{counted(len(cells), 'cell')} where {len(first)} were expected",
                    where=f"{name}, line {number}",
                    why=f"The first row, line {line}, has {len(first)}.",
                    instead="Give every row the same number of cells; quote a cell that holds the separator.",
                )
        is_empty = False
        cells_of = tuple(tuple(cells) for _, cells in part)
        yield _Table(name, tuple(columns), header, cells_of, tuple(number for number, _ in part))
    if is_empty:
        raise DataError(f"{name} has no rows", where=f"line {line}", why="Only a heading was found.")


def _records(lines: Iterator[str], name: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and stripped cells of each row; comments (#) and blank lines are passed over."""
    line = 0

    def kept() -> Iterator[str]:
        nonlocal line
        for content in lines:
            line += 1
            if content.strip() and not content.lstrip().startswith("#"):
                yield content

    rows = kept()
    first = next(rows, None)
    if first is None:
        return
    reader = csv.reader(chain([first], rows), delimiter=_delimiter(first), skipinitialspace=True, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise DataError(f"{name} is not a well-formed table", where=f"line {line}", why=f"{error}.") from error


def _delimiter(first: str) -> str:
    """The separator that cuts the first row into most cells. A tie goes to the tab, then to the semicolon."""

    def cells(mark: str) -> int:
        try:
            return len(next(csv.reader([first], delimiter=mark, skipinitialspace=True), []))
        except csv.Error:  # one cell of more than csv's limit: a long row cut with the wrong separator
            return 0

    return max("\t;,", key=cells)


def _split(table: _Table, chosen: Sequence[int], rest: Sequence[int]) -> Part:
    return Part(
        X=_numbers(table, rest),
        Y=_raw_targets(table, chosen),
        places=Places(np.array(table.lines), tuple(table.columns[i] for i in chosen)),
        name=table.name,
        features=tuple(table.columns[i] for i in rest) if table.header else None,
    )


def _numbers(table: _Table, columns: Sequence[int]) -> Floats:
    """The cells of some columns as finite numbers, (m, len(columns))."""
    try:
        values = np.array([[_number(row[i]) for i in columns] for row in table.cells])
    except ValueError:
        for line, row in zip(table.lines, table.cells, strict=True):
            for i in columns:
                if not _is_number(row[i]):
                    raise _not_a_number(row[i], f"{table.name}, line {line}, {table.columns[i]}") from None
        raise
    for r, c in np.argwhere(~np.isfinite(values)):
        where = f"{table.name}, line {table.lines[r]}, {table.columns[columns[c]]}"
        raise not_finite(values[r, c], where)
    return values


def _raw_targets(table: _Table, columns: Sequence[int]) -> NDArray[Any]:
    """Numbers, unless it is a single column in which no cell is one."""
    if len(columns) == 1 and not any(_is_number(row[columns[0]]) for row in table.cells):
        text = [row[columns[0]] for row in table.cells]
        if "" in text:
            where = f"{table.name}, line {table.lines[text.index('')]}, {table.columns[columns[0]]}"
            raise DataError("a label is missing", where=where, instead="Fill it in, or leave the row out.")
        return np.array(text).reshape(-1, 1)
    return _numbers(table, columns)


def _number(cell: str) -> float:
    if "_" in cell:  # Python reads 1_000, tables do not write it
        raise ValueError(cell)
    return float(cell)


def _is_number(cell: str) -> bool:
    try:
        _number(cell)
    except ValueError:
        return False
    return True


def _not_a_number(cell: str, where: str) -> DataError:
    if not cell:
        return DataError("an empty cell", where=where, instead="Fill in the value, or leave the row out.")
    if "," in cell and _is_number(cell.replace(",", ".", 1)):
        return DataError(f"{cell!r} is not a number", where=where, instead="Write a decimal point, not a comma.")
    return DataError(
        f"{cell!r} is not a number",
        where=where,
        instead="Only a single target column may hold text, and then in every row; a heading must not hold a number.",
    )
