import numpy as np


def forward(x, w, b, t):
    y = np.correlate(x, w, mode="valid") + b
    a = np.tanh(y)
    return np.mean((a - t) ** 2), (y, a)


def backward(x, w, b, t, cache):
    y, a = cache
    da = 2 * (a - t) / len(t)
    dy = da * (1 - a**2)
    dw = np.correlate(x, dy, mode="valid")
    dx = np.convolve(dy, w, mode="full")
    db = dy.sum()
    return dx, dw, db


def arguments(rng):
    return dict(x=rng.normal(size=9), w=rng.normal(size=3), b=0.3, t=rng.normal(size=7))
