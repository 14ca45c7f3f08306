"""Schedules: how the learning rate changes in the course of a training, as a factor."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from backproof.ir.errors import BackproofError
from backproof.ops.row import Array

Schedule = Callable[[Array], Array]
"""The factor of the learning rate at times; the time is 0 at the beginning and counts epochs, with fractions. The last
argument that a schedule in the table below takes is how many epochs there are."""


def _constant(time: Array, epochs: float) -> Array:
    return np.ones_like(time)


def _exponential(time: Array, epochs: float, factor: float) -> Array:
    return factor ** np.floor(time)


def _steps(time: Array, epochs: float, every: float, factor: float = 0.1) -> Array:
    return factor ** np.floor(time / every)


def _cosine(time: Array, epochs: float, least: float = 0.0) -> Array:
    """Loshchilov and Hutter, "SGDR", ICLR 2017, equation 5, without restarts."""
    return least + (1 - least) * (1 + np.cos(np.pi * np.minimum(time / epochs, 1))) / 2


def _linear(time: Array, epochs: float, least: float = 0.0) -> Array:
    return 1 + (least - 1) * np.minimum(time / epochs, 1)


def _warmup(time: Array, epochs: float, rise: float) -> Array:
    return np.minimum(time / rise, 1)


def _warmup_cosine(time: Array, epochs: float, rise: float, least: float = 0.0) -> Array:
    left = max(epochs - rise, 1e-12)
    return np.where(time < rise, time / rise, _cosine(np.maximum(time - rise, 0), left, least))


def _one_cycle(time: Array, epochs: float, peak: float = 0.3, start: float = 0.04) -> Array:
    """Smith and Topin, "Super-Convergence", 2018: up to the rate itself in the first part, then down to almost nothing,
    both along a cosine."""
    if peak >= 1:  # it would never come down
        return np.full_like(time, np.nan)
    top = peak * epochs
    rising = start + (1 - start) * (1 - np.cos(np.pi * np.minimum(time / top, 1))) / 2
    falling = (1 + np.cos(np.pi * np.clip((time - top) / (epochs - top), 0, 1))) / 2
    return np.where(time < top, rising, falling)


SCHEDULES: Mapping[str, tuple[Callable[..., Array], int, int]] = {
    "constant": (_constant, 0, 0),
    "exponential": (_exponential, 1, 1),
    "steps": (_steps, 1, 2),
    "cosine": (_cosine, 0, 1),
    "linear": (_linear, 0, 1),
    "warmup": (_warmup, 1, 1),
    "warmup_cosine": (_warmup_cosine, 1, 2),
    "one_cycle": (_one_cycle, 0, 2),
}
"""By name, with the least and the largest number of arguments."""
FORMS = (
    "constant, exponential(0.95), steps(10, 0.1), cosine, linear, warmup(2), warmup_cosine(2), one_cycle: numbers of "
    "epochs and factors"
)


def schedule_named(text: str | Schedule, epochs: int) -> Schedule:
    """A schedule from its name and numbers, ``steps(10, 0.1)``, for so many epochs. Raises BackproofError."""
    if callable(text):
        return text
    match = re.fullmatch(r"\s*(\w+)\s*(?:\(([^()]*)\))?\s*", text) if isinstance(text, str) else None
    if match is None or match[1] not in SCHEDULES:
        raise BackproofError(f"unknown schedule {text!r}", instead=f"choose from {FORMS}")
    function, least, most = SCHEDULES[match[1]]
    numbers = [_number(part, text) for part in (match[2] or "").split(",") if part.strip()]
    if not least <= len(numbers) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise BackproofError(f"the schedule {text!r} has {len(numbers)} numbers, and takes {wanted}", instead=FORMS)
    schedule = partial(_called, function, float(epochs), numbers)
    with np.errstate(all="ignore"):
        tried = schedule(np.linspace(0, epochs, 101))
    if not (np.isfinite(tried) & (tried >= 0) & (tried <= 1 + 1e-12)).all():
        raise BackproofError(f"the schedule {text!r} leads beyond the rate itself, or nowhere", instead=FORMS)
    return schedule


def _called(function: Callable[..., Array], epochs: float, numbers: list[float], time: Array) -> Array:
    return function(time, epochs, *numbers)


def _number(text: str, whole: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not 0 <= number < float("inf"):
        raise BackproofError(f"{text.strip()!r} is no number from 0 up", where=f"in the schedule {whole!r}")
    return number


def times(first: int, count: int, each: int) -> Array:
    """The times at which `count` steps begin, the `first` one of them counted from 0, with `each` so many an epoch."""
    found: Any = np.arange(first, first + count) / each
    return np.asarray(found, dtype=float)
