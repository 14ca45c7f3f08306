"""Incomplete gamma and beta functions on arrays, by SciPy; of complex numbers by series and continued fractions.

Near the real axis these are as exact as the real functions (Press et al., Numerical Recipes, 3rd ed., 6.2 and 6.4; the
fractions are evaluated by the method of Lentz).
"""

from __future__ import annotations

from collections.abc import Callable
from math import lgamma
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Terms = Callable[[int], tuple[Any, Any]]

TINY = 1e-290
"""In the place of a 0 that a fraction happens to come to on the way; it cancels."""
TERMS = 400
"""So many terms of the series and fractions are more than enough for parameters up to 100."""


def gammainc(a: float, z: Array) -> Array:
    """The part of Γ(a) that the integral up to z has."""
    from scipy import special

    return np.asarray(_lower_gamma(a, z) if np.iscomplexobj(z) else special.gammainc(a, z))


def gammaincc(a: float, z: Array) -> Array:
    """The other part."""
    from scipy import special

    return np.asarray(_upper_gamma(a, z) if np.iscomplexobj(z) else special.gammaincc(a, z))


def betainc(a: float, b: float, z: Array) -> Array:
    """The part of B(a, b) that the integral up to z has."""
    from scipy import special

    return np.asarray(_beta(a, b, z, 1 - z) if np.iscomplexobj(z) else special.betainc(a, b, z))


def stdtr(n: float, z: Array) -> Array:
    """Student's distribution function, by the part of B(1/2, n/2) that the integral up to z²/(n + z²) has."""
    from scipy import special

    if not np.iscomplexobj(z):
        return np.asarray(special.stdtr(n, z))
    positive, square = np.real(z) > 0, z * z
    far = np.real(square) > 1
    tail = _beta(n / 2, 0.5, n / (n + square), square / (n + square)) / 2
    # Close to 0 the square root in front of the series is z itself, with its sign.
    s = np.where(far, 0, square / (n + square))
    near = 0.5 + z / np.sqrt(n + square) * _beta_front(0.5, n / 2, 1, 1 - s) * _beta_fraction(0.5, n / 2, s) / 2
    return np.asarray(np.where(far, np.where(positive, 1 - tail, tail), near))


def _lower_gamma(a: float, z: Array) -> Array:
    near = np.real(z) < a + 1
    return np.where(near, _gamma_series(a, np.where(near, z, 1)), 1 - _gamma_fraction(a, np.where(near, a + 1, z)))


def _upper_gamma(a: float, z: Array) -> Array:
    near = np.real(z) < a + 1
    return np.where(near, 1 - _gamma_series(a, np.where(near, z, 1)), _gamma_fraction(a, np.where(near, a + 1, z)))


def _gamma_front(a: float, z: Array) -> Array:
    return np.asarray(z**a * np.exp(-z - lgamma(a)))


def _gamma_series(a: float, z: Array) -> Array:
    term = total = np.ones_like(z) / a
    for k in range(1, TERMS):
        term = term * z / (a + k)
        total = total + term
    return _gamma_front(a, z) * total


def _gamma_fraction(a: float, z: Array) -> Array:
    return _gamma_front(a, z) / _fraction(z + 1 - a, lambda k: (k * (a - k), z + 2 * k + 1 - a))


def _beta(a: float, b: float, x: Array, rest: Array) -> Array:
    """Of x and of 1 − x, which is given beside it, the smaller one counts its digits."""
    near = np.real(x) < (a + 1) / (a + b + 2)
    low, high = np.where(near, x, 0.5), np.where(near, 0.5, rest)
    lower = _beta_front(a, b, low, np.where(near, rest, 0.5)) * _beta_fraction(a, b, low)
    upper = _beta_front(b, a, high, np.where(near, 0.5, x)) * _beta_fraction(b, a, high)
    return np.where(near, lower, 1 - upper)


def _beta_front(a: float, b: float, x: Any, rest: Array) -> Array:
    return np.asarray(x**a * rest**b * np.exp(lgamma(a + b) - lgamma(a) - lgamma(b)) / a)


def _beta_fraction(a: float, b: float, x: Array) -> Array:
    def terms(k: int) -> tuple[Any, Any]:
        m, odd = divmod(k, 2)
        if odd:
            return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)), 1
        return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), 1

    return 1 / _fraction(np.ones_like(x), terms)


def _not_zero(x: Array) -> Array:
    return np.where(x == 0, TINY, x)


def _fraction(first: Array, terms: Terms) -> Array:
    """first + a₁/(b₁ + a₂/(b₂ + …)), where `terms` gives aₖ and bₖ."""
    value = c = first
    d = np.zeros_like(first)
    for k in range(1, TERMS):
        a, b = terms(k)
        d = 1 / _not_zero(b + a * d)
        c = _not_zero(b + a / c)
        value = value * (c * d)
    return np.asarray(value)
