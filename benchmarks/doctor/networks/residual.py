"""Two residual blocks with tanh; the input goes round each of them."""

import numpy as np


def forward(X, Y, W_in, W1, b1, U1, W2, b2, U2, W_out):
    m = X.shape[0]
    H0 = X @ W_in
    A1 = np.tanh(H0 @ W1 + b1)
    H1 = H0 + A1 @ U1
    A2 = np.tanh(H1 @ W2 + b2)
    H2 = H1 + A2 @ U2
    P = H2 @ W_out
    loss = np.sum((P - Y) ** 2) / (2 * m)
    return loss, {"H0": H0, "A1": A1, "H1": H1, "A2": A2, "H2": H2, "P": P}


def backward(X, Y, W_in, W1, b1, U1, W2, b2, U2, W_out, cache):
    m = X.shape[0]
    H0, A1, H1, A2, H2 = cache["H0"], cache["A1"], cache["H1"], cache["A2"], cache["H2"]
    dP = (cache["P"] - Y) / m
    dW_out = H2.T @ dP
    dH2 = dP @ W_out.T
    dU2 = A2.T @ dH2
    dA2 = dH2 @ U2.T
    dZ2 = dA2 * (1 - A2**2)
    dW2 = H1.T @ dZ2
    db2 = dZ2.sum(0)
    dH1 = dH2 + dZ2 @ W2.T
    dU1 = A1.T @ dH1
    dA1 = dH1 @ U1.T
    dZ1 = dA1 * (1 - A1**2)
    dW1 = H0.T @ dZ1
    db1 = dZ1.sum(0)
    dH0 = dH1 + dZ1 @ W1.T
    dW_in = X.T @ dH0
    return {
        "W_in": dW_in,
        "W1": dW1,
        "b1": db1,
        "U1": dU1,
        "W2": dW2,
        "b2": db2,
        "U2": dU2,
        "W_out": dW_out,
    }


def data(rng):
    return {
        "X": rng.normal(size=(7, 4)),
        "Y": rng.normal(size=(7, 3)),
        "W_in": rng.normal(size=(4, 6)) * 0.6,
        "W1": rng.normal(size=(6, 5)) * 0.6,
        "b1": rng.normal(size=5),
        "U1": rng.normal(size=(5, 6)) * 0.6,
        "W2": rng.normal(size=(6, 5)) * 0.6,
        "b2": rng.normal(size=5),
        "U2": rng.normal(size=(5, 6)) * 0.6,
        "W_out": rng.normal(size=(6, 3)),
    }
