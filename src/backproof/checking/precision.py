"""Which precision a backward pass is compared in: double, unless the code itself computes in less."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from backproof.checking.diagnosis import Remark
from backproof.checking.frames import held
from backproof.checking.moments import Held, Moment
from backproof.checking.subjects.drawing import each, is_label, like
from backproof.checking.subjects.subject import Played
from backproof.ops.row import Array
from backproof.write.doc import Code

DOUBLE = np.dtype(float)
NAMES = {2: "half", 4: "single"}
"""What kinds of decimal numbers are called, by the bytes that one takes."""


def in_double(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments with their decimal numbers in double precision, in which code that is right gives what is right.

    So shares add up to one in it too.
    """

    def exact(array: Array) -> Array:
        if array.dtype.kind != "f":
            return array
        return array.astype(float) if is_label(array) else like(array, array.astype(float))

    return dict(each(exact, dict(arguments)))


def taken_in_double(arguments: Mapping[str, Any]) -> Iterator[Remark]:
    """That arguments were given in less."""
    less = next((x for name in arguments for x in held(name, arguments[name]) if _is_less(x.value)), None)
    if less is not None:
        kind = less.value.dtype
        yield Remark(
            "comparison",
            "precision",
            (
                f"The data are in {NAMES[kind.itemsize]} precision ({kind.name}), as ",
                Code(less.text),
                ". They were taken in double precision, where no rounding hides a mistake: what your own run gives "
                "differs in its last digits.",
            ),
        )


def evenly_precise(played: Played) -> Played:
    """A run with all its values in the least precise kind of number that it computes in.

    What is computed from rounded values is no more precise than they are, whatever it is kept in. Labels and masks are
    exact in any.
    """
    values = [x.value for moment in played.moments for x in (*moment.reads, *moment.writes)]
    if (rounded := _rounding(values)) is None:
        return played

    def all_of(values: Collection[Held]) -> tuple[Held, ...]:
        return tuple(replace(x, value=rounded(x.value)) for x in values)

    moments: list[Moment] = [replace(x, reads=all_of(x.reads), writes=all_of(x.writes)) for x in played.moments]
    updates = {name: rounded(x) for name, x in played.updates.items()}
    return replace(played, moments=tuple(moments), returned=each(rounded, played.returned), updates=updates)


def as_precise_as(arguments: Mapping[str, Any], gradients: Mapping[str, Any]) -> Mapping[str, Any]:
    """Gradients that were computed somewhere else, in the least precise kind of number that the data are in."""
    rounded = _rounding([x.value for name in arguments for x in held(name, arguments[name])])
    return gradients if rounded is None else dict(each(rounded, dict(gradients)))


def _rounding(values: Sequence[Array]) -> Callable[[Array], Array] | None:
    """What takes arrays to the least precise kind of number that values are in; None where that is double."""
    least = min((x.dtype for x in values if x.ndim and _is_less(x) and not is_label(x)), key=_bytes, default=None)
    if least is None:
        return None
    done: dict[int, Array] = {}

    def rounded(array: Array) -> Array:
        if array.dtype.kind != "f" or array.dtype.itemsize <= least.itemsize:
            return array
        if id(array) not in done:
            with np.errstate(over="ignore"):
                done[id(array)] = array.astype(least)
        return done[id(array)]

    return rounded


def _is_less(array: Array) -> bool:
    return bool(array.dtype.kind == "f" and array.dtype.itemsize < DOUBLE.itemsize)


def _bytes(kind: np.dtype[Any]) -> int:
    return kind.itemsize
