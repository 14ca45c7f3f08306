"""A statement of somebody's run once more: on other values of what it reads, or with its expression changed."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from backproof.checking.events import Event
from backproof.checking.moments import statement_of
from backproof.checking.tree import parsed
from backproof.ops.row import Array

SOMEWHERE = {"lineno": 1, "col_offset": 0, "end_lineno": 1, "end_col_offset": 0}
"""Where expressions stand: they are compiled only if they stand somewhere."""


def replayed(event: Event, draw: int, values: Mapping[str, Array]) -> Array | None:
    """What a statement gives on a draw when its expressions have these values; None where that cannot be told.

    Expressions that no value is given for keep those that they had.
    """
    right = right_side(event)
    return None if right is None else run_again(event, parsed(right), {**event.reads[draw], **values}, draw)


def run_again(event: Event, expression: ast.expr, values: Mapping[str, Array], draw: int) -> Array | None:
    """What an expression gives in the place of the statement's own; None where it raises or gives no numbers."""
    # A value is known by its place, hs[3], and as it is written, hs[t].
    reads = {read.written: values[read.text] for read in event.moment.reads if read.text in values}
    placed = Placed({**values, **reads})
    tree = ast.Expression(placed.visit(expression))
    try:
        code = compile(tree, "<replayed>", "eval")
        with np.errstate(all="ignore"):
            result = np.array(eval(code, dict(event.moment.scope), placed.names))  # the user's own expression
            if (entry := entry_of(event)) is not None:
                result = _with_entry(event, entry, placed, values[event.text], result)
    except Exception:  # whatever the user's code raises on values that are not its own: nothing is told
        return None
    if result.dtype.kind not in "iuf":
        return None
    return result - event.reads[draw][event.text] if event.added else result


def value_in(expression: ast.expr, values: Mapping[str, Array], scope: Mapping[str, Any]) -> Array | None:
    """What an expression gives where expressions have these values; None where it raises or gives no numbers."""
    placed = Placed(values)
    tree = ast.Expression(placed.visit(expression))
    try:
        code = compile(tree, "<replayed>", "eval")
        with np.errstate(all="ignore"):
            result = np.asarray(eval(code, dict(scope), placed.names))  # the user's own expression
    except Exception:  # whatever the user's code raises on values that are not its own: nothing is told
        return None
    return result if result.dtype.kind in "iuf" else None


def _with_entry(event: Event, entry: ast.Subscript, placed: Placed, whole: Array, value: Array) -> Array:
    """An array with a value at the entry that a statement adds to; raises what NumPy raises."""
    result = np.array(whole, dtype=np.result_type(whole, value))
    place = ast.Subscript(ast.Name("whole", ast.Load()), placed.visit(entry.slice), ast.Store())
    setting = ast.Module([ast.Assign([place], ast.Name("value", ast.Load()))], [])
    names = {**event.moment.scope, **placed.names, "whole": result, "value": value}
    exec(compile(ast.fix_missing_locations(setting), "<replayed>", "exec"), names)
    return result


def target_of(event: Event) -> str:
    """What a statement gives a value to, as it is written: the expression that an event is about, or its entry."""
    entry = entry_of(event)
    return event.written if entry is None else ast.unparse(entry)


def entry_of(event: Event) -> ast.Subscript | None:
    """The entry of an array that a statement adds to, where an event is about what is added to that array."""
    match statement_of(event.moment):
        case ast.AugAssign(target=ast.Subscript() as entry) | ast.Assign(targets=[ast.Subscript() as entry]):
            return entry if event.added and ast.unparse(entry.value) == event.written else None
    return None


def right_side(event: Event) -> str | None:
    """The expression whose value a statement gives to what an event is about; None where there is no such one."""
    statement, text = statement_of(event.moment), target_of(event)
    if event.rounds > 1:
        return None
    match statement:
        case ast.AugAssign(target=target, op=op, value=value) if ast.unparse(target) == text:
            return ast.unparse(ast.BinOp(parsed(text), op, value))
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


class Placed(ast.NodeTransformer):
    """Puts a name in the place of each expression that has a value; the names and their values are in `names`."""

    def __init__(self, values: Mapping[str, Array]) -> None:
        self._values = values
        self._places = {text: k for k, text in enumerate(values)}
        self.names: dict[str, Any] = {}

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            for text in self._texts(node):
                if text in self._places:
                    name = f"value_{self._places[text]}"
                    # A number as a number, so that it can be an index; copies, lest a function change its argument.
                    self.names[name] = np.array(self._values[text])[()]
                    return ast.Name(name, ast.Load(), **SOMEWHERE)
        return self._parts(node)

    def _texts(self, node: ast.expr) -> Iterator[str]:
        """The expression, as it is written and with its place as it is: hs[t + 1], hs[3]."""
        yield node.id if isinstance(node, ast.Name) else ast.unparse(node)
        match node:
            case ast.Subscript(value=value, slice=ast.BinOp() | ast.Name() as place):
                found = self._place(place)
                if found is not None:
                    yield f"{ast.unparse(value)}[{found}]"

    def _place(self, place: ast.expr) -> int | None:
        match place:
            case ast.Constant(value=int(number)):
                return number
            case ast.Name(id=name) if name in self._values and _is_whole(self._values[name]):
                return int(self._values[name])
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
                a, b = self._place(left), self._place(right)
                if a is not None and b is not None:
                    return a + b if isinstance(op, ast.Add) else a - b
        return None

    def _parts(self, node: ast.AST) -> Any:
        """The node with its parts visited, as a new one: the trees of expressions are shared."""
        fields = {name: self._field(value) for name, value in ast.iter_fields(node)}
        return type(node)(**fields, **(SOMEWHERE if node._attributes else {}))

    def _field(self, value: object) -> object:
        if isinstance(value, ast.AST):
            return self.visit(value)
        return [self._field(part) for part in value] if isinstance(value, list) else value


def _is_whole(value: Array) -> bool:
    return value.ndim == 0 and value.dtype.kind == "i"
