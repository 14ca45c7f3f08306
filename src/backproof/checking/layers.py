"""Conventions of code that goes back through one layer, or takes a step of the training itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from backproof.checking.results import Results
from backproof.checking.subjects.subject import Played
from backproof.checking.truth import Quantity, Truth
from backproof.ir.sizes import ONE, Size


def averaged_over(truth: Truth, upstream: Collection[str]) -> Size | None:
    """The length that a layer divides its parameters' derivatives by, if it does so with all of them.

    What it is handed is taken for that of each sample's own loss then, and the 1/m of the mean comes in here. What goes
    on to the layer below, which has the axis of the samples, is not divided.
    """
    above = [x for x in truth.derivation.graph.inputs if str(x.symbol) in upstream]
    results = Results(truth, truth.played)
    for node in above:
        for axis, size in enumerate(node.shape):
            lengths = [np.shape(draw.played.arguments[str(node.symbol)])[axis] for draw in truth.draws]
            if size != ONE and _all_divided(truth, results, size, lengths):
                return size
    return None


def _all_divided(truth: Truth, results: Results, size: Size, lengths: list[int]) -> bool:
    whole = [q for node in truth.parameters if size in (q := truth.of_node[node]).node.shape]
    summed = [q for node in truth.parameters if size not in (q := truth.of_node[node]).node.shape]
    if len(summed) < 2 or not all(map(results.has, whole)):
        return False
    return all(results.has(q, divided_by=lengths) for q in summed)


def rate(truth: Truth, quantity: Quantity, runs: Sequence[Played]) -> float:
    """How far the code itself steps along a right derivative, whatever size and sign that has there; 0 if elsewhere.

    It is negative where the step goes down.
    """
    return truth.multiple(quantity, [truth.update(quantity, played) for played in runs])


def steps_down(truth: Truth, quantity: Quantity, runs: Sequence[Played], results: Results) -> bool:
    """Whether the code steps down along a right derivative, and as far for each as along all others.

    How far is nobody's mistake, unless what comes back as the derivative is a multiple of it.
    """
    if not runs[0].updates or rate(truth, quantity, runs) >= 0:
        return False
    rates = [own for node in truth.parameters if (own := rate(truth, truth.of_node[node], runs))]
    return np.allclose(np.abs(rates), abs(rates[0])) and not results.has_multiple(quantity)


def came_right(truth: Truth, runs: Sequence[Played]) -> frozenset[str]:
    """The parameters whose derivatives are right in what came back from runs on the first draws."""
    results = Results(truth, runs)
    return frozenset(
        name
        for node, name in truth.parameters.items()
        if steps_down(truth, q := truth.of_node[node], runs, results)
        or (results.has(q) and _is_no_way_up(truth, q, runs))
    )


def _is_no_way_up(truth: Truth, quantity: Quantity, runs: Sequence[Played]) -> bool:
    """Whether the code takes no step up along a derivative; where it did before it was changed, it has to go down."""
    own = rate(truth, quantity, runs)
    return own < 0 or (own == 0 and rate(truth, quantity, truth.played) <= 0)
