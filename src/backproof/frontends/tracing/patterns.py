"""Operations with a name of their own, where code spells them out: softmax, its logarithm, relu."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from backproof.ir.node import Node
from backproof.ir.sizes import ONE
from backproof.ops import elementary
from backproof.ops.activations import relu
from backproof.ops.arithmetic import div, sub
from backproof.ops.complexes import complex_nodes
from backproof.ops.leaves import is_number
from backproof.ops.linear import expand, sum_
from backproof.ops.row import Row
from backproof.ops.softmax import log_softmax, softmax

Found = tuple[Row, Node, dict[str, int]]
"""An operation, what it is applied to, and its attributes."""


def recognise(order: Collection[Node], *, opened: bool) -> tuple[dict[Node, Node], list[Node]]:
    """A graph, its nodes in order, with what is recognised as one operation: for each old node the new one, and the new
    operations.

    With `opened`, only element-wise ones are recognised.
    """
    uses = Counter(x for node in order for x in node.inputs)
    complexes = complex_nodes(order)
    done: dict[Node, Node] = {}
    found = []
    for node in order:
        # Softmax spelled out uses its exponentials twice and nothing else does; else they are shown as they are.
        made = _relu(node) or (None if opened else _softmax(node, uses) or _log_softmax(node))
        if made is not None and complexes is not None and node in complexes:
            made = None  # these are functions of real numbers
        if made is not None:
            row, z, attrs = made
            done[node] = row(done[z], symbol=node.symbol, **attrs)
            found.append(done[node])
            continue
        done[node] = node.on(tuple([done[x] for x in node.inputs]))
    return done, found


def _softmax(node: Node, uses: Counter[Node]) -> Found | None:
    """exp(z)/Σ exp(z) along an axis, also of z with something subtracted that is the same along it."""
    if node.op is not div:
        return None
    exponentials, total = node.inputs
    added = _added(total)
    if exponentials.op is not elementary.exp or added is None:
        return None
    terms, axis = added
    # The exponentials are computed once and used twice, or written twice.
    again = (
        terms.op is elementary.exp and terms.inputs == exponentials.inputs and uses[exponentials] == uses[terms] == 1
    )
    if not (again or (terms is exponentials and uses[terms] == 2)):
        return None
    return softmax, _unshifted(exponentials.inputs[0], axis), {"axis": axis}


def _log_softmax(node: Node) -> Found | None:
    """z − log Σ exp(z) along an axis."""
    if node.op is not sub:
        return None
    z, logarithm = node.inputs
    log = logarithm.inputs[0] if logarithm.op is expand else logarithm
    if log.op is not elementary.log:
        return None
    total = log.inputs[0]
    added = _added(total if log is logarithm else expand(total, **logarithm.attrs))  # log(total)[:, None]
    if added is None or added[0].op is not elementary.exp or added[0].inputs[0] is not z:
        return None
    axis = added[1]
    return log_softmax, _unshifted(z, axis), {"axis": axis}


def _relu(node: Node) -> Found | None:
    """The larger of z and 0."""
    if node.op is not elementary.maximum:
        return None
    for z, zero in (node.inputs, node.inputs[::-1]):
        if is_number(zero, 0) and z.shape:
            return relu, z, {}
    return None


def _added(total: Node) -> tuple[Node, int] | None:
    """The terms that are added up along one axis, and the axis, if the sum stands beside each of its terms.

    So it does with its axis kept, or put back by an index, and where it is the first one, which broadcasting puts back.
    """
    kept = total.inputs[0] if total.op is expand else total
    if kept.op is not sum_ or len(kept.attrs["axes"]) != 1:
        return None
    terms, axes = kept.inputs[0], kept.attrs["axes"]
    if total is kept:
        beside = kept.attrs["keepdims"] or axes[0] == -len(terms.shape)
    else:
        beside = not kept.attrs["keepdims"] and total.attrs["axes"] == axes
    return (terms, axes[0]) if beside else None


def _unshifted(z: Node, axis: int) -> Node:
    """z without what is subtracted from every entry along the axis alike, which softmax does not notice."""
    if z.op is not sub:
        return z
    shift = z.inputs[1]
    alike = -axis > len(shift.shape) or shift.shape[axis] == ONE
    return z.inputs[0] if alike and z.inputs[0].shape == z.shape else z
