"""What a run of somebody's code computes, statement by statement: what each reads, and what it leaves behind."""

from __future__ import annotations

import ast
import sys
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from types import FrameType, ModuleType
from typing import Any

import numpy as np

from backproof.checking.frames import MASKS, computed, given_by_lambda, scope_of, unwritten, values_of
from backproof.checking.moments import Held, Moment
from backproof.checking.syntax import changes, goes_on, loaded, names_in, source_of, statements, stored
from backproof.ops.row import Array

_lines: ContextVar[int | None] = ContextVar("lines", default=None)
MOST_VISITS = 64


class TooLongError(BaseException):
    """A run goes on for more lines than it may; no ``except Exception`` of the user's stops it."""


@contextmanager
def at_most(lines: int) -> Iterator[None]:
    """Within it a run of code with a `while` in it may go through so many lines, and raises TooLongError then."""
    token = _lines.set(lines)
    try:
        yield
    finally:
        _lines.reset(token)


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A run: what the function returned, its statements in order, and its own variables at the end.

    Of one that did not come to its end, `error` is what it raised, the last moment is the statement that raised it, and
    `calling` are the statements that it was called in, the innermost first.
    """

    result: Any
    moments: tuple[Moment, ...]
    variables: Mapping[str, Any]
    error: Exception | None = None
    calling: tuple[Moment, ...] = ()


def record(
    function: Callable[..., Any], arguments: Mapping[str, Any], files: Collection[str], *, statements: bool = True
) -> Recording:
    """Calls a function and records the statements of the given files that run until it returns.

    Without `statements` only its own variables are kept.
    """
    recorder = _Recorder(files) if statements else _Variables(files)
    before = sys.gettrace()
    sys.settrace(recorder.enter)
    result, error = None, None
    try:
        result = function(**arguments)
    except Exception as raised:  # of the user's code: it is told of
        error = raised
    finally:
        sys.settrace(before)
    raising = () if error is None else recorder.raising(error)
    return Recording(result, (*recorder.moments, *raising[:1]), recorder.variables, error, tuple(raising[1:]))


@dataclass(slots=True, eq=False)
class _Running:
    """A statement that a frame is in, and what it read."""

    statement: ast.stmt
    reads: tuple[Held, ...]
    visible: tuple[Held, ...] = ()
    raised: BaseException | None = None


class _Variables:
    """Keeps the variables of the function that returns last, which is the outermost."""

    def __init__(self, files: Collection[str]) -> None:
        self._files = files
        self._lines = _lines.get()
        self._raising: list[tuple[BaseException, Moment]] = []
        self.moments: list[Moment] = []
        self.variables: Mapping[str, Any] = {}

    def raising(self, error: Exception) -> list[Moment]:
        """The statement that an error comes from, if it is one that is recorded, and those that called it."""
        return [moment for raised, moment in self._raising if raised is error]

    def enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename not in self._files:
            return None
        frame.f_trace_lines = self._lines is not None and goes_on(frame.f_code.co_filename)
        return self._returned

    def _count(self) -> None:
        if self._lines is not None:
            self._lines -= 1
            if self._lines < 0:
                raise TooLongError

    def _returned(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            self._count()
        if event == "return" and frame.f_code.co_name != "<lambda>":
            self.variables = dict(frame.f_locals)
        return self._returned


class _Copies:
    """Copies of arrays; of one that has not changed since it was copied last, the same copy."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[weakref.ref[Array], Array]] = {}

    def __call__(self, value: Any) -> Array:
        if type(value) is not np.ndarray or value.dtype.kind not in MASKS:
            return np.array(value)
        of, copy = self._made.get(id(value), (None, None))
        if of is None or copy is None or of() is not value or not _unchanged(value, copy):
            copy = np.array(value)
            self._made[id(value)] = weakref.ref(value), copy
        return copy


def _unchanged(value: Array, copy: Array) -> bool:
    return value.shape == copy.shape and value.dtype == copy.dtype and bool(np.array_equal(value, copy))


class _Recorder(_Variables):
    """Keeps what every statement read and wrote."""

    def __init__(self, files: Collection[str]) -> None:
        super().__init__(files)
        self._copies = _Copies()
        self._running: dict[FrameType, _Running | None] = {}
        self._visits: dict[tuple[str, int], int] = {}
        self._seen: set[tuple[str, int]] = set()
        self._of_modules: dict[int, Mapping[str, Any]] = {}
        self._last: dict[tuple[str, int], Moment] = {}

    def enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename not in self._files:
            return None
        self._running[frame] = None
        code = frame.f_code
        given = tuple(values_of(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount], frame, self._copies))
        if given:
            self.moments.append(Moment(code.co_filename, code.co_firstlineno, "", 0, code.co_qualname, (), given))
        return self._line

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        running = self._running[frame]
        if event == "exception":
            if running is not None:
                self._note_raised(frame, running, argument[1])
            return self._line
        if event == "return":
            self._finish(frame, running, argument)
            del self._running[frame]
            self._returned(frame, event, argument)
            return self._line
        self._count()
        statement = statements(frame.f_code.co_filename).get(frame.f_lineno)
        if running is not None and statement is running.statement and frame.f_lineno != statement.lineno:
            return self._line  # a further line of the same statement
        self._finish(frame, running)
        self._running[frame] = None
        if statement is not None:
            reads = tuple(values_of(loaded(statement), frame, self._copies))
            is_first = (frame.f_code.co_filename, statement.lineno) not in self._seen
            self._seen.add((frame.f_code.co_filename, statement.lineno))
            names = tuple(filter(str.isidentifier, frame.f_locals)) if is_first else ()
            visible = tuple(values_of(names, frame, self._copies, MASKS))
            self._running[frame] = _Running(statement, reads, visible)
        return self._line

    def _note_raised(self, frame: FrameType, running: _Running, error: BaseException) -> None:
        running.raised = error
        statement, code = running.statement, frame.f_code
        moment = Moment(
            code.co_filename,
            statement.lineno,
            source_of(statement, code.co_filename),
            self._visits.get((code.co_filename, statement.lineno), -1) + 1,
            code.co_qualname,
            running.reads,
            tuple(unwritten(statement, frame)),
            {**self._functions(frame), **dict(scope_of(names_in(statement), frame))},
            running.visible,
            f"{type(error).__name__}: {error}",
        )
        if self._raising and self._raising[-1][0] is not error:
            self._raising.clear()  # that one was caught
        self._raising.append((error, moment))

    def _functions(self, frame: FrameType) -> Mapping[str, Any]:
        """What the names of a module stand for that statements call."""
        names = frame.f_globals
        if id(names) not in self._of_modules:
            called = {name: x for name, x in names.items() if callable(x) or isinstance(x, ModuleType)}
            self._of_modules[id(names)] = called
        return self._of_modules[id(names)]

    def _finish(self, frame: FrameType, running: _Running | None, returned: Any = None) -> None:
        if running is None or running.raised is not None:
            return
        statement, file = running.statement, frame.f_code.co_filename
        writes = tuple(values_of(stored(statement), frame, self._copies))
        if isinstance(statement, ast.Return):
            writes = tuple(computed(statement, returned, self._copies))
        elif frame.f_code.co_name == "<lambda>":
            writes = tuple(given_by_lambda(statement, returned))
        elif changes(statement):
            writes = tuple(replace(write, changed=True) for write in writes)
        if not writes and not running.reads:
            return
        where = (file, statement.lineno)
        visit = self._visits[where] = self._visits.get(where, -1) + 1
        if visit >= MOST_VISITS:
            # Of a long loop the first rounds and the last are kept: what it leaves behind is in the last.
            self.moments.remove(self._last[where])
        source = source_of(statement, file)
        scope = {**self._functions(frame), **dict(scope_of(names_in(statement), frame))}
        function = frame.f_code.co_qualname
        moment = Moment(file, statement.lineno, source, visit, function, running.reads, writes, scope, running.visible)
        self._last[where] = moment
        self.moments.append(moment)
