"""Arrays that lie on disk, for data that are larger than memory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from backproof.execution.reading.part import not_finite
from backproof.ir.errors import DataError

AT_ONCE = 2**25
"""About how many bytes are read at once."""


class Rows:
    """The rows of an array on disk in a kind of number, or some of them; what is asked for is read, and no more.

    It has the shape, the length and the slices of an array.
    """

    def __init__(self, array: NDArray[Any], dtype: DTypeLike, rows: NDArray[Any] | None = None) -> None:
        self._array, self._rows, self.dtype = array, rows, np.dtype(dtype)
        self.shape = (len(array) if rows is None else len(rows), *array.shape[1:])
        self.ndim = array.ndim
        self.nbytes = int(np.prod(self.shape)) * self.dtype.itemsize

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, key: slice | NDArray[Any]) -> NDArray[Any]:
        if self._rows is not None:
            key = self._rows[key]
        if isinstance(key, slice):
            return np.asarray(self._array[key], self.dtype)
        # In the order in which they lie on disk, which is read ahead.
        order = np.argsort(key, kind="stable")
        found = np.empty((len(key), *self.shape[1:]), self.dtype)
        found[order] = self._array[key[order]]
        return found

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[:], dtype)

    def some(self, rows: NDArray[Any]) -> Rows:
        """The rows of these numbers."""
        return Rows(self._array, self.dtype, rows if self._rows is None else self._rows[rows])


class Spool:
    """Rows written one after the other to a file without a name, which is gone when nothing uses the array any more."""

    def __init__(self, dtype: DTypeLike) -> None:
        self._dtype = np.dtype(dtype)
        self._file = tempfile.TemporaryFile(prefix="backproof-")  # noqa: SIM115  it is closed on leaving
        self._rows = 0
        self._each: tuple[int, ...] = ()

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def write(self, rows: NDArray[Any]) -> None:
        """Adds rows. Raises DataError where the disk is full."""
        try:
            self._file.write(np.ascontiguousarray(rows, self._dtype).data)
            self._file.flush()
        except OSError as error:
            raise DataError(
                "the data do not fit on the disk",
                where=f"{tempfile.gettempdir()}, after {self._rows} rows",
                why=f"{os.strerror(error.errno or 0)}; data that do not fit in memory are laid out there",
                instead="make room, or set TMPDIR to a folder on another disk",
            ) from None
        self._rows, self._each = self._rows + len(rows), rows.shape[1:]

    def array(self) -> NDArray[Any]:
        """All that was written."""
        return np.memmap(self._file, self._dtype, "r", shape=(self._rows, *self._each))


def parts_of(array: NDArray[Any] | Rows) -> Iterator[tuple[int, NDArray[Any]]]:
    """The array in parts of whole rows, each with the number of its first row."""
    each = max(1, array.nbytes // max(1, len(array)))
    rows = max(1, AT_ONCE // each)
    for start in range(0, len(array), rows):
        yield start, np.asarray(array[start : start + rows])


def require_finite(array: NDArray[Any], name: str) -> None:
    """Raises DataError for a value that is infinite or no number."""
    for start, part in parts_of(array):
        if part.dtype.kind == "f" and not np.isfinite(part).all():
            row, *rest = np.argwhere(~np.isfinite(part))[0]
            raise not_finite(part[(row, *rest)], f"{name}[{', '.join(map(str, (start + row, *rest)))}]")
