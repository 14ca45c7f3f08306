import numpy as np


def forward(X, Wq, Wk, Wv, target):
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    d = Q.shape[1]
    S = Q @ K.T / np.sqrt(d)
    E = np.exp(S - S.max(axis=1, keepdims=True))
    P = E / E.sum(axis=1, keepdims=True)
    O = P @ V
    return 0.5 * np.sum((O - target) ** 2)


def backward(X, Wq, Wk, Wv, target, Q, K, V, P, O, d):
    dO = O - target
    dV = P.T @ dO
    dP = dO @ V.T
    dS = P * (dP - np.sum(dP * P, axis=1, keepdims=True))
    dQ = dS @ K / np.sqrt(d)
    dK = dS.T @ Q / np.sqrt(d)
    dWq = X.T @ dQ
    dWk = X.T @ dK
    dWv = X.T @ dV
    return dWq, dWk, dWv


def arguments(rng):
    return dict(
        X=rng.normal(size=(5, 4)),
        Wq=rng.normal(size=(4, 3)),
        Wk=rng.normal(size=(4, 3)),
        Wv=rng.normal(size=(4, 2)),
        target=rng.normal(size=(5, 2)),
    )
