import numpy as np


def relu(z):
    return np.maximum(0, z)


def forward(X, Y, params):
    caches = []
    A = X
    L = len(params) // 2
    for l in range(1, L):
        A_prev = A
        Z = params["W" + str(l)] @ A_prev + params["b" + str(l)]
        A = relu(Z)
        caches.append((A_prev, Z))
    ZL = params["W" + str(L)] @ A + params["b" + str(L)]
    AL = 1 / (1 + np.exp(-ZL))
    caches.append((A, ZL))
    m = Y.shape[1]
    cost = -np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)) / m
    return cost, (caches, AL)


def backward(Y, params, cache):
    caches, AL = cache
    grads = {}
    L = len(caches)
    m = Y.shape[1]
    dAL = -(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))
    A_prev, Z = caches[L - 1]
    dZ = dAL * AL * (1 - AL)
    grads["dW" + str(L)] = 1 / m * np.dot(dZ, A_prev.T)
    grads["db" + str(L)] = 1 / m * np.sum(dZ, axis=1, keepdims=True)
    dA = np.dot(params["W" + str(L)].T, dZ)
    for l in reversed(range(1, L)):
        A_prev, Z = caches[l - 1]
        dZ = np.array(dA, copy=True)
        dZ[Z <= 0] = 0
        grads["dW" + str(l)] = 1 / m * np.dot(dZ, A_prev.T)
        grads["db" + str(l)] = 1 / m * np.sum(dZ, axis=1, keepdims=True)
        dA = np.dot(params["W" + str(l)].T, dZ)
    return grads


def arguments(rng):
    p = {}
    sizes = [4, 6, 5, 3]
    for l in range(1, 4):
        p[f"W{l}"] = rng.normal(size=(sizes[l], sizes[l - 1]))
        p[f"b{l}"] = rng.normal(size=(sizes[l], 1))
    return dict(X=rng.normal(size=(4, 7)), Y=rng.integers(0, 2, (3, 7)).astype(float), params=p)
