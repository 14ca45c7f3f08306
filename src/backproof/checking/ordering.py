"""Lists of derivatives that come back in another order than the parameters stand in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from backproof.checking.diagnosis import Remark
from backproof.checking.truth import Truth
from backproof.write.doc import Code

NUMBERED = re.compile(r"(.*?)_?\[?(\d+)\]?")
"""The name of a parameter that stands in a list: of ``weights_2``, the name of the list and the place in it."""


def out_of_order(truth: Truth) -> Iterator[Remark]:
    """What comes back as one list and has the derivatives by the parameters of another list, in another order."""
    arguments = truth.played[0].arguments
    for found in _lists(truth.played[0].returned):
        names = [_parameter(truth, part) for part in found]
        matches = [NUMBERED.fullmatch(name) for name in names if name is not None]
        numbers = [int(x[2]) for x in matches if x is not None]
        lists = {x[1] for x in matches if x is not None}
        if len(numbers) < len(found) or len(lists) > 1 or sorted(numbers) != list(range(1, len(found) + 1)):
            continue
        (whole,) = lists
        if numbers != sorted(numbers) and isinstance(arguments.get(whole), list | tuple):
            yield Remark("learning", "order", _told(whole, numbers))


def _told(whole: str, numbers: list[int]) -> tuple[str | Code, ...]:
    places = [Code(f"{whole}[{n - 1}]") for n in numbers]
    listed = [x for place in places for x in (", ", place)][1:]
    return (
        *("The derivatives by the arrays in ", Code(whole), " come back as those by ", *listed),
        ": in another order. Whoever takes the two lists side by side steps along the wrong ones.",
    )


def _lists(value: Any) -> Iterator[list[Any]]:
    """The lists of arrays in what came back."""
    if isinstance(value, list | tuple):
        if len(value) > 1 and all(isinstance(x, np.ndarray) for x in value):
            yield list(value)
        parts: Any = value
    else:
        parts = value.values() if isinstance(value, dict) else ()
    for part in parts:
        yield from _lists(part)


def _parameter(truth: Truth, array: np.ndarray) -> str | None:
    """The parameter that an array is the derivative by."""
    found = (name for name, quantity in truth.of_name.items() if truth.is_(quantity, [array]))
    return next(found, None)
