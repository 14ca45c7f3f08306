"""Optimisers: how a parameter changes by its gradient, as equations between nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, dataclass, fields
from functools import partial
from typing import Any, ClassVar, Protocol

import numpy as np

from backproof.ir.errors import BackproofError
from backproof.ir.node import Node
from backproof.ops.arithmetic import add, div, mul, sub
from backproof.ops.elementary import sqrt
from backproof.ops.leaves import constant
from backproof.ops.row import Array


class Optimiser(Protocol):
    """A rule by which parameters change; a dataclass of its numbers.

    rate     the learning rate, before any schedule
    kept     what is kept of each parameter from step to step, one letter each
    numbers  what each step has its own numbers of
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    kept: ClassVar[tuple[str, ...]]
    numbers: ClassVar[tuple[str, ...]]

    @property
    def rate(self) -> float: ...

    def values(self, rates: Array, first: int) -> Array:
        """The numbers of steps whose learning rates are given, one row each; the first is the `first` one, from 1."""

    def change(
        self, parameter: Node, gradient: Node, kept: Sequence[Node], numbers: Sequence[Node]
    ) -> tuple[Node, tuple[Node, ...]]:
        """What a step makes of a parameter, and of what is kept of it."""


@dataclass(frozen=True)
class _Checked:
    """Numbers that are finite and not negative; those called β or momentum are below 1."""

    BELOW_ONE: ClassVar = ("momentum", "beta1", "beta2", "decay")

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool):
                continue
            is_number = isinstance(value, int | float) and np.isfinite(value) and value >= 0
            if not is_number or (field.name in self.BELOW_ONE and value >= 1):
                below = " and less than 1" if field.name in self.BELOW_ONE else ""
                raise BackproofError(
                    f"{field.name}={value!r} is no number for {type(self).__name__}",
                    instead=f"give a number of at least 0{below}",
                )


class _ByRate(_Checked):
    """Nothing but the learning rate is another one in each step."""

    numbers: ClassVar[tuple[str, ...]] = ("eta",)

    def values(self, rates: Array, first: int) -> Array:
        return rates[:, None]


@dataclass(frozen=True)
class SGD(_ByRate):
    """Gradient descent: w − η·dw.

    With `momentum` μ it is v ← μ·v + dw and w − η·v (Polyak, 1964, in the form of Sutskever et al., ICML 2013, with
    the rate outside), with `nesterov` w − η·(dw + μ·v).
    """

    rate: float = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    kept: ClassVar[tuple[str, ...]] = ("v",)

    def change(
        self, parameter: Node, gradient: Node, kept: Sequence[Node], numbers: Sequence[Node]
    ) -> tuple[Node, tuple[Node, ...]]:
        (velocity,), (rate,) = kept, numbers
        if not self.momentum:
            return sub(parameter, mul(rate, gradient)), (velocity,)
        new = add(mul(constant(self.momentum), velocity), gradient)
        along = add(gradient, mul(constant(self.momentum), new)) if self.nesterov else new
        return sub(parameter, mul(rate, along)), (new,)


@dataclass(frozen=True)
class RMSprop(_ByRate):
    """s ← ρ·s + (1 − ρ)·dw², w − η·dw/(√s + ε) (Tieleman and Hinton, lecture 6.5, 2012)."""

    rate: float = 0.001
    decay: float = 0.99
    epsilon: float = 1e-8

    kept: ClassVar[tuple[str, ...]] = ("s",)

    def change(
        self, parameter: Node, gradient: Node, kept: Sequence[Node], numbers: Sequence[Node]
    ) -> tuple[Node, tuple[Node, ...]]:
        (squares,), (rate,) = kept, numbers
        new = _average(squares, mul(gradient, gradient), self.decay)
        return sub(parameter, div(mul(rate, gradient), add(sqrt(new), constant(self.epsilon)))), (new,)


@dataclass(frozen=True)
class Adam(_Checked):
    """Adam (Kingma and Ba, ICLR 2015, algorithm 1): m ← β₁·m + (1 − β₁)·dw, s ← β₂·s + (1 − β₂)·dw², and
    w − η·m̂/(√ŝ + ε), where m̂ = m/(1 − β₁ᵗ) and ŝ = s/(1 − β₂ᵗ) in the t-th step."""

    rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    kept: ClassVar[tuple[str, ...]] = ("m", "s")
    numbers: ClassVar[tuple[str, ...]] = ("eta_m", "c_s")

    def values(self, rates: Array, first: int) -> Array:
        step = np.arange(first, first + len(rates), dtype=float)
        # Of β₁ = 0 the power is 0 and the correction none.
        return np.stack([rates / (1 - self.beta1**step), 1 / np.sqrt(1 - self.beta2**step)], axis=1)

    def change(
        self, parameter: Node, gradient: Node, kept: Sequence[Node], numbers: Sequence[Node]
    ) -> tuple[Node, tuple[Node, ...]]:
        (mean, squares), (rate, correction) = kept, numbers
        mean = _average(mean, gradient, self.beta1)
        squares = _average(squares, mul(gradient, gradient), self.beta2)
        root = mul(correction, sqrt(squares))
        return sub(parameter, div(mul(rate, mean), add(root, constant(self.epsilon)))), (mean, squares)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with the weights decayed by themselves, w − η·λ·w, and not through the gradient (Loshchilov and Hutter,
    ICLR 2019, algorithm 2). What has no layer of its own to learn, the biases, is decayed too, as in PyTorch."""

    weight_decay: float = 0.01

    numbers: ClassVar[tuple[str, ...]] = ("eta_m", "c_s", "eta_w")

    def values(self, rates: Array, first: int) -> Array:
        left = 1 - rates * self.weight_decay
        return np.concatenate([super().values(rates, first), left[:, None]], axis=1)

    def change(
        self, parameter: Node, gradient: Node, kept: Sequence[Node], numbers: Sequence[Node]
    ) -> tuple[Node, tuple[Node, ...]]:
        *own, left = numbers
        return super().change(mul(left, parameter), gradient, kept, own)


@dataclass(frozen=True)
class LBFGS:
    """All samples in each step, along a direction that remembers how the gradient changed, as far as a line search says
    (Liu and Nocedal, 1989). It has no learning rate and no batches.

    It ends where no entry of the gradient is larger than `tolerance`, or after `most` evaluations of it.
    """

    tolerance: float = 1e-5
    most: int = 15000


OPTIMISERS: Mapping[str, Callable[..., Optimiser | LBFGS]] = {
    "sgd": SGD,
    "momentum": partial(SGD, momentum=0.9),
    "nesterov": partial(SGD, momentum=0.9, nesterov=True),
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
    "lbfgs": LBFGS,
}


def optimiser_named(name: str | Optimiser | LBFGS, rate: float | None = None) -> Optimiser | LBFGS:
    """An optimiser by its name, with its usual numbers but for the `rate`. Raises BackproofError."""
    if not isinstance(name, str):
        if not hasattr(name, "change") and not isinstance(name, LBFGS):
            raise BackproofError(f"{name!r} is no optimiser", instead=f"choose from {', '.join(OPTIMISERS)}")
        if rate is not None:
            raise BackproofError("the rate is given twice", instead="give it to the optimiser alone")
        return name
    kind = OPTIMISERS.get(name.lower())
    if kind is None:
        raise BackproofError(f"unknown optimiser {name!r}", instead=f"choose from {', '.join(OPTIMISERS)}")
    if rate is None:
        return kind()
    if kind is LBFGS:
        raise BackproofError("lbfgs has no learning rate", why="a line search finds how far each step goes")
    return kind(rate=rate)


def _average(before: Node, new: Node, decay: float) -> Node:
    """A running average: decay·before + (1 − decay)·new."""
    return add(mul(constant(decay), before), mul(constant(1 - decay), new))
