import numpy as np


def forward(x, y, w, b, V, c, stride=2):
    N, C, L = x.shape
    F, _, K = w.shape
    out = (L - K) // stride + 1
    z = np.zeros((N, F, out))
    for n in range(N):
        for f in range(F):
            for o in range(out):
                z[n, f, o] = np.sum(x[n, :, o * stride : o * stride + K] * w[f]) + b[f]
    a = np.where(z > 0, z, 0.1 * z)
    pooled = a.mean(axis=2)
    scores = pooled @ V + c
    margins = np.maximum(0, scores - scores[np.arange(N), y][:, None] + 1)
    margins[np.arange(N), y] = 0
    loss = margins.sum() / N
    return loss, (z, pooled, margins)


def backward(x, y, w, b, V, c, cache, stride=2):
    z, pooled, margins = cache
    N, F, out = z.shape
    K = w.shape[2]
    dscores = (margins > 0).astype(float)
    dscores[np.arange(N), y] = -dscores.sum(axis=1)
    dscores /= N
    dV = pooled.T.dot(dscores)
    dc = np.sum(dscores, axis=0)
    dpooled = dscores.dot(V.T)
    da = np.repeat(dpooled[:, :, None], out, axis=2) / out
    dz = da * np.where(z > 0, 1, 0.1)
    dw = np.zeros_like(w)
    dx = np.zeros_like(x)
    db = np.zeros_like(b)
    for n in range(N):
        for f in range(F):
            for o in range(out):
                left = o * stride
                dw[f] += dz[n, f, o] * x[n, :, left : left + K]
                dx[n, :, left : left + K] += dz[n, f, o] * w[f]
                db[f] += dz[n, f, o]
    return dx, dw, db, dV, dc


def arguments(rng):
    return {
        "x": rng.normal(size=(2, 3, 7)),
        "y": np.array([1, 0]),
        "w": rng.normal(size=(2, 3, 3)),
        "b": rng.normal(size=2),
        "V": rng.normal(size=(2, 4)),
        "c": rng.normal(size=4),
    }
