import numpy as np


class TwoLayerNet:
    def __init__(self):
        rng = np.random.default_rng(0)
        self.params = {"W1": rng.normal(size=(4, 5)), "b1": np.zeros(5)}
        self.params |= {"W2": rng.normal(size=(5, 3)), "b2": np.zeros(3)}
        self.reg = 0.1

    def loss(self, X, y=None):
        W1, b1, W2, b2 = (self.params[name] for name in ("W1", "b1", "W2", "b2"))
        N = X.shape[0]
        h = np.maximum(0, X @ W1 + b1)
        scores = h @ W2 + b2
        if y is None:
            return scores
        shifted = scores - scores.max(axis=1, keepdims=True)
        p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
        loss = -np.log(p[np.arange(N), y]).sum() / N + 0.5 * self.reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
        grads = {}
        ds = p.copy()
        ds[np.arange(N), y] -= 1
        ds /= N
        grads["W2"] = h.T @ ds + self.reg * W2
        grads["b2"] = ds.sum(0)
        dh = ds @ W2.T
        dh[h <= 0] = 0
        grads["W1"] = X.T @ dh + self.reg * W1
        grads["b1"] = dh.sum(0)
        return loss, grads


def given(rng):
    return [TwoLayerNet()], dict(X=rng.normal(size=(7, 4)), y=rng.integers(0, 3, 7))
