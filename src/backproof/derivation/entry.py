"""Algebra on entry forms: numbers multiplied, fractions cancelled, equal terms added, deltas in front."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator

import sympy

from backproof.ir.node import Node, ancestors
from backproof.ir.sizes import Index, affine, letters_of, of_length
from backproof.ops.arithmetic import mul, neg
from backproof.ops.calculus import cost, tidy
from backproof.ops.elementary import pieces
from backproof.ops.entries import (
    NODE_LETTERS,
    Bounds,
    LetterPool,
    at_,
    counted_,
    delta,
    delta_,
    positions_in,
    put_in,
    sum_over,
    sum_over_,
    within_,
)
from backproof.ops.formula import to_expr, to_nodes
from backproof.ops.leaves import is_number, size_
from backproof.ops.outside import where_there_is


def shortened(entry: Node, letters: Collection[str]) -> Node:
    """An entry form with the same value, as short as algebra makes it; sums do not run over `letters`."""
    algebra = _EntryAlgebra(letters)
    return algebra.nodes(algebra.expr(entry))


def placed(entry: Node, letters: LetterPool) -> Node:
    """An entry form in which arrays of zeros with entries put into them are sums over these, with deltas.

    Entry j of what has y in the places 2, 3, 4 is Σ_k δ_{j,k+1}·y_k.
    """
    if entry.op is pieces and entry.inputs[1].op is within_ and is_number(entry.inputs[-1], 0):
        return _shifted(placed(entry.inputs[0], letters), entry.inputs[1].attrs["bounds"], letters) or entry
    if entry.op is at_:
        return entry
    return Node(entry.op, tuple(placed(x, letters) for x in entry.inputs), entry.shape, entry.attrs, entry.symbol)


def _shifted(value: Node, bounds: Bounds, letters: LetterPool) -> Node | None:
    """What is `value` where letters lie between their bounds and 0 elsewhere, as a sum over these places."""
    for position, least, most in bounds:
        if not isinstance(position, Index):
            return None
        first, last = least or 1, most or position.size.value or 0
        running = letters.fresh(of_length(last - first + 1))
        found = affine([(1, running)], first - 1)
        value = sum_over(running, mul(delta(position, found), put_in(value, position, found)))
    return value


MORE_LETTERS = "abcefgh"
"""Letters for sums, where entries that stand in many places have taken the usual ones."""


class _EntryAlgebra:
    """Entries, deltas and sums as the atoms of formulas; equal ones are one atom."""

    def __init__(self, letters: Collection[str]) -> None:
        self._letters = letters
        self._symbols: dict[Hashable, sympy.Symbol] = {}
        self._nodes: dict[sympy.Symbol, Node] = {}

    def expr(self, node: Node) -> sympy.Expr:
        expr = to_expr(node, self._atom, opens=lambda x: False)
        expanded = sympy.expand(expr)
        # Of two that are equally long, a·(1 − b²) reads better than a − a·b².
        return min(sympy.factor_terms(expanded), tidy(expanded), sympy.factor_terms(expr), key=cost)

    def nodes(self, expr: sympy.Expr) -> Node:
        """The formula as nodes, with numbers and sizes in front of it, whole numbers as such."""
        expr = expr.xreplace({x: sympy.Integer(int(x)) for x in expr.atoms(sympy.Float) if float(x).is_integer()})
        factors = sympy.Mul.make_args(expr)
        plain = [f for f in factors if all(self._nodes[s].op is size_ for s in f.free_symbols)]
        front, rest = sympy.Mul(*plain), sympy.Mul(*(f for f in factors if f not in plain))
        if rest == 1 or front.is_Integer:
            return to_nodes(expr, self._nodes)
        negative = bool(front.as_coeff_Mul()[0].is_negative)
        node = mul(to_nodes(-front if negative else front, self._nodes), to_nodes(rest, self._nodes))
        return neg(node) if negative else node

    def _atom(self, node: Node) -> sympy.Expr:
        if node.op is size_ and node.attrs["size"].name.isdigit():
            return sympy.Integer(int(node.attrs["size"].name))
        if node.op is delta_:
            left, right = sorted((node.attrs["left"], node.attrs["right"]), key=lambda p: (isinstance(p, int), str(p)))
            node = delta(left, right)
        if node.op is counted_:
            return sympy.Add(*(self._counted(term, node) for term in sympy.Add.make_args(self.expr(node.inputs[0]))))
        if node.op is not sum_over_:
            return self._symbol(_key(node), node)
        index, (body,) = node.attrs["index"], node.inputs
        inner = self.expr(body)
        return sympy.Add(*(self._sum(term, index) for term in sympy.Add.make_args(inner)))

    def _counted(self, term: sympy.Expr, node: Node) -> sympy.Expr:
        """A product that counts only where there are such entries, with its number in front of it."""
        number, rest = term.as_coeff_Mul()
        made = where_there_is(node.attrs["bounds"], self.nodes(rest))
        if made.op is counted_:
            return number * self._symbol(_key(made), made)
        return sympy.Integer(0) if is_number(made, 0) else term

    def _sum(self, term: sympy.Expr, index: Index) -> sympy.Expr:
        """The sum of a product, with what is the same at every place in front of it."""
        factors = sympy.Mul.make_args(term)
        inside = [f for f in factors if any(_runs(self._nodes[s], index) for s in f.free_symbols)]
        body = self.nodes(sympy.Mul(*inside))
        taken = {*self._letters, *_letters(body)} - {index.letter}
        letter = next((x for x in NODE_LETTERS + MORE_LETTERS if x not in taken), index.letter)
        if not index.size.samples and letter != index.letter:
            body, index = put_in(body, index, Index(letter, index.size)), Index(letter, index.size)
        made = sum_over(index, body)
        return sympy.Mul(*(f for f in factors if f not in inside)) * self._symbol(_key(made), made)

    def _symbol(self, key: Hashable, node: Node) -> sympy.Symbol:
        if key not in self._symbols:
            # In the order of their appearance, deltas first.
            symbol = sympy.Symbol(f"{'' if node.op is delta_ else '~'}{len(self._symbols):05d}")
            self._symbols[key] = symbol
            self._nodes[symbol] = node
        return self._symbols[key]


def _key(node: Node) -> Hashable:
    """The same for the same entry form."""
    if node.symbol is not None:
        return node
    attrs = tuple(sorted((key, str(value)) for key, value in node.attrs.items()))
    return (node.op, attrs, tuple(map(_key, node.inputs)))


def _letters(node: Node) -> Iterator[str]:
    """Every letter in an entry form, those of its sums too."""
    for x in ancestors([node], stop=lambda x: x.symbol is not None):
        places = (x.attrs["index"],) if x.op is sum_over_ else positions_in(x)
        yield from (index.letter for place in places for index in letters_of(place))


def _runs(node: Node, index: object) -> bool:
    """Whether an atom differs from place to place of a sum over `index`."""
    return any(index in letters_of(place) for place in positions_in(node)) or any(_runs(x, index) for x in node.inputs)
