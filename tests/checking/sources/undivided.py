import numpy as np


def layer(A, W, b, activation):
    Z = W.dot(A) + b
    return activation(Z), (A, W, Z)


def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))


def cost(A, Y):
    m = Y.shape[1]
    return np.squeeze(-1.0 / m * np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)))


def forward(X, Y, parameters):
    A, caches, L = X, [], len(parameters) // 2
    for l in range(1, L + 1):
        activation = sigmoid if l == L else np.tanh
        A, cache = layer(A, parameters["W" + str(l)], parameters["b" + str(l)], activation)
        caches.append(cache)
    return cost(A, Y), A, caches


def layer_backward(dZ, cache):
    A_prev, W, _ = cache
    m = A_prev.shape[1]
    dW = 1.0 / m * np.dot(dZ, A_prev.T)
    db = 1.0 / m * np.sum(dZ, axis=1, keepdims=True)
    return np.dot(W.T, dZ), dW, db


def backward(A, Y, caches):
    grads, L = {}, len(caches)
    dA = -(np.divide(Y, A) - np.divide(1 - Y, 1 - A))
    for l in reversed(range(L)):
        slope = A * (1 - A) if l == L - 1 else 1 - np.tanh(caches[l][2]) ** 2
        dA, dW, db = layer_backward(dA * slope, caches[l])
        grads["dA" + str(l)], grads["dW" + str(l + 1)], grads["db" + str(l + 1)] = dA, dW, db
    return grads


def given(rng):
    shapes = {"W1": (5, 4), "b1": (5, 1), "W2": (3, 5), "b2": (3, 1)}
    parameters = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    Y = rng.integers(0, 2, (3, 7)).astype(float)
    return [forward, backward], dict(X=rng.normal(size=(4, 7)), Y=Y, parameters=parameters)
