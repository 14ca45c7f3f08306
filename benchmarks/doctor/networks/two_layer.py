"""Two layers, tanh and sigmoid, cross-entropy; samples are columns, parameters and cache are dicts."""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(X, Y, parameters):
    W1, b1 = parameters["W1"], parameters["b1"]
    W2, b2 = parameters["W2"], parameters["b2"]
    m = X.shape[1]
    Z1 = np.dot(W1, X) + b1
    A1 = np.tanh(Z1)
    Z2 = np.dot(W2, A1) + b2
    A2 = sigmoid(Z2)
    cost = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
    cache = {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
    return cost, cache


def backward(parameters, cache, X, Y):
    m = X.shape[1]
    W2 = parameters["W2"]
    A1 = cache["A1"]
    A2 = cache["A2"]
    dZ2 = A2 - Y
    dW2 = (1 / m) * np.dot(dZ2, A1.T)
    db2 = (1 / m) * np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = np.dot(W2.T, dZ2) * (1 - np.power(A1, 2))
    dW1 = (1 / m) * np.dot(dZ1, X.T)
    db1 = (1 / m) * np.sum(dZ1, axis=1, keepdims=True)
    grads = {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
    return grads


def data(rng):
    parameters = {
        "W1": rng.normal(size=(5, 4)) * 0.7,
        "b1": rng.normal(size=(5, 1)),
        "W2": rng.normal(size=(3, 5)) * 0.7,
        "b2": rng.normal(size=(3, 1)),
    }
    X = rng.normal(size=(4, 7))
    return {"X": X, "Y": rng.integers(0, 2, (3, 7)).astype(float), "parameters": parameters}
