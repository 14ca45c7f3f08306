"""Finding and reading files."""

from __future__ import annotations

import difflib
import gzip
import io
import math
import os
import pickle
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from backproof.execution.reading.on_disk import AT_ONCE, Scratch, is_large
from backproof.ir.errors import DataError

BUNDLED: Mapping[str, str] = {"digits": "digits.csv.gz", "iris": "iris.csv"}
"""The data sets that come along, by name."""


def existing_path(source: str | Path) -> Path:
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


def read_lines(file: Traversable, name: str) -> Iterator[str]:
    """The lines of a text in UTF-8, which may be packed by gzip. Raises DataError."""
    try:
        with file.open("rb") as raw, io.TextIOWrapper(_unpacked(raw, file.name), "utf-8-sig", newline="") as text:
            try:
                yield from text
            except UnicodeDecodeError as error:
                # Its bytes are the last ones that were read.
                byte = text.buffer.tell() - len(error.object) + error.start + 1
                raise DataError(
                    f"{name} is not text",
                    where=f"byte {byte}",
                    why="A table is read as UTF-8 text.",
                    instead="Save it as CSV in UTF-8, or give arrays in an .npz file.",
                ) from error
    except (OSError, EOFError, zlib.error) as error:
        _unreadable(name, error)


def _unpacked(raw: IO[bytes], name: str) -> gzip.GzipFile | IO[bytes]:
    return gzip.open(raw) if name.endswith(".gz") else raw


ARCHIVES = (b"PK", b"\x93NUMPY", b"\x80")
"""How a file begins that NumPy or pickle wrote."""


def load_npz(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an NPZ file; large ones are laid out on disk. Raises DataError."""
    try:
        with path.open("rb") as file:
            start = file.read(8)
            file.seek(0)
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise DataError(f"{path.name} holds a single array", where=str(path), instead="Save both X and Y.")
            packed = archive.zip
            assert packed is not None
            large = {x.filename for x in packed.infolist() if is_large(x.file_size)}
            return {key: _laid_out(packed, key) if f"{key}.npy" in large else archive[key] for key in archive.files}
    except (ValueError, pickle.UnpicklingError) as error:
        raise _not_arrays(path, start) from error
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        _unreadable(path.name, error)


def _laid_out(archive: zipfile.ZipFile, key: str) -> NDArray[Any]:
    """An array of an archive, unpacked to the disk."""
    with archive.open(f"{key}.npy") as packed, Scratch() as unpacked:
        while part := packed.read(AT_ONCE):
            unpacked.write(memoryview(part))
        unpacked.file.seek(0)
        return mapped(unpacked.file)


def load_folder(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays X.npy and Y.npy of a folder, which stay on disk. Raises DataError."""
    found = {}
    for name in ("X", "Y"):
        file = path / f"{name}.npy"
        if not file.exists():
            raise DataError(f"{path} has no {file.name}", where=str(path), instead="numpy.save both arrays in it.")
        try:
            with file.open("rb") as stream:
                start = stream.read(8)
                stream.seek(0)
                found[name] = mapped(stream)
        except ValueError as error:
            raise _not_arrays(file, start) from error
        except (OSError, EOFError) as error:
            _unreadable(file.name, error)
    return found


def mapped(file: IO[bytes]) -> NDArray[Any]:
    """The array of an NPY file, which stays on disk.

    Raises EOFError for a file that is cut off, and ValueError for one that is something else.
    """
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, turned, dtype = read(file)
    except ValueError:
        _require_more(file, 1)  # NumPy has the same error for a head that is cut off
        raise
    if dtype.hasobject:
        raise ValueError("objects")
    if 0 in shape:
        return np.empty(shape, dtype)
    _require_more(file, math.prod(shape) * dtype.itemsize)
    return np.memmap(file, dtype, "r", file.tell(), shape, "F" if turned else "C")


def _require_more(file: IO[bytes], count: int) -> None:
    """Raises EOFError where fewer bytes than these follow in a file."""
    size = os.fstat(file.fileno()).st_size
    if size - file.tell() < count:
        raise EOFError("It is cut off" if size else "It is empty")


def _not_arrays(path: Path, start: bytes) -> DataError:
    """What is told of a file that begins like this and holds no plain arrays."""
    kind = path.suffix[1:].upper()
    save = "numpy.save(path, X)" if kind == "NPY" else "numpy.savez(path, X=X, Y=Y)"
    if not start.startswith(ARCHIVES):
        return DataError(
            f"{path.name} is not an {kind} file, whatever its name says",
            where=str(path),
            instead=f"Save arrays: {save}.",
        )
    return DataError(
        f"{path.name} holds something other than plain arrays",
        where=str(path),
        why="Python objects in a file can run code when they are read, so they are refused.",
        instead=f"Save arrays of numbers or text: {save}.",
    )
