"""The passes that serve all submissions, tried before any of them: where these are wrong, no grade says anything."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from backproof.api import derive
from backproof.checking.subjects.choosing import subject_of
from backproof.execution.reading.files import load_npz
from backproof.frontends.spec import read_backward
from backproof.grading.grading import graded_all
from backproof.grading.submission import Task, function_of, serves_all
from backproof.ir.errors import BackproofError, SpecError


def check_reference(task: Task, *, timeout: float) -> None:
    """Raises BackproofError where what serves all submissions is not right on the data, or does not run there.

    Of a file that has a backward pass too, that is graded like a submission. Of one that has none, the forward pass is
    run and derived.
    """
    files = [Path(name.rpartition(":")[0]) for name in (task.forward, task.loss) if serves_all(name)]
    if not files:
        return
    with contextlib.redirect_stdout(sys.stderr):
        if _has_backward(files[0], task.backward):
            _is_right(replace(task, file=str(files[0]), shown=files[0].name, hint=3), timeout)
        elif serves_all(task.forward) and (serves_all(task.loss) or not task.loss):
            _runs(task)


def _has_backward(file: Path, name: str) -> bool:
    try:
        read_backward(str(file), name)
    except SpecError:
        return False
    return True


def _is_right(task: Task, timeout: float) -> None:
    ((_, found),) = graded_all([task], timeout=timeout, jobs=1)
    if found.verdict != "right":
        place = f"line {found.line}" if found.line.isdecimal() else found.line
        raise BackproofError(
            f"the backward pass of {found.file} is not right itself",
            where=", ".join(filter(None, [found.verdict or found.status, place])),
            why="; ".join(filter(None, [found.mistake, found.message])),
            instead="put it right first: `backproof check` tells more; no submission was graded",
        )


def _runs(task: Task) -> None:
    forward = function_of(task.forward)
    loss = function_of(task.loss) if task.loss else _total
    arguments: dict[str, Any] = load_npz(Path(task.data)) if task.data else {}
    subject = subject_of([forward], arguments, loss, predicts_only=True)
    derive(subject.scalar, subject.arguments)


def _total(result: Any) -> Any:
    """The number that is derived where the forward pass of a layer gives an array."""
    return np.sum(result)
