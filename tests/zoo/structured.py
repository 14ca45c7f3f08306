"""Sums over all ways through a sequence, routing, graphs, contrasts: what people ask in forums how to differentiate."""

from __future__ import annotations

import numpy as np
from scipy import linalg, special, stats

from zoo.case import Case


def softmax(x, axis=-1):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def crf(emissions, transitions, start, tags):
    T, _ = emissions.shape
    score = start[tags[0]] + emissions[0, tags[0]]
    for t in range(1, T):
        score += transitions[tags[t - 1], tags[t]] + emissions[t, tags[t]]
    alpha = start + emissions[0]
    for t in range(1, T):
        alpha = np.logaddexp.reduce(alpha[:, None] + transitions) + emissions[t]
    return np.logaddexp.reduce(alpha) - score


def ctc(logits, target, blank=0):
    """Most states cannot be reached at first: their logarithms are −∞."""
    logp = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    ext = [blank]
    for c in target:
        ext += [c, blank]
    T, S = len(logp), len(ext)
    alpha = np.full((T, S), -np.inf)
    alpha[0, 0] = logp[0, blank]
    alpha[0, 1] = logp[0, ext[1]]
    for t in range(1, T):
        for s in range(S):
            a = alpha[t - 1, s]
            if s > 0:
                a = np.logaddexp(a, alpha[t - 1, s - 1])
            if s > 1 and ext[s] != blank and ext[s] != ext[s - 2]:
                a = np.logaddexp(a, alpha[t - 1, s - 2])
            alpha[t, s] = a + logp[t, ext[s]]
    return -np.logaddexp(alpha[-1, -1], alpha[-1, -2])


def left_to_right(a, mu, x):
    """A hidden Markov model that never goes back."""
    p = 1 / (1 + np.exp(-a))
    K = len(mu)
    log_A = np.full((K, K), -np.inf)
    for i in range(K):
        log_A[i, i] = np.log(p[i])
        if i < K - 1:
            log_A[i, i + 1] = np.log(1 - p[i])
    log_B = -0.5 * (x[:, None] - mu) ** 2
    alpha = np.array([0] + [-np.inf] * (K - 1)) + log_B[0]
    for t in range(1, len(x)):
        alpha = special.logsumexp(alpha[:, None] + log_A, axis=0) + log_B[t]
    return -special.logsumexp(alpha)


def soft_dtw(x, y, gamma=0.5):
    D = (x[:, None] - y[None, :]) ** 2
    n, m = D.shape
    R = np.full((n + 1, m + 1), np.inf)
    R[0, 0] = 0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            z = np.array([R[i - 1, j - 1], R[i - 1, j], R[i, j - 1]]) / -gamma
            R[i, j] = D[i - 1, j - 1] - gamma * np.log(np.exp(z).sum())
    return R[n, m]


def capsules(u, W, y):
    def squash(s):
        n2 = (s**2).sum(-1, keepdims=True)
        return n2 / (1 + n2) * s / np.sqrt(n2 + 1e-9)

    u_hat = np.einsum("ijkl,il->ijk", W, u)
    b = np.zeros(u_hat.shape[:2])
    for _ in range(3):
        c = softmax(b, axis=1)
        v = squash((c[:, :, None] * u_hat).sum(0))
        b = b + (u_hat * v[None]).sum(-1)
    lengths = np.sqrt((v**2).sum(-1))
    return np.sum(y * np.maximum(0, 0.9 - lengths) ** 2 + 0.5 * (1 - y) * np.maximum(0, lengths - 0.1) ** 2)


def graph_attention(H, W, a, adj):
    Wh = H @ W
    n = W.shape[1]
    e = (Wh @ a[:n])[:, None] + (Wh @ a[n:])[None, :]
    e = np.where(e > 0, e, 0.2 * e)
    alpha = softmax(np.where(adj > 0, e, -9e15), axis=1)
    return np.sum(np.tanh(alpha @ Wh) ** 2)


def nt_xent(z1, z2, tau=0.5):
    z = np.concatenate([z1, z2])
    z = z / np.linalg.norm(z, axis=1, keepdims=True)
    sim = z @ z.T / tau
    n = len(z)
    sim[np.diag_indices(n)] = -np.inf
    positive = np.concatenate([np.arange(n // 2, n), np.arange(n // 2)])
    log_p = sim - np.log(np.exp(sim).sum(1, keepdims=True))
    return -log_p[np.arange(n), positive].mean()


def proximal_policy(logits, old, advantage, actions, eps=0.2):
    logp = logits - np.log(np.sum(np.exp(logits), 1, keepdims=True))
    ratio = np.exp(logp[np.arange(len(actions)), actions] - old)
    a = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    return -np.minimum(ratio * a, np.clip(ratio, 1 - eps, 1 + eps) * a).mean()


def ordinal(scores, edges, y):
    """Between which edges a score lies: the label and the next one are places of their vector."""
    upper = np.where(y == len(edges) - 1, 1.0, stats.norm.cdf(edges[np.minimum(y + 1, len(edges) - 1)] - scores))
    return -np.sum(np.log(upper - stats.norm.cdf(edges[y] - scores) * (y > 0).astype(int)))


def censored_gamma(log_scale, x, time, died):
    scale = np.exp(log_scale[0] + log_scale[1] * x)
    return -np.sum(
        np.where(died, stats.gamma.logpdf(time, 2.5, scale=scale), stats.gamma.logsf(time, 2.5, scale=scale))
    )


def robust_interval(beta, X, low, high):
    mu = X @ beta
    return -np.sum(np.log(special.stdtr(4, high - mu) - special.stdtr(4, low - mu)))


def matern(log_l, log_noise, X, y):
    """A Gaussian process with a kernel that Bessel's function gives."""
    d = np.sqrt(np.sum((X[:, None] - X[None]) ** 2, axis=-1) + np.eye(len(X)))
    z = np.sqrt(5) * d / np.exp(log_l)
    K = 2**-1.5 / special.gamma(2.5) * z**2.5 * special.kv(2.5, z)
    K = np.where(np.eye(len(X)) > 0, 1 + np.exp(log_noise), K)
    L = linalg.cholesky(K, lower=True)
    a = linalg.solve_triangular(L, y, lower=True)
    return 0.5 * a @ a + np.sum(np.log(np.diag(L)))


def sinkhorn(C, a, b, eps=0.5):
    K = np.exp(-C / eps)
    u = np.ones(len(a))
    for _ in range(5):
        v = b / (K.T @ u)
        u = a / (K @ v)
    return np.sum(u[:, None] * K * v * C)


REAL = "logarithms of sums take real numbers only"

CASES = [
    Case(
        "conditional random field",
        crf,
        lambda r: {
            "emissions": r.normal(size=(5, 3)),
            "transitions": r.normal(size=(3, 3)),
            "start": r.normal(size=3),
            "tags": np.array([0, 2, 1, 1, 0]),
        },
        complex_step=False,
        reason=REAL,
    ),
    Case(
        "connectionist temporal classification",
        ctc,
        lambda r: {"logits": r.normal(size=(5, 4)), "target": np.array([1, 2])},
        complex_step=False,
        reason=REAL,
    ),
    Case(
        "left to right",
        left_to_right,
        lambda r: {"a": r.normal(size=3), "mu": r.normal(size=3), "x": r.normal(size=5)},
        complex_step=False,
        reason=REAL,
    ),
    Case(
        "soft warping of time",
        soft_dtw,
        lambda r: {"x": r.normal(size=4), "y": r.normal(size=5)},
        complex_step=False,
        reason="np.full makes an array of real numbers",
    ),
    Case(
        "capsules",
        capsules,
        lambda r: {"u": r.normal(size=(3, 4)), "W": r.normal(size=(3, 2, 5, 4)) / 2, "y": np.array([1, 0])},
        complex_step=False,
        reason="lengths are compared",
    ),
    Case(
        "graph attention",
        graph_attention,
        lambda r: {
            "H": r.normal(size=(4, 3)),
            "W": r.normal(size=(3, 5)),
            "a": r.normal(size=10),
            "adj": np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 1]]),
        },
        complex_step=False,
        reason="scores are compared",
    ),
    Case(
        "contrasts of two views",
        nt_xent,
        lambda r: {"z1": r.normal(size=(3, 4)), "z2": r.normal(size=(3, 4))},
        complex_step=False,
        reason="norms are real",
    ),
    Case(
        "proximal policy",
        proximal_policy,
        lambda r: {
            "logits": r.normal(size=(5, 3)),
            "old": -1 + r.normal(size=5) / 10,
            "advantage": r.normal(size=5),
            "actions": np.array([0, 1, 2, 1, 0]),
        },
        complex_step=False,
        reason="ratios are clipped",
    ),
    Case(
        "between edges",
        ordinal,
        lambda r: {
            "scores": r.normal(size=6),
            "edges": np.array([-9.0, -0.5, 0.4, 1.1]),
            "y": np.array([0, 3, 1, 2, 2, 0]),
        },
        complex_step=False,
        reason="the normal distribution of scipy.stats takes real numbers only",
    ),
    Case(
        "censored gamma",
        censored_gamma,
        lambda r: {
            "log_scale": r.normal(size=2) / 3,
            "x": r.normal(size=5),
            "time": r.uniform(0.5, 4, 5),
            "died": np.array([True, False, True, False, False]),
        },
        complex_step=False,
        reason="the gamma distribution of scipy.stats takes real numbers only",
    ),
    Case(
        "robust intervals",
        robust_interval,
        lambda r: {
            "beta": r.normal(size=2),
            "X": r.normal(size=(5, 2)),
            "low": r.normal(size=5) - 1,
            "high": r.normal(size=5) + 4,
        },
        complex_step=False,
        reason="scipy.special.stdtr takes real numbers only",
    ),
    Case(
        "Gaussian process, Matérn",
        matern,
        lambda r: {
            "log_l": np.array(0.3),
            "log_noise": np.array(-2.0),
            "X": r.normal(size=(5, 2)),
            "y": r.normal(size=5),
        },
        complex_step=False,
        reason="scipy.linalg takes the factor of real matrices here",
    ),
    Case(
        "optimal transport",
        sinkhorn,
        lambda r: {"C": r.uniform(0, 2, (4, 3)), "a": np.full(4, 1 / 4), "b": np.full(3, 1 / 3)},
    ),
]
