"""A diagnosis as JSON, for programs. The form is described by ``write/templates/diagnosis.schema.json``."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from backproof.checking.diagnosis import Diagnosis, Remark
from backproof.checking.telling import Told, Worst, account
from backproof.write.json import formula
from backproof.write.outline import plain
from backproof.write.spell import spell

VERSION = 1
DIGITS = 12
"""Numbers are given to so many places: the rest is rounding, and differs between processors."""


def diagnosis_json(diagnosis: Diagnosis, hint: int = 3) -> str:
    """The diagnosis as JSON text, ending in a line break; what a hint hides is null or empty."""
    told = account(diagnosis, hint)
    content = {
        "schema": "backproof/diagnosis",
        "version": VERSION,
        "hint": told.hint,
        "ok": told.ok,
        "raised": told.raised or None,
        "gradients": [{"of": name, "verdict": word} for name, word in told.returned.items()],
        "convention": None if told.convention is None else formula(spell(told.convention)),
        "findings": [_finding(finding) for finding in told.findings],
        "remarks": [_remark(remark) for remark in told.remarks],
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _finding(finding: Told) -> dict[str, Any]:
    moment, step = finding.moment, finding.step
    shown = None
    if step is not None and finding.worst is not None:
        whole = step.rewrites[-1].result if step.rewrites else step.raw
        shown = formula(spell(whole if finding.part is None else finding.part))
    return {
        "file": Path(moment.file).name,
        "line": moment.number,
        "source": moment.source,
        "function": moment.function,
        "round": moment.visit + 1,
        "variable": finding.text,
        "judgement": finding.judgement,
        "quantity": None if step is None else str(step.symbol),
        "derivative_by": None if step is None else str(step.of.symbol),
        "part": finding.part is not None,
        "equation": shown,
        "kinds": list(finding.kinds),
        "mistakes": [
            {"mistake": edit.mistake, "text": text}
            for edit, text in zip(finding.mistakes, finding.sentences, strict=True)
        ],
        "correction": finding.correction,
        "worst": None if finding.worst is None else _worst(finding.worst),
    }


def _worst(worst: Worst) -> dict[str, Any]:
    found, right = worst.shapes
    return {
        "place": None if worst.place is None else list(worst.place),
        "found": None if worst.place is None else _number(worst.found),
        "right": None if worst.place is None else _number(worst.right),
        "shapes": {"found": list(found), "right": list(right)},
    }


def _number(x: float) -> float | str:
    """A number; JSON has none for what is not finite, which is a word then."""
    return float(f"{x:.{DIGITS}g}") if math.isfinite(x) else str(x)


def _remark(remark: Remark) -> dict[str, str]:
    return {"topic": remark.topic, "about": remark.about, "text": plain(remark.text)}
