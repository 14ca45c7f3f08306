"""What people call the functions of a network, and its methods: where nobody says which is which, these are taken."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

FORWARD = (
    *("forward", "forward_pass", "forward_prop", "forward_propagation", "feedforward", "feed_forward"),
    *("model", "loss", "cost", "__call__"),
)
BACKWARD = (
    *("backward", "backward_pass", "backprop", "back_prop", "backpropagation", "backpropagate", "backward_propagation"),
    *("gradients", "gradient", "grads", "grad"),
)
LOSS = ("loss", "cost", "compute_loss", "compute_cost", "calculate_loss", "objective", "criterion")


def method(code: Any, names: Sequence[str]) -> Callable[..., Any] | None:
    """The first method of these names that an object has, or a class."""
    return next((f for name in names if inspect.isroutine(f := getattr(code, name, None))), None)


def is_network(code: Any) -> bool:
    """Whether an object, or a class, has methods that are called like a forward and a backward pass, or like a loss."""
    return method(code, LOSS) is not None or (method(code, FORWARD) and method(code, BACKWARD)) is not None
