"""Starting values for the parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from backproof.execution.interpret import length
from backproof.ir.errors import DataError
from backproof.ir.node import Graph
from backproof.ops.row import Array

Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]
"""Draws weights of a shape [outputs, inputs]."""


@dataclass(frozen=True)
class Scheme:
    """How weights start.

    about  the distribution, and where it comes from
    """

    draw: Draw
    about: str


def _normal(scale: float, over: Callable[[int, int], float]) -> Draw:
    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.normal(0.0, (scale / over(shape[-1], shape[0])) ** 0.5, shape)

    return draw


def _uniform(scale: float, over: Callable[[int, int], float]) -> Draw:
    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        limit = (3 * scale / over(shape[-1], shape[0])) ** 0.5  # the variance is a third of the square of the limit
        return rng.uniform(-limit, limit, shape)

    return draw


def _orthogonal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    tall = rng.normal(size=(max(shape), min(shape)))
    q, r = np.linalg.qr(tall)
    q *= np.sign(np.diag(r))  # else the distribution would not be uniform
    return q if shape[0] >= shape[-1] else q.T


def _fan_in(inputs: int, outputs: int) -> float:
    return inputs


def _fan_mean(inputs: int, outputs: int) -> float:
    return (inputs + outputs) / 2


LECUN = "LeCun et al., Efficient BackProp, 1998"
GLOROT = "Glorot and Bengio, AISTATS 2010"
HE = "He et al., ICCV 2015"
SCHEMES: Mapping[str, Scheme] = {
    "lecun_normal": Scheme(_normal(1, _fan_in), f"normal, of variance 1/inputs ({LECUN})"),
    "lecun_uniform": Scheme(_uniform(1, _fan_in), f"uniform, of variance 1/inputs ({LECUN})"),
    "glorot_normal": Scheme(_normal(1, _fan_mean), f"normal, of variance 2/(inputs + outputs) ({GLOROT})"),
    "glorot_uniform": Scheme(_uniform(1, _fan_mean), f"uniform, of variance 2/(inputs + outputs) ({GLOROT})"),
    "he_normal": Scheme(_normal(2, _fan_in), f"normal, of variance 2/inputs ({HE})"),
    "he_uniform": Scheme(_uniform(2, _fan_in), f"uniform, of variance 2/inputs ({HE})"),
    "orthogonal": Scheme(_orthogonal, "rows or columns of length 1 at right angles (Saxe et al., ICLR 2014)"),
}
"""How weights may start, by name. Biases start at 0."""
USUAL = "lecun_normal"


def scheme_named(name: str | float) -> Scheme:
    """A scheme by its name, or the same number everywhere. Raises DataError for an unknown name."""
    if isinstance(name, str) and name in SCHEMES:
        return SCHEMES[name]
    if isinstance(name, int | float) and not isinstance(name, bool) and np.isfinite(name):
        return Scheme(lambda rng, shape: np.full(shape, float(name)), f"{name:g} everywhere")
    choices = ", ".join(SCHEMES)
    raise DataError(f"unknown start of the weights {name!r}", instead=f"choose from {choices}, or give a number")


def initial(
    graph: Graph, *, seed: int = 0, sizes: Mapping[str, int] | None = None, scheme: str | float = USUAL
) -> dict[str, Array]:
    """Weights drawn as the `scheme` says, biases zero.

    `sizes` gives numbers to sizes that are symbolic. Raises DataError if one is missing, the seed is negative, or the
    scheme is unknown.
    """
    if not isinstance(seed, int) or seed < 0:
        raise DataError(f"{seed!r} is not a seed", instead="give a whole number from 0 up")
    draw, rng = scheme_named(scheme).draw, np.random.default_rng(seed)
    values: dict[str, Array] = {}
    for node in graph.parameters:
        missing = [s.name for s in node.shape if s.value is None and s.name not in (sizes or {})]
        if missing:
            raise DataError(
                f"the size {missing[0]} has no value",
                where=f"in {node.symbol}",
                why="values need numbers for sizes",
                instead="give the number of nodes in the network",
            )
        shape = tuple(length(size, sizes or {}) for size in node.shape)
        is_weight = node.symbol is not None and node.symbol.base == "W"
        values[str(node.symbol)] = draw(rng, shape) if is_weight else np.zeros(shape)
    return values
