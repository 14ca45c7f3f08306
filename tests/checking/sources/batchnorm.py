import numpy as np


class BatchNorm:
    def __init__(self, n):
        self.gamma = np.ones(n)
        self.beta = np.zeros(n)
        self.running_mean = np.zeros(n)
        self.eps = 1e-5

    def forward(self, x):
        self.mu = x.mean(axis=0)
        self.var = x.var(axis=0)
        self.running_mean = 0.9 * self.running_mean + 0.1 * self.mu
        self.xhat = (x - self.mu) / np.sqrt(self.var + self.eps)
        return self.gamma * self.xhat + self.beta

    def backward(self, dout):
        n = dout.shape[0]
        self.dgamma = np.sum(dout * self.xhat, axis=0)
        self.dbeta = np.sum(dout, axis=0)
        dxhat = dout * self.gamma
        total = np.sum(dxhat, axis=0)
        along = np.sum(dxhat * self.xhat, axis=0)
        dx = (n * dxhat - total - self.xhat * along) / (n * np.sqrt(self.var + self.eps))
        return dx


def given(rng):
    return [BatchNorm(4)], dict(x=rng.normal(size=(7, 4)))
