"""Matrix factorisation with biases on ratings of users for items, both of which occur several times; L2."""

import numpy as np


def forward(users, items, ratings, P, Q, bu, bi, reg):
    pred = np.sum(P[users] * Q[items], axis=1) + bu[users] + bi[items]
    err = pred - ratings
    loss = np.mean(err**2) + reg * (np.sum(P**2) + np.sum(Q**2))
    return loss, err


def backward(users, items, P, Q, bu, bi, reg, err):
    n = len(err)
    dP = np.zeros_like(P)
    dQ = np.zeros_like(Q)
    dbu = np.zeros_like(bu)
    dbi = np.zeros_like(bi)
    dpred = 2 * err / n
    for k in range(n):
        u, i = users[k], items[k]
        dP[u] += dpred[k] * Q[i]
        dQ[i] += dpred[k] * P[u]
        dbu[u] += dpred[k]
        dbi[i] += dpred[k]
    dP += 2 * reg * P
    dQ += 2 * reg * Q
    return dP, dQ, dbu, dbi


def data(rng):
    return {
        "users": np.array([0, 1, 2, 0, 3, 2, 1]),
        "items": np.array([0, 1, 0, 2, 3, 4, 1]),
        "ratings": rng.normal(size=7),
        "P": rng.normal(size=(4, 3)),
        "Q": rng.normal(size=(5, 3)),
        "bu": rng.normal(size=4),
        "bi": rng.normal(size=5),
        "reg": 0.1,
    }
