import numpy as np


def forward(X, Y, params):
    kept = {"A0": X}
    for l in (1, 2, 3):
        kept["Z%d" % l] = params["W%d" % l] @ kept["A%d" % (l - 1)] + params["b%d" % l]
        kept["A%d" % l] = np.maximum(kept["Z%d" % l], 0) if l < 3 else kept["Z%d" % l]
    return np.sum((kept["A3"] - Y) ** 2) / Y.shape[1], kept


def backward(X, Y, params, kept):
    m = Y.shape[1]
    grads = {}
    dZ = 2 * (kept["A3"] - Y) / m
    for l in (3, 2, 1):
        grads["dW%d" % l] = dZ @ kept["A%d" % (l - 1)].T
        grads["db%d" % l] = dZ.sum(axis=1, keepdims=True)
        if l > 1:
            dA = params["W%d" % l].T @ dZ
            dZ = dA * (kept["Z%d" % (l - 1)] > 0)
    return grads


def arguments(rng):
    sizes = [4, 6, 5, 2]
    layers = range(1, len(sizes))
    weights = {f"W{l}": rng.normal(size=(sizes[l], sizes[l - 1])) for l in layers}
    biases = {f"b{l}": rng.normal(size=(sizes[l], 1)) for l in layers}
    return dict(X=rng.normal(size=(4, 9)), Y=rng.normal(size=(2, 9)), params=weights | biases)
