"""A user's own expression, read through a whitelist: nothing of it is ever evaluated as code."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Sequence

import sympy

from backproof.ir.errors import SpecError
from backproof.ops.functions import sigmoid, softplus, symbols, xlogy

LONGEST, DEEPEST, LARGEST_EXPONENT = 2000, 100, 64


def _where(condition: sympy.Basic, yes: sympy.Expr, no: sympy.Expr) -> sympy.Expr:
    return sympy.Piecewise((yes, condition), (no, True))


FUNCTIONS: dict[str, tuple[int, Callable[..., sympy.Expr]]] = {
    "exp": (1, sympy.exp),
    "log": (1, sympy.log),
    "sqrt": (1, sympy.sqrt),
    "tanh": (1, sympy.tanh),
    "sinh": (1, sympy.sinh),
    "cosh": (1, sympy.cosh),
    "sin": (1, sympy.sin),
    "cos": (1, sympy.cos),
    "tan": (1, sympy.tan),
    "atan": (1, sympy.atan),
    "erf": (1, sympy.erf),
    "abs": (1, sympy.Abs),
    "sign": (1, sympy.sign),
    "sigmoid": (1, sigmoid),
    "softplus": (1, softplus),
    "xlogy": (2, xlogy),
    "relu": (1, lambda z: _where(z > 0, z, sympy.Integer(0))),
    "max": (2, lambda a, b: _where(a >= b, a, b)),
    "min": (2, lambda a, b: _where(a <= b, a, b)),
    "where": (3, _where),
}
CONSTANTS = {"pi": sympy.pi, "e": sympy.E}
COMPARISONS = {ast.Gt: sympy.Gt, ast.GtE: sympy.Ge, ast.Lt: sympy.Lt, ast.LtE: sympy.Le}


def parse(text: str, names: Sequence[str]) -> sympy.Expr:
    """The expression in the given names. Raises SpecError, with the column, for anything that is not on the list."""
    if not text.strip():
        raise SpecError("the expression is empty", instead=f"write one in {' and '.join(names)}")
    depth = 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if depth > DEEPEST or len(text) > LONGEST:
            raise SpecError(
                "the expression is too long", why=f"at most {LONGEST} characters and {DEEPEST} brackets deep"
            )
    reader = _Reader(text, names)
    try:
        tree = ast.parse(text.strip().replace("^", "**"), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise reader.error("the expression does not parse", getattr(error, "offset", None) or 1) from None
    try:
        result = reader.read(tree.body)
    except RecursionError:
        raise reader.error("the expression is nested too deeply", 1) from None
    if result.has(sympy.zoo, sympy.nan, sympy.oo, sympy.I) or not isinstance(result, sympy.Expr):
        raise reader.error("the expression is not a real number", 1)
    return result


class _Reader:
    def __init__(self, text: str, names: Sequence[str]) -> None:
        self._text = text.strip()
        self._names = {str(s): s for s in symbols(names)} | {k: v for k, v in CONSTANTS.items() if k not in names}

    def error(self, what: str, column: int, *, why: str = "", instead: str = "") -> SpecError:
        pointer = f"{self._text}\n{' ' * (column - 1)}^" if len(self._text) < 200 else ""
        return SpecError(what, where=f"column {column}", why="\n".join(x for x in (pointer, why) if x), instead=instead)

    def read(self, node: ast.expr) -> sympy.Expr:
        column = node.col_offset + 1
        match node:
            case ast.Constant(value=bool()) | ast.Constant(value=complex()):
                raise self.error(f"{node.value!r} is not a real number", column)
            case ast.Constant(value=int() | float() as value):
                if len(ast.get_source_segment(self._text, node) or "") > 40 or abs(value) > 1e100:
                    raise self.error("the number is too long", column)
                return sympy.Integer(value) if isinstance(value, int) else sympy.Float(repr(value))
            case ast.Name(id=name):
                if name not in self._names:
                    raise self._unknown(name, [*self._names, *FUNCTIONS], column)
                return self._names[name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.read(operand)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.read(operand)
            case ast.BinOp():
                return self._binary(node, column)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name, arguments, column)
        raise self.error("this is not allowed in an expression", column, instead=self._allowed())

    def _binary(self, node: ast.BinOp, column: int) -> sympy.Expr:
        left, right = self.read(node.left), self.read(node.right)
        match node.op:
            case ast.Add():
                return left + right
            case ast.Sub():
                return left - right
            case ast.Mult():
                return left * right
            case ast.Div():
                if right == 0:
                    raise self.error("a division by zero", column)
                return left / right
            case ast.Pow():
                if right.is_number and abs(right) > LARGEST_EXPONENT:
                    raise self.error(f"an exponent beyond {LARGEST_EXPONENT}", column)
                if left.is_number and right.is_number and left != 0 and abs(right * sympy.log(abs(left)).evalf()) > 200:
                    raise self.error("the number is too large", column)
                return left**right
        raise self.error("this operator is not allowed in an expression", column, instead=self._allowed())

    def _call(self, name: str, arguments: list[ast.expr], column: int) -> sympy.Expr:
        if name not in FUNCTIONS:
            raise self._unknown(name, list(FUNCTIONS), column)
        count, function = FUNCTIONS[name]
        if len(arguments) != count:
            raise self.error(f"{name} takes {count} argument{'s' * (count > 1)}, not {len(arguments)}", column)
        if name != "where":
            return function(*map(self.read, arguments))
        return function(self._condition(arguments[0]), *map(self.read, arguments[1:]))

    def _condition(self, node: ast.expr) -> sympy.Basic:
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in COMPARISONS:
            return COMPARISONS[type(node.ops[0])](self.read(node.left), self.read(node.comparators[0]))
        raise self.error("where needs a comparison first", node.col_offset + 1, instead="where(z > 0, z, 0)")

    def _unknown(self, name: str, known: list[str], column: int) -> SpecError:
        near = difflib.get_close_matches(name, known, n=1)
        return self.error(
            f"the name {name!r} is not allowed",
            column,
            instead=(f"did you mean {near[0]!r}? " if near else "") + self._allowed(),
        )

    def _allowed(self) -> str:
        return f"allowed are numbers, {', '.join(self._names)}, + − * / **, and {', '.join(FUNCTIONS)}"
