"""Named sizes and shapes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from backproof.ir.errors import ShapeError


@dataclass(frozen=True, slots=True)
class Size:
    """The length of an axis: its name (``n_1``, ``m``), its value where it is known, and whether it counts samples."""

    name: str
    value: int | None = None
    samples: bool = False

    def __str__(self) -> str:
        return self.name


ONE = Size("1", 1)
"""The length of an axis that broadcasts."""

Shape = tuple[Size, ...]


def show(shape: Shape) -> str:
    """``n_1 × m``, or ``scalar``."""
    return " × ".join(size.name for size in shape) if shape else "scalar"


def agreed(a: Size, b: Size) -> Size | None:
    """The size of two axes that must be equally long, or None. Of two of the same value, the one with a name."""
    if a == b:
        return a
    if a.value is None or a.value != b.value:
        return None
    return b if a.name.isdigit() else a


@lru_cache(maxsize=4096)
def of_length(value: int) -> Size:
    """The size of an axis of which only the length is known."""
    return ONE if value == 1 else Size(str(value), value)


def broadcast(shapes: Iterable[Shape]) -> Shape:
    """The common shape by NumPy's rule: aligned at the right, an axis of length one stretches.

    Raises ShapeError where two sizes differ and neither is one.
    """
    shapes = list(shapes)
    longest = max(shapes, key=len, default=())
    if not [shape for shape in shapes if shape and shape != longest]:
        return longest
    rank = len(longest)
    result = [ONE] * rank
    for shape in shapes:
        for axis, size in enumerate(shape, start=rank - len(shape)):
            if result[axis] == ONE:
                result[axis] = size
            elif size != ONE:
                both = agreed(result[axis], size)
                if both is not None:
                    result[axis] = both
                    continue
                raise ShapeError(
                    f"sizes {result[axis]} and {size} do not fit together",
                    where=" with ".join(f"({show(shape)})" for shape in shapes),
                    why="an element-wise operation needs equal sizes, or a size of one that stretches",
                )
    return tuple(result)


@dataclass(frozen=True, slots=True)
class Index:
    """A letter that runs over an axis: ``j = 1 … n_1``."""

    letter: str
    size: Size

    def __str__(self) -> str:
        return self.letter


Place = Index | int | str | None
"""A position on an axis: a letter, a number from 1, a size's name for its last, None where the length is one."""
