"""What is told of each epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Epoch:
    """One way through all samples.

    number              counted from 1
    loss                the mean of the losses of its steps
    validation_loss     the loss on the samples that are kept apart, after it; None where there are none
    metrics             of the samples that are kept apart, else of those that are learned
    rate                the learning rate of its last step
    norms               the length of each gradient after it, on the last full batch and not clipped, by its name
    seconds             how long it took, of the clock
    """

    number: int
    loss: float
    validation_loss: float | None
    rate: float
    seconds: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    norms: Mapping[str, float] = field(default_factory=dict)

    @property
    def judged(self) -> float:
        """The loss that tells how good it is: that on samples that were not learned, where there are some."""
        return self.loss if self.validation_loss is None else self.validation_loss

    def as_data(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)
