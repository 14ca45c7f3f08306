"""What the doctor says of a case, held against what is known of it."""

from __future__ import annotations

import ast
import time
from collections.abc import Sequence
from dataclasses import dataclass

from case import Case, is_wrong
from network import SEEDS, arguments, module, networks, returned

import backproof as bp
from backproof.checking.diagnosis import Diagnosis
from backproof.checking.repair import Repair
from backproof.ir.errors import BackproofError

SAYS_RAISES = " raises "
"""In the message by which the doctor tells that the backward pass does not run to its end."""
NOT_RECOGNISED = "not recognised"
"""The answer of the doctor where no mistake that it knows gives the numbers."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One case.

    ending     how the doctor ended: "wrong", "right", "unusable" (an error of its own), "crashed" or "late"
    detected   told to be wrong
    placed     the first wrong line is right
    named      so is the mistake, in the first answer
    corrected  the line proposed, in the place of the wrong one, makes every gradient right
    said       in words: the line and the mistake
    """

    case: str
    ending: str
    detected: bool
    placed: bool
    named: bool
    corrected: bool
    said: str
    seconds: float


def judged(case: Case) -> Outcome:
    """Runs the doctor on a case. What goes wrong in the doctor itself counts as not detected."""
    started = time.process_time()
    given = arguments(case.source, SEEDS[0])
    made = module(case.source)
    try:
        diagnosis = bp.diagnose(made.forward, made.backward, given)
    except BackproofError as error:
        raises = SAYS_RAISES in str(error)
        placed = raises and any(f"line {line})" in str(error) for line in case.lines)
        said = str(error).splitlines()[0]
        ending = "wrong" if raises else "unusable"
        return Outcome(case.name, ending, raises, placed, False, False, said, time.process_time() - started)
    except Exception as error:
        said = f"{type(error).__name__}: {error}"[:200]
        return Outcome(case.name, "crashed", False, False, False, False, said, time.process_time() - started)
    seconds = time.process_time() - started
    if diagnosis.ok:
        return Outcome(case.name, "right", False, False, False, False, "right", seconds)
    if not diagnosis.wrong:
        said = f"no line; {dict(diagnosis.returned)}"
        return Outcome(case.name, "wrong", True, False, False, False, said, seconds)
    finding = diagnosis.wrong[0]
    placed = _placed(case, [f.moment.number for f in diagnosis.wrong])
    mistake = finding.mistakes[0].mistake if finding.mistakes else NOT_RECOGNISED
    named = placed and mistake in case.names
    said = f"line {finding.moment.number} {finding.text}: {mistake}; {finding.correction}"
    return Outcome(case.name, "wrong", True, placed, named, named and _corrected(case, diagnosis), said, seconds)


def _placed(case: Case, lines: Sequence[int]) -> bool:
    """Whether the first line blamed is a wrong one; of two mistakes both have to be among the lines."""
    if not case.also:
        return lines[0] in case.lines
    either = {*case.lines, *case.also}
    return lines[0] in either and all(not {*found}.isdisjoint(lines) for found in (case.lines, case.also))


def _corrected(case: Case, diagnosis: Diagnosis) -> bool:
    """Puts the line proposed in the place of the wrong one, and compares every gradient with the right ones.

    Of two mistakes all lines that are proposed are taken.
    """
    taken = diagnosis.wrong if case.also else diagnosis.wrong[:1]
    proposed = {f.moment.number: (f.correction, next(iter(f.mistakes), None)) for f in taken}
    source = case.source
    for number in sorted(proposed, reverse=True):
        correction, mistake = proposed[number]
        below = mistake.below if isinstance(mistake, Repair) else None
        if correction is None and below is None:
            return False
        source = moved(source, number, below) if correction is None else with_line(source, number, correction)
    right = next(network.source for network in networks() if network.name == case.network)
    try:
        return not is_wrong(source, [returned(right, arguments(right, seed)) for seed in SEEDS])
    except SyntaxError:
        return False


def with_line(source: str, number: int, statement: str) -> str:
    """The source with another statement in the place of the one that starts on a line."""
    lines = source.splitlines()
    at = [x for x in ast.walk(ast.parse(source)) if isinstance(x, ast.stmt) and x.lineno == number]
    last = max((x.end_lineno or number for x in at), default=number)
    indent = lines[number - 1][: len(lines[number - 1]) - len(lines[number - 1].lstrip())]
    new = [indent + line for line in statement.splitlines()]
    return "\n".join([*lines[: number - 1], *new, *lines[last:]]) + "\n"


def moved(source: str, number: int, below: int | None) -> str:
    """The source with the line of a number moved below another one."""
    lines = source.splitlines()
    return "\n".join([*lines[: number - 1], *lines[number:below], lines[number - 1], *lines[below:]]) + "\n"


def alarmed(name: str, source: str) -> Outcome:
    """What the doctor says of a right backward pass: anything but that it is right is a false alarm."""
    started = time.process_time()
    made = module(source)
    try:
        diagnosis = bp.diagnose(made.forward, made.backward, arguments(source, SEEDS[0]))
    except Exception as error:
        said = f"{type(error).__name__}: {error}"[:200]
        return Outcome(name, "crashed", True, False, False, False, said, time.process_time() - started)
    alarms = [f"line {f.moment.number} {f.text}" for f in diagnosis.wrong]
    said = "right" if diagnosis.ok and not alarms else f"{dict(diagnosis.returned)} {alarms[:3]}"
    ending = "right" if said == "right" else "wrong"
    return Outcome(name, ending, said != "right", False, False, False, said, time.process_time() - started)
