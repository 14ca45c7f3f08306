import numpy as np


def linear_forward(A, W, b):
    Z = np.dot(W, A) + b
    return Z, (A, W, b)


def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    dW = 1 / m * np.dot(dZ, A_prev.T)
    db = 1 / m * np.sum(dZ, axis=1, keepdims=True)
    dA_prev = np.dot(W.T, dZ)
    return dA_prev, dW, db


def given(rng):
    arguments = dict(A=rng.normal(size=(4, 7)), W=rng.normal(size=(5, 4)), b=rng.normal(size=(5, 1)))
    return [linear_forward, linear_backward], arguments
