"""JAX as a second opinion, row by row: the value, and the derivatives to second order, of every row that has any.

Each row is applied where the table test applies it, and JAX to the same arrays.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

sys.path.append(str(Path(__file__).parent.parent))

from backproof.execution.interpret import evaluate
from backproof.ir.node import Node
from backproof.ops.arithmetic import neg
from backproof.ops.linear import transpose
from backproof.ops.row import Array, Row
from backproof.ops.vectors import matvec, outer
from frameworks.test_jax import JAX_ACTIVATIONS, JAX_LOSSES
from ops.test_table import DIFFERENTIABLE, build, gradients, weighed

Function = Callable[..., Any]


def symmetric(a: Any) -> Any:
    """The symmetric matrix whose lower triangle is given, which is all that the rows read."""
    return jnp.tril(a) + jnp.tril(a, -1).T


def like(found: Any, ours: Array) -> Any:
    """Eigenvectors or singular vectors with the signs of ours: each is as good as its opposite."""
    return found * jnp.sign(jnp.sum(jax.lax.stop_gradient(found) * ours, axis=0))


def reciprocal_gaps(w: Any) -> Any:
    gaps = w[None, :] - w[:, None]
    return jnp.where(gaps == 0, 0, 1 / jnp.where(gaps == 0, 1, gaps))


def recurrence(factors: Any, terms: Any) -> Any:
    """Each entry is its own term and the one before it times a factor."""

    def step(before: Any, both: Any) -> tuple[Any, Any]:
        entry = both[0] * before + both[1]
        return entry, entry

    return jax.lax.scan(step, jnp.zeros(len(terms)), (factors.T, terms.T))[1].T


NODES, WEIGHTS_OF_NODES = np.polynomial.legendre.leggauss(40)
"""Gauss's rule for integrals from −1 to 1."""

ROWS = 3 * np.arange(2)[:, None, None, None] + 2 * np.arange(2)[:, None]
COLUMNS = 2 * np.arange(3)[:, None, None] + np.arange(3)
"""Where windows of 2 × 3 entries lie, two rows apart inside, taken every third row and second column."""

THEIRS: Mapping[str, Function] = {
    "add": jnp.add,
    "sub": jnp.subtract,
    "neg": jnp.negative,
    "mul": jnp.multiply,
    "div": jnp.divide,
    "power": lambda a: jnp.power(a, 3.0),
    "matmul": jnp.matmul,
    "matvec": jnp.dot,
    "outer": jnp.outer,
    "einsum": lambda a, b: jnp.einsum("ij,jk->ki", a, b),
    "transpose": jnp.transpose,
    "sum": lambda a: jnp.sum(a, axis=-1, keepdims=True),
    "stretch": lambda a: jnp.broadcast_to(a, (2, 3)),
    "trace": jnp.trace,
    "scaled_identity": lambda g: g * jnp.eye(3),
    "diag": jnp.diag,
    "diagonal": jnp.diagonal,
    "diag_times": lambda d, a: jnp.diag(d) @ a,
    "tril": lambda a: jnp.tril(a, 1),
    "triu": lambda a: jnp.triu(a, 1),
    "half_triangle": lambda a: jnp.tril(a, -1) + jnp.diag(jnp.diag(a)) / 2,
    "inv": jnp.linalg.inv,
    "det": jnp.linalg.det,
    "logabsdet": lambda a: jnp.linalg.slogdet(a)[1],
    "solve": jnp.linalg.solve,
    "solvevec": jnp.linalg.solve,
    "cholesky": lambda a: jax.lax.linalg.cholesky(symmetric(a), symmetrize_input=False),
    "reciprocal_gaps": reciprocal_gaps,
    "eigenvalues": lambda a: jnp.linalg.eigvalsh(symmetric(a), symmetrize_input=False),
    "eigenvectors": lambda a: jnp.linalg.eigh(symmetric(a), symmetrize_input=False)[1],
    "singular_values": lambda a: jnp.linalg.svd(a, compute_uv=False),
    "left_vectors": lambda a: jnp.linalg.svd(a, full_matrices=False)[0],
    "right_vectors": lambda a: jnp.linalg.svd(a, full_matrices=False)[2].T,
    "expand": lambda a: jnp.expand_dims(a, -2),
    "squeeze": lambda a: jnp.squeeze(a, -2),
    "permute": lambda a: jnp.transpose(a, (2, 0, 1)),
    "reshape": lambda a: jnp.reshape(a, (3, 4)),
    "concatenate": lambda a, b: jnp.concatenate([a, b], axis=-1),
    "index": lambda a: a[1:4:2, 2],
    "unindex": lambda g: jnp.zeros((4, 3)).at[1:4:2, 2].add(g),
    "replace": lambda a, v: a.at[1:4:2, 2].set(v),
    "flip": lambda a: jnp.flip(a, -1),
    "roll": lambda a: jnp.roll(a, 2, -1),
    "take_along": lambda a, k: jnp.take_along_axis(a, k, -1),
    "put_along": lambda g, k: jnp.zeros((2, 5)).at[jnp.arange(2)[:, None], k].add(g),
    "max": lambda a: jnp.max(a, axis=-1, keepdims=True),
    "min": lambda a: jnp.min(a, axis=-1, keepdims=True),
    "var": lambda a: jnp.var(a, axis=-1, keepdims=True),
    "cumsum": lambda a: jnp.cumsum(a, axis=-1),
    "prod": lambda a: jnp.prod(a, axis=-1, keepdims=True),
    "prod_others": lambda a: jnp.prod(a, axis=-1, keepdims=True) / a,
    "cumprod": lambda a: jnp.cumprod(a, axis=-1),
    "recurrence": recurrence,
    "convolve": jnp.convolve,
    "correlate": jnp.correlate,
    "as_complex": lambda a: a.astype(complex),
    "conj": jnp.conj,
    "real": jnp.real,
    "imag": jnp.imag,
    "modulus": jnp.abs,
    "angle": jnp.angle,
    "sgn": lambda z: z / jnp.abs(z),  # JAX takes the derivative of jnp.sign for 0, also of complex numbers
    "fft": lambda z: jnp.fft.fft2(z, norm="ortho"),
    "ifft": lambda z: jnp.fft.ifft(z, axis=1),
    "doubled": lambda z: z * jnp.asarray([1, 2, 2, 1])[:, None],
    "windows": lambda a: a[:, ROWS, COLUMNS],
    "overlap_add": lambda g: jnp.zeros((2, 6, 7)).at[:, ROWS, COLUMNS].add(g),
    "exp": jnp.exp,
    "log": jnp.log,
    "sqrt": jnp.sqrt,
    "sin": jnp.sin,
    "cos": jnp.cos,
    "tan": jnp.tan,
    "atan": jnp.arctan,
    "asin": jnp.arcsin,
    "acos": jnp.arccos,
    "asinh": jnp.arcsinh,
    "acosh": jnp.arccosh,
    "atanh": jnp.arctanh,
    "atan2": jnp.arctan2,
    "sinh": jnp.sinh,
    "cosh": jnp.cosh,
    "erf": jax.scipy.special.erf,
    "erfc": jax.scipy.special.erfc,
    "erfinv": jax.scipy.special.erfinv,
    "ndtr": jax.scipy.special.ndtr,
    "log_ndtr": jax.scipy.special.log_ndtr,
    "ndtri": jax.scipy.special.ndtri,
    "gamma": jax.scipy.special.gamma,
    "gammaln": jax.scipy.special.gammaln,
    "digamma": jax.scipy.special.digamma,
    "trigamma": lambda a: jax.scipy.special.polygamma(1, a),
    "i0": jax.scipy.special.i0,
    "i1": jax.scipy.special.i1,
    "i0e": jax.scipy.special.i0e,
    "i1e": jax.scipy.special.i1e,
    "j0": lambda a: jnp.mean(jnp.cos(a[..., None] * jnp.sin(jnp.pi * (jnp.arange(60) + 0.5) / 60)), axis=-1),
    "k1.5": lambda a: jnp.sqrt(jnp.pi / (2 * a)) * jnp.exp(-a) * (1 + 1 / a),
    "erfcx": lambda a: jnp.exp(a**2) * jax.scipy.special.erfc(a),
    "dawsn": lambda a: a * (jnp.exp(a[..., None] ** 2 * ((NODES / 2 + 0.5) ** 2 - 1)) @ WEIGHTS_OF_NODES) / 2,
    "exp1": lambda a: -jnp.euler_gamma - jnp.log(a) - sum((-a) ** k / (k * math.gamma(k + 1)) for k in range(1, 40)),
    "exprel": lambda a: (jnp.exp(a) - 1) / a,
    "gammainc_2.5": lambda a: jax.scipy.special.gammainc(2.5, a),
    "gammaincc_3": lambda a: jax.scipy.special.gammaincc(3.0, a),
    "betainc_2_1.5": lambda a: jax.scipy.special.betainc(2.0, 1.5, a),
    "stdtr_4": lambda a: 0.5 + a / jnp.sqrt(4 + a**2) * (1 + 2 / (4 + a**2)) / 2,
    "log1p": jnp.log1p,
    "expm1": jnp.expm1,
    "log2": jnp.log2,
    "log10": jnp.log10,
    "hypot": jnp.hypot,
    "logaddexp": jnp.logaddexp,
    "xlogy": jax.scipy.special.xlogy,
    "abs": jnp.abs,
    "sign": jnp.sign,
    "maximum": jnp.maximum,
    "minimum": jnp.minimum,
    "pieces": lambda a, condition, b: jnp.where(condition, a, b),
    "softmax": lambda a: jax.nn.softmax(a, axis=-2),
    "log_softmax": lambda a: jax.nn.log_softmax(a, axis=-2),
    **JAX_ACTIVATIONS,
    **JAX_LOSSES,
}
"""The same function in JAX, or a few of its functions that make it up."""

NOT_COMPARED: Mapping[str, str] = {}
"""Rows that JAX has no function for, and why it cannot be made of others."""


def differing(row: Row) -> list[str]:
    """What is not as JAX has it: the value, and for each input the derivative and that of the derivative."""
    y, given = build(row)
    inputs = [x for x in given if given[x].dtype.kind in "fc"]
    fixed = {x: given[x] for x in given if x not in inputs}
    order = list(given)
    value = evaluate([y], given, {})[y]

    def theirs(*chosen: Any) -> Any:
        arrays = dict(zip(inputs, chosen, strict=True)) | fixed
        found = THEIRS[row.name](*(arrays[x] for x in order))
        return like(found, value) if row.name.endswith("vectors") else found

    point = [jnp.asarray(given[x]) for x in inputs]
    found = {"value": (value, theirs(*point))}
    derived = gradients(weighed(y, given, 1), inputs)
    weights = those_of(given)

    def slope(k: int) -> Function:
        return jax.grad(lambda *chosen: total(weights, theirs(*chosen)), k)

    for k, x in enumerate(inputs):
        found[f"by {x.symbol}"] = (value_of(derived[x], given, x), slope(k)(*point))
        j2 = weighed(derived[x], given, 10 + k)
        again = gradients(j2, inputs)
        heavier = those_of(given)
        for n, other in enumerate(inputs):
            second = jax.grad(lambda *chosen, k=k, w=heavier: total(w, slope(k)(*chosen)), n)(*point)
            ours = value_of(again[other], given, other) if other in again else np.zeros(given[other].shape)
            found[f"by {x.symbol} and {other.symbol}"] = (ours, second)
    return [what for what, (ours, second) in found.items() if not agree(ours, np.asarray(second))]


def those_of(given: Mapping[Node, Array]) -> list[Any]:
    """The weights that `weighed` drew last: of complex numbers one array for each part."""
    *_, before, last = given
    seed, part = (int(str(x.symbol).removeprefix("c")) if str(x.symbol)[0] == "c" else 0 for x in (before, last))
    return [jnp.asarray(given[x]) for x in ((before, last) if part == seed + 100 else (last,))]


def total(weights: list[Any], y: Any) -> Any:
    """The real number in which every entry of y counts differently, as in `weighed`.

    JAX's derivative by a complex number is ours: that along the real axis less i times that along the imaginary one.
    """
    parts = [jnp.real(y), jnp.imag(y)] if len(weights) > 1 else [jnp.real(y)]
    return sum(jnp.sum(w * part) for w, part in zip(weights, parts, strict=True))


def value_of(node: Node, given: Mapping[Node, Array], of: Node) -> Array:
    return np.broadcast_to(evaluate([node], dict(given), {})[node], given[of].shape)


def agree(ours: Array, theirs: Array) -> bool:
    """Whether they differ by less than 1e-9 of the largest entry. What is no number agrees with nothing."""
    assert theirs.dtype in (np.float64, np.complex128)
    largest = np.max(np.abs(theirs), initial=0) or 1.0
    return ours.shape == theirs.shape and bool(np.all(np.abs(ours - theirs) <= 1e-9 * largest))


def test_every_row_is_compared_or_listed() -> None:
    names = {row.name for row in DIFFERENTIABLE}
    assert names == (set(THEIRS) & names) | set(NOT_COMPARED)
    assert not set(THEIRS) & set(NOT_COMPARED)
    assert {name.partition("(")[0] for name in THEIRS} <= names


@pytest.mark.parametrize(
    "row", [row for row in DIFFERENTIABLE if row.name not in NOT_COMPARED], ids=lambda row: row.name
)
def test_a_row_agrees_with_jax(row: Row) -> None:
    assert differing(row) == []


def test_a_wrong_rule_is_noticed() -> None:
    wrong = replace(matvec, vjp=lambda g, y, a, b: (neg(outer(g, b)), matvec(transpose(a), g)))
    assert differing(wrong) == ["by x0", "by x0 and x1"]
