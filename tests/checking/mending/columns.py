import numpy as np


def columns(x, size, pad):
    n, c, high, wide = x.shape
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    out = np.zeros((n, c, size, size, high + 2 * pad - size + 1, wide + 2 * pad - size + 1))
    for i in range(size):
        for j in range(size):
            out[:, :, i, j] = x[:, :, i : i + out.shape[4], j : j + out.shape[5]]
    return out.transpose(0, 4, 5, 1, 2, 3).reshape(-1, c * size * size)


def images(d, shape, size, pad):
    n, c, high, wide = shape
    tall, broad = high + 2 * pad - size + 1, wide + 2 * pad - size + 1
    d = d.reshape(n, tall, broad, c, size, size).transpose(0, 3, 4, 5, 1, 2)
    x = np.zeros((n, c, high + 2 * pad, wide + 2 * pad))
    for i in range(size):
        for j in range(size):
            x[:, :, i : i + tall, j : j + broad] += d[:, :, i, j]
    return x[:, :, pad : high + pad, pad : wide + pad]


def conv(x, w, b, pad):
    cols = columns(x, w.shape[2], pad)
    out = cols @ w.reshape(len(w), -1).T + b
    n, _, high, wide = x.shape
    out = out.reshape(n, high + 2 * pad - w.shape[2] + 1, wide + 2 * pad - w.shape[3] + 1, len(w))
    return out.transpose(0, 3, 1, 2), cols


def conv_backward(dout, cols, shape, w, pad):
    d = dout.transpose(0, 2, 3, 1).reshape(-1, len(w))
    dw = (d.T @ cols).reshape(w.shape)
    return images(d @ w.reshape(len(w), -1), shape, w.shape[2], pad), dw, d.sum(axis=0)


def forward(x, target, w1, b1, w2, b2):
    z1, cols1 = conv(x, w1, b1, 1)
    a1 = np.maximum(z1, 0)
    z2, cols2 = conv(a1, w2, b2, 1)
    return 0.5 * np.sum((z2 - target) ** 2), (cols1, z1, a1, cols2, z2)


def backward(x, target, w1, w2, result):
    cols1, z1, a1, cols2, z2 = result
    dz2 = z2 - target
    da1, dw2, db2 = conv_backward(dz2, cols2, a1.shape, w2, 1)
    dz1 = da1 * (z1 > 0)
    _, dw1, db1 = conv_backward(dz1, cols1, x.shape, w1, 1)
    return dw1, db1, dw2, db2


def arguments(rng):
    return dict(
        x=rng.normal(size=(2, 2, 4, 3)), target=rng.normal(size=(2, 3, 4, 3)), w1=rng.normal(size=(2, 2, 3, 3)) / 3,
        b1=rng.normal(size=2), w2=rng.normal(size=(3, 2, 3, 3)) / 3, b2=rng.normal(size=3),
    )  # fmt: skip
