"""How fast a step could be: what its products take at the peak of the processor, and the way of the parameters."""

from __future__ import annotations

# isort: off
import threads  # says how many threads there are, before anything counts them

# isort: on
import ctypes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from time import perf_counter

import llvmlite.binding as llvm
import numpy as np
from dense import Problem
from llvmlite import ir

from backproof.emit.native.lanes import FLOATS, Kind, Lanes
from backproof.emit.native.loops import INDEX, loop
from backproof.emit.native.machine import host, optimised, target_machine

CHAINS = 10
"""How many sums run side by side, so that none has to wait for itself."""
ROUNDS = 1_000_000
FEW = 1 << 16
"""Below so many numbers a call of NumPy takes longer than what it does."""


def limit(data: Problem) -> float:
    """Seconds: the products of a step at the peak, all threads at work, and each parameter read and written once."""
    units, parameters = data.row.units, [*data.weights, *data.biases]
    terms = sum(a * b * (3 if k else 2) for k, (a, b) in enumerate(pairwise(units)))
    return 2 * data.row.samples * terms / peak() + _way(sum(x.size for x in parameters))


def _way(count: int) -> float:
    """Seconds to change so many numbers where they are, the best of some; few of them as a part of more."""
    numbers = np.ones(max(count, FEW), np.float32)
    best = min(_timed(lambda: np.multiply(numbers, 1.0, out=numbers)) for _ in range(50))
    return best * count / len(numbers)


def _timed(run: Callable[[], object]) -> float:
    began = perf_counter()
    run()
    return perf_counter() - began


@cache
def peak() -> float:
    """Operations a second of all threads in single precision: multiplications and additions that wait for nothing."""
    machine = host()
    module, pointer = ir.Module(), FLOATS[4].as_pointer()
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [pointer, INDEX]), "multiply")
    builder = ir.IRBuilder(function.append_basic_block())
    lanes = Lanes(builder, Kind(4, machine.lanes(4)))
    place = builder.bitcast(function.args[0], lanes.kind.type.as_pointer())
    x = builder.load(place, align=4)
    sums = [lanes.add(x, lanes.number(k)) for k in range(CHAINS)]
    sums = loop(builder, function.args[1], sums, lambda _, given: [lanes.fma(s, x, x) for s in given], name="round")
    for s in sums[1:]:
        sums[0] = lanes.add(sums[0], s)
    builder.store(sums[0], place, align=4)
    builder.ret_void()
    engine = llvm.create_mcjit_compiler(optimised(str(module), machine), target_machine(machine))
    engine.finalize_object()
    address = engine.get_function_address("multiply")
    run = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(address)
    numbers = np.full((threads.COUNT, machine.lanes(4)), 0.5, np.float32)
    with ThreadPoolExecutor(threads.COUNT) as team:
        took = min(_timed(lambda: [*team.map(lambda own: run(own.ctypes.data, ROUNDS), numbers)]) for _ in range(20))
    return 2 * CHAINS * numbers.size * ROUNDS / took
