"""A hidden layer of hard tanh, which is np.clip, and logistic loss whose probabilities are clipped off 0 and 1."""

import numpy as np


def forward(X, t, W, b, v, c, eps):
    m = len(t)
    z = X @ W + b
    h = np.clip(z, -1, 1)
    s = h @ v + c
    p = 1 / (1 + np.exp(-s))
    q = np.clip(p, eps, 1 - eps)
    loss = -np.sum(t * np.log(q) + (1 - t) * np.log(1 - q)) / m
    return loss, (z, h, p, q)


def backward(X, t, W, b, v, c, eps, cache):
    z, h, p, q = cache
    m = len(t)
    dq = (q - t) / (q * (1 - q)) / m
    dp = dq * ((p > eps) & (p < 1 - eps))
    ds = dp * p * (1 - p)
    dv = h.T @ ds
    dc = np.sum(ds, keepdims=True)
    dh = np.outer(ds, v)
    dz = dh * (np.abs(z) < 1)
    dW = X.T @ dz
    db = dz.sum(axis=0)
    return {"W": dW, "b": db, "v": dv, "c": dc}


def data(rng):
    return {
        "X": rng.normal(size=(11, 4)),
        "t": rng.integers(0, 2, 11).astype(float),
        "W": rng.normal(size=(4, 5)) * 0.6,
        "b": rng.normal(size=5) * 0.5,
        "v": rng.normal(size=5) * 2,
        "c": rng.normal(size=1),
        "eps": 0.1,
    }
