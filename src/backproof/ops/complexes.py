"""Complex numbers between real arguments and a real result: their parts, and which nodes are complex.

The derivative by a complex quantity z is ∂J/∂Re z − i·∂J/∂Im z. When z changes by a little δ, J changes by the real
part of this derivative times δ; so what has a complex derivative (sums, products, powers, exponentials, Fourier
transforms) keeps the rules that it has for real numbers, and only the operations here need others. Of what arrives at a
real quantity only the real part counts, which the reverse sweep takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from backproof.ir.node import Node, ancestors
from backproof.ops.arithmetic import common_shape, div, mul, neg, product
from backproof.ops.entries import elementwise_entry
from backproof.ops.fourier import fft, ifft
from backproof.ops.leaves import constant_, input_
from backproof.ops.linear import stretched
from backproof.ops.notation import Apply, Bare, Bars, Notation, Superscript
from backproof.ops.row import Array, Domain, Kind, Row

_DOMAIN = Domain((2, 3), complex_numbers=True)


def _row(
    name: str,
    about: str,
    meaning: Callable[[Array], Array],
    notation: Notation,
    vjp: Callable[[Node, Node, Node], tuple[Node]],
    reason: str,
    *,
    kind: Kind = "linear",
    domain: Domain = _DOMAIN,
) -> Row:
    return Row(
        name=name,
        kind=kind,
        about=about,
        meaning=meaning,
        shape=common_shape,
        aligns=True,
        notation=notation,
        entry=elementwise_entry,
        vjp=vjp,
        reasons=(reason,),
        domain=(domain,),
    )


def unit() -> Node:
    """The imaginary unit."""
    return constant_(value=1j)


conj: Row = _row(
    "conj",
    "The complex conjugate: the imaginary part with the opposite sign.",
    np.conj,
    Superscript("*"),
    lambda g, y, z: (conj(g),),
    "Of {x} the imaginary part enters {y} with the opposite sign, and so does that of the derivative.",
)

real: Row = _row(
    "real",
    "The real part of complex numbers.",
    np.real,
    Apply("Re"),
    lambda g, y, z: (g,),
    "Only the real part of {x} acts on {y}, so its derivative has no imaginary part, and its real part is {dy}.",
)

imag: Row = _row(
    "imag",
    "The imaginary part of complex numbers.",
    np.imag,
    Apply("Im"),
    lambda g, y, z: (neg(mul(unit(), g)),),
    "Only the imaginary part of {x} acts on {y}, so its derivative has no real part; it is −i times {dy}.",
)

modulus: Row = _row(
    "modulus",
    "The modulus of complex numbers, their distance from 0; at 0 its derivative is taken to be 0.",
    np.abs,
    Bars(),
    lambda g, y, z: (product(g, conj(sgn(z))),),
    "The distance from 0 grows fastest in the direction z/|z| of {x}; the derivative of {y} by it is the conjugate of "
    "this number of modulus 1. At 0 there is no direction, and 0 is taken.",
    kind="general",
)


def _sgn_vjp(g: Node, y: Node, z: Node) -> tuple[Node]:
    return (div(mul(unit(), imag(mul(g, y))), z),)


sgn: Row = _row(
    "sgn",
    "The number of modulus 1 in the direction of a complex number, z/|z|, and 0 at 0.",
    np.sign,
    Apply("sgn"),
    _sgn_vjp,
    "When {x} changes a little, {y} is turned by the change of its angle, the imaginary part of the change over {x}; "
    "its modulus stays 1.",
    kind="general",
)

angle: Row = _row(
    "angle",
    "The angle of complex numbers, between −π and π.",
    np.angle,
    Apply("arg"),
    lambda g, y, z: (neg(mul(unit(), div(g, z))),),
    "The angle is the imaginary part of log(z), whose derivative is 1/z; so the derivative by {x} is −i/z times {dy}.",
    kind="general",
)


def _as_complex(a: Array) -> Array:
    return a.astype(np.result_type(a, np.complex64))


as_complex: Row = _row(
    "as_complex",
    "Real numbers as complex numbers with the imaginary part 0.",
    _as_complex,
    Bare(),
    lambda g, y, a: (g,),
    "{x} is the real part of {y}, so it receives the real part of the derivative.",
    domain=Domain((2, 3)),
)

REAL_VALUED = frozenset((real, imag, modulus, angle))
"""Rows whose values are real whatever is put in; so are those of rows without a derivative, as comparisons."""
COMPLEX_VALUED = frozenset((as_complex, fft, ifft))
TWISTED = frozenset((conj, sgn))
"""Rows from complex to complex numbers that have no complex derivative."""


class ComplexNodes:
    """Tells which nodes are complex, as NumPy's types would have it."""

    def __init__(self) -> None:
        self._found: dict[Node, bool] = {}

    def __contains__(self, node: Node) -> bool:
        known = self._found.get(node)
        if known is not None:
            return known
        for x in ancestors([node], stop=self._found.__contains__):
            if x not in self._found:
                self._found[x] = self._is_complex(x)
        return self._found[node]

    def _is_complex(self, node: Node) -> bool:
        if not node.inputs:
            return _starts(node)
        if node.op in REAL_VALUED or getattr(node.op, "kind", "") == "zero":
            return False
        return node.op in COMPLEX_VALUED or any(self._found[x] for x in node.inputs)


def _starts(node: Node) -> bool:
    """Whether complex numbers begin at a node: a number or a given array, a Fourier transform, a conversion."""
    if node.op is constant_:
        return isinstance(node.attrs["value"], complex)
    if node.op is input_:
        value = node.attrs.get("value")
        return value is not None and value.dtype.kind == "c"
    return node.op in COMPLEX_VALUED


def complex_nodes(nodes: Iterable[Node]) -> ComplexNodes | None:
    """What tells the complex nodes of a graph apart; None where all are real, as in nearly every graph."""
    return ComplexNodes() if any(map(_starts, nodes)) else None


def real_part(node: Node) -> Node:
    """The real part, of a number that is the same at every place only once."""
    if node.op is as_complex and node.symbol is None:
        return node.inputs[0]
    return real(node)


def zeros_of(node: Node) -> Node:
    """The imaginary part of what is real."""
    return stretched(constant_(value=0), node.shape)
