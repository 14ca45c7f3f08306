"""Linear algebra: traces, diagonals, triangles, inverses, determinants, factorizations.

The rules are those of Giles, "An extended collection of matrix derivative results for forward and reverse mode
algorithmic differentiation" (2008). Every operation acts on the last two axes; axes before them are many matrices.
Factorizations of a symmetric matrix read its lower triangle only, as NumPy does, and so their derivatives have one too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from string import ascii_lowercase
from typing import Any

import numpy as np

from backproof.ir.errors import ShapeError
from backproof.ir.node import Node
from backproof.ir.sizes import ONE, Shape, Size, affine, agreed, of_length, show
from backproof.ops.arithmetic import add, div, mul, neg, power, product, sub
from backproof.ops.elementary import pieces
from backproof.ops.entries import EntryOf, LetterPool, Places, delta, own_entry, sum_over
from backproof.ops.leaves import constant
from backproof.ops.linear import expand, matmul, total, transposed
from backproof.ops.notation import Apply, DiagonalTimes, InverseTimes, Superscript, TimesIdentity
from backproof.ops.outside import where_within
from backproof.ops.row import Array, Domain, EntryRule, Row
from backproof.ops.shaping import reshape
from backproof.ops.vectors import einsum, outer

# --- diagonals and traces


def _diag_times_shape(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    vector, matrix = shapes
    if len(vector) != 1 or len(matrix) != 2 or agreed(vector[0], matrix[0]) is None:
        raise ShapeError(
            "a vector and the rows of a matrix do not fit",
            where=f"({show(vector)}) and ({show(matrix)})",
            why="there must be one entry for each row",
        )
    return matrix


def _square(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    """The shape rule of what makes a square matrix of a square one, and its guard for the others."""
    (shape,) = shapes
    if len(shape) < 2 or agreed(shape[-1], shape[-2]) is None:
        raise ShapeError(
            "the matrix is not square", where=f"({show(shape)})", why="it must have as many rows as columns"
        )
    return shape


def _number(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    return _square(shapes, attrs)[:-2]


def _for_entries(g: Node) -> Node:
    """`g`, one number for each matrix, with the axes that it multiplies all entries of the matrix along."""
    return expand(g, axes=(-2, -1)) if g.shape else g


def _on_diagonal(place: Places, entry: Node) -> Node:
    row, column = place
    return entry if row is None else product(delta(row, column), entry)


def _trace_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    (a,) = node.inputs
    k = None if a.shape[-1] == ONE else letters.fresh(a.shape[-1])
    term = entry(a, (*place, k, k))
    return term if k is None else sum_over(k, term)


trace: Row = Row(
    name="trace",
    kind="linear",
    about="The sum of the diagonal of a square matrix.",
    meaning=lambda a: np.trace(a, axis1=-2, axis2=-1),
    shape=_number,
    notation=Apply("tr"),
    entry=_trace_entry,
    vjp=lambda g, y, a: (scaled_identity(g, sizes=a.shape[-2:]),),
    reasons=(
        "The entries of {x} on the diagonal are the terms of the sum and receive its derivative; all others receive 0.",
    ),
    domain=(Domain((3, 3)),),
)

scaled_identity: Row = Row(
    name="scaled_identity",
    kind="linear",
    about="The identity matrix times a number.",
    meaning=lambda g, sizes: g[..., None, None] * np.eye(*sizes, dtype=g.dtype),
    shape=lambda shapes, attrs: (*shapes[0], *attrs["sizes"]),
    notation=TimesIdentity(),
    entry=lambda node, place, entry, letters: _on_diagonal(place[-2:], entry(node.inputs[0], place[:-2])),
    vjp=lambda g, y, a: (trace(g),),
    reasons=("{x} stands at every place of the diagonal of {y}; the chain rule adds these up, which is a trace.",),
    domain=(Domain(()),),
    attrs={"sizes": (of_length(3), of_length(3))},
)


def _diag(a: Array) -> Array:
    places = np.arange(a.shape[-1])
    result = np.zeros((*a.shape, a.shape[-1]), a.dtype)
    result[..., places, places] = a
    return result


diag: Row = Row(
    name="diag",
    kind="linear",
    about="The diagonal matrix that has a vector on its diagonal.",
    meaning=_diag,
    shape=lambda shapes, attrs: (*shapes[0], shapes[0][-1]),
    notation=Apply("diag"),
    entry=lambda node, place, entry, letters: _on_diagonal(place[-2:], entry(node.inputs[0], place[:-1])),
    vjp=lambda g, y, a: (diagonal(g),),
    reasons=("Each entry of {x} stands on the diagonal of {y}, so its derivative is taken from there.",),
    domain=(Domain((3,)),),
)

diagonal: Row = Row(
    name="diagonal",
    kind="linear",
    about="The diagonal of a square matrix, as a vector.",
    meaning=lambda a: np.diagonal(a, axis1=-2, axis2=-1),
    shape=lambda shapes, attrs: _square(shapes, attrs)[:-1],
    notation=Apply("diagonal"),
    entry=lambda node, place, entry, letters: entry(node.inputs[0], (*place, place[-1])),
    vjp=lambda g, y, a: (diag(g),),
    reasons=("Each entry of {y} is one on the diagonal of {x}, so its derivative goes there; all others receive 0.",),
    domain=(Domain((3, 3)),),
)

diag_times: Row = Row(
    name="diag_times",
    kind="linear",
    about="A matrix with its rows multiplied by the entries of a vector: the product with its diagonal matrix.",
    meaning=lambda d, a: d[..., None] * a,
    shape=_diag_times_shape,
    notation=DiagonalTimes(),
    entry=lambda node, place, entry, letters: product(entry(node.inputs[0], place[:1]), entry(node.inputs[1], place)),
    vjp=lambda g, y, d, a: (total(mul(g, a), (-1,), keepdims=False), diag_times(d, g)),
    reasons=(
        "An entry of {x} multiplies a whole row of {other}; the chain rule adds up that row.",
        "A row of {x} is multiplied by one entry of {other}, and so is its derivative.",
    ),
    domain=(Domain((3,)), Domain((3, 4))),
)


# --- triangles


def _matrix(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    if len(shapes[0]) < 2:
        raise ShapeError("only a matrix has triangles", where=f"({show(shapes[0])})")
    return shapes[0]


def _triangle_entry(lower: bool) -> EntryRule:
    def rule(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
        k, across = node.attrs["k"], affine([(1, place[-1]), (-1, place[-2])], 0)
        ends = (None, k) if lower else (k, None)
        return where_within(((across, *ends),), lambda: entry(node.inputs[0], place), constant(0))

    return rule


def _half_triangle_entry(node: Node, place: Places, entry: EntryOf, letters: LetterPool) -> Node:
    down, inside = affine([(1, place[-2]), (-1, place[-1])], 0), entry(node.inputs[0], place)
    on_diagonal = where_within(((down, 0, 0),), lambda: div(inside, constant(2)), constant(0))
    below = where_within(((down, 1, None),), lambda: inside, on_diagonal)
    return below if below.op is not pieces else pieces(*below.inputs[:2], *on_diagonal.inputs)


def _triangle(name: str, which: str, side: str, meaning: Callable[..., Array]) -> Row:
    row: Row = Row(
        name=name,
        kind="linear",
        about=f"The {which} triangle of a matrix, up to diagonal `k` {side} the main one, with 0 elsewhere.",
        meaning=meaning,
        shape=_matrix,
        notation=Apply(name, option="k"),
        entry=_triangle_entry(lower=which == "lower"),
        vjp=lambda g, y, a: (row(g, k=y.attrs["k"]),),
        reasons=("The entries of {x} in the triangle are kept and receive their derivative; all others receive 0.",),
        domain=(Domain((3, 4)),),
        attrs={"k": 1},
    )
    return row


tril = _triangle("tril", "lower", "above", np.tril)
triu = _triangle("triu", "upper", "above", np.triu)

half_triangle: Row = Row(
    name="half_triangle",
    kind="linear",
    about="The lower triangle of a square matrix with its diagonal halved: added to its transpose it is symmetric.",
    meaning=lambda a: np.tril(a) * (1 - np.eye(a.shape[-1], dtype=a.dtype) / 2),
    shape=_square,
    notation=Apply("Φ", letter=True),
    entry=_half_triangle_entry,
    vjp=lambda g, y, a: (half_triangle(g),),
    reasons=(
        "An entry of {x} below the diagonal is kept, one on it halved, and so are their derivatives; the others "
        "receive 0.",
    ),
    domain=(Domain((3, 3)),),
)


# --- inverses and determinants

inv: Row = Row(
    name="inv",
    kind="general",
    about="The inverse of a square matrix.",
    meaning=np.linalg.inv,
    shape=_square,
    notation=Superscript("−1"),
    entry=own_entry,
    vjp=lambda g, y, a: (neg(matmul(matmul(transposed(y), g), transposed(y))),),
    reasons=(
        "A small change of {x} changes its inverse by minus the inverse times the change times the inverse. Seen from "
        "{dy}, both factors stand transposed.",
    ),
    domain=(Domain((3, 3)),),
)

det: Row = Row(
    name="det",
    kind="general",
    about="The determinant of a square matrix; its derivative is written with the inverse, which must exist.",
    meaning=np.linalg.det,
    shape=_number,
    notation=Apply("det"),
    entry=own_entry,
    vjp=lambda g, y, a: (product(_for_entries(product(g, y)), transposed(inv(a))),),
    reasons=(
        "The derivative of a determinant by an entry is that entry's cofactor, and the matrix of the cofactors is the "
        "determinant times the transposed inverse (Jacobi's formula).",
    ),
    domain=(Domain((3, 3)),),
)


def _logabsdet(a: Array) -> Array:
    sign, log = np.linalg.slogdet(a)
    # NumPy takes the absolute value of complex numbers; what a complex step moves is then in the sign.
    return np.asarray(log + np.log(sign * np.sign(sign.real)) if np.iscomplexobj(a) else log)


logabsdet: Row = Row(
    name="logabsdet",
    kind="general",
    about="The logarithm of the absolute value of the determinant of a square matrix.",
    meaning=_logabsdet,
    shape=_number,
    notation=Apply("log|det|"),
    entry=own_entry,
    vjp=lambda g, y, a: (product(_for_entries(g), transposed(inv(a))),),
    reasons=(
        "The derivative of the determinant is the determinant times the transposed inverse; that of its logarithm is "
        "divided by the determinant again.",
    ),
    domain=(Domain((3, 3)),),
)


def _solve_shape(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    a, b = shapes
    _square((a,), attrs)
    if len(a) != len(b) or agreed(a[-1], b[-2]) is None or any(map(_differ, a[:-2], b[:-2])):
        raise ShapeError(
            "a system of equations does not fit",
            where=f"({show(a)}) and ({show(b)})",
            why="the right side must have as many rows as the matrix",
        )
    return b


def _differ(a: Any, b: Any) -> bool:
    return agreed(a, b) is None


def _solve_vjp(g: Node, y: Node, a: Node, b: Node) -> tuple[Node, Node]:
    by_b = solve(transposed(a), g)
    return neg(matmul(by_b, transposed(y))), by_b


solve: Row = Row(
    name="solve",
    kind="general",
    about="The solution X of the equations A·X = B, which is the inverse of A times B.",
    meaning=np.linalg.solve,
    shape=_solve_shape,
    notation=InverseTimes(),
    entry=own_entry,
    vjp=_solve_vjp,
    reasons=(
        "A small change of {x} takes {y} away from the equations as if {other} had changed by minus the change times "
        "{y}. So the derivative is minus that by {other}, times {y} transposed.",
        "{y} is the inverse of {other} times {x}, so {dy} is multiplied by the transposed inverse: equations with "
        "{turned} are solved.",
    ),
    domain=(Domain((3, 3)), Domain((3, 2))),
)


def _solvevec_shape(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    a, b = shapes
    if len(a) != 2 or len(b) != 1:
        raise ShapeError("the equations are not one matrix and one vector", where=f"({show(a)}) and ({show(b)})")
    return _solve_shape((a, (*b, ONE)), attrs)[:-1]


def _solvevec_vjp(g: Node, y: Node, a: Node, b: Node) -> tuple[Node, Node]:
    by_b = solvevec(transposed(a), g)
    return neg(outer(by_b, y)), by_b


solvevec: Row = Row(
    name="solvevec",
    kind="general",
    about="The solution x of the equations A·x = b with a vector b, which is the inverse of A times b.",
    meaning=lambda a, b: np.linalg.solve(a, b[..., None])[..., 0],
    shape=_solvevec_shape,
    notation=InverseTimes(),
    entry=own_entry,
    vjp=_solvevec_vjp,
    reasons=solve.reasons,
    domain=(Domain((3, 3)), Domain((3,))),
)


# --- factorizations


def _cholesky(a: Array) -> Array:
    # Column by column and not np.linalg.cholesky, which takes complex numbers as Hermitian.
    result = np.zeros_like(a)
    for j in range(a.shape[-1]):
        known = np.sum(result[..., j:, :j] * result[..., j, None, :j], axis=-1)
        rest = a[..., j:, j] - known
        result[..., j:, j] = rest / np.sqrt(rest[..., :1])
    return result


def _cholesky_vjp(g: Node, y: Node, a: Node) -> tuple[Node]:
    inverse = inv(y)
    half = half_triangle(matmul(transposed(y), g))
    return (half_triangle(matmul(matmul(transposed(inverse), add(half, transposed(half))), inverse)),)


cholesky: Row = Row(
    name="cholesky",
    kind="general",
    about="The lower triangular L with L·Lᵀ = A, for a positive definite A of which only the lower triangle is read.",
    meaning=_cholesky,
    shape=_square,
    notation=Apply("cholesky"),
    entry=own_entry,
    vjp=_cholesky_vjp,
    reasons=(
        "A change of L·Lᵀ, with the inverse of L in front and its transpose behind, is symmetric; its lower triangle "
        "with the diagonal halved (Φ) is the change of L with the inverse of L in front. Only the lower triangle of "
        "{x} is read, so only that has a derivative.",
    ),
    domain=(Domain((3, 3)),),
)


# --- eigenvalues and singular values

# Where two eigenvalues are equal their vectors are not determined, and the derivatives of these do not exist.


def _reciprocal_gaps(w: Array) -> Array:
    gaps = w[..., None, :] - w[..., :, None]
    own = np.eye(w.shape[-1], dtype=w.dtype)
    return np.asarray((1 - own) / (gaps + own))


def _reciprocal_gaps_vjp(g: Node, y: Node, w: Node) -> tuple[Node]:
    weighed = product(g, power(y, exponent=2))
    return (sub(total(weighed, (-1,), keepdims=False), total(weighed, (-2,), keepdims=False)),)


reciprocal_gaps: Row = Row(
    name="reciprocal_gaps",
    kind="general",
    about="The matrix F of 1/(w_k − w_j) for the entries of a vector w of different numbers, with 0 on its diagonal.",
    meaning=_reciprocal_gaps,
    shape=lambda shapes, attrs: (*shapes[0], shapes[0][-1]),
    notation=Apply("F", letter=True),
    entry=own_entry,
    vjp=_reciprocal_gaps_vjp,
    reasons=(
        "The derivative of 1/(w_k − w_j) is plus its square by w_j and minus its square by w_k. An entry of {x} is the "
        "former in a row and the latter in a column of {y}; the chain rule adds these up.",
    ),
    domain=(Domain((4,)),),
)


def _eigen(a: Array) -> tuple[Array, Array]:
    """The eigenvalues, in rising order, and vectors of the symmetric matrix that `a` is the lower triangle of.

    They are real up to an imaginary part as small as a complex step's. NumPy takes complex matrices as Hermitian, so of
    these it is asked about the real part; what is left to do is done by rotations, which have no conjugate in them.
    """
    values, vectors = np.linalg.eigh(a.real)
    if not np.iscomplexobj(a):
        return values, vectors
    half = np.tril(a) * (1 - np.eye(a.shape[-1]) / 2)
    rest = np.swapaxes(vectors, -1, -2) @ (half + np.swapaxes(half, -1, -2)) @ vectors
    return _rotated(rest, vectors.astype(a.dtype))


def _rotated(a: Array, vectors: Array) -> tuple[Array, Array]:
    """The diagonal of an almost diagonal symmetric matrix after one sweep of Jacobi's rotations, and the vectors."""
    n = a.shape[-1]
    for p in range(n - 1):
        for q in range(p + 1, n):
            gap, off = a[..., q, q] - a[..., p, p], a[..., p, q]
            longer = gap + np.where(gap.real < 0, -1, 1) * np.sqrt(gap * gap + 4 * off * off)
            tangent = 2 * off / np.where(longer == 0, 1, longer)
            cosine = 1 / np.sqrt(1 + tangent * tangent)
            turn = np.zeros_like(a) + np.eye(n)
            turn[..., p, p] = turn[..., q, q] = cosine
            turn[..., p, q] = tangent * cosine
            turn[..., q, p] = -tangent * cosine
            a = np.swapaxes(turn, -1, -2) @ a @ turn
            vectors = vectors @ turn
    return np.diagonal(a, axis1=-2, axis2=-1), vectors


def _eigenvalues_vjp(g: Node, y: Node, a: Node) -> tuple[Node]:
    vectors = eigenvectors(a)
    return (product(constant(2), half_triangle(matmul(matmul(vectors, diag(g)), transposed(vectors)))),)


eigenvalues: Row = Row(
    name="eigenvalues",
    kind="general",
    about="The eigenvalues of a symmetric matrix in rising order; of equal ones there is no derivative.",
    meaning=lambda a: _eigen(a)[0],
    shape=lambda shapes, attrs: _square(shapes, attrs)[:-1],
    notation=Apply("eigenvalues"),
    entry=own_entry,
    vjp=_eigenvalues_vjp,
    reasons=(
        "A small change of {x} changes an eigenvalue by the change multiplied by its eigenvector from both sides. Only "
        "the lower triangle of {x} is read (Φ), and an entry below the diagonal counts for the one above too.",
    ),
    domain=(Domain((3, 3)),),
)


def _eigenvectors_vjp(g: Node, y: Node, a: Node) -> tuple[Node]:
    turned = product(reciprocal_gaps(eigenvalues(a)), matmul(transposed(y), g))
    return (half_triangle(matmul(matmul(y, add(turned, transposed(turned))), transposed(y))),)


eigenvectors: Row = Row(
    name="eigenvectors",
    kind="general",
    about="The eigenvectors of a symmetric matrix with different eigenvalues, of length one, as columns.",
    meaning=lambda a: _eigen(a)[1],
    shape=_square,
    notation=Apply("eigenvectors"),
    entry=own_entry,
    vjp=_eigenvectors_vjp,
    reasons=(
        "A small change of {x} turns each eigenvector towards the others, by the change between the two over the "
        "difference of their eigenvalues (F). Only the lower triangle of {x} is read (Φ), so only that has a "
        "derivative.",
    ),
    domain=(Domain((3, 3)),),
)


def _svd(a: Array) -> tuple[Array, Array, Array]:
    """U, s and V with A = U·diag(s)·Vᵀ; of complex numbers as `_eigen`."""
    left, values, right = np.linalg.svd(a.real, full_matrices=False)
    vectors = np.swapaxes(right, -1, -2)
    if not np.iscomplexobj(a):
        return left, values, vectors
    if a.shape[-2] < a.shape[-1]:
        return _svd_of_tall(np.swapaxes(a, -1, -2), left)[::-1]
    return _svd_of_tall(a, vectors)


def _svd_of_tall(a: Array, right: Array) -> tuple[Array, Array, Array]:
    moved = a @ right
    squares, right = _rotated(np.swapaxes(moved, -1, -2) @ moved, right.astype(a.dtype))
    values = np.sqrt(squares)
    return a @ right / values[..., None, :], values, right


def _svd_shape(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> tuple[Shape, Size, Size, Size]:
    """The axes before a matrix, its rows and columns, and the fewer of the two."""
    *lead, rows, columns = _matrix(shapes, attrs)
    return tuple(lead), rows, columns, min(rows, columns, key=lambda size: size.value or 0)


def _values_shape(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    lead, _, _, fewer = _svd_shape(shapes, attrs)
    return (*lead, fewer)


def _left_shape(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    lead, rows, _, fewer = _svd_shape(shapes, attrs)
    return (*lead, rows, fewer)


def _right_shape(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    lead, _, columns, fewer = _svd_shape(shapes, attrs)
    return (*lead, columns, fewer)


singular_values: Row = Row(
    name="singular_values",
    kind="general",
    about="The singular values of a matrix in falling order; of equal ones and of 0 there is no derivative.",
    meaning=lambda a: _svd(a)[1],
    shape=_values_shape,
    notation=Apply("singular values"),
    entry=own_entry,
    vjp=lambda g, y, a: (matmul(matmul(left_vectors(a), diag(g)), transposed(right_vectors(a))),),
    reasons=(
        "A small change of {x} changes a singular value by the change multiplied by its left singular vector from the "
        "left and its right one from the right.",
    ),
    domain=(Domain((3, 4)),),
)


def _turned_vectors(g: Node, own: Node, values: Node, other: Node) -> Node:
    """The derivative by A, or by its transpose, of the singular vectors `own`; `other` are those on the other side."""
    across = matmul(transposed(own), g)
    gaps = reciprocal_gaps(power(values, exponent=2))
    inside = matmul(own, matmul(product(gaps, sub(across, transposed(across))), diag(values)))
    if own.shape[-2] != own.shape[-1]:
        outside = sub(g, matmul(own, across))
        inside = add(inside, matmul(outside, diag(div(constant(1), values))))
    return matmul(inside, transposed(other))


_TURNED = (
    "A small change of {x} turns each singular vector towards the others, by the change between the two over the "
    "difference of the squares of their singular values (F), and out of the space of them all."
)

left_vectors: Row = Row(
    name="left_vectors",
    kind="general",
    about="The left singular vectors of a matrix with different singular values, as columns.",
    meaning=lambda a: _svd(a)[0],
    shape=_left_shape,
    notation=Apply("left vectors"),
    entry=own_entry,
    vjp=lambda g, y, a: (_turned_vectors(g, y, singular_values(a), right_vectors(a)),),
    reasons=(_TURNED,),
    domain=(Domain((4, 3)),),
)

right_vectors: Row = Row(
    name="right_vectors",
    kind="general",
    about="The right singular vectors of a matrix with different singular values, as columns.",
    meaning=lambda a: _svd(a)[2],
    shape=_right_shape,
    notation=Apply("right vectors"),
    entry=own_entry,
    vjp=lambda g, y, a: (transposed(_turned_vectors(g, y, singular_values(a), left_vectors(a))),),
    reasons=(_TURNED,),
    domain=(Domain((3, 4)),),
)


def kron(a: Node, b: Node) -> Node:
    """The Kronecker product: every entry of `a` times all of `b`; the smaller one gets axes of length one in front."""
    rank = max(len(a.shape), len(b.shape))
    if not a.shape or not b.shape:
        scaled: Node = mul(a, b)
        return scaled
    a, b = (expand(x, axes=tuple(range(-rank, -len(x.shape)))) if len(x.shape) < rank else x for x in (a, b))
    axes = ascii_lowercase[:rank], ascii_lowercase[rank : 2 * rank]
    pairs = einsum(a, b, axes=axes, result="".join(m + n for m, n in zip(*axes, strict=True)))
    sizes = tuple(of_length((m.value or 0) * (n.value or 0)) for m, n in zip(a.shape, b.shape, strict=True))
    return reshape(pairs, sizes=sizes, rank=2 * rank)
