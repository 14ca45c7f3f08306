"""Word vectors with negative samples, pair by pair; both tables of vectors get derivatives."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def forward(centers, contexts, negatives, V, U):
    J = 0
    for k in range(len(centers)):
        v = V[centers[k]]
        u = U[contexts[k]]
        neg = U[negatives[k]]
        J = J - np.log(sigmoid(u @ v)) - np.sum(np.log(sigmoid(-(neg @ v))))
    return J


def backward(centers, contexts, negatives, V, U):
    dV = np.zeros(V.shape)
    dU = np.zeros(U.shape)
    for k in range(len(centers)):
        c, o, ns = centers[k], contexts[k], negatives[k]
        v = V[c]
        u = U[o]
        neg = U[ns]
        z_o = sigmoid(u @ v) - 1
        z_n = sigmoid(neg @ v)
        dV[c] += z_o * u + neg.T @ z_n
        dU[o] += z_o * v
        np.add.at(dU, ns, np.outer(z_n, v))
    return dV, dU


def data(rng):
    return {
        "centers": np.array([0, 1, 2, 1, 4]),
        "contexts": np.array([1, 3, 1, 0, 3]),
        "negatives": np.array([[2, 5, 2], [4, 0, 5], [3, 3, 0], [5, 2, 4], [1, 0, 2]]),
        "V": rng.normal(size=(6, 4)),
        "U": rng.normal(size=(6, 4)),
    }
