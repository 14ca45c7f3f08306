"""The discrete Fourier transform and its inverse, along one axis or several."""

from __future__ import annotations

import math
from functools import reduce
from typing import Any

import numpy as np

from backproof.ir.node import Node
from backproof.ir.sizes import ONE, Index, affine
from backproof.ops.arithmetic import add, div, mul, neg, sub
from backproof.ops.elementary import exp, sqrt
from backproof.ops.entries import EntryOf, LetterPool, Places, delta, position_of, sum_over
from backproof.ops.leaves import constant, constant_, size
from backproof.ops.notation import Apply
from backproof.ops.row import Array, Domain, EntryRule, Row

SCALED = {(False, "backward"): "", (False, "ortho"): "root", (False, "forward"): "count"} | {
    (True, "backward"): "count",
    (True, "ortho"): "root",
    (True, "forward"): "",
}
"""Which factor stands before the sum, by direction and NumPy's word for it: none, 1/√n or 1/n."""


def _entry(inverse: bool) -> EntryRule:
    def entry(node: Node, place: Places, inner: EntryOf, letters: LetterPool) -> Node:
        """Σ_k x_k·e^(∓2πi·(j−1)(k−1)/n) along each axis: positions are counted from 1 here, in the exponent from 0."""
        (a,) = node.inputs
        axes = [axis for axis in node.attrs["axes"] if a.shape[axis] != ONE]
        inside = list(place)
        for axis in axes:
            inside[axis] = letters.fresh(a.shape[axis])
        term = inner(a, tuple(inside))
        if not axes:
            return term
        turns = (_turn(place[axis], inside[axis], size(a.shape[axis])) for axis in axes)
        turned = mul(mul(constant(2), mul(constant_(value=math.pi, text="π"), constant_(value=1j))), reduce(add, turns))
        term = mul(term, exp(turned if inverse else neg(turned)))
        for axis in reversed(axes):
            index = inside[axis]
            assert isinstance(index, Index)
            term = sum_over(index, term)
        scale = SCALED[inverse, node.attrs["norm"]]
        if not scale:
            return term
        count = reduce(mul, (size(a.shape[axis]) for axis in axes))
        return mul(div(constant(1), sqrt(count) if scale == "root" else count), term)

    return entry


def _turn(outside: Any, inside: Any, length: Node) -> Node:
    """(j − 1)(k − 1)/n."""
    first, second = (position_of(affine([(1, place)], -1)) for place in (outside, inside))
    return div(mul(first, second), length)


def _doubled(a: Array, axis: int, even: bool) -> Array:
    factors = np.full(a.shape[axis], 2.0, dtype=a.real.dtype)
    factors[0] = 1
    if even:
        factors[-1] = 1
    result: Array = a * np.expand_dims(factors, tuple(range(axis + 1, 0)))
    return result


def _doubled_entry(node: Node, place: Places, inner: EntryOf, letters: LetterPool) -> Node:
    (a,) = node.inputs
    axis = node.attrs["axis"]
    factor = sub(constant(2), delta(place[axis], 1))
    if node.attrs["even"]:
        factor = sub(factor, delta(place[axis], a.shape[axis].value))
    return mul(factor, inner(a, place))


_COMPLEX = Domain((2, 4, 3), complex_numbers=True)


def _fft(a: Array, axes: tuple[int, ...], norm: Any) -> Array:
    return np.fft.fftn(a, axes=axes, norm=norm)


def _ifft(a: Array, axes: tuple[int, ...], norm: Any) -> Array:
    return np.fft.ifftn(a, axes=axes, norm=norm)


fft: Row = Row(
    name="fft",
    kind="linear",
    about="The discrete Fourier transform along axes: how much of each frequency there is in an array.",
    meaning=_fft,
    shape=lambda shapes, attrs: shapes[0],
    notation=Apply("F", letter=True),
    entry=_entry(inverse=False),
    vjp=lambda g, y, a: (fft(g, **y.attrs),),
    reasons=(
        "Entry k of {x} goes into every entry j of {y}, multiplied by e^(−2πi·jk/n), both counted from 0. The chain "
        "rule adds up over j with the same factors, which are symmetric in j and k: that is the transform of {dy}.",
    ),
    domain=(_COMPLEX,),
    attrs={"axes": (-2, -1), "norm": "ortho"},
)

doubled: Row = Row(
    name="doubled",
    kind="linear",
    about="The first half of the frequencies of real numbers, doubled, as each stands for its conjugate in the other "
    "half too; the first, and for an even number of entries the last, is its own conjugate and stays as it is.",
    meaning=_doubled,
    shape=lambda shapes, attrs: shapes[0],
    notation=Apply("doubled"),
    entry=_doubled_entry,
    vjp=lambda g, y, a: (doubled(g, **y.attrs),),
    reasons=("Every entry of {x} is multiplied by 2 or by 1, and so is the derivative.",),
    domain=(_COMPLEX,),
    attrs={"axis": -2, "even": True},
)

ifft: Row = Row(
    name="ifft",
    kind="linear",
    about="The inverse of the discrete Fourier transform along axes: an array from its frequencies.",
    meaning=_ifft,
    shape=lambda shapes, attrs: shapes[0],
    notation=Apply("F", letter=True, inverse=True),
    entry=_entry(inverse=True),
    vjp=lambda g, y, a: (ifft(g, **y.attrs),),
    reasons=(
        "Entry k of {x} goes into every entry j of {y}, multiplied by e^(2πi·jk/n), both counted from 0. The chain "
        "rule adds up over j with the same factors, which are symmetric in j and k: that is the inverse transform of "
        "{dy}.",
    ),
    domain=(_COMPLEX,),
    attrs={"axes": (-2,), "norm": "backward"},
)
