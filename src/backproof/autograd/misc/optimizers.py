"""Steps along gradients: plain loops, for parameters in any form.

`grad` is called with the parameters and the number of the iteration, `callback` with these and the gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from backproof.autograd.misc.flatten import flatten

Gradient = Callable[[Any, int], Any]
Callback = Callable[[Any, int, Any], Any]
Step = Callable[[Any, int], Any]
"""(gradient, number of the iteration) ↦ what is subtracted from the parameters."""


def _descended(grad: Gradient, x0: Any, callback: Callback | None, num_iters: int, step: Step) -> Any:
    """The parameters after all steps."""
    x, unflatten = flatten(x0)
    for i in range(num_iters):
        gradient = grad(unflatten(x), i)
        if callback is not None:
            callback(unflatten(x), i, gradient)
        x = x - step(flatten(gradient)[0], i)
    return unflatten(x)


def sgd(
    grad: Gradient,
    x: Any,
    callback: Callback | None = None,
    num_iters: int = 200,
    step_size: float = 0.1,
    mass: float = 0.9,
) -> Any:
    """Gradient descent with momentum: v ← mass·v + (1 − mass)·g, x ← x − step_size·v."""
    v: Any = 0.0

    def step(g: Any, i: int) -> Any:
        nonlocal v
        v = mass * v + (1 - mass) * g
        return step_size * v

    return _descended(grad, x, callback, num_iters, step)


def rmsprop(
    grad: Gradient,
    x: Any,
    callback: Callback | None = None,
    num_iters: int = 100,
    step_size: float = 0.1,
    gamma: float = 0.9,
    eps: float = 1e-8,
) -> Any:
    """Steps divided by a running root mean square of the gradient, which begins at 1."""
    mean: Any = 1.0

    def step(g: Any, i: int) -> Any:
        nonlocal mean
        mean = gamma * mean + (1 - gamma) * g**2
        return step_size * g / (np.sqrt(mean) + eps)

    return _descended(grad, x, callback, num_iters, step)


def adam(
    grad: Gradient,
    x: Any,
    callback: Callback | None = None,
    num_iters: int = 100,
    step_size: float = 0.001,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
) -> Any:
    """Adam (Kingma and Ba, 2014): running means of the gradient and of its square, freed of their bias to 0."""
    m: Any = 0.0
    v: Any = 0.0

    def step(g: Any, i: int) -> Any:
        nonlocal m, v
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        return step_size * (m / (1 - b1 ** (i + 1))) / (np.sqrt(v / (1 - b2 ** (i + 1))) + eps)

    return _descended(grad, x, callback, num_iters, step)
