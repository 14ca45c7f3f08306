"""Softmax and its logarithm: composites, each the ratio of exponentials that its body says.

They are not element-wise: every output depends on every input of the same sample. Nothing but the body is written here;
the vector-Jacobian product is derived from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from backproof.ir.node import Node
from backproof.ir.sizes import Shape
from backproof.ops.arithmetic import div, sub
from backproof.ops.elementary import exp, log
from backproof.ops.entries import EntryOf, LetterPool, Places, row_of
from backproof.ops.linear import total
from backproof.ops.notation import Apply
from backproof.ops.reductions import max_
from backproof.ops.row import Array, Domain, Row

REASON = (
    "Here an entry of {y} does not depend on its own entry of {x} only: the normalising sum holds every entry beside "
    "it. So the derivative is not an element-wise product; the chain rule adds up over all the entries of {y} that "
    "share the sum, which is the transposed Jacobian of {y} by {x} times their part of {dy}."
)


def _same_shape(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    return shapes[0]


def _shifted(z: Array, axis: int) -> Array:
    """Subtracts each sample's largest entry: the value is the same (numerator and denominator are both divided by its
    exponential), and nothing overflows."""
    top = np.max(np.real(z), axis=axis, keepdims=True)
    return z - np.where(np.isfinite(top), top, 0.0)


def _softmax(z: Array, axis: int) -> Array:
    e = np.exp(_shifted(z, axis))
    return np.asarray(e / e.sum(axis=axis, keepdims=True))


def _log_softmax(z: Array, axis: int) -> Array:
    shifted = _shifted(z, axis)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True)))


def _softmax_body(z: Node, *, axis: int) -> Node:
    e = exp(z)
    return div(e, total(e, (axis,)))


def _log_softmax_body(z: Node, *, axis: int) -> Node:
    return sub(z, log(total(exp(z), (axis,))))


def _body_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    """The entry of the body, opened: its sum over the sample is what the reader is to see."""
    body = row_of(node).body
    assert body is not None
    opened = body(*node.inputs, **node.attrs)
    return row_of(opened).entry(opened, place, entry, letters)


def _composite(name: str, about: str, meaning: Callable[..., Array], body: Callable[..., Node]) -> Row:
    return Row(
        name=name,
        kind="composite",
        about=about,
        meaning=meaning,
        shape=_same_shape,
        notation=Apply(name),
        entry=_body_entry,
        reasons=(REASON,),
        domain=(Domain((3, 2)),),
        attrs={"axis": -2},
        body=body,
    )


softmax = _composite(
    "softmax",
    "Exponentials divided by their sum along an axis: positive, adding up to one.",
    _softmax,
    _softmax_body,
)
log_softmax = _composite(
    "log_softmax", "The logarithm of softmax, computed without forming it.", _log_softmax, _log_softmax_body
)


def stable(node: Node) -> Node:
    """A softmax, or its logarithm, by its body, of what is at most 0, so that no exponential is too large."""
    (z,), axis = node.inputs, node.attrs["axis"]
    body = row_of(node).body
    assert body is not None
    return body(sub(z, max_(z, axes=(axis,), keepdims=True)), axis=axis)
