"""What a step's values are: entries that lie in memory, and what is computed of such when it is read.

Where the entries of a value lie is an array of numbers, one for each entry. So an operation that only moves entries is
done by doing it to that array, once, when the code is made: by the operation's own meaning in NumPy. Where the result
is a view, as it is of a transposed array or a slice, the entries are told by the distances along its axes; else the
array of numbers becomes a table in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from backproof.emit.native.memory import MEMORY
from backproof.ir.node import Node
from backproof.ops.row import Array


@dataclass(eq=False)
class Buffer:
    """Memory for so many numbers.

    base   what it is in: one of the data, by its name, the numbers of a step, or its memory
    start  after how many numbers it begins there; of the step's memory it is said when all is laid out
    given  what it always holds, if that is known: numbers, or whole ones
    """

    entries: int
    base: str = MEMORY
    start: int = 0
    given: Array | None = None

    @property
    def is_table(self) -> bool:
        """Whether it holds whole numbers."""
        return self.given is not None and self.given.dtype.kind != "f"

    @cached_property
    def places(self) -> Array:
        """The number of each entry."""
        return np.arange(self.entries)


@dataclass(frozen=True, slots=True, eq=False)
class Number:
    """The same number at all places."""

    value: float

    @property
    def shape(self) -> tuple[int, ...]:
        """It has no axes."""
        return ()


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """A further distance that another value tells: its whole number, counted from the end where it is below 0."""

    value: Value
    distance: int
    length: int


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """Entries of a buffer.

    places   for each entry its number in the buffer
    table    the buffer that holds these numbers, of which `places` is a view; None where they are told by distances
    lookups  what is to be added to them
    """

    buffer: Buffer
    places: Array
    table: Buffer | None = None
    lookups: tuple[Lookup, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """How long the axes are."""
        return tuple(self.places.shape)

    @property
    def offset(self) -> int:
        """The number of the first entry: in the buffer, or of its number in the table."""
        if self.table is None:
            return int(self.places.flat[0])
        assert self.table.given is not None
        return (self.places.ctypes.data - self.table.given.ctypes.data) // self.places.itemsize

    @property
    def strides(self) -> tuple[int, ...]:
        """How far it is to the next entry along each axis: in the buffer, or in the table."""
        lengths = self.places.shape
        return tuple(
            0 if n == 1 else s // self.places.itemsize for s, n in zip(self.places.strides, lengths, strict=True)
        )

    @property
    def is_strided(self) -> bool:
        """Whether distances alone tell where the entries lie."""
        return self.table is None and not self.lookups

    @property
    def is_whole(self) -> bool:
        """Whether it is all of its buffer, entry after entry."""
        is_all = self.is_strided and self.places.size == self.buffer.entries
        return is_all and self.strides == row_by_row(self.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Applied:
    """An operation on the entries at the same place of values that all have its shape, or are numbers."""

    node: Node
    inputs: tuple[Value, ...]
    shape: tuple[int, ...]
    reads: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "reads", len({id(x) for x in loaded(self)}))


Value = Number | Loaded | Applied
Change = Callable[[Array], Array]


def row_by_row(shape: Sequence[int]) -> tuple[int, ...]:
    """The distances of an array of this shape whose entries lie one after the other."""
    found, step = [], 1
    for n in reversed(shape):
        found.append(0 if n == 1 else step)
        step *= n
    return tuple(found[::-1])


def loaded(*values: Value) -> Iterator[Loaded]:
    """All that is read for some values, and for what is looked up."""
    return (x for x in _within(values) if isinstance(x, Loaded))


def computed(*values: Value) -> Iterator[Applied]:
    """All operations that some values take."""
    return (x for x in _within(values) if isinstance(x, Applied))


def _within(values: Sequence[Value]) -> Iterator[Value]:
    done: set[int] = set()
    stack = [*values]
    while stack:
        x = stack.pop()
        if id(x) not in done:
            done.add(id(x))
            yield x
            if isinstance(x, Applied):
                stack += x.inputs
            elif isinstance(x, Loaded):
                stack += [y.value for y in x.lookups]


def moved(value: Value, change: Change) -> Value:
    """A value with its entries at other places."""
    done: dict[int, Value] = {}

    def of(x: Value) -> Value:
        if isinstance(x, Number):
            return x
        if id(x) not in done:
            done[id(x)] = moved_entries(x, change) if isinstance(x, Loaded) else applied(x.node, [*map(of, x.inputs)])
        return done[id(x)]

    return of(value)


def applied(node: Node, inputs: Sequence[Value]) -> Applied:
    """An operation on values, each stretched to the shape that all have together."""
    shape = np.broadcast_shapes(*(x.shape for x in inputs))
    return Applied(node, tuple(stretched(x, shape) for x in inputs), shape)


def stretched(value: Value, shape: tuple[int, ...]) -> Value:
    """A value repeated along axes."""
    return value if value.shape == shape else moved(value, lambda places: np.broadcast_to(places, shape))


def moved_entries(x: Loaded, change: Change) -> Loaded:
    """The same for entries in memory."""
    root = x.buffer.places if x.table is None else x.table.given
    assert root is not None
    places, table = change(x.places), x.table
    if not np.may_share_memory(places, root):
        places = places.copy()
        table = Buffer(places.size, given=places)
    lookups = tuple(Lookup(moved(y.value, change), y.distance, y.length) for y in x.lookups)
    return Loaded(x.buffer, places, table, lookups)
