"""A step of a training as a graph: what goes in, what is kept from step to step, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from backproof.ir.node import Node, ancestors
from backproof.ir.sizes import ONE, Size
from backproof.ops.leaves import input_
from backproof.ops.linear import matmul


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What one step of a training computes.

    data     inputs that each step has its own part of; the axis `samples` of these is the batch
    numbers  inputs without axes that each step has its own values of: the learning rate
    state    inputs that a step leaves other values of: the parameters, and what an optimiser keeps
    after    what becomes of each of these
    result   the number that each step reports: J
    """

    data: tuple[Node, ...]
    numbers: tuple[Node, ...]
    state: tuple[Node, ...]
    after: tuple[Node, ...]
    result: Node
    samples: Size

    @property
    def others(self) -> list[Node]:
        """Inputs that are none of these: arrays that always have the values that they came with."""
        given = {*self.data, *self.numbers, *self.state}
        return [x for x in ancestors([self.result, *self.after]) if x.op is input_ and x not in given]

    def operations(self, sizes: Mapping[str, int]) -> int:
        """How many operations on single entries a step takes for one sample, about."""
        total = 0
        for node in ancestors([self.result, *self.after]):
            own = [size for size in node.shape if size not in (ONE, self.samples)]
            if node.op is matmul and node.inputs[0].shape[-1] not in (ONE, self.samples):
                own.append(node.inputs[0].shape[-1])
            total += prod(sizes.get(size.name, size.value or 1) for size in own)
        return total

    def described(self, sizes: Mapping[str, int]) -> str:
        """A text that is the same for steps that compute the same on arrays of the same sizes."""
        numbers: dict[Node, int] = {}
        given = {*self.data, *self.numbers, *self.state}
        lines = []
        for node in ancestors([self.result, *self.after]):
            numbers[node] = len(numbers)
            attrs = {name: plain(x) for name, x in sorted(node.attrs.items()) if name != "value" or node not in given}
            lengths = [sizes.get(size.name, size.value) for size in node.shape]
            inputs = [numbers[x] for x in node.inputs]
            scalar = getattr(node.op, "scalar", None)
            names = [size.name for size in node.shape]
            lines.append(f"{node.op.name} {scalar} {inputs} {names} {lengths} {attrs} {node.symbol}")
        roles = [self.data, self.numbers, self.state, self.after, (self.result,)]
        lines += [str([numbers.get(x) for x in role]) for role in roles]
        return "\n".join([*lines, self.samples.name])


def plain(value: Any) -> Any:
    """An attribute as something that is written as what it is."""
    return (value.shape, str(value.dtype), value.tobytes()) if isinstance(value, np.ndarray) else value
