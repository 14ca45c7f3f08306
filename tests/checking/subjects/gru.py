import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def forward(x, h0, Wz, Uz, Wr, Ur, Wh, Uh, t):
    z = sigmoid(x @ Wz + h0 @ Uz)
    r = sigmoid(x @ Wr + h0 @ Ur)
    s = r * h0
    n = np.tanh(x @ Wh + s @ Uh)
    h = (1 - z) * n + z * h0
    return np.sum((h - t) ** 2) / x.shape[0]


def backward(x, h0, Wz, Uz, Wr, Ur, Wh, Uh, t, z, r, s, n, h):
    dh = 2 * (h - t) / x.shape[0]
    dn = dh * (1 - z)
    dz = dh * (h0 - n)
    dan = dn * (1 - n**2)
    ds = dan @ Uh.T
    dr = ds * h0
    daz = dz * z * (1 - z)
    dar = dr * r * (1 - r)
    dWz, dUz = x.T @ daz, h0.T @ daz
    dWr, dUr = x.T @ dar, h0.T @ dar
    dWh, dUh = x.T @ dan, s.T @ dan
    dh0 = dh * z + ds * r + daz @ Uz.T + dar @ Ur.T
    return dWz, dUz, dWr, dUr, dWh, dUh, dh0


def arguments(rng):
    return dict(
        x=rng.normal(size=(7, 3)),
        h0=rng.normal(size=(7, 4)),
        **{name: rng.normal(size=(3 if name[0] == "W" else 4, 4)) for name in ("Wz", "Uz", "Wr", "Ur", "Wh", "Uh")},
        t=rng.normal(size=(7, 4)),
    )
