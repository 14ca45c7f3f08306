"""Kernels that go through arrays row by row, and copies of arrays in another layout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from backproof.emit.native.along import ROWS_AT_ONCE, write_along
from backproof.emit.native.kernels import ALONG, Relaid, axes, bare
from backproof.emit.native.lanes import FLOATS, Value
from backproof.emit.native.loops import index, loop
from backproof.emit.native.threads import alone, spread
from backproof.emit.native.writer import Known, Writer
from backproof.emit.scalars import summed
from backproof.ir.node import Node

MOST_PANELS = 8
"""Up to how many panels of a row are written out one after the other."""


def write_rows(writer: Writer) -> None:
    """Writes a kernel that is no product."""
    kernel = writer.kernel
    if kernel.lane is None:
        alone(writer.builder, writer.share, lambda: writer.compute(None, [None], [{}]))
        return
    count = -(-writer.long // writer.width)
    if count > MOST_PANELS and any(x.op in ALONG for x in kernel.body):
        write_along(writer, count)
        return
    whole = [x for x in kernel.sums if kernel.lane not in axes(x)]
    if count > MOST_PANELS and not whole:
        # Each thread takes some of the panels.
        spread(writer.builder, writer.share, count, lambda panel: _rows(writer, [panel], [], []), name="panel")
    else:
        alone(writer.builder, writer.share, lambda: _whole_rows(writer, count, whole))


def _whole_rows(writer: Writer, count: int, whole: Sequence[Node]) -> None:
    """All rows, with the sums of all their entries."""
    totals: Sequence[Value] = [writer.many.number(0)] * len(whole)
    if count <= MOST_PANELS:
        totals = _rows(writer, [index(k) for k in range(count)], whole, totals)
    else:
        totals = loop(
            writer.builder,
            index(count),
            totals,
            lambda panel, given: _rows(writer, [panel], whole, given),
            name="panel",
        )
    for node, value in zip(whole, totals, strict=True):
        writer.store(node, writer.many.sum(value), None, None)


def _rows(writer: Writer, panels: Sequence[Value], whole: Sequence[Node], carried: Sequence[Value]) -> list[Value]:
    """All rows of some panels, with the sums over them stored; those of all entries go on from the `carried` ones."""
    lanes, kernel = writer.many, writer.kernel
    each = [x for x in kernel.sums if kernel.lane in axes(x)]
    count = len(whole) + len(each) * len(panels)
    at_once = min(ROWS_AT_ONCE, writer.rows)

    def some(row: Value, totals: Sequence[Value], number: int) -> list[Value]:
        new = list(totals)
        rows = [writer.builder.add(row, index(k)) for k in range(number)]
        known: list[Known] = [{} for _ in rows]
        writer.compute(panels, rows, known)
        for k, (here, own) in enumerate(zip(rows, known, strict=True)):
            for j, term in enumerate(_terms(writer, panels, here, own, whole, each), k * count):
                new[j] = lanes.add(new[j], term)
        return new

    totals: Sequence[Value] = [lanes.number(0)] * (count * at_once)
    full = writer.rows // at_once * at_once
    if full == at_once:
        totals = some(index(0), totals, at_once)
    else:
        totals = loop(
            writer.builder, index(full), totals, lambda row, given: some(row, given, at_once), name="row", step=at_once
        )
    if full < writer.rows:
        totals = some(index(full), totals, writer.rows - full)
    found = [summed(lanes, totals[j::count]) for j in range(count)]
    ends = iter(found[len(whole) :])
    for node in each:
        for panel in panels:
            writer.store(node, next(ends), panel, None)
    return [lanes.add(a, b) for a, b in zip(carried, found[: len(whole)], strict=True)]


def _terms(
    writer: Writer,
    panels: Sequence[Value],
    row: Value,
    known: Mapping[Node, list[Value]],
    whole: Sequence[Node],
    each: Sequence[Node],
) -> Iterator[Value]:
    """What a row adds to each of the sums."""
    for node in (*whole, *each):
        values = writer.given(bare(node.inputs[0]), panels, row, known)
        if node in whole:
            values = [writer.masked(value, panel, is_sum=True) for value, panel in zip(values, panels, strict=True)]
        yield from ([summed(writer.many, values)] if node in whole else values)


def write_copy(writer: Writer) -> None:
    """Stores an array with the other axis as that of the lanes."""
    kernel, builder, width = writer.kernel, writer.builder, writer.width
    assert isinstance(kernel, Relaid)
    own = writer.memory.places[kernel.node, kernel.row]
    other = writer.memory.places[kernel.node, kernel.lane]

    def panel(p: Value, lanes: int) -> None:
        def row(r: Value, _: Sequence[Value]) -> Sequence[Value]:
            target = builder.bitcast(writer.vector(other, p, r), FLOATS[writer.size].as_pointer())
            above = writer.times(builder.udiv(r, index(width)), own.rows)
            begin = builder.add(
                writer.times(builder.add(above, writer.times(p, width)), width), builder.urem(r, index(width))
            )
            for k in range(width):
                value = writer.one.number(0)
                if k < lanes:
                    value = builder.load(writer.pointer(own, builder.add(begin, index(k * width))))
                builder.store(value, builder.gep(target, [index(k)]))
            return []

        loop(builder, index(writer.rows), [], row, name="row")

    whole = writer.long // width
    if whole:
        spread(builder, writer.share, whole, lambda p: panel(p, width), name="panel")
    if writer.rest:
        alone(builder, writer.share, lambda: panel(index(whole), writer.rest))
