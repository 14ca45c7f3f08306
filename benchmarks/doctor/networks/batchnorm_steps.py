"""Batch normalisation between two layers, its backward pass in small steps."""

import numpy as np


def forward(x, target, W, gamma, beta, V):
    N = x.shape[0]
    u = x @ W
    mu = np.sum(u, axis=0) / N
    xc = u - mu
    var = np.sum(xc**2, axis=0) / N
    std = np.sqrt(var + 1e-5)
    inv = 1 / std
    xhat = xc * inv
    y = gamma * xhat + beta
    h = np.maximum(y, 0)
    out = h @ V
    loss = 0.5 * np.sum((out - target) ** 2) / N
    return loss, (xc, var, std, inv, xhat, y, h, out)


def backward(x, target, gamma, V, cache):
    xc, var, std, inv, xhat, y, h, out = cache
    N = x.shape[0]
    dout = (out - target) / N
    dV = h.T @ dout
    dh = dout @ V.T
    dy = dh * (y > 0)
    dgamma = np.sum(dy * xhat, axis=0)
    dbeta = np.sum(dy, axis=0)
    dxhat = dy * gamma
    dinv = np.sum(dxhat * xc, axis=0)
    dxc = dxhat * inv
    dstd = -dinv / std**2
    dvar = 0.5 * dstd / std
    dxc = dxc + 2 / N * xc * dvar
    dmu = -np.sum(dxc, axis=0)
    du = dxc + dmu / N
    dW = x.T @ du
    return dict(dW=dW, dgamma=dgamma, dbeta=dbeta, dV=dV)


def data(rng):
    return {
        "x": rng.normal(size=(7, 4)),
        "target": rng.normal(size=(7, 3)),
        "W": rng.normal(size=(4, 5)),
        "gamma": rng.normal(size=5) + 1.5,
        "beta": rng.normal(size=5),
        "V": rng.normal(size=(5, 3)),
    }
