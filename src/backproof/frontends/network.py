"""The layer spec: a network of dense layers, and its graph in either layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from backproof.frontends.functions import activation_named, loss_named
from backproof.ir.errors import SpecError
from backproof.ir.node import Graph, Node
from backproof.ir.sizes import ONE, Size
from backproof.ir.symbol import Symbol
from backproof.ops.arithmetic import add, added, div, mul, power
from backproof.ops.elementary import absolute
from backproof.ops.entries import NODE_LETTERS, SAMPLE_LETTERS
from backproof.ops.leaves import constant, input_, size, variable
from backproof.ops.linear import matmul, total, transpose
from backproof.ops.losses import Loss
from backproof.ops.row import Row

Layout = Literal["columns", "rows"]
"""Whether samples are the columns of X (the article) or its rows (PyTorch)."""

SAMPLES = Size("m", samples=True)
QUANTITIES = "XYWbZAPJLxywzaδ"
"""Letters that formulas use for other things than sizes."""


@dataclass(frozen=True)
class Dense:
    """A dense layer: A = g(W·A_before + b).

    units       how many nodes: a number from 1, or a name for a size that stays symbolic
    activation  a name ("tanh", "leaky_relu(0.2)"), an expression in z ("z*sigmoid(z)"), or None for an unspecified g
    """

    units: int | str
    activation: str | None = None


@dataclass(frozen=True)
class Network:
    """A network of dense layers and its loss.

    inputs  how many features: a number from 1, or a name
    layers  from the first hidden layer to the output layer; a `Dense`, or just its number of units
    loss    a name ("binary_cross_entropy", "huber(0.5)"), an expression in a and y, or None for an unspecified L
    l1, l2  regularisation: l1·Σ|w| and l2/2·Σw² over all weights (not the biases) are added to J

    Raises SpecError for a size that is not positive, an unknown name, or an expression that does not parse.
    """

    inputs: int | str
    layers: Sequence[Dense | int | str]
    loss: str | None = None
    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        layers = tuple(x if isinstance(x, Dense) else Dense(x) for x in self.layers)
        object.__setattr__(self, "layers", layers)
        if not layers:
            raise SpecError("the network has no layers", instead="give at least one: layers=[Dense(3)]")
        for where, units in [("inputs", self.inputs), *((f"layer {k}", x.units) for k, x in enumerate(layers, 1))]:
            _check_units(units, where)
        for name, strength in (("l1", self.l1), ("l2", self.l2)):
            if isinstance(strength, bool) or not isinstance(strength, int | float) or not 0 <= strength < float("inf"):
                raise SpecError(f"{name}={strength!r} is not a regularisation", instead="give a number from 0 up")
        for text in (self.loss, *(x.activation for x in self._dense())):
            if not (text is None or isinstance(text, str)):
                raise SpecError(
                    f"{text!r} is not the name of a function", instead="give a name or an expression as text"
                )
        sizes = set(self.sizes())
        for one in sizes:
            if sum(one.name == other.name for other in sizes) > 1:
                raise SpecError(f"two sizes are called {one.name}", instead="give the symbolic one another name")
        self.rows()
        self.loss_row()

    def rows(self) -> list[Row]:
        """The activation of each layer."""
        return [activation_named(x.activation, layer=k) for k, x in enumerate(self._dense(), 1)]

    def loss_row(self) -> Loss:
        """The loss."""
        return loss_named(self.loss)

    def _dense(self) -> list[Dense]:
        return [x for x in self.layers if isinstance(x, Dense)]

    def sizes(self) -> list[Size]:
        """n_0, n_1, …, n: the last is the article's n, the number of outputs."""
        units = [self.inputs, *(x.units for x in self._dense())]
        names = [*(f"n_{k}" for k in range(len(units) - 1)), "n"]
        return [
            Size(unit) if isinstance(unit, str) else Size(name, unit) for name, unit in zip(names, units, strict=True)
        ]

    def graph(self, layout: Layout = "columns", *, weighted: bool = False) -> Graph:
        """The forward pass. `X` and `Y` have shape (features, samples) in columns, (samples, features) in rows.

        With `weighted` there is a weight for each sample's loss, `s` of shape (1, samples) or (samples, 1).
        """
        sizes, rows, loss = self.sizes(), self.rows(), self.loss_row()
        columns = layout == "columns"
        node_axis = -2 if columns else -1

        def shaped(nodes: Size, samples: Size) -> tuple[Size, Size]:
            return (nodes, samples) if columns else (samples, nodes)

        x = a = variable(Symbol("X"), shaped(sizes[0], SAMPLES))
        layers: list[Node] = []
        parameters: list[Node] = []
        for k, row in enumerate(rows, start=1):
            w = variable(Symbol("W", k), (sizes[k], sizes[k - 1]))
            b = variable(Symbol("b", k), shaped(sizes[k], ONE))
            layers.append(w)
            parameters += [w, b]
            z = add(matmul(w, a) if columns else matmul(a, transpose(w)), b, symbol=Symbol("Z", k))
            attrs = {"axis": node_axis} if row.body is not None else {}
            a = row(z, symbol=Symbol("A", k), **attrs)
        told = {"sums_to_one": node_axis} if loss.labels == "distribution" else {}
        y = input_(symbol=Symbol("Y"), shape=a.shape, labels=loss.labels, **told)
        if loss.before is not None:
            a = loss.before(a, symbol=Symbol("P"), axis=node_axis)
        losses = loss.row(a, y)
        weights = [variable(Symbol("s"), shaped(ONE, SAMPLES))] if weighted else []
        for s in weights:
            losses = mul(s, losses)
        terms = [mul(div(constant(1), size(SAMPLES)), _sum(losses))]
        if self.l1:
            terms.append(mul(constant(self.l1), added([_sum(absolute(w)) for w in layers])))
        if self.l2:
            squares = added([_sum(power(w, exponent=2)) for w in layers])
            terms.append(mul(div(constant(self.l2), constant(2)), squares))
        j = added(terms).named(Symbol("J"))
        return Graph(inputs=(x, y, *weights, *parameters), outputs=(j,), parameters=tuple(parameters))


def _sum(a: Node) -> Node:
    return total(a, tuple(range(-len(a.shape), 0)), keepdims=False)


def _check_units(units: object, where: str) -> None:
    if isinstance(units, str):
        if not units.isidentifier() or units in (SAMPLES.name, *NODE_LETTERS, *SAMPLE_LETTERS, *QUANTITIES):
            raise SpecError(
                f"{units!r} is not the name of a size",
                where=where,
                why=f"{SAMPLES.name} counts samples, {', '.join(NODE_LETTERS + SAMPLE_LETTERS)} are indices, and "
                f"{', '.join(QUANTITIES)} quantities",
                instead="a symbolic size is another word, such as n_1 or h",
            )
    elif isinstance(units, bool) or not isinstance(units, int) or units < 1:
        raise SpecError(f"{units!r} is not a number of nodes", where=where, instead="give a whole number from 1 up")
