"""Activations that NumPy does not have."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import erf, expit

Array = np.ndarray[Any, Any]


def relu(z: Array) -> Array:
    """The larger of `z` and 0, entry by entry."""
    return np.maximum(z, 0)


def sigmoid(z: Array) -> Array:
    """1 / (1 + e⁻ᶻ), entry by entry, without overflow."""
    return expit(z)


def silu(z: Array) -> Array:
    """z · sigmoid(z), entry by entry (Elfwing et al. 2018, arXiv:1702.03118)."""
    return z * expit(z)


def gelu(z: Array) -> Array:
    """z · Φ(z), with the normal distribution function Φ, entry by entry (Hendrycks, Gimpel 2016, arXiv:1606.08415)."""
    return z * 0.5 * (1 + erf(z / np.sqrt(2)))


def softplus(z: Array) -> Array:
    """log(1 + eᶻ), entry by entry, without overflow."""
    return np.logaddexp(0, z)


def softmax(x: Array, axis: int = -1) -> Array:
    """eˣ / Σ eˣ along an axis, of the shape of `x`."""
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def log_softmax(x: Array, axis: int = -1) -> Array:
    """x − log Σ eˣ along an axis, of the shape of `x`."""
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))
