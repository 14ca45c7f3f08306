import numpy as np


def forward(xs, targets, Wxh, Whh, Why, bh, by):
    T = len(xs)
    h = np.zeros(Whh.shape[0])
    hs = [h]
    ys = []
    loss = 0
    for t in range(T):
        h = np.tanh(Wxh @ xs[t] + Whh @ h + bh)
        y = Why @ h + by
        loss = loss + 0.5 * np.sum((y - targets[t]) ** 2)
        hs.append(h)
        ys.append(y)
    return loss, (hs, ys)


def backward(xs, targets, Wxh, Whh, Why, bh, by, cache):
    hs, ys = cache
    dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
    dbh, dby = np.zeros_like(bh), np.zeros_like(by)
    dhnext = np.zeros_like(hs[0])
    for t in reversed(range(len(xs))):
        dy = ys[t] - targets[t]
        dWhy += np.outer(dy, hs[t + 1])
        dby += dy
        dh = Why.T @ dy + dhnext
        dhraw = (1 - hs[t + 1] ** 2) * dh
        dbh += dhraw
        dWxh += np.outer(dhraw, xs[t])
        dWhh += np.outer(dhraw, hs[t])
        dhnext = Whh.T @ dhraw
    return dWxh, dWhh, dWhy, dbh, dby


def arguments(rng):
    return dict(
        xs=rng.normal(size=(4, 3)),
        targets=rng.normal(size=(4, 2)),
        Wxh=rng.normal(size=(5, 3)),
        Whh=rng.normal(size=(5, 5)) * 0.5,
        Why=rng.normal(size=(2, 5)),
        bh=rng.normal(size=5),
        by=rng.normal(size=2),
    )
