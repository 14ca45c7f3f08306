"""How products are cut into blocks."""

from __future__ import annotations

import pytest

pytest.importorskip("llvmlite")
from backproof.emit.native.products import groups


@pytest.mark.parametrize("even", [True, False])
@pytest.mark.parametrize("most", [1, 2, 3, 4, 6, 12])
@pytest.mark.parametrize("count", [1, 2, 5, 7, 8, 13, 32, 100, 128])
def test_groups_cover_everything_once(count: int, most: int, even: bool) -> None:
    covered = [k for first, number, of in groups(count, most, even=even) for k in range(first, first + number * of)]
    assert covered == list(range(count))
    assert all(of <= most for _, _, of in groups(count, most, even=even))


def test_the_last_groups_are_nearly_as_large() -> None:
    assert groups(32, 6) == [(0, 4, 6), (24, 2, 4)]
    assert groups(32, 6, even=True) == [(0, 5, 6), (30, 1, 2)]
    assert groups(13, 6) == [(0, 1, 6), (6, 1, 4), (10, 1, 3)]
