"""Expressions of matrices as sums of products: a number, scalars and a row of factors in each term.

A vector is a column, and a row where it is transposed; ``A·x`` and ``x·yᵀ`` are products like those of matrices. A
factor is an array or a sum in brackets, as it is, transposed, inverted or both. All that linear algebra cannot look
into is an array of its own, with closed forms inside.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from backproof.ir.node import Node
from backproof.ir.sizes import Shape, Size
from backproof.ops.linalg import diag


@dataclass(frozen=True, eq=False)
class Sum:
    """Terms that are added up; two are equal if they have the same terms, in whatever order."""

    terms: tuple[Term, ...]
    shape: Shape

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sum) and frozenset(self.terms) == frozenset(other.terms)

    def __hash__(self) -> int:
        return hash(frozenset(self.terms))


Inverse = Literal["", "inv", "solve"]
"""Whether a factor is inverted: because code asks for the inverse, or to solve equations with what stands behind it."""


@dataclass(frozen=True)
class Factor:
    """One factor of a product: an array or a sum, transposed or not, inverted or not."""

    base: Node | Sum
    turned: bool = False
    inverse: Inverse = ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Factor) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> Hashable:
        return self.base, self.turned, bool(self.inverse)

    @property
    def ends(self) -> Ends:
        """The lengths of its two sides."""
        shape = self.base.shape
        rows, columns = (shape[0], None) if len(shape) == 1 else shape[-2:]
        return (columns, rows) if self.turned else (rows, columns)

    @property
    def is_symmetric(self) -> bool:
        """Whether transposing it changes nothing, as far as its form tells."""
        if isinstance(self.base, Node):
            return self.base.op is diag
        return len(self.base.shape) > 1 and self.base == turned(self.base)


Ends = tuple[Size | None, Size | None]
"""The lengths of the two sides of a product; None at the side where a vector ends it."""
Word = tuple[Factor, ...]
Scalars = tuple[tuple[Node, Fraction], ...]
"""Numbers that are computed, each with its exponent."""


@dataclass(frozen=True)
class Term:
    """A number times scalars times a product of factors; with no factors at all, times the identity matrix."""

    number: Fraction
    scalars: Scalars = ()
    word: Word = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Term) and self.number == other.number and self.arrays == other.arrays

    def __hash__(self) -> int:
        return hash((self.number, self.arrays))

    @property
    def arrays(self) -> Hashable:
        """All but the number: terms that agree in it can be added up."""
        return frozenset(self.scalars), self.word

    @property
    def is_plain(self) -> bool:
        """Whether nothing stands before the product."""
        return self.number == 1 and not self.scalars

    def times(self, other: Term) -> Term:
        """The term multiplied by a number and scalars; the product stays as it is."""
        return Term(self.number * other.number, _multiplied(self.scalars, other.scalars), self.word)

    def raised(self, exponent: int) -> Term:
        """A power of its number and scalars."""
        scalars = tuple((node, exponent * e) for node, e in self.scalars)
        return Term(self.number**exponent, scalars)


def _multiplied(a: Scalars, b: Scalars) -> Scalars:
    exponents = dict(a)
    for node, exponent in b:
        exponents[node] = exponents.get(node, Fraction(0)) + exponent
    return tuple((node, exponent) for node, exponent in exponents.items() if exponent)


def ends(word: Word) -> Ends:
    """The lengths of the two sides of a product."""
    return word[0].ends[0], word[-1].ends[1]


def turned_word(word: Word) -> Word:
    """A product, transposed: the transposed factors in the other order."""
    return tuple(replace(factor, turned=not factor.turned) for factor in reversed(word))


def turned(of: Sum) -> Sum:
    """A sum of matrices, transposed."""
    shape = (*of.shape[:-2], *of.shape[:-3:-1])
    return Sum(tuple(replace(term, word=turned_word(term.word)) for term in of.terms), shape)


def inverted(word: Word) -> Word:
    """The inverse of a product; no factors at all are the identity, which is its own inverse."""
    if not word:
        return ()
    if len(word) == 1:
        return (replace(word[0], inverse="" if word[0].inverse else "inv"),)
    rows, columns = ends(word)
    assert rows is not None
    assert columns is not None
    return (Factor(Sum((Term(Fraction(1), (), word),), (rows, columns)), inverse="inv"),)


def mapped(of: Sum, change: Callable[[Sum], Sum]) -> Sum:
    """A sum with a change made to every sum inside it, and then to itself."""

    def inside(factor: Factor) -> Factor:
        return replace(factor, base=mapped(factor.base, change)) if isinstance(factor.base, Sum) else factor

    return change(replace(of, terms=tuple(replace(t, word=tuple(map(inside, t.word))) for t in of.terms)))
