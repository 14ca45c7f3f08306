"""Likelihoods with the functions of SciPy: maximum likelihood, priors, survival, latent variables."""

from __future__ import annotations

import numpy as np
from scipy import special, stats

from zoo.case import Case


def gamma_fit(log_a, log_scale, x):
    return -np.sum(stats.gamma.logpdf(x, np.exp(log_a), scale=np.exp(log_scale)))


def beta_regression(w, phi, X, y):
    mu = special.expit(X @ w)
    return -np.mean(stats.beta.logpdf(y, mu * phi, (1 - mu) * phi))


def t_regression(w, log_sigma, log_df, X, y):
    return -np.sum(stats.t.logpdf(y, df=np.exp(log_df), loc=X @ w, scale=np.exp(log_sigma)))


def negative_binomial(log_mu, log_r, counts):
    mu, r = np.exp(log_mu), np.exp(log_r)
    return -np.sum(stats.nbinom.logpmf(counts, r, r / (r + mu)))


def bayesian_logistic(w, b, X, y):
    logits = X @ w + b
    log_likelihood = np.sum(y * special.log_expit(logits) + (1 - y) * special.log_expit(-logits))
    log_prior = np.sum(stats.norm.logpdf(w, 0, 2.5)) + stats.cauchy.logpdf(b, 0, 10)
    return -(log_likelihood + log_prior)


def gaussian_mixture(logits, mu, log_sigma, x):
    log_weights = special.log_softmax(logits)
    log_p = stats.norm.logpdf(x[:, None], mu, np.exp(log_sigma))
    return -np.sum(special.logsumexp(log_weights + log_p, axis=1))


def weibull_survival(beta, log_shape, X, time, event):
    shape, scale = np.exp(log_shape), np.exp(X @ beta)
    died = stats.weibull_min.logpdf(time, shape, scale=scale)
    lived = stats.weibull_min.logsf(time, shape, scale=scale)
    return -np.sum(event * died + (1 - event) * lived)


def von_mises_regression(w, log_kappa, X, angle):
    mu = 2 * np.arctan(X @ w)
    return -np.sum(stats.vonmises.logpdf(angle, np.exp(log_kappa), loc=mu))


def dirichlet_multinomial(log_alpha, counts):
    alpha = np.exp(log_alpha)
    n, total = np.sum(counts, axis=1), np.sum(alpha)
    each = special.gammaln(counts + alpha) - special.gammaln(alpha)
    return -np.sum(special.gammaln(total) - special.gammaln(n + total) + np.sum(each, axis=1))


def vae(W1, W_mu, W_log, V, x, eps):
    h = np.tanh(x @ W1)
    mu, sigma = h @ W_mu, np.exp(h @ W_log)
    z = mu + sigma * eps
    reconstruction = np.sum(stats.norm.logpdf(x, z @ V, 0.5), axis=1)
    divergence = np.sum(stats.norm.logpdf(z, mu, sigma) - stats.norm.logpdf(z), axis=1)
    return -np.mean(reconstruction - divergence)


def poisson_regression(w, b, X, y):
    return -np.sum(stats.poisson.logpmf(y, np.exp(X @ w + b)))


def probit(w, X, y):
    z = X @ w
    return -np.sum(y * special.log_ndtr(z) + (1 - y) * special.log_ndtr(-z))


def gaussian_process(log_theta, X, y):
    amplitude, length, noise = np.exp(log_theta)
    squares = np.sum((X[:, None, :] - X[None, :, :]) ** 2, axis=-1)
    K = amplitude * np.exp(-squares / (2 * length**2)) + noise * np.eye(len(y))
    return -stats.multivariate_normal.logpdf(y, np.zeros(len(y)), K)


def tobit(w, log_sigma, X, y, seen):
    mu, sigma = X @ w, np.exp(log_sigma)
    return -np.sum(np.where(seen, stats.norm.logpdf(y, mu, sigma), stats.norm.logcdf(y, mu, sigma)))


def latent_dirichlet_bound(log_gamma, alpha):
    """The divergence of two Dirichlet distributions, by ψ."""
    g = np.exp(log_gamma)
    difference = special.gammaln(np.sum(g)) - np.sum(special.gammaln(g))
    difference = difference - special.gammaln(np.sum(alpha)) + np.sum(special.gammaln(alpha))
    return difference + np.sum((g - alpha) * (special.digamma(g) - special.digamma(np.sum(g))))


def ordinal(w, cuts, X, y):
    edges = np.concatenate([np.array([-30.0]), np.cumsum(np.exp(cuts)), np.array([30.0])])
    z = X @ w
    return -np.sum(np.log(special.ndtr(edges[1:][y] - z) - special.ndtr(edges[:-1][y] - z)))


REAL = "SciPy's densities take real numbers only"
CASES = [
    Case(
        "gamma",
        gamma_fit,
        lambda r: {"log_a": np.array(0.4), "log_scale": np.array(-0.3), "x": r.uniform(0.2, 3, size=6)},
        complex_step=False,
        reason=REAL,
    ),
    Case(
        "beta regression",
        beta_regression,
        lambda r: {
            "w": r.normal(size=2),
            "phi": np.array(4.5),
            "X": r.normal(size=(5, 2)),
            "y": r.uniform(0.1, 0.9, size=5),
        },
        complex_step=False,
        reason=REAL,
    ),
    Case(
        "t regression",
        t_regression,
        lambda r: {
            "w": r.normal(size=2),
            "log_sigma": np.array(0.2),
            "log_df": np.array(1.1),
            "X": r.normal(size=(5, 2)),
            "y": r.normal(size=5),
        },
        complex_step=False,
        reason=REAL,
    ),
    Case(
        "negative binomial",
        negative_binomial,
        lambda r: {"log_mu": r.normal(size=5), "log_r": np.array(0.7), "counts": r.integers(0, 6, size=5)},
        complex_step=False,
        reason=REAL,
    ),
    Case(
        "logistic regression with priors",
        bayesian_logistic,
        lambda r: {
            "w": r.normal(size=3),
            "b": r.normal(size=()),
            "X": r.normal(size=(6, 3)),
            "y": r.integers(0, 2, size=6),
        },
        complex_step=False,
        reason=REAL,
    ),
    Case(
        "mixture",
        gaussian_mixture,
        lambda r: {
            "logits": r.normal(size=3),
            "mu": r.normal(size=3),
            "log_sigma": r.normal(size=3) / 3,
            "x": r.normal(size=7),
        },
        complex_step=False,
        reason=REAL,
    ),
    Case(
        "Weibull survival",
        weibull_survival,
        lambda r: {
            "beta": r.normal(size=2) / 2,
            "log_shape": np.array(0.3),
            "X": r.normal(size=(6, 2)),
            "time": r.uniform(0.2, 3, size=6),
            "event": np.array([1, 0, 1, 1, 0, 1]),
        },
        complex_step=False,
        reason=REAL,
    ),
    Case(
        "von Mises regression",
        von_mises_regression,
        lambda r: {
            "w": r.normal(size=2),
            "log_kappa": np.array(0.5),
            "X": r.normal(size=(5, 2)),
            "angle": r.uniform(-3, 3, size=5),
        },
        complex_step=False,
        reason=REAL,
    ),
    Case(
        "Dirichlet and multinomial",
        dirichlet_multinomial,
        lambda r: {"log_alpha": r.normal(size=4) / 2, "counts": r.integers(0, 5, size=(3, 4))},
        complex_step=False,
        reason="scipy.special.gammaln takes real numbers only",
    ),
    Case(
        "variational autoencoder",
        vae,
        lambda r: {
            "W1": r.normal(size=(4, 5)) / 2,
            "W_mu": r.normal(size=(5, 2)) / 2,
            "W_log": r.normal(size=(5, 2)) / 4,
            "V": r.normal(size=(2, 4)),
            "x": r.normal(size=(3, 4)),
            "eps": r.normal(size=(3, 2)),
        },
        complex_step=False,
        reason=REAL,
    ),
    Case(
        "Poisson regression",
        poisson_regression,
        lambda r: {
            "w": r.normal(size=2) / 2,
            "b": np.array(0.3),
            "X": r.normal(size=(5, 2)),
            "y": r.integers(0, 5, size=5),
        },
        complex_step=False,
        reason=REAL,
    ),
    Case(
        "probit",
        probit,
        lambda r: {"w": r.normal(size=3), "X": r.normal(size=(6, 3)), "y": r.integers(0, 2, size=6)},
    ),
    Case(
        "Gaussian process",
        gaussian_process,
        lambda r: {"log_theta": r.normal(size=3) / 3, "X": r.normal(size=(5, 2)), "y": r.normal(size=5)},
        complex_step=False,
        reason=REAL,
    ),
    Case(
        "tobit",
        tobit,
        lambda r: {
            "w": r.normal(size=2),
            "log_sigma": np.array(0.2),
            "X": r.normal(size=(6, 2)),
            "y": r.normal(size=6),
            "seen": np.array([True, False, True, True, False, True]),
        },
        complex_step=False,
        reason=REAL,
    ),
    Case(
        "divergence of Dirichlet distributions",
        latent_dirichlet_bound,
        lambda r: {"log_gamma": r.normal(size=4) / 2, "alpha": r.uniform(0.5, 2, size=4)},
        complex_step=False,
        reason="scipy.special.gammaln takes real numbers only",
    ),
    Case(
        "ordinal regression",
        ordinal,
        lambda r: {
            "w": r.normal(size=2),
            "cuts": r.normal(size=2) / 3,
            "X": r.normal(size=(6, 2)),
            "y": r.integers(0, 3, size=6),
        },
    ),
]
