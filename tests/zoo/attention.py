"""Attention: one head, masks, several heads, biases by distance, batches."""

from __future__ import annotations

import numpy as np

from zoo.case import Case


def softmax(x, axis=-1):
    x = x - np.max(x, axis=axis, keepdims=True)
    e = np.exp(x)
    return e / np.sum(e, axis=axis, keepdims=True)


def single_head(X, Wq, Wk, Wv, Y):
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    weights = softmax(Q @ K.T / np.sqrt(K.shape[1]))
    return np.mean((weights @ V - Y) ** 2)


def column_tokens(X, Wq, Wk, Wv, G):
    """Tokens are columns; each column of the scores is normalised."""
    q = Wq @ X
    k = Wk @ X
    v = Wv @ X
    s = k.T @ q / q.shape[0] ** 0.5
    e = np.exp(s)
    a = e / e.sum(axis=0)
    return np.sum(G * (v @ a))


def causal(Q, K, V, G):
    T = Q.shape[0]
    scores = Q @ K.T / np.sqrt(Q.shape[-1])
    mask = np.tril(np.ones((T, T)))
    scores = np.where(mask == 1, scores, -1e9)
    return np.sum(G * (softmax(scores) @ V))


def causal_added(Q, K, V, G):
    n = len(Q)
    mask = np.triu(np.full((n, n), -1e9), k=1)
    att = softmax(np.einsum("id,jd->ij", Q, K) + mask, axis=1)
    out = np.einsum("ij,jd->id", att, V)
    return np.einsum("id,id->", out, G)


def padding_mask(Q, K, V, lengths, G):
    """Sequences of different lengths in one batch."""
    inside = np.arange(K.shape[1])[None, :] < lengths[:, None]
    scores = np.matmul(Q, K.transpose(0, 2, 1)) / np.sqrt(Q.shape[-1])
    scores = np.where(inside[:, None, :], scores, -1e9)
    return (np.matmul(softmax(scores), V) * G).sum()


def multi_head(x, Wq, Wk, Wv, Wo, Y, heads=2):
    B, T, C = x.shape
    d = C // heads
    q = (x @ Wq).reshape(B, T, heads, d).transpose(0, 2, 1, 3)
    k = (x @ Wk).reshape(B, T, heads, d).transpose(0, 2, 1, 3)
    v = (x @ Wv).reshape(B, T, heads, d).transpose(0, 2, 1, 3)
    att = softmax(q @ k.transpose(0, 1, 3, 2) / np.sqrt(d))
    y = (att @ v).transpose(0, 2, 1, 3).reshape(B, T, C)
    return np.mean((y @ Wo - Y) ** 2)


def heads_in_a_loop(x, heads, Wo, Y):
    outs = []
    for h in heads:
        q, k, v = x @ h["q"], x @ h["k"], x @ h["v"]
        outs.append(softmax(q @ k.T * h["q"].shape[1] ** -0.5) @ v)
    return np.sum((np.concatenate(outs, axis=-1) @ Wo - Y) ** 2)


def split_projection(x, W_qkv, G, n_head=2):
    """One product for queries, keys and values, then a split."""
    T, C = x.shape
    q, k, v = np.split(x @ W_qkv, 3, axis=-1)
    q = q.reshape(T, n_head, C // n_head).swapaxes(0, 1)
    k = k.reshape(T, n_head, C // n_head).swapaxes(0, 1)
    v = v.reshape(T, n_head, C // n_head).swapaxes(0, 1)
    o = softmax(q @ np.swapaxes(k, -1, -2)) @ v
    return np.sum(np.swapaxes(o, 0, 1).reshape(T, C) * G)


def einsum_heads(x, Wq, Wk, Wv, Wo, G):
    q = np.einsum("btc,chd->bhtd", x, Wq)
    k = np.einsum("btc,chd->bhtd", x, Wk)
    v = np.einsum("btc,chd->bhtd", x, Wv)
    a = softmax(np.einsum("bhid,bhjd->bhij", q, k))
    y = np.einsum("bhij,bhjd,hdc->bic", a, v, Wo)
    return np.sum(y * G)


def relative_bias(Q, K, V, bias, G):
    """A bias for each distance, found by an array of distances."""
    n = Q.shape[0]
    distance = np.arange(n)[:, None] - np.arange(n)[None, :] + n - 1
    scores = Q @ K.T + bias[distance]
    return np.sum(softmax(scores, axis=1) @ V * G)


def alibi(Q, K, V, slopes, G):
    n = Q.shape[1]
    steps = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    scores = Q @ np.swapaxes(K, 1, 2) - slopes[:, None, None] * steps
    return np.sum(softmax(scores) @ V * G)


def additive(h, s, Wh, Ws, v, b):
    """Bahdanau's: a small network gives the scores."""
    e = np.tanh(h @ Wh + s @ Ws + b) @ v
    alpha = np.exp(e) / np.sum(np.exp(e))
    context = alpha @ h
    return np.sum(context**2)


def rotary(Q, K, V, G):
    n, d = Q.shape
    angle = np.outer(np.arange(n), 1.0 / 10 ** (np.arange(d // 2) / d))
    cos, sin = np.cos(angle), np.sin(angle)

    def turn(x):
        a, b = x[:, 0::2], x[:, 1::2]
        return np.concatenate([a * cos - b * sin, a * sin + b * cos], axis=1)

    return np.sum(softmax(turn(Q) @ turn(K).T) @ V * G)


def linear_attention(Q, K, V, G):
    phi = lambda x: np.where(x > 0, x + 1, np.exp(np.minimum(x, 0)))  # noqa: E731
    q, k = phi(Q), phi(K)
    out = (q @ (k.T @ V)) / (q @ k.sum(0))[:, None]
    return np.sum(out * G)


def pooled(X, query, w):
    """A learnt query over each sequence of a batch."""
    scores = np.einsum("btd,d->bt", X, query)
    a = softmax(scores)
    return np.sum(np.tanh(np.einsum("bt,btd->bd", a, X) @ w))


def cross_loop(queries, memory, W, G):
    """One query at a time."""
    outs = []
    for q in queries:
        scores = memory @ (W @ q)
        weights = softmax(scores, axis=0)
        outs.append(weights @ memory)
    return np.sum(np.stack(outs) * G)


class Block:
    """A transformer's block, the norms first."""

    def __init__(self, params):
        self.p = params

    def norm(self, x, g, b):
        c = x - x.mean(-1, keepdims=True)
        return c / np.sqrt((c**2).mean(-1, keepdims=True) + 1e-5) * g + b

    def attend(self, x):
        q, k, v = x @ self.p["Wq"], x @ self.p["Wk"], x @ self.p["Wv"]
        s = q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1])
        s = s + np.triu(-1e9 * np.ones(s.shape[-2:]), 1)
        return softmax(s) @ v @ self.p["Wo"]

    def mlp(self, x):
        return np.maximum(x @ self.p["W1"] + self.p["b1"], 0) @ self.p["W2"] + self.p["b2"]

    def __call__(self, x):
        x = x + self.attend(self.norm(x, self.p["g1"], self.p["c1"]))
        return x + self.mlp(self.norm(x, self.p["g2"], self.p["c2"]))


def transformer_block(params, embed, tokens, targets):
    x = embed[tokens]
    logits = Block(params)(x) @ embed.T
    z = logits - logits.max(axis=-1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    B, T = tokens.shape
    return -logp[np.arange(B)[:, None], np.arange(T), targets].mean()


def _qkv(r, n=4, d=3, m=None, e=5, batch=()):
    m = m or n
    return {
        "Q": r.normal(size=(*batch, n, d)),
        "K": r.normal(size=(*batch, m, d)),
        "V": r.normal(size=(*batch, m, e)),
        "G": r.normal(size=(*batch, n, e)),
    }


def _block(r, c=4, h=6):
    square = {k: r.normal(size=(c, c)) / 2 for k in ("Wq", "Wk", "Wv", "Wo")}
    vectors = {k: r.normal(size=c) for k in ("g1", "c1", "g2", "c2", "b2")}
    return {
        **square,
        **vectors,
        "W1": r.normal(size=(c, h)),
        "b1": r.normal(size=h),
        "W2": r.normal(size=(h, c)),
    }


CASES = [
    Case(
        "single head",
        single_head,
        lambda r: {
            "X": r.normal(size=(5, 3)),
            "Wq": r.normal(size=(3, 4)),
            "Wk": r.normal(size=(3, 4)),
            "Wv": r.normal(size=(3, 2)),
            "Y": r.normal(size=(5, 2)),
        },
    ),
    Case(
        "tokens are columns",
        column_tokens,
        lambda r: {
            "X": r.normal(size=(3, 5)),
            "Wq": r.normal(size=(4, 3)),
            "Wk": r.normal(size=(4, 3)),
            "Wv": r.normal(size=(2, 3)),
            "G": r.normal(size=(2, 5)),
        },
    ),
    Case("causal", causal, _qkv),
    Case("causal, mask added", causal_added, _qkv),
    Case(
        "padding mask",
        padding_mask,
        lambda r: {**_qkv(r, n=4, d=3, m=6, e=5, batch=(2,)), "lengths": np.array([6, 3])},
    ),
    Case(
        "multi-head",
        multi_head,
        lambda r: {
            "x": r.normal(size=(3, 5, 4)),
            **{k: r.normal(size=(4, 4)) for k in ("Wq", "Wk", "Wv", "Wo")},
            "Y": r.normal(size=(3, 5, 4)),
        },
    ),
    Case(
        "heads in a loop",
        heads_in_a_loop,
        lambda r: {
            "x": r.normal(size=(5, 3)),
            "heads": [{k: r.normal(size=(3, 2)) for k in "qkv"} for _ in range(2)],
            "Wo": r.normal(size=(4, 3)),
            "Y": r.normal(size=(5, 3)),
        },
    ),
    Case(
        "split projection",
        split_projection,
        lambda r: {"x": r.normal(size=(5, 4)), "W_qkv": r.normal(size=(4, 12)), "G": r.normal(size=(5, 4))},
    ),
    Case(
        "heads by einsum",
        einsum_heads,
        lambda r: {
            "x": r.normal(size=(2, 5, 4)),
            **{k: r.normal(size=(4, 3, 2)) for k in ("Wq", "Wk", "Wv")},
            "Wo": r.normal(size=(3, 2, 4)),
            "G": r.normal(size=(2, 5, 4)),
        },
    ),
    Case("relative bias", relative_bias, lambda r: {**_qkv(r), "bias": r.normal(size=7)}),
    Case("bias by distance", alibi, lambda r: {**_qkv(r, batch=(2,)), "slopes": r.normal(size=2)}),
    Case(
        "additive",
        additive,
        lambda r: {
            "h": r.normal(size=(5, 3)),
            "s": r.normal(size=2),
            "Wh": r.normal(size=(3, 4)),
            "Ws": r.normal(size=(2, 4)),
            "v": r.normal(size=4),
            "b": r.normal(size=4),
        },
    ),
    Case("rotary", rotary, lambda r: _qkv(r, n=5, d=4, e=3)),
    Case("linear attention", linear_attention, _qkv),
    Case(
        "pooled",
        pooled,
        lambda r: {"X": r.normal(size=(2, 5, 3)), "query": r.normal(size=3), "w": r.normal(size=(3, 4))},
    ),
    Case(
        "cross, in a loop",
        cross_loop,
        lambda r: {
            "queries": r.normal(size=(4, 2)),
            "memory": r.normal(size=(5, 3)),
            "W": r.normal(size=(3, 2)),
            "G": r.normal(size=(4, 3)),
        },
    ),
    Case(
        "transformer block",
        transformer_block,
        lambda r: {
            "params": _block(r),
            "embed": r.normal(size=(7, 4)),
            "tokens": r.integers(0, 7, size=(2, 5)),
            "targets": r.integers(0, 7, size=(2, 5)),
        },
    ),
]
