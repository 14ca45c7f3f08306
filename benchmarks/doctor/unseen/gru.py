"""A GRU with a loss at every step; states in lists."""

import numpy as np


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


def forward(xs, ys, Wz, Uz, bz, Wr, Ur, br, Wh, Uh, bh, V):
    T = len(xs)
    hs = [np.zeros(Uz.shape[0])]
    zs, rs, cs, outs = [], [], [], []
    loss = 0
    for t in range(T):
        h = hs[-1]
        z = sigmoid(Wz @ xs[t] + Uz @ h + bz)
        r = sigmoid(Wr @ xs[t] + Ur @ h + br)
        c = np.tanh(Wh @ xs[t] + Uh @ (r * h) + bh)
        h_new = (1 - z) * h + z * c
        out = V @ h_new
        loss = loss + 0.5 * np.sum((out - ys[t]) ** 2)
        hs.append(h_new)
        zs.append(z)
        rs.append(r)
        cs.append(c)
        outs.append(out)
    return loss, (hs, zs, rs, cs, outs)


def backward(xs, ys, Wz, Uz, bz, Wr, Ur, br, Wh, Uh, bh, V, cache):
    hs, zs, rs, cs, outs = cache
    T = len(xs)
    dWz, dUz, dbz = np.zeros_like(Wz), np.zeros_like(Uz), np.zeros_like(bz)
    dWr, dUr, dbr = np.zeros_like(Wr), np.zeros_like(Ur), np.zeros_like(br)
    dWh, dUh, dbh = np.zeros_like(Wh), np.zeros_like(Uh), np.zeros_like(bh)
    dV = np.zeros_like(V)
    dh_next = np.zeros(Uz.shape[0])
    for t in range(T - 1, -1, -1):
        h, z, r, c = hs[t], zs[t], rs[t], cs[t]
        dout = outs[t] - ys[t]
        dV += np.outer(dout, hs[t + 1])
        dh_new = V.T @ dout + dh_next
        dz = dh_new * (c - h)
        dc = dh_new * z
        dc_raw = dc * (1 - c**2)
        dWh += np.outer(dc_raw, xs[t])
        dUh += np.outer(dc_raw, r * h)
        dbh += dc_raw
        drh = Uh.T @ dc_raw
        dr = drh * h
        dr_raw = dr * r * (1 - r)
        dWr += np.outer(dr_raw, xs[t])
        dUr += np.outer(dr_raw, h)
        dbr += dr_raw
        dz_raw = dz * z * (1 - z)
        dWz += np.outer(dz_raw, xs[t])
        dUz += np.outer(dz_raw, h)
        dbz += dz_raw
        dh_next = dh_new * (1 - z) + drh * r + Ur.T @ dr_raw + Uz.T @ dz_raw
    return {
        "Wz": dWz,
        "Uz": dUz,
        "bz": dbz,
        "Wr": dWr,
        "Ur": dUr,
        "br": dbr,
        "Wh": dWh,
        "Uh": dUh,
        "bh": dbh,
        "V": dV,
    }


def data(rng):
    gates = {}
    for gate in "zrh":
        gates |= {
            "W" + gate: rng.normal(size=(4, 3)),
            "U" + gate: rng.normal(size=(4, 4)) * 0.6,
            "b" + gate: rng.normal(size=4) * 0.5,
        }
    return {"xs": rng.normal(size=(5, 3)), "ys": rng.normal(size=(5, 2)), **gates, "V": rng.normal(size=(2, 4))}
