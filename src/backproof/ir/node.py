"""Nodes: an operation applied to nodes. A backward pass is made of the same nodes as a forward pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, Protocol

from backproof.ir.errors import BackproofError
from backproof.ir.sizes import Shape, show
from backproof.ir.symbol import Symbol

NO_ATTRS: Mapping[str, Any] = MappingProxyType({})


class Op(Protocol):
    """What a graph needs to know of an operation; the rest stands in its row of the table."""

    @property
    def name(self) -> str: ...


@dataclass(slots=True, eq=False)
class Node:
    """An operation applied to nodes. Two nodes are equal only if they are the same object.

    A node with a symbol is a quantity of its own: formulas stop at it and print its symbol.
    """

    # Final and not a frozen dataclass, which takes four times as long to make: there are several for each operation.
    op: Final[Op]
    inputs: Final[tuple[Node, ...]]
    shape: Final[Shape]
    attrs: Final[Mapping[str, Any]] = field(default_factory=lambda: NO_ATTRS)
    symbol: Final[Symbol | None] = None

    def __repr__(self) -> str:
        # Inputs by name only: a graph is as deep as a network, and nobody reads nested dumps.
        inputs = ", ".join(str(x.symbol or x.op.name) for x in self.inputs)
        name = f"{self.symbol} = " if self.symbol else ""
        return f"<{name}{self.op.name}({inputs}): {show(self.shape)}>"

    def named(self, symbol: Symbol | None) -> Node:
        """The same operation as a quantity of its own, or as part of a formula."""
        return Node(self.op, self.inputs, self.shape, self.attrs, symbol)

    def on(self, inputs: tuple[Node, ...]) -> Node:
        """The same operation on other inputs of the same shapes; the same node where they are its own."""
        return self if inputs == self.inputs else Node(self.op, inputs, self.shape, self.attrs, self.symbol)


def ancestors(outputs: Iterable[Node], *, stop: Callable[[Node], bool] | None = None) -> list[Node]:
    """Every node that `outputs` depend on and themselves, inputs before the nodes that use them.

    Nodes for which `stop` holds are listed, what lies behind them is not. Iterative: a graph may be of any depth.
    """
    order: list[Node] = []
    entered: dict[Node, bool] = {}  # whether the node is in the order already
    stack = list(outputs)[::-1]
    while stack:
        node = stack[-1]
        listed = entered.get(node)
        if listed is None and node.inputs and (stop is None or not stop(node)):
            entered[node] = False
            for x in node.inputs[::-1]:
                if x not in entered:
                    stack.append(x)
            continue
        stack.pop()
        if not listed:
            entered[node] = True
            order.append(node)
    return order


def _is_quantity(node: Node) -> bool:
    return node.symbol is not None


@lru_cache(maxsize=64)  # every rule of simplification asks for that of the same equation
def right_side(root: Node) -> tuple[Node, ...]:
    """The nodes of one equation's right side: what it is written in and its operations, inputs first, the root last."""
    return (*ancestors(root.inputs, stop=_is_quantity), root)


def substitutions(roots: Iterable[Node], mapping: Mapping[Node, Node]) -> dict[Node, Node]:
    """What becomes of each node when nodes are replaced; what does not depend on a replaced one is kept as it is."""
    done: dict[Node, Node] = dict(mapping)
    for node in ancestors(roots, stop=lambda node: node in mapping):
        if node in done:
            continue
        done[node] = node.on(tuple([done[x] for x in node.inputs]))
    return done


def substitute(root: Node, mapping: Mapping[Node, Node]) -> Node:
    """`root` with nodes replaced."""
    return substitutions([root], mapping)[root]


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Named inputs and named outputs, and all that lies between.

    `inputs` are the leaves that data are given for, `parameters` those of them that are learned.
    """

    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]
    parameters: tuple[Node, ...] = ()

    def __post_init__(self) -> None:
        names: dict[str, Node] = {}
        leaves = set(self.inputs)
        for node in self.nodes():
            if node.symbol is not None and names.setdefault(str(node.symbol), node) is not node:
                raise BackproofError(f"two quantities are called {node.symbol}", why="a symbol names one quantity")
            if node.op.name == "input" and node not in leaves:
                raise BackproofError(f"{node.symbol} is used but is not an input of the graph")

    def nodes(self) -> list[Node]:
        """Every node, inputs before the nodes that use them."""
        return ancestors([*self.inputs, *self.outputs])

    def quantities(self) -> dict[str, Node]:
        """The nodes that have a symbol, by its plain name, in the order of `nodes`."""
        return {str(node.symbol): node for node in self.nodes() if node.symbol is not None}
