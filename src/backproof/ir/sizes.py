"""Named sizes and shapes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

from backproof.ir.errors import ShapeError


@dataclass(frozen=True, slots=True)
class Size:
    """The length of an axis: its name (``n_1``, ``m``), its value where it is known, and whether it counts samples.

    `axis` tells sizes apart that have no name yet but their value: each is that of one axis.
    """

    name: str
    value: int | None = None
    samples: bool = False
    axis: int | None = None

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
    if _EQUATED:
        _EQUATED[-1].append((a, b))
    return b if _known(b) > _known(a) else a


def _known(size: Size) -> int:
    """How much is known of a size: 2 where it has a name, 1 where it is that of one axis, 0 for a mere number."""
    return 1 if size.axis is not None else 0 if size.name.isdigit() else 2


_EQUATED: list[list[tuple[Size, Size]]] = []


@contextmanager
def equated() -> Iterator[list[tuple[Size, Size]]]:
    """The pairs of different sizes that operations ask to be equal while this holds."""
    pairs: list[tuple[Size, Size]] = []
    _EQUATED.append(pairs)
    try:
        yield pairs
    finally:
        _EQUATED.pop()


@lru_cache(maxsize=4096)
def of_length(value: int) -> Size:
    """The size of an axis of which only the length is known."""
    return ONE if value == 1 else Size(str(value), value)


def broadcast(shapes: Iterable[Shape]) -> Shape:
    """The common shape by NumPy's rule: aligned at the right, an axis of length one stretches.

    Raises ShapeError where two sizes differ and neither is one.
    """
    shapes = list(shapes)
    if shapes and shapes.count(shapes[0]) == len(shapes):
        return shapes[0]
    longest: Shape = ()
    for shape in shapes:
        if len(shape) > len(longest):
            longest = shape
    if not [shape for shape in shapes if shape and shape is not longest and shape != longest]:
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


@dataclass(frozen=True, slots=True)
class Affine:
    """A position computed from others: ``2y + p − 2``, each a letter or a size's name with the factor before it."""

    terms: tuple[tuple[int, Index | str], ...]
    offset: int

    def __str__(self) -> str:
        text = "+".join(f"{factor if factor != 1 else ''}{position}" for factor, position in self.terms)
        return f"{text}{self.offset:+d}" if self.offset else text


Place = Index | Affine | int | str | None
"""A position on an axis: a letter, one computed from others, a number from 1, a size's name for its last.

None where the length is one.
"""


def affine(terms: Iterable[tuple[int, Place]], offset: int) -> Place:
    """The position Σ factor·position + offset, as simple as it can be written; a position of None is 1."""
    found: dict[Index | str, int] = {}
    for factor, position in terms:
        match position:
            case Affine(inner, rest):
                offset += factor * rest
            case Index() | str():
                inner = ((1, position),)
            case _:
                inner = ()
                offset += factor * (1 if position is None else position)
        for times, single in inner:
            found[single] = found.get(single, 0) + factor * times
    kept = tuple((factor, position) for position, factor in found.items() if factor)
    if not kept:
        return offset
    return kept[0][1] if len(kept) == 1 and kept[0][0] == 1 and not offset else Affine(kept, offset)


def put(place: Place, index: Index, position: Place) -> Place:
    """A position with another one put in for a letter."""
    if isinstance(place, Affine):
        return affine(
            ((factor, position if single == index else single) for factor, single in place.terms), place.offset
        )
    return position if place == index else place


def letters_of(place: Place) -> tuple[Index, ...]:
    """The letters that a position is written with."""
    if isinstance(place, Affine):
        return tuple(single for _, single in place.terms if isinstance(single, Index))
    return (place,) if isinstance(place, Index) else ()
