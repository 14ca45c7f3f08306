"""Where among the arguments of a function the inputs of its derivation are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from backproof.ir.node import Node
from backproof.ops.row import Array


def places_of(inputs: Iterable[Node], arguments: Mapping[str, Any]) -> dict[str, str]:
    """The places of the arrays that inputs were made of, ``['params']['W']``, by the names of the inputs.

    The names do not tell: two layers' W are W and b_W. But inputs hold the values of their arrays and stand in the
    same order, so that of equal arrays each gets its own.
    """
    left, found = dict(_arrays("", arguments)), dict[str, str]()
    for node in inputs:
        value = node.attrs["value"]
        place = next((place for place, array in left.items() if np.array_equal(array, value)), None)
        if place is not None:
            found[str(node.symbol)] = place
            del left[place]
    return found


def _arrays(place: str, value: Any) -> Iterator[tuple[str, Array]]:
    if isinstance(value, np.ndarray):
        yield place, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _arrays(f"{place}[{key!r}]", part)
    elif isinstance(value, list | tuple):
        for k, part in enumerate(value):
            yield from _arrays(f"{place}[{k}]", part)
