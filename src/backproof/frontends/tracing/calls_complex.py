"""What NumPy's functions become where complex numbers take part, and its Fourier transforms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backproof.frontends.tracing.calls import _axes, _mean, becomes
from backproof.frontends.tracing.calls_arrays import _among_zeros, _part, _roll
from backproof.frontends.tracing.calls_linalg import _norm
from backproof.frontends.tracing.calls_series import _vecdot
from backproof.frontends.tracing.tape import refuse
from backproof.frontends.tracing.traced import COMPLEX, HANDLERS, Handler, Nodes
from backproof.ir.node import Node
from backproof.ops import elementary
from backproof.ops.arithmetic import div, mul, power, sub
from backproof.ops.complexes import angle, conj, imag, modulus, real, sgn, zeros_of
from backproof.ops.fourier import doubled, fft, ifft
from backproof.ops.leaves import constant
from backproof.ops.linear import total
from backproof.ops.row import Row

# --- parts


def _is_complex(nodes: Nodes, x: Any) -> bool:
    if not nodes.tape.complex:
        return False
    return bool(np.iscomplexobj(nodes.tape.values.get(x, 0.0) if isinstance(x, Node) else nodes.value(x)))


def _either(of_complex: Callable[[Node], Node], of_real: Callable[[Node], Node]) -> Handler:
    return lambda nodes, x: (of_complex if _is_complex(nodes, x) else of_real)(nodes(x))


HANDLERS[np.real] = _either(real, lambda node: node)
HANDLERS[np.imag] = _either(imag, zeros_of)
HANDLERS[np.conjugate] = _either(conj, lambda node: node)
HANDLERS[np.absolute] = _either(modulus, elementary.absolute)
HANDLERS[np.sign] = _either(sgn, elementary.sign)


@becomes(np.angle)
def _angle(nodes: Nodes, z: Any, deg: bool = False) -> Node:
    node = nodes(z)
    if _is_complex(nodes, z):
        found = angle(node)
    else:
        found = elementary.pieces(constant(np.pi), elementary.less(node, constant(0)), constant(0))
    return mul(found, constant(180 / np.pi)) if deg else found


# --- products, norms and moments, which take a conjugate or a modulus


def _conjugated(nodes: Nodes, x: Any) -> Node:
    return conj(nodes(x)) if _is_complex(nodes, x) else nodes(x)


def _sizes(nodes: Nodes, x: Any) -> Node:
    return modulus(nodes(x)) if _is_complex(nodes, x) else nodes(x)


def _first_conjugated(handler: Handler) -> Handler:
    return lambda nodes, a, *arguments, **options: handler(nodes, _conjugated(nodes, a), *arguments, **options)


HANDLERS[np.vdot] = _first_conjugated(HANDLERS[np.vdot])
HANDLERS[np.vecdot] = HANDLERS[np.linalg.vecdot] = _first_conjugated(_vecdot)

_real_correlate = HANDLERS[np.correlate]
HANDLERS[np.correlate] = lambda nodes, a, v, mode="valid": _real_correlate(nodes, a, _conjugated(nodes, v), mode)


@becomes(np.linalg.norm)
def _own_norm(nodes: Nodes, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Node:
    if _is_complex(nodes, x) and ord in ("nuc", 2, -2) and len(_axes(nodes(x), axis)) == 2:
        raise refuse("the singular values of a complex matrix", instead='use ord="fro"')
    return _norm(nodes, _sizes(nodes, x), ord, axis, keepdims)


_real_vector_norm, _real_matrix_norm = HANDLERS[np.linalg.vector_norm], HANDLERS[np.linalg.matrix_norm]
HANDLERS[np.linalg.vector_norm] = lambda nodes, x, **options: _real_vector_norm(nodes, _sizes(nodes, x), **options)


@becomes(np.linalg.matrix_norm)
def _matrix_norm(nodes: Nodes, x: Any, *, keepdims: bool = False, ord: Any = "fro") -> Node:
    return _own_norm(nodes, x, ord, (-2, -1), keepdims)


_real_var = HANDLERS[np.var]


@becomes(np.var)
def _var(nodes: Nodes, x: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False, **options: Any) -> Node:
    """Of complex numbers the mean squared distance from the mean: of the squares of moduli."""
    if not _is_complex(nodes, x):
        found: Node = _real_var(nodes, x, axis, ddof=ddof, keepdims=keepdims, **options)
        return found
    node = nodes(x)
    axes = _axes(node, axis)
    squares = power(modulus(sub(node, _mean(nodes, node, axis, True))), exponent=2)
    count = int(np.prod([node.shape[k].value or 1 for k in axes]))
    return div(total(squares, axes, keepdims=keepdims is True), constant(count - ddof))


HANDLERS[np.std] = lambda nodes, *arguments, **options: elementary.sqrt(_var(nodes, *arguments, **options))


# --- Fourier transforms


def _resized(node: Node, axis: int, n: int | None) -> Node:
    """The first `n` entries along an axis, with zeros after them where there are fewer."""
    length = node.shape[axis].value or 0
    if n is None or n == length:
        return node
    if n < 1:
        raise refuse(f"a Fourier transform of {n} entries")
    if n < length:
        return _part(node, axis, 0, n)
    return _among_zeros(node, [[0, n - length if k - len(node.shape) == axis else 0] for k in range(len(node.shape))])


def _places(node: Node, s: Any, axes: Any) -> tuple[tuple[int, ...], tuple[int | None, ...]]:
    """The axes of a transform, counted from the end, and the length asked for along each."""
    rank = len(node.shape)
    if axes is None:
        axes = range(rank) if s is None else range(rank - len(s), rank)
    found = tuple(int(k) % rank - rank for k in axes)
    if len(set(found)) < len(found):
        raise refuse("a Fourier transform along one axis twice", instead="transform one axis after the other")
    lengths = (None,) * len(found) if s is None else tuple(None if n is None or n == -1 else int(n) for n in s)
    return found, lengths


def _all_resized(node: Node, axes: Sequence[int], lengths: Sequence[int | None]) -> Node:
    for axis, n in zip(axes, lengths, strict=True):
        node = _resized(node, axis, n)
    return node


def _transformed(row: Row, node: Node, axes: tuple[int, ...], norm: Any) -> Node:
    return row(node, axes=axes, norm=norm or "backward") if axes else node


def _forward(row: Row, node: Node, s: Any, axes: Any, norm: Any) -> Node:
    places, lengths = _places(node, s, axes)
    return _transformed(row, _all_resized(node, places, lengths), places, norm)


def _half(node: Node, s: Any, axes: Any, norm: Any) -> Node:
    """The transform of real numbers, without the frequencies that are the conjugates of others."""
    places, _ = _places(node, s, axes)
    whole = _forward(fft, node, s, axes, norm)
    return _part(whole, places[-1], 0, (whole.shape[places[-1]].value or 0) // 2 + 1)


def _from_half(node: Node, s: Any, axes: Any, norm: Any) -> Node:
    """The real numbers with such a transform.

    A frequency and its conjugate add up to twice the real part of the first, so all but those that are their own
    conjugates are doubled, and the real part of the sum is taken.
    """
    (*others, last), (*lengths, n) = _places(node, s, axes)
    n = 2 * ((node.shape[last].value or 0) - 1) if n is None else n
    node = _transformed(ifft, _all_resized(node, others, lengths), tuple(others), norm)
    node = _resized(node, last, n // 2 + 1)
    if n > 2:
        node = doubled(node, axis=last, even=n % 2 == 0)
    return real(_transformed(ifft, _resized(node, last, n), (last,), norm))


OTHER_WAY = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}
"""Which factor the inverse transform has to have to undo one."""


Transform = Callable[[Node, Any, Any, Any], Node]
"""Of an array, to lengths, along axes, with a factor that NumPy has a word for."""


def _one(transform: Transform) -> Handler:
    """A transform along one axis."""

    def handler(nodes: Nodes, a: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Node:
        return transform(nodes(a), None if n is None else [int(n)], [axis], norm)

    return handler


def _many(transform: Transform, own: Any) -> Handler:
    def handler(nodes: Nodes, a: Any, s: Any = None, axes: Any = own, norm: Any = None) -> Node:
        return transform(nodes(a), s, axes, norm)

    return handler


def _there(node: Node, s: Any, axes: Any, norm: Any) -> Node:
    return _forward(fft, node, s, axes, norm)


def _back(node: Node, s: Any, axes: Any, norm: Any) -> Node:
    return _forward(ifft, node, s, axes, norm)


def _hermitian(node: Node, s: Any, axes: Any, norm: Any) -> Node:
    return _from_half(conj(node), s, axes, OTHER_WAY[norm])


def _to_hermitian(node: Node, s: Any, axes: Any, norm: Any) -> Node:
    return conj(_half(node, s, axes, OTHER_WAY[norm]))


_LAST_TWO = (-2, -1)
for _function, _handler in {
    np.fft.fft: _one(_there),
    np.fft.ifft: _one(_back),
    np.fft.rfft: _one(_half),
    np.fft.irfft: _one(_from_half),
    np.fft.hfft: _one(_hermitian),
    np.fft.ihfft: _one(_to_hermitian),
    np.fft.fft2: _many(_there, _LAST_TWO),
    np.fft.ifft2: _many(_back, _LAST_TWO),
    np.fft.rfft2: _many(_half, _LAST_TWO),
    np.fft.irfft2: _many(_from_half, _LAST_TWO),
    np.fft.fftn: _many(_there, None),
    np.fft.ifftn: _many(_back, None),
    np.fft.rfftn: _many(_half, None),
    np.fft.irfftn: _many(_from_half, None),
}.items():
    HANDLERS[_function] = _handler  # type: ignore[index]


def _shifted(forward: bool) -> Handler:
    def handler(nodes: Nodes, x: Any, axes: Any = None) -> Node:
        node = nodes(x)
        places = _axes(node, axes)
        half = [(node.shape[k].value or 0) // 2 for k in places]
        return _roll(nodes, node, half if forward else [-k for k in half], places)

    return handler


HANDLERS[np.fft.fftshift], HANDLERS[np.fft.ifftshift] = _shifted(True), _shifted(False)

# --- what may be given complex numbers

for _name in ("iscomplexobj", "isrealobj"):
    HANDLERS[getattr(np, _name)] = lambda nodes, x: None

COMPLEX.update(
    getattr(np, name)
    for name in (
        *("add", "subtract", "negative", "positive", "multiply", "divide", "power", "square", "reciprocal"),
        *("exp", "log", "log2", "log10", "log1p", "expm1", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh"),
        *("absolute", "sign", "conjugate", "real", "imag", "angle", "iscomplexobj", "isrealobj"),
        *("isfinite", "isnan", "isinf", "allclose", "isclose", "shape", "ndim", "size", "copy"),
        *("sum", "mean", "var", "std", "prod", "cumsum", "cumprod", "diff", "trapezoid", "average"),
        *("dot", "inner", "vdot", "vecdot", "matmul", "matvec", "outer", "einsum", "tensordot", "kron"),
        *("convolve", "correlate", "polyval", "vander", "cross"),
        *("reshape", "ravel", "transpose", "swapaxes", "moveaxis", "rollaxis", "expand_dims", "squeeze"),
        *("broadcast_to", "broadcast_arrays", "matrix_transpose", "concatenate", "stack", "hstack", "vstack"),
        *("dstack", "column_stack", "block", "append", "split", "array_split", "vsplit", "hsplit", "dsplit", "unstack"),
        *("take", "take_along_axis", "delete", "flip", "flipud", "fliplr", "roll", "rot90", "repeat", "tile", "pad"),
        *("where", "zeros_like", "ones_like", "full_like", "trace", "diag", "diagonal", "tril", "triu"),
        *("atleast_1d", "atleast_2d", "atleast_3d"),
    )
)
COMPLEX.update(
    getattr(np.linalg, name)
    for name in (
        *("inv", "det", "solve", "norm", "vector_norm", "matrix_norm", "matrix_power", "multi_dot", "matmul", "outer"),
        *("vecdot", "tensordot", "cross", "trace", "diagonal", "matrix_transpose"),
    )
)
COMPLEX.update(getattr(np.fft, name) for name in np.fft.__all__ if getattr(np.fft, name) in HANDLERS)
COMPLEX |= {np.ndarray.__getitem__, np.ndarray.__setitem__, np.lib.stride_tricks.sliding_window_view}
