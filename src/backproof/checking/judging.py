"""Each statement of a backward pass, judged by what it was given: right, wrong, or wrong because of what went in."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from backproof.checking.changing.names import is_called_derivative
from backproof.checking.comparing import fits, layouts, same
from backproof.checking.correction import corrected_line
from backproof.checking.diagnosis import Finding, Judgement, Returned
from backproof.checking.equations import operands
from backproof.checking.events import Event, events
from backproof.checking.layers import rate, steps_down
from backproof.checking.ledger import Entry, Ledger
from backproof.checking.mistakes.kinds import misshapen
from backproof.checking.moments import is_buffer, is_looked_up, statement_of
from backproof.checking.naming import letters
from backproof.checking.repair import Repair
from backproof.checking.results import Results
from backproof.checking.search import MOST_MISTAKES, mistakes
from backproof.checking.tree import parsed
from backproof.checking.trial import Trial
from backproof.checking.truth import Quantity, Truth
from backproof.derivation.steps import BackwardStep
from backproof.ir.node import Node
from backproof.ops.row import Array

MOST_GUESSES = 8
"""How many derivatives a value without a telling name is tried to be."""
MOST_ROUNDS = 2
"""In how many rounds of a loop a known mistake is looked for in a statement without one being found."""


@dataclass(frozen=True, slots=True, eq=False)
class _Wrong:
    """A statement that is wrong in itself, with what it takes to find out the mistake."""

    quantity: Quantity
    trial: Trial


class Judge:
    """Goes through the statements in one convention.

    What it found is in `findings` and `returned`, and in `recognised` what each value is, or is meant to be.
    """

    def __init__(self, truth: Truth, wanted: Collection[str]) -> None:
        self._truth, self._wanted = truth, wanted
        self._results = Results(truth, truth.played)
        self._ledger = Ledger(truth)
        self._claimed: set[Quantity] = set()
        self._undivided: dict[Quantity, Event] = {}
        self._wrong: dict[Finding, _Wrong] = {}
        self._blamed: set[Event] = set()
        self._unexplained: set[tuple[str, int]] = set()
        self._puzzling: Counter[tuple[str, int, str]] = Counter()
        self._within = ""
        self._later: Sequence[Event] = ()
        self._outermost = truth.draws[0].played.moments[0].function if truth.draws[0].played.moments else ""
        self._handed: dict[str, list[tuple[Event, Quantity | None]]] = {}
        self._misshapen: dict[str, Finding] = {}
        self._updates: dict[Quantity, Event] = {}
        self._incomplete: dict[Quantity, Event] = {}
        self.recognised: list[tuple[Event, Quantity]] = []
        self.findings: list[Finding] = []
        self.returned: dict[str, Returned] = {}
        self._judge_all()

    def objections(self) -> tuple[int, int, int]:
        """How many statements are wrong in themselves, how many give what is not right, and, less is better, minus how
        many are right."""
        judgements = [finding.judgement for finding in self.findings]
        right = judgements.count("right")
        not_right = len(judgements) - right
        # What is inherited from no wrong statement at all is explained by none.
        return judgements.count("wrong") or not_right, not_right, -right

    @property
    def convention(self) -> Node | None:
        """The factor that intermediate derivatives are a multiple by."""
        return self._truth.convention

    @property
    def is_kept(self) -> bool:
        """Whether a derivative on the way shows the convention, or a sum that is divided later: not what comes back."""
        sums: set[Node] = set()
        for _, quantity in self.recognised:
            if quantity.scaled and quantity.node not in self._truth.parameters:
                return True
            if quantity.scaled:
                sums.add(quantity.node)
            elif quantity.node in sums:
                return True
        return self.convention is None

    def explained(self) -> tuple[Finding, ...]:
        """What was found, and for all that is wrong the mistakes."""
        return tuple(map(self._explained, self.findings))

    def _explained(self, finding: Finding) -> Finding:
        wrong = self._wrong.get(finding)
        if wrong is None:
            return finding
        repairs = list(islice(wrong.trial.repairs(wrong.quantity), MOST_MISTAKES))
        # Where no pair is in one round of a loop, none is looked for in the others.
        line = finding.moment.file, finding.moment.number
        found = mistakes(self._truth, wrong.quantity, wrong.trial, repairs, pairs=line not in self._unexplained)
        if not found:
            self._unexplained.add(line)
        alike = [repair for repair in repairs if found and repair.mistake == found[0].mistake]
        alike += [mistake for mistake in found if isinstance(mistake, Repair)]
        correction = next((repair.line for repair in (*alike, *repairs)), finding.correction)
        if correction == f"{finding.text} = {finding.text}":
            correction = None  # that changes nothing
        return replace(finding, mistakes=found, correction=correction)

    def _judge_all(self) -> None:
        happened = events(self._truth)
        order = {event.moment: k for k, event in enumerate(happened)}
        sums = _Sums(self._truth, happened)
        self._last = happened[-1] if happened else None
        for k, event in enumerate(happened):
            self._ledger.learn(event)
            if event in sums.parts and (addition := event.addition) is not None:
                self._judge_addition(addition, sums.parts[event])
            if event.partial or self._is_unfinished(event, happened[k + 1 :]):
                quantity = self._truth.recognised(event.text, event.arrays)
                self._enter(event, quantity if quantity is not None and quantity.step is None else None)
            elif event.text:
                self._later = happened[k + 1 :]
                self._judge(event)
            self._within = event.moment.function
        self.returned = dict(self._returned())
        for quantity, event in self._undivided.items():
            name = self._truth.parameters[quantity.node]
            divided = self.returned.get(name) == "right"
            if not divided:
                self.returned[name] = "wrong"
            assert quantity.step is not None
            self._note(event, quantity, quantity.step, "right" if divided else "wrong")
        self._note_lost()
        self._note_uphill()
        self._note_incomplete()
        for name, finding in self._misshapen.items():
            if self.returned.get(name) == "shape":
                edit = misshapen(finding.step.node, finding.step.of)
                k = self.findings.index(finding)
                self.findings[k] = replace(finding, judgement="wrong", mistakes=(edit,))
        self._leave_unasked()
        self.findings.sort(key=lambda finding: order[finding.moment])
        self.findings = [finding for finding in self.findings if not self._comes_right(finding)]
        ended = self._truth.draws[0].played.raised is None
        if ended and all(word in ("right", "missing") for word in self.returned.values()):
            # What was only guessed to be a derivative of its own is none, where all that comes of it is right.
            self.findings = [f for f in self.findings if f.judgement == "right"]
        self.findings = list(_once_a_line(self.findings))

    def _enter(self, event: Event, quantity: Quantity | None) -> None:
        self._ledger.enter(event, quantity)
        if quantity is not None:
            self.recognised.append((event, quantity))

    def _is_unfinished(self, event: Event, later: Sequence[Event]) -> bool:
        """Whether a sum lacks terms through a later statement: one that raises, or = where += belongs."""
        named = self._truth.named(event.text) if event.text and not event.moment.raised else None
        if named is None:
            return False
        next_ = next((x for x in later if x.text == event.text), None)
        raised = self._truth.draws[0].played.raised is not None
        is_cut = raised and (next_ is None or bool(next_.moment.raised))
        is_overwritten = next_ is not None and next_.before is None
        if is_cut and not any(array.any() for array in event.arrays):
            return True
        return (is_cut or is_overwritten) and any(self._truth.is_(x, event.arrays) for x in self._truth.parts[named])

    def _judge(self, event: Event) -> None:
        if (parameter := self._updated(event)) is not None:
            self._updates[parameter] = event
            self._enter(event, None)
            return
        quantity = self._truth.recognised(event.name, event.arrays, event.text)
        if quantity is not None and quantity.is_whole and quantity not in self._truth.of_node.values():
            # Sums over the samples may be divided by their number where they are returned.
            self._undivided.setdefault(self._truth.of_node[quantity.node], event)
            self._enter(event, quantity)
            return
        if not event.moment.source:  # what is handed in is judged where it was made
            quantity = quantity or self._ledger.handed_on(event)
            self._note_handed(event, quantity)
        elif quantity is not None and quantity.step is not None:
            self._note(event, quantity, quantity.step, "right")
            for whole in self._called(event):
                if quantity.node in {part.node for part in self._truth.parts[whole]}:
                    self._incomplete[whole] = event
        elif quantity is not None and (instead := self._in_place_of(event)) is not None:
            self._find_out(event, instead)
        elif quantity is None:
            quantity = self._judge_unknown(event)
        self._enter(event, quantity)

    def _judge_unknown(self, event: Event) -> Quantity | None:
        """Judges a value that is none of the quantities; what it is meant to be."""
        if self._within != event.moment.function and (handed := self._ledger.handed_on(event)) is not None:
            if handed.step is not None:
                self._note(event, handed, handed.step, "inherited")  # it comes from a function that was called
            return handed
        named = self._truth.named(event.name)
        if is_buffer(event.moment):
            return None
        if named is None and (is_looked_up(event.moment) or self._truth.is_passed_by(event.arrays)):
            return None  # whatever it is, it was there before
        if named is None and self._is_slope(event):
            return None
        if (copied := self._ledger.copied(event)) is not None and (named in (None, copied) or self._goes_on(event)):
            return copied
        if event.moment.raised and (again := self._truth.forward_named(event.text)) is not None:
            self._find_out(event, *again)
            return again[0]
        if (product := self._on_the_way(event)) is not None:
            if not self._truth.is_(product, event.arrays):
                self._find_out(event, product)
            return product
        quantity = self._meant(event)
        if quantity is not None:
            quantity = self._divided_or_not(event, quantity)
            if event.moment.raised:
                quantity = self._whole_or_part(event, quantity)
            self._find_out(event, quantity)
        return quantity

    def _goes_on(self, event: Event) -> bool:
        """Whether what a statement gives is changed in place by the next one that gives it, as by a mask."""
        following = next((x for x in self._later if x.text == event.text), None)
        return following is not None and following.before is not None

    def _note_handed(self, event: Event, quantity: Quantity | None) -> None:
        """Takes up one of the values that a function is called with."""
        handed = self._handed.get(event.moment.function, [])
        if handed and handed[0][0].moment is not event.moment:
            handed = []  # it is another call
        self._handed[event.moment.function] = [*handed, (event, quantity)]

    def _is_slope(self, event: Event) -> bool:
        """Whether a statement stands in a function of one array that is no derivative: an activation, or its slope."""
        handed = self._handed.get(event.moment.function, [])
        arrays = [quantity for given, quantity in handed if given.arrays[0].ndim]
        is_forward = len(arrays) == 1 and (arrays[0] is None or arrays[0].step is None)
        return is_forward and event.moment.function != self._outermost

    def _on_the_way(self, event: Event) -> Quantity | None:
        """What a derivative is multiplied on to in its own variable, on the way to the next one."""
        former = self._ledger.by_text.get(event.text)
        if event.before is None or former is None or former.quantity is None or former.quantity.step is None:
            return None
        products = self._ledger.products.after(former.quantity)
        if (right := next((q for q in products if self._truth.is_(q, event.arrays)), None)) is not None:
            return right
        named = self._truth.named(event.name)
        if not products or (named is not None and named not in self._claimed):
            return None
        trial = Trial(self._truth, self._ledger, event)
        follows = next((q for q in products if trial.follows(q)), None)
        return follows or next((q for q in products if any(trial.repairs(q))), None)

    def _called(self, event: Event) -> list[Quantity]:
        """The derivatives whose names stand in the expression that holds a value: of ``db / n`` it is db."""
        names = [x.id for x in ast.walk(parsed(event.text)) if isinstance(x, ast.Name)]
        return [q for q in map(self._truth.named, dict.fromkeys([event.text, *names])) if q is not None]

    def _in_place_of(self, event: Event) -> Quantity | None:
        """The derivative in whose place the code computes and returns, as the last it does, a forward quantity."""
        if event is not self._last or event.text.isidentifier():
            return None
        trial = Trial(self._truth, self._ledger, event)
        left = (q for q in self._truth.derivatives if q.node in self._truth.parameters and q not in self._claimed)
        alike = (q for q in left if self._has_shape(q, event.arrays[0]))
        return next((q for q in alike if mistakes(self._truth, q, trial, (), pairs=False)), None)

    def _updated(self, event: Event) -> Quantity | None:
        """The derivative by a parameter from whose value a statement goes on: it is a step of the training."""
        former = self._ledger.by_text.get(event.text)
        known = former.quantity if former is not None else None
        if event.before is None or known is None:
            return None
        of = {q.step.of: q for q in self._truth.derivatives if q.step and q.node in self._truth.parameters}
        return of.get(known.node)

    def _note_uphill(self) -> None:
        """Of a step that goes up along the derivative by a parameter, the statement that takes it is wrong."""
        for quantity, event in self._updates.items():
            is_right = all(f.judgement == "right" for f in self.findings if f.step is quantity.step)
            goes_up = rate(self._truth, quantity, self._truth.played) > 0
            if is_right and goes_up and event.before is not None and quantity.step is not None:
                says = "{0} goes up along the derivative of the loss: that has to be subtracted"
                mistake = Repair("uphill", says, (event.written,), "")
                right = 2 * event.before[0] - event.arrays[0]
                self.findings.append(
                    Finding(event.moment, event.text, quantity.step, "wrong", event.arrays[0], right, (mistake,))
                )

    def _note_incomplete(self) -> None:
        """A value that is called like a derivative and stayed one of its terms lacks the others."""
        for whole, event in self._incomplete.items():
            name = self._truth.parameters.get(whole.node)
            if name is not None and self.returned.get(name) in ("wrong", "missing"):
                self.findings = [f for f in self.findings if (f.moment, f.text) != (event.moment, event.text)]
                self._find_out(event, whole)
                self.returned[name] = "wrong"

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

    def _whole_or_part(self, event: Event, quantity: Quantity) -> Quantity:
        """What a statement that raises was to give, a derivative or a term of it: whichever a change makes."""
        trial = Trial(self._truth, self._ledger, event)
        either = (quantity, *(part for part in self._truth.parts.get(quantity, ()) if part not in self._claimed))
        return next((one for one in either if any(trial.repairs(one))), quantity)

    def _judge_addition(self, event: Event, parts: Sequence[Quantity]) -> None:
        """Judges what a statement adds to a sum that turns out wrong, as one of the terms of that."""
        left = [part for part in parts if part not in self._claimed]
        if (right := next((part for part in left if self._truth.is_(part, event.arrays)), None)) is not None:
            self._claim(right)
            return
        read = {q.node for q in self._ledger.quantities(event)}
        known = read | {q.node for q in self._ledger.derivatives}
        left = [p for p in left if self._fits(p, event)]
        left.sort(key=lambda p: [-len(nodes.intersection(operands(p.node))) for nodes in (read, known)])
        part = next((part for part in left if self._follows(part, event)), None)
        if part is None and left and any(array.any() for array in event.arrays):
            part = left[0]
        if part is not None:
            added, whole = self._only_adds(event), self._whole_of(part)
            if added is not None and whole is not None and self._has_shape(whole, event.arrays[0]):
                # dbh += dhraw is right as it stands: it is dhraw that is wrong.
                self._find_out(added, whole)
                self._ledger.reinterpret(added, whole)
            else:
                self._find_out(event, part)
            self._claim(part)
            self._ledger.enter_as(part, event.arrays)

    def _only_adds(self, event: Event) -> Event | None:
        """The statement that gave the value which a sum adds as it is, where it is not known what that is."""
        for entry in self._ledger.computed(event).values():
            if entry.quantity is None and entry.event is not event and entry.event is not None:
                is_same = all(map(same, entry.arrays, event.arrays))
                if is_same and entry.event.moment.source and not is_looked_up(entry.event.moment):
                    return entry.event
        return None

    def _whole_of(self, part: Quantity) -> Quantity | None:
        """The derivative whose values a term of a sum has."""
        values = [self._truth.plain(part.node, k) for k in range(len(self._truth.draws))]
        intermediate = (q for q in self._truth.derivatives if q.node not in self._truth.parameters)
        return next((q for q in intermediate if self._truth.is_(q, values)), None)

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
                self._ledger.reinterpret(to_blame, part)
        else:
            self._note(event, quantity, step, "wrong", trial)

    def _to_blame(self, event: Event, quantity: Quantity, trial: Trial) -> tuple[Event, Quantity] | None:
        """The statement that gave what makes this one wrong, and what it should have given."""
        for text, entry in self._ledger.computed(event).items():
            assert entry.event is not None
            if entry.event is not event and entry.event.moment.source:
                may_be = partial(self._may_be_meant, text, entry)
                part = trial.mended_by(text, quantity, may_be)
                if part is not None:
                    return entry.event, part
        return None

    def _may_be_meant(self, text: str, entry: Entry, part: Quantity) -> bool:
        """Whether an expression that holds one thing may be meant to hold another.

        What it is called tells, and a value that is looked up and that no variable holds was looked up wrongly.
        """
        assert entry.event is not None
        held = entry.quantity
        if held is not None and not held.is_whole and part in self._ledger.products.after(held):
            return True  # it was multiplied on, and not by all that it takes
        if self._truth.named(text) not in (None, part):
            return False
        if entry.quantity is None or part in self._truth.lettered(text):
            return part is not entry.quantity
        is_lookup = text.isidentifier() and is_looked_up(entry.event.moment) and part.step is None
        return is_lookup and not any(
            other.quantity is part and name.isidentifier() for name, other in self._ledger.by_text.items()
        )

    def _too_early(self, event: Event, quantity: Quantity, trial: Trial) -> Event | None:
        """The statement that changed a value which this one still needs as it was."""
        for text, entry in self._ledger.computed(event).items():
            former, change = entry.former, entry.event
            if former is None or former.quantity is None or entry.quantity is not None or change is None:
                continue
            if change.before is not None and trial.right_with(text, former.arrays, quantity):
                return change
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
        whole = self._truth.of_node.get(quantity.node, quantity)
        self._claimed |= {whole, *self._truth.alike(whole)}
        correction = None
        parameter = self._truth.parameters.get(quantity.node)
        is_misshapen = parameter is not None and not fits(event.arrays[0], self._truth.plain(quantity.node, 0))
        if judgement == "wrong" or is_misshapen:
            trial = trial or Trial(self._truth, self._ledger, event)
            correction = corrected_line(self._truth, self._ledger, event, quantity, trial.forms(quantity))
        right = self._truth.value(quantity, 0)
        part = None if quantity.is_whole else quantity.node
        finding = Finding(event.moment, event.text, step, judgement, event.arrays[0], right, (), correction, part)
        if judgement == "right" and event.before is not None and self.findings:
            former = self.findings[-1]
            if (former.text, former.step, former.judgement) == (event.text, step, "wrong"):
                del self.findings[-1]  # it was still to be divided, and now it is
        self.findings.append(finding)
        if judgement == "right" and parameter is not None and is_misshapen:
            self._misshapen[parameter] = finding
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
            after = [q for q in left if node in operands(q.forms[0]) and self._fits(q, event)]
            if after:
                return next((q for q in after if self._follows(q, event)), after[0])
        next_ = self._next(event, left)
        lettered = [q for q in left if q in truth.lettered(text)]
        named = truth.named(event.name)
        if named is not None and (named in next_ or not any(q in next_ for q in lettered)):
            return named
        alike = [q for q in lettered if self._fits(q, event)]
        if not alike and not text.isidentifier():
            # A value that is returned as it is computed: the derivative by a parameter of its shape.
            alike = self._shaped_like(event, left)
        read = {q.node for q in self._ledger.quantities(event)}
        alike.sort(key=lambda q: (q not in next_, read.isdisjoint(operands(q.forms[0]))))
        found = next((q for q in alike if self._follows(q, event)), next(iter(alike), None))
        if found is None:
            found = self._guessed(event, left)
        if found is None and not alike and event.moment.function != self._outermost and is_called_derivative(text):
            # The dx of a function that goes back one layer is that of any layer: the nearest that it may be.
            found = next((q for q in reversed(next_) if q.is_whole), None)
        return found if found is not None else next(iter(lettered), None)

    def _follows(self, quantity: Quantity, event: Event) -> bool:
        return Trial(self._truth, self._ledger, event).follows(quantity)

    def _has_shape(self, quantity: Quantity, array: Array) -> bool:
        return any(True for _ in layouts(self._truth.plain(quantity.node, 0), array.shape))

    def _shaped_like(self, event: Event, left: Sequence[Quantity]) -> list[Quantity]:
        """The derivatives by parameters that a value may be by its shape alone."""
        own = (q for q in left if q.node in self._truth.parameters and not self._truth.is_idle(q))
        return [q for q in own if self._has_shape(q, event.arrays[0])]

    def _fits(self, quantity: Quantity, event: Event) -> bool:
        """Whether a value may be that of a quantity by how many entries it has."""
        return bool(event.moment.raised) or self._truth.plain(quantity.node, 0).size == event.arrays[0].size

    def _guessed(self, event: Event, left: Sequence[Quantity]) -> Quantity | None:
        """What a value without a telling name can only be: a derivative, right from here or with a known mistake.

        A part of a right equation is no derivative of its own, and neither is a count.
        """
        if event.arrays[0].ndim == 0 and event.arrays[0].dtype.kind != "f":
            return None
        candidates = self._next(event, left)[:MOST_GUESSES]
        parameters = self._shaped_like(event, left)
        if not candidates and not parameters:
            return None
        trial = Trial(self._truth, self._ledger, event)
        for quantity in candidates:
            if any(trial.gives(form, quantity) for form in trial.forms(quantity)):
                return quantity
        if any(trial.holds(form) for quantity in left for form in trial.forms(quantity)):
            return None
        place = _place(event)
        if self._puzzling[place] >= MOST_ROUNDS:
            return None
        found = next((q for q in (*candidates, *parameters) if any(trial.repairs(q))), None)
        self._puzzling[place] += found is None
        return found

    def _next(self, event: Event, left: Sequence[Quantity]) -> list[Quantity]:
        """The derivatives of a size that follow from those that a statement reads, the furthest first; their parts.

        Where it reads none, from all that the code holds: it may read the wrong one. Where that holds none, the first.
        """
        read = [q for q in self._ledger.quantities(event) if q.step is not None]
        reached = {x.node for q in read or self._ledger.derivatives for x in (q, *self._truth.alike(q))}
        is_first = not reached
        found = []
        for quantity in left:
            if quantity.node in self._truth.parameters:
                continue
            parts = [part for part in self._truth.parts[quantity] if not reached.isdisjoint(operands(part.node))]
            found += [part for part in parts if self._fits(part, event)]
            above = [x for x in operands(quantity.forms[0]) if x.symbol and x.symbol.of]
            if not reached.isdisjoint(above) or (is_first and not above):
                if read or is_first:
                    reached.add(quantity.node)
                if self._fits(quantity, event):
                    found.append(quantity)
        return found[::-1]

    # --- what came back

    def _note_lost(self) -> None:
        """Of a derivative that is right and does not come back, the return statement is wrong, or the key it has."""
        moments = self._truth.draws[0].played.moments
        at_return = moments[-1] if moments and isinstance(statement_of(moments[-1]), ast.Return) else None
        for name, word in self.returned.items():
            quantity, is_lost = self._truth.of_name[name], word == "lost" and name in self._wanted
            found = [f for f in self.findings if is_lost and f.step is quantity.step and f.part is None]
            for finding in found[-1:]:
                says, moment = "{0} is computed, but does not come back", at_return
                if finding.text.endswith("]") and self._truth.named(finding.text) is None:
                    says, moment = f"{{0}} is the derivative by {name}: it stands under another name", finding.moment
                if moment is not None:
                    mistake = Repair("not returned", says, (finding.text,), "")
                    self.findings.append(replace(finding, moment=moment, judgement="wrong", mistakes=(mistake,)))

    def _leave_unasked(self) -> None:
        """What nobody asked for and does not come back is no matter: dx may be that of any layer."""
        for name, word in self.returned.items():
            quantity = self._truth.of_name[name]
            results = self._results
            came_back = results.has_unknown(quantity) or results.is_named(quantity)
            came_back = came_back or results.has_other(quantity, wanted=False)
            if name not in self._wanted and word != "right" and not came_back:
                self.returned[name] = "missing"
                self.findings = [f for f in self.findings if f.step is not quantity.step or f.judgement == "right"]

    def _comes_right(self, finding: Finding) -> bool:
        """Whether a wrong value is a right term of a derivative that is right later on, by what that is given."""
        if finding not in self._wrong or finding.step.node not in self._truth.parameters:
            return False
        later = self.findings[self.findings.index(finding) + 1 :]
        if not any(f.step is finding.step and f.part is None and f.judgement != "wrong" for f in later):
            return False
        parts = self._truth.parts.get(self._truth.of_node[finding.step.node], ())
        return any(map(self._wrong[finding].trial.follows, parts))

    def _is_carried(self, quantity: Quantity) -> bool:
        """Whether a loop that carries a derivative from round to round comes to it last, as to dh[0] of a state."""
        lines = {_line_of(f) for f in self.findings if f.step is quantity.step and f.part is None}
        others = (f for f in self.findings if f.step.node not in self._truth.parameters)
        return any(_line_of(finding) in lines for finding in others)

    def _is_meant(self, quantity: Quantity) -> bool:
        """Whether a value that is a derivative is called like one: the error of a sample is that by its label, too."""
        return any(is_called_derivative(f.text) for f in self.findings if f.step is quantity.step)

    def _is_guessed(self, finding: Finding) -> bool:
        """Whether a value that is not right was taken for a derivative without a name that tells so."""
        meant = {finding.step.node}
        told = (self._truth.named(finding.text), *self._truth.lettered(finding.text))
        return finding.judgement != "right" and meant.isdisjoint(q.node for q in told if q is not None)

    def _returned(self) -> Iterator[tuple[str, Returned]]:
        truth, returned = self._truth, self._results
        whole = [finding for finding in self.findings if finding.part is None]
        last = {f.step.node: f.judgement for f in whole if not (self._is_guessed(f) and returned.lacks(f.found))}
        # A sum to which a wrong term is added is wrong itself.
        last |= {f.step.node: f.judgement for f in self.findings if f.part is not None and f.judgement == "wrong"}
        for node, name in truth.parameters.items():
            quantity = truth.of_node[node]
            computed: Returned = last.get(node, "missing")
            if rate(truth, quantity, truth.played) > 0:
                yield name, "wrong"
            elif steps_down(truth, quantity, truth.played, returned) or returned.has(quantity):
                yield name, "right"
            elif returned.has(quantity, shaped=False):
                yield name, "shape"
            elif computed == "missing" and returned.is_empty(quantity):
                yield name, "none"
            elif computed == "missing" and self._is_replaced(name, quantity):
                yield name, "wrong"
            elif computed == "right" and truth.update(quantity, truth.played[0]) is not None:
                yield name, "right"
            elif computed == "right":
                yield name, "lost" if self._is_meant(quantity) and not self._is_carried(quantity) else "missing"
            else:
                yield name, computed

    def _is_replaced(self, name: str, quantity: Quantity) -> bool:
        """Whether something came back in the place of a derivative that is not computed."""
        wanted = name in self._wanted
        return (wanted and self._results.has_unknown(quantity)) or self._results.has_other(quantity, wanted=wanted)


def _line_of(finding: Finding) -> tuple[str, int, str]:
    return finding.moment.file, finding.moment.number, finding.text


def _place(event: Event) -> tuple[str, int, str]:
    return event.moment.file, event.moment.number, letters(event.text)


def _once_a_line(findings: Sequence[Finding]) -> Iterator[Finding]:
    """What is wrong in a line once, though it may be wrong in every round of a loop."""
    seen: set[tuple[str, int, str]] = set()
    for finding in findings:
        place = finding.moment.file, finding.moment.number, letters(finding.text)
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
