"""The doctor: which statement of a backward pass is the first wrong one, and which mistake is in it.

The backward pass is run on several draws of its arguments. Each value that a statement leaves behind is compared with
the quantities of the derivation. One that is none of them is judged by what the statement was given: if the right
equation, with those values put in, gives it, then the statement is fine and what went into it was wrong already; if
not, the statement is wrong, and the mistake is the edit of the equation that gives these numbers on every draw.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from backproof.checking.diagnosis import Diagnosis, Finding, Remark, Returned
from backproof.checking.judging import Judge
from backproof.checking.layers import averaged_over, came_right
from backproof.checking.mending import mended
from backproof.checking.proving import proven
from backproof.checking.repeating import repeated
from backproof.checking.resizing import resized, same_network
from backproof.checking.results import Results
from backproof.checking.subjects.drawing import redrawn
from backproof.checking.subjects.subject import Subject
from backproof.checking.truth import Draw, Truth, divisors
from backproof.derivation.derivation import Derivation
from backproof.execution.trace import Trace, of_other_sizes, run
from backproof.ir.errors import BackproofError
from backproof.ir.node import Graph, Node

Derive = Callable[[Mapping[str, Any]], Derivation]
Follow = Callable[[Mapping[str, Any]], Graph]

DRAWS = 3
"""On how many draws of the arguments the backward pass is run: the given ones and others."""


def diagnose(
    subject: Subject,
    derive: Derive,
    follow: Follow,
    arguments: Mapping[str, Any],
    wanted: Collection[str],
    *,
    seed: int = 0,
) -> Diagnosis:
    """Runs somebody's backward pass and judges each of its statements.

    `derive` gives the derivation of the subject's loss on given arguments, `follow` only its forward pass. Of the
    derivatives that the code does not compute, those by the quantities in `wanted` are told of.
    """
    rng = np.random.default_rng(seed)
    derivation = derive(arguments)
    draws = [Draw(subject.play(arguments), _truth(derivation, derivation.graph))]
    if (other := _of_other_sizes(subject, derive, arguments, derivation, rng)) is not None:
        draws.append(other)
    while len(draws) < DRAWS:
        given = redrawn(arguments, rng)
        draws.append(Draw(subject.play(given), _truth(derivation, follow(given))))
    truths = [Truth(derivation, draws, convention) for convention in (None, *divisors(derivation))]
    found = _proven(subject, truths, wanted)
    if found is None:
        found = _judged(truths, wanted)
        found = _proven(subject, truths, wanted, found[1]) or found
    returned, findings, convention = found
    # Nobody asked for the others: that they did not come back is no matter.
    absent = ("missing", "none", "lost")
    returned = {name: word for name, word in returned.items() if word not in absent or name in wanted}
    remarks = (*subject.remarks, *repeated(subject, arguments, draws[0].played))
    if subject.upstream and (size := averaged_over(truths[0], subject.upstream)) is not None:
        returned = {name: "right" if word == "wrong" else word for name, word in returned.items()}
        findings = tuple(replace(finding, judgement="right", mistakes=(), correction=None) for finding in findings)
        text = (
            f"The derivatives by the parameters are divided by {size}, the number of samples, and what goes on to the "
            "layer below is not. That is a convention: what the layer is handed is taken for the derivative of each "
            "sample's own loss, and the 1/m of the mean comes in here. The whole network has to keep to it."
        )
        remarks += (Remark("doubt", "convention", (text,)),)
    raised = next((draw.played.raised for draw in draws if draw.played.raised is not None), None)
    return Diagnosis(derivation, findings, returned, convention, remarks, raised)


Found = tuple[Mapping[str, Returned], tuple[Finding, ...], Node | None]
"""What came back, what every value is, and the convention of the code."""


def _judged(truths: Sequence[Truth], wanted: Collection[str]) -> Found:
    """Each statement judged by what it was given."""
    # Where the 1/m stands is a convention: it is the one that finds the least to object to.
    judge = min((Judge(truth, wanted) for truth in truths), key=Judge.objections)
    return judge.returned, judge.explained(), judge.convention


def _proven(
    subject: Subject, truths: Sequence[Truth], wanted: Collection[str], findings: Sequence[Finding] = ()
) -> Found | None:
    """The same by the smallest change of the code that makes all right; None where nothing is wrong, or none does.

    Where there are `findings` already, what they propose is all that is tried.
    """
    truth = truths[0]
    results, right = Results(truth, truth.played), came_right(truth, truth.played)
    raised = truth.played[0].raised is not None
    unknown = {name for name in wanted if name not in right and results.has_unknown(truth.of_name[name])}
    if not raised and not unknown and not results.unknown:
        return None
    target = set() if raised or not unknown else unknown | (right & {*wanted})
    change = mended(subject, truths, target, findings)
    if change is None:
        return None
    judge = min((Judge(x.of_runs(change.draws), wanted) for x in truths), key=Judge.objections)
    if any(word not in ("right", "missing") for word in judge.returned.values()):
        return None
    own = next(x for x in truths if x.convention is judge.convention)
    findings = proven(own, judge, change)
    last = {finding.step.node: finding.judgement for finding in findings if finding.part is None}
    returned = dict(judge.returned)
    for name, word in judge.returned.items():
        quantity = truth.of_name[name]
        if word == "right" and name not in right:
            shaped = results.has(quantity, shaped=False)
            empty = results.is_empty(quantity)
            computed = last.get(quantity.node, "wrong")
            returned[name] = "shape" if shaped else "none" if empty else "lost" if computed == "right" else computed
        if raised:
            returned[name] = last.get(quantity.node, "missing") if word == "right" else word
    return returned, findings, judge.convention


def _of_other_sizes(
    subject: Subject, derive: Derive, arguments: Mapping[str, Any], derivation: Derivation, rng: np.random.Generator
) -> Draw | None:
    """A run on arguments of other sizes, where those given may hide a mistake and the code takes others."""
    other = resized(arguments, derivation, rng)
    if other is None:
        return None
    given = redrawn(other, rng)
    try:
        drawn = derive(given)
        played = subject.play(given)
    except (BackproofError, ArithmeticError, LookupError, TypeError, ValueError):  # the code is made for its sizes
        return None
    if played.raised is not None or not same_network(derivation, drawn):
        return None
    return Draw(played, of_other_sizes(derivation, drawn))


def _truth(derivation: Derivation, drawn: Graph) -> Trace:
    return run(derivation, {str(x.symbol): x.attrs["value"] for x in drawn.inputs})
