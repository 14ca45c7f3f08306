"""An LSTM on a batch of sequences; all gates in one matrix, a loss on the last state."""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(xs, target, W, U, b, V):
    N, T, D = xs.shape
    H = U.shape[0]
    h = np.zeros((N, H))
    c = np.zeros((N, H))
    cache = []
    for t in range(T):
        h_prev, c_prev = h, c
        z = xs[:, t] @ W + h_prev @ U + b
        i = sigmoid(z[:, :H])
        f = sigmoid(z[:, H : 2 * H])
        o = sigmoid(z[:, 2 * H : 3 * H])
        g = np.tanh(z[:, 3 * H :])
        c = f * c_prev + i * g
        tc = np.tanh(c)
        h = o * tc
        cache.append((h_prev, c_prev, i, f, o, g, tc))
    out = h @ V
    loss = 0.5 * np.sum((out - target) ** 2) / N
    return loss, out, h, cache


def backward(xs, target, W, U, b, V, out, h, cache):
    N, T, D = xs.shape
    dW, dU, db = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b)
    dout = (out - target) / N
    dV = h.T @ dout
    dh = dout @ V.T
    dc = np.zeros_like(dh)
    for t in reversed(range(T)):
        h_prev, c_prev, i, f, o, g, tc = cache[t]
        do = dh * tc
        dc = dc + dh * o * (1 - tc**2)
        df = dc * c_prev
        di = dc * g
        dg = dc * i
        dz_i = di * i * (1 - i)
        dz_f = df * f * (1 - f)
        dz_o = do * o * (1 - o)
        dz_g = dg * (1 - g**2)
        dz = np.hstack([dz_i, dz_f, dz_o, dz_g])
        dW += xs[:, t].T @ dz
        dU += h_prev.T @ dz
        db += dz.sum(axis=0)
        dh = dz @ U.T
        dc = dc * f
    return dW, dU, db, dV


def data(rng):
    return {
        "xs": rng.normal(size=(5, 4, 3)),
        "target": rng.normal(size=(5, 2)),
        "W": rng.normal(size=(3, 16)) * 0.6,
        "U": rng.normal(size=(4, 16)) * 0.6,
        "b": rng.normal(size=16) * 0.5,
        "V": rng.normal(size=(4, 2)),
    }
