"""Scaled dot-product attention of one sequence with a projection behind it; squared error."""

import numpy as np


def softmax(s):
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def forward(X, Y, Wq, Wk, Wv, Wo):
    Q = X @ Wq
    K = X @ Wk
    V = X @ Wv
    d = Q.shape[-1]
    S = Q @ K.T / np.sqrt(d)
    P = softmax(S)
    O = P @ V
    out = O @ Wo
    loss = 0.5 * np.mean((out - Y) ** 2)
    return loss, (Q, K, V, d, P, O, out)


def backward(X, Y, Wq, Wk, Wv, Wo, cache):
    Q, K, V, d, P, O, out = cache
    dout = (out - Y) / Y.size
    dWo = O.T @ dout
    dO = dout @ Wo.T
    dV = P.T @ dO
    dP = dO @ V.T
    dS = P * (dP - np.sum(dP * P, axis=-1, keepdims=True))
    dQ = dS @ K / np.sqrt(d)
    dK = dS.T @ Q / np.sqrt(d)
    dWq = X.T @ dQ
    dWk = X.T @ dK
    dWv = X.T @ dV
    dX = dQ @ Wq.T + dK @ Wk.T + dV @ Wv.T
    return dWq, dWk, dWv, dWo, dX


def data(rng):
    return {
        "X": rng.normal(size=(6, 5)),
        "Y": rng.normal(size=(6, 2)),
        "Wq": rng.normal(size=(5, 3)),
        "Wk": rng.normal(size=(5, 3)),
        "Wv": rng.normal(size=(5, 4)),
        "Wo": rng.normal(size=(4, 2)),
    }
