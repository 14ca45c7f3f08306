"""Changes of single statements of somebody's code after which every derivative comes back right.

The proof of a diagnosis: the code is run with a statement changed, and all that comes back is compared. Where the
statement is one of the code's own, nothing has to be known of what it computes.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass
from functools import cached_property
from io import StringIO
from itertools import chain, count, islice, product
from typing import Any

import numpy as np

from backproof.checking.altered import altered
from backproof.checking.diagnosis import Finding
from backproof.checking.layers import came_right
from backproof.checking.precision import evenly_precise
from backproof.checking.products import Products
from backproof.checking.recording import Moment, held, is_looked_up, looped, statement_of
from backproof.checking.repair import Repair
from backproof.checking.results import Results
from backproof.checking.rewriting import FURTHEST, Line, Rewritten, other_places, perturbed, rewritten, surroundings
from backproof.checking.subjects.subject import Played, Subject
from backproof.checking.truth import Draw, Truth
from backproof.ops.row import Array

MOST_RUNS = 6000
"""How often the code is run with a statement changed."""
MOST_ENTRIES = 40_000_000
"""How many entries of arrays are computed in all these runs together, and in single statements."""
FURTHER_TURNS = 10
"""How many changes more of each line are tried at least once one has made all right."""
MOST_TRIED = 1000
"""How many changes of a line are evaluated to see whether it gives a derivative by them."""
MOST_BEFORE = 200
"""How many changes of an earlier line are tried where a later one can make all right."""
FIRST = 3
"""In how many statements more far-fetched changes are tried before they are tried in the others."""
MOST_STATEMENTS = 3
"""How many wrong statements are put right in one code."""


@dataclass(frozen=True, slots=True, eq=False)
class Mended:
    """Statements with what should stand in their place, and the runs of the code that has them."""

    repairs: Mapping[Line, Repair]
    draws: tuple[Draw, ...]


def mended(
    subject: Subject, truths: Sequence[Truth], wanted: Collection[str], findings: Sequence[Finding] = ()
) -> Mended | None:
    """The fewest changes after which all of the wanted derivatives come back right; None where none are found.

    Where it is not known which there are, since the code does not run to its end, all that comes back has to be right.
    The `truths` are the same in all conventions. Where there are `findings` already, their proposals are all that is
    tried.
    """
    return _Mending(subject, truths, wanted, findings).found()


class _Mending:
    def __init__(
        self, subject: Subject, truths: Sequence[Truth], wanted: Collection[str], findings: Sequence[Finding]
    ) -> None:
        self._subject, self._truths, self._wanted = subject, truths, frozenset(wanted)
        self._truth = truth = truths[0]
        self._functions = subject.functions
        first = truth.draws[0].played
        self._all = frozenset(truth.of_name)
        own = {f.__code__.co_filename for f in self._functions}
        self._moments = {_line(m): m for m in reversed(first.moments) if statement_of(m) is not None and m.file in own}
        self._order = list(reversed(self._moments))
        self._surroundings = surroundings(first.moments)
        self._proposed = {_line(f.moment): f for f in reversed(findings) if f.judgement == "wrong" and f.moment.source}
        entries = sum(write.value.size for m in first.moments for write in m.writes) + 1000
        self._runs_left = min(MOST_RUNS, MOST_ENTRIES // entries)
        self._work_left = MOST_ENTRIES

    def found(self) -> Mended | None:
        done: dict[Line, Rewritten] = {}
        right = came_right(self._truth, [self._truth.draws[0].played])
        for _ in range(MOST_STATEMENTS):
            best, right, is_all = self._best(done, right)
            if best is None:
                return None
            done[best.line] = best
            if is_all:
                return self._proven(done)
        return None

    def _proven(self, done: Mapping[Line, Rewritten]) -> Mended | None:
        """The same on every draw, with the statements of these runs."""
        draws = [self._played(done, draw.played.arguments, statements=True) for draw in self._truth.draws]
        played = [run for run in draws if run is not None]
        if len(played) < len(draws):
            return None
        whole = tuple(Draw(run, draw.truth) for run, draw in zip(played, self._truth.draws, strict=True))
        return Mended({line: rewritten.repair for line, rewritten in done.items()}, whole)

    def _best(
        self, done: Mapping[Line, Rewritten], right: frozenset[str]
    ) -> tuple[Rewritten | None, frozenset[str], bool]:
        """The change that makes the most right and nothing wrong, what is right then, and whether that is all.

        Of the first ones of several lines that make all right it is the one by which the most values turn out to be
        derivatives: dZ that is wrong could be made up for in dW, but would still be wrong itself.
        """
        partly: dict[Line, tuple[frozenset[str], Rewritten]] = {}
        whole: dict[Line, Rewritten] = {}
        suspects = self._suspects(done, right)
        for stage in self._stages(*suspects):
            for candidate in self._in_turn(stage, whole):
                most, _ = partly.get(candidate.line, (right, None))
                together = {**done, candidate.line: candidate}
                if self._right(together, 1)[0] > most:
                    found, is_all = self._right(together, None)
                    if is_all:
                        whole[candidate.line] = candidate
                    elif found > most:
                        partly[candidate.line] = found, candidate
            if whole:
                whole |= self._before(next(iter(whole.values())), suspects[0], done)
                return max(whole.values(), key=lambda x: self._likelihood(x, done)), self._all, True
        if not partly:
            return None, right, False
        longest = max(len(found) for found, _ in partly.values())
        best = [part for part in partly.values() if len(part[0]) == longest]
        most, candidate = max(best, key=lambda part: self._likelihood(part[1], done))
        return candidate, most, False

    def _in_turn(self, stage: Sequence[Iterator[Rewritten]], whole: Mapping[Line, Rewritten]) -> Iterator[Rewritten]:
        """The changes of several lines, in turn, as long as runs are left.

        Once one has been found, the other lines have as many turns again: what is at fault there may be as simple.
        Lines that are gone through one after the other have none.
        """
        tried: set[tuple[Line, str, int | None]] = set()
        waiting, turns = list(stage), count()
        last: int | None = None
        while waiting:
            turn = next(turns)
            if whole and last is None:
                last = 2 * turn + FURTHER_TURNS if len(stage) > 1 else turn - 1
            if last is not None and turn > last:
                return
            left = []
            for changes in waiting:
                candidate = next(changes, None)
                if candidate is None:
                    continue
                if candidate.line not in whole:
                    left.append(changes)
                key = candidate.line, candidate.repair.line, candidate.repair.below
                if candidate.line not in whole and key not in tried and self._runs_left > 0:
                    tried.add(key)
                    self._runs_left -= 1
                    yield candidate
            waiting = left

    def _before(
        self, found: Rewritten, lines: Sequence[Line], done: Mapping[Line, Rewritten]
    ) -> Mapping[Line, Rewritten]:
        """Changes, as simple as one that makes all right, of statements that run before it, and do so too."""
        whole: dict[Line, Rewritten] = {}
        for line in (x for x in lines if self._order.index(x) < self._order.index(found.line)):
            tried = (new for reach in range(max(2, found.reach + 1)) for new in self._rewritten(line, reach))
            for new in islice(tried, MOST_BEFORE):
                together = {**done, line: new}
                if self._right(together, 1)[1] and self._right(together, None)[1]:
                    whole[line] = new
                    break
        return whole

    def _likelihood(self, new: Rewritten, done: Mapping[Line, Rewritten]) -> tuple[int, int, int]:
        """How much speaks for a change: the values that are derivatives by it, that it is simple, that it is early."""
        return self._derivatives({**done, new.line: new}), -new.reach, -self._order.index(new.line)

    def _derivatives(self, changed: Mapping[Line, Rewritten]) -> int:
        """How many values in the changed code are derivatives, which count twice, or products on the way to one."""
        run = self._played(changed, self._truth.draws[0].played.arguments, statements=True)
        arrays = [] if run is None else [x.value for moment in run.moments for x in moment.writes if x.value.ndim]
        return max(
            2 * truth.count(arrays) + products.count(truth, arrays)
            for truth, products in zip(self._truths, self._products, strict=True)
        )

    @cached_property
    def _products(self) -> list[Products]:
        return [Products(truth) for truth in self._truths]

    def _right(self, changed: Mapping[Line, Rewritten], draws: int | None) -> tuple[frozenset[str], bool]:
        """What comes back right from code with changes on the first draws, and whether that is all there is to be."""
        played = []
        for draw in self._truth.draws[:draws]:
            run = self._played(changed, draw.played.arguments)
            if run is None:
                return frozenset(), False
            played.append(run)
        right = came_right(self._truth, played)
        is_all = right >= self._wanted
        if not self._wanted:
            is_all = len(right) >= len(Results(self._truth, played).derivatives)
        return right, bool(right) and is_all

    def _played(
        self, changed: Mapping[Line, Rewritten], arguments: Mapping[str, Any], *, statements: bool = False
    ) -> Played | None:
        """A run of the changed code; None where it is no code, or does not come to its end."""
        by_file: dict[str, dict[ast.stmt, ast.stmt]] = {}
        for new in changed.values():
            by_file.setdefault(new.line[0], {}).update(new.statements)
        try:
            with ExitStack() as stack, np.errstate(all="ignore"):
                for file, statements_ in by_file.items():
                    stack.enter_context(altered(self._functions, file, statements_))
                stack.enter_context(redirect_stdout(StringIO()))
                played = evenly_precise(self._subject.play(arguments, statements=statements))
        except Exception:  # whatever the user's code raises when it is changed
            return None
        return played if played.raised is None else None

    # --- what is tried

    def _stages(self, lines: Sequence[Line], others: Sequence[Line]) -> Iterator[Sequence[Iterator[Rewritten]]]:
        """What is tried, line by line, the likelier before the less likely."""
        if self._proposed:
            yield [self._own_proposal(finding) for finding in self._proposed.values()]
            return
        for some, reach in product((lines, others), range(FURTHEST + 1)):
            # One after the other: what runs first of what is wrong makes the rest wrong.
            yield [chain.from_iterable(self._giving_derivatives(line, reach) for line in some)]
        for some in (lines, others):
            yield [other_places(self._moments[line]) for line in some]
            for reach in range(FURTHEST):
                yield [self._rewritten(line, reach) for line in some]
            yield [self._rewritten(line, FURTHEST) for line in some[:FIRST]]
            yield [self._rewritten(line, FURTHEST) for line in some[FIRST:]]

    def _giving_derivatives(self, line: Line, reach: int) -> Iterator[Rewritten]:
        """The changes of a statement by which it gives a derivative, or a term of one, when it runs first."""
        moment, around = self._moments[line], self._surroundings[line]
        statement = statement_of(moment)
        work = sum(x.value.size for x in (*moment.reads, *moment.writes)) + 1000
        for new in islice(self._rewritten(line, reach), MOST_TRIED):
            self._work_left -= work
            if self._work_left < 0:
                return
            value = None if statement is None else around.value(moment, new.statements[statement])
            if value is not None and any(truth.is_derivative(value) for truth in self._truths):
                yield new

    def _rewritten(self, line: Line, reach: int) -> Iterator[Rewritten]:
        return rewritten(self._moments[line], self._surroundings[line], reach)

    def _own_proposal(self, finding: Finding) -> Iterator[Rewritten]:
        """The line that the equation says belongs there."""
        statement = statement_of(finding.moment)
        if finding.correction is None or statement is None:
            return
        mistake = finding.mistakes[0] if finding.mistakes else None
        name = "not recognised" if mistake is None else mistake.mistake
        repair = Repair(name, "", (), finding.correction)
        try:
            (new,) = ast.parse(finding.correction).body
        except (SyntaxError, ValueError):
            return
        yield Rewritten(_line(finding.moment), repair, {statement: new})

    def _suspects(self, done: Mapping[Line, Rewritten], right: frozenset[str]) -> tuple[list[Line], list[Line]]:
        """The statements on which all depends that is wrong and nothing that is right; and those on which some does.

        A statement of a loop may be wrong in one round only, on which nothing depends that is right.
        """
        before = self._parts(self._played(done, self._truth.draws[0].played.arguments))
        lines = [line for line in self._order if line not in done and not self._is_kept(line)]
        free = {line: self._reach(line, done, before) for line in lines}
        reach = {line: moved for line, (broken, moved) in free.items() if not broken & right}
        looped_ = [line for line in free if line not in reach and line[1] in looped(line[0])]
        most = max((moved for moved in reach.values() if moved is not None), default=0)
        first = [
            line
            for line, moved in reach.items()
            if (moved == most or (moved is None and self._computes(line))) and not self._gives_derivative(line)
        ]
        return first, [*(line for line in reach if line not in first), *looped_]

    def _gives_derivative(self, line: Line) -> bool:
        """Whether all that a statement gives when it runs first is a derivative as it should be."""
        writes = self._moments[line].writes
        return bool(writes) and any(all(truth.is_derivative(x.value, x.text) for x in writes) for truth in self._truths)

    def _computes(self, line: Line) -> bool:
        """Whether a statement does more than take values out of something."""
        return not is_looked_up(self._moments[line])

    def _is_kept(self, line: Line) -> bool:
        """Whether a statement only looks up a quantity of the forward pass, and gets the one that it names."""
        moment = self._moments[line]
        if self._computes(line):
            return False
        named = [self._truth.forward_named(write.text) for write in moment.writes]
        return bool(named) and all(
            found is not None and self._truth.is_(found[0], [write.value])
            for found, write in zip(named, moment.writes, strict=True)
        )

    def _reach(
        self, line: Line, done: Mapping[Line, Rewritten], before: Mapping[str, Array]
    ) -> tuple[frozenset[str], int | None]:
        """What is not right any more where a statement gives another value, and how much else changes.

        None where that cannot be told, since the code does not run then.
        """
        statement = statement_of(self._moments[line])
        new = None if statement is None else perturbed(statement)
        if statement is None or new is None:
            return frozenset(), None
        arguments = self._truth.draws[0].played.arguments
        moved_ = Rewritten(line, Repair(mistake="", says="", named=(), line=""), {statement: new})
        run = self._played({**done, line: moved_}, arguments)
        if run is None:
            return frozenset(), None
        after = self._parts(run)
        moved = [text for text, array in before.items() if text in after and not np.array_equal(array, after[text])]
        return self._all - came_right(self._truth, [run]), len(moved)

    @staticmethod
    def _parts(played: Played | None) -> Mapping[str, Array]:
        return {} if played is None else {part.text: part.value for part in held("", played.returned)}


def _line(moment: Moment) -> Line:
    return moment.file, moment.number
