import numpy as np


def forward(X, y, W1, b1, W2, b2):
    N = X.shape[0]
    h = np.maximum(0, X.dot(W1) + b1)
    scores = h.dot(W2) + b2
    shifted = scores - scores.max(axis=1, keepdims=True)
    exp = np.exp(shifted)
    probs = exp / exp.sum(axis=1, keepdims=True)
    loss = -np.log(probs[np.arange(N), y]).mean()
    reg = 0.5 * 0.1 * (np.sum(W1 * W1) + np.sum(W2 * W2))
    return loss + reg


def backward(X, y, W1, W2, h, probs):
    N = X.shape[0]
    dscores = probs.copy()
    dscores[np.arange(N), y] -= 1
    dscores /= N
    dW2 = h.T.dot(dscores)
    db2 = dscores.sum(axis=0)
    dh = dscores.dot(W2.T)
    dh[h <= 0] = 0
    dW1 = X.T.dot(dh)
    db1 = dh.sum(axis=0)
    dW2 += 0.1 * W2
    dW1 += 0.1 * W1
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


def arguments(rng):
    return dict(
        X=rng.normal(size=(7, 4)),
        y=rng.integers(0, 3, 7),
        W1=rng.normal(size=(4, 6)),
        b1=rng.normal(size=6),
        W2=rng.normal(size=(6, 3)),
        b2=rng.normal(size=3),
    )
