"""Checks every submission in a folder: each in a process and an empty folder of its own, with limits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from backproof.grading.grades import Grade
from backproof.grading.submission import Task
from backproof.ir.errors import BackproofError

PATTERNS = ("*.py", "*.ipynb")
POLL = 0.02
"""How long to wait before looking at the running processes again, in seconds."""


def submissions(folder: Path, *, without: Sequence[Path] = ()) -> list[Path]:
    """The files of submissions below a folder, in order. Raises BackproofError.

    Those in `without` are none, nor is what begins with a dot or an underscore, files as well as folders.
    """
    if not folder.is_dir():
        raise BackproofError(f"there is no folder {folder}", instead="name the folder that the submissions are in")
    left_out = {path.resolve() for path in without}
    found = {path for pattern in PATTERNS for path in folder.rglob(pattern) if path.is_file()}
    chosen = [
        path
        for path in sorted(found)
        if path.resolve() not in left_out
        and not any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
    ]
    if not chosen:
        raise BackproofError(
            f"there is no submission in {folder}", why=f"submissions are files {', '.join(PATTERNS)} in it or below"
        )
    return chosen


@dataclass(eq=False)
class _Running:
    number: int
    task: Task
    process: subprocess.Popen[bytes]
    ends: float
    desk: tempfile.TemporaryDirectory[str]


def graded_all(tasks: Sequence[Task], *, timeout: float, jobs: int) -> Iterator[tuple[int, Grade]]:
    """The grade of each task with its number, as they come. What still runs when nobody asks for more is killed."""
    waiting = list(enumerate(tasks))[::-1]
    running: list[_Running] = []
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running.append(_started(*waiting.pop(), timeout))
            ended = [one for one in running if one.process.poll() is not None or time.monotonic() > one.ends]
            for one in ended:
                running.remove(one)
                yield one.number, _ended(one)
            if not ended:
                time.sleep(POLL)
    finally:
        for one in running:
            _ended(one)


def _started(number: int, task: Task, timeout: float) -> _Running:
    desk = tempfile.TemporaryDirectory(prefix="backproof-", ignore_cleanup_errors=True)
    own = Path(desk.name, "own")
    own.mkdir()
    task = Task(**{**asdict(task), "result": str(Path(desk.name, "grade.json"))})
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OPENBLAS", "OMP", "MKL")}
    process = subprocess.Popen(
        [sys.executable, "-m", "backproof.grading.submission", json.dumps(asdict(task))],
        cwd=own,
        env={**os.environ, **threads, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "MPLBACKEND": "Agg"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    return _Running(number, task, process, time.monotonic() + timeout, desk)


def _ended(one: _Running) -> Grade:
    """Ends a process and all that it has started, and reads its grade."""
    in_time = one.process.poll() is not None
    _kill(one.process)
    code = one.process.wait()
    result = Path(one.task.result)
    try:
        if result.is_file():
            return Grade(**json.loads(result.read_text(encoding="utf-8")))
    finally:
        one.desk.cleanup()
    if not in_time:
        return Grade(one.task.shown, "timed out")
    how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"the process ended with status {code}"
    return Grade(one.task.shown, "crashed", message=how)


def _kill(process: subprocess.Popen[bytes]) -> None:
    if not hasattr(os, "killpg"):  # Windows
        process.kill()
        return
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # it is gone, and has left nothing behind
        process.kill()
