"""What a second call of a backward pass gives: gradients that are added up from call to call show only then."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from backproof.checking.comparing import same
from backproof.checking.diagnosis import Remark
from backproof.checking.frames import held
from backproof.checking.subjects.subject import Played, Subject
from backproof.ops.row import Array
from backproof.write.doc import Code, Inline


def repeated(subject: Subject, arguments: Mapping[str, Any], first: Played) -> Iterator[Remark]:
    """The gradients that come out otherwise when forward and backward pass have run on the same arguments before."""
    if first.raised is not None or first.updates:
        return  # after a step of training they have to
    second = subject.play(arguments, times=2)
    if second.raised is not None:
        text = f"Called a second time on the same data, the backward pass ends with an error: {second.raised}."
        yield Remark("learning", "state", (text,))
        return
    before = _arrays(first)
    told: list[Array] = []
    for place, array in sorted(_arrays(second).items(), reverse=True):  # attributes before results
        once = before.get(place)
        if once is None or once.shape != array.shape or not np.isfinite((once, array)).all():
            continue
        if same(array, once) or any(same(array, other) for other in told):
            continue
        told.append(array)
        if same(array, 2 * once):
            text = (
                " is twice as large after a second call on the same data: what the first call left is added to. Set it "
                "to zero where the backward pass begins, unless something else does before each call."
            )
            yield Remark("learning", "gradients added up", (*_named(place), text))
        else:
            text = " is another one after a second call on the same data: it depends on what the first call left."
            yield Remark("learning", "state", (*_named(place), text))


def _arrays(played: Played) -> dict[str, Array]:
    places = played.returned.items() if isinstance(played.returned, Mapping) else ()
    return {part.text: part.value for place, value in places for part in held(place, value)}


def _named(place: str) -> Inline:
    """How the code calls it: the first object that methods belong to is `self` in them."""
    named = re.sub(r"^\[\d+\]", "self", place)
    return (Code(named),) if named.startswith("self") else ("What is returned",)
