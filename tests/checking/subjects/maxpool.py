import numpy as np


def forward(x, W, t):
    n = x.shape[0] // 2
    blocks = x.reshape(n, 2, n, 2)
    p = blocks.max(axis=(1, 3))
    y = p @ W
    return 0.5 * np.sum((y - t) ** 2), (p, y)


def backward(x, W, t, cache):
    p, y = cache
    n = p.shape[0]
    dy = y - t
    dW = p.T @ dy
    dp = dy @ W.T
    blocks = x.reshape(n, 2, n, 2)
    mask = blocks == p[:, None, :, None]
    dx = (mask * dp[:, None, :, None]).reshape(x.shape)
    return dx, dW


def arguments(rng):
    return dict(x=rng.normal(size=(6, 6)), W=rng.normal(size=(3, 5)), t=rng.normal(size=(3, 5)))
