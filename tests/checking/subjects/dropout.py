import numpy as np


def forward(X, Y, W1, b1, W2, b2, mask, keep):
    m = X.shape[1]
    Z1 = W1 @ X + b1
    A1 = np.maximum(0, Z1)
    D1 = A1 * mask / keep
    Z2 = W2 @ D1 + b2
    A2 = 1 / (1 + np.exp(-Z2))
    J = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
    J = J + 0.3 / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
    return J, (Z1, A1, D1, A2)


def backward(X, Y, W1, W2, mask, keep, cache):
    Z1, A1, D1, A2 = cache
    m = X.shape[1]
    dZ2 = (A2 - Y) / m
    dW2 = dZ2 @ D1.T + 0.3 / m * W2
    db2 = np.sum(dZ2, axis=1, keepdims=True)
    dD1 = W2.T @ dZ2
    dA1 = dD1 * mask / keep
    dZ1 = dA1 * (Z1 > 0)
    dW1 = dZ1 @ X.T + 0.3 / m * W1
    db1 = np.sum(dZ1, axis=1, keepdims=True)
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


def arguments(rng):
    return dict(
        X=rng.normal(size=(4, 7)),
        Y=rng.integers(0, 2, (3, 7)).astype(float),
        W1=rng.normal(size=(5, 4)),
        b1=rng.normal(size=(5, 1)),
        W2=rng.normal(size=(3, 5)),
        b2=rng.normal(size=(3, 1)),
        mask=(rng.random((5, 7)) < 0.7).astype(float),
        keep=0.7,
    )
