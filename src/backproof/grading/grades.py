"""One row for each submission, and the table of all."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal

from backproof.checking.diagnosis import Diagnosis
from backproof.checking.telling import Told, account

Status = Literal["checked", "unusable", "failed", "timed out", "out of memory", "crashed"]
"""`unusable` cannot be checked as it is, `failed` ended by an error of another kind, `crashed` ended the process."""
FORMULAS = ("=", "+", "-", "@")
"""How a cell begins that a spreadsheet takes for a formula."""


@dataclass(frozen=True, slots=True)
class Grade:
    """What became of a submission.

    verdict                of what was checked: right, wrong, or incomplete where what there is, is right
    right, wrong, missing  how many gradients are right; wrong or computed and not returned; not computed
    line                   where the first wrong statement is
    """

    file: str
    status: Status
    verdict: Literal["right", "wrong", "incomplete", ""] = ""
    right: int = 0
    wrong: int = 0
    missing: int = 0
    line: str = ""
    mistake: str = ""
    correction: str = ""
    message: str = ""


def graded(file: str, path: Path, diagnosis: Diagnosis, *, hint: int, wanted: Collection[str]) -> Grade:
    """A diagnosis as a row that tells as much as the hint allows; without names, all gradients are wanted."""
    told = account(diagnosis, hint)
    returned = {name: word for name, word in told.returned.items() if word != "missing" or not wanted or name in wanted}
    by_word = {word: [name for name, found in returned.items() if found == word] for word in returned.values()}
    right, missing, lost = (by_word.get(word, []) for word in ("right", "missing", "lost"))
    wrong = [name for name in returned if name not in {*right, *missing, *lost}]
    said = {"wrong": wrong, "computed, but not returned": lost, "not computed": missing}
    first = next(iter(told.wrong), None)
    place = first.moment.place if first is not None else diagnosis.raised.where if diagnosis.raised is not None else ""
    return Grade(
        file,
        "checked",
        ("incomplete" if missing else "right") if told.ok else "wrong",
        len(right),
        len(wrong) + len(lost),
        len(missing),
        place.removeprefix(f"{path.name}, ").removeprefix("line "),
        "" if first is None else _mistake(first),
        "" if first is None else first.correction or "",
        told.raised or "; ".join(f"{what}: {', '.join(names)}" for what, names in said.items() if names),
    )


def _mistake(finding: Told) -> str:
    """The likeliest mistake, or the error of the line; its kind, or nothing, where the hint allows no more."""
    if finding.moment.raised and not finding.sentences:
        return f"The line raises {finding.moment.raised}"
    return next(iter(finding.sentences or finding.kinds), "")


def table(grades: Iterable[Grade]) -> str:
    """The rows as CSV. What a spreadsheet would take for a formula has an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([field.name for field in fields(Grade)])
    for grade in grades:
        writer.writerow([_harmless(_on_one_line(str(cell))) for cell in asdict(grade).values()])
    return out.getvalue()


def _on_one_line(text: str) -> str:
    return "; ".join(" ".join(line.split()) for line in text.splitlines() if line.strip())


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULAS) else text
