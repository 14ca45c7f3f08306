"""The matrix of a linear map, read off the expression that applies it to a vector.

An expression that is linear in a vector v is a sum of terms, each a chain of factors in front of v: a matrix, an
element-wise product (a diagonal matrix), a vector times a number (a column), a sum of products (a row). Chains are
shortened by what is known of such products, and are then the matrix.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Literal

import sympy

from backproof.derivation.algebra import Algebra
from backproof.ir.node import Node, ancestors
from backproof.ir.sizes import ONE, Shape
from backproof.ops.arithmetic import add, div, mul, neg, product, sub
from backproof.ops.calculus import cost, tidy
from backproof.ops.leaves import constant, size
from backproof.ops.linalg import diag, diag_times, inv, scaled_identity, solvevec
from backproof.ops.linear import expand, matmul, stretch, stretched, sum_, total, transposed
from backproof.ops.shaping import squeeze
from backproof.ops.vectors import matvec, outer

MOST_TERMS = 32
"""A sum of more terms than this is not read: nobody would read it."""

ONCE = sympy.Integer(1)

MOST_FACTORED = 100
"""Of more operations than this, factoring could take long."""

Kind = Literal["matrix", "diagonal", "column", "row"]


@dataclass(frozen=True, slots=True)
class Factor:
    """A factor of a chain: the node of a matrix, or the expression of a vector of `shape`."""

    kind: Kind
    shape: Shape
    node: Node | None = None
    expr: sympy.Expr = ONCE

    @property
    def transposed(self) -> Factor:
        """The factor of the transposed chain."""
        if self.node is not None:
            return replace(self, node=_turned(self.node), shape=self.shape[::-1])
        turned: Mapping[Kind, Kind] = {"column": "row", "row": "column"}
        return replace(self, kind=turned.get(self.kind, self.kind))


@dataclass(frozen=True, slots=True)
class Term:
    """A number times a chain of factors, the one that is applied last in front."""

    scale: sympy.Expr = ONCE
    factors: tuple[Factor, ...] = ()

    def times(self, scale: sympy.Expr) -> Term:
        return replace(self, scale=self.scale * scale)

    def then(self, factor: Factor) -> Term:
        return replace(self, factors=(factor, *self.factors))

    @property
    def key(self) -> tuple[object, ...]:
        """The same for terms that differ in their numbers only."""
        return tuple((f.kind, str(f.expr) if f.node is None else _identity(f.node)) for f in self.factors)


def matrix_of(expression: Node, v: Node, known: Iterable[Node] = ()) -> Node | None:
    """The transposed matrix of a map that is linear in `v`: the Jacobian, where the map is a vector-Jacobian product.

    `known` are quantities whose names are used where the formula has theirs. None where the expression, or v, is no
    vector, and where it does what no chain of factors says.
    """
    if _kind(v.shape) is None or _kind(expression.shape) is None:
        return None
    algebra = _VectorAlgebra()
    terms = _Reader(algebra, v).terms(expression)
    if terms is None:
        return None
    named = [*algebra.formulas(known)]
    shape = (*v.shape, *expression.shape)
    terms = [replace(t, factors=tuple(f.transposed for f in t.factors[::-1])) for t in terms]
    # First what stands at the same place of a chain: once it is multiplied with rows and columns it is no more seen.
    for kinds in (("diagonal",), ("diagonal", "column", "row", "matrix")):
        terms = _merged([algebra.shortened(term, kinds) for term in terms], algebra)
    return _written([algebra.recognised(term, named) for term in terms], algebra, shape)


def _kind(shape: Shape) -> Literal["number", "vector"] | None:
    if all(axis == ONE for axis in shape):
        return "number" if len(shape) < 2 else None
    return "vector" if len(shape) == 1 else None


class _VectorAlgebra(Algebra):
    """Algebra on vectors and numbers, in which sums over a vector are numbers, the same for the same formula."""

    def __init__(self) -> None:
        super().__init__(opens=lambda node: False)

    def atom(self, node: Node) -> sympy.Expr:
        if node.symbol is None and node.op in (stretch, expand, squeeze):
            return self.expr(node.inputs[0]) if node.inputs[0].symbol is None else self.atom(node.inputs[0])
        if node.symbol is None and node.op is sum_ and len(node.inputs[0].shape) == 1:
            (body,) = node.inputs
            return self.summed(self.of(body), body.shape)
        if node.symbol is None and node.op is matvec:
            return self.applied(node.inputs[0], self.of(node.inputs[1]), node.inputs[1].shape)
        return self.symbol(node, node)

    def of(self, node: Node) -> sympy.Expr:
        """A vector or a number as an expression in its atoms, a named one as an atom itself."""
        return self.atom(node) if node.symbol is not None else tidy(self.expr(node))

    def split(self, expr: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
        """An expression as the number in front, and what differs from place to place."""
        factors = sympy.Mul.make_args(tidy(expr))
        own = [f for f in factors if any(_kind(self._nodes[s].shape) == "vector" for s in f.free_symbols)]
        return sympy.Mul(*(f for f in factors if f not in own)), sympy.Mul(*own)

    def summed(self, expr: sympy.Expr, shape: Shape) -> sympy.Expr:
        """The sum of a vector's entries."""
        scale, rest = self.split(expr)
        if rest == 1:
            length = shape[0].value
            count = sympy.Integer(length) if length is not None else self.symbol(shape[0], size(shape[0]))
            return scale * count
        return scale * self.symbol(("sum", str(rest)), total(self.nodes(rest, _like(shape)), (-1,), keepdims=False))

    def applied(self, matrix: Node, expr: sympy.Expr, shape: Shape) -> sympy.Expr:
        """A matrix times a vector."""
        scale, rest = self.split(expr)
        key = ("matvec", _identity(matrix), str(rest))
        return scale * self.symbol(key, matvec(matrix, self.nodes(rest, _like(shape))))

    def shortened(self, term: Term, kinds: Sequence[str]) -> Term:
        """A chain with what can be multiplied out multiplied out, of factors of these kinds."""
        scale = term.scale
        done: list[Factor] = []  # from the right
        for f in term.factors[::-1]:
            factor: Factor | None = f
            while factor is not None and done:
                made = self._pair(factor, done[-1]) if {factor.kind, done[-1].kind} <= {*kinds} else None
                if made is None:
                    break
                done.pop()
                number, factor = made
                scale *= number
            if factor is not None:
                number, factor = self._without_number(factor)
                scale *= number
                if factor is not None:
                    done.append(factor)
        return Term(tidy(scale), tuple(done[::-1]))

    def _without_number(self, factor: Factor) -> tuple[sympy.Expr, Factor | None]:
        if factor.node is not None:
            return ONCE, factor
        scale, rest = self.split(factor.expr)
        if rest == 1 and factor.kind == "diagonal":
            return scale, None
        return scale, replace(factor, expr=rest)

    def _pair(self, left: Factor, right: Factor) -> tuple[sympy.Expr, Factor | None] | None:
        """Two neighbours as a number and one factor, or the number alone; None if they stay as they are."""
        match left.kind, right.kind:
            case ("diagonal", "diagonal") | ("diagonal", "column"):
                return ONCE, replace(right, expr=left.expr * right.expr)
            case "row", "diagonal":
                return ONCE, replace(left, expr=left.expr * right.expr)
            case "row", "column":
                return self.summed(left.expr * right.expr, left.shape), None
            case "matrix", "column":
                assert left.node is not None
                return ONCE, Factor("column", left.shape[:1], expr=self.applied(left.node, right.expr, right.shape))
            case "row", "matrix":
                assert right.node is not None
                turned = transposed(right.node)
                return ONCE, Factor("row", right.shape[1:], expr=self.applied(turned, left.expr, left.shape))
        return None

    def formulas(self, known: Iterable[Node]) -> Iterator[tuple[sympy.Expr, sympy.Expr, sympy.Expr]]:
        """Of known vectors the number and the vector that their formula is made of, and their own symbol."""
        for node in known:
            if _kind(node.shape) == "vector" and node.inputs:
                scale, rest = self.split(self.of(node.named(None)))
                if not rest.is_Symbol and not rest.is_number:
                    yield scale, rest, self.symbol(node, node)

    def recognised(self, term: Term, named: Sequence[tuple[sympy.Expr, sympy.Expr, sympy.Expr]]) -> Term:
        """A term with the formulas of known vectors written by their names, where the number does not get longer."""
        factors = []
        scale = term.scale
        for factor in term.factors:
            for front, rest, symbol in named:
                if factor.node is None and factor.expr == rest and cost(tidy(scale / front)) <= cost(scale):
                    factor, scale = replace(factor, expr=symbol), tidy(scale / front)
            factors.append(factor)
        return Term(scale, tuple(factors))


def _turned(matrix: Node) -> Node:
    """A matrix transposed; of an inverse, the matrix that is inverted."""
    return inv(_turned(matrix.inputs[0])) if matrix.op is inv and matrix.symbol is None else transposed(matrix)


def _identity(matrix: Node) -> object:
    """What tells one matrix from another: a transposed one is made anew each time."""
    return (matrix.op, tuple(map(_identity, matrix.inputs))) if matrix.symbol is None else matrix


def _like(shape: Shape) -> Node:
    return stretched(constant(0), shape)


class _Reader:
    """Reads the terms of an expression that is linear in `v`."""

    def __init__(self, algebra: _VectorAlgebra, v: Node) -> None:
        self._algebra, self._v = algebra, v
        self._found: dict[Node, list[Term]] = {v: [Term()]}

    def terms(self, expression: Node) -> list[Term] | None:
        """The terms of the expression; None where something in it cannot be read."""
        for node in ancestors([expression], stop=lambda x: x.symbol is not None):
            if node in self._found or self._found.keys().isdisjoint(node.inputs):
                continue
            terms = self._through(node) if _kind(node.shape) else None
            if terms is None or len(terms) > MOST_TERMS:
                return None
            self._found[node] = terms
        return self._found.get(expression, [])

    def _through(self, node: Node) -> list[Term] | None:
        found = self._found
        held = [x in found for x in node.inputs]
        if node.op in (add, sub) and all(held):
            left, right = (self._lifted(x, node.shape) for x in node.inputs)
            return left + [t.times(-ONCE) for t in right] if node.op is sub else left + right
        if node.op in (mul, div) and held == [True, False]:
            return self._multiplied(node, *node.inputs)
        if node.op is mul and held == [False, True]:
            return self._multiplied(node, *node.inputs[::-1])
        if len(node.inputs) == 1:
            (x,) = node.inputs
            if node.op is neg:
                return [t.times(-ONCE) for t in found[x]]
            if node.op in (stretch, expand, squeeze):
                return self._lifted(x, node.shape)
            if node.op is sum_ and _kind(x.shape) == "vector":
                return [t.then(Factor("row", x.shape)) for t in found[x]]
        if node.op in (matvec, solvevec) and held == [False, True] and _kind(node.inputs[1].shape) == "vector":
            matrix, x = node.inputs
            if _kind(node.shape) == "vector":
                front = inv(matrix) if node.op is solvevec else matrix
                return [t.then(Factor("matrix", front.shape, node=front)) for t in found[x]]
        return None

    def _lifted(self, x: Node, shape: Shape) -> list[Term]:
        """The terms of `x`, stretched to a vector where it is a number."""
        if _kind(x.shape) == _kind(shape):
            return self._found[x]
        return [t.then(Factor("column", shape)) for t in self._found[x]]

    def _multiplied(self, node: Node, x: Node, other: Node) -> list[Term]:
        expr = self._algebra.of(other)
        expr = 1 / expr if node.op is div else expr
        number, rest = self._algebra.split(expr)
        terms = [t.times(number) for t in self._lifted(x, node.shape)]
        return terms if rest == 1 else [t.then(Factor("diagonal", node.shape, expr=rest)) for t in terms]


def _merged(terms: Sequence[Term], algebra: _VectorAlgebra) -> list[Term]:
    """Terms of the same factors as one, and terms that differ in one diagonal matrix as one with their sum."""
    alike: dict[tuple[object, ...], Term] = {}
    for term in terms:
        held = alike.get(term.key)
        alike[term.key] = replace(term, scale=tidy(held.scale + term.scale)) if held else term
    found: dict[object, Term] = {}
    for term in alike.values():
        if term.scale == 0:
            continue
        places = [k for k, f in enumerate(term.factors) if f.kind == "diagonal"]
        key: object = term.key
        if len(places) == 1:
            key = (places[0], *(part for k, part in enumerate(term.key) if k != places[0]))
            held = found.get(key)
            if held is not None:
                own, other = term.factors[places[0]], held.factors[places[0]]
                whole = _shortest(term.scale * own.expr + held.scale * other.expr)
                scale, rest = algebra.split(whole)
                factors = list(term.factors)
                factors[places[0]] = replace(own, expr=rest)
                term = Term(scale, tuple(f for f in factors if f.kind != "diagonal" or f.expr != 1))
        found[key] = term
    return [term for term in found.values() if term.scale != 0]


def _shortest(expr: sympy.Expr) -> sympy.Expr:
    """A sum as short as it gets; fractions in exponentials too, which add up to one."""
    forms = [tidy(expr)] if expr.count_ops() > MOST_FACTORED else [tidy(expr), tidy(sympy.factor(expr))]
    return min(forms, key=cost)


def _written(terms: Sequence[Term], algebra: _VectorAlgebra, shape: Shape) -> Node:
    if not terms:
        return stretched(constant(0), shape)
    common = ONCE
    ratios = [sympy.cancel(t.scale / terms[0].scale) for t in terms]
    if len(terms) > 1 and all(ratio.is_Integer for ratio in ratios):
        common = terms[0].scale
        terms = [replace(t, scale=ratio) for t, ratio in zip(terms, ratios, strict=True)]
    result: Node | None = None
    for term in sorted(terms, key=lambda t: _is_negative(t.scale)):
        negative = _is_negative(term.scale)
        part = _scaled(-term.scale if negative else term.scale, _chain(term.factors, algebra, shape), algebra)
        if result is None:
            result = neg(part) if negative else part
        else:
            result = sub(result, part) if negative else add(result, part)
    assert result is not None
    negative = _is_negative(common)
    whole = _scaled(-common if negative else common, result, algebra)
    return stretched(neg(whole) if negative else whole, shape)


def _is_negative(scale: sympy.Expr) -> bool:
    return bool(scale.as_coeff_Mul()[0].is_negative)


def _scaled(scale: sympy.Expr, node: Node, algebra: _VectorAlgebra) -> Node:
    return product(algebra.nodes(scale, constant(0)), node) if scale != 1 else node


def _chain(factors: Sequence[Factor], algebra: _VectorAlgebra, shape: Shape) -> Node:
    """The product of a chain's factors: a matrix, or where v or the result is a number a vector or 1."""

    def vector(factor: Factor) -> Node:
        return algebra.nodes(factor.expr, _like(factor.shape))

    if not factors:
        return scaled_identity(constant(1), sizes=shape) if _kind(shape) is None and len(shape) == 2 else constant(1)
    if factors[0].kind in ("column", "row"):
        return outer(*map(vector, factors)) if len(factors) == 2 else vector(factors[0])
    *before, last = factors
    start = last.node if last.node is not None else diag(vector(last))

    def in_front(rest: Node, factor: Factor) -> Node:
        return matmul(factor.node, rest) if factor.node is not None else diag_times(vector(factor), rest)

    return reduce(in_front, before[::-1], start)
