"""Scalar functions, given as SymPy expressions, computed with whatever arithmetic a language has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache, reduce
from typing import Any, Generic, Protocol, TypeVar

import sympy

from backproof.ops.functions import sigmoid, softplus, stable, xlogy

V = TypeVar("V")


class Arithmetic(Protocol[V]):
    """Numbers of a language, and what is computed of them."""

    def number(self, value: float, /) -> V: ...

    def add(self, a: V, b: V, /) -> V: ...

    def sub(self, a: V, b: V, /) -> V: ...

    def mul(self, a: V, b: V, /) -> V: ...

    def div(self, a: V, b: V, /) -> V: ...

    def neg(self, a: V, /) -> V: ...

    def function(self, name: str, z: V, /) -> V:
        """One of the functions in `NAMED`, or ``expm1``, ``log1p`` or ``sqrt``."""

    def compare(self, sign: str, a: V, b: V, /) -> V:
        """The truth of a comparison; what is no number is unlike everything."""

    def both(self, a: V, b: V, /) -> V: ...

    def either(self, a: V, b: V, /) -> V: ...

    def contrary(self, a: V, /) -> V: ...

    def select(self, condition: V, a: V, b: V, /) -> V: ...

    def as_number(self, condition: V, /) -> V:
        """1 where a condition holds, else 0."""


COMPARED: Mapping[type[sympy.Basic], str] = {
    sympy.StrictGreaterThan: ">",
    sympy.GreaterThan: ">=",
    sympy.StrictLessThan: "<",
    sympy.LessThan: "<=",
    sympy.Equality: "==",
    sympy.Unequality: "!=",
}
NAMED: Mapping[Any, str] = {
    sympy.exp: "exp",
    sympy.log: "log",
    sympy.tanh: "tanh",
    sympy.erf: "erf",
    sigmoid: "sigmoid",
    softplus: "softplus",
    sympy.Abs: "abs",
}
MOST_FACTORS = 64
"""A power up to this is taken by multiplication."""


class UncoveredError(Exception):
    """Something that a language has no form of here; the text names it."""


def value_of(expr: sympy.Expr, names: Mapping[sympy.Symbol, V], arithmetic: Arithmetic[V]) -> V:
    """The value of an expression whose symbols have the values in `names`. Raises UncoveredError."""
    return _Scalars(names, arithmetic).value(_stable(expr))


@lru_cache(maxsize=1024)  # a step written out has the same function for each entry
def _stable(expr: sympy.Expr) -> sympy.Expr:
    return stable(expr)


class _Scalars(Generic[V]):
    def __init__(self, names: Mapping[sympy.Symbol, V], arithmetic: Arithmetic[V]) -> None:
        self._on = arithmetic
        self._done: dict[sympy.Basic, V] = dict(names)

    def value(self, x: sympy.Basic) -> V:
        if x not in self._done:
            self._done[x] = self._value(x)
        return self._done[x]

    def _value(self, x: sympy.Basic) -> V:
        on = self._on
        if x.is_number and not x.is_Boolean:
            return on.number(float(x.evalf(17)))
        if x.func in NAMED:
            (z,) = x.args
            if x.func is sympy.log and z.is_Add and sympy.S.One in z.args:
                return on.function("log1p", self.value(z - 1))  # log(1 + z) of a small z would lose its digits
            return on.function(NAMED[x.func], self.value(z))
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
                up, down = (on.as_number(on.compare(c, z, on.number(0))) for c in "><")
                return on.sub(up, down)
            case xlogy():
                weight, z = map(self.value, x.args)
                product = on.mul(weight, on.function("log", z))
                return on.select(on.compare("==", weight, on.number(0)), on.number(0), product)
            case sympy.Max() | sympy.Min():
                sign = ">=" if isinstance(x, sympy.Max) else "<="
                return reduce(lambda a, b: on.select(on.compare(sign, a, b), a, b), map(self.value, x.args))
        raise UncoveredError(f"the function {x.func.__name__}")

    def _sum(self, x: sympy.Add) -> V:
        grown = [y for y in x.args if isinstance(y, sympy.exp)]
        if sympy.S.NegativeOne in x.args and grown:
            # e to the power of z, minus 1, of a small z would lose its digits too.
            rest = [self.value(y) for y in x.args if y is not grown[0] and y != -1]
            first = self._on.function("expm1", self.value(grown[0].args[0]))
            return reduce(self._on.add, rest, first)
        terms = sorted(x.as_ordered_terms(), key=lambda term: term.as_coeff_Mul()[0].is_negative is True)
        result = self.value(terms[0])
        for term in terms[1:]:
            negative = term.as_coeff_Mul()[0].is_negative
            result = self._on.sub(result, self.value(-term)) if negative else self._on.add(result, self.value(term))
        return result

    def _product(self, x: sympy.Mul) -> V:
        upper, lower = sympy.fraction(x, exact=True)
        if lower != 1:
            return self._on.div(self.value(upper), self.value(lower))
        if x.args[0] == -1:
            return self._on.neg(self.value(-x))
        return reduce(self._on.mul, map(self.value, x.args))

    def _power(self, x: sympy.Pow) -> V:
        base, exponent = x.args
        if not exponent.is_number:
            raise UncoveredError(f"the power {exponent}")
        return powered(self._on, self.value(base), float(exponent))

    def _pieces(self, x: sympy.Piecewise) -> V:
        result = self._on.number(float("nan"))
        for value, condition in reversed(x.args):
            chosen = self.value(value)
            result = chosen if condition == sympy.true else self._on.select(self._truth(condition), chosen, result)
        return result

    def _truth(self, x: sympy.Basic) -> V:
        if x.func in COMPARED:
            return self._on.compare(COMPARED[x.func], *map(self.value, x.args))
        match x:
            case sympy.And():
                return reduce(self._on.both, map(self._truth, x.args))
            case sympy.Or():
                return reduce(self._on.either, map(self._truth, x.args))
            case sympy.Not():
                return self._on.contrary(self._truth(x.args[0]))
        raise UncoveredError(f"the condition {x.func.__name__}")


def is_covered(exponent: float) -> bool:
    """Whether there is a form for a power: multiplications and a square root."""
    return (2 * exponent).is_integer() and abs(exponent) <= MOST_FACTORS


def powered(on: Arithmetic[V], base: V, exponent: float) -> V:
    """A power whose exponent is a whole number or half of one. Raises UncoveredError for another."""
    if not is_covered(exponent):
        raise UncoveredError(f"the power {exponent:g}")
    if exponent < 0:
        return on.div(on.number(1), powered(on, base, -exponent))
    whole = _whole_power(on, base, int(exponent))
    if exponent == int(exponent):
        return whole
    root = on.function("sqrt", base)
    return root if exponent < 1 else on.mul(whole, root)


def _whole_power(on: Arithmetic[V], base: V, exponent: int) -> V:
    """A power by squaring."""
    if exponent < 2:
        return base if exponent else on.number(1)
    half = _whole_power(on, base, exponent // 2)
    square = on.mul(half, half)
    return on.mul(square, base) if exponent % 2 else square


def summed(on: Arithmetic[V], values: Sequence[V]) -> V:
    """The sum of values, added up in halves, so that the additions need not wait for each other."""
    if len(values) == 1:
        return values[0]
    half = len(values) // 2
    return on.add(summed(on, values[:half]), summed(on, values[half:]))
