"""Where a command's result goes: files that are whole or not there at all."""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from backproof.ir.errors import BackproofError

if TYPE_CHECKING:
    from backproof.execution.trace import Trace


def write_file(path: Path, text: str) -> None:
    """Writes a text file in one piece. Raises BackproofError."""
    write_bytes(path, text.encode())


def write_arrays(path: Path, trace: Trace) -> None:
    """Writes every value of a trace to an NPZ file, under the plain names of the quantities. Raises BackproofError.

    The file can be read as data again: `layout` tells which axis the samples are, `parameters` what was learned.
    """
    import numpy as np

    about = {}
    if not trace.derivation.sources:
        columns = trace.derivation.graph.inputs[0].shape[-1].samples
        about["layout"] = np.array("columns" if columns else "rows")
        about["parameters"] = np.array([str(node.symbol) for node in trace.derivation.graph.parameters])
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **about, **dict(trace))
    write_bytes(path, buffer.getvalue())


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file under a temporary name first, then renames it: it is whole or not there. Raises BackproofError.

    A link is followed, an existing file keeps its permissions, and what is no regular file (a pipe, a device) is
    written to as it is.
    """
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            target.write_bytes(content)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        # mkstemp makes files that only the owner may read; a new result gets the permissions of any new file.
        mask = os.umask(0)
        os.umask(mask)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~mask
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.chmod(name, mode)
            os.replace(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise BackproofError(f"{path} cannot be written", why=f"{error.strerror or error}.") from error
