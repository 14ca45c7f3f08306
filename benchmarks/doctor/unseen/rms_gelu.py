"""The feed-forward part of a transformer: RMS normalisation, GELU, and the way round both."""

import numpy as np

C = np.sqrt(2 / np.pi)


def gelu(x):
    return 0.5 * x * (1 + np.tanh(C * (x + 0.044715 * x**3)))


def gelu_grad(x):
    t = np.tanh(C * (x + 0.044715 * x**3))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t**2) * C * (1 + 3 * 0.044715 * x**2)


def forward(x, g, W_up, b_up, W_down, b_down, target):
    ms = np.mean(x**2, axis=-1, keepdims=True)
    rms = np.sqrt(ms + 1e-6)
    xn = x / rms
    u = xn * g
    a = u @ W_up + b_up
    h = gelu(a)
    out = x + h @ W_down + b_down
    return 0.5 * np.sum((out - target) ** 2) / x.shape[0]


def backward(x, g, W_up, W_down, rms, xn, u, a, h, out, target):
    B, D = x.shape
    dout = (out - target) / B
    dW_down = h.T @ dout
    db_down = dout.sum(axis=0)
    dh = dout @ W_down.T
    da = dh * gelu_grad(a)
    dW_up = u.T @ da
    db_up = da.sum(axis=0)
    du = da @ W_up.T
    dg = np.sum(du * xn, axis=0)
    dxn = du * g
    dx = (dxn - xn * np.mean(dxn * xn, axis=-1, keepdims=True)) / rms
    dx = dx + dout
    return {"x": dx, "g": dg, "W_up": dW_up, "b_up": db_up, "W_down": dW_down, "b_down": db_down}


def data(rng):
    return {
        "x": rng.normal(size=(7, 5)),
        "g": rng.normal(size=5) + 1.5,
        "W_up": rng.normal(size=(5, 8)) * 0.6,
        "b_up": rng.normal(size=8) * 0.5,
        "W_down": rng.normal(size=(8, 5)) * 0.6,
        "b_down": rng.normal(size=5),
        "target": rng.normal(size=(7, 5)),
    }
