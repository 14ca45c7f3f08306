"""Where among the arguments of a function the inputs of its derivation are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from backproof.ir.node import Node


def places_of(inputs: Iterable[Node], arguments: Mapping[str, Any]) -> dict[str, str]:
    """The places of the arrays that inputs were made of, ``['params']['W']``, by the names of the inputs.

    The names do not tell: two layers' W are W and b_W. But inputs hold the values of their arrays and stand in the
    same order, so that of equal arrays each gets its own.
    """
    left = {place: x for place, x in leaves_of("", arguments) if isinstance(x, np.ndarray)}
    found: dict[str, str] = {}
    for node in inputs:
        value = node.attrs["value"]
        place = next((place for place, array in left.items() if np.array_equal(array, value)), None)
        if place is not None:
            found[str(node.symbol)] = place
            del left[place]
    return found


def leaves_of(place: str, value: Any) -> Iterator[tuple[str, Any]]:
    """What containers hold that is none itself, with its place."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from leaves_of(f"{place}[{key!r}]", part)
    elif isinstance(value, list | tuple):
        for k, part in enumerate(value):
            yield from leaves_of(f"{place}[{k}]", part)
    else:
        yield place, value
