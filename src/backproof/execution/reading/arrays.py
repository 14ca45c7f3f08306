"""Arrays: NPZ files, mappings and pairs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backproof.execution.reading.on_disk import require_finite
from backproof.execution.reading.part import Part, Places, counted, listed
from backproof.ir.errors import DataError

# An NPZ may hold a network's parameters too: "W[1]" or "W1".
PARAMETER = re.compile(r"([A-Za-z]+)\[?([1-9][0-9]*)\]?")


def from_arrays(arrays: Mapping[str, ArrayLike], name: str, target: Sequence[str]) -> Part:
    if target:
        raise DataError(
            "target columns are named for arrays",
            where=", ".join(target),
            why="X and Y are separate already.",
            instead="Leave the target out.",
        )
    if "layout" in arrays:
        arrays = _of_trace(arrays)
    X = _array(_pick(arrays, "X", name), "X")
    Y = _array(_pick(arrays, "Y", name), "Y")
    if X.ndim == 1:
        X = X.reshape(-1, 1)
    if Y.ndim == 1:
        Y = Y.reshape(-1, 1)
    for label, array in (("X", X), ("Y", Y)):
        if array.ndim != 2:
            raise DataError(
                f"{label} has {array.ndim} axes",
                where=f"{label}, shape {array.shape}",
                why="Rows are samples and columns are nodes.",
                instead=f"{label}.reshape(len({label}), -1)" if array.ndim else "Give an array.",
            )
        if 0 in array.shape:
            raise DataError(f"{label} is empty", where=f"{label}, shape {array.shape}")
    if X.shape[0] != Y.shape[0]:
        raise DataError(
            f"X has {counted(X.shape[0], 'row')}, Y has {counted(Y.shape[0], 'row')}",
            where=f"X {X.shape}, Y {Y.shape}",
            why="Rows are samples, and each needs its target.",
            instead="Transpose them if your samples are columns." if X.shape[1] == Y.shape[1] else "",
        )
    parameters = {}
    for key in arrays:
        if match := PARAMETER.fullmatch(key):
            plain = f"{match[1]}[{match[2]}]"
            if plain in parameters:
                raise DataError(f"{plain} is given twice", where=name, why=f"{key} names it too.")
            parameters[plain] = _finite(_array(arrays[key], key), key)
    text = Y.dtype.kind == "U"
    return Part(
        X=_finite(X, "X"),
        Y=Y if text else np.asarray(_finite(Y, "Y"), np.float64),
        places=Places(None, tuple(f"column {i + 1}" for i in range(Y.shape[1]))),
        name=name,
        parameters=parameters,
    )


def _of_trace(arrays: Mapping[str, ArrayLike]) -> Mapping[str, ArrayLike]:
    """The data and the parameters among the values that `backproof run -o` saved, with rows as samples."""
    given = ("X", "Y", *map(str, np.asarray(arrays["parameters"])))
    columns = str(arrays["layout"]) == "columns"
    # A transposed memmap is one still, and stays on disk.
    return {k: np.asanyarray(v).T if columns and k in ("X", "Y") else v for k, v in arrays.items() if k in given}


def _pick(arrays: Mapping[str, ArrayLike], name: str, source: str) -> ArrayLike:
    for key in (name, name.lower()):
        if key in arrays:
            return arrays[key]
    raise DataError(
        f"{source} has no array {name}",
        where=f"it has {listed(list(arrays)) or 'none'}",
        why="X holds the inputs and Y the targets; rows are samples.",
    )


def _array(value: ArrayLike, name: str) -> NDArray[Any]:
    """An array of numbers or text; ragged lists, objects, complex numbers and dates are refused."""
    try:
        array = value if isinstance(value, np.memmap) else np.asarray(value)
    except ValueError as error:
        raise DataError(f"{name} is ragged", where=name, why="Its rows differ in length.") from error
    if array.dtype.kind == "O" and array.size and all(isinstance(one, str) for one in array.flat):
        array = array.astype(str)  # labels out of a pandas column
    if array.dtype.kind not in "biufU":
        raise DataError(
            f"{name} is an array of {array.dtype}",
            where=name,
            why="Only numbers, and labels as text, can be used.",
            instead=f"Convert it: numpy.asarray({name}, dtype=float)",
        )
    return array


def _finite(array: NDArray[Any], name: str) -> NDArray[Any]:
    """Finite numbers: in double precision, or as they lie on disk."""
    if array.dtype.kind == "U":
        raise DataError(f"{name} holds text", where=name, why="Only targets may be labels.")
    values = array if isinstance(array, np.memmap) else array.astype(np.float64)
    require_finite(values, name)
    return values
