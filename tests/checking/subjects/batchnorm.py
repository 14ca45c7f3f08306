import numpy as np


def forward(x, gamma, beta, W, target):
    N = x.shape[0]
    mu = np.mean(x, axis=0)
    xmu = x - mu
    var = np.sum(xmu**2, axis=0) / N
    istd = 1 / np.sqrt(var + 1e-3)
    xhat = xmu * istd
    out = gamma * xhat + beta
    y = out @ W
    return 0.5 * np.sum((y - target) ** 2) / N


def backward(gamma, W, target, xmu, var, istd, xhat, out, y):
    N = y.shape[0]
    dy = (y - target) / N
    dW = out.T @ dy
    dout = dy @ W.T
    dgamma = np.sum(dout * xhat, axis=0)
    dbeta = np.sum(dout, axis=0)
    dxhat = dout * gamma
    dvar = np.sum(dxhat * xmu, axis=0) * -0.5 * istd**3
    dmu = np.sum(-dxhat * istd, axis=0) + dvar * np.mean(-2 * xmu, axis=0)
    dx = dxhat * istd + dvar * 2 * xmu / N + dmu / N
    return dx, dgamma, dbeta, dW


def arguments(rng):
    return dict(
        x=rng.normal(size=(7, 4)),
        gamma=rng.normal(size=4),
        beta=rng.normal(size=4),
        W=rng.normal(size=(4, 3)),
        target=rng.normal(size=(7, 3)),
    )
