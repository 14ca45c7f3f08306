"""The forward passes whose derivations stand in the documentation: plain NumPy, as one would write it."""

import numpy as np

from backproof import nn


def layer_norm(x, gamma, beta, target):
    mu = np.mean(x, axis=1, keepdims=True)
    variance = np.var(x, axis=1, keepdims=True)
    x_hat = (x - mu) / np.sqrt(variance + 1e-5)
    out = gamma * x_hat + beta
    return np.sum((out - target) ** 2) / 2


def attention(Q, K, V, mask, target):
    scores = Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])
    scores = np.where(mask, scores, -1e9)
    P = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
    P = P / np.sum(P, axis=-1, keepdims=True)
    out = P @ V
    return np.sum((out - target) ** 2) / 2


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def lstm(Wf, Wi, Wo, Wg, bf, bi, bo, bg, xs, target):
    h = np.zeros(bf.shape)
    c = np.zeros(bf.shape)
    for t in range(len(xs)):
        hx = np.concatenate([h, xs[t]])
        f = sigmoid(Wf @ hx + bf)
        i = sigmoid(Wi @ hx + bi)
        o = sigmoid(Wo @ hx + bo)
        g = np.tanh(Wg @ hx + bg)
        c = f * c + i * g
        h = o * np.tanh(c)
    return np.sum((h - target) ** 2) / 2


def gru(x, h, W_ih, W_hh, b_ih, b_hh, target):
    out = nn.gru_cell(x, h, W_ih, W_hh, b_ih, b_hh)
    return np.sum((out - target) ** 2) / 2


def conv2d(images, kernel, bias, target):
    out = nn.conv2d(images, kernel, bias)
    return np.sum((out - target) ** 2) / 2
