"""Normalisation: by layer, root mean square, batch, group, weight."""

# ruff: noqa: RUF059 - users unpack shapes whole

from __future__ import annotations

import numpy as np

from zoo.case import Case

EPS = 1e-5
VARIANCE = "np.var and np.std take absolute values"


def layer_norm(x, gamma, beta, Y, eps=1e-5):
    mu = np.mean(x, axis=1, keepdims=True)
    var = np.var(x, axis=1, keepdims=True)
    x_hat = (x - mu) / np.sqrt(var + eps)
    return np.mean((gamma * x_hat + beta - Y) ** 2)


def layer_norm_by_hand(x, g, b, W, Y):
    n = x.shape[-1]
    mean = x.sum(-1)[:, None] / n
    centred = x - mean
    variance = (centred * centred).sum(-1)[:, None] / n
    y = g * centred * (variance + EPS) ** -0.5 + b
    return np.sum((y @ W - Y) ** 2)


def layer_norm_std(x, G):
    """A common short form, with the epsilon outside of the root."""
    z = (x - x.mean(-1, keepdims=True)) / (x.std(-1, keepdims=True) + 1e-6)
    return np.sum(G * z)


def rms_norm(x, weight, G):
    rms = np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + EPS)
    return np.sum(G * (x / rms) * weight)


class RMSNorm:
    """A layer with a weight of its own."""

    def __init__(self, weight, eps=1e-6):
        self.weight = weight
        self.eps = eps

    def _norm(self, x):
        return x * np.reciprocal(np.sqrt(np.square(x).mean(-1, keepdims=True) + self.eps))

    def __call__(self, x):
        return self._norm(x) * self.weight


def rms_norm_class(x, w1, W, w2, Y):
    h = RMSNorm(w1)(x)
    h = x + np.tanh(h @ W)
    return ((RMSNorm(w2)(h) - Y) ** 2).sum()


def batch_norm(X, W, gamma, beta, v, y):
    Z = X @ W
    mean = Z.mean(axis=0)
    var = Z.var(axis=0)
    Z_norm = (Z - mean) / np.sqrt(var + EPS)
    H = np.maximum(0, gamma * Z_norm + beta)
    return np.mean((H @ v - y) ** 2)


def batch_norm_columns(Z, gamma, beta, G):
    """Samples are columns."""
    m = Z.shape[1]
    mu = np.sum(Z, axis=1, keepdims=True) / m
    sigma2 = np.sum((Z - mu) ** 2, axis=1, keepdims=True) / m
    Zn = (Z - mu) / np.sqrt(sigma2 + 1e-8)
    return np.sum(np.multiply(G, np.tanh(gamma * Zn + beta)))


def batch_norm_staged(x, gamma, beta, G):
    """The well-known nine steps, each with its name."""
    N, D = x.shape
    mu = 1.0 / N * np.sum(x, axis=0)
    xmu = x - mu
    sq = xmu**2
    var = 1.0 / N * np.sum(sq, axis=0)
    sqrtvar = np.sqrt(var + EPS)
    ivar = 1.0 / sqrtvar
    xhat = xmu * ivar
    gammax = gamma * xhat
    out = gammax + beta
    return (out * G).sum()


def batch_norm_inference(x, gamma, beta, running, Y):
    x_hat = (x - running["mean"]) / np.sqrt(running["var"] + EPS)
    out = gamma * x_hat + beta
    return 0.5 * np.mean((out - Y) ** 2)


def batch_norm_images(x, gamma, beta, G):
    """Channels are the second axis of four."""
    mean = x.mean(axis=(0, 2, 3), keepdims=True)
    var = ((x - mean) ** 2).mean(axis=(0, 2, 3), keepdims=True)
    x = (x - mean) / np.sqrt(var + EPS)
    x = gamma.reshape(1, -1, 1, 1) * x + beta.reshape(1, -1, 1, 1)
    return np.sum(x * G)


def group_norm(x, gamma, beta, G, groups=2):
    N, C, H, W = x.shape
    x = x.reshape(N, groups, C // groups, H, W)
    mean = np.mean(x, axis=(2, 3, 4), keepdims=True)
    var = np.mean((x - mean) ** 2, axis=(2, 3, 4), keepdims=True)
    x = (x - mean) / np.sqrt(var + EPS)
    x = x.reshape((N, C, H, W))
    return np.sum((x * gamma[:, None, None] + beta[:, None, None]) * G)


def instance_norm(x, G):
    N, C = x.shape[:2]
    flat = x.reshape(N, C, -1)
    flat = flat - flat.mean(axis=2)[:, :, np.newaxis]
    flat = flat / np.sqrt(np.square(flat).mean(axis=2)[..., np.newaxis] + EPS)
    return np.vdot(G, flat.reshape(x.shape))


def weight_norm(v, g, b, X, Y):
    W = g * v / np.linalg.norm(v, axis=0)
    return np.mean((X @ W + b - Y) ** 2)


def weight_norm_by_hand(v, g, X, Y):
    norm = np.sqrt((v**2).sum(axis=1, keepdims=True))
    W = g.reshape(-1, 1) * v / norm
    return np.sum((np.tanh(W @ X) - Y) ** 2)


def unit_vectors(A, B):
    """The mean cosine of the angles between rows."""
    a = A / np.sqrt(np.sum(A**2, axis=1))[:, np.newaxis]
    b = B / np.sqrt(np.sum(B**2, axis=1))[:, np.newaxis]
    return np.mean(a @ b.T)


def spectral_step(W, u, X):
    """One step of the power method before the norm is taken out."""
    v = W.T @ u
    v = v / np.sqrt(v @ v)
    s = W @ v
    sigma = np.sqrt(np.dot(s, s))
    return np.sum(np.tanh(X @ W.T / sigma))


def standardised_sample_variance(X, w):
    Z = (X - X.mean(0)) / X.std(0, ddof=1)
    return np.sum(np.tanh(Z) @ w)


CASES = [
    Case(
        "layer norm",
        layer_norm,
        lambda r: {
            "x": r.normal(size=(4, 3)),
            "gamma": r.normal(size=3),
            "beta": r.normal(size=3),
            "Y": r.normal(size=(4, 3)),
        },
        complex_step=False,
        reason=VARIANCE,
    ),
    Case(
        "layer norm by hand",
        layer_norm_by_hand,
        lambda r: {
            "x": r.normal(size=(4, 3)),
            "g": r.normal(size=3),
            "b": r.normal(size=3),
            "W": r.normal(size=(3, 2)),
            "Y": r.normal(size=(4, 2)),
        },
    ),
    Case(
        "layer norm with std",
        layer_norm_std,
        lambda r: {"x": r.normal(size=(2, 4, 3)), "G": r.normal(size=(2, 4, 3))},
        complex_step=False,
        reason=VARIANCE,
    ),
    Case(
        "RMS norm",
        rms_norm,
        lambda r: {"x": r.normal(size=(4, 3)), "weight": r.normal(size=3), "G": r.normal(size=(4, 3))},
    ),
    Case(
        "RMS norm as a class",
        rms_norm_class,
        lambda r: {
            "x": r.normal(size=(4, 3)),
            "w1": r.normal(size=3),
            "W": r.normal(size=(3, 3)),
            "w2": r.normal(size=3),
            "Y": r.normal(size=(4, 3)),
        },
    ),
    Case(
        "batch norm in training",
        batch_norm,
        lambda r: {
            "X": r.normal(size=(5, 3)),
            "W": r.normal(size=(3, 4)),
            "gamma": r.normal(size=4),
            "beta": r.normal(size=4),
            "v": r.normal(size=4),
            "y": r.normal(size=5),
        },
        complex_step=False,
        reason=VARIANCE,
    ),
    Case(
        "batch norm, samples are columns",
        batch_norm_columns,
        lambda r: {
            "Z": r.normal(size=(3, 5)),
            "gamma": r.normal(size=(3, 1)),
            "beta": r.normal(size=(3, 1)),
            "G": r.normal(size=(3, 5)),
        },
    ),
    Case(
        "batch norm in stages",
        batch_norm_staged,
        lambda r: {
            "x": r.normal(size=(5, 3)),
            "gamma": r.normal(size=3),
            "beta": r.normal(size=3),
            "G": r.normal(size=(5, 3)),
        },
    ),
    Case(
        "batch norm in inference",
        batch_norm_inference,
        lambda r: {
            "x": r.normal(size=(5, 3)),
            "gamma": r.normal(size=3),
            "beta": r.normal(size=3),
            "running": {"mean": r.normal(size=3), "var": r.uniform(0.5, 2, size=3)},
            "Y": r.normal(size=(5, 3)),
        },
    ),
    Case(
        "batch norm of images",
        batch_norm_images,
        lambda r: {
            "x": r.normal(size=(2, 3, 4, 5)),
            "gamma": r.normal(size=3),
            "beta": r.normal(size=3),
            "G": r.normal(size=(2, 3, 4, 5)),
        },
    ),
    Case(
        "group norm",
        group_norm,
        lambda r: {
            "x": r.normal(size=(3, 4, 2, 5)),
            "gamma": r.normal(size=4),
            "beta": r.normal(size=4),
            "G": r.normal(size=(3, 4, 2, 5)),
        },
    ),
    Case(
        "instance norm",
        instance_norm,
        lambda r: {"x": r.normal(size=(2, 3, 4, 5)), "G": r.normal(size=(2, 3, 4, 5))},
        complex_step=False,
        reason="np.vdot conjugates",
    ),
    Case(
        "weight norm",
        weight_norm,
        lambda r: {
            "v": r.normal(size=(3, 4)),
            "g": r.normal(size=4),
            "b": r.normal(size=4),
            "X": r.normal(size=(5, 3)),
            "Y": r.normal(size=(5, 4)),
        },
        complex_step=False,
        reason="np.linalg.norm takes absolute values",
    ),
    Case(
        "weight norm by hand",
        weight_norm_by_hand,
        lambda r: {
            "v": r.normal(size=(4, 3)),
            "g": r.normal(size=4),
            "X": r.normal(size=(3, 5)),
            "Y": r.normal(size=(4, 5)),
        },
    ),
    Case("unit vectors", unit_vectors, lambda r: {"A": r.normal(size=(4, 3)), "B": r.normal(size=(5, 3))}),
    Case(
        "a step of spectral norm",
        spectral_step,
        lambda r: {"W": r.normal(size=(4, 3)), "u": r.normal(size=4), "X": r.normal(size=(5, 3))},
    ),
    Case(
        "standardised with ddof",
        standardised_sample_variance,
        lambda r: {"X": r.normal(size=(5, 3)), "w": r.normal(size=3)},
        complex_step=False,
        reason=VARIANCE,
    ),
]
