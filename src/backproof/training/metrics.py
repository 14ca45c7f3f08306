"""Figures that say how good a network is, beside its loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from backproof.ir.errors import BackproofError
from backproof.ops.row import Array


def classes_of(outputs: Array, middle: float) -> Array:
    """The number of the class of each sample: that of the largest output, or on which side of the middle one lies."""
    return outputs.argmax(axis=1) if outputs.shape[1] > 1 else (outputs[:, 0] > middle).astype(int)


def classes_labelled(labels: Array) -> Array:
    """The same for labels, which are 0 and 1, or −1 and +1."""
    return classes_of(labels, 0.0 if labels.min(initial=0) < 0 else 0.5)


def accuracy(outputs: Array, labels: Array, middle: float = 0.5) -> float:
    """The share of samples whose class is right: the largest of several outputs, or the side of the middle of one."""
    return float(np.mean(classes_of(outputs, middle) == classes_labelled(labels)))


def mean_absolute_error(outputs: Array, labels: Array, middle: float = 0.5) -> float:
    """The mean distance from the labels."""
    return float(np.mean(np.abs(outputs - labels)))


def r2(outputs: Array, labels: Array, middle: float = 0.5) -> float:
    """1 minus the squared error over the variance of the labels; of several outputs the mean."""
    error = np.sum((outputs - labels) ** 2, axis=0)
    spread = np.sum((labels - labels.mean(axis=0)) ** 2, axis=0)
    of_each = 1 - np.divide(error, spread, out=np.where(error > 0, 1.0, 0.0), where=spread > 0)
    return float(np.mean(of_each))


METRICS: Mapping[str, Callable[[Array, Array, float], float]] = {
    "accuracy": accuracy,
    "mae": mean_absolute_error,
    "r2": r2,
}


def check_metrics(names: tuple[str, ...]) -> None:
    """Raises BackproofError for a name that is none."""
    for name in names:
        if name not in METRICS:
            raise BackproofError(f"unknown metric {name!r}", instead=f"choose from {', '.join(METRICS)}")
