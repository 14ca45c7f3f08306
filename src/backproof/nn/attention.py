"""Attention, and what tells it of positions."""

from __future__ import annotations

from typing import Any

import numpy as np

from backproof.ir.errors import ShapeError
from backproof.nn.activations import softmax

Array = np.ndarray[Any, Any]

EXCLUDED = -1e9
"""The score of what is masked: its share is 0, also where everything else is masked too and −∞ would give no number."""


def attention(Q: Array, K: Array, V: Array, mask: Array | None = None) -> Array:
    """softmax(Q·Kᵀ/√d)·V: `Q` is … × n × d, `K` is … × m × d, `V` is … × m × v; the result is … × n × v.

    `mask`, stretched to … × n × m, is true where a query may look. Source: Vaswani et al. 2017, arXiv:1706.03762,
    section 3.2.1. Raises ShapeError where the shapes do not fit.
    """
    if Q.shape[-1] != K.shape[-1] or K.shape[-2] != V.shape[-2]:
        raise ShapeError(
            "queries, keys and values do not fit",
            where=f"Q {Q.shape}, K {K.shape}, V {V.shape}",
            why="a query is compared with every key, and there is one value for each key",
            instead="give Q as … × n × d, K as … × m × d, V as … × m × v",
        )
    scores = Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])
    masked = scores if mask is None else np.where(mask, scores, EXCLUDED)
    P = softmax(masked)
    return P @ V


def multi_head_attention(
    x: Array, Wq: Array, Wk: Array, Wv: Array, Wo: Array, heads: int, mask: Array | None = None
) -> Array:
    """Attention of `heads` parts of the width each, joined and multiplied by `Wo`; `x` is … × n × d, the weights d × d.

    Weights are out × in. Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.2.2. Raises ShapeError where `heads`
    does not divide d.
    """
    if len(Wq) % heads or len(Wv) % heads:
        raise ShapeError(
            f"a width of {len(Wq)} cannot be parted into {heads} heads",
            where=f"Wq {Wq.shape}, Wv {Wv.shape}",
            why="every head has the same part of the width",
            instead="choose a number of heads that divides the rows of Wq, Wk and Wv",
        )
    # From … × n × d to … × heads × n × d/heads, and back.
    parted = (*x.shape[:-1], heads, -1)
    Q = np.swapaxes(np.reshape(x @ Wq.T, parted), -3, -2)
    K = np.swapaxes(np.reshape(x @ Wk.T, parted), -3, -2)
    V = np.swapaxes(np.reshape(x @ Wv.T, parted), -3, -2)
    out = attention(Q, K, V, mask)
    joined = np.reshape(np.swapaxes(out, -3, -2), (*x.shape[:-1], len(Wv)))
    return joined @ Wo.T


def positional_encoding(length: int, width: int, base: float = 10000.0) -> Array:
    """Sines and cosines of the positions, length × width, to be added to an input.

    Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.5.
    """
    angles = _angles(length, width, base)
    return np.reshape(np.stack([np.sin(angles), np.cos(angles)], axis=-1), (length, width))


def rotary_embedding(x: Array, base: float = 10000.0) -> Array:
    """Each pair of entries k and k + d/2 of `x` (… × n × d) turned by an angle that grows with the position.

    Source: Su et al. 2021, arXiv:2104.09864, section 3.2, with halves in the place of neighbours.
    """
    angles = _angles(x.shape[-2], x.shape[-1], base)
    cos, sin = np.cos(angles), np.sin(angles)
    a, b = np.split(x, 2, axis=-1)
    return np.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)


def _angles(length: int, width: int, base: float) -> Array:
    """Positions times frequencies, length × width/2."""
    if width % 2:
        raise ShapeError(
            f"a width of {width} has no pairs",
            why="a sine and a cosine belong together",
            instead="choose an even width",
        )
    frequencies = base ** (-np.arange(0, width, 2) / width)
    return np.outer(np.arange(length), frequencies)
