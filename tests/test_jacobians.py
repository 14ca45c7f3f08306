"""Jacobians and Hessians: the textbook's formulas, and values against what knows none of their rules."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import resources
from typing import Any

import jsonschema
import numpy as np
import pytest

import backproof as bp
from backproof import autograd
from backproof.derivation.derivation import Derivation, Jacobian
from backproof.execution.explain import Reader
from backproof.execution.trace import Trace
from backproof.ops.entries import put_in
from backproof.write.math_unicode import linear
from backproof.write.spell import spell

Array = np.ndarray[Any, Any]
SCHEMA = json.loads(resources.files("backproof").joinpath("write/templates/derivation.schema.json").read_text("utf-8"))
rng = np.random.default_rng(11)


def normal(*shape: int) -> Array:
    return rng.normal(size=shape)


def logistic(w: Array, X: Array, y: Array) -> Any:
    z = X @ w
    p = 1 / (1 + np.exp(-z))
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def quadratic(x: Array, A: Array) -> Any:
    return x @ A @ x


def log_sum_exp(x: Array) -> Any:
    return np.log(np.sum(np.exp(x)))


def least_squares(w: Array, X: Array, y: Array) -> Any:
    r = X @ w - y
    return np.mean(r**2)


def ridge(w: Array, X: Array, y: Array) -> Any:
    return np.sum((X @ w - y) ** 2) + 0.1 * np.sum(w**2)


def poisson(w: Array, X: Array, y: Array) -> Any:
    eta = X @ w
    return np.sum(np.exp(eta) - y * eta)


def length(x: Array) -> Any:
    return np.linalg.norm(x)


def entropy(p: Array) -> Any:
    return -np.sum(p * np.log(p))


def square_of_sum(x: Array) -> Any:
    return np.sum(x) ** 2


def bell(x: Array, A: Array) -> Any:
    return np.exp(-x @ A @ x / 2)


def hidden(x: Array, W: Array, b: Array) -> Any:
    return np.sum(np.tanh(W @ x + b) ** 2)


def cubes(W: Array) -> Any:
    return np.sum(W**3)


def squares(W: Array, X: Array) -> Any:
    return np.sum((W @ X) ** 2)


def log_determinant(A: Array) -> Any:
    return np.log(np.linalg.det(A))


def stacked(T: Array) -> Any:
    return np.sum(np.sin(T) * T)


def one_number(w: Array) -> Any:
    return np.exp(w) * w


def rosenbrock(x: Array) -> Any:
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rectified(w: Array, X: Array) -> Any:
    return np.sum(np.maximum(X @ w, 0))


def inner(w: Array, c: Array) -> Any:
    return w @ c


def scores(W: Array, X: Array, Y: Array) -> Any:
    Z = X @ W
    P = np.exp(Z) / np.sum(np.exp(Z), axis=1, keepdims=True)
    return -np.mean(np.sum(Y * np.log(P), axis=1))


DATA = {"w": normal(3), "X": normal(5, 3), "y": np.array([0.0, 1.0, 1.0, 0.0, 1.0])}

HESSIANS: list[tuple[Callable[..., Any], Mapping[str, Any], str, str | None, str | None]] = [
    (logistic, DATA, "w", "(1/n_2) Xᵀ · diag(p * (1 − p)) · X", None),
    (quadratic, {"x": normal(3), "A": normal(3, 3)}, "x", "A + Aᵀ", "a_{jk} + a_{kj}"),
    (log_sum_exp, {"x": normal(4)}, "x", "diag(dx) − dx · dxᵀ", "dx_j · (δ_{jk} − dx_k)"),
    (least_squares, DATA, "w", "(2/n_2) Xᵀ · X", "(2/n_2) Σ_{p=1}^(n_2) x_{pj} · x_{pk}"),
    (ridge, DATA, "w", "2 Xᵀ · X + 0.2 · I", "0.2 δ_{jk} + 2 Σ_{p=1}^(n_2) x_{pj} · x_{pk}"),
    (poisson, DATA, "w", "Xᵀ · diag(e^η) · X", "Σ_{p=1}^(n_2) x_{pj} · x_{pk} · e^(η_p)"),
    (length, {"x": normal(3)}, "x", "1/J · I − (dx · xᵀ)/J²", "(δ_{jk} · J − dx_j · x_k)/J²"),
    (entropy, {"p": np.abs(normal(3))}, "p", "−diag(1/p)", "−δ_{jk}/p_j"),
    (square_of_sum, {"x": normal(3)}, "x", "2 · 1_n · 1ᵀ_n", "2"),
    (bell, {"x": normal(3), "A": normal(3, 3)}, "x", None, None),
    (hidden, {"x": normal(3), "W": normal(4, 3), "b": normal(4)}, "b", None, None),
    (hidden, {"x": normal(3), "W": normal(4, 3), "b": normal(4)}, "x", None, None),
    (cubes, {"W": normal(2, 3)}, "W", None, "6 δ_{jp} · δ_{kq} · w_{pq}"),
    (squares, {"W": normal(2, 3), "X": normal(3, 4)}, "W", None, "2 δ_{jp} · Σ_{r=1}^(n_3) x_{kr} · x_{qr}"),
    (log_determinant, {"A": np.eye(3) + 0.1 * normal(3, 3)}, "A", None, "−da_{pk} · da_{jq}"),
    (stacked, {"T": normal(2, 2, 3)}, "T", None, None),
    (one_number, {"w": np.array(0.7)}, "w", "(w + 2) · e^w", "e^w · (w + 2)"),
    (rosenbrock, {"x": normal(4)}, "x", None, None),
    (rectified, DATA | {"y": None}, "w", "0", "0"),
    (inner, {"w": normal(3), "c": normal(3)}, "w", "0", "0"),
    (scores, {"W": normal(3, 2), "X": normal(5, 3), "Y": np.eye(2)[[0, 1, 0, 1, 1]]}, "W", None, None),
]


def soft(x: Array) -> Any:
    p = np.exp(x) / np.sum(np.exp(x))
    return p


def dense(x: Array, W: Array, b: Array) -> Any:
    a = np.tanh(W @ x + b)
    return a


def unit(x: Array) -> Any:
    n = np.linalg.norm(x)
    u = x / n
    return u


def two_layers(x: Array, W: Array, V: Array) -> Any:
    h = np.tanh(W @ x)
    return V @ h


def solution(b: Array, A: Array) -> Any:
    return np.linalg.solve(A, b)


def itself(x: Array) -> Any:
    return x


def rows(Z: Array) -> Any:
    return np.exp(Z) / np.sum(np.exp(Z), axis=1, keepdims=True)


def running(x: Array) -> Any:
    return np.cumsum(x)


def polar(r: Array, t: Array) -> Any:
    return np.stack([r * np.cos(t), r * np.sin(t)])


def doubled(x: Array, c: Array) -> Any:
    return 2 * c


WEIGHTS = {"x": normal(3), "W": normal(4, 3), "b": normal(4)}


def strided(x: Array, w: Array) -> Array:
    return np.lib.stride_tricks.sliding_window_view(x, len(w))[::2] @ w


JACOBIANS: list[tuple[Callable[..., Any], Mapping[str, Any], str, str | None, str | None]] = [
    (soft, {"x": normal(3)}, "x", "diag(p) − p · pᵀ", "p_j · (δ_{jk} − p_k)"),
    (dense, WEIGHTS, "x", "diag(1 − a * a) · W", "w_{jk} · (1 − a²_j)"),
    (dense, WEIGHTS, "b", "diag(1 − a * a)", "δ_{jk} · (1 − a²_j)"),
    (dense, WEIGHTS, "W", None, "δ_{jk} · x_p · (1 − a²_k)"),
    (unit, {"x": normal(3)}, "x", "(I − u · uᵀ)/n", "(δ_{jk} − u_j · u_k)/n"),
    (two_layers, {"x": normal(3), "W": normal(4, 3), "V": normal(2, 4)}, "x", "V · diag(1 − h * h) · W", None),
    (solution, {"b": normal(3), "A": np.eye(3) + 0.1 * normal(3, 3)}, "b", "A⁻¹", "(A⁻¹)_{jk}"),
    (solution, {"b": normal(3), "A": np.eye(3) + 0.1 * normal(3, 3)}, "A", None, None),
    (itself, {"x": normal(3)}, "x", "I", "δ_{jk}"),
    (rows, {"Z": normal(2, 3)}, "Z", None, "δ_{jp} · y_{pq} · (δ_{kq} − y_{pk})"),
    (running, {"x": normal(4)}, "x", None, None),
    (polar, {"r": np.array(2.0), "t": np.array(0.3)}, "t", None, "r · (δ_{j2} · cos(t) − δ_{j1} · sin(t))"),
    (length, {"x": normal(3)}, "x", "x/J", None),
    (doubled, {"x": normal(3), "c": normal(3)}, "x", "0", "0"),
    (strided, {"x": normal(8), "w": normal(3)}, "x", None, "w_{k−2j+2}"),
    (strided, {"x": normal(8), "w": normal(3)}, "w", None, "x_{2j+k−2}"),
]


@pytest.mark.parametrize("name", ["x", "w"])
def test_hessian_through_a_convolution(name: str) -> None:
    given = {"x": normal(8), "w": normal(3)}

    def cubes(x: Array, w: Array) -> Any:
        return np.sum(strided(x, w) ** 3)

    expected = autograd.hessian(lambda x: cubes(**{**given, name: x}))(given[name])
    derivation = bp.derive(cubes, given, hessian=name)
    assert derivation.jacobians[0].entry is not None
    compare(derivation, expected, None, None)
    if name == "x":
        assert "j−2p+2isnotoneof1…3" in "".join(bp.render(derivation, "text").split())


def arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def entry_values(jacobian: Jacobian, trace: Trace) -> Array:
    """The values of every entry by the entry form alone."""
    assert jacobian.entry is not None
    reader = Reader(trace.arrays, trace.sizes)
    found = np.empty([size.value or 0 for size in jacobian.shape])
    letters = [*jacobian.places[0], *jacobian.places[1]]
    for place in itertools.product(*(range(1, n + 1) for n in found.shape)):
        entry = jacobian.entry
        for letter, position in zip(letters, place, strict=True):
            entry = put_in(entry, letter, position) if letter is not None else entry  # type: ignore[arg-type]
        found[tuple(k - 1 for k in place)] = np.real(reader.value(entry))
    return found


def compare(derivation: Derivation, expected: Array, matrix: str | None, entry: str | None) -> None:
    """The formulas are those given, and each of three ways to the values is right."""
    (jacobian,) = derivation.jacobians
    if matrix is not None:
        assert jacobian.matrix is not None
        assert linear(spell(jacobian.matrix)) == matrix
    if entry is not None:
        assert jacobian.entry is not None
        assert linear(spell(jacobian.entry)) == entry
    name = str(jacobian.symbol)
    trace = bp.run(derivation)
    np.testing.assert_allclose(trace[name], expected, rtol=1e-10, atol=1e-12)
    by_products = replace(derivation, jacobians=(replace(jacobian, matrix=None),))
    np.testing.assert_allclose(bp.run(by_products)[name], expected, rtol=1e-10, atol=1e-12)
    if jacobian.entry is not None:
        np.testing.assert_allclose(entry_values(jacobian, trace), expected, rtol=1e-10, atol=1e-12)


def ids(case: Any) -> str | None:
    return case.__name__ if callable(case) else case if isinstance(case, str) and case.isidentifier() else ""


@pytest.mark.parametrize(("function", "given", "name", "matrix", "entry"), HESSIANS, ids=ids)
def test_hessian(
    function: Callable[..., Any], given: Mapping[str, Any], name: str, matrix: str | None, entry: str | None
) -> None:
    values = arguments(given)
    expected = autograd.hessian(lambda x: function(**{**values, name: x}))(values[name])
    compare(bp.derive(function, values, hessian=name), expected, matrix, entry)


@pytest.mark.parametrize(("function", "given", "name", "matrix", "entry"), JACOBIANS, ids=ids)
def test_jacobian(
    function: Callable[..., Any], given: Mapping[str, Any], name: str, matrix: str | None, entry: str | None
) -> None:
    values = arguments(given)
    expected = autograd.jacobian(lambda x: function(**{**values, name: x}))(values[name])
    expected = np.broadcast_to(expected, (*np.shape(function(**values)), *np.shape(values[name])))
    compare(bp.derive(function, values, jacobian=name), expected, matrix, entry)


@pytest.mark.parametrize(("function", "given", "name", "matrix", "entry"), HESSIANS, ids=ids)
def test_hessian_is_the_complex_step_of_the_gradient(
    function: Callable[..., Any], given: Mapping[str, Any], name: str, matrix: str | None, entry: str | None
) -> None:
    trace = bp.run(bp.derive(function, arguments(given), hessian=name))
    assert bp.check(trace).ok
    assert bp.check(trace, method="central").ok
    assert bp.check(bp.run(bp.derive(function, arguments(given), hvp=name))).ok
    H = np.asarray(trace["H"]).reshape(np.size(given[name]), -1)
    np.testing.assert_allclose(H, H.T, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("function", "given", "name", "matrix", "entry"), JACOBIANS, ids=ids)
def test_jacobian_is_checked(
    function: Callable[..., Any], given: Mapping[str, Any], name: str, matrix: str | None, entry: str | None
) -> None:
    trace = bp.run(bp.derive(function, arguments(given), jacobian=name))
    assert bp.check(trace).ok
    (jacobian,) = trace.derivation.jacobians
    wrong = np.array(trace[str(jacobian.symbol)])
    wrong.flat[-1] += 0.01
    report = bp.check(replace(trace, arrays={**trace.arrays, str(jacobian.symbol): wrong}))
    assert [verdict.judgement for verdict in report.verdicts] == ["wrong"]
    assert report.verdicts[0].place == wrong.shape


def test_blocks() -> None:
    def loss(w: Array, b: Array, X: Array, y: Array) -> Any:
        return np.mean(np.log(1 + np.exp(-y * (X @ w + b))))

    values = DATA | {"b": np.array(0.2), "y": np.array([1.0, -1.0, 1.0, 1.0, -1.0])}
    derivation = bp.derive(loss, values, hessian=["w", "b"])
    assert [str(j.symbol) for j in derivation.jacobians] == ["H_w_w", "H_w_b", "H_b_b"]
    trace = bp.run(derivation)

    def joined(v: Array) -> Any:
        return loss(v[:3], v[3], values["X"], values["y"])

    H = autograd.hessian(joined)(np.append(values["w"], values["b"]))
    np.testing.assert_allclose(trace["H_w_w"], H[:3, :3], rtol=1e-10)
    np.testing.assert_allclose(trace["H_w_b"], H[:3, 3], rtol=1e-10)
    np.testing.assert_allclose(trace["H_b_b"], H[3, 3], rtol=1e-10)


def test_a_network() -> None:
    network = bp.load("4-3:tanh-3:softmax", loss="categorical_cross_entropy")
    derivation = bp.derive(network, hessian="b[1]")
    trace = bp.run(derivation, "iris", rows=10, seed=2)
    assert trace["H"].shape == (3, 1, 3, 1)
    product = bp.run(bp.derive(network, hvp="b[1]"), "iris", rows=10, seed=2, parameters={"v[1]": np.eye(3)[:, :1]})
    np.testing.assert_allclose(trace["H"][:, :, 0, 0], product["Db[1]"], rtol=1e-12)


class TestWriting:
    @pytest.mark.parametrize("function", [logistic, scores, rosenbrock], ids=ids)
    def test_hessians(self, function: Callable[..., Any], golden: Callable[..., None]) -> None:
        given, name = next((given, name) for f, given, name, *_ in HESSIANS if f is function)
        golden(f"second/{function.__name__}.md", bp.render(bp.derive(function, arguments(given), hessian=name)))

    @pytest.mark.parametrize("function", [soft, dense], ids=ids)
    def test_jacobians(self, function: Callable[..., Any], golden: Callable[..., None]) -> None:
        given, name = next((given, name) for f, given, name, *_ in JACOBIANS if f is function)
        golden(
            f"second/{function.__name__}.txt", bp.render(bp.derive(function, arguments(given), jacobian=name), "text")
        )

    @pytest.mark.parametrize("format", ["markdown", "latex", "html", "text"])
    def test_every_format(self, format: Any) -> None:
        text = bp.render(bp.derive(soft, x=normal(3), jacobian="x"), format, expand=True)
        assert "Jacobian" in text
        assert "Backward pass" not in text

    @pytest.mark.parametrize("case", [*HESSIANS[:3], HESSIANS[14], HESSIANS[17]], ids=lambda case: case[0].__name__)
    def test_json(self, case: Any) -> None:
        function, given, name, *_ = case
        found = json.loads(bp.render(bp.derive(function, arguments(given), hessian=name), "json"))
        jsonschema.Draft202012Validator(SCHEMA).validate(found)
        (hessian,) = found["jacobians"]
        assert (hessian["symbol"], hessian["of"], hessian["by"]) == ("H", f"d{name}", name)
        assert hessian["steps"][-1]["symbol"] == f"D{name}"

    def test_json_of_a_jacobian(self) -> None:
        found = json.loads(bp.render(bp.derive(unit, x=normal(3), jacobian="x"), "json"))
        jsonschema.Draft202012Validator(SCHEMA).validate(found)
        (jacobian,) = found["jacobians"]
        assert jacobian["matrix"]["text"] == "(I − u · uᵀ)/n"
        assert found["backward"] == []

    def test_what_has_no_influence(self) -> None:
        text = bp.render(bp.derive(inner, w=normal(3), c=normal(3), hessian="w"), "text")
        assert "dw does not depend on w, so all its derivatives by it are 0." in text


class TestBadInput:
    def test_an_array_without_jacobian(self) -> None:
        with pytest.raises(bp.BackproofError, match=r"is not one number(.|\n)*--jacobian"):
            bp.derive(soft, x=normal(3))

    def test_an_unknown_argument(self) -> None:
        with pytest.raises(bp.BackproofError, match="'z'"):
            bp.derive(soft, x=normal(3), jacobian="z")
        with pytest.raises(bp.BackproofError, match="'z'"):
            bp.derive(bp.derive(inner, w=normal(3), c=normal(3)), hessian="z")

    def test_whole_numbers(self) -> None:
        with pytest.raises(bp.BackproofError, match="not decimal"):
            bp.derive(lambda k, x: k * x, k=np.arange(3), x=normal(3), jacobian="k")

    def test_nothing_to_differentiate(self) -> None:
        with pytest.raises(bp.BackproofError, match="none of its array arguments"):
            bp.derive(lambda x: 3.0, x=normal(3), jacobian="x")

    def test_two_things_at_once(self) -> None:
        with pytest.raises(bp.BackproofError, match="one of them at a time"):
            bp.derive(inner, w=normal(3), c=normal(3), hessian="w", hvp="w")

    def test_the_jacobian_of_a_network(self) -> None:
        with pytest.raises(bp.BackproofError, match="for functions"):
            bp.derive("3-2", jacobian="X")

    def test_a_hessian_that_is_too_large(self) -> None:
        derivation = bp.derive(lambda w: np.sum(np.exp(w)), w=np.zeros(10_000), hessian="w")
        assert "diag" in bp.render(derivation, "text")
        with pytest.raises(bp.BackproofError, match=r"100,000,000 entries(.|\n)*hvp"):
            bp.run(derivation)

    def test_an_entry_is_not_explained(self) -> None:
        with pytest.raises(bp.BackproofError, match="by its formula"):
            bp.run(bp.derive(inner, w=normal(3), c=normal(3), hessian="w")).explain("H", 1, 1)

    def test_an_overflow_in_the_formula(self) -> None:
        def loss(z: Array) -> Any:
            return np.sum(np.log(1 + np.exp(-z)))

        H = bp.run(bp.derive(loss, z=np.array([800.0, 1.0]), hessian="z"))["H"]
        assert np.isfinite(H).all()


def test_an_argument_as_the_result() -> None:
    assert bp.run(bp.derive(lambda w: w, w=np.array(2.0)))["dw"] == 1
