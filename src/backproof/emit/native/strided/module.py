"""The module of a step on arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from math import prod

import numpy as np
from llvmlite import ir

from backproof.emit.native.builder import Builder
from backproof.emit.native.lanes import BITS, FLOATS, Value
from backproof.emit.native.loops import INDEX, index, loop, next_batch
from backproof.emit.native.machine import Machine
from backproof.emit.native.memory import MEMORY
from backproof.emit.native.strided import products
from backproof.emit.native.strided.arguments import arguments_of
from backproof.emit.native.strided.kernels import Entrywise, Kernel, Product, Reduction, read, targets
from backproof.emit.native.strided.lowering import Lowered
from backproof.emit.native.strided.placing import placed
from backproof.emit.native.strided.values import Buffer
from backproof.emit.native.strided.writing import KernelWriter
from backproof.emit.native.writer import NUMBERS
from backproof.emit.regions import Region, names
from backproof.emit.step import Step
from backproof.ir.node import Node
from backproof.ops.row import Array

Call = tuple[ir.Function, list[tuple[Buffer, int]]]
"""A function, and which entries of which buffers it is given pointers to."""


class Strided:
    """The module of a step, and how its arrays lie in memory: entry by entry, the last axis first.

    ``run(data…, numbers, memory, results, steps, batches)``: as that of `Panels`. Raises UncoveredError for what there
    is no form of.
    """

    def __init__(self, step: Step, sizes: Mapping[str, int], size: int, machine: Machine) -> None:
        self._step, self._size, self._width = step, size, machine.lanes(size)
        self._lowered = Lowered(step, sizes)
        self._shapes = {node: _lengths(node, sizes) for node in step.state}
        self._buffers = dict(zip(step.state, self._lowered.state, strict=True))
        self._fixed = self._found_fixed()
        self.entries = placed(self._lowered.kernels, self._lowered.state, self._fixed, size)
        """How many numbers the memory holds."""

    def _found_fixed(self) -> list[Buffer]:
        """What is the same in each step: given arrays and tables; and the result, which is read at the end."""
        found: dict[Buffer, None] = {}
        for kernel in self._lowered.kernels:
            for x in (*targets(kernel), *read(kernel)):
                for buffer in (x.buffer, x.table):
                    if buffer is not None and buffer.given is not None:
                        found[buffer] = None
        if self._lowered.result not in self._lowered.state:
            found[self._lowered.result] = None
        return list(found)

    # --- arrays

    @property
    def kept(self) -> int:
        """How many numbers of the memory, the first ones, are kept from step to step."""
        return max((x.start + x.entries for x in self._lowered.state), default=0)

    @property
    def constants(self) -> list[tuple[int, Array]]:
        """What lies in the memory from the beginning on, and where; tables as whole numbers of the same size."""
        kinds = {4: ("f4", "i4"), 8: ("f8", "i8")}[self._size]
        found = []
        for x in self._fixed:
            if x.given is not None:
                kind = kinds[x.is_table]
                found.append((x.start, np.ascontiguousarray(x.given, kind).ravel().view(kinds[0])))
        return found

    def start(self, node: Node) -> int:
        """Where a part of the state begins in the memory."""
        return self._buffers[node].start

    def packed(self, node: Node, array: Array) -> Array:
        """An array, or several of them, in the order in which the entries lie."""
        return array.ravel()

    def unpacked(self, node: Node, memory: Array) -> Array:
        """A part of the state out of the memory."""
        start = self.start(node)
        return memory[start : start + self._buffers[node].entries].reshape(self._shapes[node]).copy()

    # --- code

    @cached_property
    def module(self) -> ir.Module:
        """The module in LLVM's language."""
        return self._module(apart=False)

    @property
    def module_apart(self) -> ir.Module:
        """The same with functions ``run_0``, ``run_1``, … that run a single kernel as often as is asked for."""
        return self._module(apart=True)

    @property
    def regions(self) -> list[Region]:
        """What each kernel does, in the order in which they run."""
        return [_region(kernel, self._lowered.called) for kernel in self._lowered.kernels]

    def _module(self, *, apart: bool) -> ir.Module:
        module = ir.Module("step")
        functions: dict[str, ir.Function] = {}
        calls = [self._call(module, kernel, functions) for kernel in self._lowered.kernels]
        self._write_run(module, "run", calls)
        for number, call in enumerate(calls if apart else ()):
            self._write_run(module, f"run_{number}", [call])
        return module

    def _call(self, module: ir.Module, kernel: Kernel, functions: dict[str, ir.Function]) -> Call:
        """The call of a kernel; its function is written where there is none yet that does the same."""
        if isinstance(kernel, Product):
            arrays = (kernel.target, kernel.left, kernel.right)
            text, places, tables = products.described(kernel), [(x.buffer, x.offset) for x in arrays], set[int]()
        else:
            arguments, text = arguments_of(kernel)
            places = arguments.places
            tables = {k for k, (buffer, _) in enumerate(places) if buffer.is_table}
        if text not in functions:
            pointers = [(BITS if k in tables else FLOATS)[self._size].as_pointer() for k in range(len(places))]
            function = ir.Function(module, ir.FunctionType(ir.VoidType(), pointers), f"kernel_{len(functions)}")
            function.linkage = "internal"
            function.attributes.add("noinline")
            functions[text] = function
            if isinstance(kernel, Product):
                products.write_product(kernel, function, self._size)
            else:
                KernelWriter(kernel, arguments, function, self._size, self._width).write()
        return functions[text], places

    def _write_run(self, module: ir.Module, name: str, calls: Sequence[Call]) -> None:
        step = self._step
        pointer = FLOATS[self._size].as_pointer()
        types = [pointer] * (len(step.data) + 3) + [INDEX, INDEX]
        run = ir.Function(module, ir.FunctionType(ir.VoidType(), types), name)
        builder = Builder(run.append_basic_block("begin"))
        *data, numbers, memory, results, steps, batches = run.args
        own = list(zip(self._lowered.data, data, strict=True))

        def take(k: Value, carried: Sequence[Value]) -> Sequence[Value]:
            (batch,) = carried
            at = {x.base: builder.gep(begin, [builder.mul(batch, index(x.entries))]) for x, begin in own}
            at[NUMBERS] = builder.gep(numbers, [builder.mul(k, index(len(step.numbers)))])
            at[MEMORY] = memory
            for function, places in calls:
                given = [builder.gep(at[x.base], [index(x.start + offset)]) for x, offset in places]
                kinds = function.function_type.args
                builder.call(
                    function,
                    [x if x.type == kind else builder.bitcast(x, kind) for x, kind in zip(given, kinds, strict=True)],
                )
            found = builder.load(builder.gep(memory, [index(self._lowered.result.start)]))
            builder.store(found, builder.gep(results, [k]))
            return [next_batch(builder, batch, batches)]

        loop(builder, steps, [index(0)], take, name="step")
        builder.ret_void()


def _lengths(node: Node, sizes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(sizes.get(size.name, size.value or 0) for size in node.shape)


def _region(kernel: Kernel, own: Mapping[Node, str]) -> Region:
    written = sum(x.places.size for x in targets(kernel))
    taken = sum(x.places.size for x in {(x.buffer, x.offset): x for x in read(kernel)}.values())
    match kernel:
        case Product():
            kind, work, shape = "matrix product", products.operations(kernel), kernel.target.shape
        case Reduction(value=value):
            kind, work, shape, written = kernel.kind, prod(value.shape), value.shape, kernel.target.buffer.entries
        case Entrywise(shape=shape):
            kind, work = "entry by entry", prod(shape) * len(kernel.stores)
    over = tuple(str(n) for n in shape if n > 1)
    return Region(kind, names(list(dict.fromkeys(kernel.nodes)), own), over, work, taken, written)
