"""The algebra of closing: contributions that come through one output, as one short formula in that output."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from functools import reduce

import sympy

from backproof.derivation.algebra import Algebra
from backproof.derivation.closing import REDUCTIONS, Closing
from backproof.derivation.simplify import work
from backproof.ir.node import Node, right_side, substitute
from backproof.ir.sizes import ONE
from backproof.ir.symbol import Symbol
from backproof.ops.arithmetic import add, div, neg, product, sub
from backproof.ops.entries import row_of
from backproof.ops.formula import to_nodes
from backproof.ops.fused import FusedRow
from backproof.ops.leaves import constant_, size, size_, variable
from backproof.ops.linear import expand, stretch, stretched, sum_, total


def together(contributions: Node, closing: Closing) -> Node | None:
    """The sum of the contributions that go through `closing.output`, written through it; None if that is no shorter.

    With output = slope·of + rest, `of` is (output − rest)/slope. Put in, whatever is the same along an axis leaves the
    sums over it, and the definitions of the statistics say what the sums of the output are.
    """
    forms = _Forms()
    definitions = {r: forms.of(form, defines=True) for r, form in _broadcast(closing).items()}
    given = forms.of(_definition(closing.output), defines=True)
    current = forms.of(contributions)
    algebra = _Sums(forms.reductions)
    x, y = algebra.atom(closing.of), algebra.atom(closing.output)
    formula = algebra.expr(given)
    slope = sympy.diff(formula, x)
    if slope == 0 or slope.has(x) or algebra.hides(closing.of):
        return None
    # Every statistic is written through the reductions, which alone are unknown.
    through = {algebra.atom(r): algebra.expr(form) for r, form in definitions.items()}
    algebra.give(x, _resolved((y - formula.subs(x, 0)) / slope, through))
    for symbol, expr in through.items():
        algebra.give(symbol, _resolved(expr, through))
    algebra.learn()
    terms = algebra.collected(algebra.expr(current) / _resolved(slope, through))
    # As textbooks have it: first what does not hold the output, products last.
    terms.sort(key=lambda term: (term.has(y), algebra.sums_in(term), str(term)))
    first, *others = (algebra.term(term) for term in terms)
    result = reduce(_with, others, first)
    upper, lower = sympy.fraction(slope)
    if upper != 1:
        result = product(result, algebra.nodes(upper, closing.of))
    if lower != 1:
        result = div(result, algebra.nodes(lower, closing.of))
    result = stretched(substitute(result, forms.reductions), closing.of.shape)
    return result if work(result) <= work(contributions) else None


def _with(sum_so_far: Node, term: Node) -> Node:
    return sub(sum_so_far, term.inputs[0]) if term.op is neg else add(sum_so_far, term)


def _resolved(expr: sympy.Expr, through: dict[sympy.Symbol, sympy.Expr]) -> sympy.Expr:
    """An expression with each statistic written through what it is computed from, however deep."""
    return reduce(lambda inner, _: inner.subs(through), through, expr)


def _definition(node: Node) -> Node:
    """A quantity's equation; of a formula that is one operation, its operations."""
    row = row_of(node)
    return row.written(*node.inputs) if isinstance(row, FusedRow) else replace(node, symbol=None)


def _broadcast(closing: Closing) -> dict[Node, Node]:
    """The definition of each statistic, with the axes of length one that it is given where it is used."""
    found = {r: _definition(r) for r in closing.statistics}
    for node in (x for user in (closing.output, *closing.statistics) for x in right_side(user)):
        if node.op is expand and node.inputs[0] in found and len(found[node.inputs[0]].shape) < len(node.shape):
            found[node.inputs[0]] = expand(found[node.inputs[0]], axes=node.attrs["axes"])
    return found


class _Forms:
    """Expressions with equal parts as the same nodes, and reductions that keep their axes, so that they meet.

    `reductions` has, for each sum or variance that a definition holds, a variable in its place.
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, Node] = {}
        self.reductions: dict[Node, Node] = {}

    def of(self, root: Node, *, defines: bool = False) -> Node:
        """The expression, made of nodes that are shared with all others."""
        done: dict[Node, Node] = {}
        for node in right_side(_all_lifted(root)):
            made = node
            if node.symbol is None:
                made = replace(node, inputs=tuple(done[x] for x in node.inputs))
                key = (made.op, made.inputs, str(sorted(made.attrs.items())))
                if defines and made.op in REDUCTIONS and key not in self._known:
                    placeholder = variable(Symbol(f"reduction {len(self.reductions)}"), made.shape)
                    self.reductions[placeholder] = made
                    self._known[key] = placeholder
                made = self._known.setdefault(key, made)
            done[node] = made
        return made


def _all_lifted(root: Node) -> Node:
    """An expression with axes of length one as far inside as they go."""
    done: dict[Node, Node] = {}
    for node in right_side(root):
        if node.symbol is not None:
            done[node] = node
            continue
        inputs = tuple(done[x] for x in node.inputs)
        done[node] = _lifted(node if inputs == node.inputs else replace(node, inputs=inputs))
    return done[root]


def _lifted(node: Node) -> Node:
    """expand(Σx) as the sum that keeps its axes, and expand(f(a, b)) as f of what is expanded."""
    if node.op is not expand or node.inputs[0].symbol is not None:
        return node
    (x,) = node.inputs
    axes = node.attrs["axes"]
    if x.attrs.get("keepdims") is False and tuple(x.attrs["axes"]) == tuple(axes):
        return Node(x.op, x.inputs, node.shape, {**x.attrs, "keepdims": True})
    if row_of(x).aligns and all(len(y.shape) in (0, len(x.shape)) for y in x.inputs):
        inputs = (_lifted(expand(y, axes=axes)) if y.shape else y for y in x.inputs)
        return Node(x.op, tuple(inputs), node.shape, x.attrs)
    return node


class _Sums(Algebra):
    """Algebra in which the sum of a sum is the sum of the sums, and decimal numbers are exact."""

    def __init__(self, reductions: dict[Node, Node]) -> None:
        super().__init__(opens=lambda node: False)
        self._reductions = reductions
        self._sums: set[sympy.Symbol] = set()
        self._decimals: dict[sympy.Rational, sympy.Float] = {}

    def atom(self, node: Node) -> sympy.Expr:
        if node.op is stretch and node.symbol is None:
            return self.expr(node.inputs[0])
        if node.op is size_:
            return self.symbol(node.attrs["size"], node)
        if node.op is expand and node.inputs[0].symbol is not None:
            return self.symbol(node.inputs[0], node)
        if node.op is sum_ and node.symbol is None:
            return self._sum(node)
        return self.symbol(node, node)

    def expr(self, node: Node) -> sympy.Expr:
        expr = super().expr(node)
        exact = {x: sympy.Rational(str(float(x))) for x in expr.atoms(sympy.Float)}
        self._decimals |= {rational: x for x, rational in exact.items()}
        return expr.xreplace(exact)

    def nodes(self, expr: sympy.Expr, like: Node) -> Node:
        return super().nodes(expr.xreplace(self._decimals), like)

    def hides(self, x: Node) -> bool:
        """Whether `x` is inside an atom: a function that algebra does not see through."""
        return any(node.symbol is None and x in right_side(node) for _, node in self.known())

    def sums_in(self, expr: sympy.Expr) -> int:
        """How many sums stand in an expression."""
        return len(expr.free_symbols & self._sums)

    def learn(self) -> None:
        """What the definition of each reduction says of the one sum in it, where that is a number."""
        for reduction, form in self._reductions.items():
            definition = self.expr(form)
            sums = definition.free_symbols & self._sums
            if len(sums) != 1:
                continue
            (unknown,) = sums
            equation = sympy.expand(definition - self.symbol(reduction, reduction))
            factor = sympy.diff(equation, unknown)
            if factor == 0 or factor.has(unknown):
                continue
            value = sympy.cancel(-equation.subs(unknown, 0) / factor)
            if value.is_number:
                self.give(unknown, value)

    def collected(self, expr: sympy.Expr) -> list[sympy.Expr]:
        """The terms of a sum, one for each product of arrays and sums; what stands before it is shortened."""
        coefficients: dict[sympy.Expr, sympy.Expr] = {}
        for term in sympy.Add.make_args(sympy.expand(expr.subs(self._given))):
            numbers, arrays = term.as_independent(*filter(self._varies, term.free_symbols), as_Add=False)
            coefficients[arrays] = coefficients.get(arrays, sympy.Integer(0)) + numbers
        return [sympy.cancel(numbers) * arrays for arrays, numbers in coefficients.items()]

    def term(self, term: sympy.Expr) -> Node:
        """A term as nodes: what is small is multiplied first, and the sign stands before."""
        number, rest = term.as_coeff_Mul()
        factors = sympy.Mul.make_args(rest)
        largest = max((self._rank(f) for f in factors), default=0)
        small = sympy.Mul(abs(number), *(f for f in factors if self._rank(f) < largest))
        large = sympy.Mul(*(f for f in factors if self._rank(f) == largest))
        result = product(*(to_nodes(x.xreplace(self._decimals), self._nodes) for x in (small, large)))
        return neg(result) if number < 0 else result

    def _rank(self, factor: sympy.Expr) -> int:
        """How many axes of more than one place a factor has."""
        shapes = [self._nodes[s].shape for s in factor.free_symbols]
        return max((sum(size != ONE for size in shape) for shape in shapes), default=0)

    def _varies(self, symbol: sympy.Symbol) -> bool:
        node = self._nodes[symbol]
        return node.op not in (constant_, size_) and node not in self._reductions

    def _sum(self, node: Node) -> sympy.Expr:
        (body,) = node.inputs
        inner = sympy.expand(sympy.powsimp(sympy.expand(self.expr(body))))
        return sympy.Add(*(self._term(term, body, node) for term in sympy.Add.make_args(inner)))

    def _term(self, term: sympy.Expr, body: Node, node: Node) -> sympy.Expr:
        axes = node.attrs["axes"]
        outside: list[sympy.Expr] = []
        inside: list[sympy.Expr] = []
        for factor in sympy.Mul.make_args(term):
            alike = all(self._is_constant(self._nodes[s], axes) for s in factor.free_symbols)
            (outside if alike else inside).append(factor)
        if not inside:
            return sympy.Mul(*outside, *(self.atom(size(body.shape[axis])) for axis in axes))
        rest = sympy.Mul(*inside)
        summed = total(self.nodes(rest, body), axes, keepdims=node.attrs["keepdims"])
        symbol = self.symbol((axes, str(rest)), summed)
        self._sums.add(symbol)
        return sympy.Mul(*outside) * self._given.get(symbol, symbol)
