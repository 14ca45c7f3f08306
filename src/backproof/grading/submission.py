"""Checks one submission, in a process that may be killed: ``python -m backproof.grading.submission TASK``.

The task is JSON. The grade is written to the file that the task names, at the very end and in one piece: whatever the
submission prints, and however it ends, there is a whole grade or none.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from backproof.api import diagnose
from backproof.execution.reading.files import load_npz
from backproof.frontends.network import Network
from backproof.frontends.spec import Passes, read_backward, read_forward, read_passes
from backproof.grading.grades import Grade, graded
from backproof.ir.errors import BackproofError, SpecError

LARGEST_FILE = 64 * 2**20
"""How much a submission may write into one file, in bytes."""


@dataclass(frozen=True, slots=True)
class Task:
    """A submission and what it is checked with.

    shown     what the file is called in the table
    forward   of the submission's own functions the names, or "file.py:name" of one that serves all; the same of `loss`
    data      an NPZ file of the arguments, or nothing
    memory    how much the submission may take, in bytes
    result    where the grade goes
    """

    file: str
    shown: str
    forward: str
    backward: str
    loss: str
    data: str
    wanted: tuple[str, ...]
    hint: int
    memory: int
    result: str


def grade(task: Task) -> Grade:
    """The grade of a submission, whatever happens in it short of the end of the process."""
    try:
        passes = _passes(task)
        arguments: dict[str, Any] = load_npz(Path(task.data)) if task.data else {}
        diagnosis = diagnose(passes.forward, passes.backward, arguments, loss=passes.loss)
        if _ran_out_of_memory(diagnosis.raised):
            return Grade(task.shown, "out of memory")
        return graded(task.shown, Path(task.file), diagnosis, hint=task.hint, wanted=task.wanted)
    except MemoryError:
        return Grade(task.shown, "out of memory")
    except BackproofError as error:
        if _ran_out_of_memory(error):
            return Grade(task.shown, "out of memory")
        return Grade(task.shown, "unusable", message=str(error).replace(f"{Path(task.file).parent}{os.sep}", ""))
    except BaseException as error:  # also SystemExit: what a submission does to itself is told in its row
        return Grade(task.shown, "failed", message=f"{type(error).__name__}: {error}".removesuffix(": "))


def _ran_out_of_memory(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__
    return False


def serves_all(name: str) -> bool:
    """Whether a function is named with the file that it stands in, and not one that each submission has."""
    return ":" in name


def _passes(task: Task) -> Passes:
    """The passes of a submission, some of which may be those that serve all."""
    if not serves_all(task.forward) and not serves_all(task.loss):
        names = ",".join(name for name in (task.forward, task.loss, task.backward) if name)
        passes = read_passes(f"{task.file}:{names}" if names else task.file)
        assert passes is not None  # a Python file always names some
        return passes
    own = Path(task.file)
    forward = function_of(task.forward or "forward", own)
    return Passes(forward, function_of(task.loss, own) if task.loss else None, read_backward(task.file, task.backward))


def function_of(name: str, own: Path | None = None) -> Callable[..., Any]:
    """A function of the submission's own file, or of the one that it is named with. Raises SpecError."""
    found = read_forward(name if serves_all(name) else f"{own}:{name}")
    if isinstance(found, Network):
        raise SpecError(f"{name} is a network, and a function is wanted here")
    return found


def limit(memory: int) -> None:
    """Limits what this process may take, where the system can: memory beside what it has already, sizes of files."""
    try:
        import resource
    except ImportError:  # Windows
        return
    pages = Path("/proc/self/statm")
    taken = int(pages.read_text().split()[0]) * resource.getpagesize() if pages.exists() else 0
    for kind, most in (
        (resource.RLIMIT_AS, taken + memory),
        (resource.RLIMIT_FSIZE, LARGEST_FILE),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def main() -> None:
    """Checks the submission of the task, and ends without waiting for what the submission has left running."""
    content = json.loads(sys.argv[1])
    task = Task(**{**content, "wanted": tuple(content["wanted"])})
    limit(task.memory)
    text = json.dumps(asdict(grade(task)))
    unfinished = Path(f"{task.result}.part")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(task.result)
    os._exit(0)


if __name__ == "__main__":
    main()
