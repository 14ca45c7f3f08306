"""Special functions: those of the normal distribution, of Γ, and of Bessel."""

from __future__ import annotations

from functools import cache

from backproof.ops.elementary import REASON
from backproof.ops.notation import Apply
from backproof.ops.row import Domain
from backproof.ops.scalar import Scalar, ScalarRow, elementwise, spelled

LEAST, LARGEST = 0.01, 100
"""Of the numbers that belong to a function, as the shapes of a distribution; orders begin with 0."""


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


erfcx = _special("erfcx", Apply("erfcx"), "exp(z²)·erfc(z), which does not underflow to the right.", -1.0, 3.0)
dawsn = _special("dawsn", Apply("D", letter=True), "Dawson's integral: exp(−z²)·∫ exp(t²) dt from 0 to z.", -2.0, 2.0)
exp1 = _special("exp1", Apply("exp1"), "The exponential integral: that of exp(−t)/t from z to infinity.", 0.3, 3.0)


@cache
def bessel_j(n: int) -> ScalarRow:
    """The Bessel function of the first kind and of order n."""
    about = f"The Bessel function of the first kind, of order {n}."
    return _special(f"j{n}", Apply(f"j{n}"), about, 0.3, 4.0, f"bessel_j({n}, z)")


@cache
def bessel_k(n: float) -> ScalarRow:
    """The modified Bessel function of the second kind and of order n."""
    about = f"The modified Bessel function of the second kind, of order {spelled(n)}."
    return _special(f"k{spelled(n)}", Apply(f"k{spelled(n)}"), about, 0.3, 3.0, f"bessel_k({spelled(n)}, z)")


@cache
def exprel(n: int) -> ScalarRow:
    """(exp(z) − 1)/z, differentiated n times."""
    about = "(exp(z) − 1)/z, also where z is 0." if n == 0 else "A derivative of (exp(z) − 1)/z, also where z is 0."
    name = "exprel" + f"_{n}" * (n > 0)
    return _special(name, Apply("exprel", primes=n), about, -2.0, 2.0, f"exprel({n}, z)")


INCOMPLETE = "SciPy takes real numbers only; complex steps are by its series and its continued fraction."


def _distribution(name: str, numbers: tuple[float, ...], about: str, low: float, high: float) -> ScalarRow:
    """A function of numbers, which have no derivative here, and of z."""
    called = "_".join([name, *map(spelled, numbers)])
    return _special(called, Apply(called), about, low, high, f"{name}({', '.join(map(spelled, numbers))}, z)")


@cache
def gammainc(a: float) -> ScalarRow:
    """The distribution function of the gamma distribution of shape a."""
    about = f"The incomplete gamma function of {spelled(a)}, from 0 to 1. {INCOMPLETE}"
    return _distribution("gammainc", (a,), about, 0.3, 6.0)


@cache
def gammaincc(a: float) -> ScalarRow:
    """One minus that."""
    about = f"One minus the incomplete gamma function of {spelled(a)}, exact also where that is small. {INCOMPLETE}"
    return _distribution("gammaincc", (a,), about, 0.3, 6.0)


@cache
def betainc(a: float, b: float) -> ScalarRow:
    """The distribution function of the beta distribution of shapes a and b."""
    about = f"The incomplete beta function of {spelled(a)} and {spelled(b)}, from 0 to 1. {INCOMPLETE}"
    return _distribution(
        "betainc",
        (
            a,
            b,
        ),
        about,
        0.1,
        0.9,
    )


@cache
def stdtr(n: float) -> ScalarRow:
    """The distribution function of Student's distribution of n degrees of freedom."""
    about = f"Student's distribution function of {spelled(n)} degrees of freedom, from 0 to 1. {INCOMPLETE}"
    return _distribution("stdtr", (n,), about, -4.0, 4.0)


digamma, trigamma = polygamma(0), polygamma(1)
i0, i1 = bessel(0), bessel(1)
i0e, i1e = scaled_bessel(0), scaled_bessel(1)
