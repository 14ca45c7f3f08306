"""How long something takes that is done again and again."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

ENOUGH = 2e-3
"""How many seconds at least are measured in one go."""
GOES, MOST_ROUNDS = 5, 2**16


def seconds_each(run: Callable[[int], object]) -> float:
    """About how many seconds a round takes of as many as `run` is told: those of the fastest of several goes."""
    rounds = 1
    while _seconds(run, rounds) < ENOUGH and rounds < MOST_ROUNDS:
        rounds *= 4
    return min(_seconds(run, rounds) for _ in range(GOES)) / rounds


def _seconds(run: Callable[[int], object], rounds: int) -> float:
    started = perf_counter()
    run(rounds)
    return perf_counter() - started
