"""Finding and reading files."""

from __future__ import annotations

import difflib
import gzip
import pickle
import zipfile
import zlib
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

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


def read_text(file: Traversable, name: str) -> str:
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


ARCHIVES = (b"PK", b"\x93NUMPY", b"\x80")
"""How a file begins that NumPy or pickle wrote."""


def load_npz(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as file:
            start = file.read(8)
            file.seek(0)
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise DataError(f"{path.name} holds a single array", where=str(path), instead="Save both X and Y.")
            return {key: archive[key] for key in archive.files}
    except (ValueError, pickle.UnpicklingError) as error:
        if not start.startswith(ARCHIVES):
            raise DataError(
                f"{path.name} is not an NPZ file, whatever its name says",
                where=str(path),
                instead="Save arrays: numpy.savez(path, X=X, Y=Y).",
            ) from error
        raise DataError(
            f"{path.name} holds something other than plain arrays",
            where=str(path),
            why="Python objects in a file can run code when they are read, so they are refused.",
            instead="Save arrays of numbers or text: numpy.savez(path, X=X, Y=Y).",
        ) from error
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        _unreadable(path.name, error)
