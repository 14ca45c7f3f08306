import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def forward(xs, target, W, U, V, R, O):
    h = np.zeros((xs.shape[1], len(U)))
    kept = []
    for x in xs:
        u = sigmoid(x @ W + h @ U)
        c = np.tanh(x @ V + (u * h) @ R)
        kept.append((x, h, u, c))
        h = u * h + (1 - u) * c
    out = h @ O
    return np.sum((out - target) ** 2) / len(target), (kept, h, out)


def backward(xs, target, W, U, V, R, O, result):
    kept, h_last, out = result
    dW, dU, dV, dR = (np.zeros_like(p) for p in (W, U, V, R))
    dout = 2 * (out - target) / len(target)
    dO = h_last.T @ dout
    dh = dout @ O.T
    for x, h, u, c in reversed(kept):
        dac = dh * (1 - u) * (1 - c * c)
        dV += x.T @ dac
        dR += (u * h).T @ dac
        duh = dac @ R.T
        du = dh * (h - c) + duh * h
        dau = du * u * (1 - u)
        dW += x.T @ dau
        dU += h.T @ dau
        dh_prev = dh * u
        dh_prev += duh * u
        dh_prev += dau @ U.T
        dh = dh_prev
    return dW, dU, dV, dR, dO


def arguments(rng):
    sizes = dict(W=(3, 5), U=(5, 5), V=(3, 5), R=(5, 5), O=(5, 2))
    drawn = {name: rng.normal(size=size) * 0.6 for name, size in sizes.items()}
    return dict(xs=rng.normal(size=(4, 7, 3)), target=rng.normal(size=(7, 2)), **drawn)
