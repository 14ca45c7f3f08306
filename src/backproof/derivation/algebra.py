"""Algebra on the element-wise parts of an expression: cancel, pull constants out of sums, use what is known of sums.

A region of sums, differences, products and quotients is one scalar formula in its atoms (everything else); SymPy
shortens it, and it comes back as nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import sympy

from backproof.ir.node import Node
from backproof.ir.sizes import ONE
from backproof.ops.calculus import tidy
from backproof.ops.entries import Places, at, at_, entry_of
from backproof.ops.formula import to_expr, to_nodes
from backproof.ops.linear import expand, stretch, stretched, sum_, total


def told_to_add_up(node: Node) -> Collection[int]:
    """The axes along which a leaf adds up to 1 because its graph says so: those of a network's labels."""
    return (node.attrs["sums_to_one"],) if "sums_to_one" in node.attrs else ()


class Algebra:
    """One expression under simplification.

    `opens` tells which named nodes are looked into, `adds_up` along which axes an array is known to add up to 1.
    `used` are the arrays of which this was used.
    """

    def __init__(
        self, opens: Callable[[Node], bool], *, adds_up: Callable[[Node], Collection[int]] = told_to_add_up
    ) -> None:
        self.used: dict[Node, tuple[int, ...]] = {}
        self._opens = opens
        self._adds_up = adds_up
        self._given: dict[sympy.Symbol, sympy.Expr] = {}
        self._symbols: dict[object, sympy.Symbol] = {}
        self._nodes: dict[sympy.Symbol, Node] = {}

    def expr(self, node: Node) -> sympy.Expr:
        """The node as a formula in its atoms."""
        expr = to_expr(node, self.atom, opens=self._opens)
        return sympy.powsimp(sympy.expand(expr.subs(self._given))) if self._given else expr

    def give(self, symbol: sympy.Symbol, value: sympy.Expr) -> None:
        """From here on, an atom is written as `value`, also inside sums."""
        self._given[symbol] = value

    def nodes(self, expr: sympy.Expr, like: Node) -> Node:
        """A formula as nodes, of the shape of `like`."""
        return stretched(to_nodes(expr, self._nodes), like.shape)

    def atom(self, node: Node) -> sympy.Expr:
        """What an atom stands for: a symbol, or for a sum what is left of it when constants are pulled out."""
        if node.op is stretch and node.symbol is None:
            return to_expr(node.inputs[0], self.atom, opens=self._opens)
        if (number := _number(node)) is not None:
            return to_expr(number, self.atom, opens=self._opens)
        if node.op is sum_ and node.symbol is None and node not in self._symbols and node.attrs["keepdims"]:
            return self._sum(node)
        return self.symbol(node, node)

    def symbol(self, key: object, node: Node) -> sympy.Symbol:
        """The symbol of an atom; the same key gets the same symbol."""
        if key not in self._symbols:
            # The position keeps two atoms of one label apart; the label in front keeps SymPy's order readable.
            label = str(node.symbol) if node.symbol is not None else node.op.name
            symbol = sympy.Symbol(f"{label}@{len(self._symbols)}")
            self._symbols[key] = symbol
            self._nodes[symbol] = node
        return self._symbols[key]

    def known(self) -> list[tuple[sympy.Symbol, Node]]:
        """The atoms so far."""
        return list(self._nodes.items())

    def _sum(self, node: Node) -> sympy.Expr:
        (body,) = node.inputs
        axes = node.attrs["axes"]
        inner = tidy(sympy.powsimp(sympy.expand(self.expr(body))))
        outside: list[sympy.Expr] = []
        inside: list[sympy.Expr] = []
        for factor in sympy.Mul.make_args(inner):
            constant = all(self._is_constant(self._nodes[s], axes) for s in factor.free_symbols)
            (outside if constant else inside).append(factor)
        rest = sympy.Mul(*inside)
        if rest.is_Symbol and len(axes) == 1 and axes[0] in self._adds_up(self._nodes[rest]):
            self.used[self._nodes[rest]] = axes
            return sympy.Mul(*outside)
        if not inside:
            return self.symbol(node, node)
        summed = total(self.nodes(rest, body), axes)
        return sympy.Mul(*outside) * self.symbol((axes, str(rest)), summed)

    @staticmethod
    def _is_constant(node: Node, axes: tuple[int, ...]) -> bool:
        return all(-axis > len(node.shape) or node.shape[axis] == ONE for axis in axes)


def _number(node: Node) -> Node | None:
    """The number that an array without a name is everywhere, if it was stretched to it and given more axes."""
    if not node.shape:
        return None
    while node.symbol is None and node.op in (stretch, expand):
        (node,) = node.inputs
    return None if node.shape else node


def through_output(result: Node, body: Node, x: Node, y: Node) -> Node:
    """`result`, an expression in `x`, with `x` written through `y`, the output of `body`, and shortened.

    The body is solved for its input, its sums being taken as given; with softmax, y = eˣ/s gives eˣ = y·s.
    """
    algebra = Algebra(opens=lambda node: False)
    given = to_expr(body, lambda node: algebra.symbol(node, node), opens=lambda node: False)
    unknown, output = algebra.symbol(x, x), algebra.symbol(y, y)
    (inverse,) = sympy.solve(sympy.Eq(output, given), unknown)
    algebra.give(unknown, inverse)
    return algebra.nodes(tidy(algebra.expr(result)), x)


def entries_through_output(formula: Node, y: Node, place: Places) -> Node:
    """An entry form in the input of the composite `y`, written through entries of `y`; `place` is where it was opened.

    The sums of the body are the same numbers for every entry of a sample, so they cancel.
    """
    (x,) = y.inputs
    algebra = Algebra(opens=lambda node: False)

    def atom(node: Node) -> sympy.Expr:
        if node.op is at_:
            return algebra.symbol((node.inputs[0], node.attrs["place"]), node)
        return algebra.symbol("sum", node)

    given = to_expr(entry_of(y, place), atom, opens=lambda node: False)
    output, unknown = sympy.Symbol("output"), atom(at(x, place))
    if not given.has(unknown):
        return formula  # over one entry, softmax is 1 whatever the entry is
    (inverse,) = sympy.solve(sympy.Eq(output, given), unknown)
    expr = to_expr(formula, atom, opens=lambda node: False)
    entries = {s: node for s, node in algebra.known() if node.op is at_ and node.inputs[0] is x}
    for symbol, node in entries.items():
        value = at(y, node.attrs["place"])
        expr = expr.subs(symbol, inverse.subs(output, atom(value)))
    return algebra.nodes(tidy(sympy.powsimp(sympy.expand(expr))), formula)
