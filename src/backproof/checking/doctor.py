"""The doctor: which statement of a backward pass is the first wrong one, and which mistake is in it.

The backward pass is run on several draws of its arguments. Each value that a statement leaves behind is compared with
the quantities of the derivation. One that is none of them is judged by what the statement was given: if the right
equation, with those values put in, gives it, then the statement is fine and what went into it was wrong already; if
not, the statement is wrong, and the mistake is the edit of the equation that gives these numbers on every draw.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from backproof.checking.diagnosis import Diagnosis, Finding, Remark, Returned
from backproof.checking.draws import Derive, Drawing, Follow
from backproof.checking.judging import Judge
from backproof.checking.layers import averaged_over, came_right
from backproof.checking.mending import mended
from backproof.checking.ordering import out_of_order
from backproof.checking.overwriting import overwritten
from backproof.checking.precision import taken_in_double
from backproof.checking.proposals import only_what_runs
from backproof.checking.proving import proven
from backproof.checking.repeating import repeated
from backproof.checking.results import Results
from backproof.checking.returning import given_back
from backproof.checking.samples import one_sample
from backproof.checking.subjects.subject import Subject
from backproof.checking.truth import Truth, divisors
from backproof.checking.warned import warned
from backproof.checking.zeros import where_zero_begins
from backproof.ir.node import Node


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
    drawing = Drawing(subject, derive, follow, arguments, np.random.default_rng(seed))
    derivation, draws = drawing.derivation, drawing.draws()
    truths = [Truth(derivation, draws, convention) for convention in (None, *divisors(derivation))]
    averaged = averaged_over(truths[0], subject.upstream) if subject.upstream else None
    found = None if averaged else _proven(subject, truths, wanted)
    if found is None:
        found = _judged(truths, wanted)
        wrong = {name for name, word in found[0].items() if word == "wrong"}
        if any(finding.judgement == "wrong" for finding in found[1]) and not averaged:
            proven_ = _proven(subject, truths, wanted, findings=found[1])
            found = proven_ or (found[0], only_what_runs(subject, truths, found[1]), found[2])
            findings = where_zero_begins(truths[0], given_back(subject, truths, found[1], wanted))
            found = found[0], findings, found[2]
        elif wrong and not averaged:
            found = _proven(subject, truths, wanted, wrong) or found
    returned, findings, convention = found
    # Nobody asked for the others: that they did not come back is no matter.
    absent = ("missing", "none", "lost")
    returned = {name: word for name, word in returned.items() if word not in absent or name in wanted}
    first = draws[0].played
    remarks = (*subject.remarks, *taken_in_double(subject.arguments), *one_sample(subject, arguments))
    remarks += (*repeated(subject, arguments, first), *overwritten(first, wanted), *warned(first.warnings.items()))
    remarks += (*out_of_order(truths[0]),)
    if averaged is not None:
        returned = {name: "right" if word == "wrong" else word for name, word in returned.items()}
        findings = tuple(replace(finding, judgement="right", mistakes=(), correction=None) for finding in findings)
        text = (
            f"The derivatives by the parameters are divided by {averaged}, the number of samples, and what goes on to "
            "the layer below is not. That is a convention: what the layer is handed is taken for the derivative of "
            "each sample's own loss, and the 1/m of the mean comes in here. The whole network has to keep to it."
        )
        remarks += (Remark("doubt", "convention", (text,)),)
    raised = next((draw.played.raised for draw in draws if draw.played.raised is not None), None)
    return Diagnosis(derivation, findings, returned, convention, remarks, raised)


Found = tuple[Mapping[str, Returned], tuple[Finding, ...], Node | None]
"""What came back, what every value is, and the convention of the code."""


def _judged(truths: Sequence[Truth], wanted: Collection[str]) -> Found:
    """Each statement judged by what it was given."""
    derivation, draws = truths[0].derivation, truths[0].draws
    judges = [Judge(truth, wanted) for truth in truths]
    by_data = {node for name, node in derivation.gradients.items() if name not in wanted}
    if any(f.judgement != "right" and f.step.node in by_data for judge in judges for f in judge.findings):
        judges += [Judge(Truth(derivation, draws, truth.convention, wanted), wanted) for truth in truths[1:]]
    judge = _most_content(judges)
    return judge.returned, judge.explained(), judge.convention


def _most_content(judges: Iterable[Judge]) -> Judge:
    """The judge in the convention of the code: the one that finds the least to object to."""
    return min((judge for judge in judges if judge.is_kept), key=Judge.objections)


def _proven(
    subject: Subject,
    truths: Sequence[Truth],
    wanted: Collection[str],
    wrong: Collection[str] = (),
    *,
    findings: Sequence[Finding] = (),
) -> Found | None:
    """The same by the smallest change of the code that makes all right; None where nothing is wrong, or none does.

    The derivatives in `wrong` are known to be wrong. Where there are `findings` already, what they propose is all that
    is tried.
    """
    truth = truths[0]
    results, right = Results(truth, truth.played), came_right(truth, truth.played)
    raised = truth.played[0].raised is not None
    asked = {name for name, q in truth.of_name.items() if name in wanted or results.is_named(q)}
    quantities = {name: truth.of_name[name] for name in asked - right}
    unknown = {name for name, q in quantities.items() if results.has_unknown(q) or results.has(q, shaped=False)}
    unknown |= {*wrong} | ({*quantities} & {*wanted} if results.comes_twice else set())
    lacking = [q for q in quantities.values() if not truth.is_idle(q)]
    if not raised and not (lacking and (unknown or results.unknown)):
        return None
    target = set() if raised or not unknown else unknown | (right & asked)
    change = mended(subject, truths, target, findings)
    if change is None:
        return None
    judge = _most_content(Judge(x.of_runs(change.draws), wanted) for x in truths)
    if any(word not in ("right", "missing") for word in judge.returned.values()):
        return None
    own = next(x for x in truths if x.convention is judge.convention)
    findings = proven(own, judge, change)
    last = {finding.step.node: finding.judgement for finding in findings if finding.part is None}
    returned = dict(judge.returned)
    for name, word in judge.returned.items():
        quantity = truth.of_name[name]
        if word == "right" and name not in right:
            computed = last.get(quantity.node, "wrong")
            if results.has(quantity):
                returned[name] = "wrong"  # it is right itself, and the step that the code takes with it is not
            elif results.has(quantity, shaped=False):
                returned[name] = "shape"
            elif results.is_empty(quantity):
                returned[name] = "none"
            else:
                returned[name] = "lost" if computed == "right" else computed
        if raised:
            returned[name] = last.get(quantity.node, "missing") if word == "right" else word
    return returned, findings, judge.convention
