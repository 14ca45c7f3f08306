"""Why a network may not learn though its gradients are right: what the units, weights and inputs look like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from backproof.checking.diagnosis import Remark
from backproof.checking.facts import Facts, number, reason
from backproof.ir.node import Node
from backproof.ops.activations import relu
from backproof.ops.entries import row_of
from backproof.ops.linear import matmul, transpose
from backproof.ops.row import Array
from backproof.ops.vectors import matvec, outer
from backproof.write.doc import Code, Inline
from backproof.write.spell import spell_as_part, symbol

MANY = 0.5
"""The share of units or entries from which on something is said of them."""
FEW_SAMPLES = 10
"""On fewer samples a unit may well be 0 on all of them."""
FLAT = 0.01
"""An activation is saturated where its slope is less than this part of its steepest."""
SPREAD = 100.0
"""How far the scales of two features may be apart."""
LARGE, SMALL = 50.0, 0.01
"""The entries that inputs usually have lie between these."""
VANISHED = 1e-4
"""Derivatives of the first layer that are less than this part of those of the last have vanished."""


def learning(facts: Facts) -> Iterator[Remark]:
    """A remark for each usual reason, where the figures show it."""
    yield from _dead(facts)
    yield from _saturated(facts)
    yield from _symmetric(facts)
    yield from _inputs(facts)
    yield from _norms(facts)


def _dead(facts: Facts) -> Iterator[Remark]:
    for node in facts.quantities:
        samples = facts.samples(node)
        if node.op is not relu or not samples:
            continue
        values = facts.value(node)
        count = int(np.prod([values.shape[k] for k in samples]))
        dead = np.all(values == 0, axis=samples)
        if count >= FEW_SAMPLES and dead.size > 1 and dead.mean() >= MANY:
            yield reason(
                "dead units",
                f"{int(dead.sum())} of {dead.size} units of ",
                (spell_as_part(node),),
                f" are 0 on all {count} samples. Nothing comes back through them, so they do not learn. Usual "
                "reasons: a step that was too large, biases far below 0, inputs that are not centred.",
            )


def _saturated(facts: Facts) -> Iterator[Remark]:
    flat: list[tuple[Node, float]] = []
    for bounded in facts.bounded:
        if facts.hidden(bounded.node) and bounded.node.shape:
            z = facts.value(bounded.z)
            steepest = _slope(bounded.node, np.zeros(1))[0]
            share = float(np.mean(_slope(bounded.node, z) < FLAT * steepest))
            if share >= MANY:
                flat.append((bounded.node, share))
    if flat:
        said: list[Inline] = [
            (f"{', ' if k else ''}{share:.0%} of the entries of ", spell_as_part(node))
            for k, (node, share) in enumerate(flat[:3])
        ]
        yield reason(
            "saturation",
            *said,
            f" are saturated: the activation is so flat there that less than {FLAT:.0%} of its steepest slope is left, "
            "and next to nothing comes back. Usual reasons: initial weights or inputs that are too large.",
        )


def _slope(node: Node, z: Array) -> Array:
    """The slope of an activation at z."""
    step, meaning = 1e-4, row_of(node).meaning
    return np.asarray((meaning(z + step) - meaning(z - step)) / (2 * step))


def _symmetric(facts: Facts) -> Iterator[Remark]:
    for name, parameter in facts.parameters.items():
        weights, slope = facts.value(parameter), facts.gradient(name)
        if weights.ndim != 2 or min(weights.shape) < 2:
            continue
        for axis, what in enumerate(("rows", "columns")):
            if weights.shape[axis] > 1 and _alike(weights, axis) and _alike(slope, axis):
                zero = "All are 0. " if not weights.any() else ""
                yield reason(
                    "symmetric weights",
                    f"The {weights.shape[axis]} {what} of ",
                    (Code(name),),
                    " are equal, and so are those of its derivative",
                    ", which is 0" if not slope.any() else "",
                    f": a step leaves them equal, and all units stay copies of one. {zero}Start from random weights.",
                )
                break


def _alike(array: Array, axis: int) -> bool:
    """Whether all slices along an axis are equal but for rounding."""
    first = np.take(array, [0], axis)
    return bool(np.abs(array - first).max() <= 1e-12 * np.abs(array).max())


def _inputs(facts: Facts) -> Iterator[Remark]:
    for x in facts.derivation.graph.inputs:
        name = str(x.symbol)
        samples = facts.samples(x)
        if name in facts.parameters or name in facts.labels or len(x.shape) != 2 or len(samples) != 1:
            continue
        if not _is_weighted(facts, x):
            continue
        largest = np.abs(facts.value(x)).max(axis=samples)
        largest = largest[largest > 0]
        if largest.size == 0:
            continue
        low, high = float(largest.min()), float(largest.max())
        if high > SPREAD * low:
            yield reason(
                "unnormalised inputs",
                "The largest entries of the features of ",
                (Code(name),),
                f" go from {number(low)} to {number(high)}, so one step size cannot fit all their weights. Subtract "
                "the mean of each feature and divide by its standard deviation.",
            )
        elif high > LARGE or high < SMALL:
            yield reason(
                "unnormalised inputs",
                "The largest entry of ",
                (Code(name),),
                f" is {number(high)}; weights and step sizes are made for inputs of about 1. Subtract the mean of each "
                "feature and divide by its standard deviation.",
            )


def _is_weighted(facts: Facts, x: Node) -> bool:
    """Whether an input is multiplied with a parameter as it is."""
    turned = {node for node in facts.derivation.graph.nodes() if node.op is transpose and node.inputs[0] is x}
    products = (node for node in facts.derivation.graph.nodes() if node.op in (matmul, matvec, outer))
    return any(x in node.inputs or not turned.isdisjoint(node.inputs) for node in products)


def _norms(facts: Facts) -> Iterator[Remark]:
    """Derivatives that vanish or explode from the last to the first of quantities that are numbered."""
    layers: dict[str, list[tuple[int, Node]]] = {}
    for step in facts.derivation.backward:
        base, layer = step.symbol.written
        if layer is not None and step.of.inputs:
            layers.setdefault(base, []).append((layer, step.node))
    for numbered in layers.values():
        ordered = [node for _, node in sorted(numbered, key=lambda pair: pair[0])]
        if len(ordered) < 3:
            continue
        sizes = [float(np.sqrt(np.mean(np.square(facts.value(node))))) for node in ordered]
        first, last = sizes[0], sizes[-1]
        if not last or not np.isfinite(sizes).all() or VANISHED <= first / last <= 1 / VANISHED:
            continue
        yield reason("vanishing" if first < last else "exploding", *_told(ordered, sizes, first < last))
        return


def _told(ordered: Sequence[Node], sizes: Sequence[float], vanishes: bool) -> Iterator[Inline | str]:
    assert ordered[0].symbol is not None
    assert ordered[-1].symbol is not None
    yield "The derivatives shrink from " if vanishes else "The derivatives grow from "
    yield (symbol(ordered[-1].symbol), f", whose entries are about {number(sizes[-1])}, back to ")
    yield (symbol(ordered[0].symbol), f", whose entries are about {number(sizes[0])}. ")
    if vanishes:
        yield "What comes first hardly learns. Larger initial weights, relu, normalisation or residual paths help."
    else:
        yield "A step that suits what comes last is far too large there. Smaller initial weights or clipping help."
