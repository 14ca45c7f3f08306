"""Numbers as they are read: a computed decimal stands for the fraction or the root that it is nearest to."""

from __future__ import annotations

import math
from fractions import Fraction

PLACES = 10**6
"""A decimal with more places than this was computed, and stands for another number."""
LARGEST = 1000
"""Up to this denominator a computed decimal is taken for a fraction, if it is exactly the nearest one to that."""


def exact(value: float) -> Fraction | None:
    """The fraction that a number stands for: 1/10 for 0.1, 1/60 for 0.016666666666666666, None for √2."""
    if not math.isfinite(value):
        return None
    decimal = Fraction(repr(value))
    if decimal.denominator <= PLACES:
        return decimal
    near = _near(value)
    return near if near and float(near) == value else None


def is_decimal(fraction: Fraction) -> bool:
    """Whether a fraction can be written as a decimal."""
    return PLACES % fraction.denominator == 0


def radicand(value: float) -> Fraction | None:
    """The fraction or whole number that a positive number is the square root of: 2 for 1.4142135623730951."""
    near = _near(value * value) if math.isfinite(value * value) else None
    return near if near and math.isclose(math.sqrt(near), value, rel_tol=4e-16) else None


def _near(value: float) -> Fraction:
    return Fraction(value).limit_denominator(LARGEST)
