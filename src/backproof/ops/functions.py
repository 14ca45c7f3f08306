"""The vocabulary of scalar expressions beyond SymPy's own, and expressions as NumPy functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import count
from keyword import iskeyword
from typing import Any

import numpy as np
import sympy
from mpmath.libmp import prec_to_dps
from sympy.printing.numpy import NumPyPrinter

from backproof.ops.special_values import VALUES

Array = np.ndarray[Any, Any]


def symbols(names: Sequence[str]) -> tuple[sympy.Symbol, ...]:
    """The real symbols of these names."""
    return tuple(sympy.Symbol(name, real=True) for name in names)


class _Defined(sympy.Function):  # type: ignore[misc]  # SymPy has no types
    """A function that is known by its definition: derivatives and values to any precision follow from it."""

    @staticmethod
    def definition(*arguments: sympy.Expr) -> sympy.Expr:
        raise NotImplementedError

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return _slope(self.func, argindex).subs(list(zip(_ARGUMENTS, self.args, strict=False)), simultaneous=True)

    def _eval_evalf(self, prec: int) -> sympy.Expr:
        # The arguments once: to ask them again at every precision would take 2ⁿ steps for n functions in each other.
        arguments = [x.evalf(prec_to_dps(prec + 64)) for x in self.args]
        if not all(x.is_Number for x in arguments):
            return self.func(*(x.evalf(prec_to_dps(prec)) for x in arguments))
        # With ever more digits until two results agree: of log(1 + exp(−100)) the first fifty are those of log 1.
        before, working = None, prec + 64
        while True:
            value = self.definition(*(sympy.Float(x, precision=working) for x in arguments)).evalf(prec_to_dps(working))
            settled = before is not None and abs(value - before) * 2**prec <= abs(value)
            if (settled and value != 0) or working > 2**15:
                return value.evalf(prec_to_dps(prec))
            before, working = value, 2 * working


class sigmoid(_Defined):
    """1/(1 + exp(−z))."""

    nargs = 1

    @staticmethod
    def definition(z: sympy.Expr) -> sympy.Expr:
        return 1 / (1 + sympy.exp(-z))

    # Without it SymPy splits abs(sigmoid(z) − 1/2) into real and imaginary part to differentiate it.
    def _eval_is_extended_real(self) -> bool | None:
        return True if self.args[0].is_extended_real else None


class softplus(_Defined):
    """log(1 + exp(z))."""

    nargs = 1

    @staticmethod
    def definition(z: sympy.Expr) -> sympy.Expr:
        return sympy.log(1 + sympy.exp(z))

    def _eval_is_extended_real(self) -> bool | None:
        return True if self.args[0].is_extended_real else None


class xlogy(_Defined):
    """x·log(y), and 0 where x is 0."""

    nargs = 2

    @staticmethod
    def definition(x: sympy.Expr, y: sympy.Expr) -> sympy.Expr:
        return x * sympy.log(y)

    def _eval_evalf(self, prec: int) -> sympy.Expr:
        return super()._eval_evalf(prec) if self.args[0] != 0 else sympy.Float(0)


class _Restated(_Defined):
    """A function of its last argument whose derivative is that of the definition, put in terms that do not overflow."""

    @classmethod
    def restated(cls, slope: sympy.Expr) -> sympy.Expr:
        """The derivative by the symbol `_ARGUMENTS[0]`."""
        raise NotImplementedError

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        x = _ARGUMENTS[0]
        return self.restated(sympy.diff(self.definition(*self.args[:-1], x), x)).subs(x, self.args[-1])

    def _eval_is_extended_real(self) -> bool | None:
        return True if self.args[-1].is_extended_real else None


class ndtr(_Restated):
    """The normal distribution function."""

    nargs = 1

    @staticmethod
    def definition(z: sympy.Expr) -> sympy.Expr:
        return sympy.erfc(-z / sympy.sqrt(2)) / 2

    @classmethod
    def restated(cls, slope: sympy.Expr) -> sympy.Expr:
        return slope


class log_ndtr(_Restated):
    """The logarithm of the normal distribution function."""

    nargs = 1

    @staticmethod
    def definition(z: sympy.Expr) -> sympy.Expr:
        return sympy.log(ndtr(z))

    @classmethod
    def restated(cls, slope: sympy.Expr) -> sympy.Expr:
        # As one exponential: of two, one may be 0 where the other is infinite.
        return sympy.powsimp(slope.replace(ndtr, lambda z: sympy.exp(cls(z))), combine="exp")


class ndtri(_Restated):
    """The inverse of the normal distribution function."""

    nargs = 1

    @staticmethod
    def definition(p: sympy.Expr) -> sympy.Expr:
        return sympy.sqrt(2) * sympy.erfinv(2 * p - 1)

    @classmethod
    def restated(cls, slope: sympy.Expr) -> sympy.Expr:
        return slope.replace(sympy.erfinv, lambda y: cls(sympy.expand((y + 1) / 2)) / sympy.sqrt(2))


class bessel(_Restated):
    """The modified Bessel function of the first kind and of a whole order, of which the sign makes no difference."""

    nargs = 2

    @staticmethod
    def definition(n: sympy.Expr, z: sympy.Expr) -> sympy.Expr:
        return sympy.besseli(n, z)

    @classmethod
    def restated(cls, slope: sympy.Expr) -> sympy.Expr:
        return slope.replace(sympy.besseli, lambda n, z: cls(abs(n), z))


class scaled_bessel(_Restated):
    """The same times exp(−|z|)."""

    nargs = 2

    @staticmethod
    def definition(n: sympy.Expr, z: sympy.Expr) -> sympy.Expr:
        return sympy.exp(-sympy.Abs(z)) * sympy.besseli(n, z)

    @classmethod
    def restated(cls, slope: sympy.Expr) -> sympy.Expr:
        return sympy.expand(slope.replace(sympy.besseli, lambda n, z: cls(abs(n), z) * sympy.exp(sympy.Abs(z))))


class bessel_j(_Restated):
    """The Bessel function of the first kind and of a whole order."""

    nargs = 2

    @staticmethod
    def definition(n: sympy.Expr, z: sympy.Expr) -> sympy.Expr:
        return sympy.besselj(n, z)

    @classmethod
    def restated(cls, slope: sympy.Expr) -> sympy.Expr:
        return slope.replace(sympy.besselj, lambda n, z: (-1) ** min(n, 0) * cls(abs(n), z))


class bessel_k(_Restated):
    """The modified Bessel function of the second kind, for which the sign of the order makes no difference."""

    nargs = 2

    @staticmethod
    def definition(n: sympy.Expr, z: sympy.Expr) -> sympy.Expr:
        return sympy.besselk(n, z)

    @classmethod
    def restated(cls, slope: sympy.Expr) -> sympy.Expr:
        return slope.replace(sympy.besselk, lambda n, z: cls(abs(n), z))


class erfcx(_Restated):
    """exp(z²)·erfc(z)."""

    nargs = 1

    @staticmethod
    def definition(z: sympy.Expr) -> sympy.Expr:
        return sympy.exp(z**2) * sympy.erfc(z)

    @classmethod
    def restated(cls, slope: sympy.Expr) -> sympy.Expr:
        return sympy.expand(slope.replace(sympy.erfc, lambda z: cls(z) * sympy.exp(-(z**2))))


class dawsn(_Restated):
    """Dawson's integral."""

    nargs = 1

    @staticmethod
    def definition(z: sympy.Expr) -> sympy.Expr:
        return sympy.sqrt(sympy.pi) / 2 * sympy.exp(-(z**2)) * sympy.erfi(z)

    @classmethod
    def restated(cls, slope: sympy.Expr) -> sympy.Expr:
        with_it = slope.replace(sympy.erfi, lambda z: 2 / sympy.sqrt(sympy.pi) * cls(z) * sympy.exp(z**2))
        return sympy.expand(with_it)


class exprel(_Restated):
    """The integral of tⁿ·exp(z·t) over t from 0 to 1; for n = 0 this is (exp(z) − 1)/z."""

    nargs = 2

    @staticmethod
    def definition(n: sympy.Expr, z: sympy.Expr) -> sympy.Expr:
        return sympy.hyper((n + 1,), (n + 2,), z) / (n + 1)

    @classmethod
    def restated(cls, slope: sympy.Expr) -> sympy.Expr:
        return slope.replace(sympy.hyper, lambda above, below, z: above[0] * cls(above[0] - 1, z))


class exp1(_Restated):
    """The exponential integral: that of exp(−t)/t from z to infinity."""

    nargs = 1

    @staticmethod
    def definition(z: sympy.Expr) -> sympy.Expr:
        return sympy.expint(1, z)

    @classmethod
    def restated(cls, slope: sympy.Expr) -> sympy.Expr:
        return slope


class _Distribution(_Restated):
    """A function whose derivative is a density."""

    @classmethod
    def restated(cls, slope: sympy.Expr) -> sympy.Expr:
        return slope.replace(sympy.beta, lambda a, b: sympy.gamma(a) * sympy.gamma(b) / sympy.gamma(a + b))


class gammainc(_Distribution):
    """The distribution function of the gamma distribution of shape a."""

    nargs = 2

    @staticmethod
    def definition(a: sympy.Expr, z: sympy.Expr) -> sympy.Expr:
        return sympy.lowergamma(a, z) / sympy.gamma(a)


class gammaincc(_Distribution):
    """One minus that."""

    nargs = 2

    @staticmethod
    def definition(a: sympy.Expr, z: sympy.Expr) -> sympy.Expr:
        return sympy.uppergamma(a, z) / sympy.gamma(a)


class betainc(_Distribution):
    """The distribution function of the beta distribution of shapes a and b."""

    nargs = 3

    @staticmethod
    def definition(a: sympy.Expr, b: sympy.Expr, z: sympy.Expr) -> sympy.Expr:
        return sympy.betainc_regularized(a, b, 0, z)


class stdtr(_Distribution):
    """The distribution function of Student's distribution of n degrees of freedom."""

    nargs = 2

    @staticmethod
    def definition(n: sympy.Expr, z: sympy.Expr) -> sympy.Expr:
        t = sympy.Dummy("t", real=True)
        half = sympy.Rational(1, 2)
        density = (1 + t**2 / n) ** (-(n + 1) / 2) * sympy.gamma((n + 1) / 2)
        return half + sympy.Integral(density / sympy.gamma(n / 2) / sympy.sqrt(sympy.pi * n), (t, 0, z))


_ARGUMENTS = symbols(("x", "y"))


@cache
def _slope(function: Any, argindex: int) -> sympy.Expr:
    """The derivative of a function from its definition, written in sigmoid where that is possible."""
    (count,) = function.nargs
    return in_sigmoid(sympy.diff(function.definition(*_ARGUMENTS[:count]), _ARGUMENTS[argindex - 1]))


def stable(expr: sympy.Expr) -> sympy.Expr:
    """The same function in a form that does not overflow."""
    expr = expr.replace(
        lambda x: isinstance(x, sympy.log) and (x.args[0] - 1).func is sympy.exp,
        lambda x: softplus((x.args[0] - 1).args[0]),
    )
    expr = in_sigmoid(expr)
    expr = expr.replace(
        lambda x: isinstance(x, sympy.log) and isinstance(x.args[0], sigmoid), lambda x: -softplus(-x.args[0].args[0])
    )
    expr = expr.replace(
        lambda x: isinstance(x, sympy.log) and isinstance(1 - x.args[0], sigmoid),
        lambda x: -softplus((1 - x.args[0]).args[0]),
    )
    return weighted_logarithms(expr)


def in_sigmoid(expr: sympy.Expr) -> sympy.Expr:
    """The parts that are fractions in t = exp(u), as polynomials in s = sigmoid(u) where they are; else unchanged."""
    if not expr.has(sympy.exp, sigmoid):
        return expr
    if not _is_arithmetic(expr):
        return expr.func(*map(in_sigmoid, expr.args)) if not isinstance(expr, sympy.exp | sigmoid) else expr
    # What is inside other functions is rewritten by itself, and is an atom to the fraction around it.
    hidden: dict[sympy.Basic, sympy.Expr] = {}
    shell = _shell(expr, hidden)
    return _fractions(shell).xreplace({dummy: part for part, dummy in hidden.items()})


def _is_arithmetic(expr: sympy.Basic) -> bool:
    return bool(expr.is_Add or expr.is_Mul or (expr.is_Pow and expr.exp.is_Integer))


def _shell(expr: sympy.Basic, hidden: dict[sympy.Basic, sympy.Expr]) -> sympy.Expr:
    """The sums, products and powers of an expression, on exponentials, sigmoids and stand-ins for all other parts."""
    if _is_arithmetic(expr):
        return expr.func(*(_shell(x, hidden) for x in expr.args))
    if expr.is_Atom or isinstance(expr, sympy.exp | sigmoid):
        return expr
    return hidden.setdefault(in_sigmoid(expr), sympy.Dummy())


def _fractions(expr: sympy.Expr) -> sympy.Expr:
    if not any(p.exp.is_negative and p.base.is_Add and p.base.has(sympy.exp, sigmoid) for p in expr.atoms(sympy.Pow)):
        return expr  # No fraction: multiplying out would be in vain.
    bystanders, fraction = expr.as_independent(sympy.exp, sigmoid, as_Add=False)
    found = _polynomial(fraction)
    if found is not None:
        return bystanders * found
    return bystanders * fraction.func(*map(_fractions, fraction.args)) if fraction.is_Add else expr


def _polynomial(expr: sympy.Expr) -> sympy.Expr | None:
    """A fraction in t = exp(u) as a polynomial in s = sigmoid(u), by t = s/(1 − s); None if it is not one."""
    if _is_large(expr):
        return None
    # sigmoid(u) is itself a fraction in t: 1 − sigmoid(u) below the line would round to 0.
    spelled = expr.replace(sigmoid, lambda u: sympy.exp(u) / (1 + sympy.exp(u)))
    exponents = sorted({x.args[0] for x in spelled.atoms(sympy.exp)}, key=lambda u: (u.count_ops(), str(u)))
    t = sympy.Dummy("t", positive=True)
    for u in dict.fromkeys(-u if u.could_extract_minus_sign() else u for u in exponents):
        rational = spelled.xreplace({sympy.exp(x): _power_of(t, u, x) for x in exponents})
        if rational.is_rational_function(t) and not any(x.free_symbols for x in rational.atoms(sympy.exp)):
            upper, lower = (sympy.Poly(part, t) for part in sympy.fraction(sympy.cancel(rational)))
            # exp(z) and exp(−z) together may be a fraction in exp(2z): tanh is.
            for k in (1, 2):
                if _is_power(lower, k) and all(n % k == 0 and n <= lower.degree() for (n,) in upper.monoms()):
                    return _homogeneous(upper, lower, k, sigmoid(k * u), sigmoid(-k * u))
    return None


def _is_power(poly: sympy.Poly, k: int) -> bool:
    """Whether a polynomial in t is a power of 1 + t**k, times what is free of t."""
    degree, leading = poly.degree(), poly.LC()
    return bool(degree % k == 0 and poly == sympy.Poly(leading * (1 + poly.gen**k) ** (degree // k), poly.gen))


def _homogeneous(upper: sympy.Poly, lower: sympy.Poly, k: int, s: sympy.Expr, r: sympy.Expr) -> sympy.Expr:
    """Σ cₙ tⁿ/(1 + t)ᵈ as Σ cₙ sⁿ rᵈ⁻ⁿ with r = 1 − s, which is sigmoid(−u) and does not round to 0 for a large u."""
    degree = lower.degree() // k
    terms = [(n // k, coefficient) for (n,), coefficient in upper.terms()]
    low, high = min(n for n, _ in terms), max(n for n, _ in terms)
    inside = sympy.Add(*(coefficient * s ** (n - low) * r ** (high - n) for n, coefficient in terms))
    return s**low * r ** (degree - high) * inside / lower.LC()


def _power_of(t: sympy.Symbol, u: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
    """exp(exponent) by t = exp(u): a whole power of t and perhaps a number; else exp(exponent) again."""
    symbols_of = u.free_symbols
    (mine, rest), (its, remainder) = (sympy.expand(x).as_independent(*symbols_of, as_Add=True) for x in (u, exponent))
    ratio = sympy.cancel(remainder / rest) if rest != 0 else sympy.nan
    shift = its - ratio * mine
    return t**ratio * sympy.exp(shift) if ratio.is_Integer and shift.is_number else sympy.exp(exponent)


def _is_large(expr: sympy.Expr) -> bool:
    """Whether multiplying out would take long."""
    powers = [abs(p.exp) for p in expr.atoms(sympy.Pow) if p.base.is_Add and p.exp.is_Integer]
    return bool(expr.count_ops() > 150 or len(expr.free_symbols) > 8 or sympy.prod(powers) > 50)


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

    def _call(self, name: str, *arguments: sympy.Basic) -> str:
        return f"{name}({', '.join(map(self._print, arguments))})"

    def _pairwise(self, name: str, arguments: Sequence[sympy.Basic]) -> str:
        text, *others = map(self._print, arguments)
        for other in others:
            text = f"{name}({text}, {other})"
        return str(text)

    def _print_sigmoid(self, expr: sympy.Expr) -> str:
        return self._call("_sigmoid", *expr.args)

    def _print_softplus(self, expr: sympy.Expr) -> str:
        return self._call("_softplus", *expr.args)

    def _print_xlogy(self, expr: sympy.Expr) -> str:
        return self._call("_xlogy", *expr.args)

    def _print_exprel(self, expr: sympy.Expr) -> str:
        n, z = expr.args
        return f"{self._call('_hyp1f1', n + 1, n + 2, z)}/{n + 1}"

    def _print_atan2(self, expr: sympy.Expr) -> str:
        return self._call("_atan2", *expr.args)

    def _print_Abs(self, expr: sympy.Expr) -> str:
        return self._call("_abs", *expr.args)

    def _print_sign(self, expr: sympy.Expr) -> str:
        return self._call("_sign", *expr.args)

    def _print_Max(self, expr: sympy.Expr) -> str:
        return self._pairwise("_max", expr.args)

    def _print_Min(self, expr: sympy.Expr) -> str:
        return self._pairwise("_min", expr.args)

    def _print_log(self, expr: sympy.Expr) -> str:
        # log(1 + z) of a small z would lose its digits in the sum.
        (inside,) = expr.args
        if inside.is_Add and sympy.S.One in inside.args:
            return self._call("_log1p", inside - 1)
        return self._call("log", inside)

    def _print_Add(self, expr: sympy.Expr, order: str | None = None) -> str:
        # So would e to the power of z, minus 1.
        grown = [x for x in expr.args if isinstance(x, sympy.exp)]
        if sympy.S.NegativeOne in expr.args and grown:
            rest = [x for x in expr.args if x is not grown[0] and x != -1]
            return " + ".join([f"_expm1({self._print(grown[0].args[0])})", *(f"({self._print(x)})" for x in rest)])
        return str(super()._print_Add(expr, order))

    def _print_Integer(self, expr: sympy.Integer) -> str:
        # A whole number that int64 does not hold is none for NumPy either.
        return str(expr) if abs(expr) < 2**53 else repr(float(expr))

    def _print_DiracDelta(self, expr: sympy.Expr) -> str:
        # In the derivative of sign, which is 0 wherever it has a value.
        return "0.0"

    def _print_Relational(self, expr: sympy.Basic) -> str:
        return f"(_real({self._print(expr.lhs)}) {expr.rel_op} _real({self._print(expr.rhs)}))"

    def _print_And(self, expr: sympy.Basic) -> str:
        return f"({' & '.join(map(self._print, expr.args))})"

    def _print_Or(self, expr: sympy.Basic) -> str:
        return f"({' | '.join(map(self._print, expr.args))})"

    def _print_Not(self, expr: sympy.Basic) -> str:
        return self._call("_not", *expr.args)

    def _print_ITE(self, expr: sympy.Basic) -> str:
        return self._call("_where", *expr.args)

    def _print_Piecewise(self, expr: sympy.Expr) -> str:
        text = "_nan"
        for value, condition in reversed(expr.args):
            chosen = self._print(value)
            if condition == sympy.true:
                text = chosen
            elif (chosen, text) == ("1", "0"):
                text = f"_truth({self._print(condition)})"
            else:
                text = f"_where({self._print(condition)}, {chosen}, {text})"
        return text


def _printed(name: str) -> Callable[[_Printer, sympy.Expr], str]:
    return lambda printer, expr: printer._call(name, *expr.args)


for _name in VALUES:
    setattr(_Printer, f"_print{_name}", _printed(_name))


def compile_numpy(expr: sympy.Expr, arguments: Sequence[sympy.Symbol]) -> Callable[..., Array]:
    """The expression as a function of arrays that broadcast; its text is the attribute `source`.

    Arrays may be complex with a tiny imaginary part (the complex step): pieces, absolute values and signs are chosen by
    the real part. The result has the shape and the precision of the arguments together.
    """
    printer = _Printer({"fully_qualified_modules": False})
    expr, names = _named(expr, arguments)
    # √2, say, as a Python number: NumPy's own would turn float32 into float64.
    expr = expr.replace(lambda x: x.is_number and not x.is_Rational and not x.is_Boolean, lambda x: x.evalf(17))
    common, (result,) = sympy.cse(expr, symbols=(t for t in sympy.numbered_symbols("t") if t.name not in names))
    lines = [f"    {name} = {printer.doprint(value)}" for name, value in common]
    source = "\n".join([f"def function({', '.join(names)}):", *lines, f"    return {printer.doprint(result)}"])
    space = dict(_SPACE)
    exec(source, space)
    function = space["function"]

    def call(*arrays: Any) -> Array:
        kinds = {x.dtype for x in arrays if type(x) is np.ndarray and x.dtype.kind in "fc"}
        if len(kinds) == 1 and all(type(x) is np.ndarray and x.dtype in kinds for x in arrays):
            (kind,), values = kinds, arrays
        else:
            kind = np.result_type(*arrays) if arrays else np.dtype(float)
            kind = kind if np.issubdtype(kind, np.inexact) else np.dtype(float)
            values = tuple(x if _is_inexact_array(x) else np.asarray(x, kind) for x in arrays)
        shape = np.broadcast_shapes(*map(np.shape, values))
        # All pieces are computed everywhere, also where they are not chosen; what is infinite or undefined in the
        # chosen ones is seen in the result.
        with np.errstate(all="ignore"):
            value = np.asarray(function(*values))
            value = value.astype(kind, copy=False)
        return value if value.shape == shape else np.broadcast_to(value, shape).copy()

    call.source = source  # type: ignore[attr-defined]
    return call


def _named(expr: sympy.Expr, arguments: Sequence[sympy.Symbol]) -> tuple[sympy.Expr, list[str]]:
    """The expression with arguments that can be named so in a program, and their names."""
    unknown = expr.free_symbols - set(arguments)
    if unknown:
        raise ValueError(f"{', '.join(sorted(map(str, unknown)))} in {expr} is no argument")
    taken = {*_SPACE, *(x.name for x in arguments)}
    names, replaced = [], {}
    for k, symbol in enumerate(arguments):
        name = symbol.name
        if not (name.isidentifier() and name.isascii()) or iskeyword(name) or name.startswith("_") or name in _SPACE:
            name = next(other for other in (f"x{n}" for n in count(k)) if other not in taken)
            taken.add(name)
            replaced[symbol] = sympy.Symbol(name, **symbol.assumptions0)
        names.append(name)
    return expr.xreplace(replaced), names


def _is_inexact_array(x: Any) -> bool:
    return isinstance(x, np.ndarray | np.generic) and np.issubdtype(x.dtype, np.inexact)


def _maximum(x: Array, y: Array) -> Array:
    return np.where(np.real(x) >= np.real(y), x, y)


def _minimum(x: Array, y: Array) -> Array:
    return np.where(np.real(x) <= np.real(y), x, y)


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
    return np.asarray(np.where(np.real(z) < 0, 0.0, z) + _log1p(np.exp(_mirrored(z))))


def _log1p(z: Array) -> Array:
    """log(1 + z), exact for a small z."""
    if not np.iscomplexobj(z):
        return np.asarray(np.log1p(z))
    # NumPy's own log1p of complex numbers rounds 1 + z first, and a small real part is lost.
    x, y = np.real(z), np.imag(z)
    return np.asarray(np.log1p(x * (2 + x) + y * y) / 2 + 1j * np.arctan2(y, 1 + x))


def _xlogy(x: Array, y: Array) -> Array:
    """x · log(y), and 0 where x is 0 and y a number. SciPy has it too, and takes long to import."""
    x, y = np.broadcast_arrays(x, y)
    zero = np.real(x) == 0
    value = np.asarray(x * np.log(y.astype(np.result_type(x, y), copy=False)))
    if np.iscomplexobj(value):
        # With a step in x alone, (0 + ih)·log(0) is 0 with slope −∞, not undefined.
        value[zero] = 0
        value.imag[zero] = _xlogy(np.imag(x)[zero], np.real(y)[zero])
        return value
    return np.where(zero & ~np.isnan(y), np.zeros_like(value), value)


def _atan2(y: Array, x: Array) -> Array:
    angle = np.arctan2(np.real(y), np.real(x))
    if not (np.iscomplexobj(y) or np.iscomplexobj(x)):
        return np.asarray(angle)
    # NumPy has no angle of complex coordinates; of x + ih the imaginary part is h times the slope.
    turned = np.real(x) * np.imag(y) - np.real(y) * np.imag(x)
    return np.asarray(angle + 1j * turned / (np.real(x) ** 2 + np.real(y) ** 2))


_SPACE: dict[str, Any] = {
    **{name: getattr(np, name) for name in ("exp", "log", "sqrt", "tanh", "sinh", "cosh", "sin", "cos", "tan")},
    **{f"arc{name}": getattr(np, f"arc{name}") for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    "_atan2": _atan2,
    "_sigmoid": _sigmoid,
    "_softplus": _softplus,
    "_xlogy": _xlogy,
    "_log1p": _log1p,
    "_expm1": np.expm1,
    "_abs": _absolute,
    "_sign": _sign,
    "_max": _maximum,
    "_min": _minimum,
    "_not": np.logical_not,
    "_real": np.real,
    "_where": np.where,
    "_truth": lambda condition: np.asarray(condition).astype(int),  # much quicker than a choice of 1 and 0
    "_nan": np.nan,
    **VALUES,
}
"""The names that printed code may use."""
