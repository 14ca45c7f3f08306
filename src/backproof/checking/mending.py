"""Changes of single statements of somebody's code after which every derivative comes back right.

The proof of a diagnosis: the code is run with a statement changed, and all that comes back is compared. Where the
statement is one of the code's own, nothing has to be known of what it computes.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice, takewhile

from backproof.checking.changed_runs import Changed, ChangedRuns
from backproof.checking.changing.names import is_called_derivative
from backproof.checking.changing.statements import does_nothing, is_mask, is_update, sets_a_number
from backproof.checking.changing.surroundings import Line, surroundings
from backproof.checking.diagnosis import Finding
from backproof.checking.layers import came_right
from backproof.checking.moments import Moment, is_looked_up, statement_of
from backproof.checking.placing import around_loops, ends_of_loops, left_unset, other_places
from backproof.checking.proposals import proposal
from backproof.checking.repair import Repair
from backproof.checking.rewriting import FURTHEST, Rewritten, rewritten
from backproof.checking.slopes import Slopes
from backproof.checking.subjects.subject import Played, Subject
from backproof.checking.suspects import Suspected, Suspects
from backproof.checking.syntax import names_in, parameters_at
from backproof.checking.truth import Draw, Truth
from backproof.ops.row import Array

MOST_RUNS = 3000
"""How often the code is run with a statement changed."""
MOST_ENTRIES = 40_000_000
"""How many entries of arrays are computed in all these runs together, and in single statements."""
EACH = 4000
"""As how many entries the evaluation of a single statement counts, however small its arrays are."""
MOST_STATEMENTS_RUN = 500_000
"""How many statements run in all these runs together."""
FURTHER_TURNS = 10
"""How many changes more of each line are tried at least once one has made all right."""
MOST_TRIED = 1000
"""How many changes of a line are evaluated to see whether it gives a derivative by them."""
MOST_BEFORE = 200
"""How many changes of an earlier line are tried where a later one can make all right."""
AGAIN = 5
"""Which part of all that is tried anew where a change only brings more derivatives about."""
MOST_ON_THE_WAY, MOST_OF_EACH = 400, 5
"""How many runs are spent on changes that bring only more derivatives about, and on how many of each line."""
MOST_BEYOND = 20
"""How many changes of each line below one that is changed are tried with it."""
FIRST = 3
"""In how many statements more far-fetched changes are tried before they are tried in the others."""
COMPREHENSIONS = ("<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>")
"""What frames of comprehensions are called, where they have some."""
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


@dataclass(frozen=True, slots=True, eq=False)
class _Stage:
    """Changes of several lines that are as likely.

    is_sure  a change that makes only some right is likely to be needed: another statement is wrong too
    decides  one that was found so far is taken
    breaks   a change may make wrong what is right by chance, two mistakes in it cancelling
    """

    changes: Sequence[Iterator[Rewritten]]
    is_sure: bool = False
    decides: bool = False
    breaks: bool = False


class _Mending:
    def __init__(
        self, subject: Subject, truths: Sequence[Truth], wanted: Collection[str], findings: Sequence[Finding]
    ) -> None:
        self._truths, self._truth = truths, truths[0]
        self._runs = ChangedRuns(subject, truths, wanted)
        came_back = self._runs.came_back
        others = (name for name, quantity in self._truth.of_name.items() if came_back.has_unknown(quantity))
        self._wanted = frozenset([*wanted, *others] if wanted else ())
        self._all = frozenset(self._truth.of_name)
        self._files = {f.__code__.co_filename for f in subject.functions}
        self._proposed = {f.moment.line: f for f in reversed(findings) if f.judgement == "wrong" and f.moment.source}
        first = self._truth.draws[0].played
        entries = sum(write.value.size for m in first.moments for write in m.writes) + 1000
        self._runs_left = min(MOST_RUNS, MOST_ENTRIES // entries, MOST_STATEMENTS_RUN // max(1, len(first.moments)))
        self._runs_again = self._runs_left // AGAIN
        self._work_left = MOST_ENTRIES
        self._slopes = Slopes(self._truth)
        self._look_at(first)

    def _look_at(self, run: Played) -> None:
        """Takes the statements of a run for those that are to be put right."""
        # What a comprehension computes is part of the statement that it stands in.
        moments = [x for x in (*run.moments, *run.calling) if not x.function.endswith(COMPREHENSIONS)]
        self._moments: dict[Line, Moment] = {}
        for moment in moments:
            if statement_of(moment) is not None and moment.file in self._files:
                self._moments.setdefault(moment.line, moment)
        self._outermost = run.moments[0].function if run.moments else ""
        self._raised = any(moment.raised for moment in run.moments)
        self._order = list(self._moments)
        self._suspects = Suspects(self._runs, self._truths, self._moments)
        self._surroundings = surroundings(moments)

    def found(self) -> Mended | None:
        done: dict[Line, Rewritten] = {}
        right = came_right(self._truth, [self._truth.draws[0].played])
        for _ in range(MOST_STATEMENTS):
            suspects = self._suspects.among(done, right)
            best, right, is_all = self._best(done, right, suspects)
            if best is None and len(done) < MOST_STATEMENTS - 1:
                best = self._on_the_way(done, right, suspects)
            if best is None:
                return None
            done[best.line] = best
            if is_all:
                done = {**self._in_two(done)}
                # The same on every draw, with the statements of these runs.
                draws = self._runs.draws(done)
                return None if draws is None else Mended({line: new.repair for line, new in done.items()}, draws)
            run = self._runs.played(done, self._runs.arguments, statements=True)
            if run is None:
                return None
            self._look_at(run)
        return None

    def _best(
        self, done: Changed, right: frozenset[str], suspects: Suspected
    ) -> tuple[Rewritten | None, frozenset[str], bool]:
        """The change that makes the most right and nothing wrong, what is right then, and whether that is all.

        Of the first ones of several lines that make all right it is the one by which the most values turn out to be
        derivatives: dZ that is wrong could be made up for in dW, but would still be wrong itself.
        """
        partly: dict[Line, tuple[frozenset[str], Rewritten]] = {}
        sure: set[Line] = set()
        whole: dict[Line, Rewritten] = {}
        reserve = self._runs_left // 2  # for what is wrong beside a change that makes some right
        for stage in self._stages(suspects):
            for candidate in self._in_turn(stage.changes, whole):
                if partly and not whole and self._runs_left < reserve:
                    break
                most, _ = partly.get(candidate.line, (right, None))
                together = {**done, candidate.line: candidate}
                if self._is_gain(stage, self._runs.right(together), most):
                    found, is_all = self._runs.right_on_all(together)
                    if is_all:
                        whole[candidate.line] = candidate
                    elif self._is_gain(stage, found, most):
                        partly[candidate.line] = found, candidate
                        sure |= {candidate.line} if stage.is_sure else set()
            if whole and self._proposed:
                return next(iter(whole.values())), self._all, True
            if whole:
                whole |= self._beside(next(iter(whole.values())), suspects, done, self._all)
                return max(whole.values(), key=lambda x: self._likelihood(x, done)), self._all, True
            if sure and stage.decides and not self._raised:
                partly = {line: part for line, part in partly.items() if line in sure}
                break
        if not partly:
            return None, right, False
        longest = max(len(found) for found, _ in partly.values())
        best = {line: new for line, (found, new) in partly.items() if len(found) == longest}
        most, first = next(part for part in partly.values() if len(part[0]) == longest)
        best |= self._beside(first, suspects, done, most)
        return max(best.values(), key=lambda x: self._likelihood(x, done)), most, False

    def _on_the_way(self, done: Changed, right: frozenset[str], suspects: Suspected) -> Rewritten | None:
        """The change by which the most different derivatives turn up, where none makes more come back right.

        Of two mistakes in the rounds of a loop each alone makes everything wrong.
        """
        if self._proposed or self._raised:
            return None
        self._runs_left = max(self._runs_left, self._runs_again)
        self._work_left = max(self._work_left, MOST_ENTRIES // AGAIN)
        lines = [line for line in self._order if line in suspects.first or line in suspects.others]
        lines.sort(key=lambda line: self._is_right(self._moments[line], self._truths))
        before, least = self._different(done), self._runs_left - MOST_ON_THE_WAY
        for reach in range(FURTHEST + 1):
            gains: list[tuple[int, Rewritten]] = []
            each = (islice(self._giving_derivatives(line, reach), MOST_OF_EACH) for line in lines)
            for new in takewhile(lambda _: self._runs_left > max(0, least), chain.from_iterable(each)):
                together = {**done, new.line: new}
                self._runs_left -= 2  # the second has the statements too
                if self._runs.right(together) >= right:
                    gains.append((self._different(together), new))
            most = max((gain for gain, _ in gains), default=before)
            if most > before:
                return next(new for gain, new in gains if gain == most)
        return None

    def _in_two(self, done: Changed) -> Changed:
        """Two changes that make all right too, where more values turn out to be derivatives by them; or those `done`.

        A change may make up for two mistakes, and then what runs before it is still wrong.
        """
        first = self._truth.draws[0].played
        run = self._runs.played(done, self._runs.arguments, statements=True)
        if self._proposed or first.raised is not None or run is None:
            return done
        counts = self._runs.counts(done)
        truths = [truth for truth, count in zip(self._truths, counts, strict=True) if count == max(counts)]
        firsts = {moment.line: moment for moment in reversed(run.moments)}
        wrong = {line for line, moment in firsts.items() if not self._is_right(moment, truths)}
        if len(done) > 2 or (len(done) == 2 and _far(done) == FURTHEST):
            wrong = {*firsts}  # two simple changes are to be preferred wherever they are
        if not wrong:
            return done
        self._look_at(first)
        self._runs_left, self._work_left = self._runs_again, max(self._work_left, MOST_ENTRIES // AGAIN)
        suspects, right = self._suspects.among({}, self._runs.right({})), self._runs.right(done)
        lines = [line for line in self._order if line in suspects.first or line in suspects.others]
        best, most = done, self._runs.derivatives(done)
        for one in [one for line in lines if line in wrong for one in self._gains(line)]:
            for other in takewhile(lambda _: self._runs_left > 0, self._beyond(one, lines, done)):
                both = {one.line: one, other.line: other}
                self._runs_left -= 1
                if self._runs.right(both) >= right and self._runs.right_on_all(both)[1]:
                    found = self._runs.derivatives(both)
                    is_simpler = len(best) > len(both) or (len(best) == 2 and _far(both) < _far(best) == FURTHEST)
                    if is_simpler or found[0] > most[0] or (found > most and _far(both) < _far(best)):
                        best, most = both, found
        return best

    def _gains(self, line: Line) -> Iterator[Rewritten]:
        """Simple changes of a statement by which more values are derivatives."""
        before = self._runs.counts({})
        for new in islice(self._simple(line), MOST_OF_EACH):
            if any(a > b for a, b in zip(self._runs.counts({line: new}), before, strict=True)):
                yield new

    def _beyond(self, one: Rewritten, lines: Sequence[Line], done: Changed) -> Iterator[Rewritten]:
        """Simple changes of the statements below one that is changed, and those that are `done`."""
        run = self._runs.played({one.line: one}, self._runs.arguments, statements=True)
        if run is None:
            return
        self._look_at(run)
        for line in lines[lines.index(one.line) + 1 :]:
            is_told = self._is_told(line) and not is_update(statement_of(self._moments[line]))
            yield from islice(self._simple(line, giving=is_told), MOST_BEYOND)
        yield from (other for other in done.values() if other.line != one.line)

    def _is_right(self, moment: Moment, truths: Sequence[Truth]) -> bool:
        """Whether a statement gave only what it may be expected to give, in some conventions."""
        if is_looked_up(moment) or isinstance(statement_of(moment), ast.Return):
            return True
        return all(self._is_right_value(x.text, x.value, moment, truths) for x in moment.writes if x.value.any())

    def _is_right_value(self, text: str, value: Array, moment: Moment, truths: Sequence[Truth]) -> bool:
        if not is_called_derivative(text):
            return True
        named = self._truth.named(text)
        if named is not None and self._truth.plain(named.node, 0).shape == value.shape:
            return any(truth.is_derivative(value, text) for truth in truths)
        return self._is_expected(value, moment, truths)

    def _simple(self, line: Line, *, giving: bool = True) -> Iterator[Rewritten]:
        """The changes of a statement that are not far-fetched; with `giving`, those by which it gives a derivative."""
        changes = self._giving_derivatives if giving else self._rewritten
        return chain.from_iterable(changes(line, reach) for reach in range(FURTHEST))

    def _different(self, changed: Changed) -> int:
        """How many different derivatives there are among the values of the code with changes."""
        return self._runs.derivatives(changed)[0]

    def _is_gain(self, stage: _Stage, found: frozenset[str], before: frozenset[str]) -> bool:
        """Whether more is right of what is wanted."""
        more, had = (len(right & self._wanted) if self._wanted else len(right) for right in (found, before))
        return more > had and (stage.breaks or found >= before)

    def _in_turn(self, stage: Sequence[Iterator[Rewritten]], whole: Changed) -> Iterator[Rewritten]:
        """The changes of several lines, in turn, as long as runs are left.

        Once one has been found, the other lines have as many turns again: what is at fault there may be as simple.
        Lines that are gone through one after the other have none.
        """
        tried: set[tuple[Line, str, int | None]] = set()
        waiting, turns = list(stage), count()
        last: int | None = None
        while waiting and self._runs_left > 0:
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

    def _beside(self, found: Rewritten, suspects: Suspected, done: Changed, most: frozenset[str]) -> Changed:
        """Changes, about as simple as one that makes right what is in `most`, of other statements, that do so too.

        They are looked for in those that run before it and in those that read what it gives: a factor may be missing in
        either.
        """
        beside: dict[Line, Rewritten] = {}
        right = self._runs.right({**done, found.line: found})
        is_whole = most == self._all
        least = 0 if is_whole else self._runs_left - MOST_BEFORE
        at = self._order.index(found.line)
        given = {write.text for write in self._moments[found.line].writes}
        readers = (x for x in self._order[at + 1 :] if given & {read.text for read in self._moments[x].reads})
        reaches = range(max(2, found.reach + 1))
        for line in (x for x in (*self._order[:at], *readers) if x in suspects.first or x in suspects.others):
            is_open = (is_whole and line in suspects.first) or is_update(statement_of(self._moments[line]))
            changes = self._rewritten if is_open else self._giving_derivatives
            for new in islice(chain.from_iterable(changes(line, reach) for reach in reaches), MOST_BEFORE):
                if self._runs_left <= max(0, least):
                    return beside
                self._runs_left -= 1
                together = {**done, line: new}
                if self._runs.right(together) >= right:
                    all_right, is_all = self._runs.right_on_all(together)
                    if is_all if is_whole else all_right >= most:
                        beside[line] = new
                        break
        return beside

    def _likelihood(self, new: Rewritten, done: Changed) -> tuple[bool, tuple[int, int], int, bool, int]:
        """How much speaks for a change: that the line does nothing without it, the values that are derivatives by it,
        that it is simple, that the line does more than set up numbers, that it is early."""
        derivatives = self._runs.derivatives({**done, new.line: new})
        does_more = not sets_a_number(statement_of(self._moments[new.line]))
        return self._does_nothing(new.line), derivatives, -new.reach, does_more, -self._order.index(new.line)

    def _does_nothing(self, line: Line) -> bool:
        """Whether a statement does nothing as it stands: something is left out of it."""
        is_helper = self._moments[line].function != self._outermost
        given = parameters_at(line[0]).get(line[1], ()) if is_helper else ()
        return does_nothing(statement_of(self._moments[line]), given)

    # --- what is tried

    def _stages(self, suspects: Suspected) -> Iterator[_Stage]:
        """What is tried, line by line, the likelier before the less likely."""
        if self._proposed:
            yield _Stage([iter(proposal(finding)) for finding in self._proposed.values()])
            return
        both = [*suspects.first, *suspects.others]
        masks = [line for line in both if is_mask(statement_of(self._moments[line]))]
        yield _Stage([self._rewritten(line, 0) for line in masks], is_sure=True)
        idle = [line for line in both if self._does_nothing(line)]
        yield from (_Stage([x], is_sure=True) for x in self._all_giving_derivatives(idle))
        yield from (_Stage([self._rewritten(line, reach) for line in idle], is_sure=True) for reach in (0, 1))
        yield _Stage([other_places(self._moments[line]) for line in suspects.first], is_sure=True)
        yield _Stage([around_loops(self._moments[line]) for line in both], is_sure=True)
        yield _Stage([ends_of_loops(self._moments[line]) for line in both], is_sure=True)
        # One after the other: what runs first of what is wrong makes the rest wrong.
        yield from (_Stage([x], is_sure=True) for x in self._all_giving_derivatives(suspects.first))
        yield from (_Stage([x], is_sure=True, breaks=True) for x in self._all_giving_derivatives(suspects.needed))
        yield _Stage([self._giving_derivatives(line, 0) for line in suspects.others])
        if len(suspects.first) <= FIRST:
            for reach in (0, 1):
                yield _Stage([self._rewritten(line, reach) for line in suspects.first], is_sure=True)
        for reach in range(1, FURTHEST + 1):
            yield _Stage([self._giving_derivatives(line, reach) for line in suspects.others])
        yield _Stage([self._left_unset(line) for line in both], is_sure=True)
        # Of what gives a list, or changes something elsewhere, it is not known beforehand what it gives.
        untold = [line for line in suspects.others if not self._is_told(line)]
        yield from (_Stage([self._rewritten(line, reach) for line in untold]) for reach in (0, 1))
        yield _Stage([self._rewritten(line, 0) for line in suspects.first], is_sure=True, decides=True)
        yield _Stage([other_places(self._moments[line]) for line in suspects.others])
        for some, least in ((suspects.first, 1), (suspects.others, 0)):
            yield from (_Stage([self._rewritten(line, reach) for line in some]) for reach in range(least, FURTHEST))
            yield _Stage([self._rewritten(line, FURTHEST) for line in some[:FIRST]])
            yield _Stage([self._rewritten(line, FURTHEST) for line in some[FIRST:]])

    def _all_giving_derivatives(self, lines: Sequence[Line]) -> Iterator[Iterator[Rewritten]]:
        for reach in range(FURTHEST + 1):
            yield chain.from_iterable(self._giving_derivatives(line, reach) for line in lines)

    def _giving_derivatives(self, line: Line, reach: int) -> Iterator[Rewritten]:
        """The changes of a statement by which it gives a derivative, a term of one or a slope, when it runs first."""
        moment, around = self._moments[line], self._surroundings[line]
        statement = statement_of(moment)
        if statement is None or is_update(statement):
            return
        work = sum(x.value.size for x in (*moment.reads, *moment.writes)) + EACH
        for new in islice(self._rewritten(line, reach), MOST_TRIED * (1 + 3 * self._does_nothing(line))):
            self._work_left -= work
            if self._work_left < 0:
                return
            value = around.value(moment, new.statements[statement])
            if value is not None and self._is_expected(value, moment, self._truths):
                yield new

    def _left_unset(self, line: Line) -> Iterator[Rewritten]:
        """Values that no round of a loop sets anew, given a derivative or a term of one."""
        for new in left_unset(self._moments[line], self._surroundings):
            ((last, both),) = new.statements.items()
            moment = self._moments[line[0], last.lineno]
            value = self._surroundings[moment.line].value(moment, both)
            if value is not None and self._is_expected(value, moment, self._truths):
                yield new

    def _is_told(self, line: Line) -> bool:
        """Whether it can be told what a statement gives without running the whole of the code."""
        moment = self._moments[line]
        statement = statement_of(moment)
        return statement is not None and self._surroundings[line].value(moment, statement) is not None

    def _is_expected(self, value: Array, moment: Moment, truths: Sequence[Truth]) -> bool:
        if any(truth.is_derivative(value) or truth.is_on_the_way(value) for truth in truths):
            return True
        if self._slopes.has(value):
            return True
        if value.size == 1:  # the derivative by a number, which a number alone does not tell of
            return any(truth.is_derivative_by_number(value) for truth in truths)
        # What the backward pass computes again is to be what the forward pass has.
        again = not any(is_called_derivative(write.text) for write in moment.writes) and not is_looked_up(moment)
        known = self._truth.recognised("", [value]) if again else None
        return known is not None and known.step is None

    def _rewritten(self, line: Line, reach: int) -> Iterator[Rewritten]:
        moment = self._moments[line]
        new = rewritten(moment, self._surroundings[line], reach)
        statement = statement_of(moment)
        if not isinstance(statement, ast.Return) or moment.function == self._outermost:
            return new
        # A helper that does not use what it is given, or what it computed from that, is no helper.
        given = parameters_at(line[0]).get(line[1], frozenset()).intersection(names_in(statement))
        used = given | set(filter(self._surroundings[line].names.is_unused, self._surroundings[line].values))
        return (x for x in new if not given or not used.isdisjoint(names_in(x.statements[statement])))


def _far(changed: Changed) -> int:
    """How far-fetched the most far-fetched of some changes is."""
    return max(new.reach for new in changed.values())
