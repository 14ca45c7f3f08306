import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def forward(firsts, seconds, U, V, c):
    J = 0
    for k in range(len(firsts)):
        s = U[firsts[k]] @ V[seconds[k]] + c[seconds[k]]
        J = J - np.log(sigmoid(s))
    return J


def backward(firsts, seconds, U, V, c):
    dU, dV, dc = np.zeros(U.shape), np.zeros(V.shape), np.zeros(c.shape)
    for k in range(len(firsts)):
        i, j = firsts[k], seconds[k]
        ds = sigmoid(U[i] @ V[j] + c[j]) - 1
        dU[i] += ds * V[j]
        dV[j] += ds * U[i]
        dc[j] += ds
    return dU, dV, dc


def arguments(rng):
    return dict(
        firsts=np.array([0, 1, 2, 1, 0]),
        seconds=np.array([1, 3, 1, 0, 2]),
        U=rng.normal(size=(4, 3)),
        V=rng.normal(size=(5, 3)),
        c=rng.normal(size=5),
    )
