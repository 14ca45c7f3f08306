"""Closing: the derivative of a quantity that acts on another one directly and through statistics of itself.

Layer normalisation computes the mean and the variance of x, and x̂ from x and these two. The chain rule has a
contribution by each of the three ways; put together they are one short formula, the one that textbooks print. It
comes about here as it does by hand: x is written through x̂, what is the same along an axis is taken out of the sums,
and what is known of the sums of x̂ (they are 0) is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from backproof.ir.node import Node, right_side
from backproof.ir.sizes import ONE
from backproof.ops.arithmetic import add, div, mul, neg, power, sub
from backproof.ops.entries import row_of
from backproof.ops.leaves import constant_, input_, size_
from backproof.ops.linear import expand, stretch, sum_
from backproof.ops.reductions import var
from backproof.ops.scalar import ScalarRow

REDUCTIONS = (sum_, var)
SMOOTH = frozenset((add, sub, neg, mul, div, power, stretch, expand, constant_, size_, *REDUCTIONS))
"""What, besides scalar functions, a statistic may be computed with."""


@dataclass(frozen=True, slots=True, eq=False)
class Closing:
    """`output` is element-wise in `of` and in reductions of it; `statistics` are those that have a name."""

    of: Node
    output: Node
    statistics: tuple[Node, ...]


def closings(quantities: Sequence[Node], leaves: Iterable[Node]) -> Iterator[Closing]:
    """Where steps can be put together; `quantities` are the named nodes that are computed."""
    named = {*quantities, *leaves}
    users: dict[Node, set[Node]] = {}
    for node in quantities:
        for x in _named_inputs(node):
            users.setdefault(x, set()).add(node)
    for node in quantities:
        found = _closing(node, users)
        if found is not None and found.of in named:
            yield found


def _closing(output: Node, users: Mapping[Node, set[Node]]) -> Closing | None:
    if not output.shape or not _is_elementwise(output) or not all(map(_is_smooth, right_side(output))):
        return None
    same = [x for x in _named_inputs(output) if x.shape == output.shape]
    if len(same) != 1:
        return None
    (of,) = same
    statistics: dict[Node, None] = {}
    waiting = [x for x in _named_inputs(output) if x is not of]
    while waiting:
        x = waiting.pop()
        if x in statistics:
            continue
        if not x.inputs or not _is_reduced(x, output) or not all(map(_is_smooth, right_side(x))):
            return None
        statistics[x] = None
        waiting += [other for other in _named_inputs(x) if other is not of]
    if any(not users[x] <= {output, *statistics} for x in statistics):
        return None
    sums = any(x.op in REDUCTIONS for node in (output, *statistics) for x in right_side(node))
    return Closing(of, output, tuple(statistics)) if sums else None


def _named_inputs(node: Node) -> list[Node]:
    return [x for x in right_side(node) if x.symbol is not None and x is not node]


def _is_smooth(node: Node) -> bool:
    return node.op in SMOOTH or node.op is input_ or node.symbol is not None or isinstance(node.op, ScalarRow)


def _is_elementwise(output: Node) -> bool:
    """Whether whatever is inside the sums is not asked for by the output itself: it has reduced axes."""
    return row_of(output).aligns and all(x.shape == output.shape or _is_reduced(x, output) for x in output.inputs)


def _is_reduced(x: Node, output: Node) -> bool:
    """Whether an array is the same along an axis of the output that it is broadcast to."""
    lead = len(output.shape) - len(x.shape)
    if lead < 0:
        return False
    return lead > 0 or any(a == ONE and b != ONE for a, b in zip(x.shape, output.shape, strict=True))
