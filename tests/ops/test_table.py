"""Every row of the rule table: its shape, its derivative to second order, its entry form, its texts.

The second opinion is the complex step, which knows a row's NumPy meaning and none of its rules. Where complex numbers
take part it has no place, and extrapolated central differences are taken instead, along the real and along the
imaginary axis: of functions of two real numbers each. The last tests flip signs in the table and expect these checks to
fail, so that they are known to assert something.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy

from backproof.derivation.sweep import sweep
from backproof.execution.explain import Reader
from backproof.execution.interpret import evaluate
from backproof.ir.node import Node, ancestors
from backproof.ir.sizes import ONE, Size
from backproof.ir.symbol import Symbol
from backproof.ops.arithmetic import add, mul, neg
from backproof.ops.complexes import ComplexNodes, imag, real
from backproof.ops.entries import elementwise_entry, entry_of
from backproof.ops.leaves import constant, input_, variable
from backproof.ops.linear import total
from backproof.ops.row import Array, Row
from backproof.ops.scalar import ScalarRow
from backproof.ops.table import FAMILIES, ROWS

STEP = 1e-20
WIDEST, LEVELS = 2.0**-6, 5
"""The steps of central differences: the widest, and how many halves of it. They leave an error of 1e-12 or so."""
TURNS = np.exp(-2j * np.pi * np.outer(np.arange(4), np.arange(4)) / 4)
NUMPY = {
    "add": np.add,
    "sub": np.subtract,
    "neg": np.negative,
    "mul": np.multiply,
    "div": np.divide,
    "matmul": np.matmul,
    "transpose": np.transpose,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "atan": np.arctan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "atan2": np.arctan2,
    "floor": np.floor,
    "ceil": np.ceil,
    "trunc": np.trunc,
    "rint": np.rint,
    "whole": np.trunc,
    "floor_divide": np.floor_divide,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "abs": np.abs,
    "sign": np.sign,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "less": np.less,
    "less_equal": np.less_equal,
    "pieces": lambda a, condition, b: np.where(condition, a, b),
    "power": lambda a: a * a * a,
    "sum": lambda a: np.sum(a, axis=-1, keepdims=True),
    "matvec": np.dot,
    "outer": np.outer,
    "einsum": lambda a, b: (a @ b).T,
    "expand": lambda a: a[..., None, :],
    "squeeze": lambda a: a[:, 0],
    "permute": lambda a: np.moveaxis(a, -1, 0),
    "reshape": lambda a: np.array(a.ravel().tolist()).reshape(3, 4),
    "concatenate": lambda a, b: np.hstack([a, b]),
    "index": lambda a: np.array([a[1, 2], a[3, 2]]),
    "unindex": lambda g: np.array([[0, 0, 0], [0, 0, g[0]], [0, 0, 0], [0, 0, g[1]]]),
    "max": lambda a: np.sort(a)[:, -1:],
    "min": lambda a: np.sort(a)[:, :1],
    "var": lambda a: np.var(a, axis=-1, keepdims=True),
    "cumsum": lambda a: a @ np.triu(np.ones((4, 4))),
    "flip": lambda a: a[:, ::-1],
    "roll": lambda a: np.hstack([a[:, 3:], a[:, :3]]),
    "argsort": lambda a: (a[:, None, :] < a[:, :, None]).sum(axis=-1).argsort(axis=-1),
    "take_along": lambda a, k: np.array([row[at] for row, at in zip(a, k, strict=True)]),
    "put_along": lambda g, k: np.einsum("ij,ijn->in", g, np.eye(5)[k]),
    "prod": lambda a: np.multiply.reduce(a, axis=1, keepdims=True),
    "prod_others": lambda a: a.prod(axis=1, keepdims=True) / a,
    "cumprod": lambda a: np.multiply.accumulate(a, axis=1),
    "recurrence": lambda c, b: np.array(
        [np.linalg.solve(np.eye(4) - np.diag(k[1:], -1), x) for k, x in zip(c, b, strict=True)]
    ),
    "windows": lambda a: np.array(
        [[[a[n, y : y + 3 : 2, x : x + 3] for x in (0, 2, 4)] for y in (0, 3)] for n in (0, 1)]
    ),
    "overlap_add": lambda g: sum(
        np.pad(
            [[w[0], [0] * 3, w[1]] for w in g[:, y, x]],
            ((0, 0), (3 * y, 3 - 3 * y), (2 * x, 4 - 2 * x)),
        )
        for y in (0, 1)
        for x in (0, 1, 2)
    ),
    "as_complex": lambda a: a + 0j,
    "conj": lambda z: z.real - 1j * z.imag,
    "real": lambda z: (z + np.conj(z)) / 2,
    "imag": lambda z: (z - np.conj(z)) / 2j,
    "modulus": lambda z: np.hypot(z.real, z.imag),
    "angle": lambda z: np.log(z).imag,
    "sgn": lambda z: np.exp(1j * np.arctan2(z.imag, z.real)),
    "fft": lambda z: (
        np.einsum("jk,nkl,pl->njp", TURNS, z, np.exp(-2j * np.pi * np.outer(range(3), range(3)) / 3)) / np.sqrt(12)
    ),
    "ifft": lambda z: np.einsum("jk,nkl->njl", np.conj(TURNS), z) / 4,
    "doubled": lambda z: np.concatenate([z[:, :1], z[:, 1:3] + z[:, 1:3], z[:, 3:]], axis=1),
    "convolve": np.convolve,
    "correlate": lambda a, v: np.correlate(a, np.conj(v)),  # which NumPy takes the conjugate of
    "equal": np.equal,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "log2": np.log2,
    "log10": np.log10,
    "hypot": np.hypot,
    "logaddexp": np.logaddexp,
    "replace": lambda a, v: np.array([a[0], [*a[1, :2], v[0]], a[2], [*a[3, :2], v[1]]]),
    "not_equal": np.not_equal,
    "stretch": lambda a: np.repeat(a, 3, axis=-1),
    "trace": np.trace,
    "scaled_identity": lambda g: g * np.eye(3),
    "diag": np.diag,
    "diagonal": np.diag,
    "diag_times": lambda d, a: np.diag(d) @ a,
    "tril": lambda a: np.tril(a, 1),
    "triu": lambda a: np.triu(a, 1),
    "half_triangle": lambda a: np.tril(a, -1) + np.diag(np.diag(a)) / 2,
    "inv": np.linalg.inv,
    "det": np.linalg.det,
    "logabsdet": lambda a: np.log(abs(np.linalg.det(a))),
    "solve": lambda a, b: np.linalg.inv(a) @ b,
    "solvevec": lambda a, b: np.linalg.inv(a) @ b,
    "cholesky": np.linalg.cholesky,
    "reciprocal_gaps": lambda w: np.array([[0 if a == b else 1 / (b - a) for b in w] for a in w]),
    "eigenvalues": np.linalg.eigvalsh,
    "eigenvectors": lambda a: np.linalg.eigh(a)[1],
    "singular_values": lambda a: np.linalg.svd(a)[1],
    "left_vectors": lambda a: np.linalg.svd(a, full_matrices=False)[0],
    "right_vectors": lambda a: np.linalg.svd(a, full_matrices=False)[2].T,
}
"""What NumPy itself has under another roof."""


def reference(row: Row, y: Node, values: dict[Node, Array]) -> Array:
    """The value of a row by other means: NumPy, the body of a composite, or a definition read by mpmath."""
    if row.name in NUMPY:
        return np.asarray(NUMPY[row.name](*values.values()))
    if row.body is not None:
        body = row.body(*values, **y.attrs)
        return evaluate([body], values, {})[body]
    assert isinstance(row, ScalarRow)
    numbers = np.broadcast_arrays(*values.values())
    expr, symbols = row.scalar.expr, sympy.symbols(row.scalar.arguments, real=True)
    found = [
        float(expr.evalf(30, subs=dict(zip(symbols, place, strict=True))))
        for place in zip(*(array.ravel() for array in numbers), strict=True)
    ]
    return np.reshape(found, numbers[0].shape)


COMPUTED = [row for row in ROWS if row.kind not in ("leaf", "entry")]
DIFFERENTIABLE = [row for row in COMPUTED if row.kind != "zero"]


def build(row: Row, seed: int = 7, *, complex_numbers: bool = False) -> tuple[Node, dict[Node, Array]]:
    """The row applied to inputs drawn from its domain; with `complex_numbers`, also where that is a real one."""
    rng = np.random.default_rng(seed)
    values: dict[Node, Array] = {}
    for k, domain in enumerate(row.domain):
        shape = tuple(ONE if n == 1 else Size(str(n), n) for n in domain.shape)
        array = rng.uniform(domain.low, domain.high, domain.shape)
        if complex_numbers or domain.complex_numbers:
            array = array + 1j * rng.uniform(-1, 1, domain.shape)
        values[input_(symbol=Symbol(f"x{k}"), shape=shape, value=array)] = array
    if row.name == "pieces":
        condition = list(values)[1]
        values[condition] = values[condition] > 0.5
    if row.name in ("take_along", "put_along"):
        places = list(values)[1]
        values[places] = values[places].astype(int)
    if row.name == "cholesky":
        (x,) = values
        values[x] = values[x] @ values[x].T + np.eye(3)  # positive definite
    return row(*values, **(row.attrs or {})), values


def complex_step(j: Node, values: dict[Node, Array], x: Node) -> Array:
    """dj/dx for a scalar node j."""
    base = values[x]
    copies = np.repeat(base.ravel()[None].astype(complex), base.size, axis=0)
    copies[np.arange(base.size), np.arange(base.size)] += 1j * STEP
    result = evaluate([j], {**values, x: copies.reshape(base.size, *base.shape)}, {})[j]
    return np.broadcast_to(np.imag(result) / STEP, (base.size,)).reshape(base.shape)


def differences(j: Node, values: dict[Node, Array], x: Node) -> Array:
    """dj/dx for a scalar node j, by central differences with halved steps, extrapolated to no step.

    By complex numbers it is the derivative along the real axis, less i times that along the imaginary axis.
    """
    base = values[x]
    result = np.zeros(base.shape, dtype=base.dtype)
    for axis, factor in ((1, 1), (1j, -1j)) if base.dtype.kind == "c" else ((1, 1),):
        row: list[Array] = []
        for level in range(LEVELS):
            h = WIDEST / 2**level
            new = [(moved(j, values, x, axis * h) - moved(j, values, x, -axis * h)) / (2 * h)]
            for k, old in enumerate(row):
                new.append(new[k] + (new[k] - old) / (4 ** (k + 1) - 1))
            row = new
        result = result + factor * row[-1].reshape(base.shape)
    return result


def moved(j: Node, values: dict[Node, Array], x: Node, step: complex) -> Array:
    """j with each entry of x in turn moved by a step."""
    base = values[x]
    copies = np.repeat(base.ravel()[None], base.size, axis=0)
    copies[np.arange(base.size), np.arange(base.size)] += step
    result = evaluate([j], {**values, x: copies.reshape(base.size, *base.shape)}, {})[j]
    return np.broadcast_to(result, (base.size,))


def slope(j: Node, values: dict[Node, Array], x: Node) -> tuple[Array, float]:
    """dj/dx by the best second opinion there is, and how far it can be trusted."""
    complexes = ComplexNodes()
    if any(node in complexes for node in ancestors([j])):
        return differences(j, values, x), 1e-12
    return complex_step(j, values, x), 1e-13


def weighed(y: Node, values: dict[Node, Array], seed: int) -> Node:
    """A scalar in which every entry of y counts differently, so that no entry's error can hide."""
    if y in ComplexNodes():
        return add(weighed(real(y), values, seed), weighed(imag(y), values, seed + 100))
    sizes = [size.value or 1 for size in y.shape]
    weights = variable(Symbol(f"c{seed}"), y.shape)
    values[weights] = np.random.default_rng(seed).uniform(0.5, 1.5, sizes)
    return total(mul(weights, y), tuple(range(-len(y.shape), 0)), keepdims=False)


def gradients(j: Node, inputs: list[Node]) -> dict[Node, Node]:
    return {g.of: g.raw for g in sweep(j, constant(1), inputs, lambda g: g.raw)}


def check_meaning(row: Row) -> None:
    y, values = build(row)
    value = evaluate([y], values, {})[y]
    assert value.shape == tuple(size.value for size in y.shape)
    np.testing.assert_allclose(value, reference(row, y, values), rtol=1e-14, atol=1e-15)
    # Many evaluations at once, as the gradient check makes them, are the same as one by one.
    many = evaluate([y], {x: np.stack([array, array]) for x, array in values.items()}, {})[y]
    np.testing.assert_array_equal(many, np.stack([value, value]))


def check_derivative(row: Row, *, complex_numbers: bool = False) -> None:
    y, values = build(row, complex_numbers=complex_numbers)
    inputs = [x for x in values if values[x].dtype.kind in "fc"]
    j = weighed(y, values, 1)
    derived = gradients(j, inputs)
    assert set(derived) == set(inputs)
    for k, x in enumerate(inputs):
        first = evaluate([derived[x]], values, {})[derived[x]]
        expected, error = slope(j, values, x)
        np.testing.assert_allclose(np.broadcast_to(first, values[x].shape), expected, rtol=100 * error, atol=error)
        j2 = weighed(derived[x], values, 10 + k)
        again = gradients(j2, inputs)
        for other in inputs:
            expected, error = slope(j2, values, other)
            second = evaluate([again[other]], values, {})[again[other]] if other in again else np.zeros(())
            found = np.broadcast_to(second, expected.shape)
            np.testing.assert_allclose(found, expected, rtol=1000 * error, atol=10 * error)


def check_entries(row: Row) -> None:
    y, values = build(row)
    y = y.named(Symbol("y"))
    value = evaluate([y], values, {})[y]
    reader = Reader({str(x.symbol): array for x, array in values.items()}, {})
    for place in np.ndindex(*value.shape):
        spelled = tuple(None if size == ONE else k + 1 for size, k in zip(y.shape, place, strict=True))
        np.testing.assert_allclose(reader.value(entry_of(y, spelled)), value[place], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("row", COMPUTED, ids=lambda row: row.name)
def test_meaning_and_shape(row: Row) -> None:
    check_meaning(row)


@pytest.mark.parametrize("row", DIFFERENTIABLE, ids=lambda row: row.name)
def test_derivative_to_second_order(row: Row) -> None:
    check_derivative(row)


OF_COMPLEX = [
    *("add", "sub", "neg", "mul", "div", "power", "matmul", "matvec", "outer", "einsum", "transpose", "sum", "stretch"),
    *("trace", "diag", "diagonal", "tril", "triu", "inv", "det", "solve", "solvevec", "expand", "squeeze", "permute"),
    *("reshape", "concatenate", "index", "unindex", "replace", "flip", "roll", "cumsum", "prod", "cumprod"),
    *("windows", "overlap_add", "convolve", "correlate", "exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh"),
    *("tanh", "log1p", "expm1", "log2", "log10"),
]
"""Rows of real numbers that code may also use on complex ones, where their rules must be as right."""


@pytest.mark.parametrize("row", [row for row in ROWS if row.name in OF_COMPLEX], ids=lambda row: row.name)
def test_derivative_of_complex_numbers(row: Row) -> None:
    y, values = build(row, complex_numbers=True)
    value = evaluate([y], values, {})[y]
    expected = reference(row, y, values) if row.name in NUMPY else row.meaning(*values.values())
    np.testing.assert_allclose(value, expected, rtol=1e-13, atol=1e-14)
    check_derivative(row, complex_numbers=True)


@pytest.mark.parametrize("row", COMPUTED, ids=lambda row: row.name)
def test_entry_form(row: Row) -> None:
    check_entries(row)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_texts(row: Row) -> None:
    assert row.about.endswith(".")
    if row.kind in ("leaf", "entry", "zero"):
        assert row.vjp is None
        assert row.body is None
        return
    assert len(row.domain) > 0
    assert len(row.reasons) == len(row.domain)
    for reason in row.reasons:
        assert reason.endswith(".")
        assert "{" not in reason.format(x="x", y="y", dx="dx", dy="dy", other="o", turned="t")


def test_names_are_unique() -> None:
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
    assert all(FAMILIES.values())


@pytest.mark.parametrize("row", [r for r in DIFFERENTIABLE if r.vjp], ids=lambda row: row.name)
def test_a_flipped_sign_in_a_rule_is_noticed(row: Row) -> None:
    for k in range(len(row.domain)):

        def flipped(g: Node, y: Node, *inputs: Node, k: int = k) -> tuple[Node | None, ...]:
            assert row.vjp is not None
            found = list(row.vjp(g, y, *inputs))
            found[k] = None if found[k] is None else neg(found[k])
            return tuple(found)

        _, values = build(row)
        if values[list(values)[k]].dtype.kind not in "fc" or row.name == "sign":
            continue  # a condition or a place has no derivative, and that of sign is 0 with either sign
        with pytest.raises(AssertionError):
            check_derivative(replace(row, vjp=flipped))


@pytest.mark.parametrize("row", [r for r in DIFFERENTIABLE if r.body], ids=lambda row: row.name)
def test_a_flipped_sign_in_a_body_is_noticed(row: Row) -> None:
    body = row.body
    assert body is not None
    with pytest.raises(AssertionError):
        check_derivative(replace(row, body=lambda z, **attrs: neg(body(z, **attrs))))


@pytest.mark.parametrize("row", COMPUTED, ids=lambda row: row.name)
def test_a_flipped_sign_in_a_meaning_is_noticed(row: Row) -> None:
    def wrong(*arrays: Array, **attrs: object) -> Array:
        value = row.meaning(*arrays, **attrs)
        return ~value if value.dtype == bool else -value

    with pytest.raises(AssertionError):
        check_meaning(replace(row, meaning=wrong))


@pytest.mark.parametrize("row", [r for r in COMPUTED if r.entry is not elementwise_entry], ids=lambda row: row.name)
def test_a_flipped_sign_in_an_entry_form_is_noticed(row: Row) -> None:
    with pytest.raises(AssertionError):
        check_entries(replace(row, entry=lambda *arguments: neg(row.entry(*arguments))))
