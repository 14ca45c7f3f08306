"""Steps of networks of any width: kernels one after the other, on arrays in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from llvmlite import ir

from backproof.emit.native.along import with_opened
from backproof.emit.native.builder import Builder
from backproof.emit.native.kernels import Contraction, Plan, Relaid, bare
from backproof.emit.native.lanes import FLOATS, Value
from backproof.emit.native.loops import INDEX, index, loop, next_batch
from backproof.emit.native.machine import Machine
from backproof.emit.native.memory import MEMORY, Memory
from backproof.emit.native.products import write_product
from backproof.emit.native.regions import regions_of_kernels
from backproof.emit.native.rows import MOST_PANELS, write_copy, write_rows
from backproof.emit.native.threads import MEETING, Share, alone, meeting
from backproof.emit.native.writer import NUMBERS, Writer
from backproof.emit.regions import Region
from backproof.emit.step import Step
from backproof.ir.node import Node
from backproof.ops.row import Array

WIDEST = 2
"""Up to how many panels a row may have for what is done along it to be done at once with a product."""


class Panels:
    """The module of a step, and how its arrays lie in memory. Raises UncoveredError for what there is no form of.

    ``run(data…, numbers, memory, results, steps, batches)``: each of the data as batches in panels; the numbers of each
    step one after the other; one result for each step. The data begin anew after as many steps as there are `batches`.
    """

    def __init__(self, step: Step, sizes: Mapping[str, int], size: int, machine: Machine) -> None:
        width = machine.lanes(size)
        longest = MOST_PANELS * width
        step = with_opened(step)
        self.plan = Plan(step, sizes, WIDEST * width, longest)
        self.memory = Memory(step, sizes, self.plan, size, width)
        self._step, self._sizes, self._size, self._machine = step, sizes, size, machine

    @cached_property
    def module(self) -> ir.Module:
        """The module in LLVM's language."""
        return self._module()

    @property
    def module_apart(self) -> ir.Module:
        """The same with functions ``run_0``, ``run_1``, … that run a single kernel as often as is asked for."""
        return self._module(apart=True)

    @property
    def module_shared(self) -> ir.Module:
        """The same for several threads: ``run`` is given three arguments more, by each of them.

        These are the number of the thread, how many there are, and where they meet: `threads.MEETING_NUMBERS` numbers,
        which are 0 at first.
        """
        return self._module(is_shared=True)

    @property
    def regions(self) -> list[Region]:
        """What each kernel does, in the order in which they run."""
        return regions_of_kernels(self.plan, self._step, self._sizes)

    def _module(self, *, apart: bool = False, is_shared: bool = False) -> ir.Module:
        module = ir.Module("step")
        step, size = self._step, self._size
        pointer = FLOATS[size].as_pointer()
        names = [*(str(x.symbol) for x in step.data), NUMBERS, MEMORY]
        functions = []
        for number, kernel in enumerate(self.plan.kernels):
            kinds = [pointer] * len(names) + [INDEX, INDEX, MEETING] * is_shared
            function = ir.Function(module, ir.FunctionType(ir.VoidType(), kinds), f"kernel_{number}")
            function.linkage = "internal"
            function.attributes.add("noinline")
            given = function.args[: len(names)]
            for argument in given:
                argument.add_attribute("noalias")
            builder = Builder(function.append_basic_block("begin"))
            arguments = dict(zip(names, given, strict=True))
            share = Share(*function.args[len(names) :]) if is_shared else None
            place, machine = self.memory, self._machine
            writer = Writer(kernel, builder, arguments, step, self._sizes, self.plan, place, size, machine, share)
            if isinstance(kernel, Relaid):
                write_copy(writer)
            elif isinstance(kernel, Contraction):
                write_product(writer)
            else:
                write_rows(writer)
            builder.ret_void()
            functions.append(function)
        self._write_run(module, "run", functions, pointer, is_shared=is_shared)
        for number, function in enumerate(functions if apart else ()):
            self._write_run(module, f"run_{number}", [function], pointer)
        return module

    @property
    def entries(self) -> int:
        """How many numbers the memory holds."""
        return self.memory.entries

    constants: Sequence[tuple[int, Array]] = ()
    """What lies in the memory from the beginning on, and where."""

    @cached_property
    def kept(self) -> int:
        """How many of them, the first ones, are kept from step to step."""
        places = map(self.memory.of, self._step.state)
        return max(place.start + place.entries for place in places)

    def start(self, node: Node) -> int:
        """Where a part of the state begins in the memory."""
        return self.memory.of(node).start

    def packed(self, node: Node, array: Array) -> Array:
        """An array, or several of them, in the order in which the entries lie."""
        return self.memory.packed(node, array)

    def unpacked(self, node: Node, memory: Array) -> Array:
        """A part of the state out of the memory."""
        return self.memory.unpacked(node, memory)

    def _write_run(
        self,
        module: ir.Module,
        name: str,
        functions: Sequence[ir.Function],
        pointer: ir.Type,
        *,
        is_shared: bool = False,
    ) -> None:
        step = self._step
        own = [pointer] * (len(step.data) + 3) + [INDEX, INDEX]
        types = own + [INDEX, INDEX, MEETING] * is_shared
        run = ir.Function(module, ir.FunctionType(ir.VoidType(), types), name)
        builder = Builder(run.append_basic_block("begin"))
        *data, numbers, memory, results, steps, batches = run.args[: len(own)]
        more = run.args[len(own) :]
        share = Share(*more) if is_shared else None
        meet = meeting(module) if is_shared else None
        each = [self.memory.of(x).entries for x in step.data]
        result = index(self.memory.of(bare(step.result)).start)

        def take(k: Value, carried: Sequence[Value]) -> Sequence[Value]:
            (batch,) = carried
            here = [builder.gep(x, [builder.mul(batch, index(n))]) for x, n in zip(data, each, strict=True)]
            at = builder.gep(numbers, [builder.mul(k, index(len(step.numbers)))])

            def report() -> None:
                builder.store(builder.load(builder.gep(memory, [result])), builder.gep(results, [k]))

            for function in functions:
                builder.call(function, [*here, at, memory, *more])
                if function is functions[-1]:
                    # Single numbers are computed by the first thread, which need not wait for what it wrote itself.
                    alone(builder, share, report)
                if meet is not None:
                    builder.call(meet, [more[2], more[1]])
            return [next_batch(builder, batch, batches)]

        loop(builder, steps, [index(0)], take, name="step")
        builder.ret_void()
