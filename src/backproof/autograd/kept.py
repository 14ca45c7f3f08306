"""Sweeps that are kept: where a function makes the same operations as at a call before, they need not be swept again.

A function is followed anew at every call, so that each call goes its own way through branches and loops. Only if all
that came of it is the same, operation by operation, does the plan of before fit; it is filled with the values of now.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backproof.autograd.linear import Linear, pullback
from backproof.execution.interpret import Plan
from backproof.ir.node import Node, ancestors, substitutions
from backproof.ir.sizes import Size
from backproof.ops.leaves import input_
from backproof.ops.row import Array
from backproof.ops.shaping import Slot

MOST = 64
"""How many plans are kept; the one that was not used for longest goes first."""

Applied = Callable[[Sequence[Array]], list[Array]]
_EXACT = {int, bool, str, type(None), Size, Slot}
"""Types whose values are the same where they are equal; of numbers that is not so: 0.0 == −0.0."""


@dataclass(frozen=True, eq=False)
class _Kept:
    """A linear map with its plan, and the nodes that need values of the run: by their places in its order."""

    linear: Linear
    plan: Plan
    needed: Sequence[tuple[int, Node]]


_KEPT: OrderedDict[Hashable, _Kept] = OrderedDict()


def planned(
    outputs: Sequence[Node], leaves: Sequence[Node], known: Mapping[Node, Array], *, forward: bool = False
) -> Applied:
    """The function g ↦ gᵀ·J, or with `forward` v ↦ J·v, for the Jacobian J of the outputs by the leaves.

    `known` are the values of the run. With an extra leading axis, g and v are many at once.
    """
    order = ancestors([*leaves, *outputs])
    key = _structure(order, outputs, leaves, known)
    key = key and (forward, key)
    found = None if key is None else _KEPT.pop(key, None)
    if found is None:
        # What is kept must not hold the arrays of this run.
        bare = {} if key is None else {x: _bare(x) for x in order if x.op is input_}
        made = substitutions(order, bare)
        linear = pullback([made[x] for x in outputs], [made[x] for x in leaves])
        linear = linear.transposed() if forward else linear
        places = {made[x]: k for k, x in enumerate(order) if x in known}
        given = {*places, *linear.inputs, *linear.point}
        reached = ancestors(linear.outputs, stop=given.__contains__)
        plan = Plan(linear.outputs, given, {}, lean=True)
        found = _Kept(linear, plan, [(places[x], x) for x in reached if x in places])
    if key is not None:
        _KEPT[key] = found
        if len(_KEPT) > MOST:
            _KEPT.popitem(last=False)
    linear, plan = found.linear, found.plan
    values = {**linear.point, **{x: known[order[k]] for k, x in found.needed}}

    def applied(arrays: Sequence[Array]) -> list[Array]:
        results = plan.run({**values, **dict(zip(linear.inputs, arrays, strict=True))})
        return [results[x] for x in linear.outputs]

    return applied


def _bare(node: Node) -> Node:
    return input_(symbol=node.symbol, shape=node.shape)


def _structure(
    order: Sequence[Node], outputs: Sequence[Node], leaves: Sequence[Node], known: Mapping[Node, Array]
) -> Hashable | None:
    """All that a sweep depends on; None where that cannot be told.

    The values of arrays are not among it, only that they are real: those of complex ones are not left out.
    """
    place = {node: k for k, node in enumerate(order)}
    parts: list[Any] = [tuple([place[x] for x in outputs]), tuple([place[x] for x in leaves])]
    try:
        for node in order:
            if node.op is input_:
                if "value" in node.attrs and node.attrs["value"].dtype.kind == "c":
                    return None
                parts.append(node.shape)
            else:
                attrs = _frozen(tuple(node.attrs.items())) if node.attrs else None
                parts.append((node.op, node.symbol, attrs, node in known, *[place[x] for x in node.inputs]))
    except TypeError:
        return None
    return tuple(parts)


def _frozen(value: Any) -> Hashable:
    """Something hashable that is equal only where the value is the same."""
    kind = type(value)
    if kind is tuple:
        return tuple([_frozen(x) for x in value])
    if kind in _EXACT:
        return kind, value
    if kind is float:
        return float(value).hex()
    if kind is complex:
        return kind, value.real.hex(), value.imag.hex()
    if kind is slice:
        return kind, value.start, value.stop, value.step
    raise TypeError(f"{kind} is not known to be exact")
