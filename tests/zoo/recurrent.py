"""Recurrent networks, unrolled: plain, LSTM, GRU, both directions."""

# ruff: noqa: RUF059 - users unpack shapes whole

from __future__ import annotations

import numpy as np

from zoo.case import Case


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def vanilla(Wx, Wh, b, xs, target):
    h = np.zeros(Wh.shape[0])
    for t in range(len(xs)):
        h = np.tanh(Wx @ xs[t] + Wh @ h + b)
    return np.sum((h - target) ** 2)


def character_model(Wxh, Whh, Why, bh, by, hprev, inputs, targets):
    """The well-known hundred lines: one-hot columns, dicts by time, a sum of losses."""
    vocab_size = Wxh.shape[1]
    xs, hs, ys, ps = {}, {}, {}, {}
    hs[-1] = np.copy(hprev)
    loss = 0
    for t in range(len(inputs)):
        xs[t] = np.zeros((vocab_size, 1))
        xs[t][inputs[t]] = 1
        hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t - 1]) + bh)
        ys[t] = np.dot(Why, hs[t]) + by
        ps[t] = np.exp(ys[t]) / np.sum(np.exp(ys[t]))
        loss += -np.log(ps[t][targets[t], 0])
    return loss


def batch_rnn(params, X, Y):
    """A batch of sequences, an output at each step, all outputs stacked."""
    B, T, _ = X.shape
    h = params["h0"]
    hidden = []
    for t in range(T):
        h = np.tanh(X[:, t, :] @ params["Wx"] + h @ params["Wh"] + params["b"])
        hidden.append(h)
    H = np.stack(hidden, axis=1)
    out = H @ params["Wo"] + params["bo"]
    return np.sum((out - Y) ** 2) / (B * T)


def relu_rnn(W, U, v, X, y):
    """Starts from the number 0."""
    s = 0.0
    for x in X:
        s = np.maximum(0, U @ x + (W @ s if np.ndim(s) else 0))
    return (v @ s - y) ** 2


def lstm(Wf, Wi, Wc, Wo, bf, bi, bc, bo, x, target):
    """One matrix for each gate, over the input and the state one under the other."""
    n = bf.shape[0]
    h = np.zeros((n, 1))
    c = np.zeros((n, 1))
    for t in range(x.shape[1]):
        concat = np.vstack((h, x[:, t : t + 1]))
        f = sigmoid(Wf @ concat + bf)
        i = sigmoid(Wi @ concat + bi)
        c_bar = np.tanh(Wc @ concat + bc)
        c = f * c + i * c_bar
        o = sigmoid(Wo @ concat + bo)
        h = o * np.tanh(c)
    return np.mean((h - target) ** 2)


def lstm_joint(x, h0, Wx, Wh, b, G):
    """All gates from one product, cut into four."""
    N, T, D = x.shape
    H = h0.shape[1]
    h, c = h0, np.zeros_like(h0)
    loss = 0
    for t in range(T):
        a = x[:, t].dot(Wx) + h.dot(Wh) + b
        i = sigmoid(a[:, 0:H])
        f = sigmoid(a[:, H : 2 * H])
        o = sigmoid(a[:, 2 * H : 3 * H])
        g = np.tanh(a[:, 3 * H :])
        c = f * c + i * g
        h = o * np.tanh(c)
        loss = loss + np.sum(h * G[:, t])
    return loss


def lstm_split(W, b, xs, w):
    h = c = np.zeros(W.shape[0] // 4)
    for x in xs:
        i, f, o, g = np.split(W @ np.concatenate([x, h]) + b, 4)
        c = sigmoid(f + 1) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    return w @ h


class GRUCell:
    """A cell with its weights in a dict."""

    def __init__(self, p):
        self.p = p

    def step(self, x, h):
        p = self.p
        z = sigmoid(x @ p["Wz"] + h @ p["Uz"] + p["bz"])
        r = sigmoid(x @ p["Wr"] + h @ p["Ur"] + p["br"])
        n = np.tanh(x @ p["Wn"] + (r * h) @ p["Un"] + p["bn"])
        return (1 - z) * h + z * n


def gru(weights, X, Y):
    cell = GRUCell(weights)
    h = np.zeros((X.shape[1], weights["Uz"].shape[0]))
    for x in X:
        h = cell.step(x, h)
    return ((h - Y) ** 2).sum(axis=1).mean()


def bidirectional(fw, bw, Wo, X, Y):
    def run(p, sequence):
        h, states = np.zeros(p["b"].shape), []
        for x in sequence:
            h = np.tanh(p["W"] @ x + p["U"] @ h + p["b"])
            states.append(h)
        return states

    right = run(fw, X)
    left = run(bw, X[::-1])[::-1]
    return sum(np.sum((Wo @ np.concatenate([a, b]) - y) ** 2) for a, b, y in zip(right, left, Y, strict=True))


def two_layers(layers, X, G):
    """A stack of recurrent layers; the sequence is a list."""
    sequence = [x for x in X]
    for W, U, b in layers:
        h = np.zeros(len(b))
        out = []
        for x in sequence:
            h = np.tanh(W @ x + U @ h + b)
            out.append(h)
        sequence = out
    return np.sum(np.stack(sequence) * G)


def encoder_decoder(E, Wxe, Whe, Wxd, Whd, Wo, source, target):
    h = np.zeros(Whe.shape[0])
    for s in source:
        h = np.tanh(E[s] @ Wxe + h @ Whe)
    nll = 0.0
    for before, after in zip(target[:-1], target[1:], strict=True):  # noqa: RUF007
        h = np.tanh(E[before] @ Wxd + h @ Whd)
        o = h @ Wo
        nll -= o[after] - np.log(np.exp(o).sum())
    return nll / (len(target) - 1)


def masked_sequences(W, U, X, lengths, y, v):
    """A state stays as it is where its sequence has ended."""
    h = np.zeros((X.shape[0], U.shape[0]))
    for t in range(X.shape[1]):
        new = np.tanh(X[:, t] @ W + h @ U)
        alive = (t < lengths)[:, None]
        h = np.where(alive, new, h)
    return np.mean((h @ v - y) ** 2)


def states_in_an_array(W, U, X, G):
    """States written into an array that was made for them."""
    T = X.shape[0]
    H = np.zeros((T + 1, U.shape[0]), dtype=U.dtype)
    for t in range(T):
        H[t + 1] = np.tanh(W @ X[t] + U @ H[t])
    return np.sum(H[1:] * G)


def linear_state_space(A, B, C, u, y):
    x = np.zeros(A.shape[0])
    error = 0
    for k in range(len(u)):
        x = A @ x + B * u[k]
        error += (C @ x - y[k]) ** 2
    return error


CASES = [
    Case(
        "vanilla",
        vanilla,
        lambda r: {
            "Wx": r.normal(size=(3, 2)),
            "Wh": r.normal(size=(3, 3)),
            "b": r.normal(size=3),
            "xs": r.normal(size=(4, 2)),
            "target": r.normal(size=3),
        },
    ),
    Case(
        "character model",
        character_model,
        lambda r: {
            "Wxh": r.normal(size=(4, 5)),
            "Whh": r.normal(size=(4, 4)),
            "Why": r.normal(size=(5, 4)),
            "bh": r.normal(size=(4, 1)),
            "by": r.normal(size=(5, 1)),
            "hprev": r.normal(size=(4, 1)),
            "inputs": [0, 3, 1],
            "targets": [3, 1, 4],
        },
    ),
    Case(
        "batch",
        batch_rnn,
        lambda r: {
            "params": {
                "h0": r.normal(size=(2, 5)),
                "Wx": r.normal(size=(3, 5)),
                "Wh": r.normal(size=(5, 5)) / 2,
                "b": r.normal(size=5),
                "Wo": r.normal(size=(5, 6)),
                "bo": r.normal(size=6),
            },
            "X": r.normal(size=(2, 4, 3)),
            "Y": r.normal(size=(2, 4, 6)),
        },
    ),
    Case(
        "relu, from a number",
        relu_rnn,
        lambda r: {
            "W": r.normal(size=(4, 4)),
            "U": r.normal(size=(4, 2)),
            "v": r.normal(size=4),
            "X": r.normal(size=(3, 2)),
            "y": r.normal(size=()),
        },
    ),
    Case(
        "LSTM, a matrix for each gate",
        lstm,
        lambda r: {
            **{k: r.normal(size=(4, 6)) for k in ("Wf", "Wi", "Wc", "Wo")},
            **{k: r.normal(size=(4, 1)) for k in ("bf", "bi", "bc", "bo")},
            "x": r.normal(size=(2, 3)),
            "target": r.normal(size=(4, 1)),
        },
    ),
    Case(
        "LSTM, gates cut from one product",
        lstm_joint,
        lambda r: {
            "x": r.normal(size=(2, 3, 4)),
            "h0": r.normal(size=(2, 5)),
            "Wx": r.normal(size=(4, 20)) / 2,
            "Wh": r.normal(size=(5, 20)) / 2,
            "b": r.normal(size=20),
            "G": r.normal(size=(2, 3, 5)),
        },
    ),
    Case(
        "LSTM, split",
        lstm_split,
        lambda r: {
            "W": r.normal(size=(12, 5)),
            "b": r.normal(size=12),
            "xs": r.normal(size=(4, 2)),
            "w": r.normal(size=3),
        },
    ),
    Case(
        "GRU as a class",
        gru,
        lambda r: {
            "weights": {
                **{f"W{g}": r.normal(size=(3, 4)) for g in "zrn"},
                **{f"U{g}": r.normal(size=(4, 4)) for g in "zrn"},
                **{f"b{g}": r.normal(size=4) for g in "zrn"},
            },
            "X": r.normal(size=(3, 2, 3)),
            "Y": r.normal(size=(2, 4)),
        },
    ),
    Case(
        "bidirectional",
        bidirectional,
        lambda r: {
            "fw": {"W": r.normal(size=(4, 3)), "U": r.normal(size=(4, 4)), "b": r.normal(size=4)},
            "bw": {"W": r.normal(size=(4, 3)), "U": r.normal(size=(4, 4)), "b": r.normal(size=4)},
            "Wo": r.normal(size=(2, 8)),
            "X": r.normal(size=(5, 3)),
            "Y": r.normal(size=(5, 2)),
        },
    ),
    Case(
        "two layers",
        two_layers,
        lambda r: {
            "layers": [(r.normal(size=(n, k)), r.normal(size=(n, n)), r.normal(size=n)) for n, k in [(4, 3), (5, 4)]],
            "X": r.normal(size=(3, 3)),
            "G": r.normal(size=(3, 5)),
        },
    ),
    Case(
        "encoder and decoder",
        encoder_decoder,
        lambda r: {
            "E": r.normal(size=(6, 3)),
            "Wxe": r.normal(size=(3, 4)),
            "Whe": r.normal(size=(4, 4)),
            "Wxd": r.normal(size=(3, 4)),
            "Whd": r.normal(size=(4, 4)),
            "Wo": r.normal(size=(4, 6)),
            "source": np.array([1, 4, 2]),
            "target": np.array([0, 5, 3, 3, 1]),
        },
    ),
    Case(
        "masked sequences",
        masked_sequences,
        lambda r: {
            "W": r.normal(size=(2, 5)),
            "U": r.normal(size=(5, 5)),
            "X": r.normal(size=(3, 4, 2)),
            "lengths": np.array([4, 2, 3]),
            "y": r.normal(size=3),
            "v": r.normal(size=5),
        },
    ),
    Case(
        "states written into an array",
        states_in_an_array,
        lambda r: {
            "W": r.normal(size=(3, 2)),
            "U": r.normal(size=(3, 3)),
            "X": r.normal(size=(4, 2)),
            "G": r.normal(size=(4, 3)),
        },
    ),
    Case(
        "linear state space",
        linear_state_space,
        lambda r: {
            "A": r.normal(size=(3, 3)),
            "B": r.normal(size=3),
            "C": r.normal(size=3),
            "u": r.normal(size=5),
            "y": r.normal(size=5),
        },
    ),
]
