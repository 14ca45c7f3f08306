"""Threads that run native code together."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from backproof.emit.native.threads import APART


class Team:
    """So many threads, that of the caller among them."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._others = ThreadPoolExecutor(threads - 1)
        self._meeting = np.zeros(2 * APART, np.int64)

    def run(self, function: Callable[..., None], *arguments: int) -> None:
        """Calls a function in all threads at once, with the number of each, how many there are and where they meet."""
        more = self.threads, self._meeting.ctypes.data
        waiting = [self._others.submit(function, *arguments, k, *more) for k in range(1, self.threads)]
        function(*arguments, 0, *more)
        for one in waiting:
            one.result()


def available() -> int:
    """How many threads can run at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
