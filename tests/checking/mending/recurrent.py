import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def forward(X, y, Wz, Uz, bz, Wr, Ur, br, Wn, Un, bn, V, c):
    N, T, D = X.shape
    H = Uz.shape[0]
    h = np.zeros((N, H))
    steps = []
    for t in range(T):
        x = X[:, t]
        z = sigmoid(x @ Wz + h @ Uz + bz)
        r = sigmoid(x @ Wr + h @ Ur + br)
        rh = r * h
        n = np.tanh(x @ Wn + rh @ Un + bn)
        new = (1 - z) * n + z * h
        steps.append((x, h, z, r, rh, n))
        h = new
    logits = h @ V + c
    shifted = logits - logits.max(axis=1, keepdims=True)
    probs = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    loss = -np.log(probs[np.arange(N), y]).mean()
    return loss, (steps, h, probs)


def backward(y, Wz, Uz, bz, Wr, Ur, br, Wn, Un, bn, V, c, cache):
    steps, h_last, probs = cache
    N = len(y)
    grads = {}
    dlogits = probs.copy()
    dlogits[np.arange(N), y] -= 1
    dlogits /= N
    grads["V"] = h_last.T @ dlogits
    grads["c"] = dlogits.sum(axis=0)
    dh = dlogits @ V.T
    for name, p in (
        ("Wz", Wz),
        ("Uz", Uz),
        ("bz", bz),
        ("Wr", Wr),
        ("Ur", Ur),
        ("br", br),
        ("Wn", Wn),
        ("Un", Un),
        ("bn", bn),
    ):
        grads[name] = np.zeros_like(p)
    for x, h, z, r, rh, n in steps[::-1]:
        dn = dh * (1 - z)
        dz = dh * (h - n)
        dh_prev = dh * z
        dan = dn * (1 - n**2)
        grads["Wn"] += x.T @ dan
        grads["Un"] += rh.T @ dan
        grads["bn"] += dan.sum(axis=0)
        drh = dan @ Un.T
        dr = drh * h
        dh_prev += drh * r
        daz = dz * z * (1 - z)
        dar = dr * r * (1 - r)
        grads["Wz"] += x.T @ daz
        grads["Uz"] += h.T @ daz
        grads["bz"] += daz.sum(axis=0)
        grads["Wr"] += x.T @ dar
        grads["Ur"] += h.T @ dar
        grads["br"] += dar.sum(axis=0)
        dh_prev += daz @ Uz.T + dar @ Ur.T
        dh = dh_prev
    return grads


def arguments(rng):
    D, H, K = 2, 3, 4
    given = {"X": rng.normal(size=(5, 3, D)), "y": rng.integers(0, K, 5)}
    for g in "zrn":
        given |= {f"W{g}": rng.normal(size=(D, H)), f"U{g}": rng.normal(size=(H, H)), f"b{g}": rng.normal(size=H)}
    return {**given, "V": rng.normal(size=(H, K)), "c": rng.normal(size=K)}
