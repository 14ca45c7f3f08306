"""Recurrent networks, with PyTorch's equations and order of gates.

Weights are gates·hidden × in and gates·hidden × hidden, biases gates·hidden. A cell takes one step: `x` is N × in, `h`
and `c` are N × hidden. A network takes a sequence: `x` is steps × N × in; the result is steps × N × hidden.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from backproof.ir.errors import ShapeError
from backproof.nn.activations import sigmoid

Array = np.ndarray[Any, Any]


def rnn_cell(x: Array, h: Array, W_ih: Array, W_hh: Array, b_ih: Array, b_hh: Array) -> Array:
    """tanh(x·W_ihᵀ + b_ih + h·W_hhᵀ + b_hh): the next `h`. Raises ShapeError where the shapes do not fit."""
    _check(x, h, W_ih, W_hh, b_ih, b_hh, gates=1)
    a = x @ W_ih.T + b_ih + h @ W_hh.T + b_hh
    return np.tanh(a)


def lstm_cell(x: Array, h: Array, c: Array, W_ih: Array, W_hh: Array, b_ih: Array, b_hh: Array) -> tuple[Array, Array]:
    """The next `h` and `c`; the gates are i, f, g, o. Source: Hochreiter and Schmidhuber 1997, with Gers's forget gate.

    Raises ShapeError where the shapes do not fit.
    """
    _check(x, h, W_ih, W_hh, b_ih, b_hh, gates=4)
    a = x @ W_ih.T + b_ih + h @ W_hh.T + b_hh
    a_i, a_f, a_g, a_o = np.split(a, 4, axis=-1)
    i = sigmoid(a_i)
    f = sigmoid(a_f)
    g = np.tanh(a_g)
    o = sigmoid(a_o)
    c = f * c + i * g
    h = o * np.tanh(c)
    return h, c


def gru_cell(x: Array, h: Array, W_ih: Array, W_hh: Array, b_ih: Array, b_hh: Array) -> Array:
    """The next `h`; the gates are r, z, n. Source: Cho et al. 2014, arXiv:1406.1078, with r applied after W_hh.

    Raises ShapeError where the shapes do not fit.
    """
    _check(x, h, W_ih, W_hh, b_ih, b_hh, gates=3)
    from_x = x @ W_ih.T + b_ih
    from_h = h @ W_hh.T + b_hh
    x_r, x_z, x_n = np.split(from_x, 3, axis=-1)
    h_r, h_z, h_n = np.split(from_h, 3, axis=-1)
    a_r = x_r + h_r
    a_z = x_z + h_z
    r = sigmoid(a_r)
    z = sigmoid(a_z)
    a_n = x_n + r * h_n
    n = np.tanh(a_n)
    return (1 - z) * n + z * h


def rnn(x: Array, h: Array, W_ih: Array, W_hh: Array, b_ih: Array, b_hh: Array) -> Array:
    """Every hidden state of a sequence that begins with `h`."""
    states = []
    for x_t in x:
        h = rnn_cell(x_t, h, W_ih, W_hh, b_ih, b_hh)
        states.append(h)
    return np.stack(states)


def lstm(x: Array, h: Array, c: Array, W_ih: Array, W_hh: Array, b_ih: Array, b_hh: Array) -> Array:
    """Every hidden state of a sequence that begins with `h` and `c`."""
    states = []
    for x_t in x:
        h, c = lstm_cell(x_t, h, c, W_ih, W_hh, b_ih, b_hh)
        states.append(h)
    return np.stack(states)


def gru(x: Array, h: Array, W_ih: Array, W_hh: Array, b_ih: Array, b_hh: Array) -> Array:
    """Every hidden state of a sequence that begins with `h`."""
    states = []
    for x_t in x:
        h = gru_cell(x_t, h, W_ih, W_hh, b_ih, b_hh)
        states.append(h)
    return np.stack(states)


def _check(x: Array, h: Array, W_ih: Array, W_hh: Array, b_ih: Array, b_hh: Array, *, gates: int) -> None:
    hidden = h.shape[-1]
    wanted = {
        "W_ih": (W_ih, (gates * hidden, x.shape[-1])),
        "W_hh": (W_hh, (gates * hidden, hidden)),
        "b_ih": (b_ih, (gates * hidden,)),
        "b_hh": (b_hh, (gates * hidden,)),
    }
    for name, (array, shape) in wanted.items():
        if array.shape != shape:
            raise ShapeError(
                f"{name} does not fit",
                where=f"{name} {array.shape}, x {x.shape}, h {h.shape}",
                why=f"{gates} gates of {hidden} rows each lie one below the other in the weights",
                instead=f"give {name} the shape {shape}",
            )
