"""Somebody's functions with statements changed, for as long as it takes to run them."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from types import CodeType, FunctionType
from typing import Any, TypeVar

from backproof.checking.syntax import tree_of

T = TypeVar("T", bound=ast.AST)
FUTURE = 0x1FFF0000
"""The flags of compiled code that ``from __future__ import …`` sets."""


@contextmanager
def altered(functions: Collection[FunctionType], file: str, changes: Mapping[ast.stmt, ast.stmt]) -> Iterator[None]:
    """Within it the functions of a file run with other statements in the place of some of its tree.

    Raises what Python raises where that is no code. Only functions that exist already are changed.
    """
    own = [f for f in functions if f.__code__.co_filename == file]
    codes: dict[tuple[str, int], CodeType] = {}
    for part in tree_of(file).body:
        new: ast.stmt = part
        for old, statement in changes.items():
            if _holds(part, old):
                new = _exchanged(new, old, _placed(statement, old))
        if new is not part:
            flags = own[0].__code__.co_flags & FUTURE if own else 0
            code = compile(ast.Module([new], []), file, "exec", flags=flags, dont_inherit=True)
            codes |= {_key(inner): inner for inner in _functions_in(code)}
    former = [(f, f.__code__) for f in own if _key(f.__code__) in codes]
    try:
        for function, before in former:
            after = codes[_key(before)]
            if after.co_freevars == before.co_freevars:
                function.__code__ = after
        yield
    finally:
        for function, before in former:
            function.__code__ = before


def _holds(around: ast.AST, statement: ast.stmt) -> bool:
    """Whether a statement may stand in a piece of code, by its lines."""
    first, last = getattr(around, "lineno", 0), getattr(around, "end_lineno", None)
    return last is None or first <= statement.lineno <= last


def _exchanged(tree: T, old: ast.stmt, new: ast.stmt) -> T:
    """A piece of code with a statement exchanged; only what holds it is made anew."""
    if tree is old:
        return new  # type: ignore[return-value]
    fields = {
        name: [_exchanged(x, old, new) if _holds(x, old) else x for x in value]
        for name, value in ast.iter_fields(tree)
        if isinstance(value, list) and value and isinstance(value[0], ast.stmt | ast.excepthandler | ast.match_case)
    }
    return ast.copy_location(type(tree)(**{**dict(ast.iter_fields(tree)), **fields}), tree)


def _placed(node: Any, old: ast.stmt) -> Any:
    """A copy of a tree, all of which stands where another statement stood; that statement itself stays as it is."""
    if node is old:
        return node
    if isinstance(node, list):
        return [_placed(part, old) for part in node]
    if not isinstance(node, ast.AST):
        return node
    new = type(node)(**{name: _placed(value, old) for name, value in ast.iter_fields(node)})
    return ast.copy_location(new, old) if "lineno" in new._attributes else new


def _key(code: CodeType) -> tuple[str, int]:
    return code.co_qualname, code.co_firstlineno


def _functions_in(code: CodeType) -> Iterator[CodeType]:
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield part
            yield from _functions_in(part)
