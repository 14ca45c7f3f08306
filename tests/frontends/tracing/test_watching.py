"""The user's code is looked at before each line and at its end, by whichever means Python has."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np
import pytest

from backproof.frontends.tracing import watching
from backproof.frontends.tracing.tape import Tape

WAYS = ["_traced", *(["_monitored"] if sys.version_info >= (3, 12) else [])]


def seen(way: str, function: Any) -> list[tuple[str, int, int, bool]]:
    """The looks at a function: name, line from its first, how deep, whether it ends."""
    looks = []

    def look(frame: FrameType, depth: int, ends: bool) -> None:
        code = frame.f_code
        looks.append((code.co_name, frame.f_lineno - code.co_firstlineno, depth, ends))

    with watching._traced(look, Tape()) if way == "_traced" else watching._monitored(look):
        function()
    return looks


def called() -> None:
    for _ in range(2):
        inner()


def inner() -> None:
    np.sum(np.ones(2))


def one_line() -> None:
    for k in range(3): np.ones(k)  # noqa: E701  # fmt: skip


def numbers() -> Iterator[int]:
    yield 1
    yield 2


def generated() -> None:
    for _ in numbers():
        pass


def fails() -> None:
    raise ValueError


def caught() -> None:
    try:  # noqa: SIM105
        fails()
    except ValueError:
        pass
    inner()


@dataclass
class Pair:
    a: int


def records() -> None:
    Pair(1)
    (lambda: 1)()


def threaded() -> None:
    other = threading.Thread(target=inner)
    other.start()
    other.join()


EXPECTED = {
    called: [
        *(("called", 1, 1, False), ("called", 2, 1, False), ("inner", 1, 2, False), ("inner", 1, 2, True)),
        *(("called", 1, 1, False), ("called", 2, 1, False), ("inner", 1, 2, False), ("inner", 1, 2, True)),
        *(("called", 1, 1, False), ("called", 1, 1, True)),
    ],
    one_line: [*[("one_line", 1, 1, False)] * 4, ("one_line", 1, 1, True)],
    generated: [
        *(("generated", 1, 1, False), ("numbers", 1, 2, False), ("numbers", 1, 2, True), ("generated", 2, 1, False)),
        *(("generated", 1, 1, False), ("numbers", 2, 2, False), ("numbers", 2, 2, True), ("generated", 2, 1, False)),
        *(("generated", 1, 1, False), ("numbers", 2, 2, True), ("generated", 1, 1, True)),
    ],
    caught: [
        *(("caught", 1, 1, False), ("caught", 2, 1, False), ("fails", 1, 2, False), ("fails", 1, 2, True)),
        *(("caught", 3, 1, False), ("caught", 4, 1, False), ("caught", 5, 1, False)),
        *(("inner", 1, 2, False), ("inner", 1, 2, True), ("caught", 5, 1, True)),
    ],
    records: [
        *(("records", 1, 1, False), ("__init__", -1, 2, False), ("__init__", -1, 2, True)),
        *(("records", 2, 1, False), ("records", 2, 1, True)),
    ],
    threaded: [*(("threaded", n, 1, False) for n in (1, 2, 3)), ("threaded", 3, 1, True)],
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("function", EXPECTED, ids=lambda function: function.__name__)
def test_looks(way: str, function: Any) -> None:
    looks = seen(way, function)
    assert [(name, line if name != "__init__" else -1, *rest) for name, line, *rest in looks] == EXPECTED[function]


@pytest.mark.parametrize("way", WAYS)
def test_what_has_no_names_of_its_own_is_not_looked_at(way: str) -> None:
    assert {name for name, *_ in seen(way, lambda: inner())} == {"inner"}


def test_a_trace_function_of_others_is_put_back() -> None:
    def others(frame: FrameType, event: str, argument: Any) -> None:
        return None

    before = sys.gettrace()
    sys.settrace(others)
    try:
        seen("_traced", inner)
        assert sys.gettrace() is others
    finally:
        sys.settrace(before)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="needs sys.monitoring")
def test_watching_within_watching_takes_the_other_way() -> None:
    def look(frame: FrameType, depth: int, ends: bool) -> None:
        looks.append(frame.f_code.co_name)

    looks: list[str] = []
    with watching.watching(look, Tape()):
        assert sys.monitoring.get_tool(watching.OWN_TOOL) == "backproof"
        with watching.watching(look, Tape()):
            inner()
        assert sys.gettrace() is None
        inner()
    assert looks.count("inner") == 6  # both look at the first call
    assert sys.monitoring.get_tool(watching.OWN_TOOL) is None
