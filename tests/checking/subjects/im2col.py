import numpy as np


def forward(x, W, b, t):
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3))[::2, ::2]
    cols = windows.reshape(-1, 9)
    y = cols @ W.T + b
    a = np.maximum(y, 0)
    return np.sum((a - t) ** 2) / 2, (cols, y, a)


def backward(x, W, b, t, cache):
    cols, y, a = cache
    da = a - t
    dy = da * (y > 0)
    dW = dy.T @ cols
    db = dy.sum(axis=0)
    dcols = dy @ W
    dx = np.zeros_like(x)
    for k in range(9):
        i, j = divmod(k, 3)
        dx[i : i + 5 : 2, j : j + 5 : 2] += dcols[:, k].reshape(3, 3)
    return dx, dW, db


def arguments(rng):
    return dict(x=rng.normal(size=(7, 7)), W=rng.normal(size=(2, 9)), b=rng.normal(size=2), t=rng.normal(size=(9, 2)))
