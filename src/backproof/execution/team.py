"""Threads that run native code together."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter, process_time

import numpy as np

from backproof.emit.native.threads import MEETING_NUMBERS

LONG = 0.05
"""After how many seconds together it is judged whether each thread had a processor to itself."""
APART_FOR = 1.0
"""For how many seconds one thread runs alone before all are tried again."""


class Team:
    """So many threads, that of the caller among them.

    Where others keep the processors busy, threads that wait for each other are slower than one alone. So the caller's
    runs alone for a while then; the numbers are the same.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._others = ThreadPoolExecutor(threads - 1)
        self._meeting = np.zeros(MEETING_NUMBERS, np.int64)
        self._at_work = threads
        self._clock = self._processors = 0.0

    def run(self, function: Callable[..., None], *arguments: int) -> None:
        """Calls a function in all threads at once, with the number of each, how many there are and where they meet."""
        threads, more = self._at_work, (self._at_work, self._meeting.ctypes.data)
        clock, processors = perf_counter(), process_time()
        waiting = [self._others.submit(function, *arguments, k, *more) for k in range(1, threads)]
        function(*arguments, 0, *more)
        for one in waiting:
            one.result()
        self._clock += perf_counter() - clock
        self._processors += process_time() - processors
        self._judge()

    def _judge(self) -> None:
        """Says how many threads run next."""
        if self._clock < (LONG if self._at_work > 1 else APART_FOR):
            return
        # A thread that waits for another turns round, so each keeps a processor busy as long as it has one. While one
        # has none, all wait: what is left of the time is worth it as long as it is more than one thread's share.
        missing = self._at_work - self._processors / self._clock
        is_crowded = missing > 1 - 1 / self._at_work
        self._at_work = 1 if self._at_work > 1 and is_crowded else self.threads
        self._clock = self._processors = 0.0


def available() -> int:
    """How many threads can run at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
