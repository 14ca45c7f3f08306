"""Where on the data the derivative that is taken is a choice: entries on a kink, ties, roots of 0."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from backproof.execution.interpret import evaluate
from backproof.ir.node import Graph, Node
from backproof.ops.kinks import has_kinks, met
from backproof.ops.row import Array

MOST_SHOWN = 3
"""Of more entries than this the first ones are named, and the others counted."""


def kinks(graph: Graph) -> Iterator[str]:
    """A sentence for each operation that is taken where it has no derivative, on the values that the inputs have."""
    order = graph.nodes()
    varies: set[Node] = set(graph.parameters)
    for node in order:
        if not varies.isdisjoint(node.inputs):
            varies.add(node)
    concerned = [node for node in order if node in varies and node.inputs and has_kinks(node)]
    if not concerned:
        return
    given = {node: node.attrs["value"] for node in graph.inputs}
    values = {**evaluate({x for node in concerned for x in node.inputs}, given, {}), **given}
    within = _quantities(order)
    for node in concerned:
        found: dict[str, Array] = {}
        for text, mask in met(node, [np.asarray(values[x]) for x in node.inputs]):
            found[text] = found[text] | mask if text in found else mask
        for text, mask in found.items():
            if np.any(mask):
                yield f"{_where(node, within[node], mask)} {text}"


def _quantities(order: list[Node]) -> dict[Node, Node]:
    """For each operation the quantity that it is computed for."""
    found: dict[Node, Node] = {}
    for node in reversed(order):
        if node.symbol is not None:
            found[node] = node
        for x in node.inputs:
            if x.symbol is None:
                found.setdefault(x, found.get(node, node))
    return found


def _where(node: Node, quantity: Node, mask: Array) -> str:
    """The entries, by the name of what they are entries of where it has one."""
    shaped = [x for x in node.inputs if x.symbol is not None and x.shape and np.shape(mask) == _lengths(x)]
    named = next((x for x in sorted(shaped, key=lambda x: "outside" in x.attrs)), None)
    places = [str([int(k) + 1 for k in place]).replace(" ", "") for place in np.argwhere(mask)]
    shown = [f"{named.symbol if named is not None else ''}{place}" for place in places[:MOST_SHOWN]]
    more = f" and {len(places) - MOST_SHOWN} more" if len(places) > MOST_SHOWN else ""
    at = f" at {', '.join(shown)}{more}" if np.ndim(mask) else ""
    return f"On these data {quantity.symbol} is computed where it has no derivative{at}:"


def _lengths(x: Node) -> tuple[int | None, ...]:
    return tuple(size.value for size in x.shape)
