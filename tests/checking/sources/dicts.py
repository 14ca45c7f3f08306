import numpy as np


def softmax(z):
    e = np.exp(z - np.max(z, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


class Classifier:
    def __init__(self, sizes=(4, 6, 3)):
        rng = np.random.default_rng(0)
        self.params = {}
        for l in range(1, len(sizes)):
            self.params[f"W{l}"] = rng.normal(size=(sizes[l - 1], sizes[l]))
            self.params[f"b{l}"] = np.zeros(sizes[l])
        self.grads = {name: None for name in self.params}
        self.cache = {}

    def forward(self, X):
        z1 = X @ self.params["W1"] + self.params["b1"]
        h = np.maximum(0, z1)
        scores = h @ self.params["W2"] + self.params["b2"]
        probs = softmax(scores)
        self.cache = {"X": X, "z1": z1, "h": h, "probs": probs}
        return probs

    def loss(self, probs, y):
        n = probs.shape[0]
        return -np.sum(np.log(probs[np.arange(n), y])) / n

    def backward(self, y):
        X, z1, h, probs = (self.cache[k] for k in ("X", "z1", "h", "probs"))
        n = X.shape[0]
        dscores = probs.copy()
        dscores[np.arange(n), y] -= 1
        dscores /= n
        self.grads["W2"] = h.T @ dscores
        self.grads["b2"] = dscores.sum(axis=0)
        dh = dscores @ self.params["W2"].T
        dz1 = dh * (z1 > 0)
        self.grads["W1"] = X.T @ dz1
        self.grads["b1"] = dz1.sum(axis=0)
        return self.grads


def given(rng):
    return [Classifier()], dict(X=rng.normal(size=(8, 4)), y=rng.integers(0, 3, 8))
