"""What one sample alone cannot show: a sum over the samples and their mean are the same number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from backproof.checking.comparing import same
from backproof.checking.diagnosis import Remark
from backproof.checking.facts import DATA, LABELS
from backproof.checking.subjects.drawing import copied
from backproof.checking.subjects.subject import Subject


def one_sample(subject: Subject, arguments: Mapping[str, Any]) -> Iterator[Remark]:
    """A remark where the data have one sample: with it taken twice, the result is the same number or twice as large."""
    names = [name for name in arguments if name.lower() in (*DATA, *LABELS) or name in subject.upstream]
    data = {name: x for name in names if isinstance(x := arguments[name], np.ndarray)}
    before = np.asarray(subject.scalar(**copied(dict(arguments))))
    for axis in range(max((x.ndim for x in data.values()), default=0)):
        if any(x.shape[axis : axis + 1] not in ((1,), ()) for x in data.values()):
            continue  # the samples lie along another axis
        twice = {name: x.repeat(2, axis) for name, x in data.items() if x.ndim > axis}
        try:
            with np.errstate(all="ignore"):
                after = np.asarray(subject.scalar(**copied({**arguments, **twice})))
        except Exception:  # the axis is another one
            continue
        if twice and len(arguments) > 1 and any(same(after, factor * before) for factor in (1, 2)):
            text = (
                "There is one sample only, and a sum over one is its mean: a 1/m that is missing, or one too many, "
                "cannot be seen on these data. Give several samples, if the code is meant for several."
            )
            yield Remark("comparison", "one sample", (text,))
            return
