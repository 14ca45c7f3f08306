import numpy as np


class Net:
    def __init__(self, n_in, n_hidden, n_out):
        rng = np.random.default_rng(3)
        self.W1 = rng.normal(size=(n_hidden, n_in))
        self.b1 = np.zeros((n_hidden, 1))
        self.W2 = rng.normal(size=(n_out, n_hidden))
        self.b2 = np.zeros((n_out, 1))
        self.dW1 = np.zeros_like(self.W1)
        self.lr = 0.1

    def forward(self, X, Y):
        self.Z1 = self.W1 @ X + self.b1
        self.A1 = np.tanh(self.Z1)
        self.Z2 = self.W2 @ self.A1 + self.b2
        self.A2 = 1 / (1 + np.exp(-self.Z2))
        m = X.shape[1]
        return -np.sum(Y * np.log(self.A2) + (1 - Y) * np.log(1 - self.A2)) / m

    def backward(self, X, Y):
        m = X.shape[1]
        dZ2 = self.A2 - Y
        self.dW2 = dZ2 @ self.A1.T / m
        self.db2 = np.sum(dZ2, axis=1, keepdims=True) / m
        dZ1 = (self.W2.T @ dZ2) * (1 - self.A1**2)
        self.dW1 = dZ1 @ X.T / m
        self.db1 = np.sum(dZ1, axis=1, keepdims=True) / m


def given(rng):
    return [Net(4, 5, 3)], dict(X=rng.normal(size=(4, 7)), Y=rng.integers(0, 2, (3, 7)).astype(float))
