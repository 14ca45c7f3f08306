"""Equations of one form are worked out once: a loop has the same ones again and again, in other quantities."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace

from backproof.derivation.steps import Rewrite
from backproof.ir.node import Node, right_side
from backproof.ops.leaves import constant_

Rule = Callable[[Node], list[Rewrite]]
"""Looks at the right side of an equation alone: at its quantities only for what `_kind` has of them."""


class Once:
    """Applies a rule to one equation of each form; what it makes of the others is the same in their quantities."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[Sequence[Node], list[Rewrite]]] = {}

    def __call__(self, rule: Rule, root: Node) -> list[Rewrite]:
        quantities = [x for x in right_side(root) if x.symbol is not None and x is not root]
        key = rule, _form(root), _order(quantities)
        if key not in self._known:
            self._known[key] = quantities, rule(root)
        first, found = self._known[key]
        if first == quantities:
            return found
        mapping = dict(zip(first, quantities, strict=True))
        return [_in_others(step, mapping) for step in found]


def _in_others(step: Rewrite, mapping: Mapping[Node, Node]) -> Rewrite:
    named = tuple([exchanged(x, mapping) for x in step.named])
    return replace(step, result=exchanged(step.result, mapping), named=named)


def exchanged(root: Node, mapping: Mapping[Node, Node]) -> Node:
    """`root` with nodes of this equation exchanged; unlike `substitute`, the equations behind it are not looked at."""
    done = dict(mapping)
    for node in right_side(root):
        if node in mapping or (node.symbol is not None and node is not root):
            done.setdefault(node, node)
            continue
        done[node] = node.on(tuple([done[x] for x in node.inputs]))
    return done[root]


def _form(root: Node) -> Hashable:
    """What an equation's right side says without the names of its quantities."""
    places: dict[Node, int] = {}
    found: list[Hashable] = []
    for x in right_side(root):
        places[x] = len(places)
        if x.symbol is not None and x is not root:
            found.append(_kind(x))
        else:
            attrs = str(sorted(x.attrs.items())) if x.attrs else ""
            found.append((x.op, tuple([places[y] for y in x.inputs]), x.shape, attrs))
    return tuple(found)


def _kind(x: Node) -> Hashable:
    """What rules ask of a quantity: whether it is a derivative, what it is computed by, what its entries add up to."""
    assert x.symbol is not None
    numbers = tuple([y.attrs["value"] for y in x.inputs if y.op is constant_])
    return bool(x.symbol.of), x.op, x.shape, numbers, x.attrs.get("sums_to_one")


def _order(quantities: Sequence[Node]) -> Hashable:
    """The letters of the names, and their order as text, which is that of SymPy's terms: x[9] stands behind x[10]."""
    names = [f"{x.symbol}@" for x in quantities]
    ranks = {name: k for k, name in enumerate(sorted(names))}
    return tuple([(re.sub(r"\d+", "", name), ranks[name]) for name in names])
