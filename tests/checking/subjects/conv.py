import numpy as np


def forward(x, w, t):
    k = w.shape[0]
    xp = np.pad(x, 1)
    size = xp.shape[0] - k + 1
    rows = []
    for i in range(size):
        rows.append(np.stack([np.sum(xp[i : i + k, j : j + k] * w) for j in range(size)]))
    y = np.stack(rows)
    return 0.5 * np.sum((y - t) ** 2), (xp, y)


def backward(x, w, t, cache):
    xp, y = cache
    k = w.shape[0]
    dy = y - t
    dw = np.zeros_like(w)
    dxp = np.zeros_like(xp)
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            dw += dy[i, j] * xp[i : i + k, j : j + k]
            dxp[i : i + k, j : j + k] += dy[i, j] * w
    dx = dxp[1:-1, 1:-1]
    return dx, dw


def arguments(rng):
    return dict(x=rng.normal(size=(5, 5)), w=rng.normal(size=(3, 3)), t=rng.normal(size=(5, 5)))
