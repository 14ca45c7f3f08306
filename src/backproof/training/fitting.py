"""The training itself: epoch after epoch, each in a few calls of an engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backproof.derivation.derivation import Derivation
from backproof.emit.step import Step
from backproof.execution.engines import AnyEngine, Chosen, chosen
from backproof.execution.interpret import Plan as Outputs
from backproof.execution.timing import seconds_each
from backproof.ir.node import Node
from backproof.ops.row import Array
from backproof.training.divergence import diverged
from backproof.training.forward import sizes_of
from backproof.training.history import Epoch
from backproof.training.optimisers import Optimiser
from backproof.training.options import Options
from backproof.training.plan_report import PlanReport
from backproof.training.samples import Samples, order_of
from backproof.training.schedules import schedule_named, times
from backproof.training.steps import Plan, planned


@dataclass(frozen=True, eq=False)
class State:
    """Where a training is.

    arrays   the parameters, and what the optimiser keeps, by name
    epochs   what the epochs so far were like
    best     of all epochs so far, the parameters with the lowest loss; empty where none is looked for
    steps    how many steps were taken
    """

    arrays: Mapping[str, Array]
    epochs: tuple[Epoch, ...] = ()
    best: Mapping[str, Array] | None = None
    steps: int = 0

    @property
    def since_best(self) -> int:
        """How many epochs went by since the best one."""
        losses = np.array([epoch.judged for epoch in self.epochs])
        return len(losses) - 1 - int(np.argmin(np.where(np.isnan(losses), np.inf, losses))) if len(losses) else 0


Named = Mapping[str, Array]


class _ByName(Mapping[str, Array]):
    """The arrays of nodes, by the names of these."""

    def __init__(self, arrays: Mapping[Node, Array]) -> None:
        self._arrays = arrays
        self._nodes = {_name(node): node for node in arrays}

    def __getitem__(self, name: str) -> Array:
        return self._arrays[self._nodes[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)


class Fitting:
    """A training on samples that are rows.

    derived  the derivation for batches of so many samples
    judged   adds to an epoch what the parameters tell of it
    """

    def __init__(
        self,
        derived: Callable[[int], Derivation],
        learned: Samples,
        options: Options,
        optimiser: Optimiser,
        judged: Callable[[Epoch, Named], Epoch],
    ) -> None:
        self._optimiser = optimiser
        self._derived, self._learned, self._options, self._judged = derived, learned, options, judged
        self._plans: dict[int, Plan] = {}
        self._schedule = schedule_named(options.schedule, options.epochs)
        self._batch = min(options.batch, len(learned))
        self._plan, self._sizes = self._plan_of(self._batch), self._sizes_of(self._batch)
        self._engines: dict[int, Chosen] = {}
        self._last: tuple[Named, AnyEngine, Any] | None = None

    def state(self, parameters: Mapping[str, Array]) -> State:
        """The beginning, with these parameters."""
        kept = {
            name: np.zeros([self._sizes.get(size.name, size.value or 0) for size in node.shape], self._options.dtype)
            for name, node in self._plan.kept.items()
        }
        own = {name: np.asarray(parameters[name], self._options.dtype) for name in map(_name, self._plan.parameters)}
        return State({**own, **kept})

    def explained(self, state: State) -> PlanReport:
        """How a step on a whole batch is carried out, and how long each part of it takes."""
        step, chosen_ = self._plan.step, self.engine
        engine = chosen_.engine
        part = self._learned.taken(np.arange(self._batch))
        numbers = self._optimiser.values(np.full(1, self._optimiser.rate), 1)
        data = [engine.laid_out(node, _in_batches(part[_name(node)], self._batch)) for node in step.data]

        def memory() -> Any:
            return engine.memory({node: state.arrays[_name(node)] for node in step.state})

        own = memory()
        whole = seconds_each(lambda rounds: engine.run(data, numbers.repeat(rounds, axis=0), own, 1))
        dtype, note = np.dtype(self._options.dtype), chosen_.why
        if chosen_.kind == "numpy" and self._options.engine == "auto" and not note:
            note = "all steps together take less time than compiling native code"
        return PlanReport(
            engine=chosen_.kind,
            note=note,
            machine=engine.machine,
            batch=self._batch,
            dtype=dtype.name,
            bytes=engine.entries * dtype.itemsize,
            step=whole,
            regions=tuple(engine.regions),
            seconds=tuple(engine.seconds(data, numbers, memory())),
        )

    @property
    def names(self) -> list[str]:
        """The names of the parameters."""
        return [*map(_name, self._plan.parameters)]

    @property
    def engine(self) -> Chosen:
        """The engine for whole batches."""
        return self._engine_of(self._batch)

    def identity(self) -> str:
        """What the steps compute, as text."""
        return self._plan.step.described(self._sizes)

    def _plan_of(self, samples: int) -> Plan:
        """What a step on so many samples computes."""
        if samples not in self._plans:
            self._plans[samples] = planned(self._derived(samples), self._optimiser, clip=self._options.clip)
        return self._plans[samples]

    def _sizes_of(self, samples: int) -> dict[str, int]:
        own = sizes_of(self._derived(samples), self._learned.arrays)
        return {**own, self._plan_of(samples).step.samples.name: samples}

    def _engine_of(self, samples: int) -> Chosen:
        if samples not in self._engines:
            options = self._options
            # What is left at the end of an epoch is one step: to compile it would take longer than all of them.
            kind = options.engine if samples == self._batch else "numpy"
            steps = options.epochs * (len(self._learned) // self._batch)
            step, sizes = self._plan_of(samples).step, self._sizes_of(samples)
            self._engines[samples] = chosen(step, sizes, options.dtype, kind, steps=steps, threads=options.threads)
        return self._engines[samples]

    def epochs(self, state: State) -> Iterator[State]:
        """Where the training is after each further epoch, until there are as many as asked for."""
        while len(state.epochs) < self._options.epochs and not self.is_over(state):
            state = self._after(state)
            yield state

    def is_over(self, state: State) -> bool:
        """Whether it has not become better for as many epochs as there is patience for."""
        patience = self._options.patience
        return patience is not None and self._since_gain(state) >= patience

    def _since_gain(self, state: State) -> int:
        best, since = float("inf"), 0
        for epoch in state.epochs:
            since = 0 if epoch.judged < best - self._options.least_gain else since + 1
            best = min(best, epoch.judged)
        return since

    def _after(self, state: State) -> State:
        started = time.perf_counter()
        number = len(state.epochs) + 1
        order = order_of(len(self._learned), self._options.seed, number, shuffle=self._options.shuffle)
        losses: list[tuple[float, int]] = []
        arrays, steps, last, rate = state.arrays, state.steps, None, 0.0
        for part, samples in self._learned.parts(order, self._batch):
            arrays, found, rate = self._run(arrays, part, samples, steps)
            steps += len(found)
            losses.append((float(np.sum(found, dtype=float)) * samples, len(found) * samples))
            last = part if samples == self._batch else last
        loss = sum(total for total, _ in losses) / sum(count for _, count in losses)
        epoch = self._judged(Epoch(number, loss, None, rate, 0.0), arrays)
        epoch = replace(epoch, norms=self._norms(arrays, last), seconds=time.perf_counter() - started)
        new = State(arrays, (*state.epochs, epoch), state.best, steps)
        if self._options.patience is not None and new.since_best == 0:
            new = replace(new, best={_name(x): arrays[_name(x)] for x in self._plan.parameters})
        return new

    def _run(self, arrays: Named, part: Mapping[str, Array], samples: int, steps: int) -> tuple[Named, Array, float]:
        """Takes all steps of a part of the samples: the state after them, their losses, and the last rate."""
        step, engine = self._plan_of(samples).step, self._engine_of(samples).engine
        count = len(next(iter(part.values()))) // samples
        each = -(-len(self._learned) // self._batch)
        rates = self._optimiser.rate * self._schedule(times(steps, count, each))
        numbers = self._optimiser.values(rates, steps + 1)
        memory = self._memory(arrays, engine, step)
        data = [engine.laid_out(node, _in_batches(part[_name(node)], samples)) for node in step.data]
        losses = engine.run(data, numbers, memory, count)
        if not (np.isfinite(losses).all() and engine.is_finite(memory)):
            raise diverged(self._derived(samples), step, engine, arrays, part, samples, numbers, losses, steps)
        after = _ByName(engine.state(memory))
        self._last = after, engine, memory
        return after, losses, float(rates[-1])

    def _memory(self, arrays: Named, engine: AnyEngine, step: Step) -> Any:
        """The memory of an engine with the state in it: the one that the engine left it in, if that is the same."""
        if self._last is not None and self._last[0] is arrays and self._last[1] is engine:
            return self._last[2]
        return engine.memory({node: arrays[_name(node)] for node in step.state})

    def _norms(self, arrays: Mapping[str, Array], part: Mapping[str, Array] | None) -> dict[str, float]:
        """The length of each gradient on the last whole batch of a part."""
        if part is None or not self._options.norms:
            return {}
        derivation = self._derived(self._batch)
        known = {x: np.asarray(x.attrs["value"]) for x in self._plan.step.others}
        known |= {x: part[_name(x)][-self._batch :] for x in self._plan.step.data}
        known |= {x: arrays[_name(x)] for x in self._plan.parameters}
        plan = Outputs(derivation.gradients.values(), known, self._sizes, lean=True)
        values = plan.run(known)
        return {f"d{name}": float(np.linalg.norm(values[node])) for name, node in derivation.gradients.items()}


def _in_batches(part: Array, samples: int) -> Array:
    """A part of the samples, batch by batch."""
    return part.reshape(-1, samples, *part.shape[1:])


def _name(node: Node) -> str:
    return str(node.symbol)
