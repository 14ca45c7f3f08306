"""Forms: the numbers, arrays, and dicts, lists and tuples of them that arguments, results and derivatives may be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from backproof.ir.errors import TraceError


def mapped(of: Callable[[Any], Any], form: Any) -> Any:
    """The form with each number and array replaced by what `of` makes of it."""
    if isinstance(form, dict):
        return {key: mapped(of, held) for key, held in form.items()}
    if isinstance(form, list | tuple):
        held = [mapped(of, part) for part in form]
        return type(form)(*held) if hasattr(form, "_fields") else type(form)(held)
    return of(form)


def members(form: Any) -> Iterator[Any]:
    """The numbers and arrays in a form, in its own order."""
    if isinstance(form, dict | list | tuple):
        for part in form.values() if isinstance(form, dict) else form:
            yield from members(part)
    else:
        yield form


def refilled(form: Any, found: Iterable[Any]) -> Any:
    """The form with other members, given in its order."""
    following = iter(found)
    return mapped(lambda _: next(following), form)


def alike(given: Any, form: Any) -> list[Any]:
    """The members of what was given, in the order of a form that it must have. Raises TraceError where it has not."""
    if isinstance(form, dict) and isinstance(given, dict) and given.keys() == form.keys():
        return [x for key, held in form.items() for x in alike(given[key], held)]
    if isinstance(form, list | tuple) and isinstance(given, list | tuple) and len(given) == len(form):
        return [x for one, held in zip(given, form, strict=True) for x in alike(one, held)]
    if isinstance(form, dict | list | tuple) or isinstance(given, dict):
        raise TraceError(
            "what is given does not have the form of what it belongs to",
            where=f"{_shown(given)} for {_shown(form)}",
            instead="give an array for each array, in dicts, lists and tuples of the same form",
        )
    return [given]


def _shown(form: Any) -> str:
    if isinstance(form, dict):
        return f"a dict of {', '.join(map(repr, form)) or 'nothing'}"
    return f"a {type(form).__name__} of {len(form)}" if isinstance(form, list | tuple) else "an array"
