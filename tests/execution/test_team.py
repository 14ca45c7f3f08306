"""Threads that run native code together, where there are processors for them and where there are not."""

from __future__ import annotations

import pytest

pytest.importorskip("llvmlite")
from backproof.execution import team
from backproof.execution.team import APART_FOR, LONG, Team


class Clocks:
    """Clocks that a call of a function moves on."""

    def __init__(self) -> None:
        self.clock = self.processors = 0.0


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    clocks = Clocks()
    monkeypatch.setattr(team, "perf_counter", lambda: clocks.clock)
    monkeypatch.setattr(team, "process_time", lambda: clocks.processors)
    return clocks


def threads_of_a_call(threads: Team, clocks: Clocks, seconds: float, each: float) -> int:
    """How many threads a call is made in that takes so long; each of them has a processor for a share of it."""
    seen = []

    def function(number: int, count: int, meeting: int) -> None:
        seen.append(count)
        if number == 0:
            clocks.clock += seconds
            clocks.processors += count * each * seconds

    threads.run(function)
    assert len(seen) == seen[0]
    return seen[0]


def test_all_go_on_that_have_processors(clocks: Clocks) -> None:
    own = Team(3)
    assert [threads_of_a_call(own, clocks, LONG, 0.95) for _ in range(5)] == [3] * 5


def test_one_runs_alone_where_others_keep_processors_busy(clocks: Clocks) -> None:
    own = Team(2)
    assert [threads_of_a_call(own, clocks, LONG, 0.6) for _ in range(3)] == [2, 1, 1]
    assert threads_of_a_call(own, clocks, APART_FOR, 1.0) == 1
    assert [threads_of_a_call(own, clocks, LONG, 1.0) for _ in range(2)] == [2, 2]


def test_short_calls_are_judged_together(clocks: Clocks) -> None:
    own = Team(2)
    assert [threads_of_a_call(own, clocks, 0.3 * LONG, 0.6) for _ in range(6)] == [2, 2, 2, 2, 1, 1]
