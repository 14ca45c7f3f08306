"""Being told when the user's code starts, before each of its lines, and when it ends.

Python 3.12 and later report single events of single functions (`sys.monitoring`), so that all other code runs as fast
as ever. On Python 3.11 there is only `sys.settrace`, which is told of every call of NumPy's and our own as well.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from threading import get_ident
from types import CodeType, FrameType
from typing import Any

from backproof.frontends.tracing.tape import Tape, is_users_file

Look = Callable[[FrameType, int, bool], None]
"""Called with a frame of the user's code, how many of its callers are such frames, and whether it is about to end."""

OWN_TOOL = 4
"""The number that we report to `sys.monitoring` with; debuggers, coverage tools and profilers have others."""
INSIDE = ("<genexpr>", "<listcomp>", "<lambda>")
"""Code whose variables are not looked at."""


def watching(look: Look, tape: Tape) -> AbstractContextManager[None]:
    """While this holds, `look` is called before each line of user's code that has started since, and at its end."""
    if sys.version_info >= (3, 12) and sys.monitoring.get_tool(OWN_TOOL) is None:
        return _monitored(look)
    return _traced(look, tape)


def _watched(frame: FrameType) -> bool:
    code = frame.f_code
    if not is_users_file(code.co_filename) or code.co_name in INSIDE:
        return False
    # What a dataclass is given has no file of its own; it belongs where the class stands.
    return code.co_filename != "<string>" or is_users_file(frame.f_globals.get("__file__", "<string>"))


@lru_cache(maxsize=4096)
def _line_of(code: CodeType, offset: int) -> int | None:
    return next((line for start, end, line in code.co_lines() if start <= offset < end), None)


@contextmanager
def _traced(look: Look, tape: Tape) -> Iterator[None]:
    before = sys.gettrace()
    depths: dict[FrameType, int] = {}

    def enter(frame: FrameType, event: str, argument: Any) -> Any:
        # The first is asked of every call of our own code.
        if not is_users_file(frame.f_code.co_filename) or not _watched(frame):
            return None
        depths[frame] = len(depths) + 1
        return line

    def line(frame: FrameType, event: str, argument: Any) -> Any:
        if event == "exception":
            return line
        look(frame, depths[frame], event == "return")
        if event == "return":
            del depths[frame]
        return line

    if sys.version_info < (3, 12):  # later ones prepare the code anew at every change
        tape.watch = enter
    sys.settrace(enter)
    try:
        yield
    finally:
        sys.settrace(before)
        tape.watch = None


if sys.version_info >= (3, 12):

    @contextmanager
    def _monitored(look: Look) -> Iterator[None]:
        monitoring, events = sys.monitoring, sys.monitoring.events
        depths: dict[FrameType, int] = {}
        watched: set[CodeType] = set()
        thread = get_ident()

        def start(code: CodeType, offset: int) -> Any:
            frame = sys._getframe(1)
            if not _watched(frame):
                return monitoring.DISABLE
            if get_ident() == thread:
                if code not in watched:
                    watched.add(code)
                    local = events.LINE | events.JUMP | events.PY_RETURN | events.PY_YIELD
                    monitoring.set_local_events(OWN_TOOL, code, local)
                depths[frame] = len(depths) + 1
            return None

        def line(code: CodeType, number: int) -> None:
            _looked(sys._getframe(1), ends=False)

        def jump(code: CodeType, offset: int, destination: int) -> Any:
            if destination > offset or _line_of(code, destination) != _line_of(code, offset):
                return monitoring.DISABLE
            _looked(sys._getframe(1), ends=False)  # a loop on one line begins anew
            return None

        def end(code: CodeType, offset: int, value: Any) -> None:
            _looked(sys._getframe(1), ends=True)

        def _looked(frame: FrameType, *, ends: bool) -> None:
            if frame in depths:
                look(frame, depths[frame], ends)
                if ends:
                    del depths[frame]

        reports = {
            events.PY_START: start,
            events.PY_RESUME: start,
            events.LINE: line,
            events.JUMP: jump,
            events.PY_RETURN: end,
            events.PY_YIELD: end,
            events.PY_UNWIND: end,
        }
        monitoring.use_tool_id(OWN_TOOL, "backproof")
        for event, report in reports.items():
            monitoring.register_callback(OWN_TOOL, event, report)
        monitoring.set_events(OWN_TOOL, events.PY_START | events.PY_RESUME | events.PY_UNWIND)
        try:
            yield
        finally:
            monitoring.set_events(OWN_TOOL, events.NO_EVENTS)
            for code in watched:
                monitoring.set_local_events(OWN_TOOL, code, events.NO_EVENTS)
            for event in reports:
                monitoring.register_callback(OWN_TOOL, event, None)
            monitoring.free_tool_id(OWN_TOOL)
