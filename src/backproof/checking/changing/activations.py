"""Derivatives of activations that are left out, or stand where those of others belong."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from backproof.checking.changing.change import INSTEAD, Change, valued
from backproof.checking.changing.names import Names, is_called_derivative, is_slope
from backproof.checking.tree import parsed

CLASS = "argmax"
"""The function that gives the number of a class."""


def slopes(tree: ast.expr, names: Names, shape: tuple[int, ...]) -> Iterator[Change]:
    """An expression times what the derivative of an activation may be, of what has the shape of a value."""
    says = "the derivative of the activation, {0}, is left out"
    for mask in names.masks:
        yield "derivative left out", says, (mask,), ast.BinOp(tree, ast.Mult(), parsed(mask))
    for text in names.shaped(shape):
        if is_called_derivative(text):
            continue
        for code in slopes_of(text, names):
            yield "derivative left out", says, (code,), ast.BinOp(tree, ast.Mult(), parsed(code))
        share = f"{text} * (1 - {text})"  # of the logarithms of a share and of the rest
        yield (
            "division left out",
            "the division by {0} is left out",
            (share,),
            ast.BinOp(tree, ast.Div(), parsed(share)),
        )


def slopes_of(text: str, names: Names) -> list[str]:
    """What may be the derivative of an activation at a value."""
    functions = [name for name, count in names.functions.items() if count == 1 and is_slope(name)]
    own = [f"(1 - {text} ** 2)", f"{text} * (1 - {text})"]
    if text not in names.one_sided:
        own.insert(0, f"({text} > 0)")
    return [*own, *(f"{function}({text})" for function in functions)]


def slopes_instead(node: ast.expr, names: Names) -> Iterator[Change]:
    """The derivative of an activation where something else stands that is computed from the same value."""
    text = ast.unparse(node)
    has_none = isinstance(node, ast.Name) or CLASS in text
    inner = [] if has_none else [ast.unparse(x) for x in valued(node) if x is not node]
    kind = "g for g'" if isinstance(node, ast.Call) else "wrong activation"
    for argument in dict.fromkeys(x for x in inner if names.shapes.get(x) and not is_called_derivative(x)):
        for code in slopes_of(argument, names):
            yield kind, INSTEAD, (text, code), parsed(code)


def other_slopes(node: ast.expr, names: Names) -> Iterator[Change]:
    """The derivative of an activation where that of another one stands."""
    before: ast.expr | None = None
    own_slope = False
    match node:
        case ast.Compare(left=value, ops=[ast.Gt() | ast.GtE()], comparators=[ast.Constant(value=0)]):
            pass
        case ast.BinOp(ast.Constant(value=1), ast.Sub(), ast.BinOp(value, ast.Pow(), ast.Constant(value=2))):
            pass
        case ast.BinOp(left, ast.Mult(), ast.BinOp(ast.Constant(value=1), ast.Sub(), value)):
            if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Mult):
                before, left = left.left, left.right
            if ast.unparse(left) != ast.unparse(value):
                return
            own_slope = True
        case ast.Call(func=ast.Name(), args=[value]):
            pass
        case _:
            return
    text, own = ast.unparse(value), ast.unparse(node)
    says = "{0} is not the derivative of this activation: {1} belongs here"
    inputs = names.alike.get(text, ()) if own_slope else ()
    swish = (f"({text} + {z} * {text} * (1 - {text}))" for z in inputs if not is_called_derivative(z))
    for code in (*slopes_of(text, names), *swish):
        slope = parsed(code)
        new = slope if before is None else ast.BinOp(before, ast.Mult(), slope)
        if ast.unparse(new) != own:
            yield "wrong activation", says, (own, code), new


def other_functions(node: ast.expr, names: Names) -> Iterator[Change]:
    """Another function of several arguments: the backward pass of another layer."""
    match node:
        case ast.Call(func=ast.Name(id=called), args=given, keywords=words) if len(given) > 1:
            for other, count in names.functions.items():
                if other != called and count == len(given) + len(words):
                    yield "wrong activation", INSTEAD, (called, other), ast.Call(parsed(other), given, words)
