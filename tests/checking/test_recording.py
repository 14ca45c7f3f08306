"""What a recording keeps of the arrays in somebody's code."""

from __future__ import annotations

from typing import Any

import numpy as np

from backproof.checking.moments import Moment
from backproof.checking.recording import record


def changing(a: Any) -> Any:
    b = a + 1
    c = b * 2
    b[0] = 7
    d = b * 2
    view = b[1:]
    view += 5
    e = b * 2
    return c + d + e


def read(moment: Moment, name: str) -> Any:
    (found,) = (held.value for held in moment.reads if held.text == name)
    return found


def test_what_changes_in_place_is_kept_as_it_was() -> None:
    recording = record(changing, {"a": np.arange(3.0)}, {__file__})
    before, between, after = (read(moment, "b") for moment in recording.moments if moment.source[1:] == " = b * 2")
    assert before.tolist() == [1, 2, 3]
    assert between.tolist() == [7, 2, 3]
    assert after.tolist() == [7, 7, 8]


def twice(a: Any) -> Any:
    b = a + 1
    c = a * 2
    return b + c


def test_what_does_not_change_is_copied_once() -> None:
    a = np.arange(3.0)
    first, second = (
        read(m, "a") for m in record(twice, {"a": a}, {__file__}).moments if m.source.startswith(("b", "c"))
    )
    assert first is second
    assert first is not a


def test_only_the_variables() -> None:
    recording = record(twice, {"a": np.arange(3.0)}, {__file__}, statements=False)
    assert recording.moments == ()
    assert list(recording.variables) == ["a", "b", "c"]
    assert recording.result.tolist() == [1, 4, 7]
