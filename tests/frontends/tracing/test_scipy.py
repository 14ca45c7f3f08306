"""SciPy's functions, followed: values as SciPy's, derivatives as by differences; afterwards SciPy is as it was."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special
from scipy import linalg
from scipy.linalg import solve_triangular
from scipy.special import log_softmax, logsumexp, softmax

import backproof as bp
from backproof.ir.errors import TraceError

A, P = np.random.default_rng(5).normal(size=(3, 4)), np.random.default_rng(6).uniform(0.1, 0.9, (3, 4))
WEIGHTS = np.cos(np.arange(12)).reshape(3, 4)

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "logit": lambda x: np.sum(WEIGHTS * scipy.special.logit(x)),
    "xlog1py": lambda x: np.sum(WEIGHTS * scipy.special.xlog1py(x, x**2)),
    "entropy": lambda x: np.sum(WEIGHTS * scipy.special.entr(x)),
    "divergences": lambda x: np.sum(WEIGHTS * (scipy.special.rel_entr(x, P) + scipy.special.kl_div(P, x))),
    "logsumexp": lambda x: logsumexp(x) + np.sum(WEIGHTS[0] * logsumexp(x, axis=0) ** 2),
    "logsumexp, keepdims": lambda x: np.sum(WEIGHTS * (x - scipy.special.logsumexp(x, axis=1, keepdims=True)) ** 2),
    "logsumexp, weighted": lambda x: logsumexp(x, b=P) + np.sum(WEIGHTS[0] * logsumexp(A, axis=0, b=x) ** 2),
    "logsumexp, signed": lambda x: (lambda size, sign: sign * size**2)(*logsumexp(x, b=-P, return_sign=True)),
    "softmax": lambda x: np.sum(WEIGHTS * softmax(x, axis=1)) + np.sum(WEIGHTS * scipy.special.softmax(x)),
    "log_softmax": lambda x: np.sum(WEIGHTS * log_softmax(x, axis=-1) ** 2),
    "expit, log_expit": lambda x: np.sum(WEIGHTS * scipy.special.expit(x) * scipy.special.log_expit(-x)),
    "erf, erfc, erfinv": lambda x: np.sum(
        WEIGHTS * scipy.special.erf(x) * scipy.special.erfc(2 * x) * scipy.special.erfinv(x)
    ),
    "ndtr, ndtri": lambda x: np.sum(WEIGHTS * scipy.special.ndtr(x) * scipy.special.ndtri(x)),
    "log_ndtr": lambda x: np.sum(WEIGHTS * scipy.special.log_ndtr(-50 * x)),
    "gamma, loggamma": lambda x: np.sum(WEIGHTS * scipy.special.gamma(x) * scipy.special.loggamma(x)),
    "gammaln of negative numbers": lambda x: np.sum(WEIGHTS * scipy.special.gammaln(-x)),
    "psi, polygamma": lambda x: np.sum(
        WEIGHTS * (scipy.special.psi(x) + scipy.special.digamma(x) * scipy.special.polygamma(2, 1 + x))
    ),
    "beta, betaln": lambda x: np.sum(WEIGHTS * (scipy.special.beta(x, 2 * P) + scipy.special.betaln(P, x))),
    "multigammaln": lambda x: np.sum(WEIGHTS * scipy.special.multigammaln(1 + x, 3)),
    "i0, i1": lambda x: np.sum(WEIGHTS * scipy.special.i0(x) * scipy.special.i1(x) * scipy.special.iv(3, x)),
    "i0e, i1e": lambda x: np.sum(WEIGHTS * scipy.special.i0e(99 * x) * scipy.special.i1e(-x) * scipy.special.ive(2, x)),
    "j0, j1, jv": lambda x: np.sum(
        WEIGHTS * scipy.special.j0(9 * x) * scipy.special.j1(x) * scipy.special.jv(3, 2 * x)
    ),
    "k0, k1, kv": lambda x: np.sum(WEIGHTS * scipy.special.k0(x) * scipy.special.k1(2 * x) * scipy.special.kv(2.5, x)),
    "erfcx, dawsn, exp1": lambda x: np.sum(
        WEIGHTS * scipy.special.erfcx(20 * x) * scipy.special.dawsn(3 * x) * scipy.special.exp1(x)
    ),
    "exprel": lambda x: np.sum(
        WEIGHTS * scipy.special.exprel(x - P) * scipy.special.exprel(0 * x) * scipy.special.exprel(-x)
    ),
    "gammainc": lambda x: np.sum(
        WEIGHTS * scipy.special.gammainc(2.5, 4 * x) * scipy.special.gammaincc(np.array(3.0), 9 * x)
    ),
    "betainc, stdtr": lambda x: np.sum(WEIGHTS * scipy.special.betainc(2, 1.5, x) * scipy.special.stdtr(4, 6 * x - 3)),
    "the names that NumPy has too": lambda x: np.sum(
        WEIGHTS * scipy.special.expm1(x) * scipy.special.log1p(x) * scipy.special.exp2(x) * scipy.special.cbrt(x)
    ),
    "binom, poch, rgamma, exp10": lambda x: np.sum(
        WEIGHTS
        * (scipy.special.binom(4.5, x) + scipy.special.poch(x, 2.5))
        * scipy.special.rgamma(x)
        * scipy.special.exp10(x)
    ),
    "huber": lambda x: np.sum(WEIGHTS * (scipy.special.huber(0.5, x) + scipy.special.pseudo_huber(P, 2 * x))),
    "boxcox": lambda x: np.sum(WEIGHTS * (scipy.special.boxcox(x, P) + scipy.special.boxcox1p(P, x))),
    "boxcox by 0": lambda x: np.sum(WEIGHTS * (scipy.special.boxcox(x, 0) + scipy.special.boxcox1p(x, 0.0))),
}


POSITIVE = A @ A.T + np.eye(3)
LINEAR: dict[str, Callable[..., Any]] = {
    "cholesky": lambda x: np.sum(WEIGHTS[:, :3] * (linalg.cholesky(x @ x.T, lower=True) + linalg.cholesky(x @ x.T))),
    "cho_factor, cho_solve": lambda x: np.sum(linalg.cho_solve(linalg.cho_factor(x @ x.T), x)),
    "cho_solve, a factor that is given": lambda x: np.sum(
        WEIGHTS * linalg.cho_solve(linalg.cho_factor(POSITIVE), x**2)
    ),
    "solve_triangular": lambda x: np.sum(
        WEIGHTS * solve_triangular(x[:, :3] + np.eye(3), x, lower=True)
        + WEIGHTS * solve_triangular(x[:, :3], x, trans="T", unit_diagonal=True)
    ),
    "solve, inv, det": lambda x: (
        np.sum(linalg.solve(x @ x.T, x, assume_a="pos")) + np.sum(linalg.inv(x[:, 1:]) * linalg.det(x[:, 1:]))
    ),
    "logaddexp.reduce": lambda x: np.sum(WEIGHTS[0] * np.logaddexp.reduce(x) ** 2) + np.logaddexp.reduce(x[0] * x[1]),
}


@pytest.mark.parametrize("name", LINEAR)
def test_linear_algebra(name: str) -> None:
    f, x = LINEAR[name], P.T.reshape(3, 4)
    trace = bp.run(bp.derive(f, x=x))
    assert trace["J"] == pytest.approx(f(x), rel=1e-11)
    assert bp.check(trace).ok
    assert bp.check(trace, method="central").ok


@pytest.mark.parametrize("name", FUNCTIONS)
def test_value_and_derivative(name: str) -> None:
    f, x = FUNCTIONS[name], P.T.reshape(3, 4)
    trace = bp.run(bp.derive(f, x=x))
    assert trace["J"] == pytest.approx(f(x), rel=1e-12)
    for place in np.ndindex(*x.shape):
        step = np.zeros_like(x)
        step[place] = 5e-4
        near, far = ((f(x + k * step) - f(x - k * step)) / (1e-3 * k) for k in (1, 2))
        assert trace["dx"][place] == pytest.approx((4 * near - far) / 3, rel=1e-8, abs=1e-9)


def test_scipy_is_as_it_was_even_after_an_error() -> None:
    before = [scipy.special.logsumexp, scipy.special.softmax, scipy.special.log_softmax]
    with pytest.raises(TraceError, match="one whole order"):
        bp.derive(lambda x: logsumexp(scipy.special.polygamma(np.array([1, 2, 1, 2]), x)), x=P)
    assert [scipy.special.logsumexp, scipy.special.softmax, scipy.special.log_softmax] == before
    here = vars(sys.modules[__name__])
    assert [here[name] for name in ("logsumexp", "softmax", "log_softmax")] == before


def test_plain_arrays_go_to_scipy() -> None:
    trace = bp.run(bp.derive(lambda x: np.sum(x * softmax(A, axis=0)), x=A))
    np.testing.assert_array_equal(np.broadcast_to(trace["dx"], A.shape), softmax(A, axis=0))
