"""Keys of dictionaries that a loop counts: ``params[f"W{l}"]`` for what is held as ``params['W3']``."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile

from backproof.checking.changing.places import moved
from backproof.checking.tree import exchanged

Keys = Sequence[tuple[str, ast.expr]]
"""Keys that a loop counts, as texts and as the code writes them; those of the round before and after come last."""


def counted_keys(nodes: Iterable[ast.AST], numbers: Mapping[str, int]) -> Keys:
    """The keys in some code that are put together from a text and one of these numbers."""
    keys = (x.slice for x in nodes if isinstance(x, ast.Subscript))
    found = (key for key in keys if isinstance(key, ast.JoinedStr | ast.BinOp | ast.Call) and _texts(key))
    written = {ast.unparse(key): key for key in found if [*_places(key)]}.values()
    forms = (_moved(form, step) for step in (0, -1, 1) for form in written)
    return [(text, form) for form in forms if (text := _evaluated(form, numbers)) is not None]


def counted_key(key: str, keys: Keys) -> ast.expr | None:
    """A key as the code writes others, which may begin with other letters; None where it has no number of the loop."""
    letters = _letters(key)
    for own, form in keys if letters != key else ():
        before = _letters(own)
        if before and letters + own[len(before) :] == key:
            return _with_letters(form, before, letters)
    return None


def _texts(key: ast.expr) -> list[tuple[ast.Constant, str]]:
    constants = (x for x in ast.walk(key) if isinstance(x, ast.Constant))
    return [(x, x.value) for x in constants if isinstance(x.value, str)]


def _places(key: ast.AST) -> Iterator[ast.expr]:
    """The numbers in a key: l - 1 of ``"A" + str(l - 1)``."""
    match key:
        case ast.FormattedValue(value=place) | ast.Call(func=ast.Name(id="str"), args=[place]):
            yield place
        case ast.BinOp(left=ast.Constant(value=str()), op=ast.Mod(), right=place) if not isinstance(place, ast.Tuple):
            yield place
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str()), attr="format"), args=[place]):
            yield place
        case _:
            for part in ast.iter_child_nodes(key):
                yield from _places(part)


def _moved(form: ast.expr, step: int) -> ast.expr:
    """A key of another round."""
    for place in _places(form):
        form = exchanged(form, place, moved(place, step))
    return form


def _with_letters(form: ast.expr, before: str, letters: str) -> ast.expr | None:
    """A key that begins with other letters."""
    for node, text in _texts(form):
        if text.startswith(before):
            return exchanged(form, node, ast.Constant(letters + text[len(before) :]))
    return None


def _letters(key: str) -> str:
    return "".join(takewhile(lambda letter: not letter.isdigit(), key))


def _evaluated(key: ast.expr, numbers: Mapping[str, int]) -> str | None:
    try:
        code = compile(ast.fix_missing_locations(ast.Expression(key)), "<key>", "eval")
        found = eval(code, {"__builtins__": {"str": str}}, dict(numbers))  # a text and a number
    except Exception:  # a name that holds no number, a form that is no code
        return None
    return found if isinstance(found, str) else None
