"""NumPy's functions of linear algebra in traced code: their derivatives against central differences and closed forms.

The differences are of the NumPy function itself, so they know nothing of the rules or of the handlers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backproof.derivation.derive import derive
from backproof.execution.interpret import evaluate
from backproof.frontends.tracing.trace import trace
from backproof.ir.errors import TraceError
from backproof.ops.row import Array
from backproof.write.math_unicode import linear
from backproof.write.spell import spell

Loss = Callable[..., Any]
STEP = 1e-3


def drawn(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape)


def regular(n: int, seed: int = 0) -> Array:
    """A matrix that is far from having no inverse."""
    return drawn(n, n, seed=seed) + 3 * np.eye(n)


def positive(n: int, seed: int = 0) -> Array:
    """A symmetric, positive definite matrix."""
    a = drawn(n, n, seed=seed)
    return a @ a.T + n * np.eye(n)


WEIGHTS = {size: np.random.default_rng(99).uniform(0.5, 1.5, size) for size in range(1, 61)}


def weighed(y: Any) -> Any:
    """A number in which every entry counts differently, so that no entry's error can hide."""
    return np.sum(y * WEIGHTS[y.size].reshape(y.shape))


def gradients(f: Loss, **values: Array) -> dict[str, Array]:
    """The derived gradients of `f` by every argument, after checking that the graph gives the value of `f`."""
    program = trace(f, values, wrt=list(values))
    derivation = derive(program.graph)
    (result,) = program.graph.outputs
    known = {node: node.attrs["value"] for node in program.graph.inputs}
    found = evaluate([*(step.node for step in derivation.backward), result], known, {})
    np.testing.assert_allclose(found[result], f(**values), rtol=1e-12)
    return {str(s.of.symbol): found[s.node] for s in derivation.backward if s.of in program.graph.parameters}


def differences(f: Loss, name: str, values: dict[str, Array]) -> Array:
    """Central differences at two steps, combined (Richardson)."""
    result = np.zeros_like(values[name])

    def moved(place: tuple[int, ...], by: float) -> float:
        changed = values[name].copy()
        changed[place] += by
        return float(f(**{**values, name: changed}))

    for place in np.ndindex(*result.shape):
        wide, narrow = ((moved(place, h) - moved(place, -h)) / (2 * h) for h in (STEP, STEP / 2))
        result[place] = (4 * narrow - wide) / 3
    return result


def agree(f: Loss, **values: Array) -> None:
    derived = gradients(f, **values)
    assert set(derived) == set(values)
    for name in values:
        expected = differences(f, name, values)
        np.testing.assert_allclose(derived[name], expected, rtol=1e-7, atol=1e-8 * np.abs(expected).max())


@pytest.mark.parametrize(
    "f",
    [
        lambda A: np.trace(A @ A),
        lambda A: np.trace(A * A, offset=1),
        lambda A: (A * A).trace(-2),
        lambda A: weighed(np.diagonal(A * A)),
        lambda A: weighed(np.diagonal(A * A, offset=-1)),
        lambda A: weighed((A * A).diagonal(2)),
        lambda A: weighed(np.diag(A * A)),
        lambda A: weighed(np.diag(A[0] * A[1])),
        lambda A: weighed(np.diag(A[0] * A[1], k=2)),
        lambda A: weighed(np.diag(A[0] * A[1], k=-1)),
        lambda A: weighed(np.tril(A @ A)),
        lambda A: weighed(np.tril(A @ A, -1)),
        lambda A: weighed(np.triu(A @ A)),
        lambda A: weighed(np.triu(A @ A, k=1)),
        lambda A: weighed(np.linalg.inv(A)),
        lambda A: np.linalg.det(A),
        lambda A: np.linalg.det(A @ A.T) ** 0.5,
        lambda A: np.linalg.slogdet(A)[1],
        lambda A: np.prod(np.shape(A)) * np.linalg.slogdet(-A)[0] * np.linalg.slogdet(A @ A)[1],
        lambda A: weighed(np.linalg.matrix_power(A, 5)),
        lambda A: weighed(np.linalg.matrix_power(A, -3)),
        lambda A: weighed(A @ np.linalg.matrix_power(A, 0)),
        lambda A: weighed(np.linalg.pinv(A)),
        lambda A: weighed(np.linalg.pinv(A[:, :2])),
        lambda A: weighed(np.linalg.pinv(A[:2])),
        lambda A: weighed(np.linalg.cholesky(A @ A.T)),
        lambda A: weighed(np.linalg.cholesky(A @ A.T, upper=True)),
        lambda A: weighed(np.linalg.matrix_transpose(A)),
        lambda A: np.linalg.trace(A * A),
        lambda A: weighed(np.linalg.diagonal(A * A)),
    ],
)
def test_functions_of_a_matrix(f: Loss) -> None:
    agree(f, A=regular(4))


@pytest.mark.parametrize("shape", [(3, 5), (5, 3)])
@pytest.mark.parametrize("offset", [-2, -1, 0, 1, 2])
def test_diagonals_of_a_matrix_that_is_not_square(shape: tuple[int, int], offset: int) -> None:
    agree(lambda A: weighed(np.diagonal(A * A, offset)), A=drawn(*shape))
    agree(lambda A: np.trace(A * A, offset), A=drawn(*shape))


@pytest.mark.parametrize(
    "f",
    [
        lambda A: weighed(np.linalg.inv(A)),
        lambda A: weighed(np.linalg.det(A)),
        lambda A: weighed(np.linalg.slogdet(A)[1]),
        lambda A: weighed(np.linalg.cholesky(A @ np.swapaxes(A, -1, -2))),
        lambda A: weighed(np.linalg.solve(A, A * A)),
        lambda A: weighed(np.trace(A * A)),
        lambda A: weighed(np.trace(A * A, axis1=-2, axis2=-1)),
        lambda A: weighed(np.diagonal(A * A, 1, 0, 2)),
        lambda A: weighed(np.linalg.diagonal(A * A)),
        lambda A: weighed(np.tril(A * A)),
    ],
)
def test_many_matrices_at_once(f: Loss) -> None:
    agree(f, A=np.stack([regular(3, seed) for seed in range(3)]))


@pytest.mark.parametrize(
    ("f", "shape"),
    [
        (lambda A, b: weighed(np.linalg.solve(A, b)), (3,)),
        (lambda A, b: weighed(np.linalg.solve(A, b)), (3, 2)),
        (lambda A, b: weighed(np.linalg.solve(A, b)), (4, 3, 2)),
        (lambda A, b: weighed(np.linalg.solve(np.stack([A, A.T]), b)), (3,)),
        (lambda A, b: b @ np.linalg.solve(A @ A.T, b) + np.linalg.slogdet(A @ A.T)[1], (3,)),
    ],
)
def test_equations(f: Loss, shape: tuple[int, ...]) -> None:
    agree(f, A=regular(3), b=drawn(*shape, seed=1))


@pytest.mark.parametrize(
    ("f", "shape"),
    [
        (lambda x: np.linalg.norm(x), (4,)),
        (lambda x: np.linalg.norm(x), (3, 4)),
        (lambda x: np.linalg.norm(x), (2, 3, 4)),
        (lambda x: np.linalg.norm(x, "fro"), (3, 4)),
        (lambda x: np.linalg.norm(x, 2), (4,)),
        (lambda x: np.linalg.norm(x, 1), (4,)),
        (lambda x: np.linalg.norm(x, 3), (4,)),
        (lambda x: np.linalg.norm(x, 2.5), (4,)),
        (lambda x: np.linalg.norm(x, np.inf), (4,)),
        (lambda x: np.linalg.norm(x, -np.inf), (4,)),
        (lambda x: np.linalg.norm(x, 2), (3, 4)),
        (lambda x: np.linalg.norm(x, -2), (4, 3)),
        (lambda x: np.linalg.norm(x, "nuc"), (3, 4)),
        (lambda x: weighed(np.linalg.norm(x, 2, axis=(0, 1))), (3, 4, 2)),
        (lambda x: weighed(np.linalg.norm(x, "nuc", axis=(0, 2), keepdims=True)), (2, 3, 4)),
        (lambda x: np.linalg.norm(x, 1), (3, 4)),
        (lambda x: np.linalg.norm(x, -1), (3, 4)),
        (lambda x: np.linalg.norm(x, np.inf), (3, 4)),
        (lambda x: np.linalg.norm(x, -np.inf), (3, 4)),
        (lambda x: weighed(np.linalg.norm(x, axis=0)), (3, 4)),
        (lambda x: weighed(np.linalg.norm(x, axis=1, keepdims=True) * x), (3, 4)),
        (lambda x: weighed(np.linalg.norm(x, 1, axis=(2, 0))), (2, 3, 4)),
        (lambda x: weighed(np.linalg.norm(x, np.inf, axis=(1, 2), keepdims=True)), (2, 3, 4)),
        (lambda x: weighed(np.linalg.vector_norm(x, axis=1, ord=1)), (3, 4)),
        (lambda x: np.linalg.vector_norm(x), (3, 4)),
        (lambda x: weighed(np.linalg.matrix_norm(x)), (2, 3, 4)),
    ],
)
def test_norms(f: Loss, shape: tuple[int, ...]) -> None:
    agree(f, x=drawn(*shape))


@pytest.mark.parametrize(
    ("f", "a", "b"),
    [
        (lambda a, b: weighed(np.kron(a, b)), (3,), (2,)),
        (lambda a, b: weighed(np.kron(a, b)), (2, 3), (4, 2)),
        (lambda a, b: weighed(np.tensordot(a, b, 1)), (2, 3), (3, 4)),
        (lambda a, b: weighed(np.tensordot(a, b, axes=(0, 0))), (3, 2), (3, 4)),
        (lambda a, b: np.tensordot(a, b), (3, 2), (3, 2)),
        (lambda a, b: weighed(np.tensordot(a, b, 0)), (3,), (2, 2)),
        (lambda a, b: weighed(np.tensordot(a, b, axes=([2, 0], [0, -1]))), (2, 3, 4), (4, 5, 2)),
        (lambda a, b: weighed(np.cross(a, b)), (3,), (3,)),
        (lambda a, b: weighed(np.cross(a, b)), (4, 3), (3,)),
        (lambda a, b: weighed(np.linalg.cross(a, b)), (4, 3), (4, 3)),
        (lambda a, b: weighed(np.linalg.matmul(a, b)), (2, 3), (3, 4)),
        (lambda a, b: weighed(np.linalg.outer(a, b)), (2,), (3,)),
        (lambda a, b: weighed(np.linalg.multi_dot([a, b, b.T])), (2, 3), (3, 4)),
        (lambda a, b: weighed(np.linalg.multi_dot([a, b, b.T])), (3,), (3, 4)),
        (lambda a, b: weighed(np.linalg.multi_dot([a.T, a, b])), (4, 3), (3,)),
        (lambda a, b: np.linalg.multi_dot([b, a, a.T, b]), (3, 4), (3,)),
    ],
)
def test_products(f: Loss, a: tuple[int, ...], b: tuple[int, ...]) -> None:
    agree(f, a=drawn(*a), b=drawn(*b, seed=1))


def eigen_loss(A: Any) -> Any:
    values, vectors = np.linalg.eigh(A)
    return weighed(values * values) + weighed(vectors)


def singular_loss(A: Any) -> Any:
    left, values, right = np.linalg.svd(A, full_matrices=False)
    return weighed(left) + weighed(values * values) + weighed(right)


@pytest.mark.parametrize(
    "f",
    [
        eigen_loss,
        lambda A: eigen_loss(A @ A.T),
        lambda A: weighed(np.linalg.eigvalsh(A)),
        lambda A: weighed(np.linalg.eigvalsh(A, UPLO="U")),
        lambda A: np.log(np.linalg.eigvalsh(A @ A.T)[-1]),
        lambda A: eigen_loss(np.stack([A, A @ A.T])),
        singular_loss,
        lambda A: singular_loss(A[:3]),
        lambda A: singular_loss(A[:, :2]),
        lambda A: singular_loss(np.stack([A, A @ A])),
        lambda A: weighed(np.linalg.svd(A)[0]),
        lambda A: weighed(np.linalg.svd(A, compute_uv=False)),
        lambda A: weighed(np.linalg.svdvals(A[:2])),
    ],
)
def test_eigenvalues_and_singular_values(f: Loss) -> None:
    agree(f, A=regular(4))


def test_eigenvalues_that_are_equal_are_noted() -> None:
    program = trace(lambda A: np.sum(np.linalg.eigvalsh(A)), {"A": np.eye(3)})
    assert "two eigenvalues are equal" in program.notes[0]
    assert not trace(lambda A: np.sum(np.linalg.eigvalsh(A)), {"A": positive(3)}).notes
    # Their sum has a derivative all the same: that of the trace.
    np.testing.assert_allclose(gradients(lambda A: np.sum(np.linalg.eigvalsh(A)), A=np.eye(3))["A"], np.eye(3))


def test_the_matrix_cookbook() -> None:
    a, b = regular(4), drawn(4, 4, seed=2)
    inverse = np.linalg.inv(a)

    def same(f: Loss, expected: Array) -> None:
        np.testing.assert_allclose(gradients(f, A=a)["A"], expected, rtol=1e-11)

    same(lambda A: np.linalg.det(A), np.linalg.det(a) * inverse.T)
    same(lambda A: np.linalg.slogdet(A)[1], inverse.T)
    same(lambda A: np.trace(A @ b), b.T)
    same(lambda A: np.trace(np.linalg.inv(A) @ b), -(inverse @ b @ inverse).T)
    same(lambda A: np.trace(A @ A @ A), 3 * (a @ a).T)
    same(lambda A: np.linalg.norm(A), a / np.linalg.norm(a))
    same(lambda A: np.trace(np.linalg.solve(A, b)), -inverse.T @ b.T @ inverse.T)


def test_only_the_lower_triangle_of_a_symmetric_matrix_has_a_derivative() -> None:
    agree(lambda A: weighed(np.linalg.cholesky(A)), A=positive(4))
    found = gradients(lambda A: weighed(np.linalg.cholesky(A)), A=positive(4))["A"]
    np.testing.assert_array_equal(np.triu(found, 1), 0)


def inverse_of(A: Any, W: Any) -> Any:
    Y = np.linalg.inv(A)
    return np.sum(Y * W)


def equations(A: Any, b: Any, c: Any) -> Any:
    x = np.linalg.solve(A, b)
    return c @ x


def factor(S: Any, W: Any) -> Any:
    L = np.linalg.cholesky(S)
    return np.sum(L * W)


@pytest.mark.parametrize(
    ("f", "shapes", "by", "expected"),
    [
        (lambda A: np.linalg.slogdet(A)[1], {"A": (3, 3)}, "A", "A⁻ᵀ"),
        (lambda A: np.linalg.det(A), {"A": (3, 3)}, "A", "J · A⁻ᵀ"),
        (inverse_of, {"A": (3, 3), "W": (3, 3)}, "A", "−Yᵀ · dY · Yᵀ"),
        (equations, {"A": (3, 3), "b": (3,), "c": (3,)}, "b", "A⁻ᵀ · dx"),
        (equations, {"A": (3, 3), "b": (3,), "c": (3,)}, "A", "−A⁻ᵀ · dx · xᵀ"),
        (factor, {"S": (3, 3), "W": (3, 3)}, "S", "Φ(L⁻ᵀ · (Φ(Lᵀ · dL) + Φ(Lᵀ · dL)ᵀ) · L⁻¹)"),
    ],
)
def test_derivatives_are_written_as_books_print_them(
    f: Loss, shapes: dict[str, tuple[int, ...]], by: str, expected: str
) -> None:
    values = {name: positive(3) if shape == (3, 3) else drawn(*shape) for name, shape in shapes.items()}
    derivation = derive(trace(f, values).graph)
    (step,) = (s for s in derivation.backward if str(s.of.symbol) == by)
    assert linear(spell(step.raw)) == expected


SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])


@pytest.mark.parametrize(
    ("f", "value", "message"),
    [
        (lambda A: np.linalg.det(A), SINGULAR, "no inverse"),
        (lambda A: np.linalg.slogdet(A)[1], SINGULAR, "no inverse"),
        (lambda A: np.sum(np.linalg.pinv(A)), SINGULAR, "without full rank"),
        (lambda A: np.sum(np.linalg.svd(A[:1])[0]), np.eye(2), "beyond the singular values"),
        (lambda A: np.sum(np.linalg.svd(A, hermitian=True)[1]), np.eye(2), "hermitian is not followed"),
        (lambda A: np.sum(np.linalg.pinv(A, rcond=0.9)), regular(2), "without full rank"),
        (lambda A: np.linalg.norm(A, 7), np.eye(2), "Invalid norm order"),
        (lambda A: np.linalg.norm(A[0], 0), np.eye(2), "entries that are not 0"),
        (lambda A: np.sum(np.tril(A[0])), np.eye(2), "triangle of a vector"),
        (lambda A: np.sum(np.cross(A, A, axis=0)), np.eye(3), "last axis"),
        (lambda A: np.trace(A, dtype=float), np.eye(3), "dtype is not followed"),
    ],
)
def test_what_cannot_be_followed_is_refused(f: Loss, value: Array, message: str) -> None:
    with pytest.raises((TraceError, ValueError), match=message):
        trace(f, {"A": value})
