"""What the runner prints: totals, and seen cases by kind and by network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from math import isfinite
from statistics import median
from typing import Any

from case import Case
from judge import Outcome
from rewrite import Right

Judgements = Sequence[tuple[Case, Outcome]]
Alarms = Sequence[tuple[Right, Outcome]]

HEADER = ("", "cases", "detected", "line right", "named", "put right")


def summary(judgements: Judgements, alarms: Alarms) -> str:
    """Everything: totals with what is held out apart, then tables of the seen cases."""
    seen = [j for j in judgements if not j[0].unseen]
    parts = [
        _lines([HEADER, *totals(judgements)]),
        undetected([outcome.ending for _, outcome in judgements if not outcome.detected]),
        *false_alarms(alarms),
        timing(judgements),
        _lines([("by kind (seen)", *HEADER[1:]), *_rows(seen, lambda case: case.kind)]),
        _lines([("by network (seen)", *HEADER[1:]), *_rows(seen, lambda case: case.network)]),
    ]
    return "\n\n".join(parts)


def totals(judgements: Judgements) -> list[tuple[str, ...]]:
    """Rows for seen cases, those that are held out, and those from public reports."""
    groups = {
        "seen": [j for j in judgements if not j[0].unseen and not j[0].address],
        "unseen": [j for j in judgements if j[0].unseen],
        "published": [j for j in judgements if j[0].address],
        "all": list(judgements),
    }
    return [(name, *_figures([o for _, o in group])) for name, group in groups.items() if group]


def undetected(endings: Sequence[str]) -> str:
    """How the doctor ended where it did not tell what is wrong."""
    counted = ", ".join(f"{number} {ending}" for ending, number in sorted(Counter(endings).items()))
    return f"not detected: {len(endings)}" + (f" ({counted})" if endings else "")


def false_alarms(alarms: Alarms) -> list[str]:
    found = []
    for name, unseen in (("seen", False), ("unseen", True)):
        group = [o for right, o in alarms if right.unseen is unseen]
        if group:
            found.append(f"false alarms ({name}): {sum(o.detected for o in group)} of {len(group)} right ones")
    return found


def timing(judgements: Judgements) -> str:
    seconds = [o.seconds for _, o in judgements if isfinite(o.seconds)]
    return f"seconds a case: median {median(seconds):.2f}, longest {max(seconds):.1f}" if seconds else ""


def failures(judgements: Judgements, alarms: Alarms) -> str:
    """What failed of the seen cases, by kind: the case, its wrong line, what is expected, what the doctor said."""
    parts = ["# False alarms (seen)\n"]
    parts += [f"- {right.name}: {o.said}\n" for right, o in alarms if o.detected and not right.unseen]
    seen = [j for j in judgements if not j[0].unseen and not (j[1].named and j[1].corrected)]
    for kind in sorted({case.kind for case, _ in seen}):
        parts.append(f"\n# {kind}\n")
        for case, outcome in (j for j in seen if j[0].kind == kind):
            parts.append(_failure(case, outcome))
    return "".join(parts)


def _failure(case: Case, outcome: Outcome) -> str:
    steps = {"NOT DETECTED": outcome.detected, "line": outcome.placed, "name": outcome.named, "fix": outcome.corrected}
    what = next(step for step, done in steps.items() if not done)
    line = case.source.splitlines()[case.lines[0] - 1].strip()
    return f"- [{what}] {case.name}, lines {list(case.lines)}: `{line}`; said: {outcome.said}\n"


def as_data(judgements: Judgements, alarms: Alarms) -> dict[str, dict[str, Any]]:
    """Every outcome by the name of its case, with what is known of the case; nothing of what is held out is shown."""
    found: dict[str, dict[str, Any]] = {}
    for case, outcome in (*judgements, *alarms):
        is_case = isinstance(case, Case)
        known = {"network": case.network, "kind": case.kind if is_case else "right", "unseen": case.unseen}
        found[case.name] = {**known, "published": is_case and bool(case.address), **asdict(outcome)}
        if case.unseen:
            del found[case.name]["said"]
    return found


def _rows(judgements: Judgements, of: Callable[[Case], str]) -> list[tuple[str, ...]]:
    groups: dict[str, list[Outcome]] = {}
    for case, outcome in judgements:
        groups.setdefault(of(case), []).append(outcome)
    return [(name, *_figures(groups[name])) for name in sorted(groups)]


def _figures(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """How many there are and the shares; that of lines which put things right is of the named ones."""
    named = sum(o.named for o in outcomes)
    shares = [sum(getattr(o, field) for o in outcomes) / len(outcomes) for field in ("detected", "placed", "named")]
    right = sum(o.corrected for o in outcomes) / named if named else 0.0
    return (str(len(outcomes)), *(f"{100 * share:.1f} %" for share in (*shares, right)))


def _lines(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[k]) for row in rows) for k in range(len(HEADER))]
    return "\n".join("  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows)
