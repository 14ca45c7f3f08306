"""What a backward pass was handed and changes in place, although that is no step of the training."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

import numpy as np

from backproof.checking.diagnosis import Remark
from backproof.checking.moments import Held, Moment, statement_of
from backproof.checking.naming import base, last_word
from backproof.checking.subjects.subject import Played
from backproof.ops.row import Array
from backproof.write.doc import Code


def overwritten(played: Played, parameters: Collection[str]) -> Iterator[Remark]:
    """A remark about each array that is another one after the backward pass; the update of a parameter is meant."""
    told: set[str] = set()
    letters = set(map(base, parameters))
    for name, (before, after) in played.overwritten.items():
        moment, write = _changing(played, before, after)
        place = "" if moment is None else moment.place
        if place in told or (base(last_word(name)) in letters and _is_update(moment, write, name)):
            continue
        told.add(place)
        where = f" in {place}" if place else ""
        text = (
            f" is changed in place{where}, and not a copy of it: what it was is lost for all that use it later, as the "
            "next call. Take a copy first, or let the result be a new array."
        )
        yield Remark("learning", "changed in place", (Code(name), text))


def _changing(played: Played, before: Array, after: Array) -> tuple[Moment | None, Held | None]:
    """The first statement that changes an array, whatever it calls it; else one that leaves it as it is in the end."""
    changes = [(m, w) for m in played.moments for w in m.writes if w.changed and w.value.shape == before.shape]
    for moment, write in changes:
        if any(read.text == write.text and np.array_equal(read.value, before) for read in moment.reads):
            return moment, write
    return next(((m, w) for m, w in changes if np.array_equal(w.value, after)), (None, None))


def _is_update(moment: Moment | None, write: Held | None, name: str) -> bool:
    """Whether a statement subtracts from the array by its own name, or adds to it: ``W -= lr * dW``."""
    statement = None if moment is None else statement_of(moment)
    if write is None or not isinstance(statement, ast.AugAssign | ast.Assign):
        return False
    subtracts = isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Sub | ast.Add)
    subtracts |= isinstance(statement.value, ast.BinOp) and isinstance(statement.value.op, ast.Sub | ast.Add)
    return subtracts and last_word(write.text) == last_word(name)
