"""Expressions of somebody's code as trees."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import TypeVar

Tree = TypeVar("Tree", bound=ast.AST)


@lru_cache(maxsize=4096)
def parsed(text: str) -> ast.expr:
    """The tree of an expression."""
    return ast.parse(text, mode="eval").body


@lru_cache(maxsize=4096)
def is_code(text: str) -> bool:
    """Whether a text is an expression; a key of a dictionary may be written in a way that is none."""
    try:
        parsed(text)
    except (SyntaxError, ValueError):
        return False
    return True


def exchanged(tree: Tree, old: ast.AST, new: ast.AST) -> Tree:
    """A tree with one of its nodes exchanged; what has not changed is shared."""
    if tree is old:
        return new  # type: ignore[return-value]
    fields = {name: _field(value, old, new) for name, value in ast.iter_fields(tree)}
    if all(value is fields[name] for name, value in ast.iter_fields(tree)):
        return tree
    return ast.copy_location(type(tree)(**fields), tree)


def _field(value: object, old: ast.AST, new: ast.AST) -> object:
    if isinstance(value, ast.AST):
        return exchanged(value, old, new)
    if isinstance(value, list):
        parts = [_field(part, old, new) for part in value]
        return value if all(a is b for a, b in zip(value, parts, strict=True)) else parts
    return value
