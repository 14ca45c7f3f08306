"""What a change of an expression is, and the pieces that expressions consist of."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from backproof.checking.tree import exchanged

Change = tuple[str, str, tuple[str, ...], ast.expr]
"""The mistake's name, its sentence, the pieces of code that the sentence names, and the expression without it."""
INSTEAD = "{0} stands where {1} belongs"


def nodes_of(tree: ast.expr) -> Iterator[ast.expr]:
    """An expression and all that stand in it."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.expr))


def valued(tree: ast.expr) -> list[ast.expr]:
    """The expressions in an expression that have a value of their own: no functions, places and containers."""
    found: list[ast.expr] = []
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.BinOp | ast.UnaryOp | ast.Call | ast.Name | ast.Attribute | ast.Subscript):
            found.append(node)
        match node:
            case ast.Call(func=ast.Attribute(value=value), args=arguments):
                is_module = isinstance(value, ast.Name) and value.id in ("np", "numpy")
                stack += [*arguments, *(() if is_module else (value,))]
            case ast.Call(args=arguments):
                stack += arguments
            case ast.Subscript(value=value):
                stack.append(value)
            case ast.Attribute(value=ast.Name(), attr=attribute) if attribute != "T":
                pass
            case _:
                stack += [x for x in ast.iter_child_nodes(node) if isinstance(x, ast.expr)]
    return found


def pieces_of(nodes: Iterable[ast.AST]) -> Iterator[ast.expr]:
    """The expressions in some code that may be a factor, a term or a piece of an array in other lines."""
    for node in nodes:
        match node:
            case ast.BinOp() | ast.Compare():
                yield node
            case ast.Subscript(ctx=ast.Load(), slice=ast.Tuple() | ast.Slice()):
                yield node
                yield from _rest_of(node)
            case ast.Call(func=ast.Name(), args=[ast.expr()], keywords=[]):
                yield node


def _rest_of(part: ast.Subscript) -> Iterator[ast.expr]:
    """What a part leaves of an array: d[:, :k] of d[:, k:]."""
    for node in (x for x in ast.walk(part.slice) if isinstance(x, ast.Slice) and x.step is None):
        if (node.lower is None) != (node.upper is None):
            yield exchanged(part, node, ast.Slice(node.upper, node.lower))


def transposed(node: ast.expr) -> ast.expr:
    """An expression transposed: with .T, or without it where it has one."""
    return node.value if isinstance(node, ast.Attribute) and node.attr == "T" else ast.Attribute(node, "T", ast.Load())
