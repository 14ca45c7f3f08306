"""The picture of a network: its nodes layer by layer, with their symbols."""

from __future__ import annotations

from backproof.derivation.derivation import Derivation
from backproof.ir.node import Node
from backproof.ir.sizes import ONE, Size
from backproof.ir.symbol import Symbol
from backproof.write.doc import Dot, Figure
from backproof.write.spell import entry

MOST_NODES = 5
MOST_LAYERS = 6


def diagram(derivation: Derivation) -> Figure | None:
    """The layers X, A[1], … of a network, each node joined to every node of the next layer; None if it has no layers.

    Layers of more than five nodes show the first three and the last; networks of more than six layers leave out the
    middle ones.
    """
    layers = [node for name, node in derivation.quantities.items() if name == "X" or _is_activation(node)]
    if len(layers) < 2:
        return None
    shown: list[Node | None] = list(layers)
    if len(layers) > MOST_LAYERS:
        shown = [*layers[:3], None, *layers[-2:]]
    dots: list[Dot] = []
    lines: list[tuple[int, int]] = []
    captions: list[tuple[float, tuple[str, ...]]] = []
    columns = [_column(node) if node is not None else [None] for node in shown]
    tallest = max(map(len, columns))
    before: list[int] = []
    for x, (node, column) in enumerate(zip(shown, columns, strict=True)):
        now: list[int] = []
        top = (tallest - len(column)) / 2
        for y, label in enumerate(column):
            if label is not None and node is not None:
                now.append(len(dots))
                assert node.symbol is not None
                places = tuple(None if size.samples or size == ONE else label for size in node.shape)
                shape = tuple(ONE if size.samples else size for size in node.shape)
                dots.append(Dot(x, top + y, entry(node.symbol, shape, places)))
            else:
                dots.append(Dot(x, top + y, None))
        lines += [(a, b) for a in before for b in now]
        captions.append((x, (_caption(node, derivation),)))
        before = now
    alt = "The network: " + ", then ".join(_caption(node, derivation) for node in shown)
    return Figure("network", alt, tuple(dots), tuple(lines), tuple(captions))


def _is_activation(node: Node) -> bool:
    return node.symbol is not None and node.symbol.base == "A" and not node.symbol.prefix


def _width(node: Node) -> Size:
    return next(size for size in node.shape if not size.samples)


def _column(node: Node) -> list[int | str | None]:
    """The labels of a layer's nodes, None where nodes are left out."""
    size = _width(node)
    if size.value is None:
        return [1, 2, None, size.name]
    if size.value > MOST_NODES:
        return [1, 2, 3, None, size.value]
    return list(range(1, size.value + 1))


def _caption(node: Node | None, derivation: Derivation) -> str:
    if node is None:
        return "…"
    assert node.symbol is not None
    if node.symbol == Symbol("X"):
        return "input"
    last = max(n.symbol.layer or 0 for n in derivation.quantities.values() if n.symbol is not None)
    return "output" if node.symbol.layer == last else f"layer {node.symbol.layer}"
