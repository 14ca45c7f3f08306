"""A step of a training: the derivation's gradients, and what an optimiser makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backproof.derivation.derivation import Derivation
from backproof.emit.step import Step
from backproof.ir.errors import BackproofError
from backproof.ir.node import Node
from backproof.ir.sizes import Size
from backproof.ir.symbol import Symbol
from backproof.ops.arithmetic import added, div, mul
from backproof.ops.elementary import maximum, sqrt
from backproof.ops.leaves import constant, variable
from backproof.ops.linear import total
from backproof.training.optimisers import Optimiser


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A step, and which of its state is what.

    parameters  the parameters
    kept        what the optimiser keeps of each of them, by the name that it has in a checkpoint
    """

    step: Step
    parameters: tuple[Node, ...]
    kept: dict[str, Node]


def planned(derivation: Derivation, optimiser: Optimiser, *, clip: float | None = None) -> Plan:
    """One step of the training of a network.

    `clip` is the largest length that all gradients together may have, as one vector (Pascanu et al., ICML 2013): longer
    ones are made shorter in proportion. Raises BackproofError for a clip that is not positive.
    """
    if clip is not None and (not isinstance(clip, int | float) or not 0 < clip < float("inf")):
        raise BackproofError(f"{clip!r} is no length of a gradient", instead="give a positive number")
    parameters = derivation.graph.parameters
    gradients = [derivation.gradients[str(p.symbol)] for p in parameters]
    if clip is not None:
        gradients = _clipped(gradients, clip)
    numbers = tuple(variable(Symbol(name), ()) for name in optimiser.numbers)
    kept = {p: tuple(variable(_symbol(letter, p), p.shape) for letter in optimiser.kept) for p in parameters}
    state, after = list(parameters), []
    rest: list[tuple[Node, Node]] = []
    for parameter, gradient in zip(parameters, gradients, strict=True):
        new, others = optimiser.change(parameter, gradient, kept[parameter], numbers)
        after.append(new)
        rest += [pair for pair in zip(kept[parameter], others, strict=True) if pair[0] is not pair[1]]
    state += [x for x, _ in rest]
    after += [x for _, x in rest]
    data = tuple(x for x in derivation.graph.inputs if x not in parameters and not x.attrs.get("outside"))
    step = Step(data, numbers, tuple(state), tuple(after), derivation.result, _samples(data))
    return Plan(step, parameters, {str(x.symbol): x for x, _ in rest})


def _clipped(gradients: Sequence[Node], clip: float) -> list[Node]:
    squares = [total(mul(g, g), tuple(range(-len(g.shape), 0)), keepdims=False) for g in gradients]
    factor = div(constant(clip), maximum(sqrt(added(squares)), constant(clip)))
    return [mul(factor, g) for g in gradients]


def _symbol(letter: str, parameter: Node) -> Symbol:
    assert parameter.symbol is not None
    return Symbol(f"{letter}_{parameter.symbol.base}", parameter.symbol.layer)


def _samples(data: Sequence[Node]) -> Size:
    """The axis of the samples: the one that is called so, else the first axis of the data."""
    found = next((size for x in data for size in x.shape if size.samples), None)
    found = found or next((size for x in data for size in x.shape), None)
    if found is None:
        raise BackproofError("there is no axis of samples", why="a training goes through its samples in batches")
    return found
