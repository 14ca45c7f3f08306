"""NumPy's functions of entries, samples and series, followed: values as NumPy's, derivatives as by differences."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backproof.derivation.derive import derive
from backproof.execution.interpret import evaluate
from backproof.frontends.tracing.trace import trace
from backproof.ir.errors import TraceError
from backproof.ops.row import Array

rng = np.random.default_rng(3)
A, B = rng.normal(size=(3, 4)), rng.normal(size=(2, 3, 4))
U, P = rng.uniform(-0.9, 0.9, (3, 4)), rng.uniform(0.5, 2.5, (3, 4))
M, TALL, SQUARE = A > 0, rng.normal(size=(5, 3)), rng.normal(size=(3, 3, 3))
HOLES = np.where(A > 1, np.nan, A)


def q(y: Any) -> Any:
    """A number in which every entry of y counts differently."""
    c = np.cos(np.arange(np.size(y))).reshape(np.shape(y))
    return np.sum(c * y * y + 0.3 * c * y)


def added(x: Any) -> Any:
    y = 2 * x
    np.add.at(y, ([0, 0, 2], [1, 1, 3]), x[:, 0] ** 2)
    np.add.at(y, 1, x[0])
    return q(y)


def quietly(function: Callable[[Any], Any], x: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(x)


def written(x: Any) -> Any:
    y = np.zeros((3, 4))
    np.copyto(y, x)
    np.copyto(y, x**2, where=y > 0.5)
    np.fill_diagonal(y, x[0, :3])
    np.put(y, [3, -1], x[1])
    np.putmask(y, x < -1, 0.5)
    np.putmask(y, np.roll(M, 1), x[::-1])
    np.place(y, np.roll(M, 2), x[:2, 1] * x[1, 0])
    y[0].partition(2)
    z = x * x
    z.fill(x[0, 0])
    return q(y) + q(z)


def like_plain_arrays(x: Any) -> Any:
    y, z, u = np.zeros_like(A), np.ones_like(A), np.empty_like(A)
    y += x
    z[0] = x[1]
    u[:] = x**2
    assert np.zeros_like(A, dtype=int).dtype.kind == "i"
    return q(y) + q(z) + q(u)


def solved(solution: Any, residuals: Any, rank: Any, values: Any) -> Any:
    return q(solution) + q(residuals) + q(values) + rank


CASES: dict[str, tuple[Callable[[Any], Any], Array]] = {
    "arcsin, arccos, arctanh": (lambda x: q(np.arcsin(x)) + q(np.arccos(x)) + q(np.arctanh(x)), U),
    "arcsinh, arccosh": (lambda x: q(np.arcsinh(x)) + q(np.arccosh(x + 0.6)), P),
    "arctan2": (lambda x: q(np.arctan2(x, A)) + q(np.arctan2(A, x)), P),
    "floor, ceil, trunc, fix, rint, round": (
        lambda x: (
            q(x * np.floor(x) + x * np.ceil(x) - np.trunc(x) * x + np.fix(x) * np.rint(x) * x)
            + q(x * np.round(x, 1))
            + q(x * x.round())
            + q(x * np.around(100 * x, -1))
        ),
        A,
    ),
    "remainder": (lambda x: q(x % 0.7) + q(np.mod(5.0, x)) + q(np.fmod(x, 0.7)) + q(x * (x // 0.7)), P),
    "divmod": (lambda x: (lambda whole, rest: q(whole * x) + q(rest))(*np.divmod(x, 0.4)), P),
    "cbrt, exp2, fabs": (lambda x: q(np.cbrt(x)) + q(np.cbrt(x * x)) + q(np.exp2(x)) + q(np.fabs(x)), A),
    "degrees": (lambda x: q(np.deg2rad(x) + np.radians(x)) + q(np.rad2deg(x) + np.degrees(x)), A),
    "logaddexp2, copysign": (lambda x: q(np.logaddexp2(x, A)) + q(np.copysign(x, A[::-1])), A),
    "copysign of zeros": (
        lambda x: (
            q(np.copysign(x, -0.0))
            + q(np.copysign(x, 3))
            + q(np.copysign(x, np.where(M, 0.0, -0.0)))
            + q(np.copysign(x, x))
            + q(np.copysign(x, x * np.where(M, 0.0, -0.0)))
        ),
        A,
    ),
    "heaviside": (lambda x: q(x * np.heaviside(x, 0.5)) + q(np.heaviside(0.0, x)), A),
    "select": (lambda x: q(np.select([x > 1, x < 0], [x**2, -x], 0.5)) + q(np.select([M], [x])), A),
    "choose": (lambda x: q(np.choose(M.astype(int), [x, x * x])), A),
    "fmax, fmin": (lambda x: q(np.fmax(x, 0.2)) + q(np.fmin(x, B[0])), A),
    "nansum, nanmean": (lambda x: q(np.nansum(x + HOLES, axis=0)) + q(np.nanmean(x + HOLES, axis=1)), A),
    "nanmean of all, nanvar, nanstd": (
        lambda x: np.nanmean(x + HOLES) + q(np.nanvar(x + HOLES, axis=1, keepdims=True)) + np.nanstd(HOLES + x, ddof=1),
        A,
    ),
    "cov": (lambda x: q(np.cov(x)) + q(np.cov(x, rowvar=False, bias=True)) + np.cov(x[0]), A),
    "corrcoef": (lambda x: q(np.corrcoef(x)) + q(np.corrcoef(x[0], x[1])), A),
    "quantile": (
        lambda x: q(np.quantile(x, 0.3, axis=1)) + q(np.quantile(x, [0.1, 1.0], axis=(0, 2))) + np.quantile(x, 0.5),
        B,
    ),
    "percentile": (lambda x: q(np.percentile(x, 40, axis=0, keepdims=True)) + np.percentile(x, 100), A),
    "ediff1d": (lambda x: q(np.ediff1d(x)), A),
    "gradient": (lambda x: q(np.gradient(x, axis=1)) + sum(q(y) for y in np.gradient(x, 0.1, 0.5)), A),
    "gradient of two": (lambda x: q(np.gradient(x[0, :2], 0.3)), A),
    "interp": (
        lambda x: (
            q(np.interp(x, [-1.0, 0.1, 0.7, 1.0], [2.0, 0.3, -1.0, 4.0]))
            + q(np.interp([-3, 0.2, 0.3, 0.9], [0, 0.25, 0.5, 1], x[0]))
            + np.interp(x[0, 0], [-5.0, 5.0], x[1, :2])
        ),
        A,
    ),
    "polyval": (
        lambda x: q(np.polyval(x[0], A)) + q(np.polyval([1.0, 2.0, -0.5], x)) + q(np.polyval(x[:, 0], x[1])),
        A,
    ),
    "vander": (lambda x: q(np.vander(x[0])) + q(np.vander(x[1], 3, increasing=True)), A),
    "vecdot, matvec": (
        lambda x: (
            q(np.vecdot(x, A)) + q(np.linalg.vecdot(x, A, axis=0)) + q(np.matvec(x, A[0])) + q(np.matvec(B, x[1]))
        ),
        A,
    ),
    "matrix_transpose, unstack, delete": (
        lambda x: q(np.matrix_transpose(x)) + q(np.unstack(x, axis=1)[2]) + q(np.delete(x, 1, axis=0)),
        A,
    ),
    "qr": (lambda x: (lambda o, r: q(o) + q(r))(*np.linalg.qr(x)) + q(np.linalg.qr(x, mode="r")), TALL),
    "lstsq": (
        lambda x: solved(*np.linalg.lstsq(x, TALL[:, :2] ** 2)),
        TALL + 0.1,
    ),
    "lstsq of a vector": (lambda x: (lambda s, left, *_: q(s) + q(left))(*np.linalg.lstsq(TALL, x[:, 0])), TALL + 0.1),
    "add.at": (added, A),
    "a letter twice": (
        lambda x: (
            q(np.einsum("iij->ij", x))
            + q(np.einsum("iii->i", x))
            + np.einsum("ii", x[0])
            + q(np.einsum("iji,jk", x, A))
        ),
        SQUARE,
    ),
    "new axes and arrays": (
        lambda x: (
            q(x[[0, 2], None])
            + q(x[:, None, [1, 3, 3]])
            + q(x[[0, 1], None, [2, 3]])
            + q(x[None, M])
            + q(x[..., None, [0]])
        ),
        A,
    ),
    "block, conj": (
        lambda x: (
            q(np.block([[x, x * x], [A, x]])) + q(np.block([x[0], 1.0])) + q(np.block([[B], [B * x]])) + q(x.conj())
        ),
        A,
    ),
    "modf, ldexp, sinc": (
        lambda x: q(np.modf(x)[0]) + q(np.ldexp(x, 3)) + q(np.sinc(x)) + q(np.sinc(x - x[:1])),
        A,
    ),
    "nan_to_num": (lambda x: q(np.nan_to_num(x)) + q(np.nan_to_num(x + HOLES, nan=0.3)), A),
    "nanmax, nanmin, nanprod, nancumsum, nancumprod": (
        lambda x: (
            q(np.nanmax(x + HOLES, axis=0))
            + q(np.nanmin(HOLES + x))
            + q(np.nanprod(x + HOLES, axis=1))
            + q(np.nancumsum(x + HOLES))
            + q(np.nancumprod(x + HOLES, axis=1))
            + q(np.nanmax(x, axis=1))
        ),
        A,
    ),
    "nanmedian, nanquantile, nanpercentile": (
        lambda x: q(np.nanmedian(x, axis=0)) + np.nanquantile(x, 0.4) + q(np.nanpercentile(x, [20, 60], axis=1)),
        A,
    ),
    "cov and corrcoef of two": (
        lambda x: q(np.cov(x, A**2)) + q(np.cov(x[0], x[1])) + q(np.cov(x, A, rowvar=False)) + q(np.corrcoef(x, A**2)),
        A,
    ),
    "gradient at places": (
        lambda x: (
            q(np.gradient(x[0], [0.0, 1, 3, 4.5]))
            + q(np.gradient(x, [0.0, 1, 3], 0.5)[0])
            + q(np.gradient(x[0] ** 2, np.cumsum(np.exp(x[1]))))
            + q(np.gradient(x[0, :2], [0.0, 2]))
        ),
        A,
    ),
    "linspace, logspace, geomspace": (
        lambda x: (
            q(np.linspace(x[0, 0], 3.0, 5))
            + q(np.linspace(x[0], x[1], 4, endpoint=False))
            + q(np.logspace(x[0, 0], x[0, 1], 4))
            + q(np.geomspace(np.exp(x[0, 0]), np.exp(x[0, 1]), 3))
        ),
        U,
    ),
    "meshgrid": (
        lambda x: (
            sum(q(y) * (1 + k) for k, y in enumerate(np.meshgrid(x[0], x[1, :3], x[2, :2])))
            + sum(q(y) for y in np.meshgrid(x[0], x[1], indexing="ij", sparse=True))
        ),
        A,
    ),
    "unwrap": (lambda x: q(np.unwrap(4 * x, axis=0)) + q(np.unwrap(9 * x[0], period=5.0)), A),
    "bincount": (lambda x: q(np.bincount([0, 2, 2, 1], weights=x[0], minlength=5)) * np.bincount([1, 1])[1], A),
    "polyfit": (lambda x: q(np.polyfit([0.0, 1, 2, 4], x[0], 2)) + q(np.polyfit(x[1], x[2], 1)), A),
    "polyder, polyint, polymul, polyadd, polysub": (
        lambda x: (
            q(np.polyder(x[0]))
            + q(np.polyder(x[0], 2))
            + q(np.polyint(x[0], k=0.5))
            + q(np.polymul(x[0], x[1]))
            + q(np.polyadd(x[0], x[1, :2]))
            + q(np.polysub(x[0, :1], x[1]))
        ),
        A,
    ),
    "sum, max, min with where and initial": (
        lambda x: (
            q(np.sum(x, axis=1, where=M))
            + np.sum(x**2, initial=2.0)
            + q(np.max(x, axis=0, initial=0.3))
            + q(np.min(x, axis=1, where=M, initial=0.5))
            + q(np.mean(x, axis=0, dtype=float))
        ),
        A,
    ),
    "vecmat": (lambda x: q(np.vecmat(x[:, 0], x)) + q(np.vecmat(A[0, :3], B * x)), A),
    "outer and accumulate of ufuncs": (
        lambda x: (
            q(np.multiply.outer(x, x[0]))
            + q(np.add.outer(x[0], 1.0))
            + q(np.subtract.outer(x[0], x[:, 1]))
            + q(np.add.accumulate(x))
            + q(np.multiply.accumulate(x, axis=1))
        ),
        A,
    ),
    "lists of numbers": (
        lambda x: (
            np.sum([x[0, 0] ** 2, x[0, 1]])
            + np.mean((x[0], x[1] ** 2))
            + q(np.mean([x, x * x], axis=0))
            + np.max([x[0, 0], x[0, 1]])
            + np.var([x[0, 0], x[0, 1]])
            + np.std((x[0, 2], x[0, 1]))
            + np.median([x[1, 0], x[0, 1], 0.2])
            + np.linalg.norm([x[0, 0], x[1, 1]])
            + np.linalg.det([[x[0, 0], 2.0], [x[1, 0], x[1, 1]]])
            + np.dot([x[0, 0], x[0, 1]], [1.0, 2.0])
            + q(np.concatenate([[x[0, 0], 1.0], [x[1, 1]]]))
            + q(x[:, 0] * [x[0, 0], 1.0, x[1, 1]] + ([2.0, x[0, 0], x[0, 0]] - x[:, 1]))
            + q(np.where(x[:, 0] > 0, [x[0, 0], 1.0, x[1, 1]], x[:, 1]))
            + q(np.asanyarray([x[0, 0], 1.0]))
            + q(np.ascontiguousarray(x.T))
        ),
        A,
    ),
    "writes": (written, A),
    "zeros_like of plain arrays": (like_plain_arrays, A),
    "partition": (
        lambda x: (
            q(np.partition(x, 1)) + q(np.partition(x, 1, axis=0)) + q(np.partition(x, [2, 5], axis=None)) + x.flat[5]
        ),
        A,
    ),
    "running extremes": (
        lambda x: (
            q(np.maximum.accumulate(x)) + q(np.minimum.accumulate(B * x, axis=1)) + q(np.maximum.accumulate(x, axis=-1))
        ),
        A,
    ),
    "unique": (
        lambda x: (
            q(np.unique(x))
            + q(np.unique(x[0], return_counts=True)[0])
            + q(np.unique(np.concatenate([x[0], x[0]]), return_inverse=True)[0])
        ),
        A,
    ),
    "median over several axes": (
        lambda x: (
            q(np.median(x, axis=(0, 2)))
            + q(np.median(x, axis=(1,)))
            + q(np.median(x, axis=(2, 0), keepdims=True))
            + np.median(x, axis=(0, 1, 2))
        ),
        B,
    ),
    "questions": (
        lambda x: (
            q(x.astype(np.result_type(x, A)))
            * (x.nbytes + x.itemsize + x.strides[0] + x.flags["C_CONTIGUOUS"] + np.shares_memory(x, B))
        ),
        A,
    ),
    "arguments by name": (
        lambda x: q(np.sum(a=x, axis=0)) + np.mean(a=x) + q(np.transpose(a=x)) + q(np.clip(a=x, a_min=0, a_max=1)),
        A,
    ),
}


def differences(f: Callable[[Any], Any], x: Array) -> Array:
    """The derivative by central differences, extrapolated from two steps."""
    found = np.zeros_like(x)
    for place in np.ndindex(*x.shape):
        step = np.zeros_like(x)
        step[place] = 5e-4
        near, far = ((f(x + k * step) - f(x - k * step)) / (1e-3 * k) for k in (1, 2))
        found[place] = (4 * near - far) / 3
    return found


@pytest.mark.parametrize("name", CASES)
def test_value_and_derivative(name: str) -> None:
    f, x = CASES[name]
    program = trace(f, {"x": x})
    (output,) = program.graph.outputs
    (step,) = [step for step in derive(program.graph).backward if str(step.of.symbol) == "x"]
    values = evaluate([output, step.node], {n: np.asarray(n.attrs["value"]) for n in program.graph.inputs}, {})
    assert values[output] == pytest.approx(f(x), rel=1e-12)
    expected = differences(f, x)
    np.testing.assert_allclose(values[step.node], expected, rtol=1e-7, atol=1e-8 * max(1.0, np.abs(expected).max()))


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: np.piecewise(x, [x > 0], [lambda z: z, 0]), "np.where or np.select"),
        (lambda x: np.apply_along_axis(np.sum, 0, x), "which calls it with plain arrays"),
        (lambda x: np.quantile(x, 0.5, method="nearest"), 'method="linear"'),
        (lambda x: np.gradient(x, edge_order=2), "one spacing for each axis"),
        (lambda x: np.fmax(x, np.nan), "missing values"),
        (lambda x: np.linalg.qr(x), "at least as many rows"),
        (lambda x: np.nanmedian(x + HOLES), "leave them out first"),
        (lambda x: quietly(np.nanmax, x[0] * np.nan), "all entries are missing"),
        (lambda x: np.polyfit(x[0], x[1], 1, w=x[0]), "np.linalg.lstsq"),
        (lambda x: np.linalg.eigvals(x @ x.T), "np.linalg.eigvalsh"),
        (lambda x: np.cov(x, fweights=[1, 2, 1, 1]), "cov with these arguments is not followed"),
    ],
)
def test_what_is_refused(f: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(TraceError, match=message):
        trace(lambda x: np.sum(f(x)), {"x": A})
