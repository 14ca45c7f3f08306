"""Layers as pairs of functions with caches, in a loop."""

import numpy as np


def affine_forward(x, w, b):
    out = x.dot(w) + b
    return out, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    dx = dout.dot(w.T)
    dw = x.T.dot(dout)
    db = dout.sum(axis=0)
    return dx, dw, db


def relu_forward(x):
    return np.maximum(0, x), x


def relu_backward(dout, x):
    dx = dout * (x > 0)
    return dx


def norm_forward(x, gamma, beta):
    mu = x.mean(axis=0)
    var = x.var(axis=0)
    xhat = (x - mu) / np.sqrt(var + 1e-5)
    return gamma * xhat + beta, (xhat, gamma, var)


def norm_backward(dout, cache):
    xhat, gamma, var = cache
    N = dout.shape[0]
    dgamma = np.sum(dout * xhat, axis=0)
    dbeta = np.sum(dout, axis=0)
    dxhat = dout * gamma
    dx = (N * dxhat - dxhat.sum(axis=0) - xhat * np.sum(dxhat * xhat, axis=0)) / (N * np.sqrt(var + 1e-5))
    return dx, dgamma, dbeta


def softmax_loss(scores, y):
    N = scores.shape[0]
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.mean(np.log(p[np.arange(N), y]))
    return loss, p


def forward(X, y, params, reg):
    caches = []
    h = X
    for i in (1, 2):
        h, c1 = affine_forward(h, params[f"W{i}"], params[f"b{i}"])
        h, c2 = norm_forward(h, params[f"gamma{i}"], params[f"beta{i}"])
        h, c3 = relu_forward(h)
        caches.append((c1, c2, c3))
    scores, last = affine_forward(h, params["W3"], params["b3"])
    loss, p = softmax_loss(scores, y)
    for i in (1, 2, 3):
        loss += 0.5 * reg * np.sum(params[f"W{i}"] ** 2)
    return loss, (caches, last, p)


def backward(X, y, params, reg, cache):
    caches, last, p = cache
    N = X.shape[0]
    dscores = p.copy()
    dscores[np.arange(N), y] -= 1
    dscores /= N
    grads = {}
    dh, grads["W3"], grads["b3"] = affine_backward(dscores, last)
    for i in (2, 1):
        c1, c2, c3 = caches[i - 1]
        dh = relu_backward(dh, c3)
        dh, grads[f"gamma{i}"], grads[f"beta{i}"] = norm_backward(dh, c2)
        dh, grads[f"W{i}"], grads[f"b{i}"] = affine_backward(dh, c1)
    for i in (1, 2, 3):
        grads[f"W{i}"] += reg * params[f"W{i}"]
    return grads


def arguments(rng):
    sizes = [4, 6, 5, 3]
    params = {}
    for i in range(1, 4):
        params[f"W{i}"] = rng.normal(size=(sizes[i - 1], sizes[i])) * 0.6
        params[f"b{i}"] = rng.normal(size=sizes[i]) * 0.3
        if i < 3:
            params[f"gamma{i}"] = rng.normal(size=sizes[i]) + 1.5
            params[f"beta{i}"] = rng.normal(size=sizes[i]) * 0.5
    return {"X": rng.normal(size=(8, 4)), "y": rng.integers(0, 3, size=8), "params": params, "reg": 0.1}
