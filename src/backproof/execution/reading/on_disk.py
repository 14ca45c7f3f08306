"""Arrays that lie on disk, for data that are larger than memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from backproof.execution.reading.part import not_finite
from backproof.ir.errors import DataError

AT_ONCE = 2**25
"""About how many bytes are read at once."""

LARGE = 2**28
"""The most bytes that an array out of a file may have to be kept in memory."""


def is_large(size: int) -> bool:
    """Whether an array of so many bytes, out of a file, lies on disk."""
    return size > LARGE


class Rows:
    """The rows of an array on disk in a kind of number, or some of them; what is asked for is read, and no more.

    It has the shape and the length of an array. Rows are taken by a slice, or by an array of their numbers.
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
        if copy is False:
            raise ValueError("what lies on disk is read into a new array")
        return np.array(self[:], dtype, copy=copy)

    def some(self, rows: NDArray[Any]) -> Rows:
        """The rows of these numbers."""
        return Rows(self._array, self.dtype, rows if self._rows is None else self._rows[rows])


class Scratch:
    """A file without a name in the folder for temporary files, which is gone when nothing uses it any more."""

    def __init__(self) -> None:
        """Raises DataError where there is no folder for it."""
        self._written = 0
        try:
            # Without a buffer: what did not fit would be written once more on closing, and hide the first error.
            self.file = tempfile.TemporaryFile(prefix="backproof-", buffering=0)  # noqa: SIM115  it is closed on leaving
        except OSError as error:
            raise self._no_room(error) from None

    def __enter__(self) -> Scratch:
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()

    def write(self, left: memoryview) -> None:
        """Adds bytes. Raises DataError where the disk is full."""
        try:
            while left:
                count = self.file.write(left)
                self._written, left = self._written + count, left[count:]
        except OSError as error:
            raise self._no_room(error) from None

    def _no_room(self, error: OSError) -> DataError:
        return DataError(
            "the data do not fit on the disk",
            where=f"{tempfile.tempdir or 'no folder'}, after {self._written:,} bytes",
            why=f"{error.strerror}. Large data are laid out in the folder for temporary files.",
            instead="Make room, or set TMPDIR to a folder on another disk.",
        )


class Spool:
    """Rows put one after the other: in memory, and once they are large in a file without a name."""

    def __init__(self, dtype: DTypeLike) -> None:
        self._dtype = np.dtype(dtype)
        self._held: list[NDArray[Any]] = []
        self._scratch: Scratch | None = None
        self._rows, self._bytes = 0, 0
        self._each: tuple[int, ...] = ()

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *error: object) -> None:
        if self._scratch is not None:
            self._scratch.file.close()

    def write(self, rows: NDArray[Any]) -> None:
        """Adds rows. Raises DataError where the disk is full."""
        rows = np.ascontiguousarray(rows, self._dtype)
        self._rows, self._bytes, self._each = self._rows + len(rows), self._bytes + rows.nbytes, rows.shape[1:]
        self._held.append(rows)
        if is_large(self._bytes):
            self._lay_out()

    def _lay_out(self) -> None:
        """Moves what is held in memory to the disk."""
        if self._scratch is None:
            self._scratch = Scratch()
        for rows in self._held:
            self._scratch.write(rows.reshape(-1).view(np.uint8).data)
        self._held.clear()

    def array(self) -> NDArray[Any]:
        """All that was written."""
        if self._scratch is None:
            return np.concatenate(self._held)
        return np.memmap(self._scratch.file, self._dtype, "r", shape=(self._rows, *self._each))


def parts_of(array: NDArray[Any] | Rows) -> Iterator[tuple[int, NDArray[Any]]]:
    """The array in parts of whole rows, each with the number of its first row."""
    each = max(1, array.nbytes // max(1, len(array)))
    rows = max(1, AT_ONCE // each)
    for start in range(0, len(array), rows):
        yield start, np.asarray(array[start : start + rows])


def require_finite(array: NDArray[Any], name: str) -> None:
    """Raises DataError for a value that is infinite or no number."""
    for start, part in parts_of(np.atleast_1d(array)):
        if part.dtype.kind == "f" and not np.isfinite(part).all():
            row, *rest = np.argwhere(~np.isfinite(part))[0]
            place = f"[{', '.join(map(str, (start + row, *rest)))}]" if array.ndim else ""
            raise not_finite(part[(row, *rest)], f"{name}{place}")
