"""A recurrent network on characters: whole numbers in, softmax at every step, backpropagation through time."""

import numpy as np


def forward(inputs, targets, hprev, Wxh, Whh, Why, bh, by):
    hs, ps = {}, {}
    hs[-1] = hprev
    loss = 0
    for t in range(len(inputs)):
        x = np.zeros((Wxh.shape[1], 1))
        x[inputs[t]] = 1
        hs[t] = np.tanh(np.dot(Wxh, x) + np.dot(Whh, hs[t - 1]) + bh)
        y = np.dot(Why, hs[t]) + by
        ps[t] = np.exp(y) / np.sum(np.exp(y))
        loss = loss - np.log(ps[t][targets[t], 0])
    return loss, (hs, ps)


def backward(inputs, targets, Wxh, Whh, Why, bh, by, cache):
    hs, ps = cache
    dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
    dbh, dby = np.zeros_like(bh), np.zeros_like(by)
    dhnext = np.zeros_like(hs[0])
    for t in reversed(range(len(inputs))):
        x = np.zeros((Wxh.shape[1], 1))
        x[inputs[t]] = 1
        dy = np.copy(ps[t])
        dy[targets[t]] -= 1
        dWhy += np.dot(dy, hs[t].T)
        dby += dy
        dh = np.dot(Why.T, dy) + dhnext
        dhraw = (1 - hs[t] * hs[t]) * dh
        dbh += dhraw
        dWxh += np.dot(dhraw, x.T)
        dWhh += np.dot(dhraw, hs[t - 1].T)
        dhnext = np.dot(Whh.T, dhraw)
    return dWxh, dWhh, dWhy, dbh, dby


def data(rng):
    return {
        "inputs": np.array([0, 2, 2, 1, 3]),
        "targets": np.array([2, 2, 1, 3, 0]),
        "hprev": rng.normal(size=(5, 1)) * 0.5,
        "Wxh": rng.normal(size=(5, 4)) * 0.7,
        "Whh": rng.normal(size=(5, 5)) * 0.5,
        "Why": rng.normal(size=(4, 5)) * 0.7,
        "bh": rng.normal(size=(5, 1)) * 0.5,
        "by": rng.normal(size=(4, 1)) * 0.5,
    }
