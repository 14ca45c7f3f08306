"""The engine: a step of a training as native code, run as often as is asked for in one call."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import llvmlite.binding as llvm
import numpy as np

from backproof.emit.native.machine import host, object_code, target_machine
from backproof.emit.native.memory import ALIGNED
from backproof.emit.native.panels import Panels
from backproof.emit.native.strided.module import Strided
from backproof.emit.native.unrolled import Unrolled
from backproof.emit.regions import Region
from backproof.emit.scalars import UncoveredError
from backproof.emit.step import Step
from backproof.execution.blas import routines
from backproof.execution.code_cache import cached_code
from backproof.execution.engines import MOST_WRITTEN_OUT
from backproof.execution.team import Team
from backproof.execution.timing import seconds_each
from backproof.ir.node import Node, ancestors
from backproof.ops.row import Array

Code = Unrolled | Panels | Strided


class Engine:
    """A step of a training, compiled for this machine.

    `sizes` are the lengths of the axes by their names; that of the samples says how many each step takes. Raises
    UncoveredError for an operation that there is no native form of.
    """

    def __init__(self, step: Step, sizes: Mapping[str, int], dtype: Any = np.float32, threads: int = 1) -> None:
        self._step, self._sizes, self._dtype = step, sizes, np.dtype(dtype)
        if any(np.iscomplexobj(x.attrs.get("value", 0)) for x in ancestors([step.result, *step.after])):
            raise UncoveredError("complex numbers")
        forms: list[type[Code]] = [Panels, Strided]
        if step.operations(sizes) <= MOST_WRITTEN_OUT:
            forms.insert(0, Unrolled)
        for form in forms:  # the fastest first
            try:
                self._make(form, threads)
                break
            except UncoveredError:
                if form is forms[-1]:
                    raise

    def _make(self, form: type[Code], threads: int) -> None:
        """Makes the code in one of the forms that there are."""
        machine = host()
        self._code: Code = form(self._step, self._sizes, self._dtype.itemsize, machine)
        self._team = Team(threads) if threads > 1 and isinstance(self._code, Panels) else None
        about = f"{form.__name__} {self._team is not None} {self._dtype}\n{self._step.described(self._sizes)}"
        if form is Strided:  # which alone calls them
            for name, address in routines().items():
                llvm.add_symbol(name, address)
        self._compiled = _loaded(cached_code(about, machine, lambda: object_code(str(self._module))))
        self._run = self._function(self._compiled, "run", self._team)

    @property
    def _module(self) -> Any:
        return self._code.module_shared if self._team and isinstance(self._code, Panels) else self._code.module

    def laid_out(self, node: Node, batches: Sequence[Array] | Array) -> Array:
        """One of the data, batch by batch, as the code reads it."""
        return aligned(self._code.packed(node, np.asarray(batches, self._dtype)))

    def memory(self, state: Mapping[Node, Array]) -> Array:
        """What a training keeps from step to step, as the code reads it."""
        memory = aligned(np.zeros(self._code.entries, self._dtype))
        for start, given in self._code.constants:
            memory[start : start + len(given)] = given
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
        threads = f", {self._team.threads} threads" if self._team is not None else ""
        return f"{machine.cpu}, {machine.lanes(self._dtype.itemsize)} numbers a vector{threads}"

    @property
    def entries(self) -> int:
        """How many numbers its own arrays hold."""
        return self._code.entries

    def seconds(self, data: Sequence[Array], numbers: Array, memory: Array) -> list[float]:
        """About how many seconds each region takes of a step on the first of the data; `memory` changes.

        Each is run alone, again and again: what it reads is in the cache, as it is in a step that is not too large.
        """
        compiled, functions = self._compiled, [self._run]
        if not isinstance(self._code, Unrolled):
            compiled = _loaded(object_code(str(self._code.module_apart)))
            functions = [self._function(compiled, f"run_{k}") for k in range(len(self.regions))]

        def timed(run: Callable[..., None]) -> float:
            return seconds_each(lambda rounds: self._taken(run, data, numbers[:1].repeat(rounds, axis=0), memory, 1))

        return [timed(run) for run in functions]

    def _function(self, compiled: Any, name: str, team: Team | None = None) -> Callable[..., None]:
        pointers = [ctypes.c_void_p] * (len(self._step.data) + 3)
        whole = [ctypes.c_int64] * 2
        more = [*whole, ctypes.c_void_p] if team is not None else []
        function = ctypes.CFUNCTYPE(None, *pointers, *whole, *more)(compiled.get_function_address(name))
        return function if team is None else partial(team.run, function)

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

    def __init__(self, nodes: Sequence[Node], code: Code, memory: Array) -> None:
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
