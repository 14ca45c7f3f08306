"""What the functions of scipy.special become that NumPy's protocols reach; `scipys` has the others."""

from __future__ import annotations

from typing import Any

import numpy as np

from backproof.frontends.tracing.calls import _raised, _row
from backproof.frontends.tracing.tape import refuse
from backproof.frontends.tracing.traced import NAMED, Nodes, Traced
from backproof.ir.node import Node
from backproof.ops import elementary, special
from backproof.ops.arithmetic import add, div, mul, sub
from backproof.ops.leaves import constant

for _name, _is in {
    "erfc": special.erfc,
    "erfinv": special.erfinv,
    "ndtr": special.ndtr,
    "log_ndtr": special.log_ndtr,
    "ndtri": special.ndtri,
    "gamma": special.gamma,
    "gammaln": special.gammaln,
    "psi": special.digamma,
    "i0": special.i0,
    "i1": special.i1,
    "i0e": special.i0e,
    "i1e": special.i1e,
}.items():
    NAMED[_name] = _row(_is)


def _loggamma(nodes: Nodes, z: Any) -> Node:
    if np.any(nodes.value(z) < 0):
        raise refuse("loggamma of a negative number is not a real one", instead="use gammaln")
    return special.gammaln(nodes(z))


def _order(of: Any, function: str) -> int:
    if isinstance(of, Traced) or np.ndim(of) or int(of) != of or of < 0:
        raise refuse(f"{function} is followed for one whole order, given as a plain number")
    return int(of)


NAMED["loggamma"] = _loggamma
NAMED["polygamma"] = lambda nodes, n, z: special.polygamma(_order(n, "polygamma"))(nodes(z))
NAMED["iv"] = lambda nodes, n, z: special.bessel(_order(n, "iv"))(nodes(z))
NAMED["ive"] = lambda nodes, n, z: special.scaled_bessel(_order(n, "ive"))(nodes(z))


def _beta(nodes: Nodes, a: Any, b: Any) -> Node:
    x, y = nodes(a), nodes(b)
    return div(mul(special.gamma(x), special.gamma(y)), special.gamma(add(x, y)))


def _betaln(nodes: Nodes, a: Any, b: Any) -> Node:
    x, y = nodes(a), nodes(b)
    return sub(add(special.gammaln(x), special.gammaln(y)), special.gammaln(add(x, y)))


NAMED["beta"], NAMED["betaln"] = _beta, _betaln


def _huber(nodes: Nodes, delta: Any, r: Any) -> Node:
    """r²/2 where |r| is at most δ, else the line that goes on from there."""
    d, size = nodes(delta), elementary.absolute(nodes(r))
    half = constant(0.5)
    square, line = mul(half, _raised(nodes(r), 2)), mul(d, sub(size, mul(half, d)))
    return elementary.pieces(square, elementary.less_equal(size, d), line)


def _pseudo_huber(nodes: Nodes, delta: Any, r: Any) -> Node:
    d, one = nodes(delta), constant(1)
    root = elementary.sqrt(add(one, _raised(div(nodes(r), d), 2)))
    return mul(_raised(d, 2), sub(root, one))


NAMED["huber"], NAMED["pseudo_huber"] = _huber, _pseudo_huber


def _boxcox_of(nodes: Nodes, logarithm: Node, power: Any) -> Node:
    """(exp(λ·log y) − 1)/λ, and log y where λ is 0."""
    if not np.any(nodes.value(power) == 0):
        return div(elementary.expm1(mul(nodes(power), logarithm)), nodes(power))
    if isinstance(power, Traced) or np.ndim(power):
        raise refuse("a Box-Cox transform by powers of which one is 0", instead="use np.log, or powers other than 0")
    return logarithm


NAMED["boxcox"] = lambda nodes, x, power: _boxcox_of(nodes, elementary.log(nodes(x)), power)
NAMED["boxcox1p"] = lambda nodes, x, power: _boxcox_of(nodes, elementary.log1p(nodes(x)), power)
