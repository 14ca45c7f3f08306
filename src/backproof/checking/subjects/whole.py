"""Whole numbers in the data: which are parameters, and which are labels or places."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from backproof.checking.subjects.drawing import copied
from backproof.ops.row import Array

DATA = ("X", "x", "Y", "y")
"""What is no parameter, whatever its numbers."""
STEP = 1e-4
"""How far whole numbers are moved to see what they are."""
LINEAR = 0.1
"""How far from proportional the change of a smooth result may be."""


def decimal(scalar: Callable[..., Any], arguments: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Array]:
    """The arrays of whole numbers that a result depends on smoothly, as decimal numbers.

    A parameter such as np.array([[1, -2]]) has a derivative; labels and places, on which a result depends in steps or
    which cannot be anything else, have none.
    """
    found = {}
    for name in names:
        array = arguments.get(name)
        if isinstance(array, np.ndarray) and array.dtype.kind in "iu" and name not in DATA:
            way = np.random.default_rng(0).uniform(0.5, 1, array.shape)
            try:
                with np.errstate(all="ignore"):
                    start, half, end = (
                        float(scalar(**copied({**arguments, name: array + step * way}))) for step in (0, STEP / 2, STEP)
                    )
            except Exception:  # it takes whole numbers only
                continue
            if abs(end - start) > 0 and abs((half - start) - (end - start) / 2) < LINEAR * abs(end - start):
                found[name] = array.astype(float)
    return found
