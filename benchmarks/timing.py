"""Systems that take the same steps, in turn, and how long each takes for one."""

from __future__ import annotations

# isort: off
import threads  # says how many threads there are, before anything counts them

# isort: on
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Protocol

import numpy as np

RATE = 0.05
BATCHES = 4
"""How many batches there are, which begin anew after the last."""
CHECKED = 8
"""Of how many steps the losses are compared."""
SLICE = 0.05
"""About how many seconds each system runs in a round."""
PAUSE = 0.2
"""How many seconds pass before the next system is timed on several threads: those of the last one still turn for a
while, and would keep a processor from it."""
CLOSE = 2e-3
"""How far losses in single precision may be apart, in relation to themselves."""

Array = np.ndarray[Any, Any]


class System(Protocol):
    """Something that takes steps; `compiled` says how many seconds on the clock it took to get ready."""

    compiled: float

    def run(self, steps: int) -> Array:
        """Takes so many steps more, and returns the loss before each of them."""


@dataclass(frozen=True)
class Timed:
    """Seconds for one step, in every round, and until the system was ready."""

    rounds: tuple[float, ...]
    ready: float

    @property
    def middle(self) -> float:
        return median(self.rounds)


def compared(running: Mapping[str, System], rounds: int) -> dict[str, Timed]:
    """Runs all systems in turn, once their losses were found to be the same, and writes how long a step takes each."""
    require_same({name: system.run(CHECKED) for name, system in running.items()})
    counts = {name: calibrated(system) for name, system in running.items()}
    times: dict[str, list[float]] = {name: [] for name in running}
    for _ in range(rounds):
        for name, system in running.items():
            if threads.COUNT > 1:
                time.sleep(PAUSE)
            began = threads.now()
            system.run(counts[name])
            times[name].append((threads.now() - began) / counts[name])
    found = {name: Timed(tuple(own), running[name].compiled) for name, own in times.items()}
    _write(found)
    return found


def require_same(losses: Mapping[str, Array]) -> None:
    """Raises AssertionError unless all systems have the same losses."""
    right = losses["JAX, loop"]
    for name, own in losses.items():
        far = float(np.max(np.abs(own - right) / np.abs(right)))
        assert far < CLOSE, f"{name}: the losses are not the same, {own} and {right}"


def fastest_peer(found: Mapping[str, Timed]) -> float:
    """The median of the fastest system that is not ours."""
    return min(own.middle for name, own in found.items() if not name.startswith("Backproof"))


def write_json(file: str | None, rows: Sequence[tuple[str, Mapping[str, Timed]]]) -> None:
    """Writes what was measured of each row, by what it is called, to a file if there is one."""
    if file:
        data = [
            {"row": row, "threads": threads.COUNT, "systems": {name: asdict(timed) for name, timed in found.items()}}
            for row, found in rows
        ]
        Path(file).write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def _write(found: Mapping[str, Timed]) -> None:
    fastest = fastest_peer(found)
    print(f"{'':18}{'median µs':>11}{'least':>10}{'most':>10}{'of the fastest peer':>21}{'ready after s':>15}")
    for name, own in found.items():
        figures = f"{1e6 * own.middle:11.4g}{1e6 * min(own.rounds):10.4g}{1e6 * max(own.rounds):10.4g}"
        print(f"{name:18}{figures}{fastest / own.middle:20.2f}x{own.ready:15.2f}", flush=True)


def calibrated(system: System) -> int:
    """How many steps take about a slice of time; whole rounds through the batches."""
    count = BATCHES
    while True:
        began = threads.now()
        system.run(count)
        took = threads.now() - began
        if took > SLICE / 4:
            return max(BATCHES, int(count * SLICE / took) // BATCHES * BATCHES)
        count *= 4
