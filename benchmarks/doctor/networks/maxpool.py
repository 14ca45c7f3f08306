"""Max-pooling in loops between two linear layers on small pictures, sample by sample; softmax with labels."""

import numpy as np


def forward(images, labels, K, W, b):
    n = len(images)
    pooled = []
    switches = []
    probs = []
    total = 0.0
    for s in range(n):
        z = images[s] * K
        p = []
        where = {}
        for r in range(2):
            for c in range(3):
                window = z[2 * r : 2 * r + 2, 2 * c : 2 * c + 2]
                k = int(np.argmax(window))
                where[r, c] = k
                p.append(np.max(window))
        flat = np.stack(p)
        scores = W @ flat + b
        e = np.exp(scores)
        prob = e / np.sum(e)
        total = total - np.log(prob[labels[s]])
        pooled.append(flat)
        switches.append(where)
        probs.append(prob)
    return total / n, pooled, switches, probs


def backward(images, labels, K, W, b, pooled, switches, probs):
    n = len(images)
    dK = np.zeros_like(K)
    dW = np.zeros_like(W)
    db = np.zeros_like(b)
    for s in range(n):
        dscores = probs[s].copy()
        dscores[labels[s]] -= 1
        dscores = dscores / n
        dW += np.outer(dscores, pooled[s])
        db += dscores
        dflat = W.T @ dscores
        dp = dflat.reshape(2, 3)
        dz = np.zeros(K.shape)
        for r in range(2):
            for c in range(3):
                i, j = divmod(switches[s][r, c], 2)
                dz[2 * r + i, 2 * c + j] += dp[r, c]
        dK += dz * images[s]
    return dK, dW, db


def data(rng):
    return {
        "images": rng.normal(size=(5, 4, 6)),
        "labels": rng.integers(0, 3, 5),
        "K": rng.normal(size=(4, 6)),
        "W": rng.normal(size=(3, 6)),
        "b": rng.normal(size=3),
    }
