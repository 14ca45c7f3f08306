"""What NumPy's functions of linear algebra become."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from string import ascii_lowercase
from typing import Any, Literal

import numpy as np

from backproof.frontends.tracing.calls import becomes
from backproof.frontends.tracing.tape import refuse
from backproof.frontends.tracing.traced import HANDLERS, Nodes
from backproof.ir.node import Node
from backproof.ir.sizes import broadcast, of_length
from backproof.ops import linalg, linear, reductions, shaping
from backproof.ops.arithmetic import div, mul, power, raised, sub
from backproof.ops.elementary import absolute, sign, sqrt
from backproof.ops.leaves import constant
from backproof.ops.linear import expand, matmul, stretched, total, transposed
from backproof.ops.shaping import sliced
from backproof.ops.vectors import einsum, matvec

HANDLERS[np.linalg.matmul] = HANDLERS[np.matmul]
HANDLERS[np.linalg.outer] = HANDLERS[np.outer]
HANDLERS[np.linalg.matrix_transpose] = lambda nodes, x: transposed(nodes(x))


# --- diagonals and triangles


def _length(node: Node, axis: int) -> int:
    return node.shape[axis].value or 0


def _with_last(node: Node, axis1: int, axis2: int) -> Node:
    """The array with two axes moved to its end."""
    rank = len(node.shape)
    last = [int(axis) % rank for axis in (axis1, axis2)]
    order = [*(k for k in range(rank) if k not in last), *last]
    return node if order == list(range(rank)) else shaping.permute(node, axes=tuple(k - rank for k in order))


def _block(rows: int, columns: int, offset: int) -> tuple[slice, slice]:
    """The largest square block of a matrix whose main diagonal is diagonal `offset` of the matrix."""
    top, left = max(0, -offset), max(0, offset)
    length = min(rows - top, columns - left)
    return sliced(top, top + length), sliced(left, left + length)


def _diagonal_of(node: Node, offset: int) -> Node:
    rows, columns = _length(node, -2), _length(node, -1)
    block = _block(rows, columns, int(offset))
    if block != (sliced(0, rows), sliced(0, columns)):
        lead = [sliced(0, size.value or 0) for size in node.shape[:-2]]
        node = shaping.index(node, key=(*lead, *block))
    return linalg.diagonal(node)


@becomes(np.diagonal)
def _diagonal(nodes: Nodes, x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Node:
    return _diagonal_of(_with_last(nodes(x), axis1, axis2), offset)


@becomes(np.trace)
def _trace(
    nodes: Nodes, x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None
) -> Node:
    _refuse_given("np.trace", dtype=dtype, out=out)
    node = _with_last(nodes(x), axis1, axis2)
    if offset == 0 and _length(node, -2) == _length(node, -1):
        return linalg.trace(node)
    return total(_diagonal_of(node, offset), (-1,), keepdims=False)


def _refuse_given(function: str, **options: Any) -> None:
    """Refuses options that change the result and are not followed."""
    given = [name for name, value in options.items() if value is not None and value is not False]
    if given:
        raise refuse(f"{function} with {', '.join(given)} is not followed")


HANDLERS[np.linalg.diagonal] = lambda nodes, x, offset=0: _diagonal(nodes, x, offset, -2, -1)
HANDLERS[np.linalg.trace] = lambda nodes, x, offset=0, dtype=None: _trace(nodes, x, offset, -2, -1, dtype)


@becomes(np.diag)
def _diag(nodes: Nodes, x: Any, k: int = 0) -> Node:
    node = nodes(x)
    if len(node.shape) == 2:
        return _diagonal_of(node, k)
    matrix = linalg.diag(node)
    if k == 0:
        return matrix
    n = _length(node, 0) + abs(int(k))
    return shaping.unindex(matrix, key=_block(n, n, int(k)), sizes=(of_length(n), of_length(n)))


HANDLERS[np.diagflat] = lambda nodes, x, k=0: _diag(nodes, HANDLERS[np.ravel](nodes, x), k)


@becomes(np.tril)
def _tril(nodes: Nodes, x: Any, k: int = 0) -> Node:
    return linalg.tril(_matrix(nodes(x)), k=int(k))


@becomes(np.triu)
def _triu(nodes: Nodes, x: Any, k: int = 0) -> Node:
    return linalg.triu(_matrix(nodes(x)), k=int(k))


def _matrix(node: Node) -> Node:
    if len(node.shape) < 2:
        raise refuse("a triangle of a vector", instead="repeat it in rows first: np.broadcast_to(x, (n, n))")
    return node


# --- inverses, determinants, equations


@becomes(np.linalg.inv)
def _inv(nodes: Nodes, x: Any) -> Node:
    return linalg.inv(nodes(x))


@becomes(np.linalg.det)
def _det(nodes: Nodes, x: Any) -> Node:
    return linalg.det(_regular(nodes, x))


@becomes(np.linalg.slogdet)
def _slogdet(nodes: Nodes, x: Any) -> list[Node]:
    node = _regular(nodes, x)
    return [sign(linalg.det(node)), linalg.logabsdet(node)]


def _regular(nodes: Nodes, x: Any) -> Node:
    value = nodes.value(x)
    if np.any(np.linalg.matrix_rank(value) < value.shape[-1]):
        raise refuse(
            "the determinant of a matrix that has no inverse",
            why="its derivative is written with the inverse",
            instead="take other values, or write the determinant out in entries of the matrix",
        )
    return nodes(x)


@becomes(np.linalg.solve)
def _solve(nodes: Nodes, a: Any, b: Any) -> Node:
    matrix, right = nodes(a), nodes(b)
    if len(matrix.shape) == 2 and len(right.shape) == 1:
        return linalg.solvevec(matrix, right)
    column = len(right.shape) == 1
    if column:
        right = expand(right, axes=(-1,))
    lead = broadcast([matrix.shape[:-2], right.shape[:-2]])
    found = linalg.solve(stretched(matrix, lead + matrix.shape[-2:]), stretched(right, lead + right.shape[-2:]))
    return shaping.squeeze(found, axes=(-1,)) if column else found


@becomes(np.linalg.pinv)
def _pinv(nodes: Nodes, x: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Node:
    value, node = nodes.value(x), nodes(x)
    rows, columns = value.shape[-2:]
    # What NumPy takes for 0: singular values that are smaller than this part of the largest.
    smallest = rcond if rtol is None else rtol
    if np.any(np.linalg.matrix_rank(value, rtol=smallest) < min(rows, columns)):
        raise refuse(
            "np.linalg.pinv of a matrix without full rank",
            why="the pseudoinverse jumps where the rank changes, so it has no derivative there",
            instead="add a small multiple of the identity, or take independent columns",
        )
    if rows == columns:
        return linalg.inv(node)
    turned = transposed(node)
    if rows > columns:
        return linalg.solve(matmul(turned, node), turned)
    return transposed(linalg.solve(matmul(node, turned), node))


@becomes(np.linalg.cholesky)
def _cholesky(nodes: Nodes, x: Any, *, upper: bool = False) -> Node:
    node = nodes(x)
    # The factor from the upper triangle is that of the transposed matrix, transposed.
    return transposed(linalg.cholesky(transposed(node))) if upper else linalg.cholesky(node)


# --- eigenvalues and singular values

CLOSE = 1e-10
"""Two eigenvalues whose difference is this small beside the largest are taken for equal."""


def _note_equal(nodes: Nodes, values: Any, kind: str) -> None:
    """Notes where eigenvalues or singular values have no derivative, or their vectors have none."""
    spread = np.abs(np.diff(values, axis=-1))
    if np.any(spread <= CLOSE * np.max(np.abs(values), axis=-1, keepdims=True)):
        nodes.tape.note(f"two {kind}s are equal, so their vectors have no derivative, nor has each of them by itself")


@becomes(np.linalg.eigh)
def _eigh(nodes: Nodes, x: Any, UPLO: Literal["L", "U"] = "L") -> list[Node]:
    node = nodes(x) if UPLO.upper() == "L" else transposed(nodes(x))
    return [_eigvalsh(nodes, x, UPLO), linalg.eigenvectors(node)]


@becomes(np.linalg.eigvalsh)
def _eigvalsh(nodes: Nodes, x: Any, UPLO: Literal["L", "U"] = "L") -> Node:
    node = nodes(x)
    _note_equal(nodes, np.linalg.eigvalsh(nodes.value(x), UPLO), "eigenvalue")
    return linalg.eigenvalues(node if UPLO.upper() == "L" else transposed(node))


@becomes(np.linalg.svd)
def _svd(nodes: Nodes, x: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    _refuse_given("np.linalg.svd", hermitian=hermitian)
    node = nodes(x)
    values = np.linalg.svd(nodes.value(x), compute_uv=False)
    _note_equal(nodes, values, "singular value")
    if not compute_uv:
        return linalg.singular_values(node)
    if full_matrices and _length(node, -2) != _length(node, -1):
        raise refuse(
            "np.linalg.svd of a matrix that is not square, with all its singular vectors",
            why="those beyond the singular values are any that fit, so they have no derivative",
            instead="np.linalg.svd(A, full_matrices=False)",
        )
    return [linalg.left_vectors(node), linalg.singular_values(node), transposed(linalg.right_vectors(node))]


HANDLERS[np.linalg.svdvals] = lambda nodes, x: _svd(nodes, x, compute_uv=False)


# --- norms


@becomes(np.linalg.norm)
def _norm(nodes: Nodes, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Node:
    node = nodes(x)
    axes = _axes(node, axis)
    if ord is None or (ord == "fro" and len(axes) == 2):
        return _length_of(node, axes, keepdims)
    return _matrix_norm(node, ord, axes, keepdims) if len(axes) == 2 else _vector_norm(node, ord, axes, keepdims)


def _axes(node: Node, axis: Any) -> tuple[int, ...]:
    """The axes that a norm is taken over, counted from the end, in the order given."""
    rank = len(node.shape)
    given = range(rank) if axis is None else axis if isinstance(axis, tuple | list) else (axis,)
    return tuple(int(k) % rank - rank for k in given)


def _length_of(node: Node, axes: tuple[int, ...], keepdims: bool) -> Node:
    """The square root of the sum of squares."""
    return sqrt(total(power(node, exponent=2), axes, keepdims=keepdims))


def _vector_norm(node: Node, order: Any, axes: tuple[int, ...], keepdims: bool) -> Node:
    if order == 2:
        return _length_of(node, axes, keepdims)
    if order == 0:
        raise refuse("the number of entries that are not 0", why="it jumps, and elsewhere its derivative is 0")
    size = absolute(node)
    if order == np.inf:
        return reductions.max_(size, axes=axes, keepdims=keepdims)
    if order == -np.inf:
        return reductions.min_(size, axes=axes, keepdims=keepdims)
    return raised(total(raised(size, order), axes, keepdims=keepdims), 1 if order == 1 else 1 / order)


SPECTRAL = {"nuc": linear.sum_, 2: reductions.max_, -2: reductions.min_}
"""Norms of a matrix that are one of its singular values, or all of them together."""


def _matrix_norm(node: Node, order: Any, axes: tuple[int, ...], keepdims: bool) -> Node:
    if order in SPECTRAL:
        found = SPECTRAL[order](linalg.singular_values(_with_last(node, *axes)), axes=(-1,), keepdims=False)
        return expand(found, axes=tuple(sorted(axes))) if keepdims else found
    summed = axes[0] if abs(order) == 1 else axes[1]
    extreme = reductions.max_ if order > 0 else reductions.min_
    return extreme(total(absolute(node), (summed,)), axes=tuple(sorted(axes)), keepdims=keepdims)


@becomes(np.linalg.vector_norm)
def _own_vector_norm(nodes: Nodes, x: Any, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Node:
    node = nodes(x)
    return _vector_norm(node, ord, _axes(node, axis), keepdims)


HANDLERS[np.linalg.matrix_norm] = lambda nodes, x, keepdims=False, ord="fro": _norm(nodes, x, ord, (-2, -1), keepdims)


@becomes(np.linalg.cond)
def _cond(nodes: Nodes, x: Any, p: Any = None) -> Node:
    """How far a matrix is from having no inverse: the product of its norm and that of its inverse."""
    node = nodes(x)
    if p in (None, 2, -2):
        first, last = (
            shaping.index(values, key=(*[sliced(0, size.value or 0) for size in values.shape[:-1]], place))
            for values in [linalg.singular_values(node)]
            for place in (0, (values.shape[-1].value or 0) - 1)
        )
        return div(last, first) if p == -2 else div(first, last)
    return mul(_norm(nodes, node, p, (-2, -1)), _norm(nodes, linalg.inv(node), p, (-2, -1)))


# --- products


def _dot(a: Node, b: Node) -> Node:
    if len(a.shape) == len(b.shape) == 1:
        return total(mul(a, b), (-1,), keepdims=False)
    if len(b.shape) == 1:
        return matvec(a, b)
    return matvec(transposed(b), a) if len(a.shape) == 1 else matmul(a, b)


@becomes(np.linalg.multi_dot)
def _multi_dot(nodes: Nodes, arrays: Sequence[Any], *, out: Any = None) -> Node:
    _refuse_given("np.linalg.multi_dot", out=out)
    factors = [nodes(x) for x in arrays]
    if len(factors[-1].shape) == 1:  # from the right, each product is one with a vector
        return reduce(lambda after, before: _dot(before, after), reversed(factors))
    return reduce(_dot, factors)


@becomes(np.linalg.matrix_power)
def _matrix_power(nodes: Nodes, x: Any, n: int) -> Node:
    node = nodes(x)
    if n == 0:
        one = linalg.scaled_identity(constant(1), sizes=node.shape[-2:])
        return stretched(one, node.shape)
    return _raised(linalg.inv(node) if n < 0 else node, abs(int(n)))


def _raised(node: Node, n: int) -> Node:
    """A power of a matrix, by squaring."""
    if n == 1:
        return node
    half = _raised(node, n // 2)
    square = matmul(half, half)
    return matmul(square, node) if n % 2 else square


@becomes(np.kron)
def _kron(nodes: Nodes, a: Any, b: Any) -> Node:
    return linalg.kron(nodes(a), nodes(b))


@becomes(np.tensordot)
def _tensordot(nodes: Nodes, a: Any, b: Any, axes: Any = 2) -> Node:
    left, right = nodes(a), nodes(b)
    rank = len(left.shape)
    if np.ndim(axes) == 0:
        first, second = list(range(rank - int(axes), rank)), list(range(int(axes)))
    else:
        first, second = ([int(k) for k in np.atleast_1d(given)] for given in axes)
    if rank == len(right.shape) == 2 and [[k % 2 for k in first], [k % 2 for k in second]] == [[1], [0]]:
        return matmul(left, right)
    letters = list(ascii_lowercase[: rank + len(right.shape)])
    own, other = letters[:rank], letters[rank:]
    for k, j in zip(first, second, strict=True):
        other[j] = own[k]
    result = [x for x in own if x not in other] + [x for x in other if x not in own]
    return einsum(left, right, axes=("".join(own), "".join(other)), result="".join(result))


@becomes(np.cross)
def _cross(
    nodes: Nodes, a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Node:
    left, right = nodes(a), nodes(b)
    if {axisa, axisb, axisc, -1 if axis is None else axis} != {-1} or {_length(left, -1), _length(right, -1)} != {3}:
        raise refuse("np.cross in this form is not followed", instead="put the three coordinates on the last axis")
    return _turned(sub(mul(left, _turned(right)), mul(_turned(left), right)))


def _turned(node: Node) -> Node:
    """The coordinates moved on by one: y, z, x."""
    lead = [sliced(0, size.value or 0) for size in node.shape[:-1]]
    parts = (shaping.index(node, key=(*lead, part)) for part in (sliced(1, 3), sliced(0, 1)))
    return shaping.concatenate(*parts, axis=-1, rank=len(node.shape))


HANDLERS[np.linalg.cross] = lambda nodes, a, b, axis=-1: _cross(nodes, a, b, axis=axis)
HANDLERS[np.linalg.tensordot] = lambda nodes, a, b, axes=2: _tensordot(nodes, a, b, axes)


# --- orthogonal factors, least squares


@becomes(np.linalg.qr)
def _qr(nodes: Nodes, x: Any, mode: str = "reduced") -> Any:
    node, value = nodes(x), nodes.value(x)
    rows, columns = value.shape[-2:]
    full_rank = np.all(np.linalg.matrix_rank(value) == columns)
    if mode not in ("reduced", "r") or rows < columns or not full_rank:
        raise refuse(
            "np.linalg.qr in this form is not followed",
            why="of a matrix with more columns than rows, or dependent ones, the factors have no derivative",
            instead='use mode="reduced" and a matrix of full rank with at least as many rows as columns',
        )
    # Rᵀ·R = Aᵀ·A, so R is Cholesky's factor turned, but for the signs of its rows, which do not vary.
    signs = np.sign(np.diagonal(np.linalg.qr(value, mode="r"), axis1=-2, axis2=-1))
    factor = linalg.cholesky(matmul(transposed(node), node))
    lower = mul(factor, nodes(signs[..., None, :]))
    if mode == "r":
        return transposed(lower)
    return [transposed(linalg.solve(lower, transposed(node))), transposed(lower)]


@becomes(np.linalg.lstsq)
def _lstsq(nodes: Nodes, a: Any, b: Any, rcond: Any = None) -> list[Any]:
    matrix, right = nodes(a), nodes(b)
    value = nodes.value(a)
    if np.linalg.matrix_rank(value) < value.shape[-1] or rcond is not None:
        raise refuse(
            "np.linalg.lstsq with dependent columns, or with rcond, is not followed",
            why="the solution jumps where the rank changes",
            instead="add a small multiple of the identity and use np.linalg.solve",
        )
    turned = transposed(matrix)
    solution = _solve(nodes, matmul(turned, matrix), _dot(turned, right))
    square = power(sub(right, _dot(matrix, solution)), exponent=2)
    residuals = total(square, (-2,) if len(right.shape) == 2 else (-1,), keepdims=len(right.shape) == 1)
    left_over = residuals if value.shape[0] > value.shape[1] else None
    return [solution, left_over, None, linalg.singular_values(matrix)]


@becomes(np.linalg.eig, np.linalg.eigvals)
def _eig(nodes: Nodes, x: Any) -> None:
    raise refuse(
        "the eigenvalues of a matrix that need not be symmetric",
        why="they and their vectors are complex and in no order, and are not in the table of operations",
        instead="use np.linalg.eigh or np.linalg.eigvalsh where the matrix is symmetric",
    )
