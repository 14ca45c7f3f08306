"""What the doctor found, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from backproof.checking.comparing import same
from backproof.checking.mistakes.kinds import Edited
from backproof.checking.moments import Moment
from backproof.checking.repair import Repair
from backproof.derivation.derivation import Derivation
from backproof.derivation.steps import BackwardStep
from backproof.ir.errors import BackproofError
from backproof.ir.node import Node
from backproof.ops.row import Array
from backproof.write.doc import Inline

Judgement = Literal["right", "inherited", "wrong"]
Returned = Literal["right", "inherited", "wrong", "shape", "lost", "none", "missing"]
"""Of the derivative by a parameter: `shape` has the right numbers and the wrong shape, `lost` was computed rightly and
did not come back, `none` came back as None, `missing` was not computed."""


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """A value in somebody's code and what it turned out to be.

    moment      the statement
    text        the expression that holds it: dZ2
    step        the derivative that it is, or is meant to be, as a step of the derivation
    judgement   right; inherited, wrong because of what went in; wrong in itself
    mistakes    the edits of the right equation that give these numbers, or of the line, the likeliest first
    found       its value on the first draw
    right       the value that belongs there
    correction  the right line in the names of the code, where it can be written with what the code holds
    part        the part of the derivative that it is meant to be; None where it is the whole
    needed_by   the later statement that needs the value as it was before this one changed it
    """

    moment: Moment
    text: str
    step: BackwardStep
    judgement: Judgement
    found: Array
    right: Array
    mistakes: tuple[Edited | Repair, ...] = ()
    correction: str | None = None
    part: Node | None = None
    needed_by: Moment | None = None

    @property
    def is_misplaced(self) -> bool:
        """Whether the value is fine, and what happens to it is not: changed too early, or not returned."""
        return self.judgement == "wrong" and (self.needed_by is not None or same(self.found, self.right))

    def __repr__(self) -> str:
        place = f"{self.moment.place}: " if self.moment.file else ""
        mistake = f", {self.mistakes[0].mistake}" if self.mistakes else ""
        return f"<{place}{self.text} is {self.judgement}{mistake}>"


@dataclass(frozen=True, slots=True, eq=False)
class Remark:
    """Something worth knowing beside the verdict.

    topic  why right gradients may not be enough; what looks wrong and is right; how the comparison was made
    about  what it is about in a word or two: dead units, single precision
    text   the sentence, with the figure that shows it
    """

    topic: Literal["learning", "doubt", "comparison"]
    about: str
    text: Inline


@dataclass(frozen=True, slots=True, eq=False)
class Diagnosis:
    """What the doctor found.

    derivation  the right backward pass
    findings    every value that could be told, in the order of the run
    returned    the verdict on the derivative by each parameter, by its plain name
    convention  the factor that intermediate derivatives are a multiple by (m, where 1/m comes in with the parameters)
    remarks     what is worth knowing beside that
    raised      the error that the backward pass ended with
    """

    derivation: Derivation
    findings: tuple[Finding, ...]
    returned: Mapping[str, Returned]
    convention: Node | None
    remarks: tuple[Remark, ...] = ()
    raised: BackproofError | None = None

    @property
    def wrong(self) -> tuple[Finding, ...]:
        """The statements that are wrong in themselves, in the order in which they ran."""
        return tuple(finding for finding in self.findings if finding.judgement == "wrong")

    @property
    def ok(self) -> bool:
        """Whether derivatives came back, and every one of them is right."""
        words = set(self.returned.values())
        return self.raised is None and "right" in words and words <= {"right", "missing"}

    def __repr__(self) -> str:
        wrong = [name for name, word in self.returned.items() if word not in ("right", "missing")]
        first = f"; first {self.wrong[0]!r}" if self.wrong else ""
        what = f"{', '.join(wrong)} wrong{first}" if wrong else "ok" if self.ok else "no derivatives"
        return f"<diagnosis: {what}>"
