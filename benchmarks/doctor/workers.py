"""Runs tasks in processes of their own, each with a limit of time.

The limit is on the time of the processor, so that what else the machine does changes no outcome.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import Any

STUCK = 30
"""After how many times its limit, on the clock, a process that does not even stop is ended."""


def answers(
    work: Callable[[Any], Any], tasks: Sequence[Any], *, jobs: int, seconds: float, late: Callable[[Any], Any]
) -> Iterator[Any]:
    """What the work gives for each task, in the order of the tasks; what `late` gives where it takes too long."""
    work = partial(_limited, work, late, seconds)
    found: dict[int, Any] = {}
    waiting = iter(enumerate(tasks))
    running = [worker for _ in range(jobs) if (worker := _Worker.started(work, waiting)) is not None]
    for number in range(len(tasks)):
        while number not in found:
            ready = wait([w.connection for w in running], timeout=1)
            for worker in list(running):
                if worker.connection in ready:
                    found[worker.number] = worker.answer() or late(worker.task)
                elif time.monotonic() > worker.since + STUCK * seconds:
                    found[worker.number] = late(worker.task)
                    worker.stop()
                else:
                    continue
                running.remove(worker)
                following = worker.next(waiting) if worker.process.is_alive() else _Worker.started(work, waiting)
                if following is not None:
                    running.append(following)
        yield found.pop(number)


class _Worker:
    """A process, and the task that it is at."""

    def __init__(self, work: Callable[[Any], Any], number: int, task: Any) -> None:
        context = get_context("spawn")
        self.connection, other = context.Pipe()
        self.process = context.Process(target=_serve, args=(work, other), daemon=True)
        self.process.start()
        other.close()
        self._give(number, task)

    @staticmethod
    def started(work: Callable[[Any], Any], waiting: Iterator[tuple[int, Any]]) -> _Worker | None:
        """A new process at the next task; None where there is no task left."""
        following = next(waiting, None)
        return None if following is None else _Worker(work, *following)

    def _give(self, number: int, task: Any) -> None:
        self.number, self.task, self.since = number, task, time.monotonic()
        self.connection.send(task)

    def answer(self) -> Any:
        """What the process answers; None where it died."""
        try:
            return self.connection.recv()
        except EOFError:
            self.process.join()
            return None

    def next(self, waiting: Iterator[tuple[int, Any]]) -> _Worker | None:
        """The same process at the next task; it ends where there is none left."""
        following = next(waiting, None)
        if following is None:
            self.stop()
            return None
        self._give(*following)
        return self

    def stop(self) -> None:
        self.process.terminate()
        self.process.join()


class _Late(BaseException):
    """No Exception, so that nothing catches it on the way."""


def _limited(work: Callable[[Any], Any], late: Callable[[Any], Any], seconds: float, task: Any) -> Any:
    def stop(number: int, frame: FrameType | None) -> None:
        raise _Late

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        return work(task)
    except _Late:
        return late(task)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _serve(work: Callable[[Any], Any], connection: Connection) -> None:
    while True:
        connection.send(work(connection.recv()))
