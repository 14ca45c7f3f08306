"""Closed formulas of matrices: products turned, inverses cancelled, equal terms added up, common factors taken out.

An equation is read as a sum of products (`terms`), and each rewrite is a change of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from backproof.derivation.forms import is_plain
from backproof.derivation.once import Once
from backproof.derivation.reading import Reader
from backproof.derivation.steps import Rewrite
from backproof.derivation.terms import Factor, Sum, Term, Word, ends, inverted, mapped, turned_word
from backproof.ir.node import Node, right_side
from backproof.ops.elementary import absolute, sign
from backproof.ops.linalg import diag, inv, scaled_identity, solve, solvevec
from backproof.ops.linear import matmul, restated, transpose
from backproof.ops.vectors import einsum, matvec, outer

MOST = 100
"""An equation that is longer than this is no closed formula."""


def in_closed_form(raw: Node, once: Once) -> list[Rewrite]:
    """The rewrites that lead to the closed formula of an equation's right side; none where it is no shorter."""
    if raw.op in PRODUCTS and all(map(_is_plain_factor, raw.inputs)):
        return []
    inside = right_side(raw)
    if len(inside) > MOST or length(raw) > MOST or not any(map(_is_algebra, inside)):
        return []
    return once(_closed_form, raw)


def _closed_form(raw: Node) -> list[Rewrite]:
    reader = Reader()
    current = reader.read(raw, root=True)
    node = reader.write(current)
    found: list[Rewrite] = []
    if node is not reader.shared(raw) and (
        reader.turned or reader.gathered or reader.matched or length(node) < length(raw)
    ):
        found.append(Rewrite(restated(node), _read(reader)))
    for change, meaning in _rewrites(reader):
        new = mapped(current, change)
        if new.terms == current.terms:
            continue
        before, node = node, reader.write(new)
        if node is not before:
            named = _symmetric(reader, current) if change is without_needless_turns else ()
            found.append(Rewrite(restated(node), meaning, named))
        current = new
    return found if found and length(found[-1].result) <= length(raw) else []


PRODUCTS = (matmul, matvec, outer)


def _is_plain_factor(node: Node) -> bool:
    """Whether a factor is a quantity, as it is or transposed: a product of two of them is as short as it can be."""
    inside = node.inputs[0] if node.op is transpose and node.symbol is None else node
    return inside.symbol is not None and inside.op is not scaled_identity


ALGEBRA = (*PRODUCTS, transpose, einsum, diag, inv, solve, solvevec, scaled_identity)


def _is_algebra(node: Node) -> bool:
    """Whether there is something to gather or turn: a product of matrices, or a scalar that is computed."""
    return node.op in ALGEBRA or (not node.shape and bool(node.inputs) and not is_plain(node))


def _read(reader: Reader) -> str:
    sentences = []
    if reader.matched:
        sentences.append("A sum over the letter that two neighbours share is their matrix product.")
    if reader.turned:
        sentences.append("A transposed product is the product of the transposed factors in the other order.")
    if reader.gathered or not sentences:
        sentences.append("Numbers are drawn to the front and multiplied together.")
    return " ".join(sentences)


def _rewrites(reader: Reader) -> Sequence[tuple[Callable[[Sum], Sum], str]]:
    return (
        (
            lambda of: without_inverses(of, reader),
            "A matrix times its inverse is the identity, which changes no matrix.",
        ),
        (without_needless_turns, "{0} is symmetric: transposed it is the same."),
        (added_up, "Equal terms are added up."),
        (factored, "What the terms have in common is taken out of the sum."),
    )


def length(root: Node) -> int:
    """How long a right side is when it is written: every operation counts where it stands, but for transposes.

    A number counts as one, however it is written.
    """
    found: dict[Node, int] = {}
    for node in right_side(root):
        is_whole = (node.symbol is not None and node is not root) or (not node.shape and is_plain(node))
        inside = 0 if is_whole else sum(found[x] for x in node.inputs)
        found[node] = inside + (node.op is not transpose or node.symbol is not None)
    return found[root]


# --- inverses


def without_inverses(of: Sum, reader: Reader) -> Sum:
    """A matrix next to its inverse leaves the product; a number's sign times the number is its absolute value."""
    if len(of.shape) > 2:
        return of
    return replace(of, terms=tuple(replace(_signed(term, reader), word=_cancelled(term.word)) for term in of.terms))


def _cancelled(word: Word) -> Word:
    done: Word = ()
    for factor in word:
        done = (*done, factor)
        while len(done) > 1 and (pair := _pair(*done[-2:])) is not None:
            done = (*done[:-2], *pair)
    return done if done == word else _cancelled(done)


def _pair(left: Factor, right: Factor) -> Word | None:
    """Two neighbours without what cancels between them; None if nothing does."""
    if bool(left.inverse) == bool(right.inverse):
        return None
    if left.inverse:
        inside = _inside(left)
        if inside[0] == right and _is_square(right):
            return inverted(inside[1:])
        return None
    inside = _inside(right)
    if inside[-1] == left and _is_square(left):
        return inverted(inside[:-1])
    return None


def _inside(factor: Factor) -> Word:
    """The product that a factor is the inverse of."""
    base = factor.base
    if isinstance(base, Sum) and len(base.terms) == 1:
        word = base.terms[0].word
        return turned_word(word) if factor.turned else word
    return (replace(factor, inverse=""),)


def _is_square(factor: Factor) -> bool:
    rows, columns = factor.ends
    return rows is not None and rows == columns


def _signed(term: Term, reader: Reader) -> Term:
    exponents = dict(term.scalars)
    for node in exponents:
        if node.op is sign and node.symbol is None and exponents[node] == 1 and exponents.get(node.inputs[0]) == 1:
            one = Fraction(-1)
            (x,) = node.inputs
            change = ((node, one), (x, one), (reader.same(absolute(x)), Fraction(1)))
            return term.times(Term(Fraction(1), change))
    return term


# --- transposes


def without_needless_turns(of: Sum) -> Sum:
    """A symmetric matrix is its own transpose."""
    return replace(of, terms=tuple(replace(t, word=tuple(map(_plain, t.word))) for t in of.terms))


def _plain(factor: Factor) -> Factor:
    return replace(factor, turned=False) if factor.turned and factor.is_symmetric else factor


def _symmetric(reader: Reader, of: Sum) -> tuple[Node, ...]:
    """The first symmetric matrix that stands transposed in a sum."""
    for factor in _factors(of):
        if factor.turned and factor.is_symmetric:
            base = factor.base
            return (reader.write(base) if isinstance(base, Sum) else base,)
    return ()


def _factors(of: Sum) -> Iterator[Factor]:
    for term in of.terms:
        for factor in term.word:
            if isinstance(factor.base, Sum):
                yield from _factors(factor.base)
            yield factor


# --- sums


def added_up(of: Sum) -> Sum:
    """Equal terms as one, with the number of them in front."""
    found: dict[object, Term] = {}
    for term in of.terms:
        known = found.get(term.arrays)
        found[term.arrays] = term if known is None else replace(known, number=known.number + term.number)
    return replace(of, terms=tuple(term for term in found.values() if term.number))


def factored(of: Sum) -> Sum:
    """What terms have in common stands once, before or behind the others in brackets."""
    if len(of.shape) > 2 or len(of.terms) < 2:
        return of
    while (found := _common(of.terms)) is not None:
        of = replace(of, terms=found)
    return _out_of_all(of)


def _common(terms: tuple[Term, ...]) -> tuple[Term, ...] | None:
    """The terms with those put together that share a factor: all of them, or two that differ by a transpose."""
    for i, first in enumerate(terms):
        for second in terms[i + 1 :]:
            front, back = _shared(first.word, second.word)
            if not front + back:
                continue
            group = [term for term in terms if _is_like(term, first, front, back)]
            middles = [Term(t.number / first.number, (), t.word[front : len(t.word) - back]) for t in group]
            if second not in group or (len(group) < len(terms) and not _are_turned(middles)):
                continue
            word = (*first.word[:front], *_bracket(middles), *first.word[len(first.word) - back :])
            together = replace(first, word=word)
            return tuple(together if term is first else term for term in terms if term is first or term not in group)
    return None


def _is_like(term: Term, first: Term, front: int, back: int) -> bool:
    """Whether a term begins and ends like another, and has the same before it up to the sign."""
    return (
        abs(term.number) == abs(first.number)
        and set(term.scalars) == set(first.scalars)
        and len(term.word) > front + back
        and term.word[:front] == first.word[:front]
        and term.word[len(term.word) - back :] == first.word[len(first.word) - back :]
    )


def _are_turned(terms: Sequence[Term]) -> bool:
    return len(terms) == 2 and terms[0].word == turned_word(terms[1].word)


def _shared(a: Word, b: Word) -> tuple[int, int]:
    """How many factors two products share at the front and at the back, with one left between them."""
    least = min(len(a), len(b))
    front = _equal(a, b)
    if front >= least:
        front = least - 1
    return front, min(_equal(a[::-1], b[::-1]), least - front - 1)


def _equal(a: Word, b: Word) -> int:
    """How many factors two products begin with alike."""
    return next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _bracket(terms: Sequence[Term]) -> Word:
    """Products as one factor, their sum; of rows, the transposed sum of columns."""
    rows, columns = ends(terms[0].word)
    if rows is None:
        return turned_word(_bracket([replace(term, word=turned_word(term.word)) for term in terms]))
    shape = (rows,) if columns is None else (rows, columns)
    of = Sum(tuple(sorted(terms, key=_begins_turned)), shape)
    return (Factor(factored(of)),)


def _out_of_all(of: Sum) -> Sum:
    """A number and scalars that all terms have, before or below them all."""
    if len(of.terms) < 2 or not of.shape:
        return of
    numbers = {abs(term.number) for term in of.terms}
    number = numbers.pop() if len(numbers) == 1 else Fraction(1)
    scalars = [dict(term.scalars) for term in of.terms]
    common = tuple(s for s in scalars[0].items() if all(other.get(s[0]) == s[1] for other in scalars))
    front = Term(number, common)
    if front.is_plain:
        return of
    if all(term.number < 0 for term in of.terms):
        front = Term(-number, common)
    rest = sorted((term.times(front.raised(-1)) for term in of.terms), key=_begins_turned)
    return Sum((replace(front, word=(Factor(replace(of, terms=tuple(rest))),)),), of.shape)


def _begins_turned(term: Term) -> bool:
    return bool(term.word) and term.word[0].turned
