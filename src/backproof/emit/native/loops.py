"""Loops in LLVM's intermediate representation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from llvmlite import ir

from backproof.emit.native.lanes import Value

INDEX = ir.IntType(64)


@cache
def index(number: int) -> ir.Constant:
    """A whole number that counts or indexes."""
    return ir.Constant(INDEX, number)


def next_batch(builder: ir.IRBuilder, batch: Value, batches: Value) -> Value:
    """The number of the batch behind one; behind the last comes the first."""
    following = builder.add(batch, index(1))
    return builder.select(builder.icmp_unsigned("==", following, batches), index(0), following)


def prefetch(builder: ir.IRBuilder, pointer: Value, *, nearest: bool = False) -> None:
    """Has the line of the cache that a pointer points to fetched into the next cache, or the nearest; it need not be
    there."""
    byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
    kind, name = ir.FunctionType(ir.VoidType(), [byte, number, number, number]), "llvm.prefetch.p0i8"
    function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
    read, level, data = (ir.Constant(number, k) for k in (0, 3 if nearest else 2, 1))
    builder.call(function, [builder.bitcast(pointer, byte), read, level, data])


def loop(
    builder: ir.IRBuilder,
    count: Value,
    carried: Sequence[Value],
    body: Callable[[Value, Sequence[Value]], Sequence[Value]],
    *,
    name: str,
    step: int = 1,
    start: Value | None = None,
) -> list[Value]:
    """Goes through 0, step, 2·step, … below `count`, which is at least 1; from `start` on, where that is given.

    `carried` are values that each round is given and gives anew; those of the last round are returned.
    """
    before = builder.block
    rounds = builder.append_basic_block(name)
    behind = builder.append_basic_block(f"{name}.end")
    builder.branch(rounds)
    builder.position_at_end(rounds)
    k = builder.phi(INDEX)
    k.add_incoming(index(0) if start is None else start, before)
    given = []
    for value in carried:
        phi = builder.phi(value.type)
        phi.add_incoming(value, before)
        given.append(phi)
    new = list(body(k, given))
    following = builder.add(k, index(step))
    for phi, value in zip([k, *given], [following, *new], strict=True):
        phi.add_incoming(value, builder.block)
    builder.cbranch(builder.icmp_unsigned("<", following, count), rounds, behind)
    builder.position_at_end(behind)
    return new
