"""Forms as vectors, for code that knows vectors only, such as optimizers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from backproof.autograd.forms import mapped, members, refilled
from backproof.ir.errors import TraceError


def flatten(value: Any) -> tuple[Any, Callable[[Any], Any]]:
    """All entries of an array, or of the arrays in dicts, lists and tuples, as a vector; and the way back from one.

    Dicts are gone through by their keys in sorted order.
    """
    ordered = _sorted(value)
    arrays, shapes = [np.ravel(x) for x in members(ordered)], [np.shape(x) for x in members(ordered)]
    form, ends = mapped(lambda x: None, ordered), np.cumsum([0, *map(len, arrays)])

    def unflatten(vector: Any) -> Any:
        if np.shape(vector) != (ends[-1],):
            raise TraceError(f"an array of shape {np.shape(vector)} is not the vector", where=f"of {ends[-1]} entries")
        parts = zip(ends[:-1], ends[1:], shapes, strict=True)
        return refilled(form, (np.reshape(vector[a:b], shape) for a, b, shape in parts))

    return np.concatenate(arrays) if arrays else np.array([]), unflatten


def _sorted(form: Any) -> Any:
    if isinstance(form, dict):
        return {key: _sorted(form[key]) for key in sorted(form)}
    if isinstance(form, list | tuple):
        held = list(map(_sorted, form))
        return type(form)(*held) if hasattr(form, "_fields") else type(form)(held)
    return form
