import numpy as np


def forward(inputs, labels, h0, W, R, V):
    h, J, hs, ps = h0, 0, [h0], []
    for t in range(len(inputs)):
        h = np.tanh(W @ inputs[t] + R @ h)
        y = V @ h
        p = np.exp(y) / np.sum(np.exp(y))
        J = J - np.log(p[labels[t], 0])
        hs.append(h)
        ps.append(p)
    return J, (hs, ps)


def backward(inputs, labels, W, R, V, cache):
    hs, ps = cache
    dW, dR, dV = np.zeros_like(W), np.zeros_like(R), np.zeros_like(V)
    dnext = np.zeros_like(hs[0])
    for t in reversed(range(len(inputs))):
        dy = ps[t].copy()
        dy[labels[t]] -= 1
        dV += dy @ hs[t + 1].T
        dh = V.T @ dy + dnext
        dz = (1 - hs[t + 1] ** 2) * dh
        dW += dz @ inputs[t].T
        dR += dz @ hs[t].T
        dnext = R.T @ dz
    return dW, dR, dV


def arguments(rng):
    return dict(
        inputs=rng.normal(size=(5, 3, 1)),
        labels=np.array([2, 2, 1, 3, 0]),
        h0=rng.normal(size=(6, 1)) * 0.5,
        W=rng.normal(size=(6, 3)) * 0.5,
        R=rng.normal(size=(6, 6)) * 0.4,
        V=rng.normal(size=(4, 6)) * 0.5,
    )
