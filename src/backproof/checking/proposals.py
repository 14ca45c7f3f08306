"""The lines that the equations say belong in the place of wrong ones, put there."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from backproof.checking.changed_runs import ChangedRuns
from backproof.checking.diagnosis import Finding
from backproof.checking.moments import statement_of
from backproof.checking.repair import Repair
from backproof.checking.rewriting import Rewritten
from backproof.checking.subjects.subject import Subject
from backproof.checking.truth import Truth


def proposal(finding: Finding) -> Sequence[Rewritten]:
    """The line that belongs in the place of a wrong one, if there is one."""
    statement = statement_of(finding.moment)
    if finding.correction is None or statement is None:
        return ()
    mistake = finding.mistakes[0] if finding.mistakes else None
    name = "not recognised" if mistake is None else mistake.mistake
    if isinstance(mistake, Repair):
        repair = replace(mistake, line=finding.correction)
    else:
        is_plain = mistake is not None and not mistake.named
        says = mistake.says if mistake is not None and is_plain else "it is not what the equation gives"
        repair = Repair(name, says, (), finding.correction)
    try:
        (new,) = ast.parse(finding.correction).body
    except (SyntaxError, ValueError):
        return ()
    return (Rewritten(finding.moment.line, repair, {statement: new}),)


def only_what_runs(subject: Subject, truths: Sequence[Truth], findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings without the corrections by which the code raises, or gives less that is right.

    What holds in one round of a loop, or on arrays of one size, is no line of code.
    """
    if truths[0].draws[0].played.raised is not None:
        return tuple(findings)  # it may raise elsewhere too
    runs = ChangedRuns(subject, truths, ())
    right, _ = runs.right_on_all({})

    def checked(finding: Finding) -> Finding:
        for new in proposal(finding) if finding.judgement == "wrong" else ():
            changed = {new.line: new}
            if runs.draws(changed) is None or not runs.right_on_all(changed)[0] >= right:
                return replace(finding, correction=None)
        return finding

    return tuple(map(checked, findings))
