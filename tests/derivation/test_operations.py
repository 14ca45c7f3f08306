"""The derived backward passes are as short as the best ones that textbooks have, in scalar operations.

The textbook's are NumPy functions with the values of the forward pass at hand; an array that counts what is done to it
tells how much they compute, and that what they compute is the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.lib.mixins import NDArrayOperatorsMixin

import backproof as bp
from backproof.derivation.derivation import Derivation
from backproof.execution.interpret import length
from backproof.ir.node import Node, ancestors
from backproof.ops.leaves import constant_, size_
from backproof.ops.linear import expand, matmul, stretch, sum_, transpose
from backproof.ops.row import Array
from backproof.ops.shaping import concatenate, index, permute, reshape, squeeze, unindex
from backproof.ops.vectors import matvec

MOVES = (constant_, size_, stretch, transpose, expand, squeeze, permute, reshape, concatenate, index, unindex)
"""What only moves entries."""


class Counted(NDArrayOperatorsMixin):
    """An array that counts the scalar operations it takes part in."""

    operations = 0

    def __init__(self, value: Array) -> None:
        self.value = np.asarray(value)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        assert method == "__call__"
        assert not options
        result = ufunc(*map(_plain, inputs))
        cost = result.size
        if ufunc is np.matmul:
            cost *= 2 * _plain(inputs[0]).shape[-1]
        Counted.operations += cost if result.ndim else 0
        return Counted(result)

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        plain = [_plain(x) for x in arguments] if function is not np.concatenate else [[*map(_plain, arguments[0])]]
        if function is np.sum:
            Counted.operations += plain[0].size
        elif function is np.outer:
            Counted.operations += plain[0].size * plain[1].size
        else:
            assert function in (np.concatenate, np.swapaxes)
        return Counted(function(*plain, **options))

    def __getitem__(self, key: Any) -> Counted:
        return Counted(self.value[key])

    @property
    def T(self) -> Counted:
        return Counted(self.value.T)


def _plain(x: Any) -> Any:
    return x.value if isinstance(x, Counted) else x


def counted(backward: Callable[..., Mapping[str, Any]], trace: Mapping[str, Array]) -> tuple[int, dict[str, Array]]:
    """The scalar operations of a textbook's backward pass on the values of a forward pass, and its gradients."""
    Counted.operations = 0
    gradients = backward(lambda name: Counted(trace[name]))
    return Counted.operations, {name: _plain(value) for name, value in gradients.items()}


def operations(derivation: Derivation) -> int:
    """The scalar operations of a derived backward pass: every formula once, what no gradient needs not at all."""
    given = {*derivation.graph.inputs, *(step.node for step in derivation.forward)}
    seen: dict[Hashable, int] = {}
    numbers: dict[Node, int] = {}
    count = 0
    for node in ancestors(derivation.gradients.values(), stop=given.__contains__):
        key: Hashable = node
        if node not in given:
            key = (node.op, tuple(numbers[x] for x in node.inputs), str(sorted(node.attrs.items())))
        if key not in seen and node not in given and node.op not in MOVES:
            count += _cost(node)
        numbers[node] = seen.setdefault(key, len(seen))
    return count


def _cost(node: Node) -> int:
    if node.op is sum_:
        return _size(node.inputs[0])
    inner = length(node.inputs[0].shape[-1], {}) if node.op in (matmul, matvec) else 0
    return _size(node) * (2 * inner or 1) if node.shape else 0


def _size(node: Node) -> int:
    return math.prod(length(size, {}) for size in node.shape)


M, N, D = 6, 7, 5


def softmax_cross_entropy(scores, y):
    P = np.exp(scores - scores.max(axis=1, keepdims=True))
    P = P / P.sum(axis=1, keepdims=True)
    p = P[np.arange(len(y)), y]
    return -np.mean(np.log(p))


def softmax_cross_entropy_backward(of):
    """CS231n: subtract one at the label, divide by the number of samples."""
    P = of("P")
    one_hot = np.eye(N)[of("y").value]
    return {"scores": (P - one_hot) * (1 / M)}


def layer_norm(x, gamma, beta, target):
    mu = np.mean(x, axis=1, keepdims=True)
    std = np.sqrt(np.var(x, axis=1, keepdims=True) + 1e-5)
    x_hat = (x - mu) / std
    out = gamma * x_hat + beta
    return np.sum((out - target) ** 2) / 2


def layer_norm_backward(of):
    """The form with three terms, as in the derivation of batch normalisation by Kratzert (2016) and in llm.c."""
    x_hat, std = of("x_hat"), of("std")
    dout = of("out") - of("target")
    dx_hat = dout * of("gamma")
    mean = np.sum(dx_hat, axis=1, keepdims=True) * (1 / N)
    along = np.sum(dx_hat * x_hat, axis=1, keepdims=True) * (1 / N)
    return {
        "x": (dx_hat - mean - x_hat * along) / std,
        "gamma": np.sum(dout * x_hat, axis=0),
        "beta": np.sum(dout, axis=0),
    }


def batch_norm(x, gamma, beta, target):
    mu = x.mean(axis=0)
    variance = ((x - mu) ** 2).mean(axis=0)
    std = np.sqrt(variance + 1e-5)
    x_hat = (x - mu) / std
    out = gamma * x_hat + beta
    return np.sum((out - target) ** 2) / 2


def batch_norm_backward(of):
    x_hat, std = of("x_hat"), of("std")
    dout = of("out") - of("target")
    dx_hat = dout * of("gamma")
    mean = np.sum(dx_hat, axis=0) * (1 / M)
    along = np.sum(dx_hat * x_hat, axis=0) * (1 / M)
    return {
        "x": (dx_hat - mean - x_hat * along) / std,
        "gamma": np.sum(dout * x_hat, axis=0),
        "beta": np.sum(dout, axis=0),
    }


def attention(Q, K, V, target):
    scores = Q @ K.T / np.sqrt(5)
    P = np.exp(scores)
    P = P / P.sum(axis=-1, keepdims=True)
    out = P @ V
    return np.sum((out - target) ** 2) / 2


def attention_backward(of):
    """FlashAttention (Dao et al. 2022), section B.2, without the tiles."""
    P = of("P")
    dout = of("out") - of("target")
    dP = dout @ of("V").T
    dS = P * (dP - np.sum(P * dP, axis=-1, keepdims=True)) * (1 / np.sqrt(5))
    return {"Q": dS @ of("K"), "K": dS.T @ of("Q"), "V": P.T @ dout}


def lstm_cell(W, b, x, h_prev, c_prev, target):
    hx = np.concatenate([h_prev, x])
    z = W @ hx + b
    i = 1 / (1 + np.exp(-z[:D]))
    f = 1 / (1 + np.exp(-z[D : 2 * D]))
    o = 1 / (1 + np.exp(-z[2 * D : 3 * D]))
    g = np.tanh(z[3 * D :])
    c = f * c_prev + i * g
    t = np.tanh(c)
    h = o * t
    return np.sum((h - target) ** 2) / 2


def lstm_cell_backward(of):
    """Backpropagation through one cell, as in Greff et al. (2017), section II.B, without peepholes."""
    i, f, o, g, t = (of(name) for name in "ifogt")
    dh = of("h") - of("target")
    dc = dh * o * (1 - t * t)
    dz = np.concatenate(
        [
            dc * g * (i * (1 - i)),
            dc * of("c_prev") * (f * (1 - f)),
            dh * t * (o * (1 - o)),
            dc * i * (1 - g * g),
        ]
    )
    dhx = of("W").T @ dz
    return {"W": np.outer(dz, of("hx")), "b": dz, "h_prev": dhx[:D], "x": dhx[D:], "c_prev": dc * f}


CASES: dict[str, tuple[Callable[..., Any], Callable[..., Any], dict[str, tuple[int, ...]]]] = {
    "softmax cross-entropy": (softmax_cross_entropy, softmax_cross_entropy_backward, {"scores": (M, N)}),
    "layer norm": (layer_norm, layer_norm_backward, {"x": (M, N), "gamma": (N,), "beta": (N,), "target": (M, N)}),
    "batch norm": (batch_norm, batch_norm_backward, {"x": (M, N), "gamma": (N,), "beta": (N,), "target": (M, N)}),
    "attention": (attention, attention_backward, {"Q": (M, D), "K": (N, D), "V": (N, D), "target": (M, D)}),
    "LSTM": (
        lstm_cell,
        lstm_cell_backward,
        {"W": (4 * D, 2 * D), "b": (4 * D,), "x": (D,), "h_prev": (D,), "c_prev": (D,), "target": (D,)},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_as_short_as_the_textbook(name: str) -> None:
    forward, backward, shapes = CASES[name]
    rng = np.random.default_rng(5)
    arguments: dict[str, Array] = {argument: rng.normal(size=shape) for argument, shape in shapes.items()}
    if "y" in forward.__code__.co_varnames:
        arguments["y"] = rng.integers(0, N, M)
    wanted = [argument for argument in shapes if argument != "target"]
    derivation = bp.derive(forward, arguments, wrt=wanted)
    trace = bp.run(derivation)
    # A name that the code binds twice has a number; the last one is what the textbook means.
    values = {**trace, **{key.rpartition("_")[0]: trace[key] for key in trace if key[-1].isdigit()}, **arguments}
    textbook, gradients = counted(backward, values)
    for argument in wanted:
        np.testing.assert_allclose(trace[f"d{argument}"], gradients[argument], rtol=1e-10, atol=1e-13)
    assert operations(derivation) <= textbook
