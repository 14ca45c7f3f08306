import numpy as np


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def forward(X, T, W1, b1, W2, b2):
    N = X.shape[0]
    h = X @ W1 + b1
    a = np.where(h > 0, h, 0.01 * h)
    z = a @ W2 + b2
    P = softmax(z)
    return -np.sum(T * np.log(P)) / N


def backward(X, T, W1, W2, h, a, P):
    N = X.shape[0]
    dz = (P - T) / N
    dW2 = a.T @ dz
    db2 = np.sum(dz, axis=0)
    da = dz @ W2.T
    dh = da * np.where(h > 0, 1, 0.01)
    dW1 = X.T @ dh
    db1 = np.sum(dh, axis=0)
    return dW1, db1, dW2, db2


def arguments(rng):
    return dict(
        X=rng.normal(size=(7, 4)),
        T=np.eye(3)[rng.integers(0, 3, 7)],
        W1=rng.normal(size=(4, 5)),
        b1=rng.normal(size=5),
        W2=rng.normal(size=(5, 3)),
        b2=rng.normal(size=3),
    )
