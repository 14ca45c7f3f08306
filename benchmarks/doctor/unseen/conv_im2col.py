"""Two convolutions as products with columns of patches; average over the picture, softmax."""

import numpy as np


def im2col(x, k):
    N, C, H, W = x.shape
    cols = []
    for i in range(H - k + 1):
        for j in range(W - k + 1):
            cols.append(x[:, :, i : i + k, j : j + k].reshape(N, -1))
    return np.stack(cols, axis=1)


def col2im(cols, shape, k):
    N, C, H, W = shape
    dx = np.zeros(shape)
    p = 0
    for i in range(H - k + 1):
        for j in range(W - k + 1):
            dx[:, :, i : i + k, j : j + k] += cols[:, p].reshape(N, C, k, k)
            p += 1
    return dx


def forward(x, onehot, w1, b1, w2, b2):
    N = x.shape[0]
    cols1 = im2col(x, 2)
    z1 = cols1 @ w1 + b1
    a1 = np.maximum(z1, 0)
    fmap = a1.transpose(0, 2, 1).reshape(N, 3, 3, 4)
    cols2 = im2col(fmap, 2)
    z2 = cols2 @ w2 + b2
    avg = z2.mean(axis=1)
    e = np.exp(avg - avg.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.sum(onehot * np.log(p)) / N
    return loss, (cols1, z1, fmap, cols2, z2, p)


def backward(x, onehot, w1, w2, cache):
    cols1, z1, fmap, cols2, z2, p = cache
    N = x.shape[0]
    davg = (p - onehot) / N
    P = z2.shape[1]
    dz2 = np.repeat(davg[:, None, :], P, axis=1) / P
    flat2 = cols2.reshape(-1, cols2.shape[2])
    dw2 = flat2.T @ dz2.reshape(-1, dz2.shape[2])
    db2 = dz2.sum(axis=(0, 1))
    dcols2 = dz2 @ w2.T
    dfmap = col2im(dcols2, fmap.shape, 2)
    da1 = dfmap.reshape(N, 3, -1).transpose(0, 2, 1)
    dz1 = da1 * (z1 > 0)
    flat1 = cols1.reshape(-1, cols1.shape[2])
    dw1 = flat1.T @ dz1.reshape(-1, dz1.shape[2])
    db1 = dz1.sum(axis=(0, 1))
    dx = col2im(dz1 @ w1.T, x.shape, 2)
    return {"x": dx, "w1": dw1, "b1": db1, "w2": dw2, "b2": db2}


def data(rng):
    return {
        "x": rng.normal(size=(5, 2, 4, 5)),
        "onehot": np.eye(4)[rng.integers(0, 4, 5)],
        "w1": rng.normal(size=(8, 3)) * 0.5,
        "b1": rng.normal(size=3) * 0.3,
        "w2": rng.normal(size=(12, 4)) * 0.5,
        "b2": rng.normal(size=4),
    }
