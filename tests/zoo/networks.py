"""Plain networks: layers, activations, losses, penalties, shortcuts, dropout, embeddings."""

from __future__ import annotations

import numpy as np

from zoo.case import Case


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def relu(z):
    return np.maximum(0, z)


def softmax(z, axis=-1):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def leaky_relu(z, slope=0.1):
    return np.where(z > 0, z, slope * z)


def softplus(z):
    return np.log(1.0 + np.exp(z))


def elu(z, alpha=1.0):
    return np.where(z > 0, z, alpha * (np.exp(np.minimum(z, 0)) - 1))


def gelu(z):
    return 0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))


swish = lambda z: z * sigmoid(z)  # noqa: E731 - users do write this


def column_samples(W1, b1, W2, b2, X, Y):
    """A course's network: samples are columns, biases are columns."""
    m = X.shape[1]
    Z1 = np.dot(W1, X) + b1
    A1 = np.tanh(Z1)
    Z2 = np.dot(W2, A1) + b2
    A2 = sigmoid(Z2)
    logprobs = np.multiply(np.log(A2), Y) + np.multiply(np.log(1 - A2), 1 - Y)
    cost = -np.sum(logprobs) / m
    return np.squeeze(cost)


def row_samples(W1, b1, W2, b2, X, Y):
    """Samples are rows, biases are vectors."""
    hidden = relu(X @ W1 + b1)
    scores = hidden @ W2 + b2
    return np.mean((scores - Y) ** 2)


def parameters_in_a_dict(params, X, y):
    """Softmax with labels, and an L2 penalty over a dict's values."""
    W1, b1 = params["W1"], params["b1"]
    W2, b2 = params["W2"], params["b2"]
    reg = 0.01
    num_train = X.shape[0]
    a1 = np.maximum(X.dot(W1) + b1, 0)
    scores = a1.dot(W2) + b2
    shifted = scores - np.max(scores, axis=1, keepdims=True)
    probs = np.exp(shifted) / np.sum(np.exp(shifted), axis=1, keepdims=True)
    loss = np.sum(-np.log(probs[np.arange(num_train), y])) / num_train
    loss += 0.5 * reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
    return loss


def list_of_layers(layers, X, Y):
    """Each layer is a pair; the last has no activation."""
    a = X
    for i, (W, b) in enumerate(layers):
        a = a @ W + b
        if i < len(layers) - 1:
            a = np.tanh(a)
    return 0.5 * np.sum((a - Y) ** 2) / len(X)


def numbered_keys(parameters, X, Y):
    """Keys W1, b1, W2, … put together from the number of the layer."""
    A = X
    L = len(parameters) // 2
    for l in range(1, L):
        A = relu(parameters["W" + str(l)] @ A + parameters["b" + str(l)])
    AL = sigmoid(parameters[f"W{L}"] @ A + parameters[f"b{L}"])
    m = Y.shape[1]
    return -(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)).sum() / m


class Linear:
    """A layer that keeps what it is given."""

    def __init__(self, W, b):
        self.W = W
        self.b = b

    def __call__(self, x):
        self.x = x
        self.out = x @ self.W + self.b
        return self.out


class Sequential:
    """Layers and functions, one after the other."""

    def __init__(self, *layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


def classes(W1, b1, W2, b2, X, Y):
    model = Sequential(Linear(W1, b1), leaky_relu, Linear(W2, b2), np.tanh)
    return np.abs(model.forward(X) - Y).mean()


def hinge(W, b, X, t):
    """A linear support vector machine; t is -1 or 1."""
    margins = 1 - t * (X @ W + b)
    return np.maximum(margins, 0).mean() + 0.5 * 0.1 * W @ W


def multiclass_hinge(W, X, y):
    scores = X.dot(W)
    correct = scores[np.arange(len(y)), y].reshape(-1, 1)
    margins = np.maximum(0, scores - correct + 1.0)
    margins[np.arange(len(y)), y] = 0
    return np.sum(margins) / X.shape[0]


def huber(W, b, X, y, delta=1.0):
    r = X @ W + b - y
    small = np.abs(r) <= delta
    return np.where(small, 0.5 * r**2, delta * (np.abs(r) - 0.5 * delta)).sum()


def log_cosh(W, b, X, y):
    return np.log(np.cosh(X @ W + b - y)).mean()


def gelu_net(W1, b1, W2, X, Y):
    return ((gelu(X @ W1 + b1) @ W2 - Y) ** 2).mean(axis=1).sum()


def swish_net(W1, W2, X, Y):
    return np.linalg.norm(swish(X @ W1) @ W2 - Y) ** 2


def elu_net(W, b, V, X, Y):
    return np.average((elu(X @ W + b) @ V - Y) ** 2)


def softplus_net(W, b, v, X, y):
    return np.sum(np.square(softplus(X @ W + b) @ v - y))


def lasso(w, b, X, y, l1=0.1, l2=0.02):
    """Elastic net."""
    residual = y - (X @ w + b)
    return (residual**2).sum() / (2 * len(y)) + l1 * np.sum(np.abs(w)) + l2 * np.sum(w**2) / 2


def residual(W1, W2, Wout, X, Y):
    h = X
    for W in (W1, W2, W1):
        h = h + np.tanh(h @ W)
    return np.mean(np.sum((h @ Wout - Y) ** 2, axis=-1))


def residual_in_place(Ws, X, Y):
    h = X * 1.0
    for W in Ws:
        h += relu(h @ W)
    return ((h - Y) ** 2).sum()


def highway(W_h, b_h, W_t, b_t, X, G):
    t = sigmoid(X @ W_t + b_t)
    h = np.tanh(X @ W_h + b_h)
    return np.sum(G * (t * h + (1 - t) * X))


def dropout(W1, b1, W2, mask, X, Y, keep_prob=0.8):
    A1 = np.tanh(W1 @ X + b1)
    A1 = A1 * mask
    A1 = A1 / keep_prob
    A2 = W2 @ A1
    return np.sum((A2 - Y) ** 2) / (2 * X.shape[1])


def boolean_dropout(W1, W2, keep, X, Y):
    h = relu(X @ W1)
    h *= keep / 0.5
    return np.mean((h @ W2 - Y) ** 2)


def embedding(E, W, b, tokens, y):
    """A bag of words: the mean of the rows of E."""
    h = E[tokens].mean(axis=1)
    p = softmax(h @ W + b)
    m = len(y)
    return -np.log(p[np.arange(m), y]).mean()


def skip_gram(U, V, center, context, negative):
    """Word vectors with negative samples."""
    u = U[center]
    positive = np.log(sigmoid(np.sum(u * V[context], axis=1)))
    others = np.log(sigmoid(-np.einsum("bd,bkd->bk", u, V[negative])))
    return -(positive.sum() + others.sum()) / len(center)


def neural_language_model(C, H, d, U, b, words, target):
    x = C[words].reshape(len(words), -1)
    y = np.tanh(x @ H + d) @ U + b
    y = y - y.max(1, keepdims=True)
    logp = y - np.log(np.exp(y).sum(1, keepdims=True))
    return -logp[range(len(target)), target].mean()


def one_hot_softmax(W, b, X, Y):
    A = softmax(W @ X + b, axis=0)
    return -np.sum(Y * np.log(A + 1e-12)) / Y.shape[1]


def one_sample(W1, b1, W2, b2, x, t):
    """Vectors all the way, as in a textbook."""
    h = sigmoid(W1 @ x + b1)
    o = sigmoid(W2 @ h + b2)
    return 0.5 * sum((o - t) ** 2)


def loop_over_samples(W, b, v, X, y):
    total = 0.0
    for x_i, y_i in zip(X, y, strict=True):
        total += (np.tanh(W @ x_i + b) @ v - y_i) ** 2
    return total / len(y)


def comprehension(W, v, X, y):
    return sum([(v @ np.tanh(W @ x) - t) ** 2 for x, t in zip(X, y, strict=True)]) / len(X)


def autoencoder(W, b, c, X):
    """Tied weights."""
    code = sigmoid(X @ W + b)
    back = sigmoid(code @ W.T + c)
    return -np.mean(X * np.log(back) + (1 - X) * np.log(1 - back))


def one_hot_written_over(E):
    """One vector serves for all words."""
    v, total = np.zeros(4), 0
    for k in (1, 3, 0):
        v[:] = 0
        v[k] = 1
        total = total + np.sum((v @ E) ** 2)
    return total


def mixture_of_experts(experts, gate, X, Y):
    g = softmax(X @ gate)
    outs = np.stack([np.tanh(X @ W) for W in experts], axis=1)
    return np.mean((np.einsum("ne,neo->no", g, outs) - Y) ** 2)


def radial_basis(centers, log_width, w, X, y):
    d2 = ((X[:, None, :] - centers[None, :, :]) ** 2).sum(-1)
    phi = np.exp(-d2 / (2 * np.exp(log_width) ** 2))
    return np.sum((phi @ w - y) ** 2)


def concatenated_inputs(W, a, b, Y):
    x = np.hstack([a, b, np.ones((a.shape[0], 1))])
    return np.sum((np.arctan(x @ W) - Y) ** 2)


def maxout(W, b, X, Y):
    z = np.einsum("nd,kdo->nko", X, W) + b
    return 0.5 * np.sum((z.max(axis=1) - Y) ** 2)


def _labels(rng, shape, classes):
    return rng.integers(0, classes, size=shape)


def _one_hot(rng, classes, m):
    return np.eye(classes)[:, rng.integers(0, classes, size=m)]


CASES = [
    Case(
        "column samples",
        column_samples,
        lambda r: {
            "W1": r.normal(size=(4, 3)),
            "b1": r.normal(size=(4, 1)),
            "W2": r.normal(size=(2, 4)),
            "b2": r.normal(size=(2, 1)),
            "X": r.normal(size=(3, 5)),
            "Y": r.uniform(size=(2, 5)),
        },
    ),
    Case(
        "row samples",
        row_samples,
        lambda r: {
            "W1": r.normal(size=(3, 4)),
            "b1": r.normal(size=4),
            "W2": r.normal(size=(4, 2)),
            "b2": r.normal(size=2),
            "X": r.normal(size=(5, 3)),
            "Y": r.normal(size=(5, 2)),
        },
    ),
    Case(
        "parameters in a dict",
        parameters_in_a_dict,
        lambda r: {
            "params": {
                "W1": r.normal(size=(3, 4)),
                "b1": r.normal(size=4),
                "W2": r.normal(size=(4, 6)),
                "b2": r.normal(size=6),
            },
            "X": r.normal(size=(5, 3)),
            "y": _labels(r, 5, 6),
        },
    ),
    Case(
        "list of layers",
        list_of_layers,
        lambda r: {
            "layers": [(r.normal(size=(n, k)), r.normal(size=k)) for n, k in [(3, 4), (4, 6), (6, 2)]],
            "X": r.normal(size=(5, 3)),
            "Y": r.normal(size=(5, 2)),
        },
    ),
    Case(
        "numbered keys",
        numbered_keys,
        lambda r: {
            "parameters": {
                "W1": r.normal(size=(4, 3)),
                "b1": r.normal(size=(4, 1)),
                "W2": r.normal(size=(6, 4)),
                "b2": r.normal(size=(6, 1)),
                "W3": r.normal(size=(2, 6)) / 3,
                "b3": r.normal(size=(2, 1)),
            },
            "X": r.normal(size=(3, 5)),
            "Y": r.uniform(size=(2, 5)),
        },
    ),
    Case(
        "classes",
        classes,
        lambda r: {
            "W1": r.normal(size=(3, 4)),
            "b1": r.normal(size=4),
            "W2": r.normal(size=(4, 2)),
            "b2": r.normal(size=2),
            "X": r.normal(size=(5, 3)),
            "Y": r.normal(size=(5, 2)),
        },
        complex_step=False,
        reason="np.abs",
    ),
    Case(
        "hinge",
        hinge,
        lambda r: {
            "W": r.normal(size=3),
            "b": r.normal(size=1),
            "X": r.normal(size=(5, 3)),
            "t": np.array([-1.0, 1, 1, -1, 1]),
        },
    ),
    Case(
        "multiclass hinge",
        multiclass_hinge,
        lambda r: {"W": r.normal(size=(3, 4)), "X": r.normal(size=(5, 3)), "y": _labels(r, 5, 4)},
    ),
    Case(
        "huber",
        huber,
        lambda r: {"W": r.normal(size=3), "b": r.normal(size=()), "X": r.normal(size=(7, 3)), "y": r.normal(size=7)},
        complex_step=False,
        reason="np.abs",
    ),
    Case(
        "log cosh",
        log_cosh,
        lambda r: {"W": r.normal(size=3), "b": r.normal(size=1), "X": r.normal(size=(7, 3)), "y": r.normal(size=7)},
    ),
    Case(
        "gelu net",
        gelu_net,
        lambda r: {
            "W1": r.normal(size=(3, 4)),
            "b1": r.normal(size=(1, 4)),
            "W2": r.normal(size=(4, 2)),
            "X": r.normal(size=(5, 3)),
            "Y": r.normal(size=(5, 2)),
        },
    ),
    Case(
        "swish net",
        swish_net,
        lambda r: {
            "W1": r.normal(size=(3, 4)),
            "W2": r.normal(size=(4, 2)),
            "X": r.normal(size=(5, 3)),
            "Y": r.normal(size=(5, 2)),
        },
        complex_step=False,
        reason="np.linalg.norm takes absolute values",
    ),
    Case(
        "elu net",
        elu_net,
        lambda r: {
            "W": r.normal(size=(3, 4)),
            "b": r.normal(size=4),
            "V": r.normal(size=(4, 2)),
            "X": r.normal(size=(5, 3)),
            "Y": r.normal(size=(5, 2)),
        },
    ),
    Case(
        "softplus net",
        softplus_net,
        lambda r: {
            "W": r.normal(size=(3, 4)),
            "b": r.normal(size=4),
            "v": r.normal(size=4),
            "X": r.normal(size=(5, 3)),
            "y": r.normal(size=5),
        },
    ),
    Case(
        "elastic net",
        lasso,
        lambda r: {"w": r.normal(size=3), "b": r.normal(size=()), "X": r.normal(size=(5, 3)), "y": r.normal(size=5)},
        complex_step=False,
        reason="np.abs",
    ),
    Case(
        "residual",
        residual,
        lambda r: {
            "W1": r.normal(size=(4, 4)),
            "W2": r.normal(size=(4, 4)),
            "Wout": r.normal(size=(4, 2)),
            "X": r.normal(size=(5, 4)),
            "Y": r.normal(size=(5, 2)),
        },
    ),
    Case(
        "residual in place",
        residual_in_place,
        lambda r: {
            "Ws": [r.normal(size=(4, 4)) / 2 for _ in range(3)],
            "X": r.normal(size=(5, 4)),
            "Y": r.normal(size=(5, 4)),
        },
    ),
    Case(
        "highway",
        highway,
        lambda r: {
            "W_h": r.normal(size=(4, 4)),
            "b_h": r.normal(size=4),
            "W_t": r.normal(size=(4, 4)),
            "b_t": r.normal(size=4),
            "X": r.normal(size=(5, 4)),
            "G": r.normal(size=(5, 4)),
        },
    ),
    Case(
        "dropout",
        dropout,
        lambda r: {
            "W1": r.normal(size=(4, 3)),
            "b1": r.normal(size=(4, 1)),
            "W2": r.normal(size=(2, 4)),
            "mask": (r.uniform(size=(4, 5)) < 0.8).astype(int),
            "X": r.normal(size=(3, 5)),
            "Y": r.normal(size=(2, 5)),
        },
    ),
    Case(
        "boolean dropout",
        boolean_dropout,
        lambda r: {
            "W1": r.normal(size=(3, 4)),
            "W2": r.normal(size=(4, 2)),
            "keep": r.uniform(size=(5, 4)) < 0.5,
            "X": r.normal(size=(5, 3)),
            "Y": r.normal(size=(5, 2)),
        },
    ),
    Case(
        "embedding",
        embedding,
        lambda r: {
            "E": r.normal(size=(7, 4)),
            "W": r.normal(size=(4, 3)),
            "b": r.normal(size=3),
            "tokens": _labels(r, (5, 6), 7),
            "y": _labels(r, 5, 3),
        },
    ),
    Case(
        "skip-gram",
        skip_gram,
        lambda r: {
            "U": r.normal(size=(7, 4)),
            "V": r.normal(size=(7, 4)),
            "center": _labels(r, 5, 7),
            "context": _labels(r, 5, 7),
            "negative": _labels(r, (5, 3), 7),
        },
    ),
    Case(
        "neural language model",
        neural_language_model,
        lambda r: {
            "C": r.normal(size=(7, 2)),
            "H": r.normal(size=(6, 4)),
            "d": r.normal(size=4),
            "U": r.normal(size=(4, 7)),
            "b": r.normal(size=7),
            "words": _labels(r, (5, 3), 7),
            "target": _labels(r, 5, 7),
        },
    ),
    Case(
        "one-hot softmax",
        one_hot_softmax,
        lambda r: {
            "W": r.normal(size=(4, 3)),
            "b": r.normal(size=(4, 1)),
            "X": r.normal(size=(3, 5)),
            "Y": _one_hot(r, 4, 5),
        },
    ),
    Case(
        "one sample",
        one_sample,
        lambda r: {
            "W1": r.normal(size=(4, 3)),
            "b1": r.normal(size=4),
            "W2": r.normal(size=(2, 4)),
            "b2": r.normal(size=2),
            "x": r.normal(size=3),
            "t": r.uniform(size=2),
        },
    ),
    Case(
        "loop over samples",
        loop_over_samples,
        lambda r: {
            "W": r.normal(size=(4, 3)),
            "b": r.normal(size=4),
            "v": r.normal(size=4),
            "X": r.normal(size=(5, 3)),
            "y": r.normal(size=5),
        },
    ),
    Case(
        "comprehension",
        comprehension,
        lambda r: {
            "W": r.normal(size=(4, 3)),
            "v": r.normal(size=4),
            "X": r.normal(size=(5, 3)),
            "y": r.normal(size=5),
        },
    ),
    Case(
        "autoencoder",
        autoencoder,
        lambda r: {
            "W": r.normal(size=(4, 3)),
            "b": r.normal(size=3),
            "c": r.normal(size=4),
            "X": r.uniform(0.1, 0.9, size=(5, 4)),
        },
    ),
    Case(
        "mixture of experts",
        mixture_of_experts,
        lambda r: {
            "experts": [r.normal(size=(3, 2)) for _ in range(4)],
            "gate": r.normal(size=(3, 4)),
            "X": r.normal(size=(5, 3)),
            "Y": r.normal(size=(5, 2)),
        },
    ),
    Case(
        "radial basis",
        radial_basis,
        lambda r: {
            "centers": r.normal(size=(4, 3)),
            "log_width": r.normal(size=4),
            "w": r.normal(size=4),
            "X": r.normal(size=(5, 3)),
            "y": r.normal(size=5),
        },
    ),
    Case(
        "concatenated inputs",
        concatenated_inputs,
        lambda r: {
            "W": r.normal(size=(6, 2)),
            "a": r.normal(size=(5, 3)),
            "b": r.normal(size=(5, 2)),
            "Y": r.normal(size=(5, 2)),
        },
    ),
    Case(
        "maxout",
        maxout,
        lambda r: {
            "W": r.normal(size=(4, 3, 2)),
            "b": r.normal(size=(4, 2)),
            "X": r.normal(size=(5, 3)),
            "Y": r.normal(size=(5, 2)),
        },
    ),
    Case("one-hot vector written over", one_hot_written_over, lambda r: {"E": r.normal(size=(4, 3))}),
]
