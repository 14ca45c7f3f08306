"""Where a command's result goes: files that are whole or not there at all."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from backproof.execution.writing import write_bytes

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
