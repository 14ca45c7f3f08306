"""What a change of an expression is, and the pieces that expressions consist of."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

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
                stack += [*arguments, *(() if isinstance(value, ast.Name) else (value,))]
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
            case ast.Call(func=ast.Name(), args=[ast.expr()], keywords=[]):
                yield node


def transposed(node: ast.expr) -> ast.expr:
    """An expression transposed: with .T, or without it where it has one."""
    return node.value if isinstance(node, ast.Attribute) and node.attr == "T" else ast.Attribute(node, "T", ast.Load())
