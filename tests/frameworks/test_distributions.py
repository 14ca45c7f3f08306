"""The families of scipy.stats, with JAX as the second opinion: densities, and derivatives by all that is decimal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy import stats as theirs
from scipy import stats

import backproof as bp

sys.path.append(str(Path(__file__).parent.parent))

from frontends.tracing.test_distributions import CONTINUOUS, DISCRETE, WEIGHTS

LACKING = {"invgamma", "lognorm", "halfnorm", "weibull_min"}
"""Families that jax.scipy.stats does not have."""
NO_DERIVATIVE = {"gumbel_r"}
"""JAX has the density, but fails to differentiate it: a whole number on the way has no derivative there."""
GIVEN = {name: given for name, given in (CONTINUOUS | DISCRETE).items() if name not in LACKING | NO_DERIVATIVE}


@pytest.mark.parametrize("name", GIVEN)
def test_families(name: str) -> None:
    given = {key: x for key, x in GIVEN[name].items() if (name, key) != ("vonmises", "loc")}  # JAX has none
    way = "logpmf" if name in DISCRETE else "logpdf"
    decimal = [key for key, x in given.items() if isinstance(x, np.ndarray) and x.dtype.kind == "f"]

    def total(of: Any, values: dict[str, Any]) -> Any:
        x, *_ = values.values()
        return (WEIGHTS * getattr(getattr(of, name), way)(x, **dict(list(values.items())[1:]))).sum()

    trace = bp.run(bp.derive(lambda **values: total(stats, values), given, wrt=decimal))
    # JAX has no derivative by whole numbers on the way to others.
    fixed = {key: jnp.asarray(x, dtype=float) for key, x in given.items() if key not in decimal}

    def of(chosen: dict[str, Any]) -> Any:
        return total(theirs, {key: (chosen | fixed)[key] for key in given})

    value, expected = jax.value_and_grad(of)({key: jnp.asarray(given[key]) for key in decimal})
    np.testing.assert_allclose(trace["J"], value, rtol=1e-12)
    for key in decimal:
        largest = float(jnp.abs(expected[key]).max()) or 1.0
        found = np.broadcast_to(trace[f"d{key}"], given[key].shape)
        np.testing.assert_allclose(found, expected[key], rtol=0, atol=1e-9 * largest, err_msg=key)


def test_what_jax_lacks_is_still_so() -> None:
    assert {name for name in CONTINUOUS | DISCRETE if not hasattr(theirs, name)} == LACKING


def test_several_numbers_at_once() -> None:
    rng = np.random.default_rng(2)
    given = {"x": rng.normal(size=(4, 3)), "mu": rng.normal(size=3), "L": rng.normal(size=(3, 3))}

    def total(of: Any, x: Any, mu: Any, L: Any) -> Any:
        return of.multivariate_normal.logpdf(x, mu, L @ L.T + np.eye(3)).sum()

    trace = bp.run(bp.derive(lambda x, mu, L: total(stats, x, mu, L), given, wrt=list(given)))
    for (name, x), gradient in zip(
        given.items(), jax.grad(lambda *v: total(theirs, *v), (0, 1, 2))(*map(jnp.asarray, given.values())), strict=True
    ):
        np.testing.assert_allclose(np.broadcast_to(trace[f"d{name}"], x.shape), gradient, rtol=1e-9, atol=1e-9)
