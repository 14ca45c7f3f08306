"""Values moved by one rounding: what an evaluation's last digits are worth."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from backproof.checking.carrying import Carrier
from backproof.checking.tangents import Tangent
from backproof.execution.interpret import evaluate
from backproof.ir.node import Node, ancestors
from backproof.ops.fused import FusedRow
from backproof.ops.row import Array

DRAWS = 8
"""How often values are moved, each time in other directions."""
TIMES = 16
"""How many times the largest movement seen counts as rounding."""
MIXERS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9))
"""What the bits of a number are multiplied with, to toss a coin for it."""


def rounded(value: Array, draw: int) -> Array:
    """A value moved by one rounding, up or down by the toss that the draw makes for it.

    What is equal is moved alike, so that a tie remains one: which of several entries is the largest is no rounding.
    """
    if np.iscomplexobj(value):
        return np.asarray(rounded(value.real, draw) + 1j * rounded(value.imag, draw + DRAWS))
    if value.dtype.kind != "f":
        return value
    # The bits of the number, mixed; an array of one entry, since single numbers warn of what overflows.
    mixed = np.atleast_1d(np.abs(value).astype(np.float64)).view(np.uint64)
    for factor in MIXERS:
        mixed = ((mixed ^ (mixed >> np.uint64(29))) + np.uint64(draw + 1)) * factor
    toss = np.where(mixed >> np.uint64(63), 1.0, -1.0).reshape(value.shape)
    return np.asarray(value * (1 + np.finfo(value.dtype).eps * toss).astype(value.dtype))


def rounded_values(
    known: Mapping[Node, Array], order: Iterable[Node], sizes: Mapping[str, int], draw: int
) -> dict[Node, Array]:
    """The values of nodes in their order, with every value on the way moved by one rounding."""
    values = {x: rounded(value, draw) for x, value in known.items()}
    for x in order:
        if x not in values:
            values[x] = rounded_value(x, values, sizes, draw)
    return values


def rounded_value(x: Node, values: dict[Node, Array], sizes: Mapping[str, int], draw: int) -> Array:
    """The value of a node from those of its inputs, with the rounding of each operation it is made of."""
    if isinstance(x.op, FusedRow):
        written = x.op.written(*x.inputs)
        for y in ancestors([written], stop=values.__contains__):
            if y not in values:
                values[y] = rounded_value(y, values, sizes, draw)
        return values[written]
    return rounded(evaluate([x], {y: values[y] for y in x.inputs}, sizes)[x], draw)


def movements(
    nodes: Collection[Node], known: Mapping[Node, Array], rounding: Mapping[Node, Array], sizes: Mapping[str, int]
) -> list[Array]:
    """How far nodes move when every value on the way, and those that are `rounding`, move by one rounding.

    That is some times the largest movement seen of each entry: what it is compared with is rounded too, term by term.
    """
    still = evaluate(nodes, {**known, **rounding}, sizes)
    moved = [np.zeros_like(still[node]) for node in nodes]
    for draw in range(DRAWS):
        values = {**known, **{node: rounded(value, draw) for node, value in rounding.items()}}
        for x in ancestors(nodes, stop=values.__contains__):
            if x not in values:
                values[x] = rounded_value(x, values, sizes, draw)
        with np.errstate(invalid="ignore"):
            moved = [np.fmax(m, np.abs(values[x] - still[x])) for m, x in zip(moved, nodes, strict=True)]
    return [TIMES * m for m in moved]


class RoundedCarrier(Carrier):
    """Carries tangents with every value on their way moved by one rounding."""

    def __init__(self, result: Node, values: Mapping[Node, Array], sizes: Mapping[str, int], draw: int) -> None:
        self._draw = draw
        super().__init__(result, values, sizes)

    def _evaluated(self, y: Node, known: dict[Node, Array]) -> Array:
        return rounded_value(y, known, self._sizes, self._draw)

    def _moved(self, y: Node, moved: Sequence[Node], tangents: Mapping[Node, Tangent]) -> Tangent | None:
        tangent = super()._moved(y, moved, tangents)
        return None if tangent is None else Tangent(rounded(tangent.array, self._draw), tangent.places)
