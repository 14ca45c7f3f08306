"""Data for a network: a CSV or NPZ file, arrays, or a bundled set by name. NumPy only."""

from __future__ import annotations

import csv
import difflib
import gzip
import io
import pickle
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backproof.ir.errors import DataError

Floats: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = Literal["01", "-1+1"]

BUNDLED: Mapping[str, str] = {"digits": "digits.csv.gz", "iris": "iris.csv"}

# An NPZ may hold a network's parameters too: "W[1]" or "W1".
PARAMETER = re.compile(r"([A-Za-z]+)\[?([1-9][0-9]*)\]?")


@dataclass(frozen=True, eq=False)
class Data:
    """Samples for a network with n0 inputs and n outputs. Rows are samples.

    X is (m, n0) and Y is (m, n), both float64. `classes` are the labels behind the columns of Y (or behind the two
    values of its single column), where Y was made from labels. `features` are the column headings of X, if any.
    """

    X: Floats
    Y: Floats
    parameters: dict[str, Floats] = field(default_factory=dict)
    classes: tuple[str, ...] | None = None
    features: tuple[str, ...] | None = None
    name: str = "arrays"


def read_data(
    source: str | Path | Mapping[str, ArrayLike] | tuple[ArrayLike, ArrayLike],
    *,
    inputs: int | None,
    outputs: int | None,
    target: Sequence[str] = (),
    classification: bool = False,
    labels: Labels = "01",
    rows: int | None = None,
) -> Data:
    """Read the samples of a source and fit them to a network's sizes; `None` is a size that the data may choose.

    `source` is a bundled set's name (it wins over a file of that name: write `./iris` for that), a CSV file (`.csv`,
    `.csv.gz`), an NPZ file with X and Y, a mapping with X and Y, or the pair `(X, Y)`. In a CSV file the columns named
    in `target` (by heading, or by number from 1) are the targets; without it the first `inputs` columns are features
    and the rest targets, and with `inputs=None` the last column is the target, or the last `outputs` columns if they
    are numbers and this is no classification.

    A single target column of labels becomes one column per class, in the order of the sorted labels, or, for a single
    output, one column of 0 and 1 (-1 and +1 with `labels="-1+1"`). Text is a label; a whole number is one when
    `classification` is true. Other numbers are taken as they are. `rows` keeps the first samples only; the classes
    are still those of the whole source.

    Raises DataError for anything that cannot be read, is not a finite number, or does not fit the sizes.
    """
    if rows is not None and rows < 1:
        raise DataError(f"{rows} rows leave no data", where="rows", instead="Ask for at least one row.")
    if isinstance(source, str | Path):
        bundled = isinstance(source, str) and source in BUNDLED
        path = resources.files("backproof") / "data" / BUNDLED[str(source)] if bundled else _existing(source)
        name = str(source) if bundled else path.name
        if isinstance(path, Path) and path.suffix == ".npz":
            part = _from_arrays(_load_npz(path), name, target)
        else:
            table = _read_table(path, name)
            part = _split(table, inputs, outputs, target, classification, bundled)
            # The last column of a bundled set is known to hold labels, so several outputs need no further word.
            if bundled and outputs != 1 and part.places.columns == table.columns[-1:]:
                classification = True
    elif isinstance(source, Mapping):
        part = _from_arrays(source, "arrays", target)
    else:
        if len(source) != 2:
            raise DataError(f"{len(source)} arrays instead of two", where="data", instead="Give (X, Y).")
        part = _from_arrays({"X": source[0], "Y": source[1]}, "arrays", target)

    _fit_inputs(part, inputs, target)
    Y, classes = _targets(part, outputs, classification, labels)
    return Data(
        X=part.X[:rows],
        Y=Y[:rows],
        parameters=part.parameters,
        classes=classes,
        features=part.features,
        name=part.name,
    )


@dataclass(frozen=True, eq=False)
class _Part:
    """A source taken apart: X is finite numbers, Y (m, k) still raw: float64, or text (dtype U)."""

    X: Floats
    Y: NDArray[Any]
    places: _Places
    name: str
    features: tuple[str, ...] | None = None
    parameters: dict[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True)
class _Places:
    """How a person finds a target in the source: by line and heading, or by array and index."""

    lines: tuple[int, ...] | None
    columns: tuple[str, ...]

    def of(self, row: int, column: int = 0) -> str:
        if self.lines is None:
            return f"Y[{row}, {column}]"
        return f"line {self.lines[row]}, {self.columns[column]}"


# --- finding and reading files ---------------------------------------------------------------------------------------


def _existing(source: str | Path) -> Path:
    """The path, if something is there; else DataError with the nearest name."""
    path = Path(source)
    try:
        if path.exists():
            return path
        siblings = sorted(p.name for p in path.parent.iterdir()) if path.parent.is_dir() else []
    except OSError as error:
        _unreadable(str(source), error)
    is_name = isinstance(source, str) and not path.suffix and path.name == source
    near = difflib.get_close_matches(path.name, [*BUNDLED, *siblings] if is_name else siblings, n=1)
    meant = f"Did you mean {path.parent / near[0]}? " if near else ""
    if is_name:
        raise DataError(
            f"no data set is named {str(source)!r}",
            where="data",
            why="It is neither a bundled set nor a file.",
            instead=f"{meant}The bundled sets are {' and '.join(BUNDLED)}.",
        )
    raise DataError("no such file", where=str(source), instead=meant.strip() or "Check the path.")


def _unreadable(name: str, error: Exception) -> NoReturn:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    raise DataError(f"cannot read {name}", where=name, why=f"{reason}.") from error


def _read_text(file: Traversable, name: str) -> str:
    try:
        raw = file.read_bytes()
        if file.name.endswith(".gz"):
            raw = gzip.decompress(raw)
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name} is not text",
            where=f"byte {error.start + 1}",
            why="A table is read as UTF-8 text.",
            instead="Save it as CSV in UTF-8, or give arrays in an .npz file.",
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        _unreadable(name, error)


@dataclass(frozen=True)
class _Table:
    """Cells of a CSV file as text; every row is as wide as the heading. `lines` are line numbers in the file."""

    name: str
    columns: tuple[str, ...]
    header: bool
    cells: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]


def _read_table(file: Traversable, name: str) -> _Table:
    text = _read_text(file, name)
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
                f"{_count(len(cells), 'cell')} where {len(first)} were expected",
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


def _load_npz(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise DataError(f"{path.name} holds a single array", where=str(path), instead="Save both X and Y.")
            return {key: archive[key] for key in archive.files}
    except (ValueError, pickle.UnpicklingError) as error:
        raise DataError(
            f"{path.name} holds something other than plain arrays",
            where=str(path),
            why="Python objects in a file can run code when they are read, so they are refused.",
            instead="Save arrays of numbers or text: numpy.savez(path, X=X, Y=Y).",
        ) from error
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        _unreadable(path.name, error)


# --- from a table or arrays to X and raw Y ---------------------------------------------------------------------------


def _split(
    table: _Table, inputs: int | None, outputs: int | None, target: Sequence[str], classification: bool, bundled: bool
) -> _Part:
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
    return _Part(
        X=_numbers(table, rest),
        Y=_raw_targets(table, chosen),
        places=_Places(table.lines, columns),
        name=table.name,
        features=tuple(table.columns[i] for i in rest) if table.header else None,
    )


def _wrong_width(table: _Table, inputs: int | None, outputs: int | None) -> DataError:
    takes = [_count(inputs, "input")] if inputs is not None else []
    gives = [_count(outputs, "output")] if outputs is not None else []
    return DataError(
        f"the network has {' and '.join(takes + gives)}, {table.name} has {_count(len(table.columns), 'column')}",
        where=f"columns {_shown(table.columns)}",
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
        where=f"columns {_shown(table.columns)}",
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
        raise _not_finite(values[r, c], where)
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


def _not_finite(value: float, where: str) -> DataError:
    return DataError(
        f"{value} in the data",
        where=where,
        why="One such value makes the cost and every gradient NaN.",
        instead="Leave the row out, or replace the value.",
    )


def _from_arrays(arrays: Mapping[str, ArrayLike], name: str, target: Sequence[str]) -> _Part:
    if target:
        raise DataError(
            "target columns are named for arrays",
            where=", ".join(target),
            why="X and Y are separate already.",
            instead="Leave the target out.",
        )
    X = _array(_pick(arrays, "X", name), "X")
    Y = _array(_pick(arrays, "Y", name), "Y")
    if X.ndim == 1:
        X = X.reshape(-1, 1)
    if Y.ndim == 1:
        Y = Y.reshape(-1, 1)
    for label, array in (("X", X), ("Y", Y)):
        if array.ndim != 2:
            raise DataError(
                f"{label} has {array.ndim} axes",
                where=f"{label}, shape {array.shape}",
                why="Rows are samples and columns are nodes.",
                instead=f"{label}.reshape(len({label}), -1)",
            )
        if 0 in array.shape:
            raise DataError(f"{label} is empty", where=f"{label}, shape {array.shape}")
    if X.shape[0] != Y.shape[0]:
        raise DataError(
            f"X has {_count(X.shape[0], 'row')}, Y has {_count(Y.shape[0], 'row')}",
            where=f"X {X.shape}, Y {Y.shape}",
            why="Rows are samples, and each needs its target.",
            instead="Transpose them if your samples are columns." if X.shape[1] == Y.shape[1] else "",
        )
    parameters = {}
    for key in arrays:
        if match := PARAMETER.fullmatch(key):
            parameters[f"{match[1]}[{match[2]}]"] = _finite(_array(arrays[key], key), key)
    text = Y.dtype.kind == "U"
    return _Part(
        X=_finite(X, "X"),
        Y=Y if text else _finite(Y, "Y"),
        places=_Places(None, tuple(f"column {i + 1}" for i in range(Y.shape[1]))),
        name=name,
        parameters=parameters,
    )


def _pick(arrays: Mapping[str, ArrayLike], name: str, source: str) -> ArrayLike:
    for key in (name, name.lower()):
        if key in arrays:
            return arrays[key]
    raise DataError(
        f"{source} has no array {name}",
        where=f"it has {_shown(list(arrays)) or 'none'}",
        why="X holds the inputs and Y the targets; rows are samples.",
    )


def _array(value: ArrayLike, name: str) -> NDArray[Any]:
    """An array of numbers or text; ragged lists, objects, complex numbers and dates are refused."""
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise DataError(f"{name} is ragged", where=name, why="Its rows differ in length.") from error
    if array.dtype.kind == "O" and array.size and all(isinstance(one, str) for one in array.flat):
        array = array.astype(str)  # labels out of a pandas column
    if array.dtype.kind not in "biufU":
        raise DataError(
            f"{name} is an array of {array.dtype}",
            where=name,
            why="Only numbers, and labels as text, can be used.",
            instead=f"Convert it: numpy.asarray({name}, dtype=float)",
        )
    return array


def _finite(array: NDArray[Any], name: str) -> Floats:
    if array.dtype.kind == "U":
        raise DataError(f"{name} holds text", where=name, why="Only targets may be labels.")
    values: Floats = array.astype(np.float64)
    for index in np.argwhere(~np.isfinite(values)):
        raise _not_finite(values[tuple(index)], f"{name}[{', '.join(map(str, index))}]")
    return values


# --- fitting to the network ------------------------------------------------------------------------------------------


def _fit_inputs(part: _Part, inputs: int | None, target: Sequence[str]) -> None:
    width = part.X.shape[1]
    if inputs is None or inputs == width:
        return
    if part.places.lines is None and part.X.shape[0] == inputs:
        instead = "Rows are samples: transpose X and Y if your samples are columns."
    elif part.features:
        instead = f"The features are {_shown(part.features)}: change the network's inputs to {width}."
    else:
        instead = f"Change the network's inputs to {width}."
    raise DataError(
        f"the network takes {_count(inputs, 'input')}, {part.name} has {_count(width, 'feature')}",
        where=f"X, shape {part.X.shape}",
        why="A feature is the value of one input node.",
        instead=instead,
    )


def _targets(
    part: _Part, outputs: int | None, classification: bool, labels: Labels
) -> tuple[Floats, tuple[str, ...] | None]:
    """Y as the network needs it, (m, n), and the labels behind it."""
    raw = part.Y
    text = raw.dtype.kind == "U"
    if raw.shape[1] == 1:
        column = raw[:, 0]
        if text or (classification and _whole(part, outputs)):
            if text and outputs == 1 and not classification and len(np.unique(column)) > 2:
                raise DataError(
                    f"the target {str(column[0])!r} is not a number",
                    where=f"{part.name}, {part.places.of(0)}",
                    why="One output without classes is a regression, and that needs numbers.",
                    instead="Use a classification loss and one output per class, or another target column.",
                )
            return _encode(part, column, outputs, labels)
    elif text:
        raise DataError("Y holds text", where=f"Y, shape {raw.shape}", instead="Give one column of labels, or numbers.")
    if outputs is not None and raw.shape[1] != outputs:
        raise DataError(
            f"the network has {_count(outputs, 'output')}, {part.name} has {_count(raw.shape[1], 'target column')}",
            where=f"target {_shown(part.places.columns)}",
            why="Numbers are compared with the outputs one by one; only with a classification loss are they labels.",
            instead=f"Change the network's outputs to {raw.shape[1]}, or the target columns.",
        )
    return raw, None


def _whole(part: _Part, outputs: int | None) -> bool:
    """Whether all targets are whole numbers. A fraction is a probability where the network has one output."""
    fractions = np.flatnonzero(part.Y[:, 0] % 1)
    if fractions.size and outputs not in (None, 1):
        value = part.Y[fractions[0], 0]
        raise DataError(
            f"{value} is not a class label",
            where=f"{part.name}, {part.places.of(int(fractions[0]))}",
            why=f"The network has {outputs} outputs, one per class; a class is text or a whole number.",
        )
    return not fractions.size


def _encode(part: _Part, column: NDArray[Any], outputs: int | None, labels: Labels) -> tuple[Floats, tuple[str, ...]]:
    """One column per class, or a single column for two classes and one output. Shape (m, n) of 0/1 or -1/+1."""
    values = np.unique(column)
    text = column.dtype.kind == "U"
    if outputs == 1 and not text:
        # A single class may be all there is, and then only its number tells which of the two it is.
        for pair in ((0.0, 1.0), (-1.0, 1.0)):
            if set(values.tolist()) <= set(pair):
                values = np.array(pair)
                break
    wanted = 2 if outputs == 1 else outputs
    if wanted is not None and len(values) != wanted:
        raise _wrong_classes(part, column, values, outputs or 0)
    positions = np.searchsorted(values, column)
    Y = positions.astype(np.float64).reshape(-1, 1) if outputs == 1 else np.eye(len(values))[positions]
    if labels == "-1+1":
        Y = 2 * Y - 1
    return Y, tuple(str(v) if text else str(int(v)) for v in values)


def _wrong_classes(part: _Part, column: NDArray[Any], values: NDArray[Any], outputs: int) -> DataError:
    text = column.dtype.kind == "U"
    names = [str(v) if text else str(int(v)) for v in values]
    classes = 2 if outputs == 1 else outputs
    outside = np.flatnonzero((column < 0) | (column >= classes)) if not text else np.array([])
    found = f"{part.name} has {len(names)} {'class' if len(names) == 1 else 'classes'}: {_shown(names)}"
    instead = {1: "Use data with more than one class.", 2: "Give the last layer two nodes, or one."}.get(
        len(names), f"Give the last layer {len(names)} nodes."
    )
    if outside.size:
        row = int(outside[0])
        return DataError(
            f"label {int(column[row])} is outside the classes 0…{classes - 1}",
            where=f"{part.name}, {part.places.of(row)}",
            why=f"The network has {_count(outputs, 'output')}; {found}.",
            instead=instead,
        )
    return DataError(
        f"the network has {_count(outputs, 'output')}, {found}",
        where=f"target {_shown(part.places.columns)}",
        why="Each class needs an output of its own; two can share a single one.",
        instead=instead,
    )


# --- words -----------------------------------------------------------------------------------------------------------


def _count(n: int | None, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _shown(names: Sequence[str], most: int = 8) -> str:
    """A list of names, cut in the middle when it is long."""
    if len(names) <= most:
        return ", ".join(names)
    return ", ".join([*names[: most - 2], "…", names[-1]])
