"""The families of scipy.stats as NumPy code, each written once; `scipys` puts it in SciPy's place.

A density is that of z = (x − loc)/scale with the logarithm of scale subtracted. Outside the support its logarithm is
−∞, and the derivative there is taken as 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, wraps
from typing import Any

import numpy as np
from scipy import special

from backproof.frontends.tracing.tape import refuse
from backproof.frontends.tracing.traced import Traced, plain

Formula = Callable[..., Any]


@dataclass(frozen=True)
class Family:
    """A family by functions of z and its shape parameters: the logarithm of the density, and of both tails if simple.

    `bounds` gives the support for the shape parameters; a discrete family has whole numbers only.
    """

    log_density: Formula
    cdf: Formula | None = None
    sf: Formula | None = None
    logcdf: Formula | None = None
    logsf: Formula | None = None
    bounds: Formula = lambda *shapes: (-np.inf, np.inf)
    discrete: bool = False


def _above(low: float) -> Formula:
    return lambda *shapes: (low, np.inf)


def _unit(*shapes: Any) -> tuple[float, float]:
    return 0, 1


LOG_ROOT = float(np.log(2 * np.pi) / 2)


def _t(z: Any, df: Any) -> Any:
    constant = special.gammaln((df + 1) / 2) - special.gammaln(df / 2) - np.log(np.pi * df) / 2
    return constant - (df + 1) / 2 * np.log1p(z**2 / df)


def _beta(z: Any, a: Any, b: Any) -> Any:
    return special.xlogy(a - 1, z) + special.xlog1py(b - 1, -z) - special.betaln(a, b)


def _laplace(z: Any) -> Any:
    tail = np.exp(-np.abs(z)) / 2
    return np.where(plain(z) < 0, tail, 1 - tail)


def _chi2(z: Any, df: Any) -> Any:
    return special.xlogy(df / 2 - 1, z) - z / 2 - special.gammaln(df / 2) - df / 2 * np.log(2)


def _truncnorm(z: Any, a: Any, b: Any) -> Any:
    # Φ(b) − Φ(a) is computed in the left tail, where its digits are.
    right = plain(a) > 0
    low, high = np.where(right, -b, a), np.where(right, -a, b)
    larger = special.log_ndtr(high)
    return -(z**2) / 2 - LOG_ROOT - larger - np.log1p(-np.exp(special.log_ndtr(low) - larger))


def _binom(k: Any, n: Any, p: Any) -> Any:
    ways = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    return ways + special.xlogy(k, p) + special.xlog1py(n - k, -p)


def _nbinom(k: Any, n: Any, p: Any) -> Any:
    ways = special.gammaln(n + k) - special.gammaln(k + 1) - special.gammaln(n)
    return ways + n * np.log(p) + special.xlog1py(k, -p)


FAMILIES: Mapping[str, Family] = {
    "norm": Family(
        lambda z: -(z**2) / 2 - LOG_ROOT,
        cdf=special.ndtr,
        sf=lambda z: special.ndtr(-z),
        logcdf=special.log_ndtr,
        logsf=lambda z: special.log_ndtr(-z),
    ),
    "t": Family(_t, cdf=lambda z, df: special.stdtr(df, z), sf=lambda z, df: special.stdtr(df, -z)),
    "laplace": Family(
        lambda z: -np.abs(z) - np.log(2),
        cdf=_laplace,
        sf=lambda z: _laplace(-z),
    ),
    "logistic": Family(
        lambda z: z - 2 * np.logaddexp(0, z),
        cdf=special.expit,
        sf=lambda z: special.expit(-z),
        logcdf=special.log_expit,
        logsf=lambda z: special.log_expit(-z),
    ),
    "expon": Family(
        lambda z: -z, cdf=lambda z: -np.expm1(-z), sf=lambda z: np.exp(-z), logsf=lambda z: -z, bounds=_above(0)
    ),
    "gamma": Family(
        lambda z, a: special.xlogy(a - 1, z) - z - special.gammaln(a),
        cdf=lambda z, a: special.gammainc(a, z),
        sf=lambda z, a: special.gammaincc(a, z),
        bounds=_above(0),
    ),
    "invgamma": Family(
        lambda z, a: -(a + 1) * np.log(z) - special.gammaln(a) - 1 / z,
        cdf=lambda z, a: special.gammaincc(a, 1 / z),
        sf=lambda z, a: special.gammainc(a, 1 / z),
        bounds=_above(0),
    ),
    "beta": Family(
        _beta,
        cdf=lambda z, a, b: special.betainc(a, b, z),
        sf=lambda z, a, b: special.betainc(b, a, 1 - z),
        bounds=_unit,
    ),
    "uniform": Family(lambda z: 0 * z, cdf=lambda z: z, sf=lambda z: 1 - z, bounds=_unit),
    "lognorm": Family(
        lambda z, s: -(np.log(z) ** 2) / (2 * s**2) - np.log(s * z) - LOG_ROOT,
        cdf=lambda z, s: special.ndtr(np.log(z) / s),
        sf=lambda z, s: special.ndtr(-np.log(z) / s),
        logcdf=lambda z, s: special.log_ndtr(np.log(z) / s),
        logsf=lambda z, s: special.log_ndtr(-np.log(z) / s),
        bounds=_above(0),
    ),
    "cauchy": Family(
        lambda z: -np.log(np.pi) - np.log1p(z**2),
        cdf=lambda z: 0.5 + np.arctan(z) / np.pi,
        sf=lambda z: 0.5 - np.arctan(z) / np.pi,
    ),
    "chi2": Family(
        _chi2,
        cdf=lambda z, df: special.gammainc(df / 2, z / 2),
        sf=lambda z, df: special.gammaincc(df / 2, z / 2),
        bounds=_above(0),
    ),
    "halfnorm": Family(
        lambda z: -(z**2) / 2 + np.log(2 / np.pi) / 2,
        cdf=lambda z: special.erf(z / np.sqrt(2)),
        sf=lambda z: special.erfc(z / np.sqrt(2)),
        bounds=_above(0),
    ),
    "weibull_min": Family(
        lambda z, c: np.log(c) + special.xlogy(c - 1, z) - z**c,
        cdf=lambda z, c: -np.expm1(-(z**c)),
        sf=lambda z, c: np.exp(-(z**c)),
        logsf=lambda z, c: -(z**c),
        bounds=_above(0),
    ),
    "pareto": Family(
        lambda z, b: np.log(b) - (b + 1) * np.log(z),
        cdf=lambda z, b: 1 - z ** (-b),
        sf=lambda z, b: z ** (-b),
        logsf=lambda z, b: -b * np.log(z),
        bounds=_above(1),
    ),
    "gumbel_r": Family(
        lambda z: -z - np.exp(-z),
        cdf=lambda z: np.exp(-np.exp(-z)),
        sf=lambda z: -np.expm1(-np.exp(-z)),
        logcdf=lambda z: -np.exp(-z),
    ),
    "vonmises": Family(lambda z, kappa: kappa * (np.cos(z) - 1) - np.log(2 * np.pi * special.i0e(kappa))),
    "truncnorm": Family(_truncnorm, bounds=lambda a, b: (a, b)),
    "poisson": Family(
        lambda k, mu: special.xlogy(k, mu) - special.gammaln(k + 1) - mu, bounds=_above(0), discrete=True
    ),
    "binom": Family(_binom, bounds=lambda n, p: (0, n), discrete=True),
    "bernoulli": Family(lambda k, p: special.xlogy(k, p) + special.xlog1py(1 - k, -p), bounds=_unit, discrete=True),
    "nbinom": Family(_nbinom, bounds=_above(0), discrete=True),
    "geom": Family(lambda k, p: special.xlog1py(k - 1, -p) + np.log(p), bounds=_above(1), discrete=True),
}
METHODS: Mapping[str, tuple[str, ...]] = {
    "rv_continuous": ("logpdf", "pdf", "cdf", "logcdf", "sf", "logsf"),
    "rv_discrete": ("logpmf", "pmf", "cdf", "logcdf", "sf", "logsf"),
}
"""The methods that are followed, of the classes of scipy.stats that every family inherits them from."""


def method(original: Formula) -> Formula:
    """A method of a family that is followed where a traced array takes part, else SciPy's own."""

    @wraps(original)
    def followed(self: Any, x: Any, *arguments: Any, **options: Any) -> Any:
        if not _is_traced(x, *arguments, *options.values()):
            return original(self, x, *arguments, **options)
        name = original.__name__
        family = FAMILIES.get(self.name) if type(self).__module__.startswith("scipy.stats") else None
        shapes, loc, scale = self._parse_args(*arguments, **options)
        found = None if family is None else _value(family, name, _standardised(x, loc, scale), shapes, scale)
        if found is None:
            raise refuse(
                f"stats.{self.name}.{name} is not followed",
                why="it is not in the table of families",
                instead="write it with NumPy and scipy.special",
            )
        return found

    return followed


def _is_traced(*values: Any) -> bool:
    return any(isinstance(x, Traced) for x in values)


def _is_plain(x: Any, number: float) -> bool:
    return not isinstance(x, Traced) and np.ndim(x) == 0 and bool(x == number)


def _standardised(x: Any, loc: Any, scale: Any) -> Any:
    x = x if isinstance(x, Traced) else np.asarray(x)
    shifted = x if _is_plain(loc, 0) else x - loc
    return shifted if _is_plain(scale, 1) else shifted / scale


def _value(family: Family, name: str, z: Any, shapes: tuple[Any, ...], scale: Any) -> Any:
    """The value of a method; None where there is no formula for it."""
    if name in ("logpdf", "logpmf", "pdf", "pmf"):
        value = _inside(family, z, shapes, lambda z: family.log_density(z, *shapes), -np.inf, -np.inf)
        value = value if _is_plain(scale, 1) else value - np.log(scale)
        return value if name.startswith("log") else np.exp(value)
    upper = "sf" in name
    tail, logarithm = (family.sf, family.logsf) if upper else (family.cdf, family.logcdf)
    if tail is None:
        return None
    formula: Formula
    if not name.startswith("log"):
        formula, none, all_ = tail, 0.0, 1.0
    else:
        formula, none, all_ = logarithm or (lambda *z: np.log(tail(*z))), -np.inf, 0.0
    below, above = (all_, none) if upper else (none, all_)
    return _inside(family, z, shapes, lambda z: formula(z, *shapes), below, above)


def _inside(family: Family, z: Any, shapes: tuple[Any, ...], formula: Formula, below: float, above: float) -> Any:
    """A formula where z is in the support, and the values `below` and `above` it, which have the derivative 0."""
    values = plain(z)
    low, high = map(plain, family.bounds(*shapes))
    under, over = values < low, values > high
    if family.discrete:
        under = under | (values != np.floor(values))
    if not np.any(under) and not np.any(over):
        return formula(z)
    if isinstance(z, Traced):
        z.tape.note("some values are outside the support of their family; they have the derivative 0")
    inner = low if family.discrete else np.where(np.isinf(high), low + 0.5, (low + high) / 2)
    value = formula(np.where(under | over, inner, z))
    return np.where(under, below, np.where(over, above, value))


class Frozen:
    """A multivariate family with some of its parameters given."""

    def __init__(self, of: Any, *parameters: Any, **named: Any) -> None:
        self._of, self._parameters, self._named = of, parameters, named

    def logpdf(self, x: Any) -> Any:
        return self._of.logpdf(x, *self._parameters, **self._named)

    def pdf(self, x: Any) -> Any:
        return np.exp(self.logpdf(x))


def multivariate_normal(x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
    """−(d·log 2π + log|Σ| + (x − μ)ᵀ·Σ⁻¹·(x − μ))/2."""
    d = np.shape(cov)[0] if np.ndim(cov) else np.size(0 if mean is None else mean)
    if d == 1 or allow_singular:
        raise refuse(
            "multivariate_normal of one number, or singular, is not followed", instead="use stats.norm for one number"
        )
    sigma = cov if np.ndim(cov) == 2 else np.diag(cov) if np.ndim(cov) else cov * np.eye(d)
    centred = x if mean is None else x - mean
    if np.ndim(centred) == 1:
        distance = centred @ np.linalg.solve(sigma, centred)
    else:
        rows = np.reshape(centred, (-1, d))
        distance = np.reshape(np.sum(rows * np.linalg.solve(sigma, rows.T).T, axis=1), np.shape(centred)[:-1])
    return -(d * np.log(2 * np.pi) + np.linalg.slogdet(sigma)[1] + distance) / 2


def dirichlet(x: Any, alpha: Any) -> Any:
    """Σ (α − 1)·log x − log B(α); the parts of x stand along its first axis."""
    if np.shape(x)[0] != np.shape(alpha)[0]:
        raise refuse("dirichlet of x without its last part is not followed", instead="give all the parts of x")
    constant = special.gammaln(np.sum(alpha)) - np.sum(special.gammaln(alpha))
    return constant + np.sum(special.xlogy(alpha - 1, np.transpose(x)), axis=-1)


MULTIVARIATE: Mapping[str, Formula] = {"multivariate_normal": multivariate_normal, "dirichlet": dirichlet}


@cache
def replacements(stats: Any) -> list[tuple[type, str, Formula]]:
    """The methods of scipy.stats that are followed: their class, their name, and what stands for them."""
    found = [
        (getattr(stats, kind), name, method(getattr(getattr(stats, kind), name)))
        for kind, names in METHODS.items()
        for name in names
    ]
    for name, formula in MULTIVARIATE.items():
        kind = type(getattr(stats, name))
        found += [
            (kind, "logpdf", _either(kind.logpdf, lambda self, *given, _f=formula, **named: _f(*given, **named))),
            (
                kind,
                "pdf",
                _either(kind.pdf, lambda self, *given, _f=formula, **named: np.exp(_f(*given, **named))),
            ),
            (kind, "__call__", _either(kind.__call__, Frozen)),
        ]
    return found


def _either(original: Formula, followed: Formula) -> Formula:
    @wraps(original)
    def function(self: Any, *arguments: Any, **options: Any) -> Any:
        chosen = followed if _is_traced(*arguments, *options.values()) else original
        return chosen(self, *arguments, **options)

    return function
