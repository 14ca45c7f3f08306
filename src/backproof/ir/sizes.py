"""Named sizes and shapes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from math import gcd, lcm

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


class Computed:
    """A number that a position is computed from, and that is computed from letters itself."""

    @property
    def letters(self) -> tuple[Index, ...]:
        """The letters that it is written with."""
        raise NotImplementedError

    def put(self, index: Index, position: Place) -> Place:
        """The number with a position put in for a letter."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Digit(Computed):
    """⌊(position − 1)/step⌋, of which the rest modulo `length` is taken unless that is None: a digit, from 0 on."""

    position: Place
    step: int
    length: int | None

    @property
    def letters(self) -> tuple[Index, ...]:
        """Those of the position."""
        return letters_of(self.position)

    def put(self, index: Index, position: Place) -> Place:
        """The digit of the position with another one put in."""
        return digit(put(self.position, index, position), self.step, self.length)

    def __str__(self) -> str:
        return f"({self.position}-1)//{self.step}%{self.length}"


def digit(position: Place, step: int, length: int | None) -> Place:
    """The `Digit` of a position, a number where that is one."""
    if position is None or isinstance(position, int):
        found = (0 if position is None else position - 1) // step
        return found if length is None else found % length
    if isinstance(inner := affine([(1, position)], -1), Digit):
        # A digit of a digit is one digit where the one's length is divided evenly.
        whole = inner.length
        if whole is None or (length is None and whole % step == 0) or (length and whole % (step * length) == 0):
            rest = length if whole is None or length else whole // step
            return digit(inner.position, inner.step * step, rest)
    return affine([(1, position)], -1) if step == 1 and length is None else Digit(position, step, length)


@dataclass(frozen=True, slots=True)
class Affine:
    """A position computed from others: ``2y + p − 2``, each with the factor before it.

    With a `divisor` the whole is divided by it, ``(y − p)/2 + 1``: that is no position where a remainder is left.
    """

    terms: tuple[tuple[int, Index | str | Computed], ...]
    offset: int
    divisor: int = 1

    def __str__(self) -> str:
        text = "+".join(f"{factor if factor != 1 else ''}{position}" for factor, position in self.terms)
        whole, rest = self.offsets
        if self.divisor != 1:
            text = f"({text}{rest:+d})/{self.divisor}" if rest else f"({text})/{self.divisor}"
        return f"{text}{whole:+d}" if whole else text

    @property
    def offsets(self) -> tuple[int, int]:
        """The offset as it is written: what stands behind the fraction, and what is divided with the letters."""
        return divmod(self.offset, self.divisor) if abs(self.offset) >= self.divisor else (0, self.offset)


Place = Index | Affine | Computed | int | str | None
"""A position on an axis: a letter, one computed from others, a number from 1, a size's name for its last.

None where the length is one.
"""


def affine(terms: Iterable[tuple[int, Place]], offset: int, divisor: int = 1) -> Place:
    """The position (Σ factor·position + offset)/divisor, as simple as it can be written; a position of None is 1."""
    terms = list(terms)
    # All is brought to one denominator first.
    common = lcm(1, *(position.divisor for _, position in terms if isinstance(position, Affine)))
    found: dict[Index | str | Computed, int] = {}
    offset *= common
    divisor *= common
    for factor, position in terms:
        scale = factor * common
        match position:
            case Affine(inner, rest, lower):
                scale //= lower
                offset += scale * rest
            case Index() | str() | Computed():
                inner = ((1, position),)
            case _:
                inner = ()
                offset += scale * (1 if position is None else position)
        for times, single in inner:
            found[single] = found.get(single, 0) + scale * times
    for high, low in _divided(found):
        # 6⌊a/6⌋ + a mod 6 is a.
        factor, length = found.pop(low), high.length and high.length * (low.length or 1)
        del found[high]
        kept = [(f, p) for p, f in found.items()]
        return affine([*kept, (factor, digit(low.position, low.step, length))], offset, divisor)
    kept = [(factor, position) for position, factor in found.items() if factor]
    shared = gcd(divisor, offset, *(factor for factor, _ in kept))
    kept, offset, divisor = [(factor // shared, x) for factor, x in kept], offset // shared, divisor // shared
    if not kept and divisor == 1:
        return offset
    if len(kept) == 1 and kept[0][0] == 1 and not offset and divisor == 1:
        return kept[0][1]
    return Affine(tuple(kept), offset, divisor)


def solution(place: Place, index: Index, value: Place) -> Place | None:
    """The position that `index` must be at for `place` to be `value`; None where no formula says it."""
    if place == index:
        return value
    if not isinstance(place, Affine):
        return None
    factor = sum(times for times, single in place.terms if single == index)
    others = [(-times, single) for times, single in place.terms if single != index]
    if not factor or any(index in letters_of(single) for _, single in others):
        return None
    sign = 1 if factor > 0 else -1
    terms = [(sign * place.divisor, value), *((sign * times, single) for times, single in others)]
    return affine(terms, -sign * place.offset, abs(factor))


def _divided(found: dict[Index | str | Computed, int]) -> Iterator[tuple[Digit, Digit]]:
    """Two digits of the same position that make one together, with their factors."""
    digits = [position for position in found if isinstance(position, Digit)]
    for low in digits:
        for high in digits:
            n = low.length
            if n and (high.position, high.step, found[high]) == (low.position, low.step * n, found[low] * n):
                yield high, low


def put(place: Place, index: Index, position: Place) -> Place:
    """A position with another one put in for a letter."""
    if isinstance(place, Affine):
        terms = ((factor, put(single, index, position)) for factor, single in place.terms)
        return affine(terms, place.offset, place.divisor)
    if isinstance(place, Computed):
        return place.put(index, position)
    return position if place == index else place


def letters_of(place: Place) -> tuple[Index, ...]:
    """The letters that a position is written with."""
    if isinstance(place, Affine):
        return tuple(letter for _, single in place.terms for letter in letters_of(single))
    if isinstance(place, Computed):
        return place.letters
    return (place,) if isinstance(place, Index) else ()
