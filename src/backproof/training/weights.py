"""Weights of classes: how much the samples of each count in the loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from backproof.execution.reading import Data
from backproof.ir.errors import DataError
from backproof.ops.row import Array
from backproof.training.metrics import classes_labelled

Weights = str | Mapping[str | int, float] | Sequence[float]
"""``"balanced"``, a weight for each class by its label, or the weights in the order of the classes."""


def weights_of(given: Weights, data: Data) -> Array:
    """The weight of each class, in the order of the outputs.

    Balanced ones are m/(k·mᵢ) for a class with mᵢ of m samples, of k classes (King and Zeng, 2001), so that all classes
    count alike and the mean weight of the samples is 1. Raises DataError.
    """
    if data.classes is None:
        raise DataError("the data have no classes to weigh", where=data.name, instead="leave out the weights")
    if isinstance(given, str):
        if given != "balanced":
            raise DataError(f"{given!r} is no way to weigh classes", instead='say "balanced", or give the weights')
        labels = classes_labelled(data.Y)
        counts = np.bincount(labels, minlength=len(data.classes))
        return np.asarray(len(labels) / (len(counts) * np.maximum(counts, 1)))
    if isinstance(given, Mapping):
        by_name = {str(name): weight for name, weight in given.items()}
        wrong = set(by_name) ^ set(data.classes)
        if wrong:
            raise DataError(f"weights and classes do not agree on {', '.join(sorted(wrong))}", where=data.name)
        given = [by_name[name] for name in data.classes]
    try:
        weights = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise DataError(f"{given!r} are no weights", instead="give numbers") from None
    if weights.shape != (len(data.classes),) or not (np.isfinite(weights) & (weights >= 0)).all():
        raise DataError(
            f"{len(data.classes)} weights of at least 0 are needed", where=f"the classes {', '.join(data.classes)}"
        )
    return weights
