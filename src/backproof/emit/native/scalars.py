"""Scalar functions, given as SymPy expressions, on lanes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, reduce
from typing import Any

import sympy

from backproof.emit.native import mathematics
from backproof.emit.native.lanes import Lanes, Value
from backproof.ops.functions import sigmoid, softplus, stable, xlogy

COMPARED: Mapping[type[sympy.Basic], str] = {
    sympy.StrictGreaterThan: ">",
    sympy.GreaterThan: ">=",
    sympy.StrictLessThan: "<",
    sympy.LessThan: "<=",
    sympy.Equality: "==",
    sympy.Unequality: "!=",
}
NAMED: Mapping[Any, Callable[[Lanes, Value], Value]] = {
    sympy.exp: mathematics.exp,
    sympy.log: mathematics.log,
    sympy.tanh: mathematics.tanh,
    sympy.erf: mathematics.erf,
    sigmoid: mathematics.sigmoid,
    softplus: mathematics.softplus,
    sympy.Abs: Lanes.absolute,
}
MOST_FACTORS = 64
"""A power up to this is taken by multiplication."""


class UncoveredError(Exception):
    """Something that the native code has no form of; the text names it."""


def value_of(expr: sympy.Expr, names: Mapping[sympy.Symbol, Value], lanes: Lanes) -> Value:
    """The value of an expression whose symbols have the values in `names`. Raises UncoveredError."""
    return _Scalars(names, lanes).value(_stable(expr))


@lru_cache(maxsize=1024)  # a step written out has the same function for each entry
def _stable(expr: sympy.Expr) -> sympy.Expr:
    return stable(expr)


class _Scalars:
    def __init__(self, names: Mapping[sympy.Symbol, Value], lanes: Lanes) -> None:
        self._lanes = lanes
        self._done: dict[sympy.Basic, Value] = dict(names)

    def value(self, x: sympy.Basic) -> Value:
        if x not in self._done:
            self._done[x] = self._value(x)
        return self._done[x]

    def _value(self, x: sympy.Basic) -> Value:
        lanes = self._lanes
        if x.is_number and not x.is_Boolean:
            return lanes.number(float(x.evalf(17)))
        if x.func in NAMED:
            (z,) = x.args
            if x.func is sympy.log and z.is_Add and sympy.S.One in z.args:
                return mathematics.log1p(lanes, self.value(z - 1))  # log(1 + z) of a small z would lose its digits
            return NAMED[x.func](lanes, self.value(z))
        match x:
            case sympy.Add():
                return self._sum(x)
            case sympy.Mul():
                return self._product(x)
            case sympy.Pow():
                return self._power(x)
            case sympy.Piecewise():
                return self._pieces(x)
            case sympy.sign():
                z = self.value(x.args[0])
                up, down = (lanes.as_number(lanes.compare(c, z, lanes.number(0))) for c in "><")
                return lanes.sub(up, down)
            case xlogy():
                weight, z = map(self.value, x.args)
                product = lanes.mul(weight, mathematics.log(lanes, z))
                return lanes.select(lanes.compare("==", weight, lanes.number(0)), lanes.number(0), product)
            case sympy.Max() | sympy.Min():
                sign = ">=" if isinstance(x, sympy.Max) else "<="
                return reduce(lambda a, b: lanes.select(lanes.compare(sign, a, b), a, b), map(self.value, x.args))
        raise UncoveredError(f"the function {x.func.__name__}")

    def _sum(self, x: sympy.Add) -> Value:
        grown = [y for y in x.args if isinstance(y, sympy.exp)]
        if sympy.S.NegativeOne in x.args and grown:
            # e to the power of z, minus 1, of a small z would lose its digits too.
            rest = [self.value(y) for y in x.args if y is not grown[0] and y != -1]
            first = mathematics.expm1(self._lanes, self.value(grown[0].args[0]))
            return reduce(self._lanes.add, rest, first)
        terms = sorted(x.as_ordered_terms(), key=lambda term: term.as_coeff_Mul()[0].is_negative is True)
        result = self.value(terms[0])
        for term in terms[1:]:
            negative = term.as_coeff_Mul()[0].is_negative
            result = (
                self._lanes.sub(result, self.value(-term)) if negative else self._lanes.add(result, self.value(term))
            )
        return result

    def _product(self, x: sympy.Mul) -> Value:
        upper, lower = sympy.fraction(x, exact=True)
        if lower != 1:
            return self._lanes.div(self.value(upper), self.value(lower))
        if x.args[0] == -1:
            return self._lanes.neg(self.value(-x))
        return reduce(self._lanes.mul, map(self.value, x.args))

    def _power(self, x: sympy.Pow) -> Value:
        base, exponent = x.args
        if exponent.is_negative:
            return self._lanes.div(self._lanes.number(1), self.value(sympy.Pow(base, -exponent)))
        if exponent == sympy.Rational(1, 2):
            return self._lanes.intrinsic("sqrt", self.value(base))
        if exponent.is_Integer and exponent <= MOST_FACTORS:
            return powered(self._lanes, self.value(base), int(exponent))
        raise UncoveredError(f"the power {exponent}")

    def _pieces(self, x: sympy.Piecewise) -> Value:
        result = self._lanes.number(float("nan"))
        for value, condition in reversed(x.args):
            chosen = self.value(value)
            result = chosen if condition == sympy.true else self._lanes.select(self._truth(condition), chosen, result)
        return result

    def _truth(self, x: sympy.Basic) -> Value:
        builder = self._lanes.builder
        if x.func in COMPARED:
            return self._lanes.compare(COMPARED[x.func], *map(self.value, x.args))
        match x:
            case sympy.And():
                return reduce(builder.and_, map(self._truth, x.args))
            case sympy.Or():
                return reduce(builder.or_, map(self._truth, x.args))
            case sympy.Not():
                return builder.not_(self._truth(x.args[0]))
        raise UncoveredError(f"the condition {x.func.__name__}")


def powered(lanes: Lanes, base: Value, exponent: int) -> Value:
    """A power by squaring."""
    if exponent == 0:
        return lanes.number(1)
    half = powered(lanes, base, exponent // 2) if exponent > 1 else None
    square = lanes.number(1) if half is None else lanes.mul(half, half)
    if half is None:
        return base
    return lanes.mul(square, base) if exponent % 2 else square


def summed(lanes: Lanes, values: Sequence[Value]) -> Value:
    """The sum of values, added up in halves, so that the additions need not wait for each other."""
    if len(values) == 1:
        return values[0]
    half = len(values) // 2
    return lanes.add(summed(lanes, values[:half]), summed(lanes, values[half:]))
