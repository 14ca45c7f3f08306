"""A step of a training as a graph: what goes in, what is kept from step to step, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass

from backproof.ir.node import Node
from backproof.ir.sizes import Size


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
