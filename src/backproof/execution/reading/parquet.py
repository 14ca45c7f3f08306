"""Parquet files, by pyarrow (the extra `parquet`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backproof.execution.reading.columns import Columns
from backproof.execution.reading.joining import joined
from backproof.execution.reading.on_disk import AT_ONCE
from backproof.execution.reading.part import Part, Places, not_finite
from backproof.ir.errors import BackproofError, DataError

PARQUET = (".parquet", ".pq")
BUFFER = 2**16
"""How many bytes of a column are read from the file at once."""


def read_parquet(
    path: Path,
    name: str,
    inputs: int | None,
    outputs: int | None,
    target: Sequence[str],
    classification: bool,
) -> Part:
    """A Parquet file taken apart; the index that pandas may have written into it is left out.

    Raises DataError, and BackproofError where pyarrow is missing.
    """
    try:
        import pyarrow
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise BackproofError("Parquet files need pyarrow", instead="pip install 'backproof[parquet]'") from None
    try:
        # By default pyarrow keeps the bytes of all row groups, and reads a column of one at once.
        with ParquetFile(path, pre_buffer=False, buffer_size=BUFFER) as file:
            schema, index = file.schema_arrow, _index(file.schema_arrow)
            kept = [k for k, column in enumerate(schema.names) if column not in index]
            names = tuple(schema.names[k] for k in kept)
            text = bool(kept) and not _is_number(schema.types[kept[-1]])
            columns = Columns(names, name, header=True)
            chosen = columns.targets(inputs, outputs, target, text=text, classification=classification)
            rest = columns.others(chosen)
            if not file.metadata.num_rows:
                raise DataError(f"{name} has no rows", where=name)
            batches = file.iter_batches(max(1, AT_ONCE // (8 * len(schema.names))))
            return joined(_parts((batch.select(kept) for batch in batches), names, chosen, rest, name))
    except (OSError, pyarrow.ArrowException) as error:
        raise DataError(f"cannot read {name}", where=str(path), why=f"{error}.") from error


def _index(schema: Any) -> set[str]:
    """The columns that pandas made of the index of a table."""
    about = json.loads((schema.metadata or {}).get(b"pandas", "{}"))
    return {column for column in about.get("index_columns", ()) if isinstance(column, str)}


def _parts(
    batches: Iterator[Any], names: Sequence[str], chosen: Sequence[int], rest: Sequence[int], table: str
) -> Iterator[Part]:
    start = 1
    for batch in batches:
        rows = np.arange(start, start + batch.num_rows)
        X = np.stack([_numbers(batch.column(k), table, rows, names[k]) for k in rest], axis=1)
        if len(chosen) == 1 and not _is_number(batch.column(chosen[0]).type):
            Y = _labels(batch.column(chosen[0]), table, rows, names[chosen[0]])[:, None]
        else:
            Y = np.stack([_numbers(batch.column(k), table, rows, names[k]) for k in chosen], axis=1)
        places = Places(rows, tuple(names[k] for k in chosen), "row")
        yield Part(X, Y, places, table, tuple(names[k] for k in rest))
        start += batch.num_rows


def _is_number(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_floating(kind) or types.is_integer(kind) or types.is_boolean(kind) or types.is_decimal(kind))


def _numbers(column: Any, table: str, rows: NDArray[np.int64], name: str) -> NDArray[np.float64]:
    """A column as finite numbers."""
    if not _is_number(column.type):
        where = f"{table}, {name}"
        raise DataError(f"a column of {column.type} holds no numbers", where=where, instead="Leave it out of the file.")
    if column.null_count:
        row = rows[np.argmax(column.is_null().to_numpy(zero_copy_only=False))]
        where = f"{table}, row {row}, {name}"
        raise DataError("a value is missing", where=where, instead="Fill it in, or leave the row out.")
    values = np.asarray(column.to_numpy(zero_copy_only=False), np.float64)
    for k in np.flatnonzero(~np.isfinite(values)):
        raise not_finite(values[k], f"{table}, row {rows[k]}, {name}")
    return values


def _labels(column: Any, table: str, rows: NDArray[np.int64], name: str) -> NDArray[Any]:
    """A column as text."""
    labels = [None if x is None else str(x) for x in column.to_pylist()]
    if None in labels or "" in labels:
        row = next(row for row, label in zip(rows, labels, strict=True) if not label)
        where = f"{table}, row {row}, {name}"
        raise DataError("a label is missing", where=where, instead="Fill it in, or leave the row out.")
    return np.array(labels)
