import numpy as np


def forward(x, gamma, beta, target):
    mean = x.mean(axis=0)
    var = x.var(axis=0)
    xhat = (x - mean) / np.sqrt(var + 1e-3)
    out = gamma * xhat + beta
    return np.sum((out - target) ** 2)


def backward(x, gamma, mean, var, xhat, out, target):
    N = x.shape[0]
    dout = 2 * (out - target)
    dbeta = dout.sum(axis=0)
    dgamma = (dout * xhat).sum(axis=0)
    dx = gamma / np.sqrt(var + 1e-3) / N * (N * dout - dbeta - xhat * dgamma)
    return dx, dgamma, dbeta


def arguments(rng):
    return dict(
        x=rng.normal(size=(7, 4)), gamma=rng.normal(size=4), beta=rng.normal(size=4), target=rng.normal(size=(7, 4))
    )
