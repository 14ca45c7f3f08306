"""Plain NumPy code as a forward pass: a function is run once, and what it does to its arguments is written down.

The modules called `calls…` say what NumPy's functions become; importing them is what enters their handlers.
"""

from backproof.frontends.tracing import (
    calls,
    calls_arrays,
    calls_complex,
    calls_linalg,
    calls_scalars,
    calls_series,
    calls_special,
    calls_writes,
)

__all__ = [
    "calls",
    "calls_arrays",
    "calls_complex",
    "calls_linalg",
    "calls_scalars",
    "calls_series",
    "calls_special",
    "calls_writes",
]
