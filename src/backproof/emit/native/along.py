"""Kernels that compute along rows that are longer than what the registers hold.

A row is gone through several times: what needs a sum or a largest entry of it is computed once that is known. What is
not kept for others is computed anew each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from backproof.emit.native.kernels import ACROSS, ALONG, axes, bare
from backproof.emit.native.lanes import Value
from backproof.emit.native.loops import index, loop
from backproof.emit.native.products import groups
from backproof.emit.native.threads import spread
from backproof.emit.native.writer import Known, Writer
from backproof.emit.step import Step
from backproof.ir.node import Node, ancestors
from backproof.ops import linear
from backproof.ops.softmax import stable

ROWS_AT_ONCE = 4
"""How many rows are gone through side by side, so that additions need not wait for each other."""


def with_opened(step: Step) -> Step:
    """A step with each softmax, and its logarithm, written as sums and largest entries of rows."""
    done: dict[Node, Node] = {}
    for node in ancestors([step.result, *step.after]):
        new = node.on(tuple(done[x] for x in node.inputs))
        done[node] = stable(new).named(node.symbol) if node.op in ACROSS else new
    return replace(step, result=done[step.result], after=tuple(done[x] for x in step.after))


def write_along(writer: Writer, count: int) -> None:
    """Writes a kernel whose rows have so many panels."""
    goes = _goes(writer)
    for start, times, tall in groups(writer.rows, ROWS_AT_ONCE, even=True):

        def block(k: Value, start: int = start, tall: int = tall) -> None:
            first = writer.builder.add(writer.times(k, tall), index(start))
            _write_rows(writer, [writer.builder.add(first, index(r)) for r in range(tall)], goes, count)

        spread(writer.builder, writer.share, times, block, name="rows")


def _goes(writer: Writer) -> dict[Node, int]:
    """The operations of a kernel, and in which go along a row each is computed."""
    found: dict[Node, int] = {}

    def go(node: Node) -> int:
        inputs = [bare(x) for x in node.inputs]
        inner = [go(x) for x in inputs if writer.plan.is_inner(x)]
        return max([*inner, *(found[x] + (x.op in ALONG) for x in inputs if x in found)], default=0)

    for node in writer.kernel.body:
        found[node] = go(node)
    return found


def _write_rows(writer: Writer, rows: Sequence[Value], goes: Mapping[Node, int], count: int) -> None:
    """All that a kernel computes of some rows."""
    once: list[Known] = [{} for _ in rows]
    for go in range(max(goes.values()) + 1):
        own = [node for node in goes if goes[node] == go]
        for node in own:
            if node.op not in ALONG and writer.kernel.lane not in axes(node):
                writer.compute_one(node, None, rows, once)
                for row, known in zip(rows, once, strict=True):
                    writer.store(node, known[node][0], None, row)
        ends = [node for node in own if node.op in ALONG]
        wide = [node for node in goes if goes[node] <= go and writer.kernel.lane in axes(node)]
        if ends or any(goes[node] == go for node in wide):
            stored = [node for node in wide if goes[node] == go]
            _go_along(writer, list(zip(rows, once, strict=True)), wide, stored, ends, count)


def _go_along(
    writer: Writer,
    rows: Sequence[tuple[Value, Known]],
    wide: Sequence[Node],
    stored: Sequence[Node],
    ends: Sequence[Node],
    count: int,
) -> None:
    """Goes along some rows once, of each of which something is known; what the ends come to is known then."""
    lanes = writer.many

    def panel(p: Value, totals: Sequence[Value]) -> list[Value]:
        new: list[Value] = []
        before = iter(totals)
        for row, known in rows:
            found = dict(known)
            for node in wide:
                found[node] = writer.computed(node, [p], row, found)
                if node in stored:
                    writer.store(node, found[node][0], p, row)
            for node in ends:
                (value,) = writer.given(bare(node.inputs[0]), [p], row, found)
                join = lanes.add if node.op is linear.sum_ else lanes.largest
                new.append(join(next(before), writer.masked(value, p, is_sum=node.op is linear.sum_)))
        return new

    empty = [lanes.number(0.0 if node.op is linear.sum_ else float("-inf")) for node in ends]
    totals = iter(loop(writer.builder, index(count), empty * len(rows), panel, name="panel"))
    for row, known in rows:
        for node in ends:
            one = lanes.sum if node.op is linear.sum_ else lanes.top
            known[node] = [one(next(totals))]
            writer.store(node, known[node][0], None, row)
