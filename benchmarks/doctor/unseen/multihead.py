"""Attention with several heads on a batch of sequences, a causal mask, and a residual path."""

import numpy as np


def split_heads(x, heads):
    B, T, D = x.shape
    return x.reshape(B, T, heads, D // heads).transpose(0, 2, 1, 3)


def merge_heads(x):
    B, H, T, d = x.shape
    return x.transpose(0, 2, 1, 3).reshape(B, T, H * d)


def forward(x, target, Wq, Wk, Wv, Wo, bo, heads):
    q = split_heads(x @ Wq, heads)
    k = split_heads(x @ Wk, heads)
    v = split_heads(x @ Wv, heads)
    scale = 1 / np.sqrt(q.shape[-1])
    T = x.shape[1]
    mask = np.triu(np.ones((T, T)), 1)
    scores = q @ k.transpose(0, 1, 3, 2) * scale - 1e9 * mask
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    p = e / e.sum(axis=-1, keepdims=True)
    ctx = merge_heads(p @ v)
    out = x + ctx @ Wo + bo
    loss = np.mean((out - target) ** 2)
    return loss, (q, k, v, scale, p, ctx, out)


def backward(x, target, Wq, Wk, Wv, Wo, heads, cache):
    q, k, v, scale, p, ctx, out = cache
    B, T, D = x.shape
    dout = 2 * (out - target) / out.size
    dWo = ctx.reshape(B * T, D).T @ dout.reshape(B * T, D)
    dbo = dout.sum(axis=(0, 1))
    dctx = dout @ Wo.T
    dheads = split_heads(dctx, heads)
    dv = p.transpose(0, 1, 3, 2) @ dheads
    dp = dheads @ v.transpose(0, 1, 3, 2)
    dscores = p * (dp - (dp * p).sum(axis=-1, keepdims=True))
    dq = dscores @ k * scale
    dk = dscores.transpose(0, 1, 3, 2) @ q * scale
    dq = merge_heads(dq)
    dk = merge_heads(dk)
    dv = merge_heads(dv)
    x2 = x.reshape(B * T, D)
    dWq = x2.T @ dq.reshape(B * T, D)
    dWk = x2.T @ dk.reshape(B * T, D)
    dWv = x2.T @ dv.reshape(B * T, D)
    dx = dout + dq @ Wq.T + dk @ Wk.T + dv @ Wv.T
    return dx, dWq, dWk, dWv, dWo, dbo


def data(rng):
    return {
        "x": rng.normal(size=(3, 5, 4)),
        "target": rng.normal(size=(3, 5, 4)),
        "Wq": rng.normal(size=(4, 4)),
        "Wk": rng.normal(size=(4, 4)),
        "Wv": rng.normal(size=(4, 4)),
        "Wo": rng.normal(size=(4, 4)),
        "bo": rng.normal(size=4),
        "heads": 2,
    }
