"""Each statement of a backward pass, judged by what it was given: right, wrong, or wrong because of what went in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from backproof.checking.comparing import same
from backproof.checking.correction import corrected_line
from backproof.checking.diagnosis import Finding, Judgement, Returned
from backproof.checking.equations import operands
from backproof.checking.events import Event, events
from backproof.checking.ledger import Entry, Ledger
from backproof.checking.naming import base, last_word, spellings
from backproof.checking.recording import held
from backproof.checking.search import mistakes, single_mistakes
from backproof.checking.trial import Trial
from backproof.checking.truth import Quantity, Truth
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
        return tuple(
            replace(finding, mistakes=mistakes(self._truth, wrong.quantity, wrong.trial))
            if (wrong := self._wrong.get(finding)) is not None
            else finding
            for finding in self.findings
        )

    def _judge_all(self) -> None:
        happened = events(self._truth)
        order = {event.moment: k for k, event in enumerate(happened)}
        for event in happened:
            self._ledger.learn(event)
            if event.text and not event.partial:
                self._judge(event)
        self.returned = dict(self._returned())
        for quantity, event in self._undivided.items():
            name = self._truth.parameters[quantity.node]
            divided = self.returned.get(name) == "right"
            if not divided:
                self.returned[name] = "wrong"
            self._note(event, quantity, "right" if divided else "wrong")
        if all(word in ("right", "missing") for word in self.returned.values()):
            # What was only guessed to be a derivative of its own is none, where all that comes of it is right.
            self.findings = [f for f in self.findings if f.judgement == "right"]
        self.findings.sort(key=lambda finding: order[finding.moment])

    def _judge(self, event: Event) -> None:
        quantity = self._truth.recognised(event.text, event.arrays)
        if quantity is not None and quantity.is_whole and quantity not in self._truth.of_node.values():
            # Sums over the samples may be divided by their number where they are returned.
            self._undivided[self._truth.of_node[quantity.node]] = event
            self._ledger.enter(event, quantity)
            return
        if quantity is not None or not event.moment.source:  # what is handed in is judged where it was made
            if quantity is not None and quantity.step is not None and event.moment.source:
                self._note(event, quantity, "right")
        else:
            quantity = self._meant(event)
            if quantity is not None:
                self._find_out(event, quantity)
        self._ledger.enter(event, quantity)

    def _find_out(self, event: Event, quantity: Quantity) -> None:
        """Judges a value that is not right."""
        trial = Trial(self._truth, self._ledger, event)
        if trial.follows(quantity):
            self._note(event, quantity, "inherited")
        elif (blamed := self._to_blame(event, quantity, trial)) is not None:
            self._note(event, quantity, "inherited")
            entry, part = blamed
            assert entry.event is not None
            if entry.event not in self._blamed:
                self._blamed.add(entry.event)
                self._find_out(entry.event, part)
        else:
            self._note(event, quantity, "wrong", trial)

    def _to_blame(self, event: Event, quantity: Quantity, trial: Trial) -> tuple[Entry, Quantity] | None:
        """The value that a statement read and that makes it wrong, and what that should have been."""
        for text, entry in self._ledger.unknown(event).items():
            assert entry.event is not None
            if entry.event is not event and entry.event.moment.source:
                part = trial.mended_by(text, quantity)
                if part is not None:
                    return entry, part
        return None

    def _note(self, event: Event, quantity: Quantity, judgement: Judgement, trial: Trial | None = None) -> None:
        """Writes down what a value turned out to be; of a wrong one also the right line."""
        assert quantity.step is not None
        self._claimed.add(quantity)
        correction = None
        if judgement == "wrong":
            trial = trial or Trial(self._truth, self._ledger, event)
            correction = corrected_line(self._truth, self._ledger, event, quantity, trial.forms(quantity))
        right = self._truth.value(self._truth.of_node.get(quantity.node, quantity), 0)
        part = None if quantity.is_whole else quantity.node
        finding = Finding(
            event.moment, event.text, quantity.step, judgement, event.arrays[0], right, (), correction, part
        )
        self.findings.append(finding)
        if judgement == "wrong":
            assert trial is not None
            self._wrong[finding] = _Wrong(self._truth.of_node.get(quantity.node, quantity), trial)

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
        return next((q for q in candidates if single_mistakes(self._truth, q, trial)), None)

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

    def _returned(self) -> Iterator[tuple[str, Returned]]:
        parts = [list(held("", draw.played.returned)) for draw in self._truth.draws]
        last = {finding.step.node: finding.judgement for finding in self.findings if finding.part is None}
        for node, name in self._truth.parameters.items():
            quantity = self._truth.of_node[node]
            computed: Returned = last.get(node, "missing")
            is_right = any(
                all(same(part.value, self._truth.value(quantity, k)) for k, part in enumerate(parts_alike))
                for parts_alike in zip(*parts, strict=False)
            )
            yield name, "right" if is_right else "lost" if computed == "right" else computed
