"""Products of matrices, a block of the result in registers at a time.

What a block reads lies side by side, and what follows the product, as a bias, an activation or a step of the training,
is done while its entries are at hand. What several blocks read stays in the caches meanwhile: a part of some panels in
the nearest one, some rows of the other factor in the next (K. Goto and R. van de Geijn, "Anatomy of High-Performance
Matrix Multiplication", 2008).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backproof.emit.native.kernels import Contraction
from backproof.emit.native.lanes import Value
from backproof.emit.native.loops import index, loop, prefetch
from backproof.emit.native.threads import Share, draw, spread
from backproof.emit.native.writer import Writer

MANY = 32
"""How many vector registers there are where the blocks may be larger."""
FEW = 8
"""Of how many groups of panels in all chunks, or blocks of rows, on threads share these."""
FEWEST_CHUNKS = 4
"""Into how many chunks the rows are cut at least where threads share a product, so that there is enough to draw."""
Group = tuple[int, int, int]
"""From which thing on, how many groups, of how many things."""


def write_product(writer: Writer) -> None:
    """Writes a product and what is done to its entries."""
    kernel = writer.kernel
    assert isinstance(kernel, Contraction)
    _Product(writer, kernel).write()


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Some rows of some panels, and which threads share them.

    row     the first of the rows
    blocks  how the rows are cut
    panels  the panels
    share   how threads share the blocks
    """

    row: Value
    blocks: Sequence[Group]
    panels: Sequence[Value]
    share: Share | None


class _Product:
    """A product, and how it is cut."""

    def __init__(self, writer: Writer, kernel: Contraction) -> None:
        self._writer, self._kernel = writer, kernel
        self._builder, self._lanes, self._width = writer.builder, writer.many, writer.width
        self._single = writer.memory.of(kernel.single)
        self._vector = writer.memory.places[kernel.vector, kernel.lane]
        # Whether the numbers of a row lie one after the other, or those that are summed over do.
        self._by_rows = writer.plan.lane(kernel.single) == kernel.row
        self._depth, machine = writer.length(kernel.over), writer.machine
        count = -(-writer.long // writer.width)
        most_panels, most_rows = _block(count, self._by_rows, machine.registers)
        most_rows = min(most_rows, writer.width) if self._by_rows else most_rows
        self._panels = groups(count, most_panels)
        whole = self._width if self._by_rows else most_rows
        fitting = machine.cache // 2 // (self._depth * writer.size)
        if writer.share is not None:
            fitting = min(fitting, -(-writer.rows // FEWEST_CHUNKS))
        chunks = groups(writer.rows, max(1, fitting // whole) * whole, even=True)
        self._chunks = [(first, times, groups(tall, most_rows, even=self._by_rows)) for first, times, tall in chunks]
        part = machine.nearest // 2 // (most_panels * machine.width)
        self._part = self._depth if self._depth <= 2 * part else _even(self._depth, part, self._width)
        if self._part < self._depth:
            tallest = max(tall for _, _, tall in chunks)
            sums = self._builder.alloca(self._lanes.kind.type, index(tallest * most_panels), name="sums")
            sums.align = machine.width
            self._sums = sums

    def write(self) -> None:
        """Writes all of it, some rows after the other."""
        writer, builder = self._writer, self._builder
        of_rows, of_panels = self._shares()
        for start, times, blocks in self._chunks:
            tall = blocks[-1][0] + blocks[-1][1] * blocks[-1][2]

            def some_rows(k: Value, start: int = start, tall: int = tall, blocks: Sequence[Group] = blocks) -> None:
                row = builder.add(writer.times(k, tall), index(start))
                for first, number, wide in self._panels:

                    def some_panels(group: Value, first: int = first, wide: int = wide) -> None:
                        begin = builder.add(writer.times(group, wide), index(first))
                        panels = [builder.add(begin, index(p)) for p in range(wide)]
                        chunk = _Chunk(row, blocks, panels, of_rows)
                        if self._part < self._depth:
                            self._write_in_parts(chunk, tall)
                        else:
                            self._write_whole(chunk)

                    draw(builder, of_panels, number, some_panels, name="panels", time=k)

            spread(builder, None, times, some_rows, name="chunks")

    def _shares(self) -> tuple[Share | None, Share | None]:
        """What threads share: the blocks of rows of a chunk, or the panels, which they draw chunk by chunk.

        These are better wherever there are enough: no panel is in the caches of two cores, and who is slow takes less.
        """
        share, panels = self._writer.share, sum(times for _, times, _ in self._panels)
        chunks = sum(times for _, times, _ in self._chunks)
        blocks = sum(times for _, _, blocks in self._chunks for _, times, _ in blocks)
        return (share, None) if chunks * panels < FEW <= blocks else (None, share)

    def _each_block(self, chunk: _Chunk, body: Callable[[Value, int], object]) -> None:
        """Goes through the blocks of a chunk: the first row of each within the chunk, and how many rows it has."""
        for start, times, tall in chunk.blocks:

            def block(k: Value, start: int = start, tall: int = tall) -> None:
                body(self._builder.add(self._writer.times(k, tall), index(start)), tall)

            spread(self._builder, chunk.share, times, block, name="rows")

    def _write_whole(self, chunk: _Chunk) -> None:
        """Each block from the first term to what is done to its entries."""

        def block(within: Value, tall: int) -> None:
            row = self._builder.add(chunk.row, within)
            zeros = [self._lanes.number(0)] * (tall * len(chunk.panels))
            self._finish(chunk, row, self._added(chunk.panels, row, tall, index(0), self._depth, zeros))

        self._each_block(chunk, block)

    def _write_in_parts(self, chunk: _Chunk, rows: int) -> None:
        """All blocks with some of their terms, then with the next; what is done to their entries comes last."""
        builder, panels, part = self._builder, chunk.panels, self._part

        def begin(within: Value, tall: int) -> None:
            sums = self._sums_of(within, tall, len(panels))
            self._store(sums, [self._lanes.number(0)] * len(sums))

        def add(first: Value, deep: int) -> None:
            def block(within: Value, tall: int) -> None:
                sums, row = self._sums_of(within, tall, len(panels)), builder.add(chunk.row, within)
                # Each block fetches its share of what the next part reads.
                own = builder.udiv(self._writer.times(within, part), index(rows))
                ahead = builder.add(builder.add(first, index(part)), own)
                self._store(sums, self._added(panels, row, tall, first, deep, self._loaded(sums), ahead))

            self._each_block(chunk, block)

        def end(within: Value, tall: int) -> None:
            sums = self._sums_of(within, tall, len(panels))
            self._finish(chunk, builder.add(chunk.row, within), self._loaded(sums))

        self._each_block(chunk, begin)
        full, rest = divmod(self._depth, part)
        spread(builder, None, full, lambda k: add(self._writer.times(k, part), part), name="part")
        if rest:
            add(index(full * part), rest)
        self._each_block(chunk, end)

    def _sums_of(self, within: Value, tall: int, wide: int) -> list[Value]:
        """Where the sums of a block lie while others are computed, row by row."""
        first = self._builder.gep(self._sums, [self._writer.times(within, wide)])
        return [self._builder.gep(first, [index(k)]) for k in range(tall * wide)]

    def _store(self, places: Sequence[Value], values: Sequence[Value]) -> None:
        for place, value in zip(places, values, strict=True):
            self._builder.store(value, place, align=self._writer.machine.width)

    def _loaded(self, places: Sequence[Value]) -> list[Value]:
        return [self._writer.load_vector(place) for place in places]

    def _finish(self, chunk: _Chunk, row: Value, totals: Sequence[Value]) -> None:
        """Does what is done to the entries of a block from a row on."""
        wide = len(chunk.panels)
        rows = [self._builder.add(row, index(r)) for r in range(len(totals) // wide)]
        known = [{self._kernel.root: list(totals[r * wide : (r + 1) * wide])} for r in range(len(rows))]
        self._writer.compute(chunk.panels, rows, known)

    def _added(
        self,
        panels: Sequence[Value],
        row: Value,
        tall: int,
        first: Value,
        deep: int,
        totals: Sequence[Value],
        ahead: Value | None = None,
    ) -> list[Value]:
        """The sums of a block with so many terms more, from the `first` on, a multiple of the width.

        Meanwhile it fetches an entry of each panel for each width of terms, from the one that is `ahead` on.
        """
        builder, lanes, width, writer = self._builder, self._lanes, self._width, self._writer
        begins = [writer.vector(self._vector, panel, index(0)) for panel in panels]

        def some(k: Value, totals: Sequence[Value], deep: int) -> list[Value]:
            new, at = list(totals), builder.add(first, k)
            if deep == width and ahead is not None:
                for begin in begins:
                    prefetch(builder, builder.gep(begin, [builder.add(ahead, builder.udiv(k, index(width)))]))
                following = builder.add(at, index(width))
                for r in range(0 if self._by_rows else tall):  # they lie far from those of these terms
                    prefetch(builder, writer.pointer(self._single, self._number(row, r, following, 0)), nearest=True)
            for inner in range(deep):
                vectors = [writer.load_vector(builder.gep(x, [builder.add(at, index(inner))])) for x in begins]
                for r in range(tall):
                    pointer = writer.pointer(self._single, self._number(row, r, at, inner))
                    number = lanes.splat(builder.load(pointer, align=writer.size))
                    for p, v in enumerate(vectors):
                        new[r * len(panels) + p] = lanes.fma(v, number, new[r * len(panels) + p])
            return new

        full = deep // width * width
        if full == width:
            totals = some(index(0), totals, width)
        elif full:
            totals = loop(builder, index(full), totals, lambda k, given: some(k, given, width), name="over", step=width)
        return some(index(full), totals, deep - full)

    def _number(self, row: Value, r: int, k: Value, inner: int) -> Value:
        """Where the number lies that row + r has at the place k + inner of what is summed over.

        k is a multiple of the width; the rows of a block lie in one panel where their numbers lie one after the other.
        """
        builder, width, writer, single = self._builder, self._width, self._writer, self._single
        if self._by_rows:
            panel, within = builder.udiv(row, index(width)), builder.urem(row, index(width))
            at = writer.times(builder.add(writer.times(panel, single.rows), k), width)
            return builder.add(builder.add(at, within), index(inner * width + r))
        at = builder.add(writer.times(k, single.rows), writer.times(builder.add(row, index(r)), width))
        return builder.add(at, index(inner))


def _block(count: int, by_rows: bool, registers: int) -> tuple[int, int]:
    """How many panels and rows of a product are computed at once: as many as the registers hold.

    Where the numbers of a row lie one after the other, as many rows as divide a panel.
    """
    if registers >= MANY:
        return (2, 12) if count <= 2 and not by_rows else (min(count, 3), 8)
    if by_rows:
        return (1, 8) if count == 1 else (min(count, 3), 4)
    return (1, 10) if count == 1 else (2, 6)


def _even(length: int, most: int, whole: int) -> int:
    """How long parts of about the same length are, of `most` at most, all but the last a multiple of `whole`.

    >>> _even(784, 128, 16)
    112
    """
    parts = -(-length // most)
    return -(-length // (parts * whole)) * whole


def groups(count: int, most: int, *, even: bool = False) -> list[tuple[int, int, int]]:
    """`count` things in groups of `most` at most: from which on, how many groups, of how many.

    The last groups are not much smaller than the others; with `even`, all but the last are of `most`.

    >>> groups(32, 6)
    [(0, 4, 6), (24, 2, 4)]
    >>> groups(32, 6, even=True)
    [(0, 5, 6), (30, 1, 2)]
    """
    full, rest = divmod(count, most)
    if even or not rest or not full or 2 * rest > most:
        found = [(0, full, most), (full * most, 1, rest)]
    else:
        start, left = (full - 1) * most, most + rest
        upper = -(-left // 2)
        found = [(0, full - 1, most), (start, 1, upper), (start + upper, 1, left - upper)]
        if 2 * upper == left:
            found = [(0, full - 1, most), (start, 2, upper)]
    return [group for group in found if group[1] and group[2]]
