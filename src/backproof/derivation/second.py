"""The second order: the derivative of a gradient along a direction, as a derivation of its own.

The backward pass of a derivation is only another graph, so its gradients can be differentiated like anything else. The
scalar s = Σ dW * V is the derivative of the result along V; its derivative by W is the Hessian times V.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import reduce

from backproof.derivation.derivation import Derivation
from backproof.derivation.derive import derive
from backproof.derivation.steps import ForwardStep
from backproof.ir.errors import BackproofError, NameUnknownError
from backproof.ir.node import Graph, Node
from backproof.ir.symbol import Symbol
from backproof.ops.arithmetic import add, mul
from backproof.ops.leaves import variable
from backproof.ops.linear import total


def along(first: Derivation, names: Sequence[str], by: Sequence[str] = ()) -> Derivation:
    """The derivation of the Hessian times a vector: s = Σ dW * V for the arguments `names`, and how s depends on them.

    Each argument has a direction of its own, a further input: V for W, v for x. Raises BackproofError for a name that
    the first derivation has no gradient of. `by` names the arguments that s is differentiated by, unless it is those.
    """
    if first.first is not None:
        raise BackproofError(
            "this derivation is of the second order already",
            why="derivatives have names up to the second order",
            instead="values of any order: backproof.autograd",
        )
    if first.mean != "loss":
        raise BackproofError(
            'only a derivation with mean="loss" can be differentiated again',
            why='with mean="parameters" its steps are derivatives of two scalars',
            instead='derive with mean="loss"',
        )
    arguments = [argument_of(first, name) for name in dict.fromkeys(names)]
    wanted = [argument_of(first, name) for name in by] or arguments
    taken = set(first.quantities)
    directions = {_direction(x, taken): x for x in arguments}
    terms = [_inner(first.gradients[str(x.symbol)], v) for v, x in directions.items()]
    s = reduce(add, terms).named(free(Symbol("s"), taken))
    inputs = (*first.graph.inputs, *directions)
    second = derive(Graph(inputs, (s,), tuple(wanted)), opened=True, second=True)
    known = [*first.forward, *(ForwardStep(step.node, step.node) for step in first.backward), ForwardStep(s, s)]
    return replace(
        second,
        graph=Graph(inputs, (s,), first.graph.parameters),
        forward=tuple(known),
        sources=first.sources,
        notes=first.notes,
        first=first,
        directions=directions,
    )


def argument_of(first: Derivation, name: str) -> Node:
    """The argument of that name that the derivation has a gradient of."""
    found = {str(x.symbol): x for x in first.graph.inputs if str(x.symbol) in first.gradients}
    if name not in found:
        raise NameUnknownError(
            f"there is no derivative by {name!r}",
            instead=f"the derivation has those by {', '.join(found)}; wrt asks for others, of a network inputs",
        )
    return found[name]


def _direction(x: Node, taken: set[str]) -> Node:
    """The direction that an argument is varied in: V2 for W2, V[2] for W[2], v for x."""
    assert x.symbol is not None
    letter = "V" if x.symbol.base[:1].isupper() else "v"
    number = re.search(r"\d*$", x.symbol.base)
    assert number is not None
    symbol = free(Symbol(letter + number[0], x.symbol.layer), taken)
    taken.add(str(symbol))
    return variable(symbol, x.shape)


def free(symbol: Symbol, taken: Collection[str]) -> Symbol:
    """The symbol, with underscores after its name if there is a quantity of that name."""
    while str(symbol) in taken:
        symbol = replace(symbol, base=f"{symbol.base}_")
    return symbol


def _inner(a: Node, b: Node) -> Node:
    """The sum of the products of entries."""
    return total(mul(a, b), tuple(range(-len(a.shape), 0)), keepdims=False) if a.shape else mul(a, b)
