"""Numbers as text, for people."""

from __future__ import annotations

from typing import Any


def digits(value: Any, most: int = 6) -> str:
    """A number with so many significant digits at most, without a negative zero; a complex one as ``1.5-2i``."""
    if isinstance(value, complex):  # NumPy's complex128 is one
        return f"{value.real + 0.0:.{most}g}{value.imag + 0.0:+.{most}g}i"
    return f"{float(value) + 0.0:.{most}g}"
