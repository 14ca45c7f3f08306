"""A loss of pairs: which there are depends on whole numbers."""

import numpy as np


def forward(docs, relevance, w):
    s = docs @ w
    loss = 0
    for i in range(len(s)):
        for j in range(len(s)):
            if relevance[i] > relevance[j]:
                loss = loss + np.log(1 + np.exp(s[j] - s[i]))
    return loss


def backward(docs, relevance, w):
    s = docs @ w
    ds = np.zeros(len(s))
    for i in range(len(s)):
        for j in range(len(s)):
            if relevance[i] > relevance[j]:
                p = 1 / (1 + np.exp(s[i] - s[j]))
                ds[i] -= p
                ds[j] += p
    return docs.T @ ds


def given(rng):
    return {"docs": rng.normal(size=(4, 3)), "relevance": np.array([2, 0, 1, 0]), "w": rng.normal(size=3)}
