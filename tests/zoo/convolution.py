"""Convolutions and pooling: loops over offsets, slices, arrays of indices, strides, padding."""

# ruff: noqa: RUF059 - users unpack shapes whole

from __future__ import annotations

import numpy as np

from zoo.case import Case


def relu(x):
    return np.maximum(x, 0)


def one_dimension(x, w, b, y):
    """A sum over the offsets of the kernel."""
    n = len(x) - len(w) + 1
    out = sum(w[k] * x[k : k + n] for k in range(len(w))) + b
    return np.sum((np.tanh(out) - y) ** 2)


def one_dimension_channels(x, W, b, G):
    """A loop over positions, the results in a list."""
    outs = []
    K = W.shape[-1]
    for i in range(0, x.shape[-1] - K + 1):
        window = x[:, :, i : i + K]
        outs.append(np.einsum("nck,ock->no", window, W) + b)
    return np.sum(np.stack(outs, axis=-1) * G)


def two_dimensions(x, k, G):
    """One image, one kernel, a loop over both offsets."""
    kh, kw = k.shape
    H, W = x.shape
    out = 0
    for i in range(kh):
        for j in range(kw):
            out = out + k[i, j] * x[i : H - kh + 1 + i, j : W - kw + 1 + j]
    return np.sum(out * G)


def filters_accumulated(x, W, b, G):
    """Offsets added in place to an array of zeros made from the input."""
    N, C, H, Wd = x.shape
    F, _, kh, kw = W.shape
    out = np.zeros((N, F, H - kh + 1, Wd - kw + 1), dtype=x.dtype)
    for i in range(kh):
        for j in range(kw):
            patch = x[:, :, i : i + out.shape[2], j : j + out.shape[3]]
            out += np.einsum("nchw,fc->nfhw", patch, W[:, :, i, j])
    return np.sum(relu(out + b[None, :, None, None]) * G)


def four_loops(x, w, b, G, stride=2, pad=1):
    """Each output written to its place, as in a course."""
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    x_pad = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="constant")
    H_out = 1 + (H + 2 * pad - HH) // stride
    W_out = 1 + (W + 2 * pad - WW) // stride
    out = np.zeros((N, F, H_out, W_out), dtype=x.dtype)
    for n in range(N):
        for f in range(F):
            for i in range(H_out):
                for j in range(W_out):
                    h, v = i * stride, j * stride
                    out[n, f, i, j] = np.sum(x_pad[n, :, h : h + HH, v : v + WW] * w[f]) + b[f]
    return np.sum(np.tanh(out) * G)


def padded_by_zeros(x, W, G):
    """Padding by joining zeros on."""
    n, c, h, w = x.shape
    zeros = np.zeros((n, c, h, 1))
    x = np.concatenate((zeros, x, zeros), axis=3)
    out = sum(np.einsum("nchw,fc->nfhw", x[..., j : j + w], W[:, :, j]) for j in range(W.shape[2]))
    return (out * G).sum()


def im2col(x, W, b, G, stride=1):
    """Patches by arrays of indices, then one product."""
    N, C, H, Wd = x.shape
    F, _, kh, kw = W.shape
    oh, ow = (H - kh) // stride + 1, (Wd - kw) // stride + 1
    i0 = np.tile(np.repeat(np.arange(kh), kw), C)
    i1 = stride * np.repeat(np.arange(oh), ow)
    j0 = np.tile(np.arange(kw), kh * C)
    j1 = stride * np.tile(np.arange(ow), oh)
    i = i0.reshape(-1, 1) + i1.reshape(1, -1)
    j = j0.reshape(-1, 1) + j1.reshape(1, -1)
    k = np.repeat(np.arange(C), kh * kw).reshape(-1, 1)
    cols = x[:, k, i, j].transpose(1, 2, 0).reshape(kh * kw * C, -1)
    out = W.reshape(F, -1) @ cols + b
    out = out.reshape(F, oh, ow, N).transpose(3, 0, 1, 2)
    return np.sum(out * G)


def im2col_by_slices(x, W, G):
    """Patches stacked on a new axis."""
    n, h, w = x.shape
    kh, kw = W.shape[1:]
    oh, ow = h - kh + 1, w - kw + 1
    patches = np.stack([x[:, i : i + oh, j : j + ow] for i in range(kh) for j in range(kw)], axis=-1)
    out = np.tensordot(patches, W.reshape(len(W), -1), axes=([3], [1]))
    return np.sum(np.tanh(out) * G)


def strided_slices(x, w, G, s=2):
    n = (len(x) - len(w)) // s + 1
    out = 0
    for k in range(len(w)):
        out += w[k] * x[k : k + s * (n - 1) + 1 : s]
    return np.dot(np.tanh(out), G)


def dilated(x, w, y):
    """A causal convolution with holes."""
    T = len(x)
    padded = np.concatenate([np.zeros(4), x])
    out = w[2] * padded[4 : 4 + T] + w[1] * padded[2 : 2 + T] + w[0] * padded[0:T]
    return ((out - y) ** 2).mean()


def depthwise_separable(x, D, P, G):
    c, h, w = x.shape
    oh, ow = h - 1, w - 1
    z = sum(D[:, i, j].reshape(-1, 1, 1) * x[:, i : i + oh, j : j + ow] for i in range(2) for j in range(2))
    return np.sum(np.einsum("chw,oc->ohw", z, P) * G)


def transposed(x, w, y, s=2):
    """Each entry of the input lays down a scaled kernel."""
    length = (len(x) - 1) * s + len(w)
    out = np.zeros(length, dtype=x.dtype)
    for k in range(len(x)):
        out[k * s : k * s + len(w)] += x[k] * w
    return np.sum((out - y) ** 2)


def max_pool_reshape(x, G):
    n, c, h, w = x.shape
    pooled = x.reshape(n, c, h // 2, 2, w // 2, 2).max(axis=(3, 5))
    return np.sum(pooled**2 * G)


def max_pool_slices(x, G):
    m = np.maximum(np.maximum(x[::2, ::2], x[1::2, ::2]), np.maximum(x[::2, 1::2], x[1::2, 1::2]))
    return np.sum(np.sin(m) * G)


def max_pool_loops(x, G, size=2, stride=2):
    C, H, W = x.shape
    rows = []
    for i in range(0, H - size + 1, stride):
        rows.append([np.max(x[:, i : i + size, j : j + size], axis=(1, 2)) for j in range(0, W - size + 1, stride)])
    pooled = np.stack([np.stack(row, axis=-1) for row in rows], axis=1)
    return (pooled * G).sum()


def average_pool(x, W, G):
    n, h, w, c = x.shape
    p = x.reshape(n, h // 2, 2, w // 3, 3, c).mean(axis=(2, 4))
    return np.sum(np.tanh(p @ W) * G)


def overlapping_average(x, G):
    out = (x[:-2] + x[1:-1] + x[2:]) / 3
    return np.sum(out**3 * G)


def global_pool(x, W, b, y):
    h = x.mean(axis=(2, 3)) @ W + b
    h -= h.max(axis=1, keepdims=True)
    return -np.mean(h[np.arange(len(y)), y] - np.log(np.sum(np.exp(h), axis=1)))


def upsampled(x, G):
    big = np.repeat(np.repeat(x, 2, axis=0), 3, axis=1)
    return np.sum(big**2 * G)


def small_network(params, x, y):
    """Convolution, relu, pooling, one dense layer, softmax."""
    K, b, W, c = params["K"], params["b"], params["W"], params["c"]
    n, h, w = x.shape
    kh, kw = K.shape[1:]
    maps = []
    for k, bias in zip(K, b, strict=True):
        z = bias
        for i in range(kh):
            for j in range(kw):
                z = z + k[i, j] * x[:, i : h - kh + i + 1, j : w - kw + j + 1]
        maps.append(relu(z))
    a = np.stack(maps, axis=1)
    n, f, p, q = a.shape
    a = a.reshape(n, f, p // 2, 2, q // 2, 2).max(axis=5).max(axis=3).reshape(n, -1)
    s = a @ W + c
    p = np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(n), y]).mean()


def library_convolution(x, w, y):
    return np.sum((np.convolve(x, w, mode="valid") - y) ** 2)


def windows(x, w, G):
    view = np.lib.stride_tricks.sliding_window_view(x, len(w))
    return np.sum(np.tanh(view @ w) * G)


def total_variation(u, f, lam=0.3):
    """A smooth image that is near a noisy one."""
    dx = u[1:, :-1] - u[:-1, :-1]
    dy = u[:-1, 1:] - u[:-1, :-1]
    return 0.5 * np.sum((u - f) ** 2) + lam * np.sum(np.sqrt(dx**2 + dy**2 + 1e-3))


def circular(x, w, G):
    out = sum(w[k] * np.roll(x, k) for k in range(len(w)))
    return out @ G


CASES = [
    Case(
        "one dimension",
        one_dimension,
        lambda r: {"x": r.normal(size=7), "w": r.normal(size=3), "b": r.normal(size=1), "y": r.normal(size=5)},
    ),
    Case(
        "one dimension, channels",
        one_dimension_channels,
        lambda r: {
            "x": r.normal(size=(2, 3, 6)),
            "W": r.normal(size=(5, 3, 4)),
            "b": r.normal(size=5),
            "G": r.normal(size=(2, 5, 3)),
        },
    ),
    Case(
        "two dimensions",
        two_dimensions,
        lambda r: {"x": r.normal(size=(5, 6)), "k": r.normal(size=(2, 3)), "G": r.normal(size=(4, 4))},
    ),
    Case(
        "filters, accumulated",
        filters_accumulated,
        lambda r: {
            "x": r.normal(size=(2, 3, 5, 4)),
            "W": r.normal(size=(4, 3, 3, 2)),
            "b": r.normal(size=4),
            "G": r.normal(size=(2, 4, 3, 3)),
        },
    ),
    Case(
        "four loops",
        four_loops,
        lambda r: {
            "x": r.normal(size=(1, 2, 3, 5)),
            "w": r.normal(size=(2, 2, 3, 3)),
            "b": r.normal(size=2),
            "G": r.normal(size=(1, 2, 2, 3)),
        },
    ),
    Case(
        "padded by joining zeros on",
        padded_by_zeros,
        lambda r: {
            "x": r.normal(size=(2, 3, 4, 5)),
            "W": r.normal(size=(6, 3, 3)),
            "G": r.normal(size=(2, 6, 4, 5)),
        },
    ),
    Case(
        "im2col by indices",
        im2col,
        lambda r: {
            "x": r.normal(size=(2, 3, 4, 5)),
            "W": r.normal(size=(4, 3, 2, 3)),
            "b": r.normal(size=(4, 1)),
            "G": r.normal(size=(2, 4, 3, 3)),
        },
    ),
    Case(
        "im2col by slices",
        im2col_by_slices,
        lambda r: {
            "x": r.normal(size=(2, 4, 5)),
            "W": r.normal(size=(6, 2, 3)),
            "G": r.normal(size=(2, 3, 3, 6)),
        },
    ),
    Case(
        "strided slices",
        strided_slices,
        lambda r: {"x": r.normal(size=9), "w": r.normal(size=3), "G": r.normal(size=4)},
    ),
    Case("dilated", dilated, lambda r: {"x": r.normal(size=7), "w": r.normal(size=3), "y": r.normal(size=7)}),
    Case(
        "depthwise separable",
        depthwise_separable,
        lambda r: {
            "x": r.normal(size=(3, 4, 5)),
            "D": r.normal(size=(3, 2, 2)),
            "P": r.normal(size=(2, 3)),
            "G": r.normal(size=(2, 3, 4)),
        },
    ),
    Case("transposed", transposed, lambda r: {"x": r.normal(size=4), "w": r.normal(size=3), "y": r.normal(size=9)}),
    Case(
        "max pooling by reshape",
        max_pool_reshape,
        lambda r: {"x": r.normal(size=(2, 3, 4, 6)), "G": r.normal(size=(2, 3, 2, 3))},
    ),
    Case(
        "max pooling by slices",
        max_pool_slices,
        lambda r: {"x": r.normal(size=(4, 6)), "G": r.normal(size=(2, 3))},
    ),
    Case(
        "max pooling by loops",
        max_pool_loops,
        lambda r: {"x": r.normal(size=(3, 4, 6)), "G": r.normal(size=(3, 2, 3))},
    ),
    Case(
        "average pooling",
        average_pool,
        lambda r: {"x": r.normal(size=(2, 4, 6, 3)), "W": r.normal(size=(3, 5)), "G": r.normal(size=(2, 2, 2, 5))},
    ),
    Case("overlapping average", overlapping_average, lambda r: {"x": r.normal(size=7), "G": r.normal(size=5)}),
    Case(
        "global pooling",
        global_pool,
        lambda r: {
            "x": r.normal(size=(5, 3, 2, 4)),
            "W": r.normal(size=(3, 6)),
            "b": r.normal(size=6),
            "y": r.integers(0, 6, size=5),
        },
    ),
    Case("upsampled", upsampled, lambda r: {"x": r.normal(size=(3, 2)), "G": r.normal(size=(6, 6))}),
    Case(
        "small network",
        small_network,
        lambda r: {
            "params": {
                "K": r.normal(size=(3, 2, 3)),
                "b": r.normal(size=3),
                "W": r.normal(size=(6, 4)),
                "c": r.normal(size=4),
            },
            "x": r.normal(size=(5, 3, 6)),
            "y": r.integers(0, 4, size=5),
        },
    ),
    Case(
        "np.convolve",
        library_convolution,
        lambda r: {"x": r.normal(size=7), "w": r.normal(size=3), "y": r.normal(size=5)},
    ),
    Case(
        "sliding windows",
        windows,
        lambda r: {"x": r.normal(size=7), "w": r.normal(size=3), "G": r.normal(size=5)},
    ),
    Case("total variation", total_variation, lambda r: {"u": r.normal(size=(4, 5)), "f": r.normal(size=(4, 5))}),
    Case("circular", circular, lambda r: {"x": r.normal(size=6), "w": r.normal(size=3), "G": r.normal(size=6)}),
]
