"""Where there is no derivative: what is taken for it, and where on the data that is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import backproof as bp
from backproof.ops.kinks import EQUAL, PIECES, ROOT, SORTED


def told(function: Callable[..., Any], x: list[Any]) -> list[str]:
    derivation = bp.derive(function, x=np.array(x, dtype=float))
    return [note for note in derivation.notes if note.startswith("On these data")]


WEIGHTS = np.array([1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("function", "on", "places", "text", "off"),
    [
        (lambda x: np.sum(np.maximum(x, 0) * WEIGHTS), [0, 1, -1], "at x[1]", PIECES, [1, 2, -3]),
        (lambda x: np.sum(np.clip(x, 0, 1) ** 2), [0, 2, 0.5], "at x[1]", PIECES, [3, 2, 0.5]),
        (lambda x: np.sum(np.where(x > 0, x**2, -x)), [0, 0, 1], "at x[1], x[2]", PIECES, [1, 2, -3]),
        (lambda x: np.sum(np.abs(x) * x), [0, 1, 2], "at x[1]", PIECES, [1, 2, -3]),
        (lambda x: np.sum(np.sort(x) * WEIGHTS), [2, 2, 1], "at x[1], x[2]", SORTED, [1, 2, -3]),
        (lambda x: np.median(x) ** 2, [2, 1, 2], "at x[1], x[3]", SORTED, [1, 2, -3]),
        (lambda x: np.max(x) ** 2, [2, 1, 2], "at x[1], x[3]", EQUAL, [1, 2, 1]),
        (lambda x: np.max(x, axis=1).sum(), [[2, 2], [1, 3]], "at x[1,1], x[1,2]", EQUAL, [[2, 1], [1, 3]]),
        (lambda x: np.linalg.norm(x), [0, 0, 0], "", ROOT, [0, 0, 1]),
        (lambda x: np.std(x), [2, 2, 2], "", ROOT, [2, 2, 1]),
        (lambda x: np.sum(np.sqrt(x) * 3), [0, 1, 2], "at x[1]", ROOT, [1, 1, 2]),
    ],
)
def test_the_entries_on_a_kink_are_named(
    function: Callable[..., Any], on: list[Any], places: str, text: str, off: list[Any]
) -> None:
    (note,) = told(function, on)
    assert note.endswith(f"{places}: {text}")
    assert told(function, off) == []


def test_a_choice_is_stated_wherever_the_data_lie() -> None:
    def said(function: Callable[..., Any]) -> str:
        return " ".join(bp.render(bp.derive(function, x=np.array([0.5, 2.0, -3.0])), "text").split())

    assert "Where a condition changes, the derivative is that" in said(lambda x: np.sum(np.clip(x, 0, 1) ** 2))
    assert "Equal entries are sorted as they stand" in said(lambda x: np.sum(np.sort(x) * WEIGHTS))
    assert "The derivative of a root of 0 is infinite" in said(np.linalg.norm)
    normalised = lambda x: np.sum(np.sqrt(np.var(x) + 1e-5) * x)  # noqa: E731
    assert "root of 0" not in said(normalised)


def test_of_many_entries_the_first_are_named() -> None:
    (note,) = told(lambda x: np.sum(np.maximum(x, 0) * x), [0.0] * 9)
    assert "at x[1], x[2], x[3] and 6 more" in note
