"""The values that expressions have where a function stands at a statement."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from types import FrameType, ModuleType
from typing import Any

import numpy as np

from backproof.checking.moments import RETURNED, Held
from backproof.checking.naming import last_word, plain
from backproof.checking.syntax import changes, entry_in, owner_in, stored
from backproof.ops.row import Array

Copy = Callable[[Any], Array]
NUMBERS, MASKS = "iuf", "biuf"
"""Which kinds of arrays are held: those of numbers, or masks too."""
MOST_PARTS = 10_000
"""Of how many parts of a container copies are made."""
MOST_DEPTH = 6
"""How deep containers in containers are looked into."""


def scope_of(names: Iterable[str], frame: FrameType) -> Iterator[tuple[str, Any]]:
    """The functions, modules and words that names stand for."""
    for name in names:
        value = frame.f_locals.get(name, frame.f_globals.get(name))
        numbers = isinstance(value, tuple) and all(isinstance(x, int) for x in value)
        if callable(value) or numbers or isinstance(value, ModuleType | str | bool):
            yield name, value


def values_of(texts: tuple[str, ...], frame: FrameType, copy: Copy, kinds: str = NUMBERS) -> Iterator[Held]:
    """Copies of the arrays that expressions hold; of an entry of an array the whole of it."""
    for text in texts:
        base, key = entry_in(text)
        if base is not None and isinstance(_value(base, frame), np.ndarray):
            # An entry of an array: the array is what counts.
            yield from (replace(part, changed=True) for part in held(base, _value(base, frame), copy, kinds))
            continue
        value = _value(text, frame)
        owner = owner_in(text)
        if owner is not None and isinstance(_value(owner, frame), np.ndarray):
            continue  # A1.T: A1 itself is there too
        resolved = _resolved(text, base, key, frame)
        for part in held(resolved, value, copy, kinds):
            yield replace(part, written=part.text.replace(resolved, text, 1))


def unwritten(statement: ast.stmt, frame: FrameType) -> Iterator[Held]:
    """What a statement would have given values to."""
    for text in stored(statement):
        base, key = entry_in(text)
        resolved = _resolved(text, base, key, frame)
        if base is not None and isinstance(_value(base, frame), np.ndarray):
            yield Held(base, np.array(np.nan), changed=True, written=base)
        else:
            yield Held(resolved, np.array(np.nan), changed=changes(statement), written=text)


def computed(statement: ast.Return, returned: Any, copy: Copy) -> Iterator[Held]:
    """What a return statement gives that no variable holds: ``return dZ @ X.T, dW2`` gives dZ @ X.T."""
    match statement.value:
        case ast.Tuple() | ast.List() | ast.Dict() as display:
            yield from _displayed(display, returned, copy)
        case ast.expr() as part if not isinstance(part, ast.Name | ast.Attribute | ast.Subscript):
            yield from held(ast.unparse(part), returned, copy)


def _displayed(display: ast.expr, returned: Any, copy: Copy) -> Iterator[Held]:
    """The same of a container that is written out, and of those within it."""
    names: list[str | None]
    match display:
        case ast.Tuple(elts=parts) | ast.List(elts=parts) if isinstance(returned, tuple | list):
            names, values = [None] * len(parts), list(returned)
        case ast.Dict(keys=keys, values=parts) if isinstance(returned, dict):
            constants = (key.value if isinstance(key, ast.Constant) else None for key in keys)
            names, values = [x if isinstance(x, str) else None for x in constants], list(returned.values())
        case _:
            return
    for part, name, value in zip(parts, names, values, strict=False) if len(parts) == len(values) else ():
        if isinstance(part, ast.Tuple | ast.List | ast.Dict):
            yield from _displayed(part, value, copy)
        elif isinstance(display, ast.Dict):
            if name is not None and plain(name) != plain(last_word(ast.unparse(part))):
                yield from held(f"{RETURNED}[{name!r}]", value, copy)
        elif not isinstance(part, ast.Name | ast.Attribute | ast.Subscript):
            yield from held(ast.unparse(part), value, copy)


def given_by_lambda(statement: ast.stmt, returned: Any) -> Iterator[Held]:
    """What a lambda gives, where it is the only one in its statement."""
    found = [node for node in ast.walk(statement) if isinstance(node, ast.Lambda)]
    if len(found) == 1:
        yield from held(ast.unparse(found[0].body), returned)


def held(text: str, value: Any, copy: Copy = np.array, kinds: str = NUMBERS) -> Iterator[Held]:
    """Copies of the arrays in a value: of itself, or the parts of a container or of `self`, as they are written."""
    return islice(_held(text, value, copy, kinds, MOST_DEPTH), MOST_PARTS)


def _held(text: str, value: Any, copy: Copy, kinds: str, depth: int) -> Iterator[Held]:
    if depth == 0:
        return  # a container may hold itself
    if isinstance(value, dict):
        for key, part in list(value.items()):
            yield from _held(f"{text}[{key!r}]", part, copy, kinds, depth - 1)
    elif isinstance(value, list | tuple) and any(map(_is_part, value)):
        for k, part in enumerate(value):
            yield from _held(f"{text}[{k}]", part, copy, kinds, depth - 1)
    elif hasattr(value, "__dict__") and text == "self":
        for name, part in list(vars(value).items()):
            yield from _held(f"{text}.{name}", part, copy, kinds, depth - 1)
    elif isinstance(value, bool | np.bool_):
        return
    elif isinstance(value, np.ndarray | float | int | np.number):
        array = copy(value)
        if array.dtype.kind in kinds:
            yield Held(text, array)


def _is_part(value: Any) -> bool:
    """Whether an entry of a container is worth a look: an array, a container, or a number that NumPy computed."""
    return isinstance(value, np.ndarray | np.floating | dict | list | tuple)


def _resolved(text: str, base: str | None, key: str, frame: FrameType) -> str:
    """An expression with its place as it is: one place of a list has one text, from whichever end it is counted."""
    place = _value(key, frame) if base is not None else None
    if base is not None and isinstance(place, int) and place < 0:
        container = _value(base, frame)
        place += len(container) if isinstance(container, list | tuple) else 0
    return f"{base}[{place!r}]" if isinstance(place, str | int) else text


def _value(text: str, frame: FrameType) -> Any:
    try:
        return eval(_compiled(text), frame.f_globals, frame.f_locals)  # only names and places, see _is_plain
    except Exception:  # a name that is not bound yet, a key that is missing: there is no value
        return None


@lru_cache(maxsize=4096)
def _compiled(text: str) -> Any:
    return compile(text, "<expression>", "eval")
