import numpy as np


def forward(places, values, y, w, V, strength):
    e = V[places] * values[:, :, None]
    s = e.sum(axis=1)
    pairs = 0.5 * (s**2 - (e**2).sum(axis=1)).sum(axis=1)
    p = 1 / (1 + np.exp(-((w[places] * values).sum(axis=1) + pairs)))
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)) + 0.5 * strength * np.sum(w**2)
    return loss, (e, s, p)


def backward(places, values, y, w, V, strength, result):
    e, s, p = result
    n, fields = places.shape
    dlogit = (p - y) / n
    dw = strength * w
    np.add.at(dw, places, dlogit[:, None] * values)
    de = dlogit[:, None, None] * (s[:, None, :] - e)
    dV = np.zeros_like(V)
    for i in range(n):
        for f in range(fields):
            dV[places[i, f]] += de[i, f] * values[i, f]
    return dw, dV


def arguments(rng):
    return dict(
        places=rng.integers(0, 6, (4, 3)), values=rng.uniform(0.5, 1.5, (4, 3)), y=np.array([1.0, 0, 0, 1]),
        w=rng.normal(size=6), V=rng.normal(size=(6, 2)), strength=np.array(0.3),
    )  # fmt: skip
