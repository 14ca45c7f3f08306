"""Entries of derivatives on which no other derivative depends: what stands there does not matter.

Of a maximum that several entries share, each may be given all of its derivative, or a part of it. Where a relu that is
zero at these entries comes next, that is all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce

import numpy as np

from backproof.checking.equations import operands
from backproof.derivation.steps import BackwardStep
from backproof.execution.interpret import evaluate
from backproof.ir.node import Node
from backproof.ops.arithmetic import add, div, mul, neg, sub
from backproof.ops.linear import transpose
from backproof.ops.row import Array
from backproof.ops.shaping import permute, reshape, squeeze

MOVED = (reshape, permute, transpose, squeeze)
"""What gives each entry of its input a place in its result, and nothing else."""


def idle_entries(steps: Sequence[BackwardStep], value: Callable[[Node], Array]) -> Mapping[Node, Array]:
    """Of each derivative that has such entries, which they are; `value` gives what a node is."""
    readers: dict[Node, list[BackwardStep]] = {}
    for step in steps:
        for node in dict.fromkeys(operands(step.raw)):
            readers.setdefault(node, []).append(step)
    found: dict[Node, Array] = {}
    for step in reversed(steps):
        node = step.node
        each = [_behind(x.raw, node, found.get(x.node), value) for x in readers.get(node, ())]
        idle = reduce(np.logical_and, each) if each else np.array(False)
        if idle.any():
            found[node] = idle
    return found


def _behind(root: Node, of: Node, idle: Array | None, value: Callable[[Node], Array]) -> Array:
    """The entries of a quantity in an equation that no entry depends on but those that are idle themselves."""
    if idle is None:
        idle = np.zeros(value(root).shape, bool)
    if root is of:
        return idle
    inputs = [x for x in root.inputs if x is of or (x.symbol is None and of in operands(x))]
    if root.op in MOVED:
        (child,) = inputs
        places = np.arange(idle.size).reshape(value(child).shape)
        moved = evaluate([root], {child: places}, {})[root]
        behind = np.empty(idle.size, bool)
        behind[moved.astype(int)] = idle
        return _behind(child, of, behind.reshape(places.shape), value)
    if root.op not in (add, sub, neg, mul, div) or any(value(x).shape != idle.shape for x in inputs):
        return np.array(False)
    others = [x for x in root.inputs if x not in inputs] if root.op is mul else []
    zero = [np.broadcast_to(value(x) == 0, idle.shape) for x in others]
    if (root.op is div and inputs != [root.inputs[0]]) or (root.op is mul and not others):
        return np.array(False)
    return reduce(np.logical_and, [_behind(x, of, reduce(np.logical_or, zero, idle), value) for x in inputs])
