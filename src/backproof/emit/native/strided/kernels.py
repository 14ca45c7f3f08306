"""What a step on arrays does, one thing after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from backproof.emit.native.strided.values import Loaded, Value, loaded
from backproof.ir.node import Node


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """Where the entries of a value are put; with `adds` they are added to what is there."""

    target: Loaded
    value: Value
    adds: bool = False


@dataclass(eq=False, slots=True)
class Entrywise:
    """Values computed entry by entry, all of one shape; `nodes` are what is computed."""

    shape: tuple[int, ...]
    stores: list[Store]
    nodes: list[Node] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Reduction:
    """A sum, or the largest or smallest entry, over some axes of a value; the target has those axes with distance 0."""

    target: Loaded
    value: Value
    over: frozenset[int]
    kind: str
    nodes: list[Node] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Product:
    """The matrix product of the last two axes of two arrays, [rows, over] and [over, columns]; `adds` as of `Store`."""

    target: Loaded
    left: Loaded
    right: Loaded
    adds: bool
    nodes: list[Node] = field(default_factory=list)


Kernel = Entrywise | Reduction | Product


def targets(kernel: Kernel) -> list[Loaded]:
    """Where a kernel puts what it computes."""
    return [x.target for x in kernel.stores] if isinstance(kernel, Entrywise) else [kernel.target]


def read(kernel: Kernel) -> Iterator[Loaded]:
    """All that a kernel reads, that which it adds to included."""
    match kernel:
        case Entrywise(stores=stores):
            yield from loaded(*(x.value for x in stores))
            yield from (x.target for x in stores if x.adds)
            yield from loaded(*(y.value for x in stores for y in x.target.lookups))
        case Reduction(value=value):
            yield from loaded(value)
        case Product():
            yield from (kernel.left, kernel.right)
            if kernel.adds:
                yield kernel.target


def merged(kernels: list[Kernel]) -> list[Kernel]:
    """The same work with fewer passes: what goes through the same places as the kernel before is done along with it."""
    found: list[Kernel] = []
    for kernel in kernels:
        last = found[-1] if found else None
        if isinstance(kernel, Entrywise) and isinstance(last, Entrywise) and _fits(last, kernel):
            last.stores += kernel.stores
            last.nodes += kernel.nodes
        else:
            found.append(kernel)
    return found


MOST_STORES = 8
"""Up to how many values are computed in one pass."""


def _fits(first: Entrywise, second: Entrywise) -> bool:
    """Whether the second can be done place by place along with the first."""
    if first.shape != second.shape or len(first.stores) + len(second.stores) > MOST_STORES:
        return False
    written = {x.target.buffer: x.target for x in first.stores}
    if any(x.adds or x.target.lookups for x in (*first.stores, *second.stores)):
        return False
    touched = {x.buffer for x in loaded(*(x.value for x in first.stores))}
    if any(x.target.buffer in touched or x.target.buffer in written for x in second.stores):
        return False
    return all(_alike(x, written[x.buffer]) for x in read(second) if x.buffer in written)


def _alike(a: Loaded, b: Loaded) -> bool:
    return a.is_strided and b.is_strided and (a.offset, a.strides) == (b.offset, b.strides)
