import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(X, Y, W1, b1, W2, b2):
    m = X.shape[1]
    Z1 = W1 @ X + b1
    A1 = np.tanh(Z1)
    Z2 = W2 @ A1 + b2
    A2 = sigmoid(Z2)
    J = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
    cache = (Z1, A1, Z2, A2)
    return J, cache


def backward(X, Y, W1, W2, cache):
    Z1, A1, Z2, A2 = cache
    m = X.shape[1]
    dZ2 = A2 - Y
    dW2 = dZ2 @ A1.T / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dA1 = W2.T @ dZ2
    dZ1 = dA1 * (1 - A1**2)
    dW1 = dZ1 @ X.T / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


def arguments(rng):
    return dict(
        X=rng.normal(size=(4, 7)),
        Y=rng.integers(0, 2, (3, 7)).astype(float),
        W1=rng.normal(size=(5, 4)),
        b1=rng.normal(size=(5, 1)),
        W2=rng.normal(size=(3, 5)),
        b2=rng.normal(size=(3, 1)),
    )
