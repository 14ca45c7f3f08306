"""A user's own expression, read through a whitelist: nothing of it is ever evaluated as code."""

from __future__ import annotations

import ast
import difflib
import math
import re
import warnings
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import NamedTuple

import mpmath
import sympy

from backproof.ir.errors import SpecError
from backproof.ops import activations
from backproof.ops.functions import (
    bessel,
    bessel_j,
    bessel_k,
    betainc,
    dawsn,
    erfcx,
    exp1,
    exprel,
    gammainc,
    gammaincc,
    log_ndtr,
    ndtr,
    ndtri,
    scaled_bessel,
    sigmoid,
    softplus,
    stdtr,
    symbols,
    xlogy,
)
from backproof.ops.special import LARGEST, LEAST

LONGEST, DEEPEST, LARGEST_EXPONENT = 2000, 100, 64
LONGEST_NUMBER, LARGEST_NUMBER = 40, 1e100
MOST_DOUBTS = 5
MOST_BITS = 4000
"""Of a power of whole numbers."""
MOST_PARTS, MOST_PARTS_OF_A_NUMBER, MOST_CASES = 3000, 200, 150
"""Of the expression, and of the distinctions between cases in it: relu within relu within relu doubles each time."""


def _where(condition: sympy.Basic, yes: sympy.Expr, no: sympy.Expr) -> sympy.Expr:
    """The pieces, with no pieces inside their conditions: SymPy would turn these into logic that cannot be derived."""
    inside = next((x for x in sympy.preorder_traversal(condition) if isinstance(x, sympy.Piecewise)), None)
    if inside is None:
        return sympy.Piecewise((yes, condition), (no, True))
    return sympy.Piecewise(*((_where(condition.xreplace({inside: v}), yes, no), c) for v, c in inside.args))


def _absolute(u: sympy.Expr) -> sympy.Expr:
    # Of what may be complex, as log(z) may, SymPy differentiates by real and imaginary part.
    return sympy.Abs(u) if u.is_extended_real else _where(u >= 0, u, -u)


def _sign(u: sympy.Expr) -> sympy.Expr:
    return (
        sympy.sign(u) if u.is_extended_real else _where(u > 0, sympy.S.One, _where(u < 0, -sympy.S.One, sympy.S.Zero))
    )


def _of_order(function: Callable[..., sympy.Expr]) -> Callable[..., sympy.Expr]:
    def of(order: sympy.Expr, z: sympy.Expr) -> sympy.Expr:
        if not (order.is_Integer and 0 <= order <= LARGEST_EXPONENT):
            raise SpecError(
                f"{order} is no order of {function.__name__}",
                why=f"an order is a whole number from 0 to {LARGEST_EXPONENT}",
                instead=f"write {function.__name__}(1, z)",
            )
        return _kept(function)(order, z)

    return of


def _of_numbers(function: Callable[..., sympy.Expr], least: float) -> Callable[..., sympy.Expr]:
    """A function of its last argument; those before are numbers, as large as `least` at least."""

    def of(*arguments: sympy.Expr) -> sympy.Expr:
        for x in arguments[:-1]:
            if not (x.is_Number and least <= x <= LARGEST):
                raise SpecError(
                    f"{function.__name__} is not taken of {x}",
                    why=f"all its arguments but the last are numbers from {least:g} to {LARGEST}",
                )
        return _kept(function)(*arguments)

    return of


def _kept(function: Callable[..., sympy.Expr]) -> Callable[..., sympy.Expr]:
    """A function that is left as it is of a number: SymPy would compute log Γ(10⁹) by all the digits of Γ(10⁹)."""
    return lambda *arguments: function(*arguments, evaluate=not arguments[-1].is_number)


def _lgamma(z: float) -> float:
    if z < 0:
        raise ValueError("its logarithm is complex")
    return math.lgamma(z)


NORMAL = NormalDist()
FUNCTIONS: dict[str, tuple[int, Callable[..., sympy.Expr], Callable[..., float] | None]] = {
    "exp": (1, sympy.exp, math.exp),
    "log": (1, sympy.log, math.log),
    "sqrt": (1, sympy.sqrt, math.sqrt),
    "tanh": (1, sympy.tanh, math.tanh),
    "sinh": (1, sympy.sinh, math.sinh),
    "cosh": (1, sympy.cosh, math.cosh),
    "sin": (1, sympy.sin, math.sin),
    "cos": (1, sympy.cos, math.cos),
    "tan": (1, sympy.tan, math.tan),
    "atan": (1, sympy.atan, math.atan),
    "asin": (1, sympy.asin, math.asin),
    "acos": (1, sympy.acos, math.acos),
    "asinh": (1, sympy.asinh, math.asinh),
    "acosh": (1, sympy.acosh, math.acosh),
    "atanh": (1, sympy.atanh, math.atanh),
    "atan2": (2, sympy.atan2, math.atan2),
    "erf": (1, sympy.erf, math.erf),
    "erfc": (1, sympy.erfc, math.erfc),
    "erfinv": (1, _kept(sympy.erfinv), lambda y: NORMAL.inv_cdf((1 + y) / 2) / math.sqrt(2)),
    "ndtr": (1, _kept(ndtr), NORMAL.cdf),
    "log_ndtr": (1, _kept(log_ndtr), lambda z: math.log(NORMAL.cdf(z))),
    "ndtri": (1, _kept(ndtri), NORMAL.inv_cdf),
    "gamma": (1, _kept(sympy.gamma), math.gamma),
    "gammaln": (1, _kept(sympy.loggamma), _lgamma),
    "polygamma": (2, _of_order(sympy.polygamma), lambda n, z: float(mpmath.psi(int(n), z))),
    "bessel": (2, _of_order(bessel), lambda n, z: float(mpmath.besseli(int(n), z))),
    "scaled_bessel": (2, _of_order(scaled_bessel), lambda n, z: float(mpmath.besseli(int(n), z) * mpmath.exp(-abs(z)))),
    "bessel_j": (2, _of_order(bessel_j), lambda n, z: float(mpmath.besselj(int(n), z))),
    "bessel_k": (2, _of_numbers(bessel_k, 0), lambda n, z: float(mpmath.besselk(n, z))),
    "erfcx": (1, _kept(erfcx), lambda z: float(mpmath.exp(z**2) * mpmath.erfc(z))),
    "dawsn": (1, _kept(dawsn), lambda z: float(mpmath.exp(-(z**2)) * mpmath.erfi(z) * mpmath.sqrt(mpmath.pi) / 2)),
    "exp1": (1, _kept(exp1), lambda z: float(mpmath.e1(z))),
    "exprel": (2, _of_order(exprel), lambda n, z: float(mpmath.hyp1f1(n + 1, n + 2, z) / (n + 1))),
    "gammainc": (2, _of_numbers(gammainc, LEAST), lambda a, z: float(mpmath.gammainc(a, 0, z, regularized=True))),
    "gammaincc": (2, _of_numbers(gammaincc, LEAST), lambda a, z: float(mpmath.gammainc(a, z, regularized=True))),
    "betainc": (3, _of_numbers(betainc, LEAST), lambda a, b, z: float(mpmath.betainc(a, b, 0, z, regularized=True))),
    "stdtr": (2, _of_numbers(stdtr, LEAST), None),
    "abs": (1, _absolute, None),
    "sign": (1, _sign, None),
    "sigmoid": (1, sigmoid, lambda z: 1 / (1 + math.exp(-z))),
    "softplus": (1, softplus, lambda z: math.log1p(math.exp(z))),
    "xlogy": (2, xlogy, None),
    "relu": (1, lambda z: _where(z > 0, z, sympy.S.Zero), None),
    "max": (2, lambda a, b: _where(a >= b, a, b), None),
    "min": (2, lambda a, b: _where(a <= b, a, b), None),
    "where": (3, _where, None),
}
"""The number of arguments, the meaning, and the meaning for plain numbers where SymPy's must not be asked at once."""


SHORTHANDS = {row.name: row.scalar for row in (activations.gelu, activations.silu)}
"""Activations of the table that may be called in an expression; each stands for its definition."""
CONSTANTS = {"pi": sympy.pi, "e": sympy.E}
COMPARISONS = {ast.Gt: sympy.Gt, ast.GtE: sympy.Ge, ast.Lt: sympy.Lt, ast.LtE: sympy.Le}
FORBIDDEN: dict[type[ast.expr], tuple[str, str]] = {
    ast.Attribute: ("an attribute is not allowed in an expression", ""),
    ast.Subscript: ("an index is not allowed in an expression", ""),
    ast.Lambda: ("a lambda is not allowed in an expression", ""),
    ast.JoinedStr: ("a text is not allowed in an expression", ""),
    ast.NamedExpr: ("an assignment is not allowed in an expression", ""),
    ast.IfExp: ("if and else are not allowed in an expression", "write where(z > 0, z, 0)"),
    ast.BoolOp: ("and, or are not allowed in an expression", "write one where inside another"),
    ast.Compare: ("a comparison is allowed only as the first argument of where", "write where(z > 0, z, 0)"),
}
_BAD_VALUES = (sympy.zoo, sympy.nan, sympy.oo, -sympy.oo, sympy.I)


class _Part(NamedTuple):
    """An expression, its value if it is a number, and how many hyperbolic functions of what may be complex it nests."""

    expr: sympy.Expr
    value: float | None
    doubts: int = 0


def parse(text: str, names: Sequence[str]) -> sympy.Expr:
    """The expression in the given names. Raises SpecError, with the column, for anything that is not on the list."""
    text = re.sub(r"\s", " ", text).strip()
    if not text:
        raise SpecError("the expression is empty", instead=f"write one in {' and '.join(names)}")
    if len(text) > LONGEST:
        raise SpecError("the expression is too long", why=f"at most {LONGEST} characters")
    reader, depth = _Reader(text, names), 0
    for k, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if depth > DEEPEST:
            raise reader.error("the expression is nested too deeply", k + 1, why=f"at most {DEEPEST} brackets deep")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the Python parser, about code such as 2(z) and 1or z
            tree = ast.parse(reader.python, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        offset = getattr(error, "offset", None)
        offset = 1 if offset is None else offset  # 0 is the end of the text, where something is missing
        raise reader.error("the expression does not parse", reader.column(offset - 1)) from None
    return reader.read(tree.body).expr


class _Reader:
    def __init__(self, text: str, names: Sequence[str]) -> None:
        self._text = text
        self._names = {str(s): s for s in symbols(names)} | {k: v for k, v in CONSTANTS.items() if k not in names}
        self._parts: dict[str, _Part] = {}
        self._functions = [*FUNCTIONS, *SHORTHANDS]
        self._cases = 0
        self.python = text.replace("^", "**")
        # Where each character of the Python text stands in the user's.
        self._origin = [k for k, letter in enumerate(text) for _ in range(1 + (letter == "^"))]

    def column(self, place: int) -> int:
        """The column in the user's text, counted from 1, of a place in the Python text, counted from 0."""
        return self._origin[place] + 1 if 0 <= place < len(self._origin) else len(self._text) + 1

    def error(self, what: str, column: int, *, why: str = "", instead: str = "") -> SpecError:
        pointer = f"{self._text}\n{' ' * (column - 1)}^" if len(self._text) < 200 else ""
        return SpecError(what, where=f"column {column}", why="\n".join(x for x in (pointer, why) if x), instead=instead)

    def read(self, node: ast.expr, depth: int = 0) -> _Part:
        column = self._start(node)
        if depth > DEEPEST:
            raise self.error("the expression is nested too deeply", column, why=f"at most {DEEPEST} deep")
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self._number(node, value, column)
            case ast.Constant():
                kind = "a text" if isinstance(node.value, str | bytes) else repr(node.value)
                raise self.error(f"{kind} is not a real number", column)
            case ast.Name(id=name) if name in self._parts:
                return self._parts[name]
            case ast.Name(id=name) if name in self._names:
                symbol = self._names[name]
                return _Part(symbol, float(symbol) if symbol.is_number else None)
            case ast.Name(id=name) if name in self._functions:
                raise self.error(f"{name} is a function", column, instead=f"write {name}(…)")
            case ast.Name(id=name):
                raise self._unknown(name, [*self._names, *self._functions], column)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._build(lambda x: -x, lambda x: -x, [self.read(operand, depth + 1)], column)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.read(operand, depth + 1)
            case ast.BinOp():
                return self._chain(node, depth)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name, arguments, column, depth)
            case ast.Call(func=ast.Name(id=name), keywords=[keyword, *_]):
                raise self.error(
                    f"{name} takes no arguments by name", self._start(keyword.value), instead=f"write {name}(…)"
                )
            case ast.Call():
                raise self.error(
                    "this cannot be called", column, why="a product needs a sign", instead="write 2*(z + 1)"
                )
        what, instead = FORBIDDEN.get(type(node), ("this is not allowed in an expression", ""))
        raise self.error(what, column, instead=instead or self._allowed())

    def _start(self, node: ast.expr) -> int:
        # The parser counts bytes of UTF-8.
        return self.column(len(self.python.encode()[: node.col_offset].decode(errors="ignore")))

    def _number(self, node: ast.Constant, value: int | float, column: int) -> _Part:
        if (node.end_col_offset or 0) - node.col_offset > LONGEST_NUMBER:
            raise self.error("the number is too long", column, why=f"at most {LONGEST_NUMBER} characters")
        if abs(value) > LARGEST_NUMBER:
            raise self._beyond("large", column)
        literal = self.python.encode()[node.col_offset : node.end_col_offset].decode().lower()
        if value == 0 and not literal.startswith("0x") and re.search("[1-9]", literal.partition("e")[0]):
            raise self._beyond("small", column)
        # Decimals stay decimals, so that they are printed as they were typed.
        expr = sympy.Integer(value) if isinstance(value, int) else sympy.Float(repr(value))
        return _Part(expr, float(value))

    def _chain(self, node: ast.expr, depth: int) -> _Part:
        """A sum or product of many terms, which Python nests to the left, is not nested to its reader."""
        chain = []
        while isinstance(node, ast.BinOp):
            chain.append(node)
            node = node.left
        left = self.read(node, depth + 1)
        for step in reversed(chain):
            left = self._binary(step, left, self.read(step.right, depth + 1))
        return left

    def _binary(self, node: ast.BinOp, left: _Part, right: _Part) -> _Part:
        column = self._start(node.right)
        match node.op:
            case ast.Add():
                return self._build(lambda a, b: a + b, lambda a, b: a + b, [left, right], column)
            case ast.Sub():
                return self._build(lambda a, b: a - b, lambda a, b: a - b, [left, right], column)
            case ast.Mult():
                return self._build(lambda a, b: a * b, lambda a, b: a * b, [left, right], column)
            case ast.Div():
                if right.expr == 0:
                    raise self.error("a division by zero", column)
                return self._build(lambda a, b: a / b, lambda a, b: a / b, [left, right], column)
            case ast.Pow():
                return self._power(left, right, column)
        raise self.error("this operator is not allowed in an expression", self._start(node), instead=self._allowed())

    def _power(self, left: _Part, right: _Part, column: int) -> _Part:
        if right.value is not None and abs(right.value) > LARGEST_EXPONENT:
            raise self.error(f"an exponent beyond {LARGEST_EXPONENT}", column)
        if left.expr.is_Rational and right.value is not None:
            bits = max(abs(int(left.expr.p)), int(left.expr.q)).bit_length()
            if bits > 1 and bits * abs(right.value) > MOST_BITS:
                raise self._beyond("long", column)
        result = self._build(lambda a, b: a**b, lambda a, b: a**b, [left, right], column)
        if result.expr.is_Pow and result.expr.exp.is_Rational and abs(result.expr.exp) > LARGEST_EXPONENT:
            raise self.error(f"an exponent beyond {LARGEST_EXPONENT}", column)
        return result

    def _call(self, name: str, arguments: list[ast.expr], column: int, depth: int) -> _Part:
        if name not in self._functions:
            if name in self._names:
                raise self.error(f"{name} is not a function", column, instead=f"write {name}*(…) for a product")
            raise self._unknown(name, self._functions, column)
        count, function, number = FUNCTIONS.get(name, (1, None, None))
        if len(arguments) != count:
            raise self.error(f"{name} takes {count} argument{'s' * (count > 1)}, not {len(arguments)}", column)
        read = [self.read(x, depth + 1) for x in arguments[name == "where" :]]
        if name == "where":
            read.insert(0, self._condition(arguments[0], depth + 1))
        if name in ("tanh", "sinh", "cosh") and read[0].expr.is_extended_real is None:
            # SymPy takes several times as long with each to find out whether tanh(tanh(log(z))) is real.
            read[0] = read[0]._replace(doubts=read[0].doubts + 1)
            if read[0].doubts > MOST_DOUBTS:
                raise self.error("the expression is nested too deeply", column, why=f"{name} of {name} of a logarithm")
        return self._build(function, number, read, column) if function else self._shorthand(name, read[0], column)

    def _shorthand(self, name: str, argument: _Part, column: int) -> _Part:
        scalar = SHORTHANDS[name]
        reader = _Reader(scalar.definition or "", scalar.arguments)
        reader._parts = {scalar.arguments[0]: argument}
        try:
            return reader.read(ast.parse(reader.python, mode="eval").body)
        except SpecError as error:
            raise self.error(error.what, column) from None

    def _condition(self, node: ast.expr, depth: int) -> _Part:
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in COMPARISONS:
            sides = [self.read(node.left, depth), self.read(node.comparators[0], depth)]
            column = self._start(node)
            try:
                condition = COMPARISONS[type(node.ops[0])](*(side.expr for side in sides))
            except TypeError:
                raise self._not_real(column) from None
            return _Part(condition, None, max(side.doubts for side in sides))
        raise self.error(
            "where needs a comparison first: one of >, >=, <, <=", self._start(node), instead="write where(z > 0, z, 0)"
        )

    def _build(
        self, function: Callable[..., sympy.Expr], number: Callable[..., float] | None, parts: list[_Part], column: int
    ) -> _Part:
        """A function of what was read. Numbers are tried as floats first: SymPy takes forever over sin(exp(exp(9)))."""
        values = [x for part in parts if (x := part.value) is not None]
        value = None
        if number is not None and len(values) == len(parts):
            value = self._tried(number, values, column)
        try:
            expr = function(*(part.expr for part in parts))
            self._limit(expr, column)
            if not isinstance(expr, sympy.Expr) or expr.has(*_BAD_VALUES):
                raise self._not_real(column)
            value = self._value(expr, value, column)
        except (TypeError, ValueError, ArithmeticError, NotImplementedError, RecursionError):
            # A comparison with what SymPy knows to be imaginary, for one.
            raise self._not_real(column) from None
        return _Part(expr, value, max(part.doubts for part in parts))

    def _limit(self, expr: sympy.Expr, column: int) -> None:
        if isinstance(expr, sympy.Piecewise):
            self._cases += sum(1 for x in sympy.preorder_traversal(expr) if isinstance(x, sympy.Piecewise))
        most = MOST_PARTS if expr.free_symbols else MOST_PARTS_OF_A_NUMBER
        if self._cases > MOST_CASES or _size(expr) > most:
            raise self.error(
                "the expression is too large", column, why="its cases multiply" * (self._cases > MOST_CASES)
            )

    def _tried(self, number: Callable[..., float], values: list[float], column: int) -> float:
        try:
            value = number(*values)
        except OverflowError:
            raise self._beyond("large", column) from None
        except ZeroDivisionError:
            raise self.error("a division by zero", column) from None
        except ValueError:
            raise self._not_real(column) from None
        if isinstance(value, complex):
            raise self._not_real(column)
        if abs(value) > LARGEST_NUMBER:
            raise self._beyond("large", column)
        return value

    def _value(self, expr: sympy.Expr, value: float | None, column: int) -> float | None:
        if expr.free_symbols:
            return None
        value = 0.0 if expr == 0 else float(expr) if value is None or expr.is_Number else value
        if abs(value) > LARGEST_NUMBER:
            raise self._beyond("large", column)
        if abs(value) < 1 / LARGEST_NUMBER and expr != 0:
            raise self._beyond("small", column)
        return value

    def _beyond(self, how: str, column: int) -> SpecError:
        bounds = f"between {1 / LARGEST_NUMBER:g} and {LARGEST_NUMBER:g}".replace("e+", "e")
        return self.error(f"the number is too {how}", column, why=f"numbers are {bounds}" if how != "long" else "")

    def _not_real(self, column: int) -> SpecError:
        return self.error("the expression is not a real number", column)

    def _unknown(self, name: str, known: list[str], column: int) -> SpecError:
        near = difflib.get_close_matches(name, known, n=1)
        return self.error(
            f"the name {name!r} is not allowed",
            column,
            instead=(f"did you mean {near[0]!r}? " if near else "") + self._allowed(),
        )

    def _allowed(self) -> str:
        return f"allowed are numbers, {', '.join(self._names)}, + − * / **, and {', '.join(FUNCTIONS)}"


def _size(expr: sympy.Expr) -> int:
    """The number of parts, counted no further than needed."""
    return sum(1 for _, _ in zip(sympy.preorder_traversal(expr), range(MOST_PARTS + 1), strict=False))
