"""Scalar calculus with SymPy: derivatives, their form through a value already computed, and where they have kinks."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import sympy

from backproof.ops.expression import parse
from backproof.ops.functions import compile_numpy, sigmoid, stable, symbols
from backproof.ops.row import Array

VALUE = sympy.Symbol("a", real=True)
"""The value of the function whose derivative is written through it."""


@lru_cache(maxsize=1024)
def differentiated(definition: str, arguments: tuple[str, ...], orders: tuple[int, ...]) -> sympy.Expr:
    """A definition as an expression, differentiated `orders` times by its arguments, in its shortest ordinary form."""
    expr = parse(definition, arguments)
    for symbol, order in zip(symbols(arguments), orders, strict=True):
        if order:
            # The derivative of sign is 0 wherever it has one; SymPy adds a Dirac delta at 0, which has no value.
            expr = tidy(sympy.diff(expr, symbol, order).replace(sympy.DiracDelta, lambda *_: sympy.Integer(0)))
    return expr


@lru_cache(maxsize=1024)
def through_value(expr: sympy.Expr, slope: sympy.Expr, argument: str) -> sympy.Expr | None:
    """`slope`, the derivative of `expr`, written in the value a = `expr` alone; None where there is no such form.

    Where the function is a fraction of first degree in an exponential t = exp(c·z), as sigmoid and tanh are, a
    determines t, and t is put into the derivative.
    """
    (z,) = symbols((argument,))
    t = sympy.Dummy("t", positive=True)
    decimal = expr.has(sympy.Float)
    # Decimal numbers as fractions: rounding would keep what cancels from cancelling.
    expr, slope = (sympy.nsimplify(x, rational=True) for x in (expr, slope))
    for rate in _rates(expr, z):
        fraction, other = (_in_exponential(x, rate * z, z, t) for x in (expr, slope))
        if fraction is None or other is None:
            continue
        upper, lower = sympy.fraction(sympy.cancel(fraction))
        if not (upper.is_polynomial(t) and max(sympy.degree(upper, t), sympy.degree(lower, t)) == 1):
            continue
        # upper = a·lower is linear in t. (sympy.solve would do, but takes a third of a second to import.)
        equation = sympy.expand(upper - VALUE * lower)
        form = sympy.cancel(other.subs(t, -equation.coeff(t, 0) / equation.coeff(t, 1)))
        if not form.is_polynomial(VALUE):
            return None
        fractions = [x for x in sympy.expand(form).atoms(sympy.Rational) if not x.is_Integer]
        if decimal and fractions:
            return sympy.expand(form).xreplace({x: sympy.Float(x) for x in fractions})
        return tidy(form)
    return None


def _rates(expr: sympy.Expr, z: sympy.Symbol) -> list[sympy.Expr]:
    """The c of exp(c·z) to try: the smallest that occurs, and its double, since e^z and e^−z together are one e^2z."""
    if any(x.args[0].has(sympy.exp, sympy.tanh, sigmoid) for x in expr.atoms(sympy.exp, sympy.tanh, sigmoid)):
        return []  # one inside another is no fraction in a single exponential, and would take long to find that out
    found = {sympy.expand(x.args[0]).coeff(z) for x in _spelled_out(expr).atoms(sympy.exp)} - {0}
    smallest = min(found, key=abs, default=None)
    return [] if smallest is None else [smallest, 2 * smallest]


def _spelled_out(expr: sympy.Expr) -> sympy.Expr:
    expr = expr.replace(sigmoid, lambda u: 1 / (1 + sympy.exp(-u)))
    return expr.replace(sympy.tanh, lambda u: (sympy.exp(2 * u) - 1) / (sympy.exp(2 * u) + 1))


def _in_exponential(expr: sympy.Expr, u: sympy.Expr, z: sympy.Symbol, t: sympy.Symbol) -> sympy.Expr | None:
    """`expr` as a rational function of t = exp(u), None if it is not one."""

    def power(exponential: sympy.Expr) -> sympy.Expr:
        multiple, shift = (x.coeff(z, n) for n in (1, 0) for x in (sympy.expand(exponential.args[0]),))
        if (exponential.args[0] - multiple * z - shift).expand() != 0:
            return exponential
        return t ** (multiple * z / u) * sympy.exp(shift)

    result = _spelled_out(expr).replace(lambda x: isinstance(x, sympy.exp), power)
    result = sympy.cancel(result) if not result.has(z) else result
    return result if not result.has(z) and result.is_rational_function(t) else None


MOST_UNKNOWNS = 16
"""Polynomials in more unknowns than these are not factored: SymPy's time grows steeply with their number."""


def tidy(expr: sympy.Expr) -> sympy.Expr:
    """The shortest of an expression, its factored and its cancelled form, with signs where they read best."""
    candidates = [expr] if expr.has(sympy.Piecewise) else [sympy.factor_terms(expr), expr]
    if expr.is_rational_function() and expr.free_symbols and not _is_large(expr):
        # Of two that are equally long the factored one reads better: a(1 − a), not a − a².
        candidates = [sympy.factor(expr), sympy.cancel(expr), expr]
    return min(map(_signs, candidates), key=cost)


def _is_large(expr: sympy.Expr) -> bool:
    """Whether multiplying out would take long: many operations or unknowns, or a high power of a sum."""
    if len(expr.free_symbols) > MOST_UNKNOWNS:
        return True
    powers = [abs(p.exp) for p in expr.atoms(sympy.Pow) if p.base.is_Add and p.exp.is_Integer]
    return bool(expr.count_ops() > 200 or sympy.prod(powers) > 50)


def _signs(expr: sympy.Expr) -> sympy.Expr:
    """−a(a − 1) as a(1 − a): a minus sign in front is given to a difference that begins with one."""

    def turn(product: sympy.Expr) -> sympy.Expr:
        coefficient, factors = product.as_coeff_mul()
        upside = [f for f in factors if _leads_negative(f)]
        if not upside or (coefficient > 0 and len(upside) < 2):
            return product
        turned = upside[0] if coefficient < 0 else None
        parts = list(factors)
        flips = [turned] if turned is not None else upside[:2]
        for flip in flips:
            base, exponent = flip.as_base_exp()
            parts[parts.index(flip)] = sympy.Pow(-base, exponent)
        sign = -1 if len(flips) % 2 else 1
        # Not evaluated: SymPy would multiply 2(a − y) out again.
        numbers = [sign * coefficient] if sign * coefficient != 1 else []
        return sympy.Mul(*numbers, *parts, evaluate=False)

    if not any(map(_leads_negative, expr.atoms(sympy.Add) | expr.atoms(sympy.Pow))):
        return expr
    return expr.replace(lambda x: x.is_Mul, turn)


def _leads_negative(factor: sympy.Expr) -> bool:
    """Whether a difference such as a − 1 or y − a (or an odd power of it) reads better turned round: 1 − a, a − y."""
    base, exponent = factor.as_base_exp()
    if not (base.is_Add and exponent.is_Integer and exponent % 2):
        return False
    constant_term, rest = base.as_coeff_Add()
    if constant_term != 0:
        return bool(constant_term < 0)
    first = min(sympy.Add.make_args(rest), key=lambda term: str(term.as_coeff_Mul()[1]))
    return bool(first.as_coeff_Mul()[0] < 0)


def cost(expr: sympy.Expr) -> int:
    """How long an expression reads; a division counts four, since it may also divide by zero, a sign nothing."""
    if expr.is_Mul or expr.is_Pow:
        upper, lower = sympy.fraction(expr, exact=True)
        if lower != 1:
            return cost(upper) + cost(lower) + (4 if lower.free_symbols else 1)
    inside: int = sum(map(cost, expr.args))
    if expr.is_Add:
        return inside + len(expr.args) - 1
    if expr.is_Mul:
        return inside + len(expr.args) - 1 - int(expr.args[0] == -1)
    return inside + int(bool(expr.args))


def kinks(expr: sympy.Expr, arguments: tuple[str, ...]) -> Callable[..., list[Array]]:
    """Functions that change sign where the definition passes from piece to piece."""
    edges: set[sympy.Expr] = set()
    for x in sympy.preorder_traversal(expr):
        if isinstance(x, sympy.Piecewise):
            for _, condition in x.args:
                edges |= {c.lhs - c.rhs for c in condition.atoms(sympy.core.relational.Relational)}
        elif isinstance(x, sympy.Abs | sympy.sign):
            edges.add(x.args[0])
        elif isinstance(x, sympy.Max | sympy.Min):
            edges |= {x.args[0] - other for other in x.args[1:]}
    compiled_edges = [compile_numpy(edge, symbols(arguments)) for edge in sorted(edges, key=str)]
    return lambda *arrays: [edge(*arrays) for edge in compiled_edges]


def roots(expr: sympy.Expr, arguments: tuple[str, ...]) -> Callable[..., list[Array]]:
    """What roots are taken of: where it is 0, the derivative is infinite."""
    found = {x.base for x in expr.atoms(sympy.Pow) if x.base.free_symbols and x.exp.is_number and 0 < x.exp < 1}
    compiled_bases = [compile_numpy(base, symbols(arguments)) for base in sorted(found, key=str)]
    return lambda *arrays: [base(*arrays) for base in compiled_bases]


def compiled(expr: sympy.Expr, arguments: tuple[str, ...]) -> Callable[..., Array]:
    """The expression on NumPy arrays, in a form that does not overflow."""
    return compile_numpy(stable(expr), symbols(arguments))
