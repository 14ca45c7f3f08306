"""The independent reference: central differences of the loss, which know nothing of derivations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from network import Leaves

STEP = 1e-4
SAME = 1e-9
"""How far two gradients may differ, relative to the largest entry, and still count as the same."""
SINGLE = 1e-4
"""The same where a rewrite computes in single precision."""


def value(forward: Callable[..., Any], given: Mapping[str, Any]) -> float:
    """The loss alone."""
    result = forward(**given)
    return float(np.asarray(result[0] if isinstance(result, tuple) else result).ravel()[0])


def differences(forward: Callable[..., Any], given: Mapping[str, Any]) -> Leaves:
    """The derivative by each array of decimal numbers among the arguments, of fourth order in the step."""
    return {place: _differences(forward, given, array) for place, array in parameters(given).items()}


def parameters(given: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The arrays of decimal numbers among arguments, by their places."""
    return {place: array for place, array in _arrays("", given) if array.dtype.kind == "f"}


def _arrays(place: str, value: Any) -> list[tuple[str, np.ndarray]]:
    if isinstance(value, np.ndarray):
        return [(place, value)]
    if isinstance(value, Mapping):
        return [found for key in value for found in _arrays(f"{place}[{key!r}]", value[key])]
    if isinstance(value, list | tuple):
        return [found for k, part in enumerate(value) for found in _arrays(f"{place}[{k}]", part)]
    return []


def _differences(forward: Callable[..., Any], given: Mapping[str, Any], array: np.ndarray) -> np.ndarray:
    """Changes the entries of an argument in place, and puts them back."""
    found = np.zeros(array.shape)
    for place in np.ndindex(array.shape):
        kept = array[place]
        values = []
        for steps in (-2, -1, 1, 2):
            array[place] = kept + steps * STEP
            values.append(value(forward, given))
        array[place] = kept
        found[place] = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * STEP)
    return found


def same(found: Leaves, right: Leaves, tolerance: float = SAME) -> bool:
    """Whether all gradients are there, in shapes in which they can be subtracted, and agree entry by entry."""
    return found.keys() == right.keys() and all(
        fits(found[place], right[place]) and close(found[place], right[place], tolerance) for place in right
    )


def fits(found: np.ndarray, right: np.ndarray) -> bool:
    """Whether a gradient can be subtracted in place: a number from one entry, a vector from a row."""
    return found.size == right.size and found.shape == right.shape[right.ndim - found.ndim :]


def close(found: np.ndarray, right: np.ndarray, tolerance: float) -> bool:
    """Whether two arrays of one shape agree entry by entry, relative to the largest."""
    scale = float(np.max(np.abs(right), initial=0.0)) or 1.0
    return bool(np.all(np.abs(found - right) <= tolerance * scale))


def places(gradients: Leaves, forward: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, str]:
    """Which argument each gradient belongs to; raises ValueError where one belongs to none, as it is wrong."""
    right = differences(forward, given)
    found = {}
    for place, gradient in gradients.items():
        alike = [k for k, r in right.items() if r.shape == gradient.shape and close(gradient, r, 1e-6)]
        if not alike:
            raise ValueError(f"the gradient {place} is that of no argument")
        found[place] = alike[0]
    return found
