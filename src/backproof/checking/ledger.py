"""What somebody's code holds at a statement: by the expressions that hold it, and by what it is meant to be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from backproof.checking.comparing import layouts
from backproof.checking.events import Event
from backproof.checking.moments import mentioned
from backproof.checking.products import Products
from backproof.checking.truth import Quantity, Truth
from backproof.ir.node import Node
from backproof.ops.row import Array


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """What an expression holds on every draw.

    quantity  what it is, or is meant to be; None where that is not known
    within    the function whose variable it is
    event     the statement that gave it; None where it was there before
    former    the entry that a statement has written over
    """

    arrays: tuple[Array, ...]
    quantity: Quantity | None
    within: str
    event: Event | None
    former: Entry | None = None


class Ledger:
    """The values in the code, up to the statement that is looked at."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self.products = Products(truth)
        self.by_text: dict[str, Entry] = {}
        self._of_quantity: dict[Quantity, tuple[Array, ...]] = {}
        # How many expressions hold each quantity.
        self._holders: Counter[Quantity | None] = Counter()
        # For each quantity the array that the code holds last for it, and that over the factor of the convention.
        self._divided: dict[tuple[Quantity, int], tuple[Array, Array]] = {}

    def learn(self, event: Event) -> None:
        """Takes up what a statement reads that none before it wrote."""
        for text in event.reads[0]:
            if not all(text in read for read in event.reads):
                continue
            arrays = tuple(read[text] for read in event.reads)
            known = self.by_text.get(text)
            # Another function may call another value so; what was changed behind our back is another value too.
            if known is None or (event.rounds == 1 and not _are(known.arrays, arrays)):
                self._put_down(text, Entry(arrays, self._truth.recognised(text, arrays), event.moment.function, None))

    def enter(self, event: Event, quantity: Quantity | None) -> None:
        """Takes up what a statement gave."""
        former = self.by_text.get(event.text)
        own = Entry(event.arrays, quantity, event.moment.function, event, former and _without_former(former))
        self._put_down(event.text, own)
        if quantity is not None and quantity.step is not None:
            self.enter_as(quantity, event.arrays)

    def _put_down(self, text: str, entry: Entry) -> None:
        former = self.by_text.get(text)
        if former is not None:
            self._holders[former.quantity] -= 1
        self._holders[entry.quantity] += 1
        self.by_text[text] = entry

    def enter_as(self, quantity: Quantity, arrays: tuple[Array, ...]) -> None:
        """Takes up what the code has for a derivative or a term of one."""
        self._of_quantity[quantity] = arrays

    def reinterpret(self, event: Event, quantity: Quantity) -> None:
        """Takes up what a value that a statement gave turns out to be meant to be."""
        entry = self.by_text.get(event.text)
        if entry is not None and entry.event is event:
            self._put_down(event.text, replace(entry, quantity=quantity))
        if quantity.step is not None:
            self.enter_as(quantity, event.arrays)

    def holds(self, quantity: Quantity) -> bool:
        """Whether the code has held a value for a quantity."""
        return quantity in self._of_quantity or self._holders[quantity] > 0

    @property
    def derivatives(self) -> list[Quantity]:
        """The derivatives that the code has held a value for."""
        return [quantity for quantity in self._of_quantity if quantity.is_whole]

    def quantities(self, event: Event, *, own: bool = False) -> list[Quantity]:
        """What a statement reads, as far as it is known; with `own`, without what does not stand in it itself.

        A statement that names `self` or a dict could read all that is in it.
        """
        named = mentioned(event.moment) if own else None
        texts = [x.text for x in event.moment.reads if named is None or (x.written or x.text) in named]
        found = (self._read(event, text) for text in texts)
        return [entry.quantity for entry in found if entry is not None and entry.quantity is not None]

    def _read(self, event: Event, text: str) -> Entry | None:
        """What an expression held when a statement read it, that may have written over it since."""
        entry = self.by_text.get(text)
        return entry.former if entry is not None and entry.event is event else entry

    def scaled(self, event: Event) -> set[Node]:
        """The derivatives, and what a statement reads, that are a multiple by the factor of the convention."""
        return {q.node for q in (*self._truth.derivatives, *self.quantities(event)) if q.scaled}

    def handed_on(self, event: Event) -> Quantity | None:
        """The derivative that a value was meant to be where it was computed, in a function called or by the caller."""
        alike = (q for q, arrays in self._of_quantity.items() if _are(arrays, event.arrays))
        return next(alike, None)

    def copied(self, event: Event) -> Quantity | None:
        """What a statement only copies."""
        for text in event.reads[0]:
            entry = self.by_text.get(text)
            if entry is not None and all(map(np.array_equal, entry.arrays, event.arrays)):
                return entry.quantity
        return None

    def computed(self, event: Event) -> Mapping[str, Entry]:
        """What a statement reads that the code has computed or looked up."""
        entries = {text: self.by_text[text] for text in event.reads[0] if text in self.by_text}
        return {text: entry for text, entry in entries.items() if entry.event is not None}

    def inputs(self, event: Event, draw: int) -> dict[Node, Array]:
        """What a statement's equation is given: the forward quantities as they are, derivatives as the code holds them.

        A derivative that the code does not hold follows from those that it does.
        """
        values = self._truth.forward_values(draw)
        for quantity, arrays in self._of_quantity.items():
            self._put(values, quantity, arrays[draw], draw)
        # What the statement itself reads comes last, so that it counts where the code holds a quantity twice.
        for text, array in event.reads[draw].items():
            entry = self._read(event, text)
            if entry is not None and entry.quantity is not None:
                self._put(values, entry.quantity, array, draw)
        return values

    def _put(self, values: dict[Node, Array], quantity: Quantity, array: Array, draw: int) -> None:
        form = next(layouts(array, self._truth.plain(quantity.node, draw).shape), None)
        scale = self._truth.scale(quantity, draw)
        if form is not None and scale == 1:
            values[quantity.node] = form
        elif form is not None:
            of, divided = self._divided.get((quantity, draw), (None, form))
            if of is not array:
                self._divided[quantity, draw] = array, (divided := form / scale)
            values[quantity.node] = divided


def _are(before: Sequence[Array], now: Sequence[Array]) -> bool:
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(before, now, strict=True))


def _without_former(entry: Entry) -> Entry:
    """One entry back is enough, and a loop's would be long."""
    return Entry(entry.arrays, entry.quantity, entry.within, entry.event)
