"""Dicts and lists of arrays out of what holds only arrays, as an NPZ file does.

A part is named by its way, ``params.W1``, ``params/W1``, ``layers.0.W``. Where the code says which keys it reads,
``params["W1"]``, the name of the key is enough.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from backproof.checking.subjects.calls import needs, takes
from backproof.checking.subjects.keys import Keys, keys_read
from backproof.ir.errors import BackproofError

BETWEEN = re.compile(r"[./]")


def nested(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with those put together whose names are ways into a container. Raises BackproofError.

    Places of a list are counted from 0. Words, truth values and, inside containers, whole numbers become Python's own.
    """
    ways = {name: tuple(BETWEEN.split(name)) for name in arguments}
    found: dict[str, Any] = {}
    for name, (*above, last) in ways.items():
        inside = found
        for k, word in enumerate(above, 1):
            if (way := tuple(above[:k])) in ways.values():
                raise BackproofError(
                    f"{'.'.join(way)} is an array, and has a part {ways[name][k]}",
                    where=name,
                    why="what has parts is a dict or a list",
                    instead="leave out one of them, or give it another name",
                )
            inside = inside.setdefault(word, {})
        inside[last] = _own(arguments[name], inner=bool(above))
    made = {way[0] for way in ways.values() if len(way) > 1}
    return {name: _with_lists(name, value) if name in made else value for name, value in found.items()}


def _own(value: Any, *, inner: bool) -> Any:
    """A number or a word that a file has as an array of no axis as what it was; decimal numbers may be parameters."""
    kinds = "bUiu" if inner else "bU"
    return value.item() if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in kinds else value


def _with_lists(name: str, value: Any) -> Any:
    """Dicts whose keys are places as lists."""
    if not isinstance(value, dict):
        return value
    parts = {key: _with_lists(f"{name}.{key}", part) for key, part in value.items()}
    if not all(map(str.isdecimal, parts)):
        return parts
    places = {int(key): part for key, part in parts.items()}
    lacking = [f"{name}.{k}" for k in range(max(places)) if k not in places]
    if lacking:
        raise BackproofError(
            f"the list {name} lacks {', '.join(lacking)}",
            where=f"it has {', '.join(f'{name}.{k}' for k in sorted(places))}",
            why="its places are counted from 0",
            instead="give it all of them",
        )
    return [places[k] for k in range(len(places))]


def gathered(functions: Sequence[Callable[..., Any]], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with the containers that a forward pass needs and nobody gave, where the code tells their keys.

    The first of the functions is the forward pass. Raises BackproofError where keys are missing, and names them all.
    """
    found = dict(arguments)
    taken = {name for function in functions for name in takes(function)}
    for name in needs(functions[0]):
        given = arguments.get(name)
        if given is not None and type(given) is not dict:
            continue
        keys = keys_read([function for function in functions if name in takes(function)], name)
        held = dict(given) if given is not None else _held(keys, arguments, taken)
        if not held and not keys.needed and not keys.computed:
            continue  # nothing tells what is in it
        if given is None or not keys.changes:
            _complete(functions[0], name, keys, held, arguments if given is None else given)
        found[name] = held if given is not None or not keys.order else tuple(held.values())
        found = {key: value for key, value in found.items() if given is not None or key not in held or key in taken}
    return found


def _held(keys: Keys, arguments: Mapping[str, Any], taken: Collection[str]) -> dict[str, Any]:
    """The arguments that a container holds; those that a computed key may mean are no parameters themselves."""
    if keys.order:
        return {key: arguments[key] for key in keys.order if key in arguments}
    meant = {key for key in arguments if key not in taken and any(re.fullmatch(p, key) for p in keys.computed)}
    return {key: _own(value, inner=True) for key, value in arguments.items() if key in keys.read or key in meant}


def _complete(
    function: Callable[..., Any], name: str, keys: Keys, held: Mapping[str, Any], among: Mapping[str, Any]
) -> None:
    """Raises BackproofError for the keys that are read and not there."""
    lacking = {key: text for key, text in keys.needed.items() if key not in held}
    computed = {} if held else {text: text for text in keys.computed.values()}
    if not lacking and not computed:
        return
    raise BackproofError(
        f"{name} has no {' and no '.join(lacking)}" if lacking else f"there is no {name}",
        where=f"{function.__name__} reads {', '.join(dict.fromkeys([*lacking.values(), *computed]))}",
        why=f"there are {', '.join(among)}" if among else "no data are given",
        instead="in an NPZ file a part is named by its key or by its way: "
        + next(f'"{key}" or "{name}.{key}"' for key in [*lacking, "W1"]),
    )
