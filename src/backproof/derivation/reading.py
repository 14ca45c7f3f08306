"""An equation's right side as terms of linear algebra."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import reduce

from backproof.derivation.forms import Forms
from backproof.derivation.terms import Factor, Inverse, Sum, Term, Word, inverted, turned, turned_word
from backproof.ir.node import Node
from backproof.ir.sizes import ONE, Shape
from backproof.ops.arithmetic import add, div, mul, neg, power, sub
from backproof.ops.elementary import sqrt
from backproof.ops.entries import row_of
from backproof.ops.leaves import constant_, is_number
from backproof.ops.linalg import diag, diagonal, inv, scaled_identity, solve, solvevec, trace
from backproof.ops.linear import expand, matmul, stretch, stretched, sum_, total, transpose
from backproof.ops.numbers import exact, is_decimal
from backproof.ops.shaping import unindex
from backproof.ops.vectors import einsum, matvec, outer

UNIT = Term(Fraction(1))
MINUS = Term(Fraction(-1))
HALF = Fraction(1, 2)
LINEAR = (sum_, trace, diag, diagonal, expand, stretch, einsum)
"""What a scalar may be drawn out of, besides products of matrices; of other linear operations only real numbers may."""


class Reader(Forms):
    """Reads right sides as terms, and remembers what was not in its closed form."""

    def __init__(self) -> None:
        super().__init__()
        self.turned = False
        """Whether a product or something transposed was met transposed."""
        self.matched = False
        """Whether an einsum was met that is a product of matrices."""

    def read(self, node: Node, *, root: bool = False) -> Sum:
        """The terms of a node; one that has a symbol is looked into only at the root."""
        if node.symbol is not None and not root:
            is_identity = node.op is scaled_identity and is_number(node.inputs[0], 1)
            return Sum((UNIT,), node.shape) if is_identity else _alone(node)
        if node.op in (add, sub) and all(x.shape in ((), node.shape) for x in node.inputs):
            first, second = (self._to_shape(self.read(x), node.shape) for x in node.inputs)
            if node.op is sub:
                second = self._times(second, MINUS)
            return Sum((*_opened(first), *_opened(second)), node.shape)
        if node.op is neg:
            return self._times(self.read(node.inputs[0]), MINUS)
        if node.op is mul:
            return self._product(node)
        if node.op is div:
            return self._quotient(node)
        return self._algebra(node) or self._linear(node) or _alone(self._rebuilt(node))

    def _algebra(self, node: Node) -> Sum | None:
        """The terms of an operation of linear algebra."""
        if node.op in (matmul, matvec):
            a, b = map(self.term, node.inputs)
            return self._joined(a, b, node.shape)
        if node.op is outer:
            a, b = map(self.term, node.inputs)
            return self._joined(a, replace(b, word=turned_word(b.word)), node.shape)
        if node.op is transpose:
            inside = self.read(node.inputs[0])
            self.turned |= any(len(t.word) > 1 or any(f.turned for f in t.word) for t in inside.terms)
            if len(inside.terms) > 1:
                inside = Sum((self._single(inside),), inside.shape)
            return turned(inside)
        if node.op is einsum and (word := self._matrix_product(node)) is not None:
            self.matched = True
            return self._joined(UNIT, word, node.shape)
        if node.op is inv and len(node.shape) == 2:
            return Sum((self._inverse(node.inputs[0], "inv"),), node.shape)
        if node.op in (solve, solvevec) and len(node.shape) <= 2:
            matrix, right = node.inputs
            return self._joined(self._inverse(matrix, "solve"), self.term(right), node.shape)
        if node.op is stretch and node.shape == node.inputs[0].shape:
            return self.read(node.inputs[0])
        if node.inputs and not node.inputs[0].shape:
            return self._of_scalar(node, node.inputs[0])
        return self._number(node) if node.op is constant_ else None

    def _matrix_product(self, node: Node) -> Term | None:
        """An einsum whose letters lead from array to array, from the first of the result to its last, as a product."""
        result = node.attrs["result"]
        left = list(zip(node.attrs["axes"], node.inputs, strict=True))
        letters = [*(names for names, _ in left), result]
        if not all(len(set(names)) == len(names) in (1, 2) for names in letters):
            return None
        ones = {(name, size == ONE) for names, x in left for name, size in zip(names, x.shape, strict=True)}
        if len(ones) > len({name for name, _ in ones}):
            return None  # an axis of length one is stretched to another's, which no product of matrices does
        walks = [self._walk(letter, left) for letter in result]
        if left or None in walks:
            return None
        (word, end), *others = filter(None, walks)
        if not others:
            return word if not end else None
        ((row, start),) = others
        if not end and not start:
            return replace(word.times(row), word=(*word.word, *turned_word(row.word)))
        return word if end == result[1] and not row.word else None

    def _walk(self, letter: str, left: list[tuple[str, Node]]) -> tuple[Term, str] | None:
        """The product that begins at a letter, and the letter that it ends at, none after a vector; uses up `left`."""
        found = UNIT
        while here := [pair for pair in left if letter and letter in pair[0]]:
            if len(here) > 1:
                return None
            ((names, x),) = here
            left.remove(here[0])
            term = self.term(x)
            word = term.word if names[0] == letter else turned_word(term.word)
            found = replace(found.times(term), word=(*found.word, *word))
            letter = names.replace(letter, "")
        return found, letter

    def _of_scalar(self, node: Node, x: Node) -> Sum | None:
        if node.op is scaled_identity or (node.op is unindex and len(node.inputs) == 1 and node.shape == (ONE, ONE)):
            return Sum((self.term(x),), node.shape)
        if node.op is stretch:
            return self._to_shape(self.read(x), node.shape)
        if node.op is power and isinstance(node.attrs["exponent"], int):
            return Sum((self.term(x).raised(node.attrs["exponent"]),), ())
        if node.op is sqrt:
            return Sum((Term(Fraction(1), ((self._shortened(x), HALF),)),), ())
        return None

    def _number(self, node: Node) -> Sum:
        value = node.attrs["value"]
        number = None if node.attrs.get("text") or isinstance(value, complex) else exact(value)
        if not number:
            return _alone(self.same(node))
        self.decimal |= number.denominator > 1 and is_decimal(number)
        return Sum((Term(number),), ())

    def _linear(self, node: Node) -> Sum | None:
        """An operation that a number may be drawn out of: linear in its only input, or in each one by itself."""
        kind = row_of(node).kind
        if not (node.op is einsum or (kind in ("linear", "rearranging") and len(node.inputs) == 1)):
            return None
        if node.op is sum_ and not node.shape and len(node.inputs[0].shape) == 1 and node.inputs[0].op is mul:
            (body,) = node.inputs
            left, right = map(self.term, body.inputs)
            if body.symbol is None and all(x.shape == body.shape for x in body.inputs):
                return Sum((self._dot(left.word, right.word).times(left).times(right),), ())
        terms = [self.term(x) for x in node.inputs]
        if node.op not in LINEAR and any(term.scalars for term in terms):
            return None
        inputs = tuple(self.written(t, x.shape) for t, x in zip(terms, node.inputs, strict=True))
        front = reduce(Term.times, terms, UNIT)
        self.gathered |= not front.is_plain
        return self._times(_alone(self.same(node.on(inputs))), front)

    def _product(self, node: Node) -> Sum:
        a, b = node.inputs
        for scalar, array in ((a, b), (b, a)):
            if not scalar.shape:
                return self._times(self.read(array), self.term(scalar))
        left, right = self.term(a), self.term(b)
        self.gathered |= not (left.is_plain and right.is_plain)
        factors = [
            self.written(term, x.shape)
            for term, x in ((left, a), (right, b))
            if not (self.is_ones(term.word) and x.shape == node.shape)
        ]
        found = self.same(mul(*factors)) if len(factors) == 2 else factors[0] if factors else self.ones(node.shape)
        if found.shape != node.shape:
            found = self.same(stretched(found, node.shape))  # ones, left out, had stretched it
        return self._times(_alone(found), left.times(right))

    def _quotient(self, node: Node) -> Sum:
        a, b = node.inputs
        upper, lower = self.term(a), self.term(b)
        if not b.shape:
            return self._times(self.read(a), lower.raised(-1))
        found = self.same(div(self.written(upper, a.shape), self.written(lower, b.shape)))
        return self._times(_alone(found), upper.times(lower.raised(-1)))

    def term(self, node: Node) -> Term:
        """A node as one term: a sum is a factor in brackets."""
        return self._single(self.read(node))

    def _single(self, of: Sum) -> Term:
        if len(of.terms) == 1:
            return of.terms[0]
        if not of.shape:
            return _alone(self.write(of)).terms[0]
        numbers = {term.number for term in of.terms}
        if len(numbers) == 1 and numbers != {1}:
            self.gathered = True
            (number,) = numbers
            of = Sum(tuple(replace(term, number=Fraction(1)) for term in of.terms), of.shape)
            return Term(number, (), (Factor(of),))
        return Term(Fraction(1), (), (Factor(of),))

    def _inverse(self, node: Node, how: Inverse) -> Term:
        of = self.term(node)
        self.turned |= len(of.word) == 1 and of.word[0].turned
        word = inverted(of.word)
        word = tuple(replace(factor, inverse=how) if factor.inverse else factor for factor in word)
        return replace(of.raised(-1), word=word)

    def _joined(self, left: Term, right: Term, shape: Shape) -> Sum:
        """The product of two terms. A row that meets a column is a number, and stands in front."""
        self.gathered |= not (left.is_plain and right.is_plain)
        result = replace(left.times(right), word=())
        kept: Word = ()
        part: Word = ()
        for factor in (*left.word, *right.word):
            part = (*part, factor)
            if factor.ends[1] is None and part[0].ends[0] is None:
                result, part = result.times(self._dot(turned_word(part[:1]), part[1:])), ()
            elif factor.ends[1] is None:
                kept, part = (*kept, *part), ()
        return Sum((replace(result, word=(*kept, *part)),), shape)

    def _dot(self, left: Word, right: Word) -> Term:
        """A row times a column, as a scalar."""
        a, b = (self.chain(word) for word in (left, right))
        summed = self.same(total(self.product_of(a, b), (-1,), keepdims=False))
        return Term(Fraction(1), ((summed, Fraction(1)),))

    def _times(self, of: Sum, front: Term) -> Sum:
        if front.is_plain:
            return of
        term = self._single(of)
        self.gathered |= all(abs(x.number) != 1 or bool(x.scalars) for x in (term, front))
        return Sum((term.times(front),), of.shape)

    def _to_shape(self, of: Sum, shape: Shape) -> Sum:
        if of.shape == shape:
            return of
        return Sum(tuple(replace(term, word=(Factor(self.ones(shape)),)) for term in of.terms), shape)

    def _shortened(self, node: Node) -> Node:
        return self.write(self.read(node))

    def _rebuilt(self, node: Node) -> Node:
        """An operation that algebra does not look into, on shortened inputs."""
        return self.same(node.on(tuple(map(self._shortened, node.inputs))))


def _alone(node: Node) -> Sum:
    """A node as a sum of one term."""
    if not node.shape:
        return Sum((Term(Fraction(1), ((node, Fraction(1)),)),), ())
    return Sum((Term(Fraction(1), (), (Factor(node),)),), node.shape)


def _opened(of: Sum) -> tuple[Term, ...]:
    """The terms of a sum, without brackets around all of it."""
    (first, *others) = of.terms
    if not others and first.is_plain and len(first.word) == 1:
        (factor,) = first.word
        if isinstance(factor.base, Sum) and not factor.turned and not factor.inverse:
            return factor.base.terms
    return of.terms
