"""What looks wrong in a backward pass and is right, and how a comparison was made where that matters."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from backproof.checking.comparing import TOLERANCE, tolerance
from backproof.checking.diagnosis import Diagnosis, Remark
from backproof.checking.equations import operands
from backproof.checking.facts import Facts, number
from backproof.checking.precision import DOUBLE, NAMES
from backproof.ir.node import Node
from backproof.write.doc import Code
from backproof.write.math import Row, Sign
from backproof.write.spell import spell_as_part, symbol

NOTHING = 1e-10
"""A derivative is zero but for rounding where it is less than this part of what it is summed up from."""


def doubts(facts: Facts) -> Iterator[Remark]:
    """Right gradients that people doubt."""
    yield from _zero(facts)
    yield from _cancelled(facts)


def _zero(facts: Facts) -> Iterator[Remark]:
    """Gradients by what has no effect, such as a bias before a normalisation."""
    steps = {step.of: step for step in facts.derivation.backward}
    before = facts.loss()
    for name, parameter in facts.parameters.items():
        slope = facts.gradient(name)
        above = [facts.value(x) for x in operands(steps[parameter].raw) if x.symbol is not None and x.symbol.of]
        largest = max((float(np.abs(x).max(initial=0.0)) for x in above), default=0.0)
        if not largest or np.abs(slope).max(initial=0.0) > NOTHING * largest:
            continue
        value = facts.value(parameter)
        other = facts.loss(**{name: value + np.linspace(0.5, 1.5, value.size).reshape(value.shape)})
        if abs(other - before) <= 1e-9 * abs(before):
            yield Remark(
                "doubt",
                "zero derivative",
                (
                    "The derivative by ",
                    Code(name),
                    f" is zero but for rounding (its largest entry is {number(float(np.abs(slope).max()))}), and that "
                    f"is right: J is {number(before)} whatever ",
                    Code(name),
                    " is. What is added before a mean is subtracted, as in batch normalisation, goes out with it.",
                ),
            )


def _cancelled(facts: Facts) -> Iterator[Remark]:
    """A derivative of the last activation that cancels against that of the loss."""
    told = {str(finding.step.symbol) for finding in facts.diagnosis.findings}
    gradients = {step.of: step for step in facts.derivation.backward}
    for bounded in facts.bounded:
        if bounded.z not in gradients or bounded.node not in gradients or facts.hidden(bounded.node):
            continue
        dz, da = gradients[bounded.z], gradients[bounded.node]
        if str(dz.symbol) not in told or str(da.symbol) in told:
            continue
        for label in facts.labels.values():
            if _proportional(facts, dz.node, bounded.node, label):
                a = spell_as_part(bounded.node)
                yield Remark(
                    "doubt",
                    "cancelled derivative",
                    (
                        symbol(dz.symbol),
                        " is a multiple of ",
                        Row((a, Sign("−"), spell_as_part(label))),
                        " without the derivative of the activation, and that is right: the derivative of this loss has "
                        "the same factor below the fraction line, and the two cancel.",
                    ),
                )


def _proportional(facts: Facts, dz: Node, a: Node, label: Node) -> bool:
    """Whether a derivative is a multiple of the difference of an output and its label."""
    found, output, target = (facts.value(x) for x in (dz, a, label))
    if output.shape != target.shape or found.shape != output.shape:
        return False
    difference = output - target
    k = np.unravel_index(int(np.argmax(np.abs(difference))), difference.shape)
    if not difference[k]:
        return False
    return bool(np.abs(found - found[k] / difference[k] * difference).max() <= 1e-9 * np.abs(found).max())


def comparison(diagnosis: Diagnosis) -> Iterator[Remark]:
    """What a reader must know of how it was compared."""
    less = [f for f in diagnosis.findings if f.found.dtype.kind == "f" and f.found.dtype.itemsize < DOUBLE.itemsize]
    if less:
        some = "Values" if len(less) == len(diagnosis.findings) else "Some values"
        least = min(less, key=lambda f: f.found.dtype.itemsize)
        kind = least.found.dtype
        name = NAMES[kind.itemsize]
        yield Remark(
            "comparison",
            f"{name} precision",
            (
                f"{some} are in {name} precision ({kind.name}), as ",
                Code(least.text),
                f". They were compared to {tolerance(kind):g} of the largest entry, not to {TOLERANCE:g}: differences "
                "below that are rounding. In double precision the check sees more.",
            ),
        )
