"""Steps of a loop: those that say the same again, with other numbers in the names, need not all be written."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from backproof.derivation.derivation import Derivation
from backproof.derivation.steps import BackwardStep, ForwardStep
from backproof.ir.node import Node
from backproof.ops.entries import row_of

MOST_REPEATS = 4
"""Of a pass through a loop that comes more often than this the first two and the last are written."""
LONGEST_PASS = 64
"""Longer passes than this are not looked for."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Steps from `first` to before `end` that repeat the `period` steps before them, with other numbers."""

    first: int
    end: int
    period: int


def written(steps: Sequence[ForwardStep | BackwardStep], derivation: Derivation) -> Iterator[int | LeftOut]:
    """The numbers of the steps to be written, counted from 0, and what is left out between them."""
    alike = [_alike(step, derivation) for step in steps]
    k = 0
    while k < len(steps):
        period, times = _repeats(alike, k)
        if times > MOST_REPEATS:
            yield from range(k, k + 2 * period)
            yield LeftOut(k + 2 * period, k + (times - 1) * period, period)
            k += (times - 1) * period
        for _ in range(period):
            yield k
            k += 1


Alike = tuple[Hashable, tuple[int, ...]]
"""What a step says without the numbers in names and indices, and these numbers."""


def _repeats(alike: Sequence[Alike], start: int) -> tuple[int, int]:
    """How long the pass of a loop is that begins at a step, and how often it comes; (1, 1) where there is none."""
    for period in range(1, LONGEST_PASS + 1):
        end = start + period
        while end < len(alike) and _goes_on(alike, end, period, start):
            end += 1
        times = (end - start) // period
        if times > MOST_REPEATS:
            return period, times
    return 1, 1


def _goes_on(alike: Sequence[Alike], k: int, period: int, start: int) -> bool:
    """Whether a step says what the one a pass before says, with numbers as much further as there."""
    (what, numbers), (before, earlier) = alike[k], alike[k - period]
    if what != before:
        return False
    if k - 2 * period < start:
        return True
    _, first = alike[k - 2 * period]
    return all(c - b == b - a for a, b, c in zip(first, earlier, numbers, strict=True))


def _alike(step: ForwardStep | BackwardStep, derivation: Derivation) -> Alike:
    found: list[Hashable] = []
    numbers: list[int] = []
    if isinstance(step, ForwardStep):
        source = derivation.sources.get(step.node)
        found.append(source.place if source else None)
    stack: list[tuple[Node, bool]] = [(step.node, True), (step.raw, True)]
    while stack:
        x, opened = stack.pop()
        if x.symbol is not None:
            letters, number = x.symbol.letters_and_number
            found.append((letters, x.symbol.prefix, x.shape, number is None))
            numbers.append(number or 0)
        if x.symbol is None or opened:
            found.append((row_of(x), len(x.inputs)))
            for name, value in x.attrs.items():
                parts = value if name == "key" else (value,)
                numbers += [part for part in parts if name == "key" and isinstance(part, int)]
                if name != "of":  # that of a partial derivative is the formula itself
                    found.append((name, *(None if name == "key" and isinstance(p, int) else str(p) for p in parts)))
            stack += [(y, False) for y in x.inputs]
    return tuple(found), tuple(numbers)
