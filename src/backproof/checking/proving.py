"""A diagnosis that is proven: the run of somebody's code beside that of the same code with a statement put right.

Once the code gives what is right, each of its values is recognised by what it is then. So of each value of the first
run it is known what it should have been, whatever it is called and however far it is from a derivative.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

import numpy as np

from backproof.checking.changing.surroundings import Line
from backproof.checking.comparing import same
from backproof.checking.diagnosis import Finding, Judgement
from backproof.checking.events import Event, events
from backproof.checking.judging import Judge
from backproof.checking.ledger import Ledger
from backproof.checking.mending import Mended
from backproof.checking.mistakes.kinds import Edited, misshapen
from backproof.checking.moments import Moment
from backproof.checking.products import Products
from backproof.checking.repair import Repair
from backproof.checking.search import mistakes
from backproof.checking.tree import parsed
from backproof.checking.trial import Trial
from backproof.checking.truth import Quantity, Truth
from backproof.ops.row import Array

TELLING = (
    *("integers", "wrong activation", "wrong comparison", "1/m of another axis", "last one wins", "wrong place"),
    *("upstream left out", "transpose", "= for +=", "sign", "labels not one-hot", "derivative twice"),
    "square root of the scale",
)
"""Mistakes that a change of the line says better than an edit of the equation with the same numbers."""
VAGUE = ("wrong power", "wrong operation", "wrong number")
"""Mistakes in the equation that tell less than any change of the line with the same numbers."""
BY_LENGTHS = ("factor too many", "1/m left out", "1/m twice", "division left out")
"""Changes of a line by which something is divided by a length, or is not."""
BOTH = " and "
"""What stands between the names of two mistakes: where one change of the line is enough, there are no two."""
Place = tuple[str, int, int, str, str]


def proven(truth: Truth, right: Judge, mended: Mended) -> tuple[Finding, ...]:
    """What the values of a run are meant to be, by what they are in the mended one, and what is wrong with them."""
    return tuple(_Proof(truth, right, mended).findings())


class _Proof:
    def __init__(self, truth: Truth, right: Judge, mended: Mended) -> None:
        self._truth, self._mended = truth, mended
        self._meant = {_place(event.moment, event.text): quantity for event, quantity in right.recognised}
        self._told = right.recognised
        self._lines = {event.moment.line for event, quantity in self._told if quantity.step is not None}
        moments = mended.draws[0].played.moments
        self._right = {_place(moment, write.text): write.value for moment in moments for write in moment.writes}
        self._ledger = Ledger(truth)
        self._wrong: set[Line] = set()

    def findings(self) -> Iterator[Finding]:
        waiting: list[Event] = []
        late: list[Event] = []
        for event in events(self._truth):
            self._ledger.learn(event)
            quantity = self._meant.get(_place(event.moment, event.text)) if event.text else None
            line = event.moment.line
            is_blamed = line in self._mended.repairs and line not in self._wrong and bool(event.moment.source)
            if quantity is not None and quantity.step is not None and event.moment.source:
                finding = self._finding(event, quantity, is_blamed=is_blamed)
                if finding.judgement != "right":
                    # What is no derivative itself shows in the first one that it makes wrong.
                    yield from (self._unnamed(x, finding) for x in waiting if x.moment.line not in self._lines)
                    waiting.clear()
                yield finding
                is_blamed = is_blamed and finding.judgement != "wrong"
            if is_blamed and line not in [x.moment.line for x in (*waiting, *late)]:
                # Where it gives a derivative in the end, that is what is told of.
                (late if line in self._lines else waiting).append(event)
            self._ledger.enter(event, quantity)
        # Of a run that ends before anything else shows it, what the mended one has comes next.
        yield from (self._at_the_end(event) for event in (*waiting, *late) if event.moment.line not in self._wrong)
        calling = (Event(m, "", "", (), ()) for m in self._truth.played[0].calling)
        yield from (self._at_the_end(x) for x in calling if x.moment.line in self._mended.repairs.keys() - self._wrong)

    def _at_the_end(self, event: Event) -> Finding:
        lines, own = [x.moment.line for x, _ in self._told], event.moment.line
        at = [quantity for line, (_, quantity) in zip(lines, self._told, strict=True) if line == own]
        if at and at[-1].step is not None and event.arrays:
            return self._explained(self._found(event, at[-1], "wrong"), event, at[-1])
        first = lines.index(own) if own in lines else 0
        told = (quantity for _, quantity in (*self._told[first:], *self._told[::-1]) if quantity.step is not None)
        later = next(told, self._truth.derivatives[-1])
        return self._unnamed(event, self._found(event, later, "wrong"))

    def _finding(self, event: Event, quantity: Quantity, *, is_blamed: bool) -> Finding:
        as_it_is = self._right.get(_place(event.moment, event.text))
        is_right = self._truth.is_(quantity, event.arrays)
        if as_it_is is not None and is_blamed:
            is_right = is_right and as_it_is.shape == event.arrays[0].shape
        elif as_it_is is not None:
            is_right = is_right or same(event.arrays[0], as_it_is)
        judgement: Judgement = "right" if is_right else "wrong" if is_blamed else "inherited"
        finding = self._found(event, quantity, judgement)
        return self._explained(finding, event, quantity) if judgement == "wrong" else finding

    def _found(self, event: Event, quantity: Quantity, judgement: Judgement) -> Finding:
        assert quantity.step is not None
        part, right = None if quantity.is_whole else quantity.node, self._truth.value(quantity, 0)
        found = event.arrays[0] if event.arrays else right
        return Finding(event.moment, event.text, quantity.step, judgement, found, right, part=part)

    def _explained(self, finding: Finding, event: Event, quantity: Quantity) -> Finding:
        """A wrong value with the mistake in it: in the equation, else in the line."""
        line = event.moment.line
        self._wrong.add(line)
        repair = self._worded(line)
        # Of a value that is right but for its shape or its place, or is zero by chance, the equation tells nothing.
        told_by_line = repair.below is not None or repair.mistake == "keepdims lost"
        is_right = self._truth.is_(quantity, event.arrays) or told_by_line
        is_zero = not any(array.any() for array in event.arrays) and "zeros" not in event.moment.source
        trial = Trial(self._truth, self._ledger, event)
        found: tuple[Edited | Repair, ...] = ()
        if not is_right and not is_zero:
            found = mistakes(self._truth, quantity, trial, (repair,))
            # A length may be 2 on all draws: the line says whether it is the number or the length.
            is_length = repair.mistake in BY_LENGTHS and any(text.isidentifier() for text in repair.named)
            is_number = found and found[0].mistake == "factor 2" and is_length
            is_vague = found and (found[0].mistake in VAGUE or BOTH in found[0].mistake or is_number)
            if found and (repair.mistake in TELLING or is_vague):
                found = found if found[0].mistake == repair.mistake else (repair,)
        mended = self._right.get(_place(event.moment, event.text))
        if is_right and not told_by_line and (mended is None or mended.shape != event.arrays[0].shape):
            found = misshapen(quantity.node, finding.step.of), repair
        return replace(finding, mistakes=found or (repair,), correction=repair.correction)

    def _worded(self, line: Line) -> Repair:
        """What puts a line right; a factor that is left out and is the derivative from above is told as that."""
        repair = self._mended.repairs[line]
        if repair.mistake == "factor left out" and any(map(self._is_derivative, self._named_in(repair, line))):
            says = "the derivative from above, {0}, is left out"
            return replace(repair, mistake="upstream left out", says=says)
        return repair

    def _named_in(self, repair: Repair, line: Line) -> list[Array]:
        """What the names in a repair hold where the line runs first and all is right."""
        moments = (m for m in self._mended.draws[0].played.moments if m.line == line and m.source)
        moment = next(moments, None)
        held = () if moment is None else (*moment.visible, *moment.reads)
        texts = {ast.unparse(x) for text in repair.named for x in ast.walk(parsed(text)) if isinstance(x, ast.expr)}
        return [x.value for x in held if {x.text, x.written} & texts]

    def _is_derivative(self, value: Array) -> bool:
        if value.size > 1:
            known = self._truth.recognised("", [value])
            if known is not None:
                return known.step is not None
            return self._products.count(self._truth, [value]) > 0 or self._is_part(value)
        return self._truth.is_derivative_by_number(value)

    def _is_part(self, value: Array) -> bool:
        """Whether all entries of a value are entries of one derivative that the mended code computes."""
        return any(np.isin(value, event.arrays[0]).all() for event, q in self._told if q.step is not None)

    @cached_property
    def _products(self) -> Products:
        return Products(self._truth)

    def _unnamed(self, event: Event, first: Finding) -> Finding:
        """A statement that is wrong and gives no derivative: it is told of with the first one that it makes wrong."""
        line = event.moment.line
        self._wrong.add(line)
        repair = self._worded(line)
        text, found, right = event.text, first.found, first.right
        if event.arrays:
            found = event.arrays[0]
            right = self._right.get(_place(event.moment, text), found)
        needed_by = first.moment if repair.below is not None else None
        told = (repair,), repair.correction, first.part, needed_by
        return Finding(event.moment, text, first.step, "wrong", found, right, *told)


def _place(moment: Moment, text: str) -> Place:
    return moment.file, moment.number, moment.visit, moment.function, text
