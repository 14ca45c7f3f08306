"""Products of matrices, a block of the result in registers at a time.

What a block reads lies side by side, and what follows the product, as a bias, an activation or a step of the training,
is done while its entries are still in registers (K. Goto and R. van de Geijn, "Anatomy of High-Performance Matrix
Multiplication", 2008, for the blocks).
"""

from __future__ import annotations

from collections.abc import Sequence

from backproof.emit.native.kernels import Contraction
from backproof.emit.native.lanes import Value
from backproof.emit.native.loops import index, loop
from backproof.emit.native.memory import Place
from backproof.emit.native.threads import spread
from backproof.emit.native.writer import Writer

MANY = 32
"""How many vector registers there are where the blocks may be larger."""
FEW = 8
"""Of how many blocks of rows on threads share these."""


def write_product(writer: Writer) -> None:
    """Writes a product and what is done to its entries."""
    kernel = writer.kernel
    assert isinstance(kernel, Contraction)
    count = -(-writer.long // writer.width)
    # Whether the numbers of a row lie one after the other, or those that are summed over do.
    by_rows = writer.plan.lane(kernel.single) == kernel.row
    most_panels, most_rows = _block(count, by_rows, writer.machine.registers)
    most_rows = min(most_rows, writer.width) if by_rows else most_rows
    rows = groups(writer.rows, most_rows, even=by_rows)
    # Threads share the rows, or the panels where there are few rows.
    of_rows, of_panels = writer.share, None
    if sum(times for _, times, _ in rows) < FEW:
        of_rows, of_panels = None, writer.share
    for first, number, wide in groups(count, most_panels):

        def some_panels(group: Value, first: int = first, wide: int = wide) -> None:
            begin = writer.builder.add(writer.times(group, wide), index(first))
            panels = [writer.builder.add(begin, index(k)) for k in range(wide)]
            for start, times, tall in rows:

                def block(k: Value, start: int = start, tall: int = tall) -> None:
                    row = writer.builder.add(writer.times(k, tall), index(start))
                    _write_block(writer, kernel, by_rows, panels, row, tall)

                spread(writer.builder, of_rows, times, block, name="rows")

        spread(writer.builder, of_panels, number, some_panels, name="panels")


def _block(count: int, by_rows: bool, registers: int) -> tuple[int, int]:
    """How many panels and rows of a product are computed at once: as many as the registers hold.

    Where the numbers of a row lie one after the other, as many rows as divide a panel.
    """
    if registers >= MANY:
        return (min(count, 3), 8) if by_rows else (min(count, 2), 12)
    if by_rows:
        return (1, 8) if count == 1 else (min(count, 3), 4)
    return (1, 10) if count == 1 else (2, 6)


def _write_block(
    writer: Writer, kernel: Contraction, by_rows: bool, panels: Sequence[Value], row: Value, tall: int
) -> None:
    builder, lanes, width = writer.builder, writer.many, writer.width
    depth = writer.length(kernel.over)
    single = writer.memory.of(kernel.single)
    vector = writer.memory.places[kernel.vector, kernel.lane]
    begins = [writer.vector(vector, panel, index(0)) for panel in panels]

    def some(k: Value, totals: Sequence[Value], deep: int) -> list[Value]:
        new = list(totals)
        for inner in range(deep):
            vectors = [writer.load_vector(builder.gep(x, [builder.add(k, index(inner))])) for x in begins]
            for r in range(tall):
                at = _number(writer, single, by_rows, row, r, k, inner)
                number = lanes.splat(builder.load(writer.pointer(single, at), align=writer.size))
                for p, v in enumerate(vectors):
                    new[r * len(panels) + p] = lanes.fma(v, number, new[r * len(panels) + p])
        return new

    totals: Sequence[Value] = [lanes.number(0)] * (tall * len(panels))
    full = depth // width * width
    if full == width:
        totals = some(index(0), totals, width)
    elif full:
        totals = loop(builder, index(full), totals, lambda k, given: some(k, given, width), name="over", step=width)
    totals = some(index(full), totals, depth - full)
    for r in range(tall):
        found = list(totals[r * len(panels) : (r + 1) * len(panels)])
        writer.compute(panels, builder.add(row, index(r)), {kernel.root: found})


def _number(writer: Writer, single: Place, by_rows: bool, row: Value, r: int, k: Value, inner: int) -> Value:
    """Where the number lies that row + r has at the place k + inner of what is summed over.

    k is a multiple of the width; the rows of a block lie in one panel where their numbers lie one after the other.
    """
    builder, width = writer.builder, writer.width
    if by_rows:
        panel, within = builder.udiv(row, index(width)), builder.urem(row, index(width))
        at = writer.times(builder.add(writer.times(panel, single.rows), k), width)
        return builder.add(builder.add(at, within), index(inner * width + r))
    at = builder.add(writer.times(k, single.rows), writer.times(builder.add(row, index(r)), width))
    return builder.add(at, index(inner))


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
