"""Loops over the places of arrays, with the distances that each array has along them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

APART = 2
"""How many instructions it takes to put a number into a vector, or to take one out."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A loop: how many rounds, how far each array goes on in one, and whether it is summed over."""

    length: int
    distances: tuple[int, ...]
    is_over: bool = False


def nest(
    shape: Sequence[int],
    arrays: Sequence[Sequence[int]],
    stored: int,
    over: frozenset[int] = frozenset(),
    *,
    width: int = 1,
    work: int = 1,
) -> list[Axis]:
    """The loops for arrays of a shape, given their distances along its axes, in an order in which vectors fit.

    The first `stored` of the arrays are written; vectors are as wide as `width`, and about so much `work` is done for
    each. Axes of which one goes on where the other ends are one loop.

    >>> [axis.length for axis in nest((2, 3, 4), [(12, 4, 1), (0, 4, 1)], 1)]
    [2, 12]
    >>> nest((2, 3), [(1, 2)], 1)
    [Axis(length=6, distances=(1,), is_over=False)]
    """
    axes = [Axis(n, tuple(x[k] for x in arrays), k in over) for k, n in enumerate(shape) if n > 1]
    # The farthest first: an array that lies the other way round is gone through as it lies.
    if not over:
        axes.sort(key=lambda axis: -max((abs(d) for d in axis.distances[:stored]), default=0))
    axes = _joined(axes)
    if axes:
        inner = min(range(len(axes)), key=lambda k: (_cost(axes[k], width, work), -k))
        axes.append(axes.pop(inner))
    return _joined(axes)


def _joined(axes: Sequence[Axis]) -> list[Axis]:
    found: list[Axis] = []
    for axis in axes:
        last = found[-1] if found else None
        if last is not None and last.is_over == axis.is_over and _continues(last, axis):
            found[-1] = Axis(last.length * axis.length, axis.distances, axis.is_over)
        else:
            found.append(axis)
    return found


def _cost(axis: Axis, width: int, work: int) -> float:
    """About how many instructions an entry takes if this is the innermost loop."""
    if axis.length < width:
        return len(axis.distances) + work + 1
    return (work + sum(1 if d in (0, 1) else APART * width for d in axis.distances)) / width


def _continues(outer: Axis, inner: Axis) -> bool:
    return all(a == b * inner.length for a, b in zip(outer.distances, inner.distances, strict=True))
