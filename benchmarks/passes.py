"""Forward and backward passes of a network of many layers in plain NumPy: a right backward pass, and wrong ones."""

from __future__ import annotations

import numpy as np

LAYERS = 10


def forward(X, Y, params):
    A = X
    cache = {"A0": X}
    for l in range(1, LAYERS + 1):
        Z = params[f"W{l}"] @ A + params[f"b{l}"]
        A = np.tanh(Z) if l < LAYERS else 1 / (1 + np.exp(-Z))
        cache[f"Z{l}"], cache[f"A{l}"] = Z, A
    J = -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / X.shape[1]
    return J, cache


def right(X, Y, params, cache):
    m = X.shape[1]
    grads = {}
    dZ = cache[f"A{LAYERS}"] - Y
    for l in range(LAYERS, 0, -1):
        grads[f"dW{l}"] = dZ @ cache[f"A{l - 1}"].T / m
        grads[f"db{l}"] = np.sum(dZ, axis=1, keepdims=True) / m
        if l > 1:
            dA = params[f"W{l}"].T @ dZ
            dZ = dA * (1 - cache[f"A{l - 1}"] ** 2)
    return grads


def slope_of_z(X, Y, params, cache):
    """g' is taken of Z, as if Z were A, in every layer."""
    m = X.shape[1]
    grads = {}
    dZ = cache[f"A{LAYERS}"] - Y
    for l in range(LAYERS, 0, -1):
        grads[f"dW{l}"] = dZ @ cache[f"A{l - 1}"].T / m
        grads[f"db{l}"] = np.sum(dZ, axis=1, keepdims=True) / m
        if l > 1:
            dA = params[f"W{l}"].T @ dZ
            dZ = dA * (1 - cache[f"Z{l - 1}"] ** 2)
    return grads


def no_mean(X, Y, params, cache):
    """The 1/m is left out of every dW."""
    m = X.shape[1]
    grads = {}
    dZ = cache[f"A{LAYERS}"] - Y
    for l in range(LAYERS, 0, -1):
        grads[f"dW{l}"] = dZ @ cache[f"A{l - 1}"].T
        grads[f"db{l}"] = np.sum(dZ, axis=1, keepdims=True) / m
        if l > 1:
            dA = params[f"W{l}"].T @ dZ
            dZ = dA * (1 - cache[f"A{l - 1}"] ** 2)
    return grads


def not_transposed(X, Y, params, cache):
    """W is not transposed in one layer; it is square there."""
    m = X.shape[1]
    grads = {}
    dZ = cache[f"A{LAYERS}"] - Y
    for l in range(LAYERS, 0, -1):
        grads[f"dW{l}"] = dZ @ cache[f"A{l - 1}"].T / m
        grads[f"db{l}"] = np.sum(dZ, axis=1, keepdims=True) / m
        if l > 1:
            W = params[f"W{l}"]
            dA = (W if l == 5 else W.T) @ dZ
            dZ = dA * (1 - cache[f"A{l - 1}"] ** 2)
    return grads


def one_entry(X, Y, params, cache):
    """One entry of one dW is doubled."""
    m = X.shape[1]
    grads = {}
    dZ = cache[f"A{LAYERS}"] - Y
    for l in range(LAYERS, 0, -1):
        dW = dZ @ cache[f"A{l - 1}"].T / m
        if l == 3:
            dW[7, 5] *= 2
        grads[f"dW{l}"] = dW
        grads[f"db{l}"] = np.sum(dZ, axis=1, keepdims=True) / m
        if l > 1:
            dA = params[f"W{l}"].T @ dZ
            dZ = dA * (1 - cache[f"A{l - 1}"] ** 2)
    return grads


def unheard_of(X, Y, params, cache):
    """Something is added in every layer that no known mistake is like."""
    m = X.shape[1]
    grads = {}
    dZ = cache[f"A{LAYERS}"] - Y
    for l in range(LAYERS, 0, -1):
        grads[f"dW{l}"] = dZ @ cache[f"A{l - 1}"].T / m
        grads[f"db{l}"] = np.sum(dZ, axis=1, keepdims=True) / m
        if l > 1:
            dA = params[f"W{l}"].T @ dZ
            dZ = dA * (1 - cache[f"A{l - 1}"] ** 2) + 0.01 * np.roll(dA, 1, axis=0)
    return grads


PASSES = (right, slope_of_z, no_mean, not_transposed, one_entry, unheard_of)


def arguments(width=105, outputs=10, samples=64):
    """Data and parameters: with these sizes 101,230 parameters."""
    rng = np.random.default_rng(0)
    sizes = [width] * LAYERS + [outputs]
    params = {}
    for l in range(1, LAYERS + 1):
        params[f"W{l}"] = rng.normal(size=(sizes[l], sizes[l - 1])) / np.sqrt(width)
        params[f"b{l}"] = 0.1 * rng.normal(size=(sizes[l], 1))
    return {
        "X": rng.normal(size=(width, samples)),
        "Y": rng.integers(0, 2, (outputs, samples)).astype(float),
        "params": params,
    }
