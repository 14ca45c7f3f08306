"""The mean of word vectors, a hidden layer and softmax: words occur several times in a text."""

import numpy as np


def forward(words, labels, E, W1, b1, W2, b2):
    B, T = words.shape
    vectors = E[words]
    mean = vectors.mean(axis=1)
    z = mean @ W1 + b1
    h = 1 / (1 + np.exp(-z))
    logits = h @ W2 + b2
    exps = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = exps / exps.sum(axis=1, keepdims=True)
    loss = -np.mean(np.log(p[np.arange(B), labels]))
    return loss, {"mean": mean, "h": h, "p": p}


def backward(words, labels, E, W1, b1, W2, b2, cache):
    B, T = words.shape
    mean, h, p = cache["mean"], cache["h"], cache["p"]
    onehot = np.zeros_like(p)
    onehot[np.arange(B), labels] = 1
    dlogits = (p - onehot) / B
    dW2 = h.T @ dlogits
    db2 = dlogits.sum(axis=0)
    dh = dlogits @ W2.T
    dz = dh * h * (1 - h)
    dW1 = mean.T @ dz
    db1 = dz.sum(axis=0)
    dmean = dz @ W1.T
    dE = np.zeros_like(E)
    for t in range(T):
        np.add.at(dE, words[:, t], dmean / T)
    return dict(E=dE, W1=dW1, b1=db1, W2=dW2, b2=db2)


def data(rng):
    return {
        "words": rng.integers(0, 9, (5, 4)),
        "labels": rng.integers(0, 3, 5),
        "E": rng.normal(size=(9, 6)),
        "W1": rng.normal(size=(6, 7)),
        "b1": rng.normal(size=7),
        "W2": rng.normal(size=(7, 3)),
        "b2": rng.normal(size=3),
    }
