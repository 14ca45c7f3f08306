"""The values that a backward pass leaves behind, statement by statement, side by side on all draws.

A loop over the samples gives the slices of a quantity one after the other: what its statements give in all rounds
together is one value, put together along the first axis.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from backproof.checking.moments import Held, Moment, scales
from backproof.checking.naming import last_word
from backproof.checking.syntax import looped
from backproof.checking.truth import Truth
from backproof.ops.row import Array


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """A value that a statement gave, on every draw.

    moment   the statement, as it ran on the first draw; with no source where values were handed to a function
    text     the expression that holds the value, with the places in it as they were
    written  the expression as it stands in the code
    arrays   the value on every draw
    reads    what the statement read, on every draw
    changed  whether the value was changed in place
    partial  whether a later statement adds to the value or fills in more: a sum that is not complete
    added    whether the value is what the statement added to the expression, and not what that holds then
    rounds   how many rounds of a loop the value is put together of
    again    whether the statement gives several values, one after the other or to entries with the same key, so that
             their name is that of none
    """

    moment: Moment
    text: str
    written: str
    arrays: tuple[Array, ...]
    reads: tuple[Mapping[str, Array], ...]
    changed: bool = False
    partial: bool = False
    added: bool = False
    rounds: int = 1
    again: bool = False

    @property
    def name(self) -> str:
        """The expression, where it tells which quantity the value is meant to be."""
        return "" if self.again else self.text

    @property
    def before(self) -> tuple[Array, ...] | None:
        """What the expression held before the statement changed it."""
        if any(self.text not in read for read in self.reads):
            return None
        return tuple(read[self.text] for read in self.reads)

    @property
    def addition(self) -> Event | None:
        """What the statement added to the value, or begins it with; None where that is nothing."""
        before = self.before if self.changed else None
        arrays = self.arrays
        if before is not None and all(a.shape == b.shape for a, b in zip(arrays, before, strict=True)):
            arrays = tuple(a - b for a, b in zip(arrays, before, strict=True))
        if before is None and not any(array.any() for array in arrays):
            return None
        return replace(self, arrays=arrays, partial=False, added=before is not None)


def events(truth: Truth) -> list[Event]:
    """Every value that was written on all draws, in the order of the first."""
    runs = list(_aligned(truth))
    partial = _partial([moments[0] for moments in runs])
    found = [event for moments in runs for event in _of_statement(moments, partial)]
    return list(_in_rounds(found, truth))


def _aligned(truth: Truth) -> Iterator[tuple[Moment, ...]]:
    """The statements that ran on every draw, each with its counterparts."""
    first, *others = [{_key(m): m for m in draw.played.moments} for draw in truth.draws]
    for key, moment in first.items():
        if all(key in other for other in others):
            yield moment, *(other[key] for other in others)


def _key(moment: Moment) -> tuple[str, int, int, str, str]:
    return moment.file, moment.number, moment.visit, moment.source, moment.function


def _of_statement(moments: Sequence[Moment], partial: set[Held]) -> Iterator[Event]:
    reads = tuple({x.text: x.value for x in moment.reads} for moment in moments)
    for k, write in enumerate(moments[0].writes):
        found = [m.writes[k].value for m in moments if k < len(m.writes) and m.writes[k].text == write.text]
        if len(found) == len(moments):
            written = write.written or write.text
            yield Event(moments[0], write.text, written, tuple(found), reads, write.changed, write in partial)
    if not moments[0].writes:
        yield Event(moments[0], "", "", (), reads)


def _partial(moments: Sequence[Moment]) -> set[Held]:
    """The values that are added to or filled in later, and the zeros that something else is put in the place of.

    In a run that ends with an error zeros and the sums of a loop may be waiting for what did not come any more.
    """
    found: set[Held] = set()
    ended = not (moments and moments[-1].raised)
    next_adds: dict[str, bool] = {}
    for moment in reversed(moments):
        for write in moment.writes:
            if next_adds.get(write.text, False) or ((write.text in next_adds or not ended) and not write.value.any()):
                found.add(write)
            adds = write.changed and not scales(moment) and moment.number in looped(moment.file)
            if not ended and adds and write.text not in next_adds and not moment.raised:
                found.add(write)
        next_adds |= {write.text: write.changed and not scales(moment) for write in moment.writes}
    return found


def _in_rounds(found: Sequence[Event], truth: Truth) -> Iterator[Event]:
    """The same, with the rounds of a loop over samples put together where they are the slices of one quantity."""
    by_place: dict[tuple[str, int, str], list[Event]] = {}
    for event in found:
        by_place.setdefault(_place(event), []).append(event)
    joined = {place: whole for place, rounds in by_place.items() if (whole := _joined(rounds, truth)) is not None}
    keys = {_place(event) for event in found}
    shared = Counter((file, number, last_word(text)) for file, number, text in keys if text.endswith("']"))
    for event in found:
        place = _place(event)
        if place not in joined:
            is_shared = shared[*place[:2], last_word(event.text)] > 1
            yield replace(event, again=(len(by_place[place]) > 1 and not event.changed) or is_shared)
        elif event is by_place[place][-1]:
            yield joined[place]


def _place(event: Event) -> tuple[str, int, str]:
    return event.moment.file, event.moment.number, event.text


def _joined(rounds: Sequence[Event], truth: Truth) -> Event | None:
    first = rounds[0]
    if len(rounds) < 2 or not first.text or any(event.changed or event.partial for event in rounds):
        return None
    if any(len({event.arrays[k].shape for event in rounds}) > 1 for k in range(len(first.arrays))):
        return None
    if not truth.may_be_rounds(first.text, first.arrays, len(rounds)):
        return None
    if any(truth.recognised(event.text, event.arrays) for event in rounds):
        return None
    arrays = tuple(np.stack([event.arrays[k] for event in rounds]) for k in range(len(first.arrays)))
    reads = tuple(
        {
            text: np.stack(parts) if _vary(parts) else parts[-1]
            for text in first.reads[k]
            if _alike(parts := [event.reads[k][text] for event in rounds if text in event.reads[k]], len(rounds))
        }
        for k in range(len(first.arrays))
    )
    return Event(first.moment, first.text, first.written, arrays, reads, rounds=len(rounds))


def _alike(parts: Sequence[Array], rounds: int) -> bool:
    return len(parts) == rounds and len({part.shape for part in parts}) == 1


def _vary(parts: Sequence[Array]) -> bool:
    return len(list(groupby(parts, key=lambda part: part.tobytes()))) > 1
