"""Operations that nobody derives: what NumPy makes of a slip."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from backproof.ir.sizes import Shape
from backproof.ops.entries import own_entry
from backproof.ops.notation import Apply
from backproof.ops.row import Array, Row


def plain_row(
    name: str,
    meaning: Callable[..., Array],
    shape: Callable[[Sequence[Shape], Mapping[str, Any]], Shape] = lambda shapes, attrs: shapes[0],
) -> Row:
    """An operation without a derivative, by its NumPy meaning."""
    return Row(
        name=name,
        kind="zero",
        about=f"{name}.".capitalize(),
        meaning=meaning,
        shape=shape,
        notation=Apply(name),
        entry=own_entry,
    )
