"""What is told of an epoch beside its loss: how good the network is on samples that were not learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from backproof.derivation.derivation import Derivation
from backproof.ops.row import Array
from backproof.training.forward import Forward, output_of, sizes_of
from backproof.training.history import Epoch
from backproof.training.metrics import METRICS
from backproof.training.options import Options
from backproof.training.samples import Samples


class Judging:
    """Judges parameters by the samples that are kept apart, or by those that are learned where there are none."""

    def __init__(
        self, derivation: Derivation, learned: Samples, apart: Samples | None, options: Options, middle: float = 0.5
    ) -> None:
        self._middle = middle  # on which side of it a single output lies says which of two classes it is
        self._derivation, self._shown, self._has_apart = derivation, apart or learned, apart is not None
        self._options = options
        self._forward = Forward(derivation, output_of(derivation), sizes_of(derivation, learned.arrays))

    def judged(self, epoch: Epoch, arrays: Mapping[str, Array]) -> Epoch:
        """An epoch with the loss of the samples that are kept apart, and the metrics."""
        parameters = {x: arrays[str(x.symbol)] for x in self._derivation.graph.parameters}
        given = self._shown.arrays
        metrics: dict[str, float] = {}
        if self._options.metrics:
            labels = np.asarray(given["Y"])
            outputs = self._forward.outputs(parameters, given["X"])
            metrics = {name: METRICS[name](outputs, labels, self._middle) for name in self._options.metrics}
        validation = self._forward.loss(parameters, **given) if self._has_apart else None
        return replace(epoch, validation_loss=validation, metrics=metrics)
