"""The engine: a step of a training as native code, run as often as is asked for in one call."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import llvmlite.binding as llvm
import numpy as np

from backproof.emit.native.machine import host, object_code, target_machine
from backproof.emit.native.memory import ALIGNED
from backproof.emit.native.panels import Panels
from backproof.emit.native.unrolled import Unrolled
from backproof.emit.regions import Region
from backproof.emit.step import Step
from backproof.execution.code_cache import cached_code
from backproof.execution.timing import seconds_each
from backproof.ir.node import Node
from backproof.ops.row import Array

MOST_WRITTEN_OUT = 4000
"""Up to how many operations on single entries a step is written out operation by operation."""


class Engine:
    """A step of a training, compiled for this machine.

    `sizes` are the lengths of the axes by their names; that of the samples says how many each step takes. Raises
    UncoveredError for an operation that there is no native form of.
    """

    def __init__(self, step: Step, sizes: Mapping[str, int], dtype: Any = np.float32) -> None:
        self._step, self._sizes, self._dtype = step, sizes, np.dtype(dtype)
        machine, size = host(), self._dtype.itemsize
        self._code: Unrolled | Panels
        if step.operations(sizes) <= MOST_WRITTEN_OUT:
            self._code = Unrolled(step, sizes, size, machine)
        else:
            self._code = Panels(step, sizes, size, machine)
        about = f"{type(self._code).__name__} {self._dtype}\n{step.described(sizes)}"
        code = cached_code(about, machine, lambda: object_code(str(self._code.module)))
        self._compiled = _loaded(code)
        self._run = self._function(self._compiled, "run")

    def laid_out(self, node: Node, batches: Sequence[Array] | Array) -> Array:
        """One of the data, batch by batch, as the code reads it."""
        return aligned(self._code.packed(node, np.asarray(batches, self._dtype)))

    def memory(self, state: Mapping[Node, Array]) -> Array:
        """What a training keeps from step to step, as the code reads it."""
        memory = aligned(np.zeros(self._code.entries, self._dtype))
        for node, array in state.items():
            start, packed = self._code.start(node), self._code.packed(node, np.asarray(array, self._dtype))
            memory[start : start + len(packed)] = packed
        return memory

    def state(self, memory: Array) -> Mapping[Node, Array]:
        """The arrays that a training keeps, as they are now in the memory of a run."""
        return _State(self._step.state, self._code, memory[: self._code.kept].copy())

    def is_finite(self, memory: Array) -> bool:
        """Whether all that a training keeps is finite."""
        return bool(np.isfinite(memory[: self._code.kept]).all())

    def run(self, data: Sequence[Array], numbers: Array, memory: Array, batches: int) -> Array:
        """Takes as many steps as there are rows of `numbers`, and returns the result of each; `memory` changes.

        `data` are laid out, of as many `batches`, which begin anew after the last.
        """
        return self._taken(self._run, data, numbers, memory, batches)

    @property
    def regions(self) -> Sequence[Region]:
        """What a step does, region by region."""
        return self._code.regions

    @property
    def machine(self) -> str:
        """What the code is made for."""
        machine = host()
        return f"{machine.cpu}, {machine.lanes(self._dtype.itemsize)} numbers a vector"

    @property
    def entries(self) -> int:
        """How many numbers its own arrays hold."""
        return self._code.entries

    def seconds(self, data: Sequence[Array], numbers: Array, memory: Array) -> list[float]:
        """About how many seconds each region takes of a step on the first of the data; `memory` changes.

        Each is run alone, again and again: what it reads is in the cache, as it is in a step that is not too large.
        """
        compiled, functions = self._compiled, [self._run]
        if isinstance(self._code, Panels):
            compiled = _loaded(object_code(str(self._code.module_apart)))
            functions = [self._function(compiled, f"run_{k}") for k in range(len(self.regions))]

        def timed(run: Callable[..., None]) -> float:
            return seconds_each(lambda rounds: self._taken(run, data, numbers[:1].repeat(rounds, axis=0), memory, 1))

        return [timed(run) for run in functions]

    def _function(self, compiled: Any, name: str) -> Callable[..., None]:
        pointers = [ctypes.c_void_p] * (len(self._step.data) + 3)
        kind = ctypes.CFUNCTYPE(None, *pointers, ctypes.c_int64, ctypes.c_int64)
        return kind(compiled.get_function_address(name))

    def _taken(
        self, run: Callable[..., None], data: Sequence[Array], numbers: Array, memory: Array, batches: int
    ) -> Array:
        numbers = np.ascontiguousarray(numbers, self._dtype)
        results = np.empty(len(numbers), self._dtype)
        pointers = [x.ctypes.data for x in (*data, numbers, memory, results)]
        if len(numbers):
            run(*pointers, len(numbers), batches)
        return results


class _State(Mapping[Node, Array]):
    """The arrays in a memory, each taken out when it is asked for."""

    def __init__(self, nodes: Sequence[Node], code: Unrolled | Panels, memory: Array) -> None:
        self._nodes, self._code, self._memory = nodes, code, memory

    def __getitem__(self, node: Node) -> Array:
        return self._code.unpacked(node, self._memory)

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)


def _loaded(code: bytes) -> Any:
    """Compiled code where it can be called."""
    compiled = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target_machine(host()))
    compiled.add_object_file(llvm.ObjectFileRef.from_data(code))
    compiled.finalize_object()
    return compiled


def aligned(array: Array) -> Array:
    """The same array where a line of the cache begins."""
    raw = np.empty(array.nbytes + ALIGNED, np.uint8)
    start = -raw.ctypes.data % ALIGNED
    placed: Array = raw[start : start + array.nbytes].view(array.dtype)
    placed[:] = array
    return placed
