"""Labels that a network cannot learn from: not one-hot, out of reach, or compared with every prediction."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from backproof.checking.diagnosis import Remark
from backproof.checking.facts import Facts, number, reason
from backproof.ir.sizes import ONE
from backproof.ops.arithmetic import add, div, mul, sub
from backproof.ops.row import Array
from backproof.ops.scalar import ScalarRow
from backproof.write.doc import Code
from backproof.write.spell import spell_as_part


def labels(facts: Facts) -> Iterator[Remark]:
    """A remark on labels, where the figures show that something is wrong with them."""
    for name, node in facts.labels.items():
        values = facts.value(node)
        if values.dtype.kind in "iu" and values.size and values.min() < 0:
            yield reason(
                "labels",
                (Code(name),),
                f" holds the number {int(values.min())}. As an index, NumPy counts it from the end: it is taken for "
                "the last class.",
            )
        yield from _outside(facts, name, values)
        yield from _not_one_hot(facts, name, values)
    yield from _each_with_each(facts)


def _outside(facts: Facts, name: str, values: Array) -> Iterator[Remark]:
    """Labels beyond what the activation of the last layer can give."""
    for bounded in facts.bounded:
        node = bounded.node
        if facts.hidden(node) or facts.value(node).shape != values.shape:
            continue
        low, high = float(values.min()), float(values.max())
        ends = f"from {number(round(bounded.low, 9))} to {number(round(bounded.high, 9))}"
        if low < bounded.low - 1e-9 or high > bounded.high + 1e-9:
            yield reason(
                "labels",
                (Code(name),),
                f" goes from {number(low)} to {number(high)}, ",
                (spell_as_part(node),),
                f" only {ends}: what lies outside cannot be reached, and a loss with logarithms has no minimum there.",
            )


def _not_one_hot(facts: Facts, name: str, values: Array) -> Iterator[Remark]:
    """Labels of a softmax that do not add up to 1 for each sample."""
    for node in facts.quantities:
        outputs = facts.value(node)
        if outputs.shape != values.shape or outputs.ndim != 2 or outputs.min() < 0 or facts.hidden(node):
            continue
        for axis in (0, 1):
            others = outputs.sum(axis=1 - axis)
            if outputs.shape[axis] < 2 or not np.allclose(outputs.sum(axis=axis), 1) or np.allclose(others, 1):
                continue
            sums = values.sum(axis=axis)
            wrong = np.flatnonzero(np.abs(sums - 1) > 1e-6)
            if wrong.size:
                yield reason(
                    "labels",
                    "The entries of ",
                    (spell_as_part(node),),
                    " add up to 1 for each sample, those of ",
                    (Code(name),),
                    f" do not for {wrong.size} of {sums.size}: for sample {int(wrong[0]) + 1} they add up to "
                    f"{number(float(sums[wrong[0]]))}. Labels for softmax are one-hot: 1 for the class, 0 elsewhere.",
                )
            return


def _each_with_each(facts: Facts) -> Iterator[Remark]:
    """Arrays of m and m × 1 that NumPy has made m × m of."""
    for node in facts.derivation.graph.nodes():
        if not (isinstance(node.op, ScalarRow) or node.op in (add, sub, mul, div)) or len(node.shape) != 2:
            continue
        long = {x: [size.value for size in x.shape if size != ONE] for x in node.inputs if x.shape}
        length = node.shape[0].value
        label = next((x for x in node.inputs if str(x.symbol) in facts.labels), None)
        other = next((x for x in node.inputs if x is not label and x.shape), None)
        alike = all(lengths == [length] for lengths in long.values())
        if label is None or other is None or length is None or length < 2 or node.shape[1].value != length or not alike:
            continue
        shapes = [f"({', '.join(str(size.value) for size in x.shape)})" for x in (label, other)]
        yield reason(
            "labels",
            (Code(str(label.symbol)),),
            f" has the shape {shapes[0]}, ",
            *([(spell_as_part(other),)] if other.symbol is not None else ["what it is compared with"]),
            f" the shape {shapes[1]}. NumPy makes {length} × {length} entries of the two: each prediction is compared "
            f"with every label. Give both the same shape.",
        )
        return
