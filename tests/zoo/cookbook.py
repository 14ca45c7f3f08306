"""Scalar functions of matrices and vectors, with the gradient that The Matrix Cookbook prints for each.

K. B. Petersen, M. S. Pedersen, The Matrix Cookbook, version of November 15, 2012. `source` is the section that has the
formula, or "by" sections with formulas that it follows from. Where the book writes B·X + Bᵀ·X, here the common factor
is taken out, as in its own (B + Bᵀ)·x.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.case import Array, Case, Generator


@dataclass(frozen=True, kw_only=True)
class Formula(Case):
    """A function, and for each array the closed formula of the derivative by it; the arrays are those of `shapes`."""

    source: str
    gradients: Mapping[str, str]


# --- determinants


def determinant(X):
    return np.linalg.det(X)


def determinant_of_product(A, X, B):
    return np.linalg.det(A @ X @ B)


def determinant_of_square_factors(
    A: Float[Array, "n n"],  # noqa: F722, F821
    X: Float[Array, "n n"],  # noqa: F722, F821
    B: Float[Array, "n n"],  # noqa: F722, F821
):
    return np.linalg.det(A @ X @ B)


def determinant_of_power(X):
    return np.linalg.det(X) ** 3


def determinant_of_gram(X):
    return np.linalg.det(X.T @ X)


def determinant_of_form(X, A):
    return np.linalg.det(X.T @ A @ X)


def log_determinant(X):
    return np.log(np.abs(np.linalg.det(X)))


def log_determinant_by_slogdet(X):
    _, logdet = np.linalg.slogdet(X)
    return logdet


def log_determinant_of_gram(X):
    return np.log(np.linalg.det(X.T @ X))


def log_determinant_of_covariance(A, X):
    return np.linalg.slogdet(A + X @ X.T)[1]


def log_determinant_of_low_rank(X):
    return np.linalg.slogdet(np.eye(len(X)) + X @ X.T)[1]


# --- inverses


def trace_of_inverse(X):
    return np.trace(np.linalg.inv(X))


def trace_with_inverse(A, X, B):
    return np.trace(A @ np.linalg.inv(X) @ B)


def inverse_form(a, X, b):
    return a @ np.linalg.inv(X) @ b


def inverse_form_by_solve(a, X, b):
    return a @ np.linalg.solve(X, b)


def determinant_of_inverse(X):
    return np.linalg.det(np.linalg.inv(X))


def trace_of_shifted_inverse(X, A):
    return np.trace(np.linalg.inv(X + A))


def trace_of_inverse_form(X, C, A):
    return np.trace(np.linalg.inv(X.T @ C @ X) @ A)


# --- first order


def inner_product(x, a):
    return np.dot(x, a)


def bilinear(a, X, b):
    return a @ X @ b


def bilinear_transposed(a, X, b):
    return a @ X.T @ b


def bilinear_by_columns(a, X, b):
    return (a.T @ X @ b)[0, 0]


def bilinear_same(a, X):
    return a @ X @ a


def bilinear_by_outer(a, X, b):
    return np.sum(X * np.outer(a, b))


def bilinear_by_einsum(a, X, b):
    return np.einsum("i,ij,j->", a, X, b)


def trace_plain(X):
    return np.trace(X)


def trace_of_product(X, A):
    return np.trace(X @ A)


def trace_of_three(A, X, B):
    return np.trace(A @ X @ B)


def trace_of_transposed(A, X, B):
    return np.trace(A @ X.T @ B)


def trace_with_transposed(X, A):
    return np.trace(X.T @ A)


def trace_transposed_last(A, X):
    return np.trace(A @ X.T)


def trace_by_sum(X, A):
    return np.sum(A * X)


def trace_by_einsum(A, X):
    return np.einsum("ij,ji->", A, X)


def sum_of_entries(X):
    return np.sum(X)


def sum_of_product(A, X, B):
    return np.sum(A @ X @ B)


# --- second order


def sum_squared(X):
    return np.sum(X) ** 2


def two_vectors(b, X, c):
    return b @ X.T @ X @ c


def shifted_form(B, x, b, C, D, d):
    return (B @ x + b) @ C @ (D @ x + d)


def form_of_form(X, B, b, c):
    return b @ X.T @ B @ X @ c


def affine_form(X, b, c, D):
    return (X @ b + c) @ D @ (X @ b + c)


def affine_form_by_steps(X, b, c, D):
    r = X @ b + c
    return r @ D @ r


def quadratic(x, A):
    return x @ A @ x


def quadratic_function(x, A, b, c):
    return 0.5 * x @ A @ x - b @ x + c


def quadratic_of_difference(x, s, W):
    return (x - s).T @ W @ (x - s)


def quadratic_of_model(x, A, s, W):
    return (x - A @ s).T @ W @ (x - A @ s)


def trace_of_square(X):
    return np.trace(X @ X)


def trace_of_square_times(X, B):
    return np.trace(X @ X @ B)


def trace_form(X, B):
    return np.trace(X.T @ B @ X)


def trace_form_outside(X, B):
    return np.trace(X @ B @ X.T)


def trace_gram_times(B, X):
    return np.trace(B @ X.T @ X)


def trace_twice(A, X, B):
    return np.trace(A @ X @ B @ X)


def trace_gram(X):
    return np.trace(X.T @ X)


def trace_gram_inside(B, X, C):
    return np.trace(B.T @ X.T @ C @ X @ B)


def trace_form_times(X, B, C):
    return np.trace(X.T @ B @ X @ C)


def trace_sandwich(A, X, B, C):
    return np.trace(A @ X @ B @ X.T @ C)


def trace_least_squares(A, X, B, C):
    return np.trace((A @ X @ B + C) @ (A @ X @ B + C).T)


# --- higher order


def trace_of_cube(X):
    return np.trace(X @ X @ X)


def trace_of_power_times(A, X):
    return np.trace(A @ np.linalg.matrix_power(X, 3))


def trace_of_gram_squared(X):
    return np.trace(X.T @ X @ X.T @ X)


# --- norms


def squared_frobenius(X):
    return np.linalg.norm(X) ** 2


def sum_of_squares(X):
    return np.sum(X**2)


def frobenius(X):
    return np.linalg.norm(X, "fro")


def distance(x, a):
    return np.linalg.norm(x - a)


def least_squares(A, X, B):
    R = A @ X - B
    return np.sum(R**2)


def least_squares_at_once(A, X, B):
    return np.linalg.norm(A @ X - B) ** 2


def half_least_squares(A, x, b):
    return 0.5 * np.sum((A @ x - b) ** 2)


def mean_squared_error(X, w, y):
    return np.mean((X @ w - y) ** 2)


def ridge(X, w, y, lam):
    return np.sum((X @ w - y) ** 2) + lam * np.sum(w**2)


def factorization(A, U, V):
    return np.sum((A - U @ V.T) ** 2)


def weighted_factorization(M, A, U, V):
    return np.sum((M * (A - U @ V.T)) ** 2)


def procrustes(Q, A, B):
    return np.trace((Q @ A - B).T @ (Q @ A - B))


def orthogonality(W):
    return np.sum((W.T @ W - np.eye(3)) ** 2)


# --- quotients


def rayleigh(A, x):
    return (x @ A @ x) / (x @ x)


def cosine(x, y):
    return x @ y / (np.linalg.norm(x) * np.linalg.norm(y))


# --- densities and models


def mahalanobis(x, m, S):
    return (x - m) @ np.linalg.inv(S) @ (x - m)


def gaussian(x, m, S):
    d = x - m
    return 0.5 * np.linalg.slogdet(S)[1] + 0.5 * d @ np.linalg.inv(S) @ d


def gaussian_by_samples(X, S):
    n = len(X)
    return n / 2 * np.linalg.slogdet(S)[1] + 0.5 * np.trace(np.linalg.inv(S) @ X.T @ X)


def kalman(K, P, H, R):
    I = np.eye(3)
    return np.trace((I - K @ H) @ P @ (I - K @ H).T + K @ R @ K.T)


def linear_quadratic(K, A, B, P, Q, R):
    closed = A - B @ K
    return np.trace(Q + K.T @ R @ K + closed.T @ P @ closed)


def softmax_regression(W, X, Y):
    Z = X @ W
    P = np.exp(Z) / np.sum(np.exp(Z), axis=1, keepdims=True)
    return -np.sum(Y * np.log(P))


def logistic_regression(w, X, y):
    z = X @ w
    return np.sum(np.log(1 + np.exp(-y * z)))


def principal_component(x, w):
    return np.sum((x - w * (w @ x)) ** 2)


def attention_scores(Q, K, G):
    return np.sum(G * (Q @ K.T / np.sqrt(3)))


ABSOLUTE = "it takes absolute values"
POSITIVE = "S"
"""The name of matrices that are symmetric and positive definite."""


def _case(
    function: Callable[..., Any],
    source: str,
    gradients: Mapping[str, str],
    reason: str = "",
    **shapes: tuple[int, ...],
) -> Formula:
    def arguments(r: Generator) -> dict[str, Array]:
        values = {name: r.normal(size=shape) for name, shape in shapes.items()}
        return {name: x @ x.T + np.eye(len(x)) if name == POSITIVE else x for name, x in values.items()}

    name = function.__name__.replace("_", " ")
    return Formula(
        name, function, arguments, complex_step=not reason, reason=reason, source=source, gradients=gradients
    )


SQUARE, TALL, WIDE = (3, 3), (4, 3), (3, 4)

CHAPTERS = {
    "Determinants": [
        _case(determinant, "2.1", {"dX": "J · X⁻ᵀ"}, X=SQUARE),
        _case(determinant_of_product, "by 2.1", {"dX": "J · Aᵀ · (A · X · B)⁻ᵀ · Bᵀ"}, A=WIDE, X=(4, 5), B=(5, 3)),
        _case(determinant_of_square_factors, "2.1, all are n × n", {"dX": "J · X⁻ᵀ"}, A=SQUARE, X=SQUARE, B=SQUARE),
        _case(determinant_of_power, "2.1", {"dX": "3 J · X⁻ᵀ"}, X=SQUARE),
        _case(determinant_of_gram, "2.1", {"dX": "2 J · X · (Xᵀ · X)⁻¹"}, X=TALL),
        _case(
            determinant_of_form,
            "2.1",
            {"dX": "J · (A · X · (Xᵀ · A · X)⁻¹ + Aᵀ · X · (Xᵀ · A · X)⁻ᵀ)"},
            X=TALL,
            A=(4, 4),
        ),
        _case(log_determinant, "2.1", {"dX": "X⁻ᵀ"}, ABSOLUTE, X=SQUARE),
        _case(log_determinant_by_slogdet, "2.1", {"dX": "X⁻ᵀ"}, ABSOLUTE, X=SQUARE),
        _case(log_determinant_of_gram, "2.1", {"dX": "2 X · (Xᵀ · X)⁻¹"}, X=TALL),
        _case(
            log_determinant_of_covariance,
            "by 2.1 and 2.8",
            {"dA": "(A + X · Xᵀ)⁻ᵀ", "dX": "((A + X · Xᵀ)⁻¹ + (A + X · Xᵀ)⁻ᵀ) · X"},
            ABSOLUTE,
            A=SQUARE,
            X=(3, 2),
        ),
        _case(log_determinant_of_low_rank, "by 2.1 and 2.8", {"dX": "2(I + X · Xᵀ)⁻¹ · X"}, ABSOLUTE, X=(3, 2)),
    ],
    "Inverses": [
        _case(trace_of_inverse, "2.2", {"dX": "−X⁻ᵀ · X⁻ᵀ"}, X=SQUARE),
        _case(trace_with_inverse, "2.2", {"dX": "−X⁻ᵀ · Aᵀ · Bᵀ · X⁻ᵀ"}, A=(2, 3), X=SQUARE, B=(3, 2)),
        _case(
            inverse_form,
            "2.2",
            {"da": "X⁻¹ · b", "dX": "−X⁻ᵀ · a · bᵀ · X⁻ᵀ", "db": "X⁻ᵀ · a"},
            a=(3,),
            X=SQUARE,
            b=(3,),
        ),
        _case(
            inverse_form_by_solve,
            "2.2",
            {"da": "X⁻¹ · b", "dX": "−X⁻ᵀ · a · bᵀ · X⁻ᵀ", "db": "X⁻ᵀ · a"},
            a=(3,),
            X=SQUARE,
            b=(3,),
        ),
        _case(determinant_of_inverse, "2.2", {"dX": "−J · X⁻ᵀ"}, X=SQUARE),
        _case(trace_of_shifted_inverse, "2.2", {"dX": "−(X + A)⁻ᵀ · (X + A)⁻ᵀ"}, X=SQUARE, A=SQUARE),
        _case(
            trace_of_inverse_form,
            "2.5",
            {
                "dX": "−Cᵀ · X · (Xᵀ · C · X)⁻ᵀ · Aᵀ · (Xᵀ · C · X)⁻ᵀ − C · X · (Xᵀ · C · X)⁻¹ · A · (Xᵀ · C · X)⁻¹",
                "dA": "(Xᵀ · C · X)⁻ᵀ",
            },
            X=TALL,
            C=(4, 4),
            A=SQUARE,
        ),
    ],
    "Linear forms": [
        _case(inner_product, "2.4", {"dx": "a", "da": "x"}, x=(3,), a=(3,)),
        _case(bilinear, "2.4", {"da": "X · b", "dX": "a · bᵀ", "db": "Xᵀ · a"}, a=(4,), X=TALL, b=(3,)),
        _case(bilinear_transposed, "2.4", {"dX": "b · aᵀ"}, a=(3,), X=TALL, b=(4,)),
        _case(bilinear_by_columns, "2.4", {"da": "X · b", "dX": "a · bᵀ", "db": "Xᵀ · a"}, a=(4, 1), X=TALL, b=(3, 1)),
        _case(bilinear_same, "2.4", {"da": "(X + Xᵀ) · a", "dX": "a · aᵀ"}, a=(3,), X=SQUARE),
        _case(bilinear_by_outer, "2.4", {"da": "X · b", "dX": "a · bᵀ", "db": "Xᵀ · a"}, a=(4,), X=TALL, b=(3,)),
        _case(bilinear_by_einsum, "2.4", {"da": "X · b", "dX": "a · bᵀ", "db": "Xᵀ · a"}, a=(4,), X=TALL, b=(3,)),
        _case(trace_plain, "2.5", {"dX": "I"}, X=SQUARE),
        _case(trace_of_product, "2.5", {"dX": "Aᵀ", "dA": "Xᵀ"}, X=TALL, A=WIDE),
        _case(trace_of_three, "2.5", {"dA": "Bᵀ · Xᵀ", "dX": "Aᵀ · Bᵀ", "dB": "Xᵀ · Aᵀ"}, A=(2, 4), X=TALL, B=(3, 2)),
        _case(trace_of_transposed, "2.5", {"dX": "B · A"}, A=(2, 3), X=TALL, B=(4, 2)),
        _case(trace_with_transposed, "2.5", {"dX": "A", "dA": "X"}, X=TALL, A=TALL),
        _case(trace_transposed_last, "2.5", {"dA": "X", "dX": "A"}, A=TALL, X=TALL),
        _case(trace_by_sum, "2.5", {"dX": "A", "dA": "X"}, X=TALL, A=TALL),
        _case(trace_by_einsum, "2.5", {"dA": "Xᵀ", "dX": "Aᵀ"}, A=TALL, X=WIDE),
        _case(sum_of_entries, "an entry of each", {"dX": "1"}, X=TALL),
        _case(sum_of_product, "2.4 with ones", {"dX": "Aᵀ · 1_{n_1×n_4} · Bᵀ"}, A=(2, 4), X=TALL, B=(3, 5)),
    ],
    "Quadratic forms": [
        _case(sum_squared, "2.4", {"dX": "2 Σ_{j=1}^(n_1) Σ_{k=1}^(n_2) X_{jk}"}, X=TALL),
        _case(two_vectors, "2.4", {"dX": "X · (c · bᵀ + b · cᵀ)"}, b=(3,), X=TALL, c=(3,)),
        _case(
            shifted_form,
            "2.4",
            {"dx": "Dᵀ · Cᵀ · (B · x + b) + Bᵀ · C · (D · x + d)"},
            B=TALL,
            x=(3,),
            b=(4,),
            C=(4, 2),
            D=(2, 3),
            d=(2,),
        ),
        _case(form_of_form, "2.4", {"dX": "B · X · c · bᵀ + Bᵀ · X · b · cᵀ"}, X=TALL, B=(4, 4), b=(3,), c=(3,)),
        _case(affine_form, "2.4", {"dX": "(D + Dᵀ) · (X · b + c) · bᵀ"}, X=TALL, b=(3,), c=(4,), D=(4, 4)),
        _case(
            affine_form_by_steps,
            "2.4",
            {"dr": "(D + Dᵀ) · r", "dX": "dr · bᵀ", "db": "Xᵀ · dr", "dc": "dr", "dD": "r · rᵀ"},
            X=TALL,
            b=(3,),
            c=(4,),
            D=(4, 4),
        ),
        _case(quadratic, "2.4", {"dx": "(A + Aᵀ) · x", "dA": "x · xᵀ"}, x=(3,), A=SQUARE),
        _case(
            quadratic_function,
            "2.4",
            {"dx": "0.5(A + Aᵀ) · x − b", "dA": "0.5 x · xᵀ", "db": "−x"},
            x=(3,),
            A=SQUARE,
            b=(3,),
            c=(),
        ),
        _case(
            quadratic_of_difference,
            "2.4",
            {"dx": "(W + Wᵀ) · (x − s)", "ds": "−(W + Wᵀ) · (x − s)", "dW": "(x − s) · (x − s)ᵀ"},
            x=(3,),
            s=(3,),
            W=SQUARE,
        ),
        _case(
            quadratic_of_model,
            "2.4",
            {
                "dx": "(W + Wᵀ) · (x − A · s)",
                "dA": "−(W + Wᵀ) · (x − A · s) · sᵀ",
                "ds": "−Aᵀ · (W + Wᵀ) · (x − A · s)",
            },
            x=(4,),
            A=TALL,
            s=(3,),
            W=(4, 4),
        ),
        _case(trace_of_square, "2.5", {"dX": "2 Xᵀ"}, X=SQUARE),
        _case(trace_of_square_times, "2.5", {"dX": "Bᵀ · Xᵀ + Xᵀ · Bᵀ"}, X=SQUARE, B=SQUARE),
        _case(trace_form, "2.5", {"dX": "(B + Bᵀ) · X"}, X=TALL, B=(4, 4)),
        _case(trace_form_outside, "2.5", {"dX": "X · (B + Bᵀ)"}, X=TALL, B=SQUARE),
        _case(trace_gram_times, "2.5", {"dX": "X · (B + Bᵀ)"}, B=SQUARE, X=TALL),
        _case(trace_twice, "2.5", {"dX": "Bᵀ · Xᵀ · Aᵀ + Aᵀ · Xᵀ · Bᵀ"}, A=WIDE, X=(4, 3), B=WIDE),
        _case(trace_gram, "2.5", {"dX": "2 X"}, X=TALL),
        _case(trace_gram_inside, "2.5", {"dX": "(C + Cᵀ) · X · B · Bᵀ"}, B=(3, 2), X=TALL, C=(4, 4)),
        _case(trace_form_times, "2.5", {"dX": "Bᵀ · X · Cᵀ + B · X · C"}, X=TALL, B=(4, 4), C=SQUARE),
        _case(
            trace_sandwich,
            "2.5",
            {"dX": "C · A · X · B + Aᵀ · Cᵀ · X · Bᵀ"},
            A=(2, 4),
            X=TALL,
            B=SQUARE,
            C=(4, 2),
        ),
        _case(trace_least_squares, "2.5", {"dX": "2 Aᵀ · (A · X · B + C) · Bᵀ"}, A=(2, 4), X=TALL, B=(3, 5), C=(2, 5)),
    ],
    "Powers of a matrix": [
        _case(trace_of_cube, "2.5", {"dX": "3 Xᵀ · Xᵀ"}, X=SQUARE),
        _case(trace_of_power_times, "2.5", {"dX": "Xᵀ · Xᵀ · Aᵀ + Aᵀ · Xᵀ · Xᵀ + Xᵀ · Aᵀ · Xᵀ"}, A=SQUARE, X=SQUARE),
        _case(trace_of_gram_squared, "by 2.5", {"dX": "4 X · Xᵀ · X"}, X=TALL),
    ],
    "Norms and least squares": [
        _case(squared_frobenius, "2.7", {"dX": "2 X"}, ABSOLUTE, X=TALL),
        _case(sum_of_squares, "2.7", {"dX": "2 X"}, X=TALL),
        _case(frobenius, "by 2.7", {"dX": "X/J"}, ABSOLUTE, X=TALL),
        _case(distance, "2.6", {"dx": "(x − a)/J", "da": "−(x − a)/J"}, ABSOLUTE, x=(3,), a=(3,)),
        _case(
            least_squares,
            "2.5",
            {"dR": "2 R", "dA": "dR · Xᵀ", "dX": "Aᵀ · dR", "dB": "−dR"},
            A=(5, 4),
            X=TALL,
            B=(5, 3),
        ),
        _case(
            least_squares_at_once,
            "2.5",
            {"dA": "2(A · X − B) · Xᵀ", "dX": "2 Aᵀ · (A · X − B)", "dB": "−2(A · X − B)"},
            ABSOLUTE,
            A=(5, 4),
            X=TALL,
            B=(5, 3),
        ),
        _case(
            half_least_squares,
            "2.4",
            {"dA": "(A · x − b) · xᵀ", "dx": "Aᵀ · (A · x − b)", "db": "−(A · x − b)"},
            A=TALL,
            x=(3,),
            b=(4,),
        ),
        _case(mean_squared_error, "2.4", {"dw": "(2/n_1) Xᵀ · (X · w − y)"}, X=(5, 3), w=(3,), y=(5,)),
        _case(
            ridge,
            "2.4 and 2.6",
            {"dw": "2(λ · w + Xᵀ · (X · w − y))", "dlam": "Σ_{j=1}^(n_2) w²_j"},
            X=(5, 3),
            w=(3,),
            y=(5,),
            lam=(),
        ),
        _case(
            factorization,
            "2.5",
            {"dU": "−2(A − U · Vᵀ) · V", "dV": "−2(A − U · Vᵀ)ᵀ · U"},
            A=TALL,
            U=(4, 2),
            V=(3, 2),
        ),
        _case(
            weighted_factorization,
            "by 2.5",
            {"dU": "−2(M * M * (A − U · Vᵀ)) · V", "dV": "−2(M * M * (A − U · Vᵀ))ᵀ · U"},
            M=TALL,
            A=TALL,
            U=(4, 2),
            V=(3, 2),
        ),
        _case(procrustes, "2.5", {"dQ": "2(Q · A − B) · Aᵀ"}, Q=SQUARE, A=WIDE, B=WIDE),
        _case(orthogonality, "by 2.5", {"dW": "4 W · (Wᵀ · W − I)"}, W=TALL),
    ],
    "Quotients": [
        _case(
            rayleigh,
            "by 2.4",
            {"dA": "(x · xᵀ)/(xᵀ · x)", "dx": "((A + Aᵀ) · x − 2 J · x)/(xᵀ · x)"},
            A=SQUARE,
            x=(3,),
        ),
        _case(cosine, "by 2.4 and 2.6", {"dx": "y/(‖y‖ · ‖x‖) − (J · x)/‖x‖²"}, ABSOLUTE, x=(3,), y=(3,)),
    ],
    "Densities and models": [
        _case(
            mahalanobis,
            "2.2 and 2.4",
            {
                "dx": "(S⁻¹ + S⁻ᵀ) · (x − m)",
                "dm": "−(S⁻¹ + S⁻ᵀ) · (x − m)",
                "dS": "−S⁻ᵀ · (x − m) · (x − m)ᵀ · S⁻ᵀ",
            },
            x=(3,),
            m=(3,),
            S=SQUARE,
        ),
        _case(
            gaussian,
            "2.1, 2.2 and 2.4",
            {"dd": "0.5(S⁻¹ + S⁻ᵀ) · d", "dx": "dd", "dm": "−dd", "dS": "0.5(S⁻ᵀ − S⁻ᵀ · d · dᵀ · S⁻ᵀ)"},
            ABSOLUTE,
            x=(3,),
            m=(3,),
            S=SQUARE,
        ),
        _case(
            gaussian_by_samples,
            "2.1 and 2.2",
            {"dS": "0.5(n S⁻ᵀ − S⁻ᵀ · Xᵀ · X · S⁻ᵀ)"},
            ABSOLUTE,
            X=(5, 3),
            S=SQUARE,
        ),
        _case(
            kalman,
            "2.5",
            {"dK": "K · (R + Rᵀ) − (I − K · H) · (P + Pᵀ) · Hᵀ"},
            K=(3, 2),
            P=SQUARE,
            H=(2, 3),
            R=(2, 2),
        ),
        _case(
            linear_quadratic,
            "2.5",
            {"dclosed": "(P + Pᵀ) · closed", "dK": "(R + Rᵀ) · K − Bᵀ · dclosed"},
            K=(2, 3),
            A=SQUARE,
            B=(3, 2),
            P=SQUARE,
            Q=SQUARE,
            R=(2, 2),
        ),
        _case(
            softmax_regression,
            "the delta rule",
            {"dP": "−Y/P", "dZ": "P * (Σ_{j=1}^(n_2) Y_{·j}) − Y", "dW": "Xᵀ · dZ"},
            W=(3, 4),
            X=(5, 3),
            Y=(5, 4),
        ),
        _case(
            logistic_regression,
            "the delta rule",
            {"dz": "−(y * e^(−z*y))/(1 + e^(−z*y))", "dw": "Xᵀ · dz"},
            w=(3,),
            X=(5, 3),
            y=(5,),
        ),
        _case(
            principal_component,
            "by 2.4",
            {"dx": "2(x − (wᵀ · x) · w − (wᵀ · (x − (wᵀ · x) · w)) · w)"},
            x=(3,),
            w=(3,),
        ),
        _case(
            attention_scores,
            "2.5",
            {"dQ": "(1/√3) G · K", "dK": "(1/√3) Gᵀ · Q", "dG": "(Q · Kᵀ)/√3"},
            Q=(4, 3),
            K=(5, 3),
            G=(4, 5),
        ),
    ],
}

CASES = [case for cases in CHAPTERS.values() for case in cases]
