"""Jacobians and Hessians as formulas, read off the derivation of their product with a vector."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations_with_replacement

from backproof.derivation.derivation import Derivation, Jacobian
from backproof.derivation.derive import derive
from backproof.derivation.matrices import in_closed_form
from backproof.derivation.once import Once
from backproof.derivation.proof import entry_derivative, is_formula_in
from backproof.derivation.second import along, argument_of, free
from backproof.derivation.steps import CodeLine
from backproof.ir.node import Graph, Node, ancestors
from backproof.ir.sizes import ONE, Index
from backproof.ir.symbol import Symbol
from backproof.ops.complexes import complex_nodes
from backproof.ops.entries import LetterPool, entry_of
from backproof.ops.leaves import variable
from backproof.ops.linear import restated

MOST_OPERATIONS = 40
"""A formula of more operations than this is not one that a person would read: the steps are shown instead."""
MOST_READ = 400
"""A product of more operations than this is not put into one expression, in the hope that a short formula comes out."""


def with_hessians(first: Derivation, names: Sequence[str]) -> Derivation:
    """A derivation with the Hessian by the arguments `names`: of several, a block for each pair.

    Raises BackproofError for an unknown name.
    """
    arguments = [argument_of(first, name) for name in dict.fromkeys(names)]
    known = list(first.quantities.values())
    found = []
    for x, y in combinations_with_replacement(arguments, 2):
        product = along(first, [str(x.symbol)], by=[str(y.symbol)])
        symbol = Symbol("H") if len(arguments) == 1 else Symbol("_".join(["H", *map(_plain, (x, y))]))
        gradient = first.gradients[str(x.symbol)]
        found.append(_jacobian(free(symbol, first.quantities), gradient, y, product, known))
    return replace(first, jacobians=tuple(found))


def with_jacobians(
    graph: Graph,
    *,
    sources: Mapping[Node, CodeLine] | None = None,
    notes: Sequence[str] = (),
    opened: bool = False,
) -> Derivation:
    """The derivation of a graph with any output: its forward pass, and the Jacobian by each of its parameters."""
    (y,) = graph.outputs
    assert y.symbol is not None
    seed = variable(y.symbol.derivative("J"), y.shape)
    product = derive(
        Graph((*graph.inputs, seed), (y,), graph.parameters), sources=sources, notes=notes, opened=opened, seed=seed
    )
    base = Derivation(graph, product.forward, (), "loss", sources or {}, tuple(notes))
    found = []
    for x in graph.parameters:
        symbol = free(Symbol(f"d{_plain(y)}_d{_plain(x)}"), base.quantities)
        found.append(_jacobian(symbol, y, x, product, list(base.quantities.values())))
    return replace(base, jacobians=tuple(found))


def _plain(node: Node) -> str:
    """A quantity's name without brackets."""
    return re.sub(r"\W", "", str(node.symbol))


def _jacobian(symbol: Symbol, of: Node, by: Node, product: Derivation, known: Sequence[Node]) -> Jacobian:
    # Here and not above: SymPy takes long to import, and derivations without Jacobians do not need it.
    from backproof.derivation.entry import placed, shortened
    from backproof.derivation.matrix import matrix_of

    image = product.gradients[str(by.symbol)]
    v = product.graph.inputs[-1]
    applied = _put_in(image, {step.node for step in product.backward})
    # An index is not to be taken for a quantity: p_p.
    names = {name.lower() if node.shape else name for name, node in product.quantities.items() if len(name) == 1}
    letters = LetterPool(Index(name, ONE) for name in names)
    of_place, by_place = letters.place(of.shape), letters.place(by.shape)
    reserved = names | {place.letter for place in (*of_place, *by_place) if isinstance(place, Index)}
    matrix = entry = None
    # Of complex numbers the real part is taken, so what stands in front of the vector is not the matrix.
    if _operations(applied) <= MOST_READ and complex_nodes(ancestors([applied])) is None:
        matrix = _if_short(matrix_of(applied, v, known))
        if matrix is not None:
            closed = in_closed_form(matrix, Once())
            matrix = restated(closed[-1].result if closed else matrix).named(symbol)
            entry = shortened(entry_of(matrix, (*of_place, *by_place), letters), reserved)
        else:
            found = placed(entry_of(applied, by_place, letters), letters)
            if is_formula_in(found, v):
                entry = _if_short(shortened(entry_derivative(found, v, of_place), reserved))
    return Jacobian(symbol, of, by, product, _if_short(applied), matrix, (of_place, by_place), entry)


def _if_short(formula: Node | None) -> Node | None:
    return formula if formula is not None and _operations(formula) <= MOST_OPERATIONS else None


def _put_in(image: Node, steps: set[Node]) -> Node:
    """The last step as one expression in what was known before, with equal parts as the same nodes."""
    done: dict[Node, Node] = {}
    made: dict[tuple[object, ...], Node] = {}
    for node in ancestors([image], stop=lambda x: x.symbol is not None and x not in steps):
        if node.symbol is not None and node not in steps:
            done[node] = node
            continue
        inputs = tuple(done[x] for x in node.inputs)
        if node.op.name == "stretch" and inputs[0].shape == node.shape:
            done[node] = inputs[0]
            continue
        key = (node.op, inputs, str(sorted(node.attrs.items(), key=str)))
        done[node] = made.setdefault(key, Node(node.op, inputs, node.shape, node.attrs))
    return done[image]


def _operations(root: Node) -> int:
    """How many operations a formula shows, those of a part that stands twice counted twice."""
    counts: dict[Node, int] = {}
    for node in ancestors([root], stop=lambda x: x.symbol is not None):
        own = 0 if node.symbol is not None or not node.inputs or node.op.name in ("stretch", "expand", "squeeze") else 1
        counts[node] = own + (sum(counts[x] for x in node.inputs) if node.symbol is None else 0)
    return counts[root]
