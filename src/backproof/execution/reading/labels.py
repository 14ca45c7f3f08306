"""Targets as the network needs them: numbers as they are, labels as columns of 0 and 1 (or −1 and +1)."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backproof.execution.reading.part import Floats, Part, counted, listed
from backproof.ir.errors import DataError

Labels: TypeAlias = Literal["01", "-1+1"]


def targets(
    part: Part, outputs: int | None, classification: bool, labels: Labels
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
            f"the network has {counted(outputs, 'output')}, {part.name} has {counted(raw.shape[1], 'target column')}",
            where=f"target {listed(part.places.columns)}",
            why="Numbers are compared with the outputs one by one; only with a classification loss are they labels.",
            instead=f"Change the network's outputs to {raw.shape[1]}, or the target columns.",
        )
    return raw, None


def _whole(part: Part, outputs: int | None) -> bool:
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


def _encode(part: Part, column: NDArray[Any], outputs: int | None, labels: Labels) -> tuple[Floats, tuple[str, ...]]:
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
    if not text and wanted is not None and len(values) < wanted and values[0] >= 0 and values[-1] < wanted:
        # Numbered classes of which some do not occur in these samples.
        values = np.arange(float(wanted))
    if wanted is not None and len(values) != wanted:
        raise _wrong_classes(part, column, values, outputs or 0)
    positions = np.searchsorted(values, column)
    Y = positions.astype(np.float64).reshape(-1, 1) if outputs == 1 else np.eye(len(values))[positions]
    if labels == "-1+1":
        Y = 2 * Y - 1
    return Y, tuple(str(v) if text else str(int(v)) for v in values)


def _wrong_classes(part: Part, column: NDArray[Any], values: NDArray[Any], outputs: int) -> DataError:
    text = column.dtype.kind == "U"
    names = [str(v) if text else str(int(v)) for v in values]
    classes = 2 if outputs == 1 else outputs
    outside = np.flatnonzero((column < 0) | (column >= classes)) if not text else np.array([])
    found = f"{part.name} has {len(names)} {'class' if len(names) == 1 else 'classes'}: {listed(names)}"
    instead = {1: "Use data with more than one class.", 2: "Give the last layer two nodes, or one."}.get(
        len(names), f"Give the last layer {len(names)} nodes."
    )
    if outside.size:
        row = int(outside[0])
        return DataError(
            f"label {int(column[row])} is outside the classes 0…{classes - 1}",
            where=f"{part.name}, {part.places.of(row)}",
            why=f"The network has {counted(outputs, 'output')}; {found}.",
            instead=instead,
        )
    return DataError(
        f"the network has {counted(outputs, 'output')}, {found}",
        where=f"target {listed(part.places.columns)}",
        why="Each class needs an output of its own; two can share a single one.",
        instead=instead,
    )
