"""Derivatives that are zero everywhere: the statement in which they become so."""

from __future__ import annotations

from collections.abc import Sequence

from backproof.checking.diagnosis import Finding
from backproof.checking.equations import operands
from backproof.checking.moments import Held, Moment, is_buffer
from backproof.checking.repair import Repair
from backproof.checking.truth import Truth

LEFT_ZERO = "left zero"


def where_zero_begins(truth: Truth, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings, of all that is left zero only the statement that makes zeros of what is none, if there is one."""
    zero = [f for f in findings if f.judgement == "wrong" and f.found.size > 1 and not f.found.any()]
    moments = truth.draws[0].played.moments
    first = next((m for m in moments if _makes_zeros(m)), None)
    if not zero or first is None or moments.index(first) >= moments.index(zero[0].moment):
        return tuple(findings)
    (write,) = first.writes
    above = [truth.of_node[x] for x in (zero[0].step.node, *operands(zero[0].step.raw)) if x in truth.of_node]
    meant = next((q for q in above if q.step is not None and truth.plain(q.node, 0).size == write.value.size), None)
    if meant is None or meant.step is None:
        return tuple(findings)
    told = Repair(LEFT_ZERO, "{0} is zero everywhere, as a factor in this line is", (write.text,), "")
    right = truth.value(meant, 0)
    origin = Finding(first, write.text, meant.step, "wrong", write.value, right, (told,))
    return tuple(origin if x is zero[0] else x for x in findings if x is zero[0] or x not in zero)


def _makes_zeros(moment: Moment) -> bool:
    """Whether a statement computes an array of zeros from arrays that hold other numbers."""
    read = [x for x in moment.reads if x.value.size > 1]
    return (
        len(moment.writes) == 1
        and bool(moment.source)
        and "zeros" not in moment.source
        and not is_buffer(moment)
        and bool(read)
        and _is_zero(moment.writes[0])
        and not any(map(_is_zero, read))
    )


def _is_zero(held: Held) -> bool:
    return held.value.size > 1 and not held.value.any()
