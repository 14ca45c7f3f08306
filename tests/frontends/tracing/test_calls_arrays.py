"""NumPy's functions on arrays, followed: values as the plain run gives them, derivatives as central differences do."""

# mypy: ignore-errors
from __future__ import annotations

import numpy as np
import pytest

from backproof.derivation.derive import derive
from backproof.execution.interpret import evaluate
from backproof.frontends.tracing.trace import trace
from backproof.ir.errors import TraceError

r = np.random.default_rng(0)
A, v, B = r.normal(size=(3, 4)), r.normal(size=6), r.normal(size=(2, 3, 4))
r.uniform(0.5, 2, size=4)
C, S, P = r.normal(size=(4, 2)), r.normal(size=(3, 3)), r.uniform(0.5, 2, size=(3, 4))
Z = A.copy()
Z[1, 2] = Z[0, 0] = Z[0, 1] = 0


def q(y):
    """A number in which every entry of y counts differently."""
    c = np.cos(np.arange(np.size(y))).reshape(np.shape(y))
    return np.sum(c * y * y + 0.3 * c * y)


def differences(f, x):
    """The derivative by central differences, extrapolated from two steps."""
    found = np.zeros_like(x)
    for place in np.ndindex(*x.shape):

        def slope(h, place=place):
            up, down = x.copy(), x.copy()
            up[place] += h
            down[place] -= h
            return (f(up) - f(down)) / (2 * h)

        found[place] = (4 * slope(5e-4) - slope(1e-3)) / 3
    return found


def setitem(f):
    def g(x):
        y = 2 * x
        f(y, x)
        return q(y)

    return g


def inplace(f):
    def g(x):
        y = x * x
        y = f(y, x)
        return q(y)

    return g


def s1(y, x):
    y[1] = x[0]


def s2(y, x):
    y[:, 1:3] = 0


def s3(y, x):
    y[y > 0] = 0.5


def s4(y, x):
    y[[0, 2]] = x[:1] ** 2


def s5(y, x):
    y[[0, 2], [1, 3]] += x[0, :2]


def s6(y, x):
    y[..., -1] *= 3


def s7(y, x):
    y[::-2] = x[:2]


def s8(y, x):
    y[x > 0] *= x[x > 0]


def s10(y, x):
    y[0, 0] = x[1, 1]
    y[0, 0] += 1
    y[1:2] -= y[:1]


def s12(y, x):
    y[:] = x[0]


def s13(y, x):
    y[...] = 1.0


def i1(y, x):
    y += x
    return y


def i2(y, x):
    y -= x[0]
    y *= x
    y /= P
    y **= 2
    return y


def i3(y, x):
    z = y[0]
    w = z + 1
    return w * y


def i4(y, x):
    y /= 2
    y @= np.ones((4, 4))
    return y


def plainacc2(x):
    acc = np.zeros(4)
    for k in range(3):
        acc = acc + x[k] * k
    return q(acc)


def npconst(x):
    y = np.ones((3, 4)) * x
    return q(3 - y) + q(2**x) + q(1 / (x * x + 1)) + q(-x) + q(+x) + q(abs(x))


def sort_inplace(x):
    y = x * 2
    y.sort()
    return q(y)


def view(x):
    y = x * 2
    z = y.T
    return q(z) + q(y)


def copy_write(x):
    y = x.copy()
    y[x < 0] = 0.0
    y += 1
    return q(y)


def astype_write(x):
    y = x.astype(float)
    y *= 2
    return q(y) * q(x)


def copy_sort(x):
    y = x.copy()
    y.sort(axis=0)
    return q(y)


COPIES = {"copy_write": (copy_write, A), "astype_write": (astype_write, A), "copy_sort": (copy_sort, A)}
ARRAYS = {
    "prod": (lambda x: q(np.prod(x)), A),
    "prod0": (lambda x: q(np.prod(x, axis=1)), Z),
    "prodk": (lambda x: q(x.prod(axis=0, keepdims=True)), A),
    "prodall": (lambda x: q(np.prod(x, axis=(0, 2))), B),
    "prodkd": (lambda x: q(np.prod(x, keepdims=True)), A),
    "mulreduce": (lambda x: q(np.multiply.reduce(x)), A),
    "cumprod": (lambda x: q(np.cumprod(x)), A),
    "cumprod0": (lambda x: q(np.cumprod(x, axis=1)), Z),
    "cumprod1": (lambda x: q(np.cumprod(x, axis=0)), Z),
    "flip": (lambda x: q(np.flip(x)), A),
    "fliplr": (lambda x: q(np.fliplr(x)), A),
    "flipud": (lambda x: q(np.flipud(x)), A),
    "roll": (lambda x: q(np.roll(x, 3)), A),
    "roll1": (lambda x: q(np.roll(x, (1, -1), axis=(0, 1))), A),
    "roll2": (lambda x: q(np.roll(x, 2, axis=1)), A),
    **{f"rot90{k}": (lambda x, k=k: q(np.rot90(x, k)), A) for k in range(-1, 4)},
    "rot3": (lambda x: q(np.rot90(x, 1, (1, 2))), B),
    "pad": (lambda x: q(np.pad(x, 1)), A),
    "pad2": (lambda x: q(np.pad(x, ((1, 0), (2, 3)), constant_values=1.5)), A),
    "pad3": (lambda x: q(np.pad(x, ((1, 0), (2, 3)), constant_values=((1, 2), (3, 4)))), A),
    **{
        f"pad{m}": (lambda x, m=m: q(np.pad(x, ((1, 1), (0, 2)), mode=m)), A)
        for m in ("edge", "reflect", "symmetric", "wrap")
    },
    "repeat": (lambda x: q(np.repeat(x, 2)), A),
    "repeat1": (lambda x: q(np.repeat(x, 3, axis=0)), A),
    "repeat2": (lambda x: q(x.repeat([1, 0, 2], axis=0)), A),
    "repeat3": (lambda x: q(np.repeat(x, [1, 0, 2, 1], axis=-1)), B),
    "tile": (lambda x: q(np.tile(x, 2)), A),
    "tile1": (lambda x: q(np.tile(x, (2, 1, 3))), A),
    "tile2": (lambda x: q(np.tile(x, (2, 1))), B),
    "tile3": (lambda x: q(np.tile(x[0, 0], 3)), A),
    "sort": (lambda x: q(np.sort(x)), A),
    "sort0": (lambda x: q(np.sort(x, axis=0)), A),
    "sortN": (lambda x: q(np.sort(x, axis=None)), A),
    "argsort": (lambda x: q(x[np.argsort(x)]), v),
    "argmax": (lambda x: q(x[np.argmax(x)]), v),
    "argmin": (lambda x: q(x[x.argmin()] * x), v),
    "argmax1": (lambda x: q(x[np.arange(3), x.argmax(axis=1)]), A),
    "take_along": (lambda x: q(np.take_along_axis(x, np.argsort(x, axis=0), axis=0)), A),
    "take_along2": (lambda x: q(np.take_along_axis(x, np.array([[1, 1, -1]]), axis=1)), A),
    "take_along3": (lambda x: q(np.take_along_axis(x, np.array([1, 1, -1]), axis=None)), A),
    "split": (lambda x: sum(q(p) * k for k, p in enumerate(np.split(x, 2, axis=1), 1)), A),
    "split2": (lambda x: sum(q(p) * k for k, p in enumerate(np.split(x, [2, 5]), 1)), v),
    "array_split": (lambda x: sum(q(p) * k for k, p in enumerate(np.array_split(x, 3, axis=1), 1)), A),
    "hsplit": (lambda x: sum(q(p) * k for k, p in enumerate(np.hsplit(x, 2), 1)), A),
    "hsplit1": (lambda x: sum(q(p) * k for k, p in enumerate(np.hsplit(x, 2), 1)), v),
    "vsplit": (lambda x: sum(q(p) * k for k, p in enumerate(np.vsplit(x, 3), 1)), A),
    "hstack": (lambda x: q(np.hstack([x, 2 * x, np.ones((3, 1))])), A),
    "hstack1": (lambda x: q(np.hstack([x, x[0], 1.0])), v),
    "vstack": (lambda x: q(np.vstack([x, x * x])), v),
    "vstack2": (lambda x: q(np.vstack([x, x[0]])), A),
    "column_stack": (lambda x: q(np.column_stack([x[0], x.T[:, :2], np.ones(4)])), A),
    "dstack": (lambda x: q(np.dstack([x, x * x])), A),
    "dstack1": (lambda x: q(np.dstack([x, x * x])), v),
    "atleast": (lambda x: q(np.atleast_1d(x[0])) + q(np.atleast_2d(x)) + q(np.atleast_3d(x)), v),
    "atleast2": (lambda x: sum(map(q, np.atleast_2d(x, x[0]))), A),
    "diff": (lambda x: q(np.diff(x)), A),
    "diff2": (lambda x: q(np.diff(x, n=2, axis=0, prepend=0.5, append=x[:1])), A),
    **{
        f"convolve{m}{n}": (lambda x, m=m, n=n: q(np.convolve(x[0], x[1, :n], m)), A)
        for m in ("full", "same", "valid")
        for n in (1, 2, 3, 4)
    },
    **{
        f"convrev{m}{n}": (lambda x, m=m, n=n: q(np.convolve(x[1, :n], x[0], m)), A)
        for m in ("full", "same", "valid")
        for n in (1, 2, 3, 4)
    },
    **{
        f"corr{m}{n}": (lambda x, m=m, n=n: q(np.correlate(x[0], x[1, :n], m)), A)
        for m in ("full", "same", "valid")
        for n in (1, 2, 3, 4)
    },
    **{
        f"corrrev{m}{n}": (lambda x, m=m, n=n: q(np.correlate(x[1, :n], x[0], m)), A)
        for m in ("full", "same", "valid")
        for n in (1, 2, 3, 4)
    },
    "convc": (lambda x: q(np.convolve(x, [0.2, 0.5, 0.3], "same")), v),
    "trapz": (lambda x: q(np.trapezoid(x)), A),
    "trapz0": (lambda x: q(np.trapezoid(x, dx=0.5, axis=0)), A),
    "trapzx": (lambda x: q(np.trapezoid(x * x, np.array([0, 1, 3.0]), axis=0)), A),
    "trapzxx": (lambda x: q(np.trapezoid(x * x, x, axis=0)), A),
    "trapzx3": (lambda x: q(np.trapezoid(x * x, np.array([0, 1, 3.0]), axis=1)), B),
    "average": (lambda x: q(np.average(x)), A),
    "average1": (lambda x: q(np.average(x, axis=1)), A),
    "averagew": (lambda x: q(np.average(x, axis=1, weights=x[0] ** 2)), A),
    "averagew0": (lambda x: q(np.average(x, axis=1, weights=np.array([1.0, 2, 3]))), B),
    "averagewx": (lambda x: q(np.average(x, weights=x * x)), A),
    "avk": (lambda x: q(np.average(x, axis=0, weights=x * x, keepdims=True)), A),
    "ptp": (lambda x: q(np.ptp(x)) + q(np.ptp(x, axis=0)), A),
    "median": (lambda x: q(np.median(x)), A),
    "median0": (lambda x: q(np.median(x, axis=0)), A),
    "median1": (lambda x: q(np.median(x, axis=1, keepdims=True)), A),
    "mediank": (lambda x: q(np.median(x, keepdims=True)), A),
    "median5": (lambda x: q(np.median(x[:5])), v),
    "append": (lambda x: q(np.append(x, x[0])), A),
    "append1": (lambda x: q(np.append(x, x[:1], axis=0)), A),
    "append2": (lambda x: q(np.append(x, 1.0)), v),
    "rollaxis": (lambda x: q(np.rollaxis(x, 2)), B),
    "broadcast": (lambda x: sum(map(q, np.broadcast_arrays(x, x[:1], x[0, 0]))), A),
    "full_like": (lambda x: q(x * np.full_like(x, 3.0)), A),
    "full_like2": (lambda x: q(x * np.full_like(x, x[0, 0])), A),
    "copy": (lambda x: q(np.copy(x)) + q(x.copy()), A),
    "cumulative": (
        lambda x: (
            q(np.cumulative_sum(x, axis=1))
            + q(np.cumulative_prod(x, axis=0, include_initial=True))
            + q(np.cumulative_sum(x[0], include_initial=True))
        ),
        A,
    ),
    "resize": (lambda x: q(np.resize(x, (3, 6))) + q(np.resize(x, 5)), A),
    "pad by axis": (lambda x: q(np.pad(x, {-1: (1, 2)})) + q(np.pad(x, {0: 1}, mode="edge")), A),
    "insert": (
        lambda x: (
            q(np.insert(x, 1, 5.0, axis=1))
            + q(np.insert(x, 3, x[:, 0] ** 2, axis=1))
            + q(np.insert(x, -1, x[0] ** 2, 0))
            + q(np.insert(x[0], 4, 2.0))
            + q(np.insert(x, 2, 1.0))
        ),
        A,
    ),
    "compress, extract": (lambda x: q(np.compress([True, False, True], x, axis=0)) + q(np.extract(x > 0, x)), A),
    "where1": (lambda x: q(x[np.where(x > 0)]), A),
    "fortran": (
        lambda x: (
            q(x.reshape(6, 4, order="F"))
            + q(np.ravel(x, "F"))
            + q(x.flatten("F"))
            + q(np.reshape(x, (2, -1), order="F"))
        ),
        B,
    ),
    "r_, c_": (
        lambda x: (
            q(np.r_[x[0], 1.0, x[1]])
            + q(np.r_[x, x * x])
            + q(np.c_[x, x[:, 0]])
            + q(np.c_[np.ones(3), x])
            + q(np.c_[x[0], x[1]])
        ),
        A,
    ),
    "asanyarray": (lambda x: q(np.asanyarray(x)) + q(np.ascontiguousarray(x.T)) + q(np.empty_like(x) * 0 + x), A),
    "diagflat": (lambda x: q(np.diagflat(x, 1)), A),
    "einsum of numbers": (
        lambda x: (
            q(np.einsum(x, [0, 1], x, [2, 1], [0, 2]))
            + np.einsum(x, [0, 1], x, [0, 1])
            + q(np.einsum(x, [..., 1], [1, ...]))
        ),
        A,
    ),
    "kron of any": (
        lambda x: q(np.kron(x[0], x)) + q(np.kron(x, x[0])) + q(np.kron(B, x)) + q(np.kron(2.0, x)) + q(np.kron(x, B)),
        A,
    ),
    "cond": (
        lambda x: (
            np.linalg.cond(x)
            + np.linalg.cond(x[:, :3], -2)
            + np.linalg.cond(x[:, :3], 1)
            + np.linalg.cond(x[:, :3], "fro")
            + np.linalg.cond(x[:, 1:], np.inf)
        ),
        A,
    ),
    "pinv with rcond": (lambda x: q(np.linalg.pinv(x, rcond=1e-8)) + q(np.linalg.pinv(x.T, rtol=1e-9)), A),
    "eigh of the upper triangle": (lambda x: q(np.linalg.eigh(x[:, :3] + 0 * x[:, 1:], "U")[0]), A),
    "real": (lambda x: q(np.real(x)) + q(x.real) + q(np.conj(x)), A),
    "isnan": (lambda x: q(np.where(np.isnan(x), 0.0, x)), A),
    "and": (lambda x: q(np.where(np.logical_and(x > 0, x < 1), x, 2 * x)), A),
    "amp": (lambda x: q(np.where((x > 0) & (x < 1) | ~(x > -1), x, 2 * x)), A),
    "any": (lambda x: q(x) if np.any(x > 0) and not (x > 9).all() else q(2 * x), A),
    "count": (lambda x: q(x) * np.count_nonzero(x > 0), A),
    "searchsorted": (lambda x: q(x[: np.searchsorted(np.array([0, 1, 2.0]), x[0] ** 2)]), v + 2),
    "mask": (lambda x: q(x[x > 0]), A),
    "nonzero": (lambda x: q(x[np.nonzero(x > 0)]), A),
}
BASIC = {
    **{f"set{k}": (setitem(f), A) for k, f in enumerate([s1, s2, s3, s4, s5, s6, s7, s8, s10, s12, s13], 1)},
    **{f"inpl{k}": (inplace(f), A) for k, f in enumerate([i1, i2, i3, i4], 1)},
    "sum": (
        lambda x: q(np.sum(x)) + q(x.sum(axis=0)) + q(np.sum(x, axis=(0, -1), keepdims=True)) + q(np.add.reduce(x)),
        B,
    ),
    "mean": (lambda x: q(np.mean(x)) + q(x.mean(1)) + q(np.mean(x, axis=-1, keepdims=True)), B),
    "max": (
        lambda x: q(np.max(x)) + q(x.max(axis=1)) + q(np.amax(x, axis=(0, 2), keepdims=True)) + q(np.maximum.reduce(x)),
        B,
    ),
    "min": (lambda x: q(np.min(x)) + q(x.min(axis=1)) + q(np.amin(x, axis=(0, 2), keepdims=True)), B),
    "maxs": (lambda x: q(np.maximum(x, 0.1)) + q(np.maximum(x, x[::-1] * 2)) + q(np.minimum(x, x[0])), A),
    "var": (lambda x: q(np.var(x)) + q(x.var(axis=1)) + q(np.var(x, axis=(0, 2), keepdims=True, ddof=1)), B),
    "std": (lambda x: q(np.std(x)) + q(x.std(axis=1)) + q(np.std(x, axis=0, keepdims=True, ddof=1)), A),
    "where": (
        lambda x: (
            q(np.where(x > 0, x, x * x))
            + q(np.where(np.array([1, 0, 1, 0], bool), x, 0))
            + q(np.where(x[0] > 0.1, x, 1.0))
        ),
        A,
    ),
    "where2": (lambda x: q(np.where(x > 0, np.sum(x), x)), A),
    "where3": (lambda x: np.sum(np.where(x * 1.0, 2.0, 3.0) * np.sum(x)), A),
    "where4": (lambda x: np.sum(np.where(x, np.sum(x), 3.0)), A),
    "clip": (
        lambda x: (
            q(np.clip(x, -0.5, 0.5))
            + q(x.clip(0))
            + q(np.clip(x, None, 0.3))
            + q(np.clip(x, a_min=-0.2, a_max=None))
            + q(np.clip(x, x[0] - 1, 1))
        ),
        A,
    ),
    "clipm": (lambda x: q(np.clip(x, min=-0.2, max=0.4)), A),
    "einsum": (
        lambda x: (
            q(np.einsum("ij,jk->ik", x, C))
            + q(np.einsum("ij->j", x))
            + q(np.einsum("ij,ij", x, x))
            + q(np.einsum("ij,jk,ik->k", x, C, x @ C))
        ),
        A,
    ),
    "einsum3": (lambda x: q(np.einsum("bij->jb", x)) + q(np.einsum("bij,bkj->bik", x, x)), B),
    "einsumE": (lambda x: q(np.einsum("...ij,jk->...ik", x, C)), B),
    "idx": (lambda x: q(x[0]) + q(x[-1]) + q(x[1, 2]) + q(x[-1, -2]) + q(x[0][1]), A),
    "idx2": (lambda x: q(x[1:]) + q(x[:, ::2]) + q(x[::-1]) + q(x[:, ::-1]) + q(x[2:0:-1, 1:-1]), A),
    "idx3": (lambda x: q(x[[0, 2, 0]]) + q(x[[0, 1], [2, 3]]) + q(x[:, [1, 1]]) + q(x[np.array([[0, 1], [2, 2]])]), A),
    "idx4": (
        lambda x: q(x[x > 0]) + q(x[np.array([True, False, True])]) + q(x[:, np.array([True, False, True, True])]),
        A,
    ),
    "idx5": (
        lambda x: q(x[None]) + q(x[:, None]) + q(x[..., None]) + q(x[None, 0, :, None]) + q(x[..., 0]) + q(x[0, ...]),
        A,
    ),
    "idx6": (
        lambda x: (
            q(x[:, 0, [1, 2]]) + q(x[0, :, [1, 2]]) + q(x[[0, 1], :, [1, 2]]) + q(x[..., [0, 1]]) + q(x[[0, 1], ...])
        ),
        B,
    ),
    "idx7": (lambda x: q(x[np.int64(1)]) + q(x[slice(None), 1]) + q(x[()]), A),
    "idx9": (lambda x: q(x[np.array(1)]) + q(x[-3:]) + q(x[-2:2]) + q(x[5:0:-1]), A),
    "idx10": (lambda x: q(x[np.ix_([0, 2], [1, 3])]), A),
    "idx11": (lambda x: q(x[[-1, -2]]), A),
    "idx12": (lambda x: q(x[np.array([[True, False, True, False]] * 3)]), A),
    "concat": (
        lambda x: (
            q(np.concatenate([x, x * x]))
            + q(np.concatenate([x, np.ones((3, 1))], axis=1))
            + q(np.concatenate([x, x[0:1]], axis=None))
            + q(np.concatenate((x, x), -1))
        ),
        A,
    ),
    "stack": (
        lambda x: (
            q(np.stack([x, x * x]))
            + q(np.stack([x, x], axis=-1))
            + q(np.stack([x[0, 0], x[1, 1], 2.0]))
            + q(np.stack([x, x], 1))
        ),
        A,
    ),
    "reshape": (
        lambda x: (
            q(x.reshape(-1))
            + q(x.reshape(2, 6))
            + q(np.reshape(x, (4, -1)))
            + q(x.reshape((6, 2)))
            + q(np.ravel(x))
            + q(x.flatten())
            + q(x.ravel())
        ),
        A,
    ),
    "axes": (
        lambda x: (
            q(np.swapaxes(x, 0, 2))
            + q(np.moveaxis(x, 0, -1))
            + q(np.moveaxis(x, [0, 1], [1, 2]))
            + q(x.transpose(1, 0, 2))
            + q(x.transpose((2, 0, 1)))
            + q(x.T)
            + q(np.transpose(x, (0, 2, 1)))
            + q(x.swapaxes(-1, 0))
            + q(x.mT)
        ),
        B,
    ),
    "squeeze": (
        lambda x: (
            q(np.squeeze(x[:, None]))
            + q(x[None, :, None].squeeze(0))
            + q(np.expand_dims(x, (0, -1)))
            + q(np.expand_dims(x, 1))
        ),
        A,
    ),
    "take": (
        lambda x: (
            q(np.take(x, [0, 3]))
            + q(np.take(x, 1, axis=0))
            + q(x.take([1, 1, 0], axis=1))
            + q(np.take(x, [[0, 1], [1, 0]], axis=-1))
            + q(np.take(x, -1, axis=0))
        ),
        A,
    ),
    "cumsum": (lambda x: q(np.cumsum(x)) + q(x.cumsum(axis=0)) + q(np.cumsum(x, -1)), A),
    "matmul": (
        lambda x: (
            q(x @ C)
            + q(x[0] @ C)
            + q(x @ C[:, 0])
            + q(x[0] @ x[1])
            + q(np.dot(x, C))
            + q(x.dot(C))
            + q(np.inner(x[0], x[1]))
            + q(np.vdot(x[0], x[1]))
            + q(np.outer(x[0], x[1]))
            + q(np.outer(x, x[0]))
        ),
        A,
    ),
    "inner2": (lambda x: q(np.inner(x, x)), A),
    "vdot2": (lambda x: q(np.vdot(x, x)), A),
    "dot3": (lambda x: q(np.dot(x, C)), B),
    "dot33": (lambda x: q(np.dot(x, np.moveaxis(x, 1, 2)[:, :, :2])), B),
    "mm3": (lambda x: q(x @ C) + q(x @ x[0].T) + q(np.matmul(x, np.swapaxes(x, 1, 2))), B),
    "mv3": (lambda x: q(x @ C[:, 0]), B),
    "vm3": (lambda x: q(C[:3, 0] @ x), B),
    "bcast": (
        lambda x: (
            q(np.broadcast_to(x[0], (3, 4)))
            + q(np.broadcast_to(x[:, :1], (2, 3, 5)))
            + q(np.zeros_like(x) + np.ones_like(x) * x)
        ),
        A,
    ),
    "power": (
        lambda x: (
            q(x**2)
            + q(x**3)
            + q(abs(x) ** 1.5)
            + q(np.square(x))
            + q(2.0**x)
            + q((x * x + 1) ** x)
            + q(np.power(x, 2))
            + q(x**-1.0)
            + q(x ** np.array(2))
            + q(x**0)
        ),
        A + 3,
    ),
    "elem": (
        lambda x: q(
            np.exp(x)
            + np.log(x)
            + np.sqrt(x)
            + np.sin(x)
            + np.cos(x)
            + np.tan(x / 4)
            + np.arctan(x)
            + np.sinh(x)
            + np.cosh(x)
            + np.tanh(x)
            + np.abs(x)
            + np.sign(x)
            + np.reciprocal(x)
        ),
        P,
    ),
    "cmp": (lambda x: q((x > 0) * x + (x >= 1) * 1.0 + (x < 0) * x * x + (x == 1) + (x != 1) * 2 + (x <= 0)), A),
    "iter": (lambda x: sum(q(row) * k for k, row in enumerate(x)), A),
    "unpack": (lambda x: (lambda a, b, c: q(a * b + c))(*x), A),
    "len": (lambda x: q(x) / len(x) / x.shape[1] / x.size / x.ndim, A),
    "scalar": (lambda x: q(x[0, 0] * 3) + np.sum(x[0, 0]) + np.mean(x[0, 0]) + q(np.max(x[0, 0])), A),
    "npscal": (lambda x: np.float64(2.0) * q(x) + np.array(3.0) * q(x) + np.float32(2) * q(x), A),
    "minloop": (lambda x: q(max(x[0, 0], x[0, 1])) + q(min(x[0])) + sum(x[0]), A),
    "intarr": (lambda x: q(x * np.arange(4)) + q(np.arange(3) @ x) + q(x // 1 if False else x), A),
    "ldiv": (lambda x: q(np.true_divide(x, P)) + q(np.divide(P, x + 9)), A),
}


@pytest.mark.parametrize(
    ("f", "x"), [pytest.param(*case, id=name) for name, case in {**ARRAYS, **BASIC, **COPIES}.items()]
)
def test_value_and_derivative(f, x) -> None:
    program = trace(f, {"x": x})
    (output,) = program.graph.outputs
    (step,) = [step for step in derive(program.graph).backward if str(step.of.symbol) == "x"]
    values = evaluate([output, step.node], {n: np.asarray(n.attrs["value"]) for n in program.graph.inputs}, {})
    assert values[output] == pytest.approx(f(x.copy()), rel=1e-12)
    expected = differences(f, x)
    np.testing.assert_allclose(values[step.node], expected, rtol=1e-7, atol=1e-7 * max(1.0, np.abs(expected).max()))


@pytest.mark.parametrize("f", [lambda x: q(np.unique(x, axis=0)), lambda x: q(np.pad(x, 1, mode="mean"))])
def test_what_is_refused(f) -> None:
    with pytest.raises(TraceError):
        trace(f, {"x": A})
