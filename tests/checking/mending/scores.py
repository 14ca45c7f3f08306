import numpy as np


def forward(x, target, Q, K, V):
    mask = np.tril(np.ones((x.shape[1], x.shape[1]), bool))
    width = Q.shape[1]
    q, k, v = x @ Q, x @ K, x @ V
    scores = np.where(mask, q @ k.transpose(0, 2, 1) / np.sqrt(width), -1e9)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares = e / e.sum(axis=-1, keepdims=True)
    out = shares @ v
    return 0.5 * np.sum((out - target) ** 2), (mask, q, k, v, shares, out)


def backward(x, target, Q, K, V, result):
    mask, q, k, v, shares, out = result
    width = Q.shape[1]
    dout = out - target
    dshares = dout @ v.transpose(0, 2, 1)
    dv = shares.transpose(0, 2, 1) @ dout
    dscores = shares * (dshares - np.sum(shares * dshares, axis=-1, keepdims=True))
    dscores = np.where(mask, dscores, 0) / np.sqrt(width)
    dq = dscores @ k
    dk = dscores.transpose(0, 2, 1) @ q
    flat = x.reshape(-1, x.shape[2])
    dQ, dK, dV = (flat.T @ d.reshape(len(flat), -1) for d in (dq, dk, dv))
    return dQ, dK, dV


def arguments(rng):
    return dict(
        x=rng.normal(size=(3, 4, 5)), target=rng.normal(size=(3, 4, 2)), Q=rng.normal(size=(5, 2)),
        K=rng.normal(size=(5, 2)), V=rng.normal(size=(5, 2)),
    )  # fmt: skip
