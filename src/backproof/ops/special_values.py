"""The special functions on arrays, by SciPy; also on complex ones, for the complex step.

SciPy takes a while to import, and most networks need none of these; so each asks for it when it is called.
"""

from __future__ import annotations

from math import factorial
from typing import Any

import numpy as np

from backproof.ops.incomplete import betainc, gammainc, gammaincc, stdtr

Array = np.ndarray[Any, Any]

BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330)
"""B₂, B₄, …, B₂₀."""
PLACES = 200
FAR = 20
"""So far to the right the asymptotic series of the polygamma functions is exact to double precision."""


def erf(z: Array) -> Array:
    from scipy import special

    return np.asarray(special.erf(z))


def erfc(z: Array) -> Array:
    from scipy import special

    return np.asarray(special.erfc(z))


def erfinv(y: Array) -> Array:
    """Of complex numbers, which SciPy does not take, by one step of Newton's method from the real part."""
    from scipy import special

    w = np.asarray(special.erfinv(np.real(y)))
    if not np.iscomplexobj(y):
        return w
    return np.asarray(w + (y - special.erf(w)) * np.sqrt(np.pi) / 2 * np.exp(w * w))


def ndtr(z: Array) -> Array:
    from scipy import special

    return np.asarray(special.ndtr(z))


def log_ndtr(z: Array) -> Array:
    from scipy import special

    return np.asarray(special.log_ndtr(z))


def ndtri(p: Array) -> Array:
    """As `erfinv`, complex numbers by a step of Newton's method."""
    from scipy import special

    w = np.asarray(special.ndtri(np.real(p)))
    if not np.iscomplexobj(p):
        return w
    return np.asarray(w + (p - special.ndtr(w)) * np.sqrt(2 * np.pi) * np.exp(w * w / 2))


def gamma(z: Array) -> Array:
    from scipy import special

    return np.asarray(special.gamma(z))


def loggamma(z: Array) -> Array:
    """The logarithm of |Γ|: of a negative real number SciPy has it by another name."""
    from scipy import special

    return np.asarray(special.loggamma(z) if np.iscomplexobj(z) else special.gammaln(z))


def polygamma(n: int, z: Array) -> Array:
    from scipy import special

    if n == 0:
        return np.asarray(special.psi(z))
    if not np.iscomplexobj(z):
        return np.asarray(special.polygamma(n, z))
    # SciPy takes real numbers only: the recurrence leads to where the asymptotic series (DLMF 5.15.9) is exact.
    near = sum(factorial(n) / (z + k) ** (n + 1) for k in range(FAR))
    w = z + FAR
    far = factorial(n - 1) / w**n + factorial(n) / (2 * w ** (n + 1))
    for k, b in enumerate(BERNOULLI, 1):
        far = far + b * factorial(2 * k + n - 1) / (factorial(2 * k) * w ** (2 * k + n))
    return np.asarray((-1) ** (n + 1) * (near + far))


def bessel(n: int, z: Array) -> Array:
    """The modified Bessel function of the first kind."""
    from scipy import special

    real = {0: special.i0, 1: special.i1}.get(n)
    return np.asarray(special.iv(n, z) if np.iscomplexobj(z) or real is None else real(z))


def scaled_bessel(n: int, z: Array) -> Array:
    """The same times exp(−|z|)."""
    from scipy import special

    if np.iscomplexobj(z):
        # SciPy's factor is exp(−|Re z|), which knows nothing of a step aside.
        return np.asarray(special.ive(n, z) * np.exp(-1j * np.imag(z) * np.sign(np.real(z))))
    real = {0: special.i0e, 1: special.i1e}.get(n)
    return np.asarray(special.ive(n, z) if real is None else real(z))


def bessel_j(n: int, z: Array) -> Array:
    """The Bessel function of the first kind.

    The imaginary part of SciPy's has an error as large as the rounding of the real one, in which a complex step is
    lost. So it is the mean of cos(nθ − z·sin θ) over the half circle (DLMF 10.9.2), which as many places as here give
    to the last digit.
    """
    from scipy import special

    if not np.iscomplexobj(z):
        return np.asarray(special.jv(n, z))
    angles = np.pi * np.arange(1, 2 * PLACES, 2) / (2 * PLACES)
    return np.asarray(sum(np.cos(n * angle - z * np.sin(angle)) for angle in angles) / PLACES)


def bessel_k(n: float, z: Array) -> Array:
    """The modified Bessel function of the second kind."""
    from scipy import special

    return np.asarray(special.kv(n, z))


def erfcx(z: Array) -> Array:
    from scipy import special

    return np.asarray(special.erfcx(z))


def dawsn(z: Array) -> Array:
    from scipy import special

    return np.asarray(special.dawsn(z))


def exp1(z: Array) -> Array:
    from scipy import special

    return np.asarray(special.exp1(z))


def hyp1f1(a: float, b: float, z: Array) -> Array:
    """Kummer's function."""
    from scipy import special

    return np.asarray(special.hyp1f1(a, b, z))


VALUES = {
    f"_{function.__name__}": function
    for function in (
        *(erf, erfc, erfinv, erfcx, ndtr, log_ndtr, ndtri, dawsn, exp1, hyp1f1),
        *(gamma, loggamma, polygamma, bessel, scaled_bessel, bessel_j, bessel_k),
        *(gammainc, gammaincc, betainc, stdtr),
    )
}
"""The names that printed code calls them by."""
