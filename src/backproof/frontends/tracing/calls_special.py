"""What the functions of scipy.special become that NumPy's protocols reach; `scipys` has the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from backproof.frontends.tracing.calls import _raised, _row
from backproof.frontends.tracing.tape import refuse
from backproof.frontends.tracing.traced import HANDLERS, NAMED, Handler, Nodes, Traced
from backproof.ir.node import Node
from backproof.ops import elementary, special
from backproof.ops.arithmetic import add, div, mul, sub
from backproof.ops.leaves import constant
from backproof.ops.row import Row

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
    "erfcx": special.erfcx,
    "dawsn": special.dawsn,
    "exp1": special.exp1,
    "exprel": special.exprel(0),
    "j0": special.bessel_j(0),
    "j1": special.bessel_j(1),
    "k0": special.bessel_k(0),
    "k1": special.bessel_k(1),
}.items():
    NAMED[_name] = _row(_is)


def _loggamma(nodes: Nodes, z: Any) -> Node:
    if np.any(nodes.value(z) < 0):
        raise refuse("loggamma of a negative number is not a real one", instead="use gammaln")
    return special.gammaln(nodes(z))


for _function in (np.exp2, np.expm1, np.log1p, np.cbrt):
    NAMED[_function.__name__] = HANDLERS[_function]  # SciPy has these under the same names


def _of_numbers(function: Callable[..., Row], least: float = special.LEAST) -> Handler:
    """A function of its last argument; those before are plain numbers: there is no formula for a derivative by them."""

    def handler(nodes: Nodes, *arguments: Any) -> Node:
        *given, z = arguments
        allowed = f"plain numbers from {least} to {special.LARGEST}"
        for x in given:
            if isinstance(x, Traced) or np.ndim(x) or not least <= x <= special.LARGEST:
                raise refuse(
                    f"{function.__name__} is followed of its last argument and {allowed}",
                    why="there is no formula for its derivative by them",
                    instead="give one number each, and vary the last argument only",
                )
        numbers = (int(x) if float(x).is_integer() else float(x) for x in given)
        return function(*numbers)(nodes(z))

    return handler


for _of in (special.gammainc, special.gammaincc, special.betainc, special.stdtr):
    NAMED[_of.__name__] = _of_numbers(_of)
NAMED["kv"] = _of_numbers(special.bessel_k, 0)


def _order(of: Any, function: str) -> int:
    if isinstance(of, Traced) or np.ndim(of) or int(of) != of or of < 0:
        raise refuse(f"{function} is followed for one whole order, given as a plain number")
    return int(of)


NAMED["loggamma"] = _loggamma
NAMED["polygamma"] = lambda nodes, n, z: special.polygamma(_order(n, "polygamma"))(nodes(z))
NAMED["iv"] = lambda nodes, n, z: special.bessel(_order(n, "iv"))(nodes(z))
NAMED["jv"] = lambda nodes, n, z: special.bessel_j(_order(n, "jv"))(nodes(z))
NAMED["ive"] = lambda nodes, n, z: special.scaled_bessel(_order(n, "ive"))(nodes(z))


def _beta(nodes: Nodes, a: Any, b: Any) -> Node:
    x, y = nodes(a), nodes(b)
    return div(mul(special.gamma(x), special.gamma(y)), special.gamma(add(x, y)))


def _betaln(nodes: Nodes, a: Any, b: Any) -> Node:
    x, y = nodes(a), nodes(b)
    return sub(add(special.gammaln(x), special.gammaln(y)), special.gammaln(add(x, y)))


NAMED["beta"], NAMED["betaln"] = _beta, _betaln
NAMED["rgamma"] = lambda nodes, z: div(constant(1), special.gamma(nodes(z)))
NAMED["poch"] = lambda nodes, z, m: div(special.gamma(add(nodes(z), nodes(m))), special.gamma(nodes(z)))
NAMED["exp10"] = lambda nodes, z: elementary.exp(mul(nodes(z), constant(float(np.log(10)))))


def _binom(nodes: Nodes, n: Any, k: Any) -> Node:
    x, y, one = nodes(n), nodes(k), constant(1)
    below = mul(special.gamma(add(y, one)), special.gamma(add(sub(x, y), one)))
    return div(special.gamma(add(x, one)), below)


NAMED["binom"] = _binom


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
