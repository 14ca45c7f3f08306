import numpy as np


def forward(X, T, gamma, beta, W):
    n = len(X)
    mu = np.sum(X @ W, axis=0) / n
    xc = X @ W - mu
    var = np.sum(xc**2, axis=0) / n
    std = np.sqrt(var + 1e-5)
    xhat = xc / std
    out = gamma * xhat + beta
    return np.sum((out - T) ** 2) / n, (xc, std, xhat, out)


def backward(X, T, gamma, W, cache):
    xc, std, xhat, out = cache
    n = len(X)
    dout = 2 * (out - T) / n
    dgamma = np.sum(dout * xhat, axis=0)
    dbeta = np.sum(dout, axis=0)
    dxhat = dout * gamma
    dstd = -np.sum(dxhat * xc, axis=0) / std**2
    dvar = 0.5 * dstd / std
    dxc = dxhat / std
    dxc = dxc + 2 / n * xc * dvar
    dmu = -np.sum(dxc, axis=0)
    du = dxc + dmu / n
    dW = X.T @ du
    return dict(W=dW, gamma=dgamma, beta=dbeta)


def arguments(rng):
    return dict(
        X=rng.normal(size=(7, 4)),
        T=rng.normal(size=(7, 3)),
        gamma=rng.normal(size=3) + 1.5,
        beta=rng.normal(size=3),
        W=rng.normal(size=(4, 3)),
    )
