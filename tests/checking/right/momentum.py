"""A backward pass that gives the next velocities too, which are arguments that the loss does not depend on."""

import numpy as np


def forward(X, Y, weights, velocity):
    a = X
    for W, b in weights:
        a = np.tanh(a @ W + b)
    return ((a - Y) ** 2).mean()


def backward(X, Y, weights, velocity, mu=0.9, lr=0.1):
    acts = [X]
    for W, b in weights:
        acts.append(np.tanh(acts[-1] @ W + b))
    g = 2 * (acts[-1] - Y) / Y.size
    grads = []
    for i in range(len(weights) - 1, -1, -1):
        g = g * (1 - acts[i + 1] ** 2)
        grads.append((acts[i].T @ g, g.sum(axis=0)))
        g = g @ weights[i][0].T
    grads.reverse()
    return grads, [mu * v - lr * dW for v, (dW, _) in zip(velocity, grads)]


def given(rng):
    return {
        **{"X": rng.normal(size=(5, 3)), "Y": rng.normal(size=(5, 2))},
        "weights": [(rng.normal(size=(3, 4)), rng.normal(size=4)), (rng.normal(size=(4, 2)), rng.normal(size=2))],
        "velocity": [rng.normal(size=(3, 4)), rng.normal(size=(4, 2))],
    }
