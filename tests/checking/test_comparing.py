"""When two values are the same."""

from __future__ import annotations

import numpy as np
import pytest

from backproof.checking.comparing import same


@pytest.fixture
def million() -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.random.default_rng(0).normal(size=(1000, 1000))


@pytest.mark.parametrize("place", [(0, 0), (999, 999), (500, 1), (123, 456)])
def test_one_entry_in_a_million(million, place) -> None:  # type: ignore[no-untyped-def]
    assert same(million.copy(), million)
    wrong = million.copy()
    wrong[place] += 1e-3
    assert not same(wrong, million)
    assert not same(wrong[:, None], million)
    wrong[place] = np.nan
    assert not same(wrong, million)


def test_layouts(million) -> None:  # type: ignore[no-untyped-def]
    part = million[:4, :6]
    assert same(part.T, part)
    assert same(part[:, None], part)
    assert not same(part[:4, :4].T, part[:4, :4])
    assert same(np.float64(3.0) * np.ones(()), np.full((1, 1), 3.0))
    assert same(part.astype(np.float32), part)
    assert not same((part + 1e-5).astype(float), part)
    assert same(part.astype(np.float16), part)
    assert not same((part * 1.05).astype(np.float16), part)
