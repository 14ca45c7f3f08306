"""Candidates for what a statement computes, tried on what it was given and what it gave."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from backproof.checking.comparing import layouts, same
from backproof.checking.equations import inside, operands
from backproof.checking.evaluations import Evaluations
from backproof.checking.events import Event
from backproof.checking.ledger import Ledger
from backproof.checking.moments import RETURNED
from backproof.checking.repair import Repair, repairs
from backproof.checking.replay import replayed, right_side
from backproof.checking.truth import Quantity, Truth
from backproof.ir.node import Node
from backproof.ops.row import Array

MOST_FORMS = 12
"""In how many forms an equation is compared, with what stands in it put in or not."""


class Trial:
    """One value of the code, and what the equations give for it from what the statement was given."""

    def __init__(self, truth: Truth, ledger: Ledger, event: Event) -> None:
        self._truth, self._ledger, self._event = truth, ledger, event
        self._draws = range(len(event.arrays))
        self._held = {text: x for text, x in ledger.by_text.items() if x.within == event.moment.function}
        self._on = [Evaluations(ledger.inputs(event, draw), truth.sizes[draw]) for draw in self._draws]
        self._read = frozenset(quantity.node for quantity in ledger.quantities(event, own=True))

    @property
    def event(self) -> Event:
        """The value that is looked at."""
        return self._event

    @property
    def read(self) -> frozenset[Node]:
        """The quantities that stand in the statement, as far as they are known."""
        return self._read

    @property
    def scaled(self) -> set[Node]:
        """The derivatives, and what the statement reads, that are a multiple by the factor of the convention."""
        return self._ledger.scaled(self._event)

    def known(self, draw: int) -> Mapping[Node, Array]:
        """What the statement's equation is given on a draw."""
        return self._on[draw].known

    def forms(self, quantity: Quantity) -> list[Node]:
        """The right side of a quantity in all its forms, the simplest first.

        Where the code does not hold a derivative that stands in one, the line may compute it too: it is put in.
        """
        read = self._ledger.quantities(self._event)
        on_the_way = (self._ledger.products.completed(x, quantity) for x in read)
        forms = [*(form for form in on_the_way if form is not None), *quantity.forms[::-1]]
        for form in forms:
            for x in operands(form):
                inner = self._truth.of_node.get(x)
                step = None if inner is None or self._ledger.holds(inner) else inner.step
                if step is not None and len(forms) < MOST_FORMS:
                    forms += self._truth.opened(form, x, step)
        return forms

    def value(self, form: Node, draw: int) -> Array | None:
        """What an equation gives on a draw; None where NumPy makes nothing of it."""
        try:
            return self._on[draw].value(form)
        except (ValueError, IndexError, TypeError):  # an edited equation of which NumPy makes nothing
            return None

    def wanted(self, quantity: Quantity) -> tuple[Array, ...] | None:
        """What the right equation gives on every draw, in the convention of the code."""
        for form in self.forms(quantity):
            found = [self.value(form, draw) for draw in self._draws]
            right = tuple(self._truth.scale(quantity, k) * x for k, x in enumerate(found) if x is not None)
            if len(right) == len(found):
                return right
        return None

    def repairs(self, quantity: Quantity) -> Iterator[Repair]:
        """The changes of the statement itself that make it right."""
        right = self.wanted(quantity)
        # What is known comes before sums that are not complete, variables before the places of containers.
        readable = (text for text in self._held if not text.startswith(f"{RETURNED}["))
        texts = sorted(
            readable, key=lambda text: (self._held[text].quantity is None, not text.isidentifier(), len(text))
        )
        held = {text: self._held[text].arrays for text in texts}
        shaped = quantity.is_whole and quantity.node in self._truth.parameters
        return iter(()) if right is None else repairs(self._event, right, held, shaped=shaped)

    def gives(self, form: Node, scaled: Quantity | None) -> bool:
        """Whether an equation gives the values on every draw, as a multiple by what a quantity is one by."""
        for draw in self._draws:
            found = self.value(form, draw)
            scale = 1.0 if scaled is None else self._truth.scale(scaled, draw)
            if found is None or not same(self._event.arrays[draw], scale * found):
                return False
        return True

    def follows(self, quantity: Quantity) -> bool:
        """Whether the statement is right in itself: one of the right equation's forms, with what it read put in."""
        return any(self.gives(form, quantity) for form in self.forms(quantity)) or self._right_if_given_right(quantity)

    def _right_if_given_right(self, quantity: Quantity) -> bool:
        """Whether the statement, run on the right values of what it read, gives what is right."""
        for draw in self._draws:
            given = {}
            for text, array in self._event.reads[draw].items():
                entry = self._ledger.by_text.get(text)
                known = entry.quantity if entry is not None else None
                if known is not None and not same(array, right := self._truth.value(known, draw)):
                    given[text] = next(layouts(right, array.shape), right)
            found = replayed(self._event, draw, given) if given else None
            if found is None or not same(found, self._truth.value(quantity, draw)):
                return False
        return True

    def holds(self, form: Node) -> bool:
        """Whether the values are those of a part of an equation, on the first draw."""
        found = self._event.arrays[0]
        alike = self._truth.operations(form).get(found.size, ())
        values = [value for x in alike if (value := self.value(x, 0)) is not None]
        factors = {1.0, self._truth.factor(0)}
        return any(same(found, factor * value) for value in values for factor in factors)

    def right_with(self, text: str, arrays: Sequence[Array], quantity: Quantity) -> bool:
        """Whether the statement is right where an expression holds these values."""
        wanted = self.wanted(quantity)
        found = [replayed(self._event, draw, {text: arrays[draw]}) for draw in self._draws]
        pairs = zip(found, wanted or (), strict=False)
        return wanted is not None and all(a is not None and same(a, b) for a, b in pairs)

    def holds_another(self, quantity: Quantity) -> Quantity | None:
        """The forward quantity that the values are, where they should be another one."""
        if quantity.step is not None:
            return None
        return next((q for q in self._truth.forward if self._truth.is_(q, self._event.arrays)), None)

    def overwriting(self, quantity: Quantity) -> Repair | None:
        """What is wrong with a statement of a loop that gives only one of the terms of a sum, in place of adding it."""
        key = self._event.moment.file, self._event.moment.number
        moments = self._truth.draws[0].played.moments
        rounds = sum(moment.line == key for moment in moments)
        right = right_side(self._event)
        if rounds < 2 or right is None or self._event.changed or self._event.added:
            return None
        if quantity.node not in self._truth.parameters and self._truth.named(self._event.text) is not quantity:
            return None
        if not any(self.gives(part.node, part) for part in self._truth.parts.get(quantity, ())):
            return None
        says = "= stands where += belongs: of the terms that are added up only the last is kept"
        return Repair("= for +=", says, (), f"{self._event.written} += {right}")

    def mended_by(self, text: str, quantity: Quantity, may_be: Callable[[Quantity], bool]) -> Quantity | None:
        """What an expression should have held, where that makes a wrong statement right.

        It is a part of the statement's own equation, or something that stands in it, for which `may_be` holds.
        """
        wanted = self.wanted(quantity)
        if wanted is None:
            return None
        parts = (part for form in self.forms(quantity) for part in self._parts(form, quantity))
        return next((part for part in parts if may_be(part) and self._mends(text, part, wanted)), None)

    def _parts(self, form: Node, whole: Quantity) -> Iterator[Quantity]:
        for x in operands(form):
            if x in self._truth.of_node:
                yield self._truth.of_node[x]
        yield from self._ledger.products.of(whole)
        for x in inside(form):
            if x is not form and x.shape:
                for scaled in {whole.scaled, False}:
                    yield Quantity(f"a part of {whole.name}", x, whole.step, (x,), scaled)

    def _mends(self, text: str, part: Quantity, wanted: Sequence[Array]) -> bool:
        for draw in self._draws:
            held = self._event.reads[draw][text]
            value = self._on[draw].known.get(part.node)
            value = self.value(part.node, draw) if value is None else value
            if value is None:
                return False
            value = self._truth.scale(part, draw) * value
            form = next(layouts(value, held.shape), value)
            if same(held, value):
                return False
            found = replayed(self._event, draw, {text: form})
            if found is None or not same(found, wanted[draw]):
                return False
        return True
