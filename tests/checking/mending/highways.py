import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(x, y, Hs, Ts, v):
    hs, ts, xs = [], [], [x]
    for H, T in zip(Hs, Ts):
        h, t = np.tanh(xs[-1] @ H), sigmoid(xs[-1] @ T - 1)
        hs.append(h)
        ts.append(t)
        xs.append(h * t + xs[-1] * (1 - t))
    r = xs[-1] @ v - y
    return np.mean(r**2), (hs, ts, xs, r)


def backward(x, y, Hs, Ts, v, result):
    hs, ts, xs, r = result
    dr = 2 * r / len(r)
    dv = xs[-1].T @ dr
    dx = np.outer(dr, v)
    dHs, dTs = [None] * len(Hs), [None] * len(Ts)
    for l in range(len(Hs) - 1, -1, -1):
        dh = dx * ts[l]
        dt = dx * (hs[l] - xs[l])
        du = dh * (1 - hs[l] ** 2)
        ds = dt * ts[l] * (1 - ts[l])
        dHs[l] = xs[l].T @ du
        dTs[l] = xs[l].T @ ds
        dx = dx * (1 - ts[l]) + du @ Hs[l].T + ds @ Ts[l].T
    return dHs, dTs, dv


def arguments(rng):
    return dict(
        x=rng.normal(size=(5, 4)), y=rng.normal(size=5), Hs=[rng.normal(size=(4, 4)) for _ in range(3)],
        Ts=[rng.normal(size=(4, 4)) for _ in range(3)], v=rng.normal(size=4),
    )  # fmt: skip
