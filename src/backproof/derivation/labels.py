"""Labels given as an array whose rows, or columns, add up to 1: the shorter equations that this leads to.

It holds of the data that code was followed on, not of all that it may be run on. So it is written behind the equation
that is computed, as an assumption, and the numbers never depend on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from backproof.derivation.once import exchanged
from backproof.derivation.simplify import log_probabilities, opens, work
from backproof.derivation.steps import BackwardStep, Rewrite
from backproof.ir.node import Graph, Node, right_side
from backproof.ir.sizes import ONE
from backproof.ops.linear import sum_

Axes = Mapping[Node, tuple[int, ...]]

ROUNDING = 1e-9
"""How far a sum of shares may be from 1."""


def distributions(graph: Graph) -> dict[Node, tuple[int, ...]]:
    """The matrices among the data whose entries are shares that add up to 1, and the axes along which they do.

    What derivatives are taken by is none of them: it is moved, and then the sum is no longer 1.
    """
    found = {}
    for node in graph.inputs:
        if node in graph.parameters or len(node.shape) != 2 or ONE in node.shape or "value" not in node.attrs:
            continue
        value = np.asarray(node.attrs["value"])
        if value.dtype.kind in "biuf" and np.all(value >= 0):
            axes = tuple(axis for axis in (-1, -2) if np.all(np.abs(value.sum(axis=axis) - 1) <= ROUNDING))
            if axes:
                found[node] = axes
    return found


def shares_added_up(steps: Iterable[BackwardStep], known: Axes) -> dict[BackwardStep, tuple[Rewrite, ...]]:
    """Of each step whose equation this shortens, the rewrites that lead from what is computed to the shorter form."""
    found = {}
    for step in steps:
        rewrites = _shortened(step.node, known) if known else ()
        if rewrites:
            found[step] = rewrites
    return found


def _shortened(node: Node, known: Axes) -> tuple[Rewrite, ...]:
    inside = right_side(node)
    if not any(x.op is sum_ for x in inside):
        return ()
    opened = [x for x in inside[:-1] if opens(x) and any(y in known for y in right_side(x))]
    if not opened and not any(x in known for x in inside):
        return ()
    # Here and not above: SymPy takes long to import, and most equations have no labels in them.
    from backproof.derivation.algebra import Algebra
    from backproof.ops.calculus import tidy

    put_in = exchanged(node, {x: Node(x.op, x.inputs, x.shape, x.attrs) for x in opened})
    algebra = Algebra(opens=lambda x: False, adds_up=lambda x: known.get(x, ()))
    short = algebra.nodes(tidy(algebra.expr(put_in)), node)
    if not algebra.used or work(short) >= work(node):
        return ()
    names = " and ".join(f"{{{k}}}" for k in range(len(opened)))
    found = [Rewrite(put_in, f"{names} {'is' if len(opened) == 1 else 'are'} put in.", tuple(opened))] if opened else []
    ((labels, axes), *_) = algebra.used.items()
    line = "row" if axes == (-1,) else "column"
    meaning = f"Each {line} of {{0}} adds up to 1, as in the data given."
    logarithms = log_probabilities(short)
    if logarithms:
        meaning += " The exponential of {1} is the softmax of {2}: the probabilities."
    meaning += " The values are computed without this, so they are right for other data too."
    return (*found, Rewrite(short, meaning, (labels, *logarithms)))
