"""The families of scipy.stats, followed: values as SciPy's, derivatives as by differences, by all parameters."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import scipy.stats
from scipy import stats
from scipy.stats import norm

import backproof as bp
from backproof.ir.errors import TraceError

A = np.array
X, POSITIVE, UNIT = A([-1.3, 0.4, 2.1]), A([0.3, 1.2, 2.7]), A([0.2, 0.5, 0.9])
CONTINUOUS: dict[str, dict[str, Any]] = {
    "norm": {"x": X, "loc": A(0.3), "scale": A(1.7)},
    "t": {"x": X, "df": A(3.5), "loc": A(0.3), "scale": A(1.7)},
    "laplace": {"x": X, "loc": A(0.3), "scale": A(1.7)},
    "logistic": {"x": X, "loc": A(0.3), "scale": A(1.7)},
    "expon": {"x": POSITIVE, "loc": A(-0.3), "scale": A(1.7)},
    "gamma": {"x": POSITIVE, "a": A([0.5, 2.3, 4.0]), "loc": A(-0.2), "scale": A(1.7)},
    "invgamma": {"x": POSITIVE, "a": A(2.3), "loc": A(-0.2), "scale": A(1.7)},
    "beta": {"x": UNIT, "a": A(2.3), "b": A([0.7, 1.5, 3.0]), "loc": A(-0.1), "scale": A(1.3)},
    "uniform": {"x": UNIT, "loc": A(-0.1), "scale": A(1.3)},
    "lognorm": {"x": POSITIVE, "s": A(0.8), "loc": A(-0.2), "scale": A(1.7)},
    "cauchy": {"x": X, "loc": A(0.3), "scale": A(1.7)},
    "chi2": {"x": POSITIVE, "df": A(3.5), "loc": A(-0.2), "scale": A(1.7)},
    "halfnorm": {"x": POSITIVE, "loc": A(-0.2), "scale": A(1.7)},
    "weibull_min": {"x": POSITIVE, "c": A(1.6), "loc": A(-0.2), "scale": A(1.7)},
    "pareto": {"x": 2 + POSITIVE, "b": A(2.4), "loc": A(-0.2), "scale": A(1.1)},
    "gumbel_r": {"x": X, "loc": A(0.3), "scale": A(1.7)},
    "vonmises": {"x": X, "kappa": A(1.9), "loc": A(0.3)},
    "truncnorm": {"x": X, "a": A(-1.5), "b": A([2.0, 2.5, 3.0]), "loc": A(0.3), "scale": A(1.7)},
}
COUNTS = A([0, 2, 3])
DISCRETE: dict[str, dict[str, Any]] = {
    "poisson": {"k": COUNTS, "mu": A([0.7, 1.9, 3.0])},
    "binom": {"k": COUNTS, "n": 4, "p": A([0.2, 0.5, 0.6])},
    "bernoulli": {"k": A([0, 1, 1]), "p": A([0.2, 0.5, 0.6])},
    "nbinom": {"k": COUNTS, "n": A(2.4), "p": A([0.2, 0.5, 0.6])},
    "geom": {"k": A([1, 2, 5]), "p": A([0.2, 0.5, 0.6])},
}
TAILS = (
    "norm",
    "laplace",
    "logistic",
    "expon",
    "uniform",
    "lognorm",
    "cauchy",
    "halfnorm",
    "weibull_min",
    "pareto",
    "gumbel_r",
)
SHAPES: dict[str, dict[str, Any]] = {
    "t": {"df": 3.5},
    "gamma": {"a": 2.3},
    "invgamma": {"a": 2},
    "beta": {"a": 2.3, "b": 0.7},
    "chi2": {"df": 3},
}
"""Families whose tails have no formula for a derivative by these parameters; they are plain numbers there."""
WEIGHTS = A([0.7, 1.3, -0.4])


def methods() -> list[tuple[str, str, dict[str, Any]]]:
    found = [(name, way, given) for name, given in CONTINUOUS.items() for way in ("logpdf", "pdf")]
    found += [(name, way, CONTINUOUS[name]) for name in TAILS for way in ("cdf", "logcdf", "sf", "logsf")]
    found += [(name, way, {**CONTINUOUS[name], **SHAPES[name]}) for name in SHAPES for way in ("cdf", "logcdf", "sf")]
    return found + [(name, way, given) for name, given in DISCRETE.items() for way in ("logpmf", "pmf")]


def compare(f: Callable[..., Any], given: dict[str, Any]) -> None:
    """Value and derivatives by everything decimal, beside SciPy's and extrapolated differences of it."""
    decimal = [name for name, x in given.items() if isinstance(x, np.ndarray) and x.dtype.kind == "f"]
    trace = bp.run(bp.derive(f, given, wrt=decimal))
    assert trace["J"] == pytest.approx(f(**given), rel=1e-12)
    for name in decimal:
        expected = np.zeros(given[name].shape)
        for place in np.ndindex(*expected.shape):
            slopes = []
            for h in (4e-3, 2e-3, 1e-3):
                moved = [given[name].copy() for _ in range(2)]
                moved[0][place] += h
                moved[1][place] -= h
                up, down = (f(**{**given, name: x}) for x in moved)
                slopes.append((up - down) / (2 * h))
            first, second = ((4 * fine - coarse) / 3 for coarse, fine in pairwise(slopes))
            expected[place] = (16 * second - first) / 15
        found = np.broadcast_to(trace[f"d{name}"], expected.shape)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-7 * (np.abs(expected).max() or 1), err_msg=name)


@pytest.mark.parametrize(("name", "way", "given"), methods(), ids=lambda x: x if isinstance(x, str) else "")
def test_families(name: str, way: str, given: dict[str, Any]) -> None:
    def f(**arguments: Any) -> Any:
        x, *parameters = arguments.values()
        keys = list(arguments)[1:]
        return np.sum(WEIGHTS * getattr(getattr(stats, name), way)(x, **dict(zip(keys, parameters, strict=True))))

    compare(f, given)


def test_a_frozen_family() -> None:
    compare(
        lambda x, mu, s: np.sum(stats.norm(mu, s).logpdf(x) + stats.gamma(2.5, scale=s).logpdf(x**2)),
        {"x": X, "mu": A(0.2), "s": A(1.4)},
    )


PRIOR = stats.norm(0.5, 2.0)


def test_every_way_to_name_a_family() -> None:
    compare(
        lambda x: np.sum(norm.logpdf(x) + stats.norm.logpdf(x, 1) + scipy.stats.norm.logpdf(x, 1, 2) + PRIOR.logpdf(x)),
        {"x": X},
    )


def test_truncated_far_in_either_tail() -> None:
    compare(lambda x, a: np.sum(stats.truncnorm.logpdf(x, a, a + 1)), {"x": A([9.4, 9.6]), "a": A(9.0)})
    compare(lambda x, a: np.sum(stats.truncnorm.logpdf(x, a, a + 1)), {"x": A([-8.4, -8.6]), "a": A(-9.0)})


def test_multivariate_normal() -> None:
    rng = np.random.default_rng(1)
    L = rng.normal(size=(3, 3))
    given = {"x": rng.normal(size=(4, 3)), "mu": rng.normal(size=3), "L": L}

    def f(x: Any, mu: Any, L: Any) -> Any:
        cov = L @ L.T + np.eye(3)
        both = stats.multivariate_normal.logpdf(x, mu, cov), stats.multivariate_normal(mu, cov=cov).logpdf(x[0])
        return np.sum(both[0] ** 2) + both[1] + np.sum(stats.multivariate_normal.pdf(x, mean=mu, cov=A([1.0, 2, 3])))

    compare(f, given)
    compare(lambda x: stats.multivariate_normal.logpdf(x, np.zeros(3), 2.0), {"x": X})


def test_dirichlet() -> None:
    def f(x: Any, alpha: Any) -> Any:
        parts = x / np.sum(x)
        return stats.dirichlet.logpdf(parts, alpha) + stats.dirichlet(alpha).logpdf(A([0.2, 0.3, 0.5]))

    compare(f, {"x": POSITIVE, "alpha": A([0.7, 1.5, 3.0])})


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda x: stats.gamma.logpdf(x, 2.5), [0, -0.25, -0.7]),
        (lambda x: stats.uniform.logpdf(x, 0, 2), [0, 0, 0]),
        (lambda x: stats.expon.cdf(x), [0, np.exp(-2), np.exp(-5)]),
        (lambda x: stats.uniform.cdf(x, 0, 4), [0, 0.25, 0]),
    ],
)
def test_outside_the_support(call: Callable[..., Any], expected: list[float]) -> None:
    x = A([-1.0, 2.0, 5.0])
    want = call(x)
    trace = bp.run(bp.derive(lambda x: np.sum(np.where(np.isfinite(want), call(x), 0.0)), x=x))
    assert trace["J"] == pytest.approx(np.sum(want[np.isfinite(want)]), rel=1e-12)
    np.testing.assert_allclose(np.broadcast_to(trace["dx"], 3), expected, rtol=1e-12, atol=1e-15)


def test_what_has_no_formula_is_refused() -> None:
    with pytest.raises(TraceError, match=r"stats\.vonmises\.cdf is not followed"):
        bp.derive(lambda x: np.sum(stats.vonmises.cdf(x, 2.0)), x=POSITIVE)
    for shape in (A(2.0), A([1.0, 2.0, 3.0]), 200.0):
        with pytest.raises(TraceError, match=r"gammainc is followed of its last argument and plain numbers from 0"):
            bp.derive(lambda x, a: np.sum(stats.gamma.cdf(x, a)), x=POSITIVE, a=shape, wrt=["x"])
    with pytest.raises(TraceError, match=r"use stats\.norm for one number"):
        bp.derive(lambda x: np.sum(stats.multivariate_normal.logpdf(x, 0.0, 1.0)), x=POSITIVE)


def test_plain_arrays_go_to_scipy_and_scipy_is_as_it_was() -> None:
    before = stats.rv_continuous.logpdf, stats.rv_discrete.pmf, type(stats.dirichlet).__call__
    trace = bp.run(bp.derive(lambda x: np.sum(x * stats.gamma.cdf(POSITIVE, 2.0)), x=POSITIVE))
    np.testing.assert_array_equal(trace["dx"], stats.gamma.cdf(POSITIVE, 2.0))
    assert before == (stats.rv_continuous.logpdf, stats.rv_discrete.pmf, type(stats.dirichlet).__call__)
