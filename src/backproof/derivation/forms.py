"""Terms of linear algebra as nodes: numbers in front, products in the order that takes the fewest operations."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import replace
from fractions import Fraction

from backproof.derivation.terms import Factor, Sum, Term, Word, turned_word
from backproof.ir.node import Node, right_side
from backproof.ir.sizes import Shape, Size
from backproof.ops.arithmetic import add, div, mul, neg, power, sub
from backproof.ops.elementary import sqrt
from backproof.ops.leaves import constant, constant_, size_
from backproof.ops.linalg import inv, scaled_identity, solve, solvevec
from backproof.ops.linear import matmul, stretched, transpose, transposed
from backproof.ops.numbers import is_decimal
from backproof.ops.vectors import matvec, outer

LARGE = 100
"""The length that an axis of unknown length is taken to have, to find the shortest way to multiply."""


class Forms:
    """Writes terms as nodes. Equal parts of all that is written are the same node, so that terms can be compared."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Node] = {}
        self.decimal = False
        """Whether a number was written as a decimal, so that fractions are, too."""
        self.gathered = False
        """Whether a number or a scalar was met inside a product."""

    def same(self, node: Node) -> Node:
        """The one node for this operation on these inputs."""
        if node.symbol is not None:
            return node
        attrs = str(sorted(node.attrs.items())) if node.attrs else ""
        return self._known.setdefault((node.op, node.inputs, attrs), node)

    def product_of(self, a: Node, b: Node) -> Node:
        """The element-wise product of two arrays, in the order in which it was met first."""
        return self._known.get((mul, (b, a), "")) or self.same(mul(a, b))

    def shared(self, root: Node) -> Node:
        """An expression as it is, with equal parts as the same node."""
        done: dict[Node, Node] = {}
        for node in right_side(root):
            done[node] = node
            if node.symbol is None or node is root:
                done[node] = self.same(Node(node.op, tuple([done[x] for x in node.inputs]), node.shape, node.attrs))
        return done[root]

    def ones(self, shape: Shape) -> Node:
        """The array of ones."""
        return self.same(stretched(self.same(constant(1)), shape))

    def is_ones(self, word: Word) -> bool:
        """Whether a product is the array of ones."""
        return len(word) == 1 and isinstance(word[0].base, Node) and word[0].base is self.ones(word[0].base.shape)

    def write(self, of: Sum) -> Node:
        """The nodes of a sum, of its shape: first what is added, then what is subtracted."""
        if not of.terms:
            return self.same(stretched(self.same(constant(0)), of.shape))
        first, *rest = sorted(of.terms, key=lambda term: term.number < 0)
        result = self._signed(first, of)
        for term in rest:
            combine = sub if term.number < 0 else add
            result = self.same(combine(result, self._term(term, of, alone=False)))
        return result if result.shape == of.shape else self.same(stretched(result, of.shape))

    def _signed(self, term: Term, of: Sum) -> Node:
        written = self._term(term, of, alone=len(of.terms) == 1)
        return self.same(neg(written)) if term.number < 0 else written

    def _term(self, term: Term, of: Sum, *, alone: bool) -> Node:
        """A term without its sign. A number beside arrays is stretched by adding them."""
        upper, lower = self._front(term)
        if lower is not None and is_plain(lower):
            upper, lower = self.same(div(upper or self.same(constant(1)), lower)), None
        if not term.word or self.is_ones(term.word):
            upper = upper or self.same(constant(1))
            front = upper if lower is None else self.same(div(upper, lower))
            if term.word or len(of.shape) < 2:
                return self.same(stretched(front, of.shape)) if alone else front
            return self.same(scaled_identity(front, sizes=of.shape[-2:]))
        first, *rest = term.word
        if upper is not None and is_plain(upper) and not first.inverse and self._is_first(first, of.shape):
            # Fewer operations than after the product, and written alike.
            base = self.same(mul(upper, self._factor(replace(first, turned=False))))
            upper, first = None, replace(first, base=base)
        body = self._multiplied(upper, self.chain((first, *rest)))
        return body if lower is None else self.same(div(body, lower))

    def _is_first(self, factor: Factor, shape: Shape) -> bool:
        """Whether a number is better multiplied with the first factor than with the product of the given shape."""
        # A multiple of a derivative in one equation is often in the next one, too.
        is_derivative = isinstance(factor.base, Node) and factor.base.symbol is not None and factor.base.symbol.of
        return _entries(factor.base.shape) < _entries(shape) or bool(self.gathered and is_derivative)

    def _front(self, term: Term) -> tuple[Node | None, Node | None]:
        """What stands before a product, above and below the fraction line; None for the number 1."""
        number = abs(term.number)
        above: list[Node] = []
        below: list[Node] = []
        if number.denominator > 1 and self.decimal and is_decimal(number):
            above.append(self.same(constant(float(number))))
        else:
            above += [self.same(constant(number.numerator))] if number.numerator != 1 else []
            below += [self.same(constant(number.denominator))] if number.denominator != 1 else []
        for node, exponent in term.scalars:
            (above if exponent > 0 else below).append(self._power(node, abs(exponent)))
        return self._in_order(above), self._in_order(below)

    def _in_order(self, scalars: list[Node]) -> Node | None:
        """A product of scalars, numbers and sizes first; None for none."""
        product: Node | None = None
        for node in sorted(scalars, key=lambda x: not is_plain(x)):
            product = self._multiplied(product, node)
        return product

    def _power(self, node: Node, exponent: Fraction) -> Node:
        whole, half = divmod(exponent, 1)
        found = None
        if whole:
            found = node if whole == 1 else self.same(power(node, exponent=int(whole)))
        return self._multiplied(found, self.same(sqrt(node))) if half else found or node

    def _multiplied(self, a: Node | None, b: Node) -> Node:
        return b if a is None else self.same(mul(a, b))

    def written(self, term: Term, shape: Shape) -> Node:
        """What a term is without its number and scalars."""
        return self.write(Sum((replace(term, number=Fraction(1), scalars=()),), shape))

    def chain(self, word: Word) -> Node:
        """A product in the order of multiplication that takes the fewest operations; a row is written as a column."""
        lengths = [_length(factor.ends[0]) for factor in word] + [_length(word[-1].ends[1])]
        best: dict[tuple[int, int], tuple[int, int]] = {(k, k + 1): (0, k) for k in range(len(word))}
        for width in range(2, len(word) + 1):
            for i in range(len(word) - width + 1):
                j = i + width
                # Of equally long ways the one from left to right.
                best[i, j] = min(
                    (best[i, k][0] + best[k, j][0] + lengths[i] * lengths[k] * lengths[j], -k) for k in range(i + 1, j)
                )

        def node(i: int, j: int) -> Node:
            if j == i + 1:
                return self._factor(word[i])
            k = -best[i, j][1]
            return self._pair(word[i:k], word[k:j], lambda: node(i, k), lambda: node(k, j))

        return node(0, len(word))

    def _pair(self, left: Word, right: Word, a: Callable[[], Node], b: Callable[[], Node]) -> Node:
        """The product of two parts of a product, each of which may be a vector."""
        if left[-1].ends[1] is None:
            return self.same(outer(a(), b()))
        row, column = left[0].ends[0] is None, right[-1].ends[1] is None
        if row:
            # A row times a matrix is the transposed matrix times a column.
            return self._pair(turned_word(right), turned_word(left), lambda: self.chain(turned_word(right)), a)
        if len(left) == 1 and left[0].inverse == "solve":
            matrix = self._factor(replace(left[0], inverse=""))
            return self.same((solvevec if column else solve)(matrix, b()))
        if not column and len(right) == 1 and right[0].inverse == "solve":
            matrix = self._factor(replace(right[0], inverse="", turned=not right[0].turned))
            return self.same(transpose(self.same(solve(matrix, self._transposed(a())))))
        return self.same((matvec if column else matmul)(a(), b()))

    def _factor(self, factor: Factor) -> Node:
        node = self.write(factor.base) if isinstance(factor.base, Sum) else factor.base
        if factor.inverse:
            node = self.same(inv(node))
        return self._transposed(node) if factor.turned and len(node.shape) > 1 else node

    def _transposed(self, node: Node) -> Node:
        return self.same(transposed(node))


def _length(end: Size | None) -> int:
    """A length to count operations with; one that is not known is taken to be large."""
    return 1 if end is None else end.value or LARGE


def _entries(shape: Shape) -> int:
    return math.prod(map(_length, shape))


def is_plain(node: Node) -> bool:
    """Whether a scalar is made of numbers and sizes."""
    return node.op in (constant_, size_) or (
        node.symbol is None and bool(node.inputs) and all(map(is_plain, node.inputs))
    )
