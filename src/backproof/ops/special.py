"""Special functions: those of the normal distribution, of Γ, and of Bessel."""

from __future__ import annotations

from functools import cache

from backproof.ops.elementary import REASON
from backproof.ops.notation import Apply
from backproof.ops.row import Domain
from backproof.ops.scalar import Scalar, ScalarRow, elementwise


def _special(name: str, notation: Apply, about: str, low: float, high: float, text: str = "") -> ScalarRow:
    scalar = Scalar(name, ("z",), text or f"{name}(z)")
    return elementwise(scalar, notation, about, reason=REASON, domain=(Domain((2, 3), low, high),))


erfc = _special("erfc", Apply("erfc"), "1 − erf(z), exact also where that is small.", -2.0, 2.0)
erfinv = _special(
    "erfinv",
    Apply("erfinv"),
    "The inverse of erf. SciPy takes real numbers only; complex steps are by Newton's method.",
    -0.9,
    0.9,
)
ndtr = _special("ndtr", Apply("Φ", letter=True), "The normal distribution function, from 0 to 1.", -2.0, 2.0)
log_ndtr = _special(
    "log_ndtr", Apply("log_ndtr"), "The logarithm of the normal distribution function, also far to the left.", -3.0, 2.0
)
ndtri = _special(
    "ndtri",
    Apply("ndtri"),
    "The inverse of the normal distribution function. SciPy takes real numbers only; complex steps are by Newton's "
    "method.",
    0.1,
    0.9,
)
gamma = _special("gamma", Apply("Γ", letter=True), "The gamma function: Γ(n + 1) = n!.", 0.5, 3.0)
gammaln = _special("gammaln", Apply("gammaln"), "The logarithm of the absolute value of Γ(z).", 0.5, 4.0)


@cache
def polygamma(n: int) -> ScalarRow:
    """ψ, the derivative of log Γ, differentiated n times."""
    about = "The derivative of log Γ(z)." if n == 0 else "A higher derivative of log Γ(z)."
    if n:
        about += " SciPy takes real numbers only; complex steps are by its asymptotic series."
    name = {0: "digamma", 1: "trigamma"}.get(n, f"polygamma_{n}")
    return _special(name, Apply("ψ", letter=True, primes=n), about, 0.5, 4.0, f"polygamma({n}, z)")


@cache
def bessel(n: int) -> ScalarRow:
    """The modified Bessel function of the first kind and of order n."""
    about = f"The modified Bessel function of the first kind, of order {n}."
    return _special(f"i{n}", Apply(f"i{n}"), about, -2.0, 2.0, f"bessel({n}, z)")


@cache
def scaled_bessel(n: int) -> ScalarRow:
    """The same times exp(−|z|), which does not overflow."""
    about = f"The modified Bessel function of order {n} times exp(−|z|), which does not overflow."
    return _special(f"i{n}e", Apply(f"i{n}e"), about, 0.3, 3.0, f"scaled_bessel({n}, z)")


digamma, trigamma = polygamma(0), polygamma(1)
i0, i1 = bessel(0), bessel(1)
i0e, i1e = scaled_bessel(0), scaled_bessel(1)
