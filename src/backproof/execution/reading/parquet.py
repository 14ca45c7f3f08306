"""Parquet files, by pyarrow (the extra `parquet`)."""

from __future__ import annotations

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


def read_parquet(
    path: Path,
    name: str,
    inputs: int | None,
    outputs: int | None,
    target: Sequence[str],
    classification: bool,
) -> Part:
    """A Parquet file taken apart. Raises DataError, and BackproofError where pyarrow is missing."""
    try:
        import pyarrow
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise BackproofError("Parquet files need pyarrow", instead="pip install 'backproof[parquet]'") from None
    try:
        with ParquetFile(path) as file:
            names = tuple(file.schema_arrow.names)
            text = bool(names) and not _is_number(file.schema_arrow.types[-1])
            columns = Columns(names, name, header=True)
            chosen = columns.targets(inputs, outputs, target, text=text, classification=classification)
            rest = columns.others(chosen)
            if not file.metadata.num_rows:
                raise DataError(f"{name} has no rows", where=name)
            batches = file.iter_batches(max(1, AT_ONCE // (8 * len(names))))
            return joined(_parts(batches, names, chosen, rest, name))
    except (OSError, pyarrow.ArrowException) as error:
        raise DataError(f"cannot read {name}", where=str(path), why=f"{error}.") from error


def _parts(
    batches: Iterator[Any], names: Sequence[str], chosen: Sequence[int], rest: Sequence[int], table: str
) -> Iterator[Part]:
    start = 0
    for batch in batches:
        X = np.stack([_numbers(batch.column(k), f"{table}, {names[k]}", start) for k in rest], axis=1)
        if len(chosen) == 1 and not _is_number(batch.column(chosen[0]).type):
            Y = _labels(batch.column(chosen[0]), f"{table}, {names[chosen[0]]}", start)[:, None]
        else:
            Y = np.stack([_numbers(batch.column(k), f"{table}, {names[k]}", start) for k in chosen], axis=1)
        features = tuple(names[k] for k in rest)
        yield Part(X, Y, Places(None, tuple(names[k] for k in chosen)), table, features)
        start += batch.num_rows


def _is_number(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_floating(kind) or types.is_integer(kind) or types.is_boolean(kind) or types.is_decimal(kind))


def _numbers(column: Any, where: str, start: int) -> NDArray[np.float64]:
    """A column as finite numbers."""
    if not _is_number(column.type):
        raise DataError(f"a column of {column.type} holds no numbers", where=where, instead="Leave it out of the file.")
    if column.null_count:
        row = start + int(np.argmax(column.is_null().to_numpy(zero_copy_only=False)))
        raise DataError("a value is missing", where=f"{where}, row {row + 1}", instead="Fill it in, or leave it out.")
    values = np.asarray(column.to_numpy(zero_copy_only=False), np.float64)
    for k in np.flatnonzero(~np.isfinite(values)):
        raise not_finite(values[k], f"{where}, row {start + int(k) + 1}")
    return values


def _labels(column: Any, where: str, start: int) -> NDArray[Any]:
    """A column as text."""
    labels = [None if x is None else str(x) for x in column.to_pylist()]
    if None in labels or "" in labels:
        row = start + next(k for k, x in enumerate(labels) if not x)
        raise DataError("a label is missing", where=f"{where}, row {row + 1}", instead="Fill it in, or leave it out.")
    return np.array(labels)
