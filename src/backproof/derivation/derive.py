"""From a forward graph to its derivation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backproof.derivation.closing import Closing, closings
from backproof.derivation.derivation import Derivation
from backproof.derivation.simplify import Values, simplify, stabilise
from backproof.derivation.steps import BackwardStep, CodeLine, ForwardStep, Mean, Rewrite
from backproof.derivation.sweep import Gradient, sweep
from backproof.ir.errors import BackproofError
from backproof.ir.node import Graph, Node
from backproof.ir.sizes import show
from backproof.ir.symbol import Symbol
from backproof.ops.arithmetic import add, added, div, mul, product
from backproof.ops.complexes import complex_nodes
from backproof.ops.leaves import constant, is_number, size_
from backproof.ops.linear import restated, stretched


def derive(
    graph: Graph,
    *,
    mean: Mean = "loss",
    inputs: Sequence[Node] = (),
    sources: Mapping[Node, CodeLine] | None = None,
    notes: Sequence[str] = (),
    opened: bool = False,
    second: bool = False,
    seed: Node | None = None,
) -> Derivation:
    """The backward pass of a graph with one scalar output: a step for every quantity between it and the parameters.

    `inputs` are further inputs that a derivative is wanted by (X, say). What acts through statistics of itself, as in
    layer normalisation, gets one closed formula; with `opened`, every statistic gets a step of its own. `second`
    says that the output is made of derivatives: those of it have symbols of the second order. `seed`, a further input
    of the graph, is the derivative of some number J by the output, which may then be an array.

    Raises BackproofError if the output is not a scalar, and for mean="parameters" if it is not a mean over samples plus
    terms of the parameters alone.
    """
    (result,) = graph.outputs
    if result.shape and seed is None:
        raise BackproofError(
            f"{result.symbol} is not a scalar",
            where=f"its shape is {show(result.shape)}",
            why="a derivative of every quantity needs one number to differentiate",
            instead="reduce it, for example by a sum or a mean",
        )
    nodes = graph.nodes()
    quantities = [node for node in nodes if node.inputs and node.symbol is not None]
    if sources:
        # In the order of the code, which is one of many that are possible; what has no line of its own follows what it
        # is computed from.
        lines = {node: k for k, node in enumerate(sources)}
        order: dict[Node, int] = {}
        for node in nodes:
            order[node] = max([lines.get(node, -1), *[order[x] for x in node.inputs]])
        quantities.sort(key=order.__getitem__)
    complexes = complex_nodes(nodes)
    values = Values(quantities, complexes)
    closed: dict[Node, Closing] = {}
    if not opened and mean == "loss" and complexes is None:
        closed = {closing.of: closing for closing in closings(quantities, graph.inputs)}
    wanted = [*graph.parameters, *inputs]
    if mean == "loss":
        backward = None
        while backward is None:
            try:
                backward = _backward(result, wanted, values, closed, quantities, second=second, seed=seed)
            except _NotShorterError as error:
                del closed[error.closing.of]
    else:
        scale, total, penalty = _split_mean(result)
        backward = _backward(
            total,
            wanted,
            values,
            closed,
            quantities,
            Deferred(str(result.symbol), scale, frozenset(graph.parameters), penalty),
        )
    forward = tuple(map(_forward_step, quantities))
    return Derivation(graph, forward, tuple(backward), mean, sources or {}, tuple(notes))


@dataclass(frozen=True, slots=True, eq=False)
class Deferred:
    """The factor that the gradients of the parameters bring in themselves, and the terms that it does not apply to."""

    result: str
    scale: Node
    parameters: frozenset[Node]
    penalty: Node | None


def _backward(
    root: Node,
    wanted: Sequence[Node],
    values: Values,
    closed: Mapping[Node, Closing],
    order: Sequence[Node],
    deferred: Deferred | None = None,
    *,
    second: bool = False,
    seed: Node | None = None,
) -> list[BackwardStep]:
    steps: dict[Node, BackwardStep] = {}
    derivative = Symbol.second_derivative if second else Symbol.derivative
    result = deferred.result if deferred else str(root.symbol) if seed is None else "J"
    of = "L" if deferred else result
    parameters = deferred.parameters if deferred else frozenset()
    penalties: dict[Node, Gradient] = {}
    if deferred and deferred.penalty is not None:
        penalties = {g.of: g for g in sweep(deferred.penalty, constant(1), wanted, _refuse)}

    hidden = frozenset(r for closing in closed.values() for r in closing.statistics)
    for gradient in sweep(root, seed or constant(1), wanted, lambda g: steps[g.of].node, hidden, order):
        node = gradient.of
        assert node.symbol is not None
        raw, paths, scale = gradient.raw, gradient.paths, None
        if deferred and node in parameters:
            scale = deferred.scale
            raw = product(scale, raw)
            if (penalty := penalties.get(node)) is not None:
                raw, paths = add(raw, penalty.raw), paths + penalty.paths
        raw = restated(raw)
        rewrites: tuple[Rewrite, ...] = ()
        if node in closed:
            rewrites = (_put_together(gradient, closed[node], values),)
        rewrites += simplify(rewrites[-1].result if rewrites else raw, values)
        symbol = derivative(node.symbol, result if node in parameters else of)
        last = rewrites[-1].result if rewrites else raw
        apart = () if deferred or node in closed else gradient.contributions
        steps[node] = BackwardStep(last.named(symbol), node, raw, rewrites, paths, scale, apart)
    for node in wanted:
        if node not in steps:
            assert node.symbol is not None
            steps[node] = _nothing(node, derivative(node.symbol, result))
    return list(steps.values())


class _NotShorterError(Exception):
    """A closing that leads to no shorter formula: the steps are better left apart."""

    def __init__(self, closing: Closing) -> None:
        self.closing = closing


def _put_together(gradient: Gradient, closing: Closing, values: Values) -> Rewrite:
    # Here and not above: SymPy takes long to import, and most forward passes have nothing to close.
    from backproof.derivation.together import together

    pairs = list(zip(gradient.contributions, gradient.paths, strict=True))
    through = [x for x, path in pairs if path.consumer is closing.output]
    if not through:
        raise _NotShorterError(closing)
    raw = added(through)
    rewrites = simplify(raw, values, closes=False)
    closed = together(rewrites[-1].result if rewrites else raw, closing)
    if closed is None:
        raise _NotShorterError(closing)
    rest = [x for x, path in pairs if path.consumer is not closing.output]
    return Rewrite(restated(added([*rest, closed])), CLOSED, (closing.of, closing.output))


CLOSED = (
    "The contributions are put together: {0} is written through {1}, and what is the same for all entries of a sum is "
    "taken out of it."
)


def _nothing(node: Node, symbol: Symbol) -> BackwardStep:
    """The step of an input that the result does not depend on: its derivative is 0."""
    zero = restated(stretched(constant(0), node.shape))
    return BackwardStep(zero.named(symbol), node, zero, (), ())


def _forward_step(node: Node) -> ForwardStep:
    rewrites = stabilise(node) if not node.shape else ()
    return ForwardStep(rewrites[-1].result if rewrites else node, node, rewrites)


def _refuse(gradient: Gradient) -> Node:
    raise BackproofError(
        f"{gradient.of.symbol} acts on the result besides the mean over the samples",
        why='with mean="parameters" only the parameters may have such terms (a regularisation)',
        instead='derive with mean="loss"',
    )


def _split_mean(result: Node) -> tuple[Node, Node, Node | None]:
    """J = (1/m)·S + R as (1/m, S, R)."""
    rest: Node | None = None
    node = result
    while node.op is add:
        node, term = node.inputs
        rest = term if rest is None else add(term, rest)
    if node.op is mul and node.inputs[0].op is div:
        scale, total = node.inputs
        if is_number(scale.inputs[0], 1) and scale.inputs[1].op is size_:
            return scale, total, rest
    raise BackproofError(
        f"{result.symbol} is not a mean over samples",
        why='with mean="parameters" the 1/m of the mean is moved to the gradients of the parameters',
        instead='derive with mean="loss"',
    )
