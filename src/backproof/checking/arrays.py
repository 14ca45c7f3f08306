"""Gradients that are only arrays: which of them are wrong, and the one mistake that makes them so.

There is no code to look into, and only one set of data. A wrong gradient is explained by a mistake in its own equation,
or together with others by a mistake in one derivative above: what that gives further down is computed on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backproof.checking.comparing import fits, same
from backproof.checking.diagnosis import Diagnosis, Finding, Judgement, Remark, Returned
from backproof.checking.events import Event
from backproof.checking.finite import require_finite
from backproof.checking.ledger import Ledger
from backproof.checking.mistakes.kinds import Edited, misshapen
from backproof.checking.mistakes.table import edited
from backproof.checking.moments import Moment
from backproof.checking.naming import last_word, plain
from backproof.checking.repair import Repair
from backproof.checking.search import MOST_MISTAKES, context_of, mistakes
from backproof.checking.subjects.subject import Played
from backproof.checking.trial import Trial
from backproof.checking.truth import Draw, Quantity, Truth
from backproof.derivation.derivation import Derivation
from backproof.execution.interpret import evaluate
from backproof.execution.trace import Trace
from backproof.ir.errors import DataError
from backproof.ir.node import ancestors
from backproof.ops.row import Array

MOMENT = Moment("", 0, "", 0, "", (), ())
"""No statement: there is no code."""
REMARKS = (
    Remark(
        "comparison",
        "arrays only",
        (
            "From arrays alone no line can be named, only the quantity that is wrong. There is one set of data. "
            "Mistakes that give the same numbers on it cannot be told apart, as 1/m and 1/2 with two samples, or a "
            "transpose left out of a symmetric matrix: all of them are named. A mistake that shows on other data only "
            "is not seen.",
        ),
    ),
)


def diagnose_arrays(
    derivation: Derivation, trace: Trace, arguments: Mapping[str, Any], gradients: Mapping[str, Any]
) -> Diagnosis:
    """Compares gradients, by the names of the parameters or of their derivatives, with those of a derivation."""
    (output,) = derivation.graph.outputs
    loss = float(np.ravel(trace[str(output.symbol)])[0])
    require_finite(loss, _values(derivation, trace))
    played = Played(arguments, loss, (), dict(gradients), {})
    truth = Truth(derivation, [Draw(played, trace)], None)
    given = dict(_by_quantity(truth, gradients))
    returned: dict[str, Returned] = {}
    for quantity, value in given.items():
        returned[truth.parameters[quantity.node]] = _verdict(truth, quantity, value)
    wrong = {q: x for q, x in given.items() if x is not None and returned[truth.parameters[q.node]] == "wrong"}
    findings = []
    for above in _above(truth, wrong):
        findings.append(_finding(truth, above.quantity, above.value, "wrong", above.edits))
        for quantity in above.below:
            returned[truth.parameters[quantity.node]] = "inherited"
            findings.append(_finding(truth, quantity, wrong.pop(quantity), "inherited"))
    for quantity, value in given.items():
        if quantity in wrong:
            event = Event(MOMENT, quantity.name, quantity.name, (wrong[quantity],), ({},))
            edits = mistakes(truth, quantity, Trial(truth, Ledger(truth), event), ())
            findings.append(_finding(truth, quantity, wrong[quantity], "wrong", edits))
        elif value is not None and returned[truth.parameters[quantity.node]] != "inherited":
            assert quantity.step is not None
            is_right = returned[truth.parameters[quantity.node]] == "right"
            edits = () if is_right else (misshapen(quantity.node, quantity.step.of),)
            findings.append(_finding(truth, quantity, value, "right" if is_right else "wrong", edits))
    return Diagnosis(derivation, tuple(findings), returned, None, remarks=REMARKS)


def _values(derivation: Derivation, trace: Trace) -> Iterator[tuple[str, str, Array]]:
    """The quantities of the forward pass, each with the line that computes it."""
    for step in derivation.forward:
        line, name = derivation.sources.get(step.node), str(step.node.symbol)
        yield ("" if line is None else line.place), name, np.asarray(trace[name])


def _by_quantity(truth: Truth, gradients: Mapping[str, Any]) -> Iterator[tuple[Quantity, Array | None]]:
    parameters = {plain(name): truth.of_node[node] for node, name in truth.parameters.items()}
    for name, value in gradients.items():
        quantity = truth.named(name) or parameters.get(plain(last_word(name)))
        if quantity is None or quantity.node not in truth.parameters:
            known = ", ".join(truth.parameters.values())
            raise DataError(
                f"it is not known what {name} is the gradient by",
                why=f"the forward pass is differentiated by {known}",
                instead="name each gradient as its parameter, W1, or as the derivative by it, dW1",
            )
        yield quantity, None if value is None else np.asarray(value)


def _verdict(truth: Truth, quantity: Quantity, value: Array | None) -> Returned:
    if value is None:
        return "none"
    right = truth.plain(quantity.node, 0)
    if not same(value, right):
        return "wrong"
    return "right" if fits(value, right) else "shape"


def _finding(
    truth: Truth, quantity: Quantity, value: Array, judgement: Judgement, edits: Sequence[Edited | Repair] = ()
) -> Finding:
    assert quantity.step is not None
    right = truth.plain(quantity.node, 0)
    return Finding(MOMENT, quantity.name, quantity.step, judgement, value, right, tuple(edits))


@dataclass(frozen=True, slots=True, eq=False)
class _Above:
    """A derivative above several wrong gradients: the mistakes that explain them all, its value with the first."""

    quantity: Quantity
    edits: Sequence[Edited]
    value: Array
    below: Sequence[Quantity]


def _above(truth: Truth, wrong: Mapping[Quantity, Array]) -> Iterator[_Above]:
    """The derivatives above that explain several wrong gradients at once, each with its mistakes."""
    left = dict(wrong)
    for quantity in truth.derivatives:
        if quantity.node in truth.parameters or len(left) < 2:
            continue
        below = [q for q in left if quantity.node in ancestors([q.node])]
        if len(below) < 2:
            continue
        edits = _explaining(truth, quantity, left, below)
        if edits:
            yield _Above(quantity, [*edits][:MOST_MISTAKES], next(iter(edits.values())), below)
            left = {q: x for q, x in left.items() if q not in below}


def _explaining(
    truth: Truth, quantity: Quantity, found: Mapping[Quantity, Array], below: Sequence[Quantity]
) -> Mapping[Edited, Array]:
    """The mistakes in a derivative that explain gradients below it, with the value that it has then."""
    context = context_of(truth, quantity)
    explaining: dict[str, tuple[Edited, Array]] = {}
    for form in quantity.forms[::-1]:
        for edit in edited(form, context):
            value = None if edit.says in explaining else _given(truth, quantity, edit)
            if value is not None and _explains(truth, quantity, value, found, below):
                explaining[edit.says] = edit, value
    return dict(explaining.values())


def _given(truth: Truth, quantity: Quantity, edit: Edited) -> Array | None:
    """What an edited equation gives; None where NumPy makes nothing of it, or nothing of the right shape."""
    try:
        value = evaluate([edit.node], truth.forward_values(0), truth.sizes[0])[edit.node]
    except (ValueError, IndexError, TypeError):
        return None
    return value if value.shape == truth.plain(quantity.node, 0).shape else None


def _explains(
    truth: Truth, quantity: Quantity, value: Array, found: Mapping[Quantity, Array], below: Sequence[Quantity]
) -> bool:
    """Whether gradients are what comes of a derivative above them when that has a value."""
    known = {**truth.forward_values(0), quantity.node: value}
    values = evaluate([q.node for q in below], known, truth.sizes[0])
    return all(same(found[q], values[q.node]) for q in below)
