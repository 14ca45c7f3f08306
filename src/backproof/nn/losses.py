"""Losses: one number for a whole batch, the mean over its samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from backproof.ir.errors import ShapeError
from backproof.nn.activations import log_softmax

Array = np.ndarray[Any, Any]


def cross_entropy(scores: Array, labels: Array) -> np.floating[Any]:
    """The mean over the samples of −log softmax(scores) at their labels.

    `scores` is samples × classes; `labels` the samples' classes as whole numbers from 0, or samples × classes, one
    distribution each. Raises ShapeError where they do not fit.
    """
    whole = labels.dtype.kind in "iu"
    if scores.ndim != 2 or labels.shape != (scores.shape[:1] if whole else scores.shape):
        raise ShapeError(
            "scores and labels do not fit",
            where=f"scores {scores.shape}, labels {labels.shape} of {labels.dtype}",
            why="cross-entropy takes a row of scores, and one whole number or one distribution, for each sample",
            instead="give scores of samples × classes; labels of samples, or of samples × classes",
        )
    log_probs = log_softmax(scores)
    if whole:
        return -np.mean(log_probs[np.arange(len(labels)), labels])
    return -np.sum(labels * log_probs) / len(labels)


def mse(a: Array, y: Array) -> np.floating[Any]:
    """The mean of (a − y)² over all entries; `a` and `y` have one shape."""
    _same(a, y)
    return np.mean((a - y) ** 2)


def bce_with_logits(z: Array, y: Array) -> np.floating[Any]:
    """The mean of the binary cross-entropies of sigmoid(z) and `y`, log(1 + eᶻ) − y·z; `z` and `y` have one shape."""
    _same(z, y)
    return np.mean(np.logaddexp(0, z) - y * z)


def _same(a: Array, y: Array) -> None:
    if np.shape(a) != np.shape(y):
        raise ShapeError(
            "a loss compares arrays of different shapes",
            where=f"{np.shape(a)} with {np.shape(y)}",
            why="the smaller one would be stretched, and entries compared that do not belong together",
            instead="give both one shape: reshape the labels, y[:, None]",
        )
