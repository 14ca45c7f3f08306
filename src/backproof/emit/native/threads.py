"""Kernels that several threads run together: each takes its part of a loop, and all meet where the kernel ends.

What is added up is added up by one thread, in the order of a single one, so the numbers are the same for any number of
threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count as counting

from llvmlite import ir

from backproof.emit.native.builder import Builder
from backproof.emit.native.lanes import Value
from backproof.emit.native.loops import INDEX, index, loop

SPINS = 2000
"""How often a thread looks whether the others are there before it lets another run on its processor."""
MEETING = ir.IntType(64).as_pointer()
"""How many threads wait, how often all have met, and for each loop that they draw from how many rounds are taken."""
APART = 8
"""How many numbers lie between two of these, each of which has a line of the cache of its own."""
LOOPS = 16
"""How many loops of a kernel threads can draw from."""
MEETING_NUMBERS = (2 + LOOPS) * APART
"""How many numbers a meeting has; they are 0 at first."""


@dataclass(frozen=True, slots=True)
class Share:
    """Which of how many threads runs the code, where they meet, and which loop is the next that they draw from."""

    thread: Value
    threads: Value
    meeting: Value
    loops: Iterator[int] = field(default_factory=counting)


def spread(
    builder: ir.IRBuilder, share: Share | None, count: int, body: Callable[[Value], object], *, name: str
) -> None:
    """Goes through 0, 1, … below `count`; of several threads each through its part."""
    if share is None and count == 1:
        body(index(0))
        return
    first, behind = index(0), index(count)
    if share is not None:
        bounds = (share.thread, builder.add(share.thread, index(1)))
        first, behind = (builder.udiv(builder.mul(x, index(count)), share.threads) for x in bounds)

    def once(k: Value, _: object) -> list[Value]:
        body(k)
        return []

    if share is None:
        loop(builder, behind, [], once, name=name)
    else:
        with builder.if_then(builder.icmp_unsigned("<", first, behind)):
            loop(builder, behind, [], once, name=name, start=first)


def draw(
    builder: ir.IRBuilder,
    share: Share | None,
    count: int,
    body: Callable[[Value], object],
    *,
    name: str,
    time: Value | None = None,
) -> None:
    """Goes through 0, 1, … below `count`; of several threads each takes what is next when it is done with the last.

    A thread that is slower than the others, as where something else runs on its processor, takes less. `time` says how
    often all have gone through the loop before, where it is in another one.
    """
    number = next(share.loops) if share is not None else LOOPS
    if share is None or number >= LOOPS:
        spread(builder, share, count, body, name=name)
        return
    with builder.goto_entry_block():
        taken = builder.gep(share.meeting, [index((2 + number) * APART)])
        drawn = builder.alloca(INDEX, name="drawn")
        builder.store(builder.atomic_rmw("add", taken, index(1), "monotonic"), drawn)
    before = builder.mul(time or index(0), index(count))
    again, inside, behind = (builder.append_basic_block(f"{name}.{part}") for part in ("again", "inside", "behind"))
    builder.branch(again)
    builder.position_at_end(again)
    turn = builder.sub(builder.load(drawn), before)
    builder.cbranch(builder.icmp_unsigned("<", turn, index(count)), inside, behind)
    builder.position_at_end(inside)
    body(turn)
    builder.store(builder.atomic_rmw("add", taken, index(1), "monotonic"), drawn)
    builder.branch(again)
    builder.position_at_end(behind)


def alone(builder: ir.IRBuilder, share: Share | None, body: Callable[[], object]) -> None:
    """What the first thread does while the others wait."""
    if share is None:
        body()
        return
    with builder.if_then(builder.icmp_unsigned("==", share.thread, index(0))):
        body()


def meeting(module: ir.Module) -> ir.Function:
    """The function in which a thread waits for all others (a barrier whose sense is how often all have met)."""
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [MEETING, INDEX]), "meet")
    function.linkage = "internal"
    yields = ir.Function(module, ir.FunctionType(ir.IntType(32), []), "sched_yield")
    place, threads = function.args
    builder = Builder(function.append_basic_block("begin"))
    met = builder.gep(place, [index(APART)])
    before = builder.load_atomic(met, "acquire", 8)
    arrived = builder.atomic_rmw("add", place, index(1), "acq_rel")
    last, wait, again, give_way, done = map(function.append_basic_block, ("last", "wait", "again", "give_way", "done"))
    builder.cbranch(builder.icmp_unsigned("==", builder.add(arrived, index(1)), threads), last, wait)
    builder.position_at_end(last)
    for number in (0, *range(2, 2 + LOOPS)):
        builder.store_atomic(index(0), builder.gep(place, [index(number * APART)]), "monotonic", 8)
    builder.store_atomic(builder.add(before, index(1)), met, "release", 8)
    builder.branch(done)
    begin = function.basic_blocks[0]
    builder.position_at_end(wait)
    spins = builder.phi(INDEX)
    spins.add_incoming(index(0), begin)
    builder.cbranch(builder.icmp_unsigned("==", builder.load_atomic(met, "acquire", 8), before), again, done)
    builder.position_at_end(again)
    more = builder.add(spins, index(1))
    spins.add_incoming(more, again)
    builder.cbranch(builder.icmp_unsigned("<", more, index(SPINS)), wait, give_way)
    builder.position_at_end(give_way)
    builder.call(yields, [])
    spins.add_incoming(more, give_way)
    builder.branch(wait)
    builder.position_at_end(done)
    builder.ret_void()
    return function
