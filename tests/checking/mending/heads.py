import numpy as np


def forward(x, y, W, k):
    o = x @ W
    a, z = o[:, :k], o[:, k:]
    g = np.log(1 + np.exp(z))
    r = (y - a) / g
    top = -0.5 * r**2 - np.log(g)
    whole = np.log(np.sum(np.exp(top), axis=1, keepdims=True))
    return -np.mean(whole), (o, a, z, g, r, top, whole)


def backward(x, y, W, k, result):
    o, a, z, g, r, top, whole = result
    share = np.exp(top - whole) / len(y)
    do = np.zeros_like(o)
    do[:, :k] = -share * r / g
    dg = share * (1 - r**2) / g
    do[:, k:] = dg / (1 + np.exp(-z))
    dW = x.T @ do
    return dW


def arguments(rng):
    return dict(x=rng.normal(size=(5, 4)), y=rng.normal(size=(5, 1)), W=rng.normal(size=(4, 6)), k=3)
