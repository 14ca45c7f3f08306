"""What the remarks beside a verdict look at: the values of every quantity on the data given, and what is what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from backproof.checking.diagnosis import Diagnosis, Remark
from backproof.derivation.derivation import Derivation
from backproof.execution.interpret import evaluate
from backproof.execution.trace import Trace, run
from backproof.ir.node import Node, ancestors
from backproof.ir.sizes import ONE, Size
from backproof.ops.row import Array
from backproof.ops.scalar import ScalarRow
from backproof.write.doc import Inline

DATA = ("x", "xs", "inputs", "input", "features", "data")
LABELS = ("y", "ys", "t", "target", "targets", "label", "labels", "y_true", "onehot", "one_hot")
FAR = 40.0
"""An activation has come to its limits here, if it has any."""


@dataclass(frozen=True, slots=True)
class Bounded:
    """A quantity that an activation gives which has a limit on both sides."""

    node: Node
    low: float
    high: float

    @property
    def z(self) -> Node:
        """What the activation is applied to."""
        return self.node.inputs[0]


class Facts:
    """The values of a derivation on its own data; the parameters are those whose gradients came back right."""

    def __init__(self, diagnosis: Diagnosis) -> None:
        self.diagnosis = diagnosis
        self.derivation: Derivation = diagnosis.derivation
        self._given = {str(x.symbol): x.attrs["value"] for x in self.derivation.graph.inputs}
        inputs = {str(x.symbol): x for x in self.derivation.graph.inputs}
        right = [name for name, word in diagnosis.returned.items() if word == "right"]
        self.parameters = {name: inputs[name] for name in right if name.lower() not in (*DATA, *LABELS)}
        self.labels = {name: x for name, x in inputs.items() if name.lower() in LABELS}

    @cached_property
    def trace(self) -> Trace:
        """The values of all quantities."""
        return run(self.derivation, self._given)

    def value(self, node: Node) -> Array:
        """The value of a quantity."""
        return np.asarray(self.trace[str(node.symbol)])

    def gradient(self, parameter: str) -> Array:
        """The derivative by a parameter."""
        return self.value(self.derivation.gradients[parameter])

    def loss(self, **changed: Array) -> float:
        """The loss with some arguments changed."""
        values: Mapping[str, Any] = {**self._given, **changed}
        nodes = {x: np.asarray(values[str(x.symbol)]) for x in self.derivation.graph.inputs}
        result = self.derivation.result
        with np.errstate(all="ignore"):
            return float(evaluate([result], nodes, self.trace.sizes)[result])

    @property
    def quantities(self) -> Iterator[Node]:
        """The quantities that the forward pass computes, the result left out."""
        return (step.node for step in self.derivation.forward if step.node.shape)

    @cached_property
    def _lengths(self) -> set[Size]:
        return {size for x in self.parameters.values() for size in x.shape if size != ONE}

    def samples(self, node: Node) -> tuple[int, ...]:
        """The axes of a quantity that count samples: those that no parameter has."""
        return tuple(k for k, size in enumerate(node.shape) if size != ONE and size not in self._lengths)

    def hidden(self, node: Node) -> bool:
        """Whether parameters come in behind a quantity."""
        before = set(ancestors([node]))
        return any(x not in before for x in self.parameters.values())

    @cached_property
    def bounded(self) -> list[Bounded]:
        """What activations with two limits give, such as tanh and the sigmoid, however it is written."""
        found = []
        for node in self.quantities:
            if isinstance(node.op, ScalarRow) and len(node.inputs) == 1 and node.inputs[0].symbol is not None:
                with np.errstate(all="ignore"):
                    low, beyond, high = (float(node.op.meaning(np.array(z))) for z in (-FAR, 2 * FAR, FAR))
                if np.isfinite([low, high]).all() and low < high and abs(beyond - high) < 1e-9:
                    found.append(Bounded(node, low, high))
        return found


def reason(about: str, *text: Inline | str) -> Remark:
    """A remark on why a network may not learn."""
    parts = tuple(part for piece in text for part in ((piece,) if isinstance(piece, str) else piece))
    return Remark("learning", about, parts)


def number(x: float) -> str:
    """A figure in a sentence."""
    return f"{x:.3g}"
