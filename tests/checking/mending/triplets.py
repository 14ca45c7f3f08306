import numpy as np


def embed(x, W1, b1, W2):
    z = W1 @ x + b1
    a = np.maximum(z, 0)
    e = W2 @ a
    norm = np.sqrt(np.sum(e**2, axis=0))
    return e / norm, (x, z, a, norm)


def embed_backward(dy, y, cache, W1, W2):
    x, z, a, norm = cache
    de = (dy - y * np.sum(dy * y, axis=0)) / norm
    dW2 = de @ a.T
    da = W2.T @ de
    dz = da * (z > 0)
    dW1 = dz @ x.T
    db1 = dz.sum(axis=1, keepdims=True)
    return dW1, db1, dW2


def forward(anchor, positive, negative, W1, b1, W2, margin=0.4):
    ya, ca = embed(anchor, W1, b1, W2)
    yp, cp = embed(positive, W1, b1, W2)
    yn, cn = embed(negative, W1, b1, W2)
    dp = np.sum((ya - yp) ** 2, axis=0)
    dn = np.sum((ya - yn) ** 2, axis=0)
    hinge = np.maximum(0, dp - dn + margin)
    return hinge.mean(), (ya, yp, yn, ca, cp, cn, hinge)


def backward(W1, b1, W2, cache):
    ya, yp, yn, ca, cp, cn, hinge = cache
    m = len(hinge)
    active = (hinge > 0) / m
    dya = 2 * active * (yn - yp)
    dyp = -2 * active * (ya - yp)
    dyn = 2 * active * (ya - yn)
    dW1, db1, dW2 = np.zeros_like(W1), np.zeros_like(b1), np.zeros_like(W2)
    for dy, y, c in ((dya, ya, ca), (dyp, yp, cp), (dyn, yn, cn)):
        g1, gb, g2 = embed_backward(dy, y, c, W1, W2)
        dW1 += g1
        db1 += gb
        dW2 += g2
    return dW1, db1, dW2


def arguments(rng):
    return {
        "anchor": rng.normal(size=(3, 4)),
        "positive": rng.normal(size=(3, 4)),
        "negative": rng.normal(size=(3, 4)),
        "W1": rng.normal(size=(5, 3)),
        "b1": rng.normal(size=(5, 1)),
        "W2": rng.normal(size=(2, 5)),
    }
