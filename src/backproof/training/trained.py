"""What comes out of a training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from backproof.derivation.derivation import Derivation
from backproof.ir.errors import DataError
from backproof.ops.row import Array
from backproof.training.checkpoints import write_arrays
from backproof.training.forward import Forward, output_of, sizes_of
from backproof.training.history import Epoch


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Course:
    """What came out of a training.

    derivation   the forward and the backward pass; the samples are rows
    parameters   what was learned, by name
    history      what each epoch was like
    engine       what took the steps: "native" or "numpy"
    note         why it was not the native engine, where it was not
    epoch        the number of the epoch that the parameters are of: the best one, where that was asked for
    is_stopped   whether it stopped early
    """

    derivation: Derivation
    parameters: Mapping[str, Array]
    history: tuple[Epoch, ...]
    engine: str
    note: str
    epoch: int
    is_stopped: bool

    def __repr__(self) -> str:
        last = f", loss {self.history[-1].loss:.4g}" if self.history else ""
        return f"<{self._kind} after {len(self.history)} epochs{last}>"

    def save(self, path: str | Path) -> None:
        """Writes the parameters to a safetensors file, under their names. Raises BackproofError."""
        write_arrays(Path(path), self.parameters, self._about())

    _kind: ClassVar[str] = "training"

    def _about(self) -> dict[str, Any]:
        return {"kind": "parameters", "epochs": [epoch.as_data() for epoch in self.history]}


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Trained(Course):
    """A network with the parameters that it learned: ``W[1]``, shape (outputs, inputs), and so on.

    `classes` are the labels behind the outputs, where the data had labels.
    """

    classes: tuple[str, ...] | None
    _kind: ClassVar[str] = "network"

    def _about(self) -> dict[str, Any]:
        return {**super()._about(), "classes": self.classes}

    def predict(self, X: ArrayLike) -> Array:
        """The outputs for samples that are rows: [samples, outputs]. Raises DataError for other features."""
        try:
            array = np.asarray(X, dtype=next(iter(self.parameters.values())).dtype)
        except (TypeError, ValueError) as error:
            raise DataError("X does not hold numbers", why=str(error)) from None
        nodes = {name: self.derivation.quantities[name] for name in ("X", *self.parameters)}
        wanted = self.parameters["W[1]"].shape[1]
        if array.ndim != 2 or array.shape[1] != wanted:
            raise DataError(f"X has the shape {array.shape}", why=f"the network takes rows of {wanted} features")
        sizes = sizes_of(self.derivation, self.parameters)
        forward = Forward(self.derivation, output_of(self.derivation), sizes)
        return forward.outputs({nodes[name]: x for name, x in self.parameters.items()}, array)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class TrainedFunction(Course):
    """A function with the parameters that it learned; `arguments` are these as it takes them."""

    arguments: Mapping[str, Any]
    _kind: ClassVar[str] = "function"
