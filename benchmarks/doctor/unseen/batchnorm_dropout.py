"""A deep classifier with batch normalisation in one formula, dropout, and weights of the classes; a list of layers."""

import numpy as np


def forward(X, onehot, class_weights, layers, masks, keep):
    caches = []
    A = X
    for i, layer in enumerate(layers[:-1]):
        Z = A @ layer["W"]
        mu = Z.mean(axis=0)
        var = Z.var(axis=0)
        ivar = 1 / np.sqrt(var + 1e-4)
        Zn = (Z - mu) * ivar
        Y = layer["gamma"] * Zn + layer["beta"]
        R = np.maximum(Y, 0)
        caches.append((A, Zn, ivar, Y, R))
        A = R * masks[i] / keep
    last = layers[-1]
    S = A @ last["W"] + last["b"]
    S = S - S.max(axis=1, keepdims=True)
    P = np.exp(S) / np.exp(S).sum(axis=1, keepdims=True)
    m = X.shape[0]
    weights = onehot @ class_weights
    loss = -np.sum(weights * np.sum(onehot * np.log(P), axis=1)) / m
    caches.append((A, P, weights))
    return loss, caches


def backward(onehot, layers, masks, keep, caches):
    m = onehot.shape[0]
    grads = []
    A, P, weights = caches[-1]
    dS = (P - onehot) * weights[:, None] / m
    grads.insert(0, {"W": A.T @ dS, "b": dS.sum(axis=0)})
    dA = dS @ layers[-1]["W"].T
    for i in range(len(layers) - 2, -1, -1):
        A, Zn, ivar, Y, R = caches[i]
        dR = dA * masks[i] / keep
        dY = dR * (Y > 0)
        dgamma = np.sum(dY * Zn, axis=0)
        dbeta = np.sum(dY, axis=0)
        dZn = dY * layers[i]["gamma"]
        dZ = ivar / m * (m * dZn - dZn.sum(axis=0) - Zn * np.sum(dZn * Zn, axis=0))
        dW = A.T @ dZ
        dA = dZ @ layers[i]["W"].T
        grads.insert(0, {"W": dW, "gamma": dgamma, "beta": dbeta})
    return grads


def data(rng):
    def block(a, b):
        return {"W": rng.normal(size=(a, b)), "gamma": rng.normal(size=b) + 1.5, "beta": rng.normal(size=b)}

    return {
        "X": rng.normal(size=(9, 4)),
        "onehot": np.eye(3)[rng.integers(0, 3, 9)],
        "class_weights": np.array([0.5, 1.7, 1.2]),
        "layers": [block(4, 6), block(6, 5), {"W": rng.normal(size=(5, 3)), "b": rng.normal(size=3)}],
        "masks": [(rng.random((9, 6)) < 0.8).astype(float), (rng.random((9, 5)) < 0.8).astype(float)],
        "keep": 0.8,
    }
