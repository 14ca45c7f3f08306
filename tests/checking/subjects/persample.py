import numpy as np


def forward(X, y, W, b, v):
    total = 0.0
    for i in range(len(X)):
        h = np.tanh(W @ X[i] + b)
        p = 1 / (1 + np.exp(-(v @ h)))
        total = total - (y[i] * np.log(p) + (1 - y[i]) * np.log(1 - p))
    return total / len(X)


def backward(X, y, W, b, v):
    dW, db, dv = np.zeros_like(W), np.zeros_like(b), np.zeros_like(v)
    for i in range(len(X)):
        h = np.tanh(W @ X[i] + b)
        p = 1 / (1 + np.exp(-(v @ h)))
        delta = p - y[i]
        dv += delta * h
        dh = delta * v
        dz = dh * (1 - h**2)
        dW += np.outer(dz, X[i])
        db += dz
    n = len(X)
    return dW / n, db / n, dv / n


def arguments(rng):
    return dict(
        X=rng.normal(size=(7, 4)),
        y=rng.integers(0, 2, 7).astype(float),
        W=rng.normal(size=(5, 4)),
        b=rng.normal(size=5),
        v=rng.normal(size=5),
    )
