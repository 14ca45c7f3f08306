"""An autoencoder whose decoder uses the transposed weights of the encoder."""

import numpy as np


def forward(X, W, b, c):
    n = X.shape[0]
    hidden = 1 / (1 + np.exp(-(X @ W + b)))
    recon = hidden @ W.T + c
    diff = recon - X
    loss = 0.5 * np.sum(diff * diff) / n
    return loss, hidden, diff


def backward(X, W, hidden, diff):
    n = X.shape[0]
    d_recon = diff / n
    grad_c = np.sum(d_recon, axis=0)
    d_hidden = d_recon @ W
    d_pre = d_hidden * hidden * (1 - hidden)
    grad_b = np.sum(d_pre, axis=0)
    grad_W = X.T @ d_pre
    grad_W += d_recon.T @ hidden
    return grad_W, grad_b, grad_c


def data(rng):
    return {
        "X": rng.normal(size=(7, 5)),
        "W": rng.normal(size=(5, 3)),
        "b": rng.normal(size=3),
        "c": rng.normal(size=5),
    }
