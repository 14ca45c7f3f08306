"""A statement of somebody's run once more, with other values in the place of some that it read."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import lru_cache
from types import CodeType
from typing import Any

import numpy as np

from backproof.checking.events import Event
from backproof.checking.recording import statement_of
from backproof.ops.row import Array


def replayed(event: Event, draw: int, values: Mapping[str, Array]) -> Array | None:
    """What a statement gives on a draw when its expressions have these values; None where that cannot be told.

    Expressions that no value is given for keep those that they had.
    """
    statement = statement_of(event.moment)
    right = None if statement is None or event.rounds > 1 else _right_side(statement, event.written)
    if right is None:
        return None
    given = {
        read.written or read.text: values.get(read.text, event.reads[draw][read.text])
        for read in event.moment.reads
        if read.text in event.reads[draw]
    }
    texts = tuple(given)
    names = {f"value_{k}": given[text][()] for k, text in enumerate(texts)}
    try:
        with np.errstate(all="ignore"):
            result = np.array(eval(_program(right, texts), {**event.moment.scope}, names))  # the user's expression
    except Exception:  # whatever the user's code raises on values that are not its own: nothing is told
        return None
    return result if result.dtype.kind in "iuf" else None


def _right_side(statement: ast.stmt, text: str) -> str | None:
    """The expression whose value a statement gives to `text`."""
    match statement:
        case ast.AugAssign(target=ast.Name() | ast.Attribute() as target, op=op, value=value):
            return ast.unparse(ast.BinOp(ast.parse(ast.unparse(target), mode="eval").body, op, value))
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
            pairs = zip(targets, values, strict=False)
            return next((ast.unparse(value) for target, value in pairs if ast.unparse(target) == text), None)
        case ast.Assign(targets=[target], value=value) if ast.unparse(target) == text:
            return ast.unparse(value)
        case ast.AnnAssign(target=target, value=ast.expr() as value) if ast.unparse(target) == text:
            return ast.unparse(value)
        case ast.Return(value=ast.expr()):
            return text
    return None


@lru_cache(maxsize=1024)
def _program(expression: str, given: tuple[str, ...]) -> CodeType:
    """An expression, compiled, with the name value_k in the place of the k-th text."""
    tree = ast.parse(expression, mode="eval")
    tree.body = _Placed({text: k for k, text in enumerate(given)}).visit(tree.body)
    code: CodeType = compile(ast.fix_missing_locations(tree), "<replayed>", "eval")
    return code


class _Placed(ast.NodeTransformer):
    def __init__(self, given: Mapping[str, int]) -> None:
        self._given = given

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            k = self._given.get(ast.unparse(node))
            if k is not None:
                return ast.Name(f"value_{k}", ast.Load())
        return self.generic_visit(node)
