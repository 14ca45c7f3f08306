"""NumPy's functions that write into an array, as writes by an index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from backproof.frontends.tracing.tape import refuse
from backproof.frontends.tracing.traced import WRITERS, Traced

Writer = Callable[..., None]


def _writes(function: Callable[..., Any]) -> Callable[[Writer], Writer]:
    def enter(writer: Writer) -> Writer:
        def checked(array: Any, *arguments: Any, **options: Any) -> None:
            if type(array) is not Traced:
                raise refuse(
                    "a traced array is written to a plain one",
                    why="it cannot hold a derivative",
                    instead="make the array that is written to with np.zeros",
                )
            writer(array, *arguments, **options)

        WRITERS[function] = checked
        return writer

    return enter


@_writes(np.copyto)
def _copyto(dst: Traced, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    dst[...] = src if where is True else np.where(where, src, dst)


@_writes(np.putmask)
def _putmask(a: Traced, mask: Any, values: Any) -> None:
    """Of several values each entry takes the one at its own place."""
    a[...] = np.where(mask, values if np.ndim(values) == 0 else np.reshape(_cycled(values, a.size), a.shape), a)


@_writes(np.place)
def _place(arr: Traced, mask: Any, vals: Any) -> None:
    """Of several values the entries take one after the other."""
    count = int(np.count_nonzero(mask))
    if count:
        arr[mask] = _cycled(vals, count)


@_writes(np.put)
def _put(a: Traced, ind: Any, v: Any, mode: str = "raise") -> None:
    if mode != "raise":
        raise refuse(f"np.put with mode={mode!r} is not followed", instead="write to an index: y[places] = values")
    places = np.ravel(ind) % a.size
    a[np.unravel_index(places, a.shape)] = _cycled(v, places.size)


@_writes(np.fill_diagonal)
def _fill_diagonal(a: Traced, val: Any, wrap: bool = False) -> None:
    if wrap:
        raise refuse("np.fill_diagonal with wrap is not followed", instead="write to an index: y[i, j] = values")
    n = min(a.shape)
    a[(np.arange(n),) * a.ndim] = _cycled(val, n)


def _cycled(values: Any, count: int) -> Any:
    """As many values as are needed, from the first again after the last; one number stands for all of them."""
    if np.ndim(values) == 0:
        return values
    flat = np.ravel(values)
    return flat if flat.size == count else flat[np.arange(count) % flat.size]
