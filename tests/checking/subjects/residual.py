import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))


def forward(x, t, W, V, U):
    N = len(x)
    z1 = x @ W
    h1 = sigmoid(z1)
    r1 = x + h1 @ V
    z2 = r1 @ W
    h2 = sigmoid(z2)
    r2 = r1 + h2 @ V
    y = r2 @ U
    return np.sum((y - t) ** 2) / N


def backward(x, t, W, V, U, z1, h1, r1, z2, h2, r2, y):
    N = len(x)
    dy = 2 * (y - t) / N
    dU = r2.T @ dy
    dr2 = dy @ U.T
    dh2 = dr2 @ V.T
    dz2 = dh2 * sigmoid_prime(z2)
    dr1 = dr2 + dz2 @ W.T
    dh1 = dr1 @ V.T
    dz1 = dh1 * sigmoid_prime(z1)
    dx = dr1 + dz1 @ W.T
    dW = x.T @ dz1 + r1.T @ dz2
    dV = h1.T @ dr1 + h2.T @ dr2
    return dW, dV, dU, dx


def arguments(rng):
    return dict(
        x=rng.normal(size=(7, 4)),
        t=rng.normal(size=(7, 3)),
        W=rng.normal(size=(4, 5)),
        V=rng.normal(size=(5, 4)),
        U=rng.normal(size=(4, 3)),
    )
