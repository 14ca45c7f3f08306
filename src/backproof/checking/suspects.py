"""Which statements of somebody's code may be at fault: each is perturbed, to see what depends on it."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from backproof.checking.changed_runs import Changed, ChangedRuns
from backproof.checking.changing.names import is_called_derivative
from backproof.checking.changing.statements import perturbed
from backproof.checking.changing.surroundings import Line
from backproof.checking.frames import held
from backproof.checking.layers import came_right
from backproof.checking.moments import Moment, is_looked_up, statement_of
from backproof.checking.naming import letters
from backproof.checking.repair import Repair
from backproof.checking.rewriting import Rewritten
from backproof.checking.subjects.subject import Played
from backproof.checking.syntax import looped
from backproof.checking.truth import Truth
from backproof.ops.row import Array


@dataclass(frozen=True, slots=True, eq=False)
class Suspected:
    """Statements that may be at fault.

    first   those on which all depends that is wrong, and nothing that is right
    others  those on which some of it does
    needed  those on which something depends that is right, and that give no derivative
    """

    first: Sequence[Line]
    others: Sequence[Line]
    needed: Sequence[Line]


class Suspects:
    """The statements that may be at fault among those that run, of which `moments` has the first visits in order."""

    def __init__(self, runs: ChangedRuns, truths: Sequence[Truth], moments: Mapping[Line, Moment]) -> None:
        self._runs, self._truths, self._truth, self._moments = runs, truths, truths[0], moments
        self._all = frozenset(self._truth.of_name)

    def among(self, done: Changed, right: frozenset[str]) -> Suspected:
        """The statements that may be at fault beside those that are put right already."""
        before = self._parts(self._runs.played(done, self._runs.arguments))
        raised = any(moment.raised for moment in self._moments.values())
        lines = [
            line
            for line, moment in self._moments.items()
            # Code that goes through fewer layers does not raise either.
            if line not in done
            and not self._is_kept(line)
            and not (raised and _counts(moment) and not _measures(moment))
        ]
        free = {line: self._reach(line, done, before) for line in lines}
        reach = {line: moved for line, (broken, moved) in free.items() if not broken & right}
        # A statement of a loop may be wrong in one round only, on which nothing depends that is right.
        in_loops = [line for line in free if line not in reach and line[1] in looped(line[0])]
        most = max((moved for moved in reach.values() if moved is not None), default=0)
        first = [
            line
            for line, moved in reach.items()
            if (moved == most or (moved is None and self._computes(line))) and not self._gives_derivative(line)
        ]
        needed = [line for line in free if line not in reach and not self._gives_derivative(line)]
        return Suspected(first, [*(line for line in reach if line not in first), *in_loops], needed)

    def _gives_derivative(self, line: Line) -> bool:
        """Whether all that a statement gives when it runs first is a derivative as it should be."""
        writes = self._moments[line].writes
        return bool(writes) and any(all(truth.is_derivative(x.value, x.text) for x in writes) for truth in self._truths)

    def _computes(self, line: Line) -> bool:
        """Whether a statement does more than take values out of something, give them back, or count."""
        moment = self._moments[line]
        is_return = isinstance(statement_of(moment), ast.Return)
        return not is_looked_up(moment) and not _counts(moment) and not is_return

    def _is_kept(self, line: Line) -> bool:
        """Whether a statement gives a quantity of the forward pass: one that it computes, or the one that it names."""
        moment = self._moments[line]
        is_name = isinstance(getattr(statement_of(moment), "value", None), ast.Name)  # z = b computes nothing
        if not is_looked_up(moment) and not is_name:
            return self._computes_forward(moment)
        if _is_window(moment) and line[1] in looped(line[0]):
            return False  # the first of several may be the only one that is right
        return bool(moment.writes) and all(self._is_named(write.text, write.value) for write in moment.writes)

    def _is_named(self, text: str, value: Array) -> bool:
        """Whether a value is the quantity of the forward pass that an expression names, its round aside."""
        named, found = self._truth.forward_named(text), self._truth.recognised("", [value])
        if named is not None and self._truth.plain(named[0].node, 0).size == value.size:
            return self._truth.is_(named[0], [value])
        return found is not None and found.step is None and letters(found.name) == letters(text)

    def _computes_forward(self, moment: Moment) -> bool:
        if isinstance(statement_of(moment), ast.Return) or any(is_called_derivative(x.text) for x in moment.writes):
            return False
        found = [self._truth.recognised("", [write.value]) for write in moment.writes]
        return bool(found) and all(quantity is not None and quantity.step is None for quantity in found)

    def _reach(self, line: Line, done: Changed, before: Mapping[str, Array]) -> tuple[frozenset[str], int | None]:
        """What is not right any more where a statement gives another value, and how much else changes.

        None where that cannot be told, since the code does not run then.
        """
        statement = statement_of(self._moments[line])
        new = None if statement is None else perturbed(statement)
        if statement is None or new is None:
            return frozenset(), None
        moved_ = Rewritten(line, Repair(mistake="", says="", named=(), line=""), {statement: new})
        run = self._runs.played({**done, line: moved_}, self._runs.arguments)
        if run is None:
            return frozenset(), None
        after = self._parts(run)
        moved = [
            text
            for text, array in before.items()
            if text in after and not np.array_equal(array, after[text], equal_nan=True)
        ]
        return self._all - came_right(self._truth, [run]), len(moved)

    @staticmethod
    def _parts(played: Played | None) -> Mapping[str, Array]:
        return {} if played is None else {part.text: part.value for part in held("", played.returned)}


def _is_window(moment: Moment) -> bool:
    """Whether a statement takes a part of an array."""
    statement = statement_of(moment)
    return isinstance(statement, ast.Assign) and any(isinstance(x, ast.Slice) for x in ast.walk(statement.value))


def _measures(moment: Moment) -> bool:
    """Whether a statement takes the length of an axis, or computes one of several lengths."""
    match statement_of(moment):
        case ast.Assign(value=ast.Subscript(value=ast.Attribute(attr="shape"))):
            return True
        case ast.Assign(value=ast.BinOp() as value):
            return len({x.id for x in ast.walk(value) if isinstance(x, ast.Name)} - {"len"}) > 1
    return False


def _counts(moment: Moment) -> bool:
    """Whether all that a statement gives are whole numbers."""
    return bool(moment.writes) and all(
        write.value.ndim == 0 and write.value.dtype.kind == "i" for write in moment.writes
    )
