import numpy as np


def forward(x, w, b, target, stride):
    n, _, size, _ = x.shape
    filters, k = len(w), w.shape[2]
    steps = (size - k) // stride + 1
    z = np.zeros((n, filters, steps, steps))
    for i in range(steps):
        for j in range(steps):
            patch = x[:, :, i * stride : i * stride + k, j * stride : j * stride + k]
            for f in range(filters):
                z[:, f, i, j] = np.sum(patch * w[f], axis=(1, 2, 3)) + b[f]
    return 0.5 * np.sum((z - target) ** 2) / n, z


def backward(x, w, target, stride, z):
    n, k = len(x), w.shape[2]
    dz = (z - target) / n
    db = np.sum(dz, axis=(0, 2, 3))
    dw, dx = np.zeros_like(w), np.zeros_like(x)
    for i in range(z.shape[2]):
        for j in range(z.shape[3]):
            window = x[:, :, i * stride : i * stride + k, j * stride : j * stride + k]
            for f in range(len(w)):
                g = dz[:, f, i, j].reshape(n, 1, 1, 1)
                dw[f] += np.sum(window * g, axis=0)
                dx[:, :, i * stride : i * stride + k, j * stride : j * stride + k] += w[f] * g
    return {"x": dx, "w": dw, "b": db}


def arguments(rng):
    return dict(
        x=rng.normal(size=(3, 2, 7, 7)),
        w=rng.normal(size=(4, 2, 3, 3)) * 0.4,
        b=rng.normal(size=4),
        target=rng.normal(size=(3, 4, 3, 3)),
        stride=2,
    )
