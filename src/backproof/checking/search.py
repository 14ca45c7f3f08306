"""Which mistake is in a wrong statement: the edits of the right equation that give its numbers on every draw."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from backproof.checking.mistakes import Context, Edited, edited
from backproof.checking.repair import Repair
from backproof.checking.trial import Trial
from backproof.checking.truth import Quantity, Truth, divisors
from backproof.ir.node import Node

MOST_MISTAKES = 4
"""How many mistakes that give the same numbers are named."""
MOST_PAIRS = 4000
"""How many pairs of mistakes are tried in one equation."""


def mistakes(
    truth: Truth, quantity: Quantity, trial: Trial, repairs: Sequence[Repair], *, pairs: bool = True
) -> tuple[Edited | Repair, ...]:
    """The mistakes in a statement: single ones in the equation, else in the line, else a pair; the likeliest first.

    Pairs are looked for only if `pairs` says so.
    """
    if (other := trial.holds_another(quantity)) is not None:
        return (Edited("wrong quantity", other.node, "{0} stands where {1} belongs", (other.node, quantity.node)),)
    if (overwriting := trial.overwriting(quantity)) is not None:
        return (overwriting,)
    singles = single_mistakes(truth, quantity, trial) or repairs
    if singles or not pairs:
        return tuple(singles[:MOST_MISTAKES])
    context = _context(truth, quantity)
    both = (
        (first, second)
        for form in trial.forms(quantity)
        for first in edited(form, context)
        for second in edited(first.node, context, alone=False)
    )
    few = islice(both, MOST_PAIRS)
    found = (first.then(second) for first, second in few if trial.gives(second.node, quantity))
    return tuple(islice(found, 1))


def single_mistakes(truth: Truth, quantity: Quantity, trial: Trial) -> Sequence[Edited]:
    """The edits of the right equation in any of its forms that give the values, each mistake once."""
    context = _context(truth, quantity)
    singles: dict[str, Edited] = {}
    for form in trial.forms(quantity):
        for edit in edited(form, context):
            # Without what comes from above, the factor that it would have brought along is missing too.
            scaled = [quantity] if edit.mistake != "upstream left out" else [quantity, None]
            if edit.says not in singles and any(trial.gives(edit.node, by) for by in scaled):
                singles[edit.says] = edit
    return list(singles.values())


def _context(truth: Truth, quantity: Quantity) -> Context:
    of = quantity.node if quantity.step is None else quantity.step.of
    derivation = truth.derivation
    forward: tuple[Node, ...] = (*derivation.graph.inputs, *(step.node for step in derivation.forward))
    gradients = {step.of: step.node for step in derivation.backward}
    return Context(of, forward, gradients, tuple(divisors(derivation)))
