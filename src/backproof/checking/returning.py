"""Return statements that give back something else than a derivative that was computed: what they should say."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from backproof.checking.changed_runs import ChangedRuns
from backproof.checking.changing.statements import expressions
from backproof.checking.diagnosis import Finding
from backproof.checking.moments import statement_of
from backproof.checking.repair import Repair
from backproof.checking.rewriting import Rewritten
from backproof.checking.subjects.subject import Subject
from backproof.checking.tree import exchanged, parsed
from backproof.checking.truth import Truth

NOT_RETURNED = "not returned"


def given_back(
    subject: Subject, truths: Sequence[Truth], findings: Sequence[Finding], wanted: Collection[str]
) -> tuple[Finding, ...]:
    """The findings, where one derivative is not returned with the statement by which all that is wanted is."""
    lost = [f for f in findings if [x.mistake for x in f.mistakes] == [NOT_RETURNED]]
    if len(lost) != 1:
        return tuple(findings)
    runs = ChangedRuns(subject, truths, wanted)
    places, names = {name: k for k, name in enumerate(runs.arguments)}, truths[0].parameters
    own = ((f.text, names.get(f.step.node, "")) for f in findings if f.part is None)
    at = {text: places[name] for text, name in own if name in places}
    tried = sorted(_otherwise(lost[0]), key=lambda new: not _in_order(new, at))
    new = next((new for new in tried if runs.right_on_all({new.line: new})[1]), None)
    if new is None:
        return tuple(findings)
    put_right = replace(lost[0], mistakes=(new.repair,), correction=new.repair.correction)
    return tuple(put_right if finding is lost[0] else finding for finding in findings)


def _otherwise(finding: Finding) -> Iterator[Rewritten]:
    """A return statement with what was computed in the place of each thing that it gives back."""
    statement, mistake = statement_of(finding.moment), finding.mistakes[0]
    if not isinstance(statement, ast.Return) or not isinstance(mistake, Repair):
        return
    for part in expressions(statement):
        new = exchanged(statement, part, parsed(finding.text))
        yield Rewritten(finding.moment.line, replace(mistake, line=ast.unparse(new)), {statement: new})


def _in_order(new: Rewritten, places: Mapping[str, int]) -> bool:
    """Whether the derivatives are given back in the order of the parameters."""
    texts = [ast.unparse(part) for statement in new.statements.values() for part in expressions(statement)]
    found = [places[text] for text in texts if text in places]
    return found == sorted(found)
