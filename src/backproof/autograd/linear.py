"""Derivatives as linear maps between arrays, written as nodes: the sweep gives one, and sweeping it turns it round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from types import MappingProxyType

import numpy as np

from backproof.derivation.sweep import sweep
from backproof.execution.interpret import Plan
from backproof.ir.node import Node, ancestors
from backproof.ir.sizes import Shape
from backproof.ir.symbol import Symbol
from backproof.ops.arithmetic import add, mul
from backproof.ops.leaves import constant, variable
from backproof.ops.linear import stretched, unstretched
from backproof.ops.row import Array

NOTHING: Mapping[Node, Array] = MappingProxyType({})


class Linear:
    """A linear map: `outputs` are computed from the leaves `inputs`, and from values that a run has left.

    `point` holds values of other leaves that are its own.
    """

    def __init__(self, inputs: Sequence[Node], outputs: Sequence[Node], point: Mapping[Node, Array] = NOTHING) -> None:
        self.inputs, self.outputs, self.point = inputs, outputs, point

    def values(self, known: Mapping[Node, Array], arrays: Sequence[Array]) -> dict[Node, Array]:
        """The values of the outputs and of all that they are computed from, for values of the inputs."""
        given = {**known, **self.point, **dict(zip(self.inputs, arrays, strict=True))}
        needed = {x: given[x] for x in ancestors(self.outputs, stop=given.__contains__) if x in given}
        return Plan(self.outputs, needed, {}).run(needed)

    def transposed(self, seeds: Sequence[Node] | None = None) -> Linear:
        """The map that acts from the other side. Swept by its inputs, wherever they are, a linear map gives that."""
        turned = pullback(self.outputs, self.inputs, seeds)
        return Linear(turned.inputs, turned.outputs, {x: np.zeros(_lengths(x.shape)) for x in self.inputs})


def pullback(outputs: Sequence[Node], leaves: Sequence[Node], seeds: Sequence[Node] | None = None) -> Linear:
    """g ↦ gᵀ·J, for the Jacobian J of `outputs` by `leaves`; a g for each output, a result for each leaf.

    The g may be given as `seeds`; otherwise they are leaves of their own.
    """
    if seeds is None:
        seeds = [variable(Symbol(f"g{k}"), x.shape) for k, x in enumerate(outputs, 1)]
    if len(outputs) == 1 and outputs[0] not in leaves:
        (root,), (seed,) = outputs, seeds
    else:
        # Of several outputs the sum is swept, each weighted by its g.
        terms = [unstretched(mul(g, x), ()) for g, x in zip(seeds, outputs, strict=True)]
        root, seed = reduce(add, terms, constant(0)), constant(1)
    found = {x.of: x.raw for x in sweep(root, seed, leaves, lambda x: x.raw)}
    return Linear(seeds, [stretched(found.get(leaf, constant(0)), leaf.shape) for leaf in leaves])


def _lengths(shape: Shape) -> tuple[int, ...]:
    return tuple(size.value or 0 for size in shape)
