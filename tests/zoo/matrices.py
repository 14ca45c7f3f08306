"""Scalar functions of matrices and vectors."""

from __future__ import annotations

import numpy as np

from zoo.case import Case


def trace_of_gram(A):
    return np.trace(A.T @ A)


def trace_of_three(A, X, B):
    return np.trace(A @ X @ B)


def trace_by_einsum(A, B):
    return np.einsum("ij,jk,kl,li->", A, B, A, B)


def trace_quadratic(X, A, B):
    return (X.T @ A @ X @ B).trace()


def quadratic_form(x, A, b, c):
    return 0.5 * x @ A @ x - b.dot(x) + c


def bilinear(x, A, y):
    return np.dot(x, np.dot(A, y))


def column_quadratic(x, A):
    """A column of one: the result is a 1 × 1 matrix, of which the entry is taken."""
    return (x.T @ A @ x)[0, 0]


def log_det(X):
    return np.linalg.slogdet(X.T @ X + np.eye(X.shape[1]))[1]


def log_of_det(A):
    S = A @ A.T
    return np.log(np.linalg.det(S))


def determinant(A):
    return np.linalg.det(A)


def determinant_by_hand(A):
    a, b, c = A[0]
    d, e, f = A[1]
    g, h, i = A[2]
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)


def frobenius(A, B):
    return np.linalg.norm(A - B)


def frobenius_squared(A, U, V):
    return np.linalg.norm(A - U @ V.T, "fro") ** 2


def root_of_squares(A):
    return np.sqrt((A * A).sum())


def rayleigh(A, x):
    return (x @ A @ x) / (x @ x)


def generalised_rayleigh(A, B, w):
    return w.T @ (A + A.T) @ w / (w.T @ (B @ B.T) @ w)


def inverse(A, b):
    return b @ np.linalg.inv(A) @ b


def trace_of_inverse(A):
    return np.trace(np.linalg.inv(A @ A.T + np.eye(len(A))))


def solved(A, b, c):
    x = np.linalg.solve(A, b)
    return np.sum((x - c) ** 2)


def solved_many(A, B, G):
    return np.sum(G * np.linalg.solve(A.T @ A + np.eye(A.shape[1]), B))


def ridge(X, y, log_lam, Xt, yt):
    """The loss on other data of a fit in closed form, by the strength of its penalty."""
    n = X.shape[1]
    w = np.linalg.solve(X.T @ X + np.exp(log_lam) * np.eye(n), X.T @ y)
    return np.mean((Xt @ w - yt) ** 2)


def cholesky_log_det(A):
    L = np.linalg.cholesky(A @ A.T + np.eye(len(A)))
    return 2 * np.sum(np.log(np.diag(L)))


def least_squares(A, x, b):
    r = A @ x - b
    return 0.5 * r @ r


def weighted_least_squares(A, x, b, w):
    r = A @ x - b
    return r.T @ np.diag(w) @ r


def power_series(A, x):
    y, term = x, x
    for k in range(1, 6):
        term = A @ term / k
        y = y + term
    return np.sum(y)


def matrix_power(A, u, v):
    return u @ np.linalg.matrix_power(A, 3) @ v


def vech(theta, x):
    """A covariance from its triangle, filled in by index."""
    n = len(x)
    i, j = np.tril_indices(n)
    L = np.zeros((n, n), dtype=theta.dtype)
    L[i, j] = theta
    return np.sum((L.T @ x) ** 2)


def kronecker(A, B, x):
    return np.sum(np.sin(np.kron(A, B) @ x))


def commutator(A, B):
    C = A @ B - B @ A
    return np.sum(C**2)


def orthogonality(W):
    G = W.T @ W - np.eye(W.shape[1])
    return np.sum(G * G) / 4


def hadamard(A, B, C):
    return np.sum(A * (B @ C.T) ** 2 / (1 + A**2))


def off_diagonal(Z):
    """Redundancy reduction: the diagonal is to be one and the rest zero."""
    C = Z.T @ Z / len(Z)
    on = ((np.diagonal(C) - 1) ** 2).sum()
    off = (C**2).sum() - (np.diagonal(C) ** 2).sum()
    return on + 0.05 * off


def outer_fit(A, u, v):
    return np.sum((A - np.outer(u, v)) ** 2)


def tensor_form(T, x, y, z):
    return np.einsum("ijk,i,j,k", T, x, y, z)


def cross_triple(a, b, c):
    return np.dot(a, np.cross(b, c))


def stretched_sum(x, y):
    """Each entry of x is there once for each entry of y."""
    return np.sum(x[:, None] + y)


def deviations(x, mu):
    return np.sum(x**2 - mu)


def scaled_ones(x):
    return np.sum(x[:, None] * np.ones(4))


def _spd(r, n):
    A = r.normal(size=(n, n))
    return A @ A.T + np.eye(n)


ABSOLUTE = "np.linalg.norm takes absolute values"

CASES = [
    Case("trace of AᵀA", trace_of_gram, lambda r: {"A": r.normal(size=(4, 3))}),
    Case(
        "trace of AXB",
        trace_of_three,
        lambda r: {"A": r.normal(size=(3, 4)), "X": r.normal(size=(4, 5)), "B": r.normal(size=(5, 3))},
    ),
    Case("trace by einsum", trace_by_einsum, lambda r: {"A": r.normal(size=(3, 4)), "B": r.normal(size=(4, 3))}),
    Case(
        "trace of XᵀAXB",
        trace_quadratic,
        lambda r: {"X": r.normal(size=(4, 3)), "A": r.normal(size=(4, 4)), "B": r.normal(size=(3, 3))},
    ),
    Case(
        "quadratic form",
        quadratic_form,
        lambda r: {
            "x": r.normal(size=3),
            "A": r.normal(size=(3, 3)),
            "b": r.normal(size=3),
            "c": r.normal(size=()),
        },
    ),
    Case(
        "bilinear form",
        bilinear,
        lambda r: {"x": r.normal(size=3), "A": r.normal(size=(3, 4)), "y": r.normal(size=4)},
    ),
    Case(
        "quadratic form of a column",
        column_quadratic,
        lambda r: {"x": r.normal(size=(3, 1)), "A": r.normal(size=(3, 3))},
    ),
    Case(
        "log determinant",
        log_det,
        lambda r: {"X": r.normal(size=(4, 3))},
        complex_step=False,
        reason="np.linalg.slogdet gives the logarithm of the absolute value",
    ),
    Case("log of a determinant", log_of_det, lambda r: {"A": r.normal(size=(3, 4))}),
    Case("determinant", determinant, lambda r: {"A": r.normal(size=(3, 3))}),
    Case("determinant by hand", determinant_by_hand, lambda r: {"A": r.normal(size=(3, 3))}),
    Case(
        "Frobenius norm",
        frobenius,
        lambda r: {"A": r.normal(size=(4, 3)), "B": r.normal(size=(4, 3))},
        complex_step=False,
        reason=ABSOLUTE,
    ),
    Case(
        "squared Frobenius norm",
        frobenius_squared,
        lambda r: {"A": r.normal(size=(4, 3)), "U": r.normal(size=(4, 2)), "V": r.normal(size=(3, 2))},
        complex_step=False,
        reason=ABSOLUTE,
    ),
    Case("root of squares", root_of_squares, lambda r: {"A": r.normal(size=(4, 3))}),
    Case("Rayleigh quotient", rayleigh, lambda r: {"A": r.normal(size=(3, 3)), "x": r.normal(size=3)}),
    Case(
        "generalised Rayleigh quotient",
        generalised_rayleigh,
        lambda r: {"A": r.normal(size=(3, 3)), "B": r.normal(size=(3, 4)), "w": r.normal(size=3)},
    ),
    Case("inverse", inverse, lambda r: {"A": _spd(r, 3), "b": r.normal(size=3)}),
    Case("trace of an inverse", trace_of_inverse, lambda r: {"A": r.normal(size=(3, 4))}),
    Case(
        "solved",
        solved,
        lambda r: {"A": _spd(r, 3), "b": r.normal(size=3), "c": r.normal(size=3)},
    ),
    Case(
        "solved, many columns",
        solved_many,
        lambda r: {"A": r.normal(size=(4, 3)), "B": r.normal(size=(3, 2)), "G": r.normal(size=(3, 2))},
    ),
    Case(
        "ridge",
        ridge,
        lambda r: {
            "X": r.normal(size=(5, 3)),
            "y": r.normal(size=5),
            "log_lam": r.normal(size=()),
            "Xt": r.normal(size=(4, 3)),
            "yt": r.normal(size=4),
        },
    ),
    Case(
        "log determinant by Cholesky",
        cholesky_log_det,
        lambda r: {"A": r.normal(size=(3, 4))},
        complex_step=False,
        reason="np.linalg.cholesky conjugates",
    ),
    Case(
        "least squares",
        least_squares,
        lambda r: {"A": r.normal(size=(4, 3)), "x": r.normal(size=3), "b": r.normal(size=4)},
    ),
    Case(
        "weighted least squares",
        weighted_least_squares,
        lambda r: {
            "A": r.normal(size=(4, 3)),
            "x": r.normal(size=3),
            "b": r.normal(size=4),
            "w": r.uniform(0.5, 2, size=4),
        },
    ),
    Case("power series", power_series, lambda r: {"A": r.normal(size=(3, 3)), "x": r.normal(size=3)}),
    Case(
        "power of a matrix",
        matrix_power,
        lambda r: {"A": r.normal(size=(3, 3)), "u": r.normal(size=3), "v": r.normal(size=3)},
    ),
    Case("filled triangle", vech, lambda r: {"theta": r.normal(size=6), "x": r.normal(size=3)}),
    Case(
        "Kronecker product",
        kronecker,
        lambda r: {"A": r.normal(size=(2, 3)), "B": r.normal(size=(4, 2)), "x": r.normal(size=6)},
    ),
    Case("commutator", commutator, lambda r: {"A": r.normal(size=(3, 3)), "B": r.normal(size=(3, 3))}),
    Case("orthogonality", orthogonality, lambda r: {"W": r.normal(size=(4, 3))}),
    Case(
        "entry by entry",
        hadamard,
        lambda r: {"A": r.normal(size=(4, 5)), "B": r.normal(size=(4, 3)), "C": r.normal(size=(5, 3))},
    ),
    Case("off the diagonal", off_diagonal, lambda r: {"Z": r.normal(size=(5, 3))}),
    Case(
        "outer product",
        outer_fit,
        lambda r: {"A": r.normal(size=(4, 3)), "u": r.normal(size=4), "v": r.normal(size=3)},
    ),
    Case(
        "form of three vectors",
        tensor_form,
        lambda r: {
            "T": r.normal(size=(3, 4, 5)),
            "x": r.normal(size=3),
            "y": r.normal(size=4),
            "z": r.normal(size=5),
        },
    ),
    Case(
        "triple product",
        cross_triple,
        lambda r: {"a": r.normal(size=3), "b": r.normal(size=3), "c": r.normal(size=3)},
    ),
    Case("sum of a stretched sum", stretched_sum, lambda r: {"x": r.normal(size=3), "y": r.normal(size=4)}),
    Case("sum of deviations", deviations, lambda r: {"x": r.normal(size=5), "mu": r.normal(size=())}),
    Case("stretched by ones", scaled_ones, lambda r: {"x": r.normal(size=3)}),
]
