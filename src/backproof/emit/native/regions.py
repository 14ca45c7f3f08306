"""The kernels of a step, as what they do and take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from backproof.emit.native.kernels import LEAVES, Contraction, Kernel, Plan, Relaid, bare
from backproof.emit.regions import Region, called, entries, names, operations
from backproof.emit.step import Step
from backproof.ir.node import Node, ancestors


def regions_of_kernels(plan: Plan, step: Step, sizes: Mapping[str, int]) -> list[Region]:
    """What each kernel does, in the order in which they run."""
    own = {bare(node): name for node, name in called(step).items()}
    stored = {node for node, _ in plan.stored()}
    return [_region(kernel, plan, sizes, own, stored) for kernel in plan.kernels]


def region_in_registers(step: Step, sizes: Mapping[str, int]) -> Region:
    """A step all of which is done in registers."""
    nodes = [x for x in ancestors([step.result, *step.after]) if x.inputs]
    read = sum(entries(x, sizes) for x in (*step.data, *step.numbers))
    work = sum(operations(x, sizes) for x in nodes)
    return Region("in registers", names(nodes, called(step)), (), work, read, 1)


def _region(kernel: Kernel, plan: Plan, sizes: Mapping[str, int], own: Mapping[Node, str], stored: set[Node]) -> Region:
    over = [size.name for size in (kernel.row, kernel.lane) if size is not None]
    if isinstance(kernel, Relaid):
        count = entries(kernel.node, sizes)
        return Region("another layout", names([kernel.node], own), tuple(over), 0, count, count)
    nodes = [*kernel.body, *kernel.sums]
    kind = "entry by entry"
    if isinstance(kernel, Contraction):
        kind, over = "matrix product", [*over, kernel.over.name]
        nodes = list(dict.fromkeys([kernel.root, *nodes]))
    read = {x for x in plan.read(kernel) if x not in nodes and x.op not in LEAVES}
    work = sum(operations(x, sizes) for x in (*nodes, *_within(nodes, plan)))
    written = sum(entries(x, sizes) for x in nodes if x in stored)
    return Region(kind, names(nodes, own), tuple(over), work, sum(entries(x, sizes) for x in read), written)


def _within(nodes: Sequence[Node], plan: Plan) -> Iterator[Node]:
    """What is computed where it is read, once for each operation that reads it."""
    for node in nodes:
        for x in map(bare, node.inputs):
            if plan.is_inner(x):
                yield x
                yield from _within([x], plan)
