"""Which engine takes the steps: native code where there is some, else NumPy."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from backproof.emit.regions import Region, operations
from backproof.emit.scalars import UncoveredError
from backproof.emit.step import Step
from backproof.execution.numpy_engine import NumpyEngine
from backproof.execution.room import check_room
from backproof.execution.team import available
from backproof.ir.errors import BackproofError
from backproof.ir.node import Node, ancestors
from backproof.ops.linear import matmul
from backproof.ops.row import Array

Kind = Literal["auto", "native", "numpy"]
KINDS: tuple[Kind, ...] = ("auto", "native", "numpy")
MOST_WRITTEN_OUT = 4000
"""Up to how many operations on single entries a step is written out operation by operation."""
COMPILING = 0.3, 2.0
"""About how many seconds it takes to compile a step that is written out, and any other."""
CALL, TERM, ENTRY = 7e-7, 1e-11, 3e-10
"""About how many seconds NumPy takes for a call, for an operation within a product, and for any other on an entry."""
SHARED = 20_000_000
"""From how many operations on a step is worth sharing: threads take a microsecond to meet, several times in each."""
MISSING = "native code needs llvmlite: pip install 'backproof[native]'"


class AnyEngine(Protocol):
    """What takes steps."""

    def laid_out(self, node: Node, batches: Sequence[Array] | Array, /) -> Any:
        """One of the data, batch by batch, as the code reads it."""

    def memory(self, state: Mapping[Node, Array], /) -> Any:
        """What a training keeps from step to step, as the code reads it."""

    def state(self, memory: Any, /) -> Mapping[Node, Array]:
        """The arrays that a training keeps, as they are now in the memory of a run."""

    def is_finite(self, memory: Any, /) -> bool:
        """Whether all that a training keeps is finite."""

    def run(self, data: Sequence[Any], numbers: Array, memory: Any, batches: int, /) -> Array:
        """Takes as many steps as there are rows of `numbers`, and returns the result of each."""

    @property
    def regions(self) -> Sequence[Region]:
        """What a step does, region by region."""

    @property
    def machine(self) -> str:
        """What the code is made for."""

    @property
    def entries(self) -> int:
        """How many numbers its own arrays hold."""

    def seconds(self, data: Sequence[Any], numbers: Array, memory: Any, /) -> Sequence[float]:
        """About how many seconds each region takes of a step on the first of the data; `memory` changes."""


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """An engine, its kind, and why it is not the native one where it is not."""

    engine: AnyEngine
    kind: Kind
    why: str = ""


def has_native() -> bool:
    """Whether native code can be made here."""
    return importlib.util.find_spec("llvmlite") is not None


def chosen(
    step: Step, sizes: Mapping[str, int], dtype: Any, kind: Kind = "auto", *, steps: int, threads: int | None = None
) -> Chosen:
    """The engine for so many steps on arrays of these sizes: "auto" compiles what takes longer than compiling.

    Native code runs in so many threads; if that is not said, a large step in as many as can run at once.

    Raises BackproofError where native code is asked for and there is none, and where the arrays of a step do not fit
    into memory.
    """
    numpy = NumpyEngine(step, sizes, dtype)
    check_room(numpy.entries * np.dtype(dtype).itemsize)
    is_small = step.operations(sizes) <= MOST_WRITTEN_OUT
    if kind == "numpy" or (kind == "auto" and steps * _seconds(numpy, step, sizes) < COMPILING[not is_small]):
        return Chosen(numpy, "numpy")
    if has_native():
        from backproof.execution.engine import Engine  # with llvmlite, which not everybody has

        try:
            is_large = sum(operations(x, sizes) for x in ancestors([step.result, *step.after])) >= SHARED
            return Chosen(Engine(step, sizes, dtype, threads or (available() if is_large else 1)), "native")
        except UncoveredError as error:
            why = f"there is no native code for {error}"
    else:
        why = MISSING
    if kind == "native":
        raise BackproofError("there is no native engine for this network", why=why, instead='take engine="auto"')
    return Chosen(numpy, "numpy", why)


def _seconds(engine: NumpyEngine, step: Step, sizes: Mapping[str, int]) -> float:
    """How long NumPy takes for a step, about."""
    each = ((TERM if x.op is matmul else ENTRY) * operations(x, sizes) for x in ancestors([step.result, *step.after]))
    return CALL * engine.text.count("\n") + sum(each)
