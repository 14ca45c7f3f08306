import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(xs, ys, Wf, Wi, Wo, Wg, Wy):
    h, c = np.zeros(3), np.zeros(3)
    steps = []
    loss = 0.0
    for t in range(len(xs)):
        z = np.concatenate([h, xs[t]])
        f = sigmoid(Wf @ z)
        i = sigmoid(Wi @ z)
        o = sigmoid(Wo @ z)
        g = np.tanh(Wg @ z)
        c_prev = c
        c = f * c_prev + i * g
        tc = np.tanh(c)
        h = o * tc
        y = Wy @ h
        loss = loss + 0.5 * np.sum((y - ys[t]) ** 2)
        steps.append((z, f, i, o, g, c_prev, c, tc, h, y))
    return loss, steps


def backward(xs, ys, Wf, Wi, Wo, Wg, Wy, cache):
    dWf, dWi, dWo, dWg = np.zeros_like(Wf), np.zeros_like(Wi), np.zeros_like(Wo), np.zeros_like(Wg)
    dWy = np.zeros_like(Wy)
    dh_next, dc_next = np.zeros(3), np.zeros(3)
    for t in reversed(range(len(xs))):
        z, f, i, o, g, c_prev, c, tc, h, y = cache[t]
        dy = y - ys[t]
        dWy += np.outer(dy, h)
        dh = Wy.T @ dy + dh_next
        do = dh * tc
        do_raw = do * o * (1 - o)
        dc = dh * o * (1 - tc**2) + dc_next
        df = dc * c_prev
        df_raw = df * f * (1 - f)
        di = dc * g
        di_raw = di * i * (1 - i)
        dg = dc * i
        dg_raw = dg * (1 - g**2)
        dWf += np.outer(df_raw, z)
        dWi += np.outer(di_raw, z)
        dWo += np.outer(do_raw, z)
        dWg += np.outer(dg_raw, z)
        dz = Wf.T @ df_raw + Wi.T @ di_raw + Wo.T @ do_raw + Wg.T @ dg_raw
        dh_next = dz[:3]
        dc_next = dc * f
    return dWf, dWi, dWo, dWg, dWy


def arguments(rng):
    return dict(
        xs=rng.normal(size=(4, 2)),
        ys=rng.normal(size=(4, 2)),
        **{name: rng.normal(size=(3, 5)) for name in ("Wf", "Wi", "Wo", "Wg")},
        Wy=rng.normal(size=(2, 3)),
    )
