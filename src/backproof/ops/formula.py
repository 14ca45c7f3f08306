"""SymPy expressions as nodes and back: so that scalar functions are printed and simplified like everything else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, reduce

import sympy

from backproof.ir.node import Node, substitute
from backproof.ir.sizes import Shape
from backproof.ir.symbol import Symbol
from backproof.ops import activations, elementary, functions, special
from backproof.ops.arithmetic import add, div, mul, neg, power, product, sub
from backproof.ops.calculus import VALUE, cost
from backproof.ops.functions import sigmoid, softplus, symbols, weighted_logarithms, xlogy
from backproof.ops.leaves import constant, constant_, variable
from backproof.ops.row import Row
from backproof.ops.scalar import ScalarRow

FUNCTIONS: dict[type[sympy.Basic], Row] = {
    sympy.exp: elementary.exp,
    sympy.log: elementary.log,
    sympy.tanh: activations.tanh,
    sympy.sinh: elementary.sinh,
    sympy.cosh: elementary.cosh,
    sympy.sin: elementary.sin,
    sympy.cos: elementary.cos,
    sympy.tan: elementary.tan,
    sympy.atan: elementary.atan,
    sympy.asin: elementary.asin,
    sympy.acos: elementary.acos,
    sympy.asinh: elementary.asinh,
    sympy.acosh: elementary.acosh,
    sympy.atanh: elementary.atanh,
    sympy.atan2: elementary.atan2,
    sympy.erf: elementary.erf,
    sympy.erfc: special.erfc,
    sympy.erfinv: special.erfinv,
    functions.ndtr: special.ndtr,
    functions.log_ndtr: special.log_ndtr,
    functions.ndtri: special.ndtri,
    functions.erfcx: special.erfcx,
    functions.dawsn: special.dawsn,
    functions.exp1: special.exp1,
    sympy.gamma: special.gamma,
    sympy.loggamma: special.gammaln,
    sympy.Abs: elementary.absolute,
    sympy.sign: elementary.sign,
    xlogy: elementary.xlogy,
    sigmoid: activations.sigmoid,
    softplus: activations.softplus,
    sympy.StrictGreaterThan: elementary.greater,
    sympy.GreaterThan: elementary.greater_equal,
    sympy.StrictLessThan: elementary.less,
    sympy.LessThan: elementary.less_equal,
}

WITH_NUMBERS: dict[type[sympy.Basic], Callable[..., Row]] = {
    sympy.polygamma: special.polygamma,
    functions.bessel: special.bessel,
    functions.scaled_bessel: special.scaled_bessel,
    functions.bessel_j: special.bessel_j,
    functions.bessel_k: special.bessel_k,
    functions.exprel: special.exprel,
    functions.gammainc: special.gammainc,
    functions.gammaincc: special.gammaincc,
    functions.betainc: special.betainc,
    functions.stdtr: special.stdtr,
}
"""The rows of functions of their last argument; those before are numbers, as an order."""


def to_nodes(expr: sympy.Basic, names: Mapping[sympy.Symbol, Node]) -> Node:
    """The nodes that compute an expression whose symbols stand for the nodes in `names`."""

    def convert(x: sympy.Basic) -> Node:
        match x:
            case sympy.Symbol():
                return names[x]
            case sympy.Add():
                return _terms(x)
            case sympy.Mul():
                return _factors(x)
            case sympy.Pow():
                return _power(x)
            case sympy.Piecewise():
                return _pieces(x)
            case sympy.Rational() if not x.is_Integer:
                return div(constant(int(x.p)), constant(int(x.q)))
            case sympy.core.numbers.ImaginaryUnit():
                return constant(1j)
            case sympy.NumberSymbol():
                return constant_(value=float(x), text={"pi": "π", "E": "e"}[str(x)])
            case sympy.Number():
                return constant(int(x) if x.is_Integer else float(x))
        if type(x) in WITH_NUMBERS:
            *numbers, z = x.args
            return WITH_NUMBERS[type(x)](*(int(n) if n == int(n) else float(n) for n in numbers))(convert(z))
        return FUNCTIONS[type(x)](*map(convert, x.args))

    def is_scalar(x: sympy.Basic) -> bool:
        return all(not names[symbol].shape for symbol in x.free_symbols)

    def _terms(x: sympy.Add) -> Node:
        # Written with the positive terms first: 1 − a, not −a + 1.
        terms = sorted(x.as_ordered_terms(), key=lambda term: term.as_coeff_Mul()[0].is_negative is True)
        result = convert(terms[0])
        for term in terms[1:]:
            coefficient = term.as_coeff_Mul()[0]
            result = sub(result, convert(-term)) if coefficient.is_negative else add(result, convert(term))
        return result

    def _factors(x: sympy.Mul) -> Node:
        if x.as_coeff_Mul()[0].is_negative:
            return neg(convert(-x))
        scalars = [f for f in x.as_ordered_factors() if is_scalar(f)]
        arrays = [f for f in x.as_ordered_factors() if not is_scalar(f)]
        if scalars and arrays:
            return product(_fraction(sympy.Mul(*scalars)), _fraction(sympy.Mul(*arrays)))
        return _fraction(x)

    def _fraction(x: sympy.Expr) -> Node:
        # exact: exp(−z) stays above the line.
        upper, lower = sympy.fraction(x, exact=True)
        if lower != 1:
            return div(_product(upper), _product(lower))
        return _product(x)

    def _product(x: sympy.Expr) -> Node:
        # Plain symbols stand before brackets: a(1 − a).
        factors = sorted(sympy.Mul.make_args(x), key=lambda f: (not f.is_number, f.is_Add or f.has(sympy.Add)))
        return reduce(mul, map(convert, factors))

    def _power(x: sympy.Pow) -> Node:
        base, exponent = x.args
        if exponent.is_negative:
            return div(constant(1), convert(sympy.Pow(base, -exponent)))
        if exponent == sympy.Rational(1, 2):
            return elementary.sqrt(convert(base))
        inner = convert(base)
        if inner.shape and exponent in (2, 3):
            return reduce(mul, [inner] * int(exponent))
        if not exponent.is_number:
            return elementary.exp(convert(exponent * sympy.log(base)))
        return power(inner, exponent=int(exponent) if exponent.is_Integer else float(exponent))

    def _pieces(x: sympy.Piecewise) -> Node:
        parts: list[Node] = []
        for value, condition in _flat(x):
            parts.append(convert(value))
            if condition != sympy.true:
                parts.append(convert(condition))
        if len(parts) % 2 == 0:
            parts.append(constant(float("nan")))
        return elementary.pieces(*parts)

    return convert(expr)


def _flat(x: sympy.Piecewise) -> list[tuple[sympy.Expr, sympy.Basic]]:
    """The pieces, with those of a last piece that is itself in pieces behind the others."""
    *first, (value, condition) = x.args
    if condition == sympy.true and isinstance(value, sympy.Piecewise):
        return [*first, *_flat(value)]
    return list(x.args)


ARITHMETIC: dict[Row, Callable[..., sympy.Expr]] = {
    add: lambda a, b: a + b,
    sub: lambda a, b: a - b,
    neg: lambda a: -a,
    mul: lambda a, b: a * b,
    div: lambda a, b: a / b,
}
"""The rows that algebra sees through, besides exp, log, sqrt and their derivatives; all else is an atom."""


def to_expr(node: Node, atom: Callable[[Node], sympy.Expr], *, opens: Callable[[Node], bool]) -> sympy.Expr:
    """The node as an expression. `opens` tells which named nodes are looked into; `atom` names what is not."""

    def convert(x: Node, top: bool = False) -> sympy.Expr:
        if x.symbol is not None and not top and not opens(x):
            return atom(x)
        if x.op is constant_:
            value = x.attrs["value"]
            if isinstance(value, complex):
                return _number(value.real) + sympy.I * _number(value.imag)
            return _number(value)
        if x.op is power:
            return convert(x.inputs[0]) ** sympy.nsimplify(x.attrs["exponent"])
        if isinstance(x.op, ScalarRow) and x.op.scalar.definition in ("exp(z)", "log(z)", "sqrt(z)"):
            (z,) = symbols(x.op.scalar.arguments)
            return x.op.scalar.expr.xreplace({z: convert(x.inputs[0])})
        combine = ARITHMETIC.get(x.op) if isinstance(x.op, Row) else None
        return combine(*map(convert, x.inputs)) if combine else atom(x)

    return convert(node, top=True)


def _number(value: float) -> sympy.Expr:
    return sympy.nsimplify(value) if float(value).is_integer() else sympy.Float(value)


def formula(row: ScalarRow, *arguments: Node) -> Node:
    """A scalar function opened: its definition as nodes, on the given arguments."""
    leaves, nodes = _opened(row, tuple([x.shape for x in arguments]))
    return substitute(nodes, dict(zip(leaves, arguments, strict=True)))


@lru_cache(maxsize=4096)
def _opened(row: ScalarRow, shapes: tuple[Shape, ...]) -> tuple[list[Node], Node]:
    """A definition as nodes on leaves of these shapes, made once: a long program has the same formula many times."""
    leaves = [variable(Symbol(x), shape) for x, shape in zip(row.scalar.arguments, shapes, strict=True)]
    # With y·log(a) as one function, since its two factors are not finite together where both are 0.
    expr = weighted_logarithms(row.scalar.expr)
    return leaves, to_nodes(expr, dict(zip(symbols(row.scalar.arguments), leaves, strict=True)))


SHORT = 8
"""Up to this cost a derivative that is no fraction is written out."""


def is_short(expr: sympy.Expr) -> bool:
    """Whether a loss's derivative reads better written out than as dL/da, and does not overflow where it is."""
    if expr.is_rational_function():
        return True
    return cost(expr) <= SHORT and not expr.has(sympy.exp, sympy.log, sympy.Piecewise)


def through_value(expr: sympy.Expr, value: Node) -> Node:
    """A derivative in its form through the value a, as nodes on the node that holds the value."""
    leaf, nodes = _on_shape(expr, value.shape)
    return substitute(nodes, {leaf: value})


@lru_cache(maxsize=4096)
def _on_shape(expr: sympy.Expr, shape: Shape) -> tuple[Node, Node]:
    """The nodes of an expression in a, made once for each shape: a deep network has the same layer many times."""
    leaf = variable(Symbol("a"), shape)
    return leaf, to_nodes(expr, {VALUE: leaf})
