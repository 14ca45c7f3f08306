"""Each statement of a backward pass, judged by what it was given: right, wrong, or wrong because of what went in."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from backproof.checking.comparing import same
from backproof.checking.correction import corrected_line
from backproof.checking.diagnosis import Finding, Judgement, Returned
from backproof.checking.equations import operands
from backproof.checking.events import Event, events
from backproof.checking.ledger import Ledger
from backproof.checking.naming import base, last_word, spellings
from backproof.checking.recording import held, statement_of
from backproof.checking.repair import Repair
from backproof.checking.search import MOST_MISTAKES, mistakes
from backproof.checking.trial import Trial
from backproof.checking.truth import Quantity, Truth
from backproof.derivation.steps import BackwardStep
from backproof.ir.node import Node


@dataclass(frozen=True, slots=True, eq=False)
class _Wrong:
    """A statement that is wrong in itself, with what it takes to find out the mistake."""

    quantity: Quantity
    trial: Trial


class Judge:
    """Goes through the statements in one convention; what it found is in `findings` and `returned`."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._ledger = Ledger(truth)
        self._claimed: set[Quantity] = set()
        self._undivided: dict[Quantity, Event] = {}
        self._wrong: dict[Finding, _Wrong] = {}
        self._blamed: set[Event] = set()
        self.findings: list[Finding] = []
        self.returned: dict[str, Returned] = {}
        self._judge_all()

    def objections(self) -> tuple[int, int]:
        """How many statements are wrong in themselves, and how many give something that is not right."""
        judgements = [finding.judgement for finding in self.findings]
        return judgements.count("wrong"), len(judgements) - judgements.count("right")

    @property
    def convention(self) -> Node | None:
        """The factor that intermediate derivatives are a multiple by."""
        return self._truth.convention

    def explained(self) -> tuple[Finding, ...]:
        """What was found, and for all that is wrong the mistakes."""
        return tuple(map(self._explained, self.findings))

    def _explained(self, finding: Finding) -> Finding:
        wrong = self._wrong.get(finding)
        if wrong is None:
            return finding
        repairs = list(islice(wrong.trial.repairs(wrong.quantity), MOST_MISTAKES))
        found = mistakes(self._truth, wrong.quantity, wrong.trial, repairs)
        alike = [repair for repair in repairs if found and repair.mistake == found[0].mistake]
        correction = next((repair.line for repair in (*alike, *repairs)), finding.correction)
        return replace(finding, mistakes=found, correction=correction)

    def _judge_all(self) -> None:
        happened = events(self._truth)
        order = {event.moment: k for k, event in enumerate(happened)}
        sums = _Sums(self._truth, happened)
        for event in happened:
            self._ledger.learn(event)
            if event in sums.parts and (addition := event.addition) is not None:
                self._judge_addition(addition, sums.parts[event])
            if event.partial:
                quantity = self._truth.recognised(event.text, event.arrays)
                self._ledger.enter(event, quantity if quantity is not None and quantity.step is None else None)
            elif event.text:
                self._judge(event)
        self.returned = dict(self._returned())
        for quantity, event in self._undivided.items():
            name = self._truth.parameters[quantity.node]
            divided = self.returned.get(name) == "right"
            if not divided:
                self.returned[name] = "wrong"
            assert quantity.step is not None
            self._note(event, quantity, quantity.step, "right" if divided else "wrong")
        self._note_lost()
        if all(word in ("right", "missing") for word in self.returned.values()):
            # What was only guessed to be a derivative of its own is none, where all that comes of it is right.
            self.findings = [f for f in self.findings if f.judgement == "right"]
        self.findings.sort(key=lambda finding: order[finding.moment])
        self.findings = list(_once_a_line(self.findings))

    def _judge(self, event: Event) -> None:
        quantity = self._truth.recognised(event.text, event.arrays)
        if quantity is not None and quantity.is_whole and quantity not in self._truth.of_node.values():
            # Sums over the samples may be divided by their number where they are returned.
            self._undivided[self._truth.of_node[quantity.node]] = event
            self._ledger.enter(event, quantity)
            return
        if quantity is not None or not event.moment.source:  # what is handed in is judged where it was made
            if quantity is not None and quantity.step is not None and event.moment.source:
                self._note(event, quantity, quantity.step, "right")
        else:
            quantity = self._meant(event)
            if quantity is not None:
                quantity = self._divided_or_not(event, quantity)
                self._find_out(event, quantity)
        self._ledger.enter(event, quantity)

    def _divided_or_not(self, event: Event, quantity: Quantity) -> Quantity:
        """A parameter's derivative, or the sum that is still to be divided: whichever the statement comes closer to."""
        undivided = self._truth.undivided.get(quantity)
        if undivided is None:
            return quantity
        trial = Trial(self._truth, self._ledger, event)
        both = quantity, undivided
        for is_close in (trial.follows, lambda q: any(trial.repairs(q))):
            for one in both:
                if is_close(one):
                    return one
        return quantity

    def _judge_addition(self, event: Event, parts: Sequence[Quantity]) -> None:
        """Judges what a statement adds to a sum that turns out wrong, as one of the terms of that."""
        left = [part for part in parts if part not in self._claimed]
        if (right := next((part for part in left if self._truth.is_(part, event.arrays)), None)) is not None:
            self._claim(right)
            return
        read = {q.node for q in self._ledger.quantities(event)}
        left = [p for p in left if self._size(p) == event.arrays[0].size]
        left.sort(key=lambda part: -len(read.intersection(operands(part.node))))
        if left:
            part = next((part for part in left if self._follows(part, event)), left[0])
            self._find_out(event, part)
            self._claim(part)
            self._ledger.enter_as(part, event.arrays)

    def _claim(self, part: Quantity) -> None:
        """Takes a term off the list, with and without the factor of the convention."""
        self._claimed |= {other for parts in self._truth.parts.values() for other in parts if other.node is part.node}

    def _find_out(self, event: Event, quantity: Quantity, step: BackwardStep | None = None) -> None:
        """Judges a value that is not right; `step` is the one that it goes into, where it is no derivative itself."""
        trial = Trial(self._truth, self._ledger, event)
        step = quantity.step or step
        assert step is not None
        if trial.follows(quantity):
            self._note(event, quantity, step, "inherited")
        elif (change := self._too_early(event, quantity, trial)) is not None:
            self._note(event, quantity, step, "inherited")
            self._note_too_early(change, event, step)
        elif (blamed := self._to_blame(event, quantity, trial)) is not None:
            self._note(event, quantity, step, "inherited")
            to_blame, part = blamed
            if to_blame not in self._blamed:
                self._blamed.add(to_blame)
                self._find_out(to_blame, part, step)
        else:
            self._note(event, quantity, step, "wrong", trial)

    def _to_blame(self, event: Event, quantity: Quantity, trial: Trial) -> tuple[Event, Quantity] | None:
        """The statement that gave what makes this one wrong, and what it should have given."""
        for text, entry in self._ledger.unknown(event).items():
            if entry.event is not None and entry.event is not event and entry.event.moment.source:
                part = trial.mended_by(text, quantity)
                if part is not None:
                    return entry.event, part
        return None

    def _too_early(self, event: Event, quantity: Quantity, trial: Trial) -> Event | None:
        """The statement that changed a value which this one still needs as it was."""
        for text, entry in self._ledger.unknown(event).items():
            former = entry.former
            if former is not None and former.quantity is not None and trial.right_with(text, former.arrays, quantity):
                return entry.event
        return None

    def _note_too_early(self, change: Event, needing: Event, step: BackwardStep) -> None:
        if change in self._blamed:
            return
        self._blamed.add(change)
        says = f"{{0}} is changed here, and line {needing.moment.number} still needs it as it was"
        mistake = Repair("changed too early", says, (change.written,), "")
        assert change.before is not None
        values = change.arrays[0], change.before[0]
        self.findings.append(
            Finding(change.moment, change.text, step, "wrong", *values, (mistake,), needed_by=needing.moment)
        )

    def _note(
        self, event: Event, quantity: Quantity, step: BackwardStep, judgement: Judgement, trial: Trial | None = None
    ) -> None:
        """Writes down what a value turned out to be; of a wrong one also the right line."""
        self._claimed.add(self._truth.of_node.get(quantity.node, quantity))
        correction = None
        if judgement == "wrong":
            trial = trial or Trial(self._truth, self._ledger, event)
            correction = corrected_line(self._truth, self._ledger, event, quantity, trial.forms(quantity))
        right = self._truth.value(quantity, 0)
        part = None if quantity.is_whole else quantity.node
        finding = Finding(event.moment, event.text, step, judgement, event.arrays[0], right, (), correction, part)
        self.findings.append(finding)
        if judgement == "wrong":
            assert trial is not None
            self._wrong[finding] = _Wrong(quantity, trial)

    # --- what a value that is not right is meant to be

    def _meant(self, event: Event) -> Quantity | None:
        """The derivative that a value is meant to be: by its name, or by its letters and the order of the layers."""
        truth, text = self._truth, event.text
        left = [q for q in truth.derivatives if q not in self._claimed]
        former = self._ledger.by_text.get(text)
        if event.changed and former is not None and former.quantity in truth.derivatives:
            # A value changed in place goes on from the derivative that it was.
            assert former.quantity is not None
            node = former.quantity.node
            after = [q for q in left if node in operands(q.forms[0]) and self._size(q) == event.arrays[0].size]
            if after:
                return next((q for q in after if self._follows(q, event)), after[0])
        if (named := truth.named(text)) is not None:
            return named
        letters = base(last_word(text))
        alike = [q for q in left if q.step and letters in map(base, spellings(str(q.step.of.symbol)))]
        if not alike and not text.isidentifier():
            # A value that is returned as it is computed: the derivative by a parameter of its size.
            size = event.arrays[0].size
            alike = [q for q in left if q.node in truth.parameters and self._size(q) == size]
        found = next((q for q in alike if self._follows(q, event)), next(iter(alike), None))
        return self._guessed(event, left) if found is None else found

    def _follows(self, quantity: Quantity, event: Event) -> bool:
        return Trial(self._truth, self._ledger, event).follows(quantity)

    def _size(self, quantity: Quantity) -> int:
        return self._truth.plain(quantity.node, 0).size

    def _guessed(self, event: Event, left: Sequence[Quantity]) -> Quantity | None:
        """What a value without a telling name can only be: a derivative, right from here or with a known mistake.

        A part of a right equation is no derivative of its own.
        """
        candidates = self._next(event, left)
        if not candidates:
            return None
        trial = Trial(self._truth, self._ledger, event)
        for quantity in candidates:
            if any(trial.gives(form, quantity) for form in trial.forms(quantity)):
                return quantity
        if any(trial.holds(form) for quantity in left for form in trial.forms(quantity)):
            return None
        return next((q for q in candidates if any(trial.repairs(q))), None)

    def _next(self, event: Event, left: Sequence[Quantity]) -> list[Quantity]:
        """The derivatives of a size that follow from those that a statement reads, the furthest first; their parts."""
        reached = {q.node for q in self._ledger.quantities(event) if q.step is not None}
        found = []
        for quantity in left:
            if quantity.node in self._truth.parameters:
                continue
            terms = [part for part in self._truth.parts[quantity] if not reached.isdisjoint(operands(part.node))]
            found += [part for part in terms if self._size(part) == event.arrays[0].size]
            if not reached.isdisjoint(operands(quantity.forms[0])):
                reached.add(quantity.node)
                if self._size(quantity) == event.arrays[0].size:
                    found.append(quantity)
        return found[::-1]

    # --- what came back

    def _note_lost(self) -> None:
        """Of a derivative that is right and does not come back, the return statement is wrong."""
        last = self._truth.draws[0].played.moments[-1:]
        for moment in last:
            if not isinstance(statement_of(moment), ast.Return):
                continue
            for name, word in self.returned.items():
                found = [f for f in self.findings if word == "lost" and f.step.node is self._truth.of_name[name].node]
                for finding in found[-1:]:
                    mistake = Repair("not returned", "{0} is computed, but does not come back", (finding.text,), "")
                    self.findings.append(replace(finding, moment=moment, judgement="wrong", mistakes=(mistake,)))

    def _returned(self) -> Iterator[tuple[str, Returned]]:
        parts = [list(held("", draw.played.returned)) for draw in self._truth.draws]
        last = {finding.step.node: finding.judgement for finding in self.findings if finding.part is None}
        # A sum to which a wrong term is added is wrong itself.
        last |= {f.step.node: f.judgement for f in self.findings if f.part is not None and f.judgement == "wrong"}
        for node, name in self._truth.parameters.items():
            quantity = self._truth.of_node[node]
            computed: Returned = last.get(node, "missing")
            is_right = any(
                all(same(part.value, self._truth.value(quantity, k)) for k, part in enumerate(parts_alike))
                for parts_alike in zip(*parts, strict=False)
            )
            yield name, "right" if is_right else "lost" if computed == "right" else computed


def _once_a_line(findings: Sequence[Finding]) -> Iterator[Finding]:
    """What is wrong in a line once, though it may be wrong in every round of a loop."""
    seen: set[tuple[str, int, str]] = set()
    for finding in findings:
        place = finding.moment.file, finding.moment.number, last_word(finding.text)
        if finding.judgement != "wrong" or place not in seen:
            yield finding
        if finding.judgement == "wrong":
            seen.add(place)


class _Sums:
    """The sums that are added up over several statements and turn out wrong: each of these with the terms it may add.

    Sums over samples, of which the equation knows nothing, have none.
    """

    def __init__(self, truth: Truth, happened: Sequence[Event]) -> None:
        self.parts: dict[Event, Sequence[Quantity]] = {}
        open_: dict[str, list[Event]] = {}
        for event in happened:
            open_.setdefault(event.text, []).append(event)
            if event.text and not event.partial:
                chain = open_.pop(event.text)
                named = truth.named(event.text)
                if len(chain) > 1 and named is not None and truth.recognised(event.text, event.arrays) is None:
                    additions = [x for x in chain if x.addition is not None]
                    terms = {part.node for part in truth.parts[named]}
                    if 1 < len(terms) >= len(additions):
                        self.parts |= dict.fromkeys(additions, truth.parts[named])
