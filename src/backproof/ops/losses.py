"""Loss functions L(a, y) of one output and its label. J is their sum over the outputs, averaged over the samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from backproof.ir.errors import SpecError
from backproof.ops.notation import Apply
from backproof.ops.row import Domain, Row
from backproof.ops.scalar import Scalar, ScalarRow, elementwise, spelled
from backproof.ops.softmax import log_softmax

Labels = Literal["any", "01", "-1+1", "distribution"]
"""What labels may be: any numbers; 0 or 1 (or between); −1 or +1; per sample not negative and adding up to one."""


@dataclass(frozen=True)
class Loss:
    """A loss: its row, the labels it takes, and the operation it applies to the outputs first, if any."""

    row: ScalarRow
    labels: Labels = "any"
    before: Row | None = None


REASON = (
    "The losses of all outputs and samples are added up, and each entry of {x} stands in just one of them: its own."
)


def loss(
    name: str,
    definition: str | None,
    about: str = "",
    *,
    labels: Labels = "any",
    before: Row | None = None,
    arguments: tuple[str, str] = ("a", "y"),
    domain: tuple[float, float] = (-2.0, 2.0),
) -> Loss:
    """A loss from its definition in `arguments`, the output and the label; `domain` is where tests draw the outputs."""
    row = elementwise(
        Scalar(name, arguments, definition),
        Apply("L", letter=True),
        about,
        reason=REASON,
        domain=(Domain((2, 3), *domain), Domain((2, 3), 0.1, 0.9)),
    )
    return Loss(row, labels, before)


mean_squared_error = loss(
    "mean_squared_error",
    "(a - y)**2",
    "The squared distance from the label. It is added up over the outputs and averaged over the samples only.",
)
half_mean_squared_error = loss(
    "half_mean_squared_error", "(a - y)**2/2", "Half the squared distance, so that the derivative is the distance."
)
absolute_error = loss(
    "absolute_error", "abs(a - y)", "The distance from the label; where they agree the derivative is taken as 0."
)
binary_cross_entropy = loss(
    "binary_cross_entropy",
    "-(y*log(a) + (1 - y)*log(1 - a))",
    "Minus the log-likelihood of a label 0 or 1 that has probability a of being 1.",
    labels="01",
    domain=(0.1, 0.9),
)
binary_cross_entropy_from_logits = loss(
    "binary_cross_entropy_from_logits",
    "softplus(a) - y*a",
    "Binary cross-entropy of sigmoid(a), in the form that does not overflow.",
    labels="01",
)
categorical_cross_entropy = loss(
    "categorical_cross_entropy",
    "-y*log(a)",
    "Minus the log-likelihood of the labelled class, y being one-hot or a distribution.",
    labels="distribution",
    domain=(0.1, 0.9),
)
categorical_cross_entropy_from_logits = loss(
    "categorical_cross_entropy_from_logits",
    "-y*p",
    "Categorical cross-entropy of logits: their log_softmax P is taken first, so e^p is the probability of a class.",
    labels="distribution",
    before=log_softmax,
    arguments=("p", "y"),
)
hinge = loss(
    "hinge",
    "where(1 - y*a > 0, 1 - y*a, 0)",
    "The margin that is missing, with labels −1 and +1; at the corner the derivative is taken as 0.",
    labels="-1+1",
)
kullback_leibler = loss(
    "kullback_leibler",
    "y*log(y) - y*log(a)",
    "The Kullback-Leibler divergence of the distribution a from the distribution y; 0·log 0 counts as 0.",
    labels="distribution",
    domain=(0.1, 0.9),
)


def huber(delta: float = 1.0) -> Loss:
    """Half the squared distance up to delta, from there on linear (Huber, 1964). Raises SpecError unless delta > 0."""
    if not 0 < delta < float("inf"):
        raise SpecError(f"huber({delta:g}) is not a loss", instead="the number in brackets must be positive")
    bound, half = spelled(delta), spelled(delta / 2)
    linear = f"abs(a - y) - {half}" if delta == 1 else f"{bound}*(abs(a - y) - {half})"
    return loss(
        "huber",
        f"where(abs(a - y) <= {bound}, (a - y)**2/2, {linear})",
        f"Half the squared distance up to {bound}, from there on linear (Huber, 1964).",
    )
