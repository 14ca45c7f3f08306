"""What a check found: one verdict per gradient, as data and as a document."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Literal

from backproof.write.doc import Block, Code, Document, Heading, Inline, Paragraph, Table

Judgement = Literal["right", "wrong", "not comparable"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The comparison of one gradient with its reference.

    symbol         its plain name: dW[1]
    shape          its shape in numbers
    compared       how many of its entries were compared, and found at a kink or not
    place          the worst entry, counted from 1
    derived        that entry by the derivation
    reference      that entry by the second opinion
    error          the relative error there (see `check_gradients`)
    kinks          how many entries were not compared because a kink lies within the step
    judgement      right, wrong, or not comparable (a value is not finite, or every entry is at a kink)
    """

    symbol: str
    shape: tuple[int, ...]
    compared: int
    place: tuple[int, ...]
    derived: float
    reference: float
    error: float
    kinks: int
    judgement: Judgement

    @property
    def whole(self) -> bool:
        """Whether every entry was compared."""
        return self.compared == math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Report:
    """The verdicts on all gradients, how they were reached, and what a reader should know beside them."""

    verdicts: tuple[Verdict, ...]
    method: str
    tolerance: float
    samples: int
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every gradient is right."""
        return all(verdict.judgement == "right" for verdict in self.verdicts)

    def json(self) -> str:
        """The report as JSON text, ending in a line break; a number that is not finite is a word."""
        verdicts = [
            {key: str(x) if isinstance(x, float) and not math.isfinite(x) else x for key, x in asdict(verdict).items()}
            for verdict in self.verdicts
        ]
        content = {"schema": "backproof/check", "version": 1, "ok": self.ok, **asdict(self), "verdicts": verdicts}
        return json.dumps(content, ensure_ascii=False, indent=1) + "\n"

    def document(self) -> Document:
        """The report as a document with one table."""
        opinion = {"complex": "the complex step", "central": "central differences"}[self.method]
        rows = tuple(map(_row, self.verdicts))
        titles = ["gradient", "shape", "worst entry", "derived", "reference", "relative error", ""]
        header: tuple[Inline, ...] = tuple((text,) for text in titles)
        right = sum(verdict.judgement == "right" for verdict in self.verdicts)
        drawn = max((verdict.compared for verdict in self.verdicts if not verdict.whole), default=0)
        which = f"in {drawn} entries drawn from each that has more" if drawn else "entry by entry"
        on = f", on {self.samples} samples" if self.samples else ""
        summary = (
            f"{right} of {len(self.verdicts)} gradients agree with {opinion} to a relative error of "
            f"{self.tolerance:g}, {which}{on}. The table shows the worst entry of each."
        )
        blocks: list[Block] = [Heading(1, ("The check",)), Table(header, rows, "lllrrrl"), Paragraph((summary,))]
        blocks += [Paragraph((note,)) for note in self.notes]
        return Document("The check", tuple(blocks))


def _row(verdict: Verdict) -> tuple[Inline, ...]:
    place = ",".join(map(str, verdict.place))
    judgement = verdict.judgement
    return (
        (Code(verdict.symbol),),
        (" × ".join(map(str, verdict.shape)),),
        (Code(f"[{place}]"),) if place else ("",),
        (f"{verdict.derived:.6g}",),
        (f"{verdict.reference:.6g}",),
        (f"{verdict.error:.1e}",),
        (f"{judgement}, {verdict.kinks} at a kink" if verdict.kinks else judgement,),
    )
