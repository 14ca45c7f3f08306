"""The vocabulary of scalar expressions beyond SymPy's own, and expressions as NumPy functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import sympy
from sympy.printing.numpy import NumPyPrinter

Array = np.ndarray[Any, Any]


def symbols(names: Sequence[str]) -> tuple[sympy.Symbol, ...]:
    """The real symbols of these names."""
    return tuple(sympy.Symbol(name, real=True) for name in names)


class sigmoid(sympy.Function):  # type: ignore[misc]  # SymPy has no types
    """1/(1 + exp(−z))."""

    nargs = 1

    @staticmethod
    def definition(z: sympy.Expr) -> sympy.Expr:
        return 1 / (1 + sympy.exp(-z))

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return _slope(self.func).subs(_Z, self.args[0])

    def _eval_evalf(self, prec: int) -> sympy.Expr:
        return self.definition(self.args[0])._eval_evalf(prec)


class softplus(sympy.Function):  # type: ignore[misc]  # SymPy has no types
    """log(1 + exp(z))."""

    nargs = 1

    @staticmethod
    def definition(z: sympy.Expr) -> sympy.Expr:
        return sympy.log(1 + sympy.exp(z))

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return _slope(self.func).subs(_Z, self.args[0])

    def _eval_evalf(self, prec: int) -> sympy.Expr:
        return self.definition(self.args[0])._eval_evalf(prec)


class xlogy(sympy.Function):  # type: ignore[misc]  # SymPy has no types
    """x·log(y), and 0 where x is 0."""

    nargs = 2

    def _eval_evalf(self, prec: int) -> sympy.Expr:
        x, y = self.args
        return (x * sympy.log(y))._eval_evalf(prec) if x != 0 else sympy.Float(0)

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        x, y = self.args
        return sympy.log(y) if argindex == 1 else x / y


_Z = sympy.Symbol("z", real=True)


@cache
def _slope(function: Any) -> sympy.Expr:
    """The derivative of a function from its definition, written in sigmoid where that is possible."""
    return in_sigmoid(sympy.diff(function.definition(_Z), _Z))


def in_sigmoid(expr: sympy.Expr) -> sympy.Expr:
    """A fraction in t = exp(u) as a polynomial in s = sigmoid(u), by t = s/(1 − s); unchanged if there is none."""
    exponents = {x.args[0] for x in expr.atoms(sympy.exp)}
    if not exponents:
        return expr
    u = min(exponents, key=str)
    u = -u if u.could_extract_minus_sign() else u
    t, s = sympy.Dummy("t", positive=True), sympy.Dummy("s")
    rational = expr.replace(lambda x: isinstance(x, sympy.exp), lambda x: t ** sympy.cancel(x.args[0] / u))
    if not rational.is_rational_function(t):
        return expr
    written = sympy.cancel(rational.subs(t, s / (1 - s)))
    if not written.is_polynomial(s):
        return expr
    # 1 − sigmoid(u) is sigmoid(−u), which does not round to 0 where u is large.
    other = sympy.Dummy("r")
    factors = [(-other if f == s - 1 else other if f == 1 - s else f) for f in _powers(sympy.factor(written), s - 1)]
    return sympy.Mul(*factors).subs({s: sigmoid(u), other: sigmoid(-u)})


def _powers(product: sympy.Expr, of: sympy.Expr) -> list[sympy.Expr]:
    """The factors of a product, powers of `of` taken apart."""
    found = []
    for factor in sympy.Mul.make_args(product):
        base, exponent = factor.as_base_exp()
        found += [base] * int(exponent) if base in (of, -of) and exponent.is_Integer and exponent > 0 else [factor]
    return found


def stable(expr: sympy.Expr) -> sympy.Expr:
    """The same function in a form that does not overflow."""
    expr = expr.replace(
        lambda x: isinstance(x, sympy.log) and (x.args[0] - 1).func is sympy.exp,
        lambda x: softplus((x.args[0] - 1).args[0]),
    )
    if not expr.has(sympy.Piecewise):
        expr = in_sigmoid(expr)
    expr = expr.replace(
        lambda x: isinstance(x, sympy.log) and isinstance(x.args[0], sigmoid), lambda x: -softplus(-x.args[0].args[0])
    )
    expr = expr.replace(
        lambda x: isinstance(x, sympy.log) and isinstance(1 - x.args[0], sigmoid),
        lambda x: -softplus((1 - x.args[0]).args[0]),
    )
    return weighted_logarithms(expr)


def weighted_logarithms(expr: sympy.Expr) -> sympy.Expr:
    """With y·log(a) and (1 − y)·log(a) as xlogy, which is 0 where the weight is 0 and the logarithm infinite."""
    return expr.replace(lambda x: x.is_Mul and any(isinstance(f, sympy.log) for f in x.args), _with_xlogy)


def _with_xlogy(product: sympy.Mul) -> sympy.Expr:
    logarithm = next(f for f in product.args if isinstance(f, sympy.log))
    weight = next((f for f in product.args if f.is_Symbol or (1 - f).is_Symbol), None)
    if weight is None:
        return product
    rest = [f for f in product.args if f is not logarithm and f is not weight]
    return sympy.Mul(*rest) * xlogy(weight, logarithm.args[0])


class _Printer(NumPyPrinter):  # type: ignore[misc]  # SymPy has no types
    """Prints expressions as NumPy code whose choices look at real parts only, so that it may be given x + ih."""

    def _print_sigmoid(self, expr: sympy.Expr) -> str:
        return f"_sigmoid({self._print(expr.args[0])})"

    def _print_softplus(self, expr: sympy.Expr) -> str:
        return f"_softplus({self._print(expr.args[0])})"

    def _print_xlogy(self, expr: sympy.Expr) -> str:
        return f"_xlogy({self._print(expr.args[0])}, {self._print(expr.args[1])})"

    def _print_erf(self, expr: sympy.Expr) -> str:
        return f"_erf({self._print(expr.args[0])})"

    def _print_Abs(self, expr: sympy.Expr) -> str:
        return f"_abs({self._print(expr.args[0])})"

    def _print_sign(self, expr: sympy.Expr) -> str:
        return f"_sign({self._print(expr.args[0])})"

    def _print_Relational(self, expr: sympy.Basic) -> str:
        return f"(_real({self._print(expr.lhs)}) {expr.rel_op} _real({self._print(expr.rhs)}))"

    def _print_Piecewise(self, expr: sympy.Expr) -> str:
        text = "_nan"
        for value, condition in reversed(expr.args):
            chosen = self._print(value)
            text = chosen if condition == sympy.true else f"_where({self._print(condition)}, {chosen}, {text})"
        return text


def compile_numpy(expr: sympy.Expr, arguments: Sequence[sympy.Symbol]) -> Callable[..., Array]:
    """The expression as a function of arrays that broadcast; its text is the attribute `source`.

    Arrays may be complex with a tiny imaginary part (the complex step): pieces, absolute values and signs are chosen by
    the real part.
    """
    printer = _Printer({"fully_qualified_modules": False})
    # √2, say, as a Python number: NumPy's own would turn float32 into float64.
    expr = expr.replace(lambda x: x.is_number and not x.is_Rational and not x.is_Boolean, lambda x: x.evalf(17))
    common, (result,) = sympy.cse(expr, symbols=sympy.numbered_symbols("t"))
    lines = [f"    {name} = {printer.doprint(value)}" for name, value in common]
    names = ", ".join(map(str, arguments))
    source = "\n".join([f"def function({names}):", *lines, f"    return {printer.doprint(result)}"])
    space: dict[str, Any] = {
        name: getattr(np, name)
        for name in ("exp", "log", "sqrt", "tanh", "sinh", "cosh", "sin", "cos", "tan", "pi", "e")
    }
    space |= {
        "arctan": np.arctan,
        "_sigmoid": _sigmoid,
        "_softplus": _softplus,
        "_xlogy": _xlogy,
        "_erf": _erf,
        "_abs": _absolute,
        "_sign": _sign,
        "_real": np.real,
        "_where": np.where,
        "_nan": np.nan,
    }
    exec(source, space)
    function = space["function"]

    def call(*arrays: Array) -> Array:
        with np.errstate(all="ignore"):
            value = function(*arrays)
        return (
            np.broadcast_to(value, np.broadcast_shapes(*(np.shape(a) for a in arrays))) if not np.ndim(value) else value
        )

    call.source = source  # type: ignore[attr-defined]
    return call


def _absolute(z: Array) -> Array:
    # At 0 the complex step then finds the derivative 0, as the formula's sign(z) has it.
    return np.asarray(z * np.sign(np.real(z)))


def _mirrored(z: Array) -> Array:
    """−|z|, with one of its two slopes at 0."""
    return np.where(np.real(z) < 0, z, -z)


def _sign(z: Array) -> Array:
    return np.asarray(np.sign(np.real(z)))


def _sigmoid(z: Array) -> Array:
    small = np.exp(_mirrored(z))
    return np.asarray(np.where(np.real(z) < 0, small, 1.0) / (1 + small))


def _softplus(z: Array) -> Array:
    return np.asarray(np.where(np.real(z) < 0, 0.0, z) + np.log1p(np.exp(_mirrored(z))))


def _xlogy(x: Array, y: Array) -> Array:
    from scipy.special import xlogy as scipy_xlogy

    return np.asarray(scipy_xlogy(x, y))


def _erf(z: Array) -> Array:
    from scipy.special import erf as scipy_erf

    return np.asarray(scipy_erf(z))
