import numpy as np


def relu(z):
    return np.maximum(0, z)


def drelu(z):
    return (z > 0) * 1.0


def forward(X, T, weights, biases):
    acts, zs = [X], []
    a = X
    for k, (w, b) in enumerate(zip(weights, biases)):
        z = a @ w + b
        zs.append(z)
        a = relu(z) if k < len(weights) - 1 else z
        acts.append(a)
    err = acts[-1] - T
    cost = np.mean(np.sum(err**2, axis=1)) / 2
    return cost, {"acts": acts, "zs": zs, "err": err}


def backward(X, T, weights, biases, cache):
    acts, zs = cache["acts"], cache["zs"]
    n_layers = len(weights)
    nabla_w = [None] * n_layers
    nabla_b = [None] * n_layers
    delta = cache["err"] / X.shape[0]
    for k in range(n_layers - 1, -1, -1):
        if k < n_layers - 1:
            delta = delta * drelu(zs[k])
        nabla_w[k] = acts[k].T @ delta
        nabla_b[k] = np.sum(delta, axis=0)
        if k > 0:
            delta = delta @ weights[k].T
    return nabla_w, nabla_b


def arguments(rng):
    sizes = [3, 5, 4, 2]
    return {
        "X": rng.normal(size=(6, 3)),
        "T": rng.normal(size=(6, 2)),
        "weights": [rng.normal(size=(i, o)) for i, o in zip(sizes[:-1], sizes[1:])],
        "biases": [rng.normal(size=o) for o in sizes[1:]],
    }
