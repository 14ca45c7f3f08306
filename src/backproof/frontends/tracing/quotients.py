"""Decimal numbers divided by lengths: ``1.0 / m`` is a plain number by the time that anything can be told of it.

Python asks the length for ``1 / m`` and for ``m / 2``, but not where a decimal number stands on the left. So the
formula is looked up in the expression that the number has come into.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from types import CodeType, FrameType

from backproof.frontends.tracing.lengths import Measured
from backproof.ir.node import Node
from backproof.ops.arithmetic import div, neg
from backproof.ops.leaves import constant

PLAIN = (
    *(ast.Name, ast.Constant, ast.Attribute, ast.Subscript, ast.BinOp, ast.UnaryOp),
    *(ast.operator, ast.unaryop, ast.expr_context),
)
"""What computes nothing but numbers: looking it up a second time changes nothing."""


def quotient(x: float, text: str, frame: FrameType) -> Node | None:
    """The formula of a number that is a decimal number divided by a length, in an expression that runs in a frame."""
    for above, below in _quotients(text):
        try:
            length = eval(below, frame.f_globals, frame.f_locals)
            number = eval(above, frame.f_globals, frame.f_locals)
        except Exception:  # it takes values that are not there any more
            continue
        if isinstance(length, Measured) and type(number) is float and abs(x) == abs(number / length):  # type: ignore[operator]
            found = div(constant(int(number) if number.is_integer() else number), length.node)
            return found if x == number / length else neg(found)  # type: ignore[operator]
    return None


@lru_cache(maxsize=4096)
def _quotients(text: str) -> tuple[tuple[CodeType, CodeType], ...]:
    """The divisions in an expression or a statement, each as code for what is divided and by what."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return ()
    divisions = [x for x in ast.walk(tree) if isinstance(x, ast.BinOp) and isinstance(x.op, ast.Div)]
    return tuple((_code(x.left), _code(x.right)) for x in divisions if all(isinstance(y, PLAIN) for y in ast.walk(x)))


def _code(part: ast.expr) -> CodeType:
    return compile(ast.Expression(part), "<quotient>", "eval")
