"""Convolution in loops with stride and padding, relu, a dense layer; a batch of images."""

import numpy as np


def forward(x, target, w, b, V, stride, pad):
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    x_pad = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    Ho = 1 + (H + 2 * pad - HH) // stride
    Wo = 1 + (W + 2 * pad - WW) // stride
    rows = []
    for i in range(Ho):
        row = []
        for j in range(Wo):
            patch = x_pad[:, :, i * stride : i * stride + HH, j * stride : j * stride + WW]
            row.append(np.stack([np.sum(patch * w[f], axis=(1, 2, 3)) + b[f] for f in range(F)], axis=1))
        rows.append(np.stack(row, axis=2))
    conv = np.stack(rows, axis=2)
    a = np.maximum(conv, 0)
    flat = a.reshape(N, -1)
    out = flat @ V
    loss = np.sum((out - target) ** 2) / N
    return loss, (x_pad, conv, flat, out)


def backward(x, target, w, b, V, stride, pad, cache):
    x_pad, conv, flat, out = cache
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    dout = 2 * (out - target) / N
    dV = flat.T @ dout
    dflat = dout @ V.T
    da = dflat.reshape(conv.shape)
    dconv = da * (conv > 0)
    db = np.sum(dconv, axis=(0, 2, 3))
    dw = np.zeros_like(w)
    dx_pad = np.zeros_like(x_pad)
    for i in range(conv.shape[2]):
        for j in range(conv.shape[3]):
            patch = x_pad[:, :, i * stride : i * stride + HH, j * stride : j * stride + WW]
            for f in range(F):
                g = dconv[:, f, i, j].reshape(N, 1, 1, 1)
                dw[f] += np.sum(patch * g, axis=0)
                dx_pad[:, :, i * stride : i * stride + HH, j * stride : j * stride + WW] += w[f] * g
    dx = dx_pad[:, :, pad : pad + H, pad : pad + W]
    return dx, dw, db, dV


def data(rng):
    return {
        "x": rng.normal(size=(3, 2, 5, 5)),
        "target": rng.normal(size=(3, 2)),
        "w": rng.normal(size=(2, 2, 3, 3)) * 0.5,
        "b": rng.normal(size=2) * 0.3,
        "V": rng.normal(size=(18, 2)) * 0.4,
        "stride": 2,
        "pad": 1,
    }
