import numpy as np


def normalised(A):
    A = A + np.eye(len(A))
    d = A.sum(axis=1)
    return A / np.sqrt(np.outer(d, d))


def forward(A, X, Y, mask, W0, W1, lam=0.01):
    S = normalised(A)
    AX = S @ X
    Z = AX @ W0
    H = np.maximum(Z, 0)
    AH = S @ H
    O = AH @ W1
    O = O - O.max(axis=1, keepdims=True)
    logp = O - np.log(np.exp(O).sum(axis=1, keepdims=True))
    loss = -(Y * logp * mask[:, None]).sum() / mask.sum()
    loss += 0.5 * lam * ((W0**2).sum() + (W1**2).sum())
    return loss, dict(S=S, AX=AX, Z=Z, AH=AH, logp=logp)


def backward(Y, mask, W0, W1, cache, lam=0.01):
    P = np.exp(cache["logp"])
    dO = (P - Y) * mask[:, None] / mask.sum()
    dW1 = cache["AH"].T @ dO + lam * W1
    dAH = dO @ W1.T
    dH = cache["S"].T @ dAH
    dZ = dH * (cache["Z"] > 0)
    dW0 = cache["AX"].T @ dZ + lam * W0
    return dict(W0=dW0, W1=dW1)


def arguments(rng):
    n = 6
    A = (rng.random((n, n)) < 0.4).astype(float)
    A = np.triu(A, 1) + np.triu(A, 1).T
    return {
        "A": A,
        "X": rng.normal(size=(n, 4)),
        "Y": np.eye(3)[rng.integers(0, 3, n)],
        "mask": np.array([1.0, 0, 1, 1, 0, 1]),
        "W0": rng.normal(size=(4, 5)),
        "W1": rng.normal(size=(5, 3)),
    }
