"""The samples of a training, part by part in the order of an epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import DTypeLike

from backproof.execution.reading.on_disk import Rows
from backproof.ir.errors import BackproofError
from backproof.ops.row import Array

PART = 2**25
"""About how many bytes of samples are laid out at once."""

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Samples:
    """Arrays whose rows are samples, by the name of the input that they are: X, Y. They may lie on disk."""

    arrays: Mapping[str, Array | Rows]

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values())))

    def taken(self, rows: Array) -> dict[str, Array]:
        """Some of the samples, in this order."""
        return {name: np.asarray(array[rows]) for name, array in self.arrays.items()}

    def some(self, rows: Array) -> Samples:
        """Some of the samples; what lies on disk stays there."""
        return Samples({name: x.some(rows) if isinstance(x, Rows) else x[rows] for name, x in self.arrays.items()})

    def whole(self) -> dict[str, Array]:
        """All of the samples, in memory."""
        return {name: np.asarray(array) for name, array in self.arrays.items()}

    def parts(self, order: Array, batch: int) -> Iterator[tuple[dict[str, Array], int]]:
        """The samples in an order, in parts of whole batches, and how many samples each batch of a part has.

        The samples that make no whole batch are the last part. Where there are many, each part is taken while the one
        before is worked on.
        """
        parts = self._parts(order, batch)
        return ahead(parts) if sum(array.nbytes for array in self.arrays.values()) > PART else parts

    def _parts(self, order: Array, batch: int) -> Iterator[tuple[dict[str, Array], int]]:
        each = sum(array.nbytes for array in self.arrays.values()) // max(1, len(self))
        size = max(1, PART // max(1, each * batch)) * batch
        whole = len(order) // batch * batch
        for start in range(0, whole, size):
            yield self.taken(order[start : min(start + size, whole)]), batch
        if whole < len(order):
            yield self.taken(order[whole:]), len(order) - whole


def in_precision(array: Array, dtype: DTypeLike) -> Array | Rows:
    """Numbers in the precision of a training; what lies on disk stays there."""
    return Rows(array, dtype) if isinstance(array, np.memmap) else array.astype(dtype)


def order_of(count: int, seed: int, epoch: int, *, shuffle: bool) -> Array:
    """The order in which an epoch goes through the samples: it follows from the seed and the epoch alone."""
    if not shuffle:
        return np.arange(count)
    return np.random.default_rng([seed, epoch]).permutation(count)


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same, each being made while the one before is worked on."""
    done = object()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, items, done)
        while (item := waiting.result()) is not done:
            waiting = pool.submit(next, items, done)
            yield item  # type: ignore[misc]


def parted(whole: Samples, share: float, seed: int) -> tuple[Samples, Samples | None]:
    """The samples that are learned, and a share that is kept apart, drawn at random.

    Raises BackproofError for a share that leaves none to learn, and for what is none.
    """
    count = len(whole)
    if not isinstance(share, int | float) or not 0 <= share < 1:
        raise BackproofError(f"validation={share!r} is no share", instead="give a number from 0 to below 1")
    if round(count * share) >= count:
        raise BackproofError(f"validation={share!r} leaves nothing to learn", where=f"of {count} samples")
    learned, apart = split(count, share, seed)
    return (whole.some(learned), whole.some(apart)) if len(apart) else (whole, None)


def split(count: int, share: float, seed: int) -> tuple[Array, Array]:
    """The numbers of the samples that are learned, and of a share that is kept apart, drawn at random."""
    apart = round(count * share)
    order = np.random.default_rng([seed, 2**31]).permutation(count)
    return np.sort(order[apart:]), np.sort(order[:apart])


def batches(part: Array, batch: int) -> Sequence[Array]:
    """The batches of a part."""
    return [part[k : k + batch] for k in range(0, len(part), batch)]
