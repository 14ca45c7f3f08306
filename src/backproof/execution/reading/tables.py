"""Tables of text: CSV files, their columns, and the numbers and labels in them."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backproof.execution.reading.files import read_text
from backproof.execution.reading.part import Floats, Part, Places, counted, listed, not_finite
from backproof.ir.errors import DataError


@dataclass(frozen=True)
class _Table:
    """Cells of a CSV file as text; every row is as wide as the heading. `lines` are line numbers in the file."""

    name: str
    columns: tuple[str, ...]
    header: bool
    cells: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]


def read_table(file: Traversable, name: str) -> _Table:
    text = read_text(file, name)
    records = list(_records(text, name))
    if not records:
        raise DataError(f"{name} is empty", where=name, instead="Give a table with one row per sample.")
    first = records[0][1]
    # A heading has no number in it. A row with some text and some numbers is data, so that a typo there is reported.
    header = not any(_is_number(cell) for cell in first)
    body = records[1:] if header else records
    if not body:
        raise DataError(f"{name} has no rows", where=f"line {records[0][0]}", why="Only a heading was found.")
    for line, cells in body:
        if len(cells) != len(first):
            raise DataError(
                f"{counted(len(cells), 'cell')} where {len(first)} were expected",
                where=f"{name}, line {line}",
                why=f"The first row, line {records[0][0]}, has {len(first)}.",
                instead="Give every row the same number of cells; quote a cell that holds the separator.",
            )
    numbered = [f"column {i}" for i in range(1, len(first) + 1)]
    columns = [cell or number for cell, number in zip(first, numbered, strict=True)] if header else numbered
    return _Table(
        name=name,
        columns=tuple(columns),
        header=header,
        cells=tuple(tuple(cells) for _, cells in body),
        lines=tuple(line for line, _ in body),
    )


def _records(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and stripped cells of each row; comments (#) and blank lines are passed over."""
    line = 0

    def kept() -> Iterator[str]:
        nonlocal line
        for content in io.StringIO(text, newline=""):
            line += 1
            if content.strip() and not content.lstrip().startswith("#"):
                yield content

    reader = csv.reader(kept(), delimiter=_delimiter(text), skipinitialspace=True, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise DataError(f"{name} is not a well-formed table", where=f"line {line}", why=f"{error}.") from error


def _delimiter(text: str) -> str:
    """The separator that cuts the first row into most cells. A tie goes to the tab, then to the semicolon."""
    lines = (line for line in io.StringIO(text) if line.strip() and not line.lstrip().startswith("#"))
    first = next(lines, "")

    def cells(mark: str) -> int:
        try:
            return len(next(csv.reader([first], delimiter=mark, skipinitialspace=True), []))
        except csv.Error:  # one cell of more than csv's limit: a long row cut with the wrong separator
            return 0

    return max("\t;,", key=cells)


def split_table(
    table: _Table, inputs: int | None, outputs: int | None, target: Sequence[str], classification: bool, bundled: bool
) -> Part:
    width = len(table.columns)
    if target:
        chosen = [_column(table, one) for one in target]
        if len(set(chosen)) != len(chosen):
            raise DataError("a target is named twice", where=", ".join(target))
    else:
        text = not _is_number(table.cells[0][-1])
        if bundled:
            count = 1
        elif inputs is not None:
            count = width - inputs
        else:
            count = 1 if text or classification or outputs is None else outputs
        if not 0 < count < width or (inputs is not None and count not in {1, outputs or count}):
            raise _wrong_width(table, inputs, outputs)
        chosen = list(range(width - count, width))
    rest = [i for i in range(width) if i not in set(chosen)]
    if not rest:
        raise DataError("no column is left as an input", where=table.name, why="All of them are named as targets.")
    columns = tuple(table.columns[i] for i in chosen)
    return Part(
        X=_numbers(table, rest),
        Y=_raw_targets(table, chosen),
        places=Places(table.lines, columns),
        name=table.name,
        features=tuple(table.columns[i] for i in rest) if table.header else None,
    )


def _wrong_width(table: _Table, inputs: int | None, outputs: int | None) -> DataError:
    takes = [counted(inputs, "input")] if inputs is not None else []
    gives = [counted(outputs, "output")] if outputs is not None else []
    return DataError(
        f"the network has {' and '.join(takes + gives)}, {table.name} has {counted(len(table.columns), 'column')}",
        where=f"columns {listed(table.columns)}",
        why="Every column is an input or a target; a target is a column per output, or one column of labels.",
        instead="Change the network's sizes, or name the target columns.",
    )


def _column(table: _Table, name: str) -> int:
    """The position of a column, by its heading or else by its number from 1."""
    matches = [i for i, column in enumerate(table.columns) if column == name and table.header]
    if len(matches) == 1:
        return matches[0]
    if len(matches) > 1:
        raise DataError(
            f"{len(matches)} columns are named {name!r}",
            where=table.name,
            instead=f"Name it by its number: {' or '.join(str(i + 1) for i in matches)}.",
        )
    if name.isdecimal() and 1 <= int(name) <= len(table.columns):
        return int(name) - 1
    near = difflib.get_close_matches(name, table.columns, n=1) if table.header else []
    numbers = f"Name a heading, or a number from 1 to {len(table.columns)}."
    raise DataError(
        f"{table.name} has no column {name!r}",
        where=f"columns {listed(table.columns)}",
        instead=f"Did you mean {near[0]!r}?" if near else numbers,
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
