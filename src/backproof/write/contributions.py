"""A derivative that adds up what comes back along several paths: a line for each of them, and one for the total."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

from backproof.derivation.steps import BackwardStep
from backproof.ir.node import Node
from backproof.ops.arithmetic import add
from backproof.ops.linear import restated
from backproof.write.doc import Block, Display, Paragraph
from backproof.write.math import Dots, Equation, Math, Row, Sign
from backproof.write.reasons import contribution
from backproof.write.spell import MOST_TERMS, spell


def apart(step: BackwardStep) -> dict[Node, Node]:
    """What comes back from each quantity that uses the value; nothing where there is only one."""
    found: dict[Node, Node] = {}
    for path, x in zip(step.paths, step.contributions, strict=False):
        found[path.consumer] = add(found[path.consumer], x) if path.consumer in found else x
    return found if len(found) > 1 else {}


def lines(step: BackwardStep, parts: dict[Node, Node], plain: str, result: Math) -> Iterator[Block]:
    """An equation for each contribution; of many the first two and the last."""
    numbered = [*enumerate(parts.items(), 1)]
    for k, (consumer, x) in [*numbered[:2], numbered[-1]] if len(numbered) > MOST_TERMS else numbered:
        if k == len(numbered) > MOST_TERMS:
            yield Paragraph(("and so on, to",))
        left = contribution(step, consumer, result)
        yield Display(f"{plain}-through{k}", Equation(left, (spell(restated(x)),)))
    yield Paragraph(("In all:",))


def total(step: BackwardStep, parts: dict[Node, Node], result: Math) -> Math:
    """The sum of the contributions by their names."""
    names = [contribution(step, consumer, result) for consumer in parts]
    shown = [*names[:2], Dots(), names[-1]] if len(names) > MOST_TERMS else names
    return Row(reduce(lambda row, x: (*row, Sign("+"), x), shown[1:], (shown[0],)))
