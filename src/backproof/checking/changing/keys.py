"""Keys of dictionaries that a loop counts: ``params[f"W{l}"]`` for what is held as ``params['W3']``."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile

from backproof.checking.changing.places import moved
from backproof.checking.tree import exchanged


def counted_keys(nodes: Iterable[ast.AST]) -> list[ast.expr]:
    """The keys in some code that are put together from a text and a number, as it writes them."""
    keys = (x.slice for x in nodes if isinstance(x, ast.Subscript))
    found = (key for key in keys if isinstance(key, ast.JoinedStr | ast.BinOp | ast.Call) and _texts(key))
    return list({ast.unparse(key): key for key in found if [*_places(key)]}.values())


def counted_key(key: str, written: Iterable[ast.expr], numbers: Mapping[str, int]) -> ast.expr | None:
    """A key as the code writes others, with what its loop counts; None where it has no number of the loop in it."""
    for step in (0, -1, 1):
        for form in written:
            moved_ = form
            for place in _places(form):
                moved_ = exchanged(moved_, place, moved(place, step))
            other = _with_letters(moved_, _letters(key), numbers)
            if other is not None and _evaluated(other, numbers) == key:
                return other
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


def _with_letters(form: ast.expr, letters: str, numbers: Mapping[str, int]) -> ast.expr | None:
    """A key that begins with other letters."""
    own = _evaluated(form, numbers)
    before = None if own is None else _letters(own)
    for node, text in _texts(form):
        if before and text.startswith(before):
            return exchanged(form, node, ast.Constant(letters + text[len(before) :]))
    return None


def _letters(key: str) -> str:
    return "".join(takewhile(lambda letter: not letter.isdigit(), key))


def _evaluated(key: ast.expr, numbers: Mapping[str, int]) -> str | None:
    code = compile(ast.fix_missing_locations(ast.Expression(key)), "<key>", "eval")
    try:
        found = eval(code, {"__builtins__": {"str": str}}, dict(numbers))  # a text and a number
    except Exception:  # a name that holds no number
        return None
    return found if isinstance(found, str) else None
