"""A loss that is no number has no derivative: where it comes from."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from backproof.ir.errors import DataError
from backproof.ops.row import Array

Value = tuple[str, str, Array]
"""Where a value is computed, what it is called, and what it is."""


class NotFiniteError(DataError):
    """A loss that is nan or infinite."""


def require_finite(loss: float, values: Iterable[Value]) -> None:
    """Raises NotFiniteError for a loss that is nan or infinite, with the first of the values that are not finite."""
    if np.isfinite(loss):
        return
    odd = [value for value in values if value[2].dtype.kind == "f" and not np.isfinite(value[2]).all()]
    first = odd[:1]
    first += [value for value in odd if np.isnan(value[2]).any() and value is not first[0]][:1]
    place, name, array = first[0] if first else ("", "the loss itself", np.asarray(loss))
    why = f"the first quantity that is not finite is {name}: {_entry(array)}"
    if len(first) > 1 and not np.isnan(array).any():
        why += f"; the first that is nan is {first[1][1]}{f' ({first[1][0]})' if first[1][0] else ''}"
    raise NotFiniteError(
        f"the loss is {loss}, which has no derivative",
        where=place,
        why=why,
        instead="keep logarithms and divisions away from 0 and exponentials away from large numbers (subtract the "
        "largest entry before a softmax), or give data on which the loss is a number",
    )


def _entry(array: Array) -> str:
    """The first entry that is not finite: ``inf at [2,3]``."""
    place = tuple(np.argwhere(~np.isfinite(array))[0])
    at = f" at [{','.join(str(k + 1) for k in place)}]" if place else ""
    return f"{array[place]}{at}"
