"""Parts of a table put together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import numpy as np

from backproof.execution.reading.on_disk import Spool
from backproof.execution.reading.part import Part
from backproof.ir.errors import DataError


def joined(parts: Iterator[Part]) -> Part:
    """The parts of a table, which follow each other, as one. Raises DataError for targets of different kinds."""
    first = next(parts)
    targets, lines = [], []
    with Spool(first.X.dtype) as spool:
        for part in chain([first], parts):
            if (part.Y.dtype.kind == "U") != (first.Y.dtype.kind == "U"):
                raise DataError(
                    "the target is text in some rows and a number in others",
                    where=f"{part.name}, from {part.places.of(0)} on",
                    instead="Only a single target column may hold text, and then in every row.",
                )
            assert part.places.lines is not None
            spool.write(part.X)
            targets.append(part.Y)
            lines.append(part.places.lines)
        X = spool.array()
    return replace(first, X=X, Y=np.concatenate(targets), places=replace(first.places, lines=np.concatenate(lines)))
