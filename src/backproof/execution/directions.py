"""The directions that a derivation of the second order is run with."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from backproof.derivation.derivation import Derivation


def directed(derivation: Derivation, values: Mapping[str, ArrayLike], *, seed: int = 0) -> dict[str, ArrayLike]:
    """The values of inputs, and for the directions that they do not hold normal ones, drawn from `seed`."""
    rng = np.random.default_rng(seed)
    result = dict(values)
    for v, x in derivation.directions.items():
        drawn = rng.normal(size=np.shape(values[str(x.symbol)]))
        result.setdefault(str(v.symbol), drawn)
    return result
