"""What is told beside a verdict, and a verdict beside the points where the derivative is a choice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from backproof.checking.diagnosis import Diagnosis, Remark
from backproof.checking.doubts import comparison, doubts
from backproof.checking.facts import Facts
from backproof.checking.labels import labels
from backproof.checking.learning import learning
from backproof.checking.stepping import stepping
from backproof.checking.subjects.drawing import between, redrawn
from backproof.execution.kinks import kinks

BESIDE = 1e-3
"""Which part of the way to others arguments go to come off a kink."""
FLAT = ("saturation", "vanishing", "symmetric weights", "dead units")
"""Remarks that say why a gradient is small; the step size is not to blame then."""


def diagnosed(diagnose: Callable[[Mapping[str, Any]], Diagnosis], arguments: Mapping[str, Any]) -> Diagnosis:
    """A diagnosis with all remarks.

    Where the data lie on kinks and something is wrong, the choices that are made there may be all that differs: then it
    is the diagnosis of arguments close by that counts.
    """
    found = diagnose(arguments)
    said = tuple(kinks(found.derivation.graph)) if not found.ok else ()
    if said:
        found = diagnose(between(arguments, redrawn(arguments, np.random.default_rng(0)), BESIDE))
    return replace(found, remarks=(*found.remarks, *_remarks(found, arguments, said)))


def _remarks(diagnosis: Diagnosis, arguments: Mapping[str, Any], said: tuple[str, ...]) -> Iterator[Remark]:
    for sentence in said:
        yield Remark("comparison", "kink", (f"{sentence}.",))
    if said:
        text = (
            "There the code may choose otherwise and be right. So it was compared beside these points, on arguments "
            f"changed by about {BESIDE:.1%} of their size; the entries above are those found there."
        )
        yield Remark("comparison", "kink", (text,))
    yield from comparison(diagnosis)
    if not diagnosis.ok:
        return
    facts = Facts(diagnosis)
    yield from doubts(facts)
    reasons = [*labels(facts), *learning(facts)]
    yield from reasons
    files = {finding.moment.file for finding in diagnosis.findings}
    yield from stepping(facts, files, arguments, scale=not any(remark.about in FLAT for remark in reasons))
