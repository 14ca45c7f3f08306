"""What a report tells of a diagnosis. A hint hides what it does not name before anything is written of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from backproof.checking.comparing import layouts
from backproof.checking.diagnosis import Diagnosis, Finding, Judgement, Remark, Returned
from backproof.checking.mistakes.kinds import Edited
from backproof.checking.mistakes.table import KINDS
from backproof.checking.moments import Moment
from backproof.checking.repair import Repair
from backproof.derivation.steps import BackwardStep
from backproof.ir.errors import BackproofError
from backproof.ir.node import Node
from backproof.write.doc import Code, Inline
from backproof.write.outline import plain
from backproof.write.spell import spell_as_part

HINTS = {kind.name: kind.about for kind in KINDS}
"""Of which kind a mistake is, in a sentence that leaves the mending to the reader."""
UNKNOWN = "It is none of the usual mistakes."


@dataclass(frozen=True, slots=True)
class Worst:
    """The entry that is furthest from the right one, counted from 1; `place` is None where the shapes do not agree."""

    place: tuple[int, ...] | None
    found: float
    right: float
    shapes: tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """A finding as far as it is told.

    kinds  of a wrong one, of which kinds the mistakes are that it may be
    misplaced  whether the value is fine, and what happens to it is not
    part   the part of the derivative that it is meant to be; None where it is the whole
    explained  whether it is known which mistake it is, which no hint hides
    step, mistakes, correction, worst and part are None or empty where the hint hides them
    """

    moment: Moment
    text: str
    judgement: Judgement
    step: BackwardStep | None
    kinds: tuple[str, ...]
    mistakes: tuple[Edited | Repair, ...]
    correction: str | None
    worst: Worst | None
    misplaced: bool
    explained: bool
    part: Node | None

    @property
    def sentences(self) -> tuple[str, ...]:
        """The mistakes as plain text."""
        return tuple(map(_plain_sentence, self.mistakes))

    @property
    def written(self) -> str:
        """The expression as it stands in the code: ``grads["dW" + str(l)]``."""
        own = (write.written for write in self.moment.writes if write.text == self.text and write.written)
        return next(own, self.text)


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """A diagnosis as far as it is told: hint 1 tells where a mistake is, 2 also of what kind it is, 3 everything."""

    hint: int
    ok: bool
    returned: Mapping[str, Returned]
    findings: tuple[Told, ...]
    convention: Node | None
    remarks: tuple[Remark, ...]
    raised: str

    @property
    def wrong(self) -> tuple[Told, ...]:
        """The statements that are wrong in themselves, in the order in which they ran."""
        return tuple(finding for finding in self.findings if finding.judgement == "wrong")


def account(diagnosis: Diagnosis, hint: int = 3) -> Account:
    """What a hint leaves of a diagnosis. Raises BackproofError for a hint that there is not."""
    if hint not in (1, 2, 3):
        raise BackproofError(
            f"there is no hint {hint}", instead="choose 1 (where it is), 2 (of what kind it is) or 3 (all of it)"
        )
    returned = diagnosis.returned
    if hint == 1:  # that it was computed and is not returned would say what is wrong
        returned = {name: "wrong" if word in ("lost", "shape") else word for name, word in returned.items()}
    findings = tuple(_told(finding, hint) for finding in diagnosis.findings)
    whole = hint == 3
    convention = diagnosis.convention if whole else None
    error = diagnosis.raised
    raised = "" if error is None else f"{error.what}{f' ({error.where})' if error.where else ''}: {error.why}"
    return Account(hint, diagnosis.ok, returned, findings, convention, diagnosis.remarks, raised)


def _told(finding: Finding, hint: int) -> Told:
    whole = hint == 3
    return Told(
        finding.moment,
        finding.text,
        finding.judgement,
        finding.step if hint > 1 else None,
        _kinds(finding) if hint > 1 and finding.judgement == "wrong" else (),
        finding.mistakes if whole else (),
        finding.correction if whole else None,
        _worst(finding) if whole else None,
        finding.is_misplaced,
        bool(finding.mistakes),
        finding.part if whole else None,
    )


def _kinds(finding: Finding) -> tuple[str, ...]:
    names = [name for edit in finding.mistakes for name in edit.mistake.split(" and ")]
    return tuple(dict.fromkeys(HINTS.get(name, UNKNOWN) for name in names)) or (UNKNOWN,)


def _worst(finding: Finding) -> Worst:
    """The entry that is furthest off, in whatever layout; none where it is the layout that is wrong."""
    shapes = finding.found.shape, finding.right.shape
    right = next(layouts(finding.right, finding.found.shape), None)
    if right is None or (finding.mistakes and finding.mistakes[0].mistake == "wrong shape"):
        return Worst(None, float("nan"), float("nan"), shapes)
    with np.errstate(invalid="ignore"):
        off = np.where(np.isfinite(finding.found), np.abs(finding.found - right), np.inf)
    worst = np.unravel_index(int(np.argmax(off)), off.shape) if off.shape else ()
    place = tuple(int(k) + 1 for k in worst)
    return Worst(place, float(finding.found[worst]), float(right[worst]), shapes)


def _plain_sentence(edit: Edited | Repair) -> str:
    """A mistake's sentence as plain text, with a capital unless it begins with a name, which keeps its case."""
    text = plain(sentence(edit))
    return text if edit.says.startswith("{") else text[:1].upper() + text[1:]


def sentence(edit: Edited | Repair, opening: str = "") -> Inline:
    """A mistake's sentence with the quantities set as formulas."""
    quantities: tuple[Node | str, ...] = edit.named
    words = [spell_as_part(named) if isinstance(named, Node) else Code(named) for named in quantities]
    pieces = re.split(r"\{(\d+)\}", f"{opening}{edit.says}.")
    return tuple(words[int(piece)] if k % 2 else piece for k, piece in enumerate(pieces))
