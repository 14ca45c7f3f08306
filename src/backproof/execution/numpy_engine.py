"""Steps of a training in NumPy: any step, where there is no native code for it."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice
from math import prod
from time import perf_counter
from typing import Any

import numpy as np
from scipy import special

from backproof.emit.buffered.program import program
from backproof.emit.regions import Region, entries
from backproof.emit.step import Step
from backproof.execution.timing import seconds_each
from backproof.ir.node import Node
from backproof.ops.row import Array

_numbers = count(1)


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """The arrays that the steps of one training compute in, and the step that does."""

    step: Callable[..., Any]
    space: Mapping[str, Any]


class NumpyEngine:
    """A step of a training as generated NumPy source; what its methods give and take is as in `engine.Engine`."""

    def __init__(self, step: Step, sizes: Mapping[str, int], dtype: Any = np.float32) -> None:
        self._step, self._sizes, self._dtype = step, sizes, np.dtype(dtype)
        self._program = program(step, sizes)
        self._file = f"<step {next(_numbers)}>"
        # Where tracebacks and debuggers look for the lines of code that is in no file.
        linecache.cache[self._file] = (len(self.text), None, self.text.splitlines(keepends=True), self._file)
        self._code = compile(self.text, self._file, "exec")
        self._views = [(name, compile(text, self._file, "eval")) for name, text in self._program.views]

    @property
    def text(self) -> str:
        """The source of the step."""
        return self._program.text

    def laid_out(self, node: Node, batches: Sequence[Array] | Array) -> Sequence[Array]:
        """One of the data, batch by batch, as the code reads it."""
        return [np.ascontiguousarray(batch, self._dtype) for batch in batches]

    def memory(self, state: Mapping[Node, Array]) -> Kept:
        """What a training keeps from step to step, as the code reads it."""
        extra = {
            name: x.astype(self._dtype) if isinstance(x, np.ndarray) else x for name, x in self._program.extra.items()
        }
        space: dict[str, Any] = {"np": np, "special": special, **extra}
        for node in self._step.numbers:
            space[self._program.names[node]] = np.zeros((), self._dtype)
        for node, array in state.items():
            space[self._program.names[node]] = np.array(array, self._dtype, order="C")
        for name, (shape, is_truth) in self._program.arrays.items():
            space[name] = np.empty(shape, bool if is_truth else self._dtype)
        for name, code in self._views:
            space[name] = eval(code, space)
        exec(self._code, space)
        return Kept(space["step"], space)

    def state(self, memory: Kept) -> dict[Node, Array]:
        """The arrays that a training keeps, as they are now in the memory of a run."""
        return {node: memory.space[self._program.names[node]].copy() for node in self._step.state}

    def is_finite(self, memory: Kept) -> bool:
        """Whether all that a training keeps is finite."""
        return all(np.isfinite(memory.space[self._program.names[node]]).all() for node in self._step.state)

    @property
    def regions(self) -> list[Region]:
        """What a step does, region by region: the lines up to one that computes a quantity."""
        return [_together(lines) for lines in _by_quantity(self._program.regions)]

    @property
    def machine(self) -> str:
        """What the code is made for."""
        return f"NumPy {np.__version__}"

    @property
    def entries(self) -> int:
        """How many numbers its own arrays hold."""
        own = sum(prod(shape) for shape, _ in self._program.arrays.values())
        return own + sum(entries(node, self._sizes) for node in self._step.state)

    def seconds(self, data: Sequence[Sequence[Array]], numbers: Array, memory: Kept) -> list[float]:
        """About how many seconds each region takes of a step on the first of the data; `memory` changes."""
        head, *lines = self.text.splitlines()
        ticks = [f"    _ticks[{k}] += -(_last - (_last := _clock()))" for k in range(len(lines) - 1)]
        timed = [head, "    _last = _clock()", *chain(*zip(lines, ticks, strict=False)), lines[-1]]
        ticked = [0.0] * len(ticks)
        space = {**memory.space, "_clock": perf_counter, "_ticks": ticked}
        exec("\n".join(timed), space)
        rounds = 0

        def run(count: int) -> None:
            nonlocal rounds
            rounds += count
            self.run(data, numbers[:1].repeat(count, axis=0), Kept(space["step"], space), 1)

        seconds_each(run)
        each = iter(x / rounds for x in ticked)
        return [sum(islice(each, len(lines))) for lines in _by_quantity(self._program.regions)]

    def run(self, data: Sequence[Sequence[Array]], numbers: Array, memory: Kept, batches: int) -> Array:
        """Takes as many steps as there are rows of `numbers`, and returns the result of each; `memory` changes."""
        results = np.empty(len(numbers), self._dtype)
        places = [memory.space[self._program.names[node]] for node in self._step.numbers]
        rows, take = list(zip(*data, strict=True)), memory.step
        with np.errstate(all="ignore"):
            for k, values in enumerate(numbers):
                for place, value in zip(places, values, strict=True):
                    place[...] = value
                results[k] = take(*rows[k % batches])
        return results


def _by_quantity(lines: Sequence[Region]) -> list[list[Region]]:
    """The lines of a step, each group up to one that computes a quantity."""
    groups: list[list[Region]] = [[]]
    for line in lines:
        groups[-1].append(line)
        if line.computes:
            groups.append([])
    return [group for group in groups if group]


def _together(lines: Sequence[Region]) -> Region:
    """Several lines as one region."""
    computes = tuple(name for line in lines for name in line.computes)
    totals = (sum(getattr(line, name) for line in lines) for name in ("operations", "read", "written"))
    calls = sum(1 for line in lines if line.operations or line.kind == "copy")
    return Region(f"{calls} call{'' if calls == 1 else 's'}", computes, (), *totals)
