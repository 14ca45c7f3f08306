import numpy as np


def relu_backward(dA, Z):
    return dA * (Z > 0)


def sigmoid_prime(z):
    s = 1 / (1 + np.exp(-z))
    return s * (1 - s)


def sigmoid_backward(dA, Z):
    dZ = dA * sigmoid_prime(Z)
    return dZ


def forward(X, Y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    A1 = np.maximum(Z1, 0)
    Z2 = A1 @ W2 + b2
    A2 = 1 / (1 + np.exp(-Z2))
    J = np.sum((A2 - Y) ** 2) / Y.size
    return J, (Z1, A1, Z2, A2)


def backward(X, Y, W1, W2, cache):
    Z1, A1, Z2, A2 = cache
    dA2 = 2 * (A2 - Y) / Y.size
    dZ2 = sigmoid_backward(dA2, Z2)
    dW2 = A1.T @ dZ2
    db2 = dZ2.sum(axis=0)
    dA1 = dZ2 @ W2.T
    dZ1 = relu_backward(dA1, Z1)
    dW1 = X.T @ dZ1
    db1 = dZ1.sum(axis=0)
    return dW1, db1, dW2, db2


def arguments(rng):
    return dict(
        X=rng.normal(size=(7, 4)),
        Y=rng.random(size=(7, 3)),
        W1=rng.normal(size=(4, 5)),
        b1=rng.normal(size=5),
        W2=rng.normal(size=(5, 3)),
        b2=rng.normal(size=3),
    )
