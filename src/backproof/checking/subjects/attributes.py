"""The arrays that objects hold: in attributes, in containers, in objects further in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from backproof.checking.naming import last_word, plain, spellings
from backproof.ops.row import Array

NO_OWNERS = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType, np.ndarray, np.generic)
"""What has attributes and is no object of the user's."""


def arrays_in(value: Any) -> dict[str, Array]:
    """The arrays that a value holds, by how they are reached from it: ``.layers[0].W``."""
    return {text: part for text, part in _leaves("", value, set()) if isinstance(part, np.ndarray)}


def _leaves(text: str, value: Any, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """What is inside containers and objects and is none itself."""
    parts = _parts(value)
    if not parts:
        yield text, value
    elif id(value) not in seen:
        seen.add(id(value))
        for place, part in parts:
            yield from _leaves(f"{text}{place}", part, seen)


def _parts(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [(f"[{key!r}]", part) for key, part in value.items()]
    if isinstance(value, list | tuple):
        return [(f"[{k}]", part) for k, part in enumerate(value)]
    if isinstance(value, NO_OWNERS) or not hasattr(value, "__dict__"):
        return []
    return [(f".{name}", part) for name, part in vars(value).items()]


def attributes(owners: Iterable[Any]) -> dict[str, Any]:
    """The attributes of objects by name; those of the first count."""
    found: dict[str, Any] = {}
    for owner in owners:
        for name, value in getattr(owner, "__dict__", {}).items():
            found.setdefault(name, value)
    return found


def objects_in(value: Any) -> list[Any]:
    """The objects of the user's that a value holds, those in containers and further in too."""
    found: dict[int, Any] = {}
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if id(part) not in found:
            found[id(part)] = part
            waiting += [inner for _, inner in _parts(part)]
    return [part for part in found.values() if hasattr(part, "__dict__") and not isinstance(part, NO_OWNERS)]


def named_arrays(owners: Sequence[Any], taken: Iterable[str]) -> dict[str, Array]:
    """The arrays of decimal numbers that objects hold, each once, by names of their own.

    A name is the last word of that; of several alike each has its number. One that is called like the derivative by
    another is left out.
    """
    places = {id(array): (text, array) for text, array in reversed(arrays_in(list(owners)).items())}
    decimal = [(text, x) for text, x in reversed(places.values()) if x.dtype.kind == "f" and x.size]
    words = [last_word(text).strip("_") or "W" for text, _ in decimal]
    derivatives = {spelling for word in words for spelling in spellings(word)}
    several = Counter(words)
    used, numbers = set(taken), Counter[str]()
    named = {}
    for word, (_, array) in zip(words, decimal, strict=True):
        name = word
        while name in used or (several[word] > 1 and name == word):
            numbers[word] += 1
            name = f"{word}{numbers[word]}"
        used.add(name)
        if plain(word) not in derivatives:
            named[name] = array
    return named


def empty_in(value: Any) -> dict[str, None]:
    """The places in a value that hold None, by how they are reached."""
    return {text: None for text, part in _leaves("", value, set()) if part is None}


def changed(before: Mapping[str, tuple[Any, Array]], value: Any) -> dict[str, Any]:
    """The arrays and decimal numbers in a value that were not there before, or are other ones by now."""
    return {
        text: part
        for text, part in _numbers_in(value)
        if text not in before or before[text][0] is not part or not np.array_equal(before[text][1], part)
    }


def noted(value: Any) -> dict[str, tuple[Any, Array]]:
    """The arrays and decimal numbers in a value, each with a copy."""
    return {text: (part, np.array(part)) for text, part in _numbers_in(value)}


def _numbers_in(value: Any) -> Iterator[tuple[str, Any]]:
    return ((text, x) for text, x in _leaves("", value, set()) if isinstance(x, np.ndarray | float))
