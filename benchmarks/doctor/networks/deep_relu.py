"""Any number of layers with helper functions for a layer; relu, sigmoid at the end, parameters in a dict by number."""

import numpy as np


def relu(Z):
    return np.maximum(0, Z)


def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))


def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    dW = np.dot(dZ, A_prev.T) / m
    db = np.sum(dZ, axis=1, keepdims=True) / m
    dA_prev = np.dot(W.T, dZ)
    return dA_prev, dW, db


def relu_backward(dA, Z):
    dZ = dA * (Z > 0)
    return dZ


def sigmoid_backward(dA, Z):
    s = 1 / (1 + np.exp(-Z))
    dZ = dA * s * (1 - s)
    return dZ


def forward(X, Y, params):
    caches = []
    A = X
    L = len(params) // 2
    for l in range(1, L):
        A_prev = A
        W, b = params["W" + str(l)], params["b" + str(l)]
        Z = np.dot(W, A_prev) + b
        A = relu(Z)
        caches.append(((A_prev, W, b), Z))
    W, b = params["W" + str(L)], params["b" + str(L)]
    ZL = np.dot(W, A) + b
    caches.append(((A, W, b), ZL))
    AL = sigmoid(ZL)
    m = Y.shape[1]
    cost = -np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)) / m
    return cost, AL, caches


def backward(AL, Y, caches):
    grads = {}
    L = len(caches)
    dAL = -(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))
    linear_cache, ZL = caches[L - 1]
    dZ = sigmoid_backward(dAL, ZL)
    dA, grads["dW" + str(L)], grads["db" + str(L)] = linear_backward(dZ, linear_cache)
    for l in reversed(range(L - 1)):
        linear_cache, Z = caches[l]
        dZ = relu_backward(dA, Z)
        dA, dW, db = linear_backward(dZ, linear_cache)
        grads["dW" + str(l + 1)] = dW
        grads["db" + str(l + 1)] = db
    return grads


def data(rng):
    sizes = [4, 6, 5, 3]
    params = {}
    for l in range(1, 4):
        params[f"W{l}"] = rng.normal(size=(sizes[l], sizes[l - 1])) * 0.7
        params[f"b{l}"] = rng.normal(size=(sizes[l], 1)) * 0.5
    return {"X": rng.normal(size=(4, 7)), "Y": rng.integers(0, 2, (3, 7)).astype(float), "params": params}
