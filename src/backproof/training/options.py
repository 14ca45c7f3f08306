"""What a training is asked to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backproof.execution.engines import KINDS, Kind
from backproof.ir.errors import BackproofError
from backproof.training.history import Epoch
from backproof.training.optimisers import LBFGS, Adam, Optimiser
from backproof.training.schedules import Schedule


@dataclass(frozen=True)
class Options:
    """How a training goes.

    epochs      how often it goes through all samples
    batch       how many samples a step takes; the last step of an epoch takes those that are left
    optimiser   by what rule parameters change
    schedule    how the learning rate changes: text (see `schedules.SCHEDULES`), or the factor at times, in epochs
    clip        the largest length of all gradients together; None for any
    shuffle     whether each epoch goes through the samples in an order of its own
    seed        what the orders follow from
    patience    after how many epochs without improvement it stops and goes back to the best; None for never
    least_gain  by how much a loss has to be lower to be an improvement
    dtype       in what precision it computes
    engine      "native", "numpy", or "auto" for native code where it is worth compiling
    threads     how many threads native code of a network runs in; None for all that can where a step is large
    metrics     what is told beside the loss
    norms       whether the length of each gradient is told
    checkpoint  the file that it is saved to after every `every` epochs; None for none
    told        what is called after each epoch
    """

    epochs: int = 10
    batch: int = 32
    optimiser: Optimiser | LBFGS = field(default_factory=Adam)
    schedule: str | Schedule = "constant"
    clip: float | None = None
    shuffle: bool = True
    seed: int = 0
    patience: int | None = None
    least_gain: float = 0.0
    dtype: Any = "float32"
    engine: Kind = "auto"
    threads: int | None = None
    metrics: tuple[str, ...] = ()
    norms: bool = False
    checkpoint: Path | None = None
    every: int = 1
    told: Callable[[Epoch], None] | None = None

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "every", "threads"):
            value = getattr(self, name)
            if value is None and name == "threads":
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise BackproofError(
                    f"{name}={value!r} is no number of {name}", instead="give a whole number from 1 up"
                )
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise BackproofError(f"{self.seed!r} is not a seed", instead="give a whole number from 0 up")
        if self.patience is not None and (not isinstance(self.patience, int) or self.patience < 1):
            raise BackproofError(f"patience={self.patience!r}", instead="give a whole number of epochs from 1 up")
        if self.engine not in KINDS:
            raise BackproofError(f"unknown engine {self.engine!r}", instead=f"choose from {', '.join(KINDS)}")
        if str(self.dtype) not in ("float32", "float64"):
            raise BackproofError(f"{self.dtype} is no precision to train in", instead="choose float32 or float64")
