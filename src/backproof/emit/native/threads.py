"""Kernels that several threads run together: each takes its part of a loop, and all meet where the kernel ends.

What is added up is added up by one thread, in the order of a single one, so the numbers are the same for any number of
threads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from llvmlite import ir

from backproof.emit.native.builder import Builder
from backproof.emit.native.lanes import Value
from backproof.emit.native.loops import INDEX, index, loop

SPINS = 2000
"""How often a thread looks whether the others are there before it lets another run on its processor."""
MEETING = ir.IntType(64).as_pointer()
"""Two numbers: how many threads wait, and how often all have met; each in a line of the cache of its own."""
APART = 8
"""How many numbers lie between them."""


@dataclass(frozen=True, slots=True)
class Share:
    """Which of how many threads runs the code."""

    thread: Value
    threads: Value


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
    builder.store_atomic(index(0), place, "monotonic", 8)
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
