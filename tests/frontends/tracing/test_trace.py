"""Following NumPy code: the names, lines and notes of a derivation, and the errors for what cannot be followed."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
import pytest

import backproof as bp
from backproof import nn
from backproof.autograd import grad
from backproof.execution.interpret import Plan
from backproof.frontends.tracing.trace import trace
from backproof.ir.errors import BackproofError, SpecError, TraceError
from backproof.ops.fused import FusedRow
from backproof.write.math_unicode import linear
from backproof.write.spell import spell

Array = np.ndarray[Any, Any]

RNG = np.random.default_rng(3)
W = RNG.normal(size=(4, 3))
V = RNG.normal(size=(2, 4))
X = RNG.normal(size=(3, 5))
Y = RNG.uniform(0.1, 0.9, size=(2, 5))
A = RNG.normal(size=(3, 3))
x = RNG.normal(size=3)


def names(derivation: bp.Derivation) -> list[str]:
    return [str(step.node.symbol) for step in derivation.forward]


def forms(derivation: bp.Derivation, name: str) -> list[str]:
    step = next(step for step in derivation.backward if str(step.symbol) == name)
    return [linear(spell(step.raw)), *(linear(spell(rewrite.result)) for rewrite in step.rewrites)]


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def network(W: Array, V: Array, X: Array, Y: Array) -> Any:
    Z1 = W @ X
    A1 = np.tanh(Z1)
    Z2 = V @ A1
    A2 = sigmoid(Z2)
    m = X.shape[1]
    return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m


class TestNames:
    def test_variables_are_the_names(self) -> None:
        derivation = bp.derive(network, W=W, V=V, X=X, Y=Y)
        assert names(derivation) == ["Z1", "A1", "Z2", "A2", "J"]
        assert [str(step.symbol) for step in derivation.backward] == ["dA2", "dZ2", "dV", "dA1", "dZ1", "dW"]

    def test_lines_and_their_text(self) -> None:
        derivation = bp.derive(network, W=W, V=V, X=X, Y=Y)
        source = derivation.sources[derivation.quantities["Z1"]]
        assert source.text == "Z1 = W @ X"
        assert source.place.startswith("test_trace.py, line ")

    def test_the_line_of_a_lambda_is_its_expression(self) -> None:
        def text(derivation: bp.Derivation) -> str:
            return derivation.sources[derivation.quantities["J"]].text

        assert text(bp.derive(lambda x: np.sum(x * x), x=x)) == "np.sum(x * x)"
        both = {"ü": lambda x: x @ x, "y": lambda x: np.sum(np.tanh(x))}
        assert [text(bp.derive(f, x=x)) for f in both.values()] == ["x @ x", "np.sum(np.tanh(x))"]
        # fmt: off
        over_lines = lambda x: np.sum(  # noqa: E731
            x**2,
            axis=0)
        # fmt: on
        assert text(bp.derive(over_lines, x=x)) == "np.sum(x ** 2, axis=0)"

    def test_the_outer_name_wins(self) -> None:
        def helper(z: Array) -> Array:
            inner = np.exp(z)
            return inner

        def f(x: Array) -> Any:
            outer = helper(2 * x)
            return np.sum(outer * outer)

        assert "outer" in names(bp.derive(f, x=x))

    def test_a_name_that_is_bound_again_is_numbered(self) -> None:
        def f(A: Array, x: Array) -> Any:
            h = x
            for _ in range(3):
                h = np.tanh(A @ h)
            return np.sum(h)

        assert [name for name in names(bp.derive(f, A=A, x=x)) if name.startswith("h")] == ["h_1", "h_2", "h_3"]

    def test_parameters_of_operations_are_no_names(self) -> None:
        def f(image: Array, K: Array) -> Any:
            return np.sum(nn.max_pool2d(nn.relu(nn.conv2d(image, K)), 2) ** 2)

        derivation = bp.derive(f, image=RNG.normal(size=(1, 1, 6, 6)), K=RNG.normal(size=(2, 1, 3, 3)))
        assert not {"x", "x_1"} & set(names(derivation))

    def test_arguments_in_containers(self) -> None:
        def f(layers: list[dict[str, Array]], data: tuple[Array, Array]) -> Any:
            out = data[0]
            for layer in layers:
                out = np.tanh(layer["W"] @ out)
            return np.sum((out - data[1]) ** 2)

        derivation = bp.derive(f, layers=[{"W": W}, {"W": V}], data=(X, Y))
        assert set(derivation.gradients) == {"W1", "W2", "data_1", "data_2"}

    def test_arguments_by_their_places(self) -> None:
        def f(scale: float, /, A: Array, *layers: Array, power: int = 2) -> Any:
            return scale * np.sum((A * layers[0] + layers[1]) ** power)

        trace = bp.run(bp.derive(f, A=x, layers=(2 * x, x), scale=2.0, power=3))
        assert trace["J"] == pytest.approx(f(2.0, x, 2 * x, x, power=3))
        assert set(trace.derivation.gradients) == {"A", "layers_1", "layers_2"}
        assert bp.check(trace).ok

    def test_labels_that_are_counted(self) -> None:
        def f(W: Array, y: Array) -> Any:
            classes, counts = np.unique(y, return_counts=True)
            return sum(np.sum(W[y == c] ** 2) / n for c, n in zip(classes, counts, strict=True))

        y = np.array([0, 2, 0, 2])
        trace = bp.run(bp.derive(f, W=W, y=y))
        assert trace["J"] == pytest.approx(f(W, y))
        assert bp.check(trace).ok

    def test_attributes_of_self(self) -> None:
        class Model:
            def loss(self, W: Array, X: Array) -> Any:
                self.hidden = np.tanh(W @ X)
                return np.sum(self.hidden * self.hidden)

        assert "hidden" in names(bp.derive(Model().loss, W=W, X=X))

    def test_a_constant_from_outside_has_its_name(self) -> None:
        mask = np.array([1.0, 0.0, 2.0])

        def f(x: Array) -> Any:
            return np.sum(mask * np.exp(x))

        derivation = bp.derive(f, x=x)
        assert forms(derivation, "dx")[-1] == "mask * e^x"

    def test_a_constant_from_outside_that_has_the_name_of_an_argument(self) -> None:
        w, C1 = np.array([1.0, 2.0]), np.array([3.0, 4.0])

        def f(p: dict[str, Array], C1: Array) -> Any:
            return np.sum((p["w"] * C1) ** 2 * w)

        given = {"p": {"w": np.array([3.0, -1.0])}, "C1": C1}
        derivation = bp.derive(f, given, wrt=["w"])
        trace = bp.run(derivation)
        np.testing.assert_allclose(trace["dw"], 2 * given["p"]["w"] * C1**2 * w)
        (note,) = derivation.notes
        assert note.endswith("C2 is np.array([1.0, 2.0]), called w there, as another quantity is")
        assert bp.check(trace).ok

    def test_annotations_name_sizes(self) -> None:
        def f(W, X):  # type: ignore[no-untyped-def]
            return np.sum((W @ X) ** 2)

        f.__annotations__ = {"W": 'Float[Array, "n1 n0"]', "X": 'Float[Array, "n0 m"]'}
        derivation = bp.derive(f, W=W, X=X)
        assert [str(size) for size in derivation.quantities["dW"].shape] == ["n1", "n0"]

    def test_annotations_that_contradict_the_arrays(self) -> None:
        def f(W, X):  # type: ignore[no-untyped-def]
            return np.sum(W) + np.sum(X)

        f.__annotations__ = {"W": 'Float[Array, "n1 n0"]', "X": 'Float[Array, "n0 m"]'}
        with pytest.raises(SpecError, match=r"^the axis n0 has two lengths \(3 in W, 4 in X\)\n"):
            bp.derive(f, W=W, X=W)
        f.__annotations__ = {"W": 'Float[Array, "3 n0"]', "X": 'Float[Array, "... 3 n"]'}
        bp.derive(f, W=W, X=W)

    def test_the_trace_function_is_put_back(self) -> None:
        import sys

        before = sys.gettrace()
        bp.derive(network, W=W, V=V, X=X, Y=Y)
        assert sys.gettrace() is before


class TestForms:
    def test_an_own_sigmoid_and_cross_entropy_give_the_difference(self) -> None:
        derivation = bp.derive(network, W=W, V=V, X=X, Y=Y)
        assert forms(derivation, "dZ2")[-1] == "(1/m)(A[2] − Y)"
        assert forms(derivation, "dZ1") == ["dA[1] * tanh'(Z[1])", "dA[1] * (1 − A[1] * A[1])"]
        assert forms(derivation, "dW") == ["dZ[1] · Xᵀ"]

    def test_a_quadratic_form(self) -> None:
        derivation = bp.derive(lambda A, x: x @ A @ x, A=A, x=x, wrt=["A", "x"])
        assert forms(derivation, "dA") == ["(x · xᵀ)ᵀ", "x · xᵀ"]
        assert forms(derivation, "dx") == ["Aᵀ · x + A · x", "(A + Aᵀ) · x"]

    def test_softmax_spelled_out(self) -> None:
        def f(X: Array) -> Any:
            e = np.exp(X - X.max(axis=0, keepdims=True))
            P = e / e.sum(axis=0, keepdims=True)
            return np.sum(P * P)

        derivation = bp.derive(f, X=X)
        assert names(derivation) == ["P", "J"]
        assert forms(derivation, "dX") == ["P * (dP − Σ_{j=1}^(n_1) (dP * P)_{j·})"]
        assert "P is recognised as softmax" in derivation.notes

    def test_softmax_of_a_vector_and_by_an_index(self) -> None:
        def vector(x: Array) -> Any:
            p = np.exp(x - x.max())
            p = p / p.sum()
            return np.sum(p * p)

        def indexed(X: Array) -> Any:
            e = np.exp(X - X.max(axis=1)[:, None])
            p = e / e.sum(axis=1)[:, None]
            return np.sum(p * p)

        def columns(X: Array) -> Any:
            p = np.exp(X) / np.exp(X).sum(axis=0)
            return np.sum(p * p)

        for derivation in (bp.derive(vector, x=X[0]), bp.derive(indexed, X=X), bp.derive(columns, X=X)):
            assert names(derivation) == ["p", "J"]  # and not p_2: the p before it is gone
            assert derivation.notes == ("p is recognised as softmax",)
            assert bp.check(bp.run(derivation)).ok

    def test_logarithm_of_softmax_by_an_index(self) -> None:
        for log_sum in (
            lambda X: np.log(np.sum(np.exp(X), axis=1))[:, None],
            lambda X: np.log(np.sum(np.exp(X), axis=1)[:, None]),
        ):

            def f(X: Array, log_sum: Any = log_sum) -> Any:
                L = X - log_sum(X)
                return np.sum(L * L)

            derivation = bp.derive(f, X=X)
            assert derivation.notes == ("L is recognised as log_softmax",)
            assert bp.check(bp.run(derivation)).ok

    def test_a_sum_along_another_axis_is_no_softmax(self) -> None:
        def f(X: Array) -> Any:
            e = np.exp(X)
            p = e / e.sum(axis=1)
            return np.sum(p * p)

        derivation = bp.derive(f, X=X[:2, :2])
        assert derivation.notes == ()
        assert bp.check(bp.run(derivation)).ok

    def test_exponentials_used_elsewhere_stay(self) -> None:
        def f(X: Array) -> Any:
            e = np.exp(X)
            P = e / e.sum(axis=0, keepdims=True)
            return np.sum(P * P) + e.sum()

        assert "e" in names(bp.derive(f, X=X))

    def test_preactivations_have_a_name(self) -> None:
        def f(A: Array, x: Array) -> Any:
            h = np.tanh(A @ x + x)
            return np.sum(h)

        assert forms(bp.derive(f, A=A, x=x), "dZ1")[-1] == "dh * (1 − h * h)"

    @pytest.mark.parametrize("layout", ["text", "markdown", "latex", "html", "json"])
    def test_every_format(self, layout: Any) -> None:
        text = bp.render(bp.derive(network, W=W, V=V, X=X, Y=Y), layout, expand=True)
        assert "Z1 = W @ X" in text or r"Z1 = W @ X" in text.replace("\\ ", " ")


class TestValues:
    def test_the_trace_is_that_of_the_code(self) -> None:
        trace = bp.run(bp.derive(network, W=W, V=V, X=X, Y=Y))
        assert trace["J"] == pytest.approx(network(W, V, X, Y), rel=1e-14)
        np.testing.assert_allclose(trace["A1"], np.tanh(W @ X), rtol=1e-15)
        assert bp.check(trace).ok

    def test_other_arguments(self) -> None:
        derivation = bp.derive(network, W=W, V=V, X=X, Y=Y)
        trace = bp.run(derivation, {"W": 2 * W})
        assert trace["J"] == pytest.approx(network(2 * W, V, X, Y), rel=1e-14)

    def test_the_values_are_those_of_the_call(self) -> None:
        changed = W.copy()
        derivation = bp.derive(network, W=changed, V=V, X=X, Y=Y)
        changed[:] = 5
        assert bp.run(derivation)["J"] == pytest.approx(network(W, V, X, Y), rel=1e-14)

    def test_a_gradient_of_whole_numbers_is_decimal(self) -> None:
        trace = bp.run(bp.derive(lambda x: np.sum(np.sort(x) * np.arange(3)), x=x))
        assert trace["dx"].dtype == np.float64
        np.testing.assert_array_equal(np.sort(trace["dx"]), [0, 1, 2])

    def test_wrt(self) -> None:
        assert set(bp.derive(network, W=W, V=V, X=X, Y=Y).gradients) == {"W", "V"}
        assert set(bp.derive(network, W=W, V=V, X=X, Y=Y, wrt=["X"]).gradients) == {"X"}
        with pytest.raises(
            SpecError, match=r"^there is no argument 'Q' of decimal numbers\nthe arguments are W, V, X, Y"
        ):
            bp.derive(network, W=W, V=V, X=X, Y=Y, wrt=["Q"])

    def test_explain(self) -> None:
        trace = bp.run(bp.derive(network, W=W, V=V, X=X, Y=Y))
        found = trace.explain("dW", 2, 3)
        assert len(found.terms) == 5
        assert sum(term.value for term in found.terms) == pytest.approx(trace["dW"][1, 2])

    def test_ten_thousand_operations(self) -> None:
        def f(x: Array) -> Any:
            for _ in range(5_000):
                x = np.tanh(x) + x
            return np.sum(x)

        assert len(bp.derive(f, x=x * 1e-3).forward) > 5_000


def test_a_lean_plan_gives_the_outputs_alone() -> None:
    derivation = bp.derive(network, W=W, V=V, X=X, Y=Y)
    known = {x: x.attrs["value"] for x in derivation.graph.inputs}
    outputs = [*derivation.graph.outputs, *derivation.gradients.values()]
    values = Plan(outputs, known, {}, lean=True).run(known)
    assert list(values) == outputs
    trace = bp.run(derivation)
    for node in outputs:
        np.testing.assert_array_equal(values[node], trace[str(node.symbol)])


class TestBranches:
    def test_the_branch_taken_is_noted(self) -> None:
        def f(x: Array) -> Any:
            if np.sum(x) > -100:
                return np.sum(x * x)
            return np.sum(x)

        derivation = bp.derive(f, x=x)
        assert forms(derivation, "dx")[-1] == "2 x"
        assert any("a branch depends on values" in note and "line" in note for note in derivation.notes)


def test_code_that_asks_what_it_has() -> None:
    def f(x: Array) -> Any:
        assert isinstance(x, np.ndarray)
        total = np.sum(x * x)
        assert isinstance(total, float)
        assert np.isscalar(total)
        assert f"{total:.3f} {total} {x[:2]}" == f"{np.sum(plain * plain):.3f} {np.sum(plain * plain)} {plain[:2]}"
        assert str(x) == str(plain)
        return total

    plain = x
    assert forms(bp.derive(f, x=x), "dx")[-1] == "2 x"


def test_python_on_traced_arrays() -> None:
    def f(x: Array, places: Array) -> Any:
        assert 7.5 not in x
        rounded = round(x[0], 1) + round(x[1])
        i = np.asarray(places)
        i = i + 1
        i[0] = 0
        both = copy.copy(x) * copy.deepcopy([x])[0]
        return rounded * np.sum(both) + np.sum(x[i] ** 3)

    places = np.array([0, 1])
    trace = bp.run(bp.derive(f, x=x, places=places))
    assert trace["J"] == pytest.approx(f(x, places), rel=1e-14)
    assert bp.check(trace).ok

    with pytest.raises(TraceError, match=r"^a traced number is a key of a dict, or in a set \(test_trace.py"):
        bp.derive(lambda x: {x[0]: np.sum(x)}[x[0]], x=x)
    with pytest.raises(TraceError, match=r"raises TypeError .*\nunhashable type: 'numpy.ndarray'"):
        bp.derive(lambda x: {x: np.sum(x)}[x], x=x)


WHOLE_NUMBERS: list[Callable[..., Any]] = [
    lambda v, y: v[y + 1],
    lambda v, y: v[2 * y - 1] * v[y // 2] * v[(y + 3) % 4],
    lambda v, y: v[np.int64(1) + y] * v[np.maximum(y - 1, 0)] * v[np.round(y)] * v[-y],
    lambda v, y: v[np.where(y > 1, y - 1, 0)] * v[np.clip(y + 1, 0, 3)] * v[len(v) - 1 - y],
    lambda v, y: v[(y + 1).astype(int)] * v[y.astype("int32")] * v[np.asarray(y) + 1] * v[(y / 2 + 1).astype(int)],
    lambda v, y: v[int(y[1]) + 1] * v[y[1] + 1] * v[y[0].item()] * v[y.tolist()] * v[int(y.max()) : y.max() + 1],
    lambda v, y: v[[k + 1 for k in y]] * v[list(y)] * v[np.array([y[0] + 1, 2, y[1]])],
    lambda v, y: v[np.unravel_index(y, (2, 2))[1]] * v[np.ravel_multi_index((y % 2, y // 2), (2, 2))],
    lambda v, y: v * np.floor(4 * v)[np.floor(v).astype(int)[y]] * (y > 0).astype(float).mean(),
    lambda v, y: (1 - (y > 0).astype(float)) * v[y] + (v > 1).astype(bool)[y] * v[y] ** 2,
]


@pytest.mark.parametrize("function", WHOLE_NUMBERS)
def test_whole_numbers_stay_whole(function: Callable[..., Any]) -> None:
    """An index may be computed from labels, in the run, in the program that is exported and in a gradient at once."""
    v, y = np.array([0.3, 1.4, 2.5, 0.7]), np.array([0, 2, 1])

    def loss(v: Array, y: Array) -> Any:
        return np.sum(function(v, y) ** 2)

    given = y if function is not WHOLE_NUMBERS[8] else np.array([0, 2, 1, 1])
    derivation = bp.derive(loss, v=v, y=given)
    trace = bp.run(derivation)
    assert trace["J"] == pytest.approx(loss(v, given), rel=1e-14)
    assert bp.check(trace).ok
    space: dict[str, Any] = {}
    exec(bp.export(derivation), space)
    needed = {str(x.symbol): x.attrs["value"] for x in derivation.graph.inputs}
    program = space["value_and_gradients"]
    names = program.__code__.co_varnames[: program.__code__.co_argcount]
    value, found = program(*(needed[name] for name in names))
    assert value == pytest.approx(trace["J"], rel=1e-14)
    np.testing.assert_allclose(found["v"], trace["dv"], rtol=1e-14)
    np.testing.assert_allclose(grad(loss)(v, given), trace["dv"], rtol=1e-14)


ONE_NUMBER: list[Callable[..., Any]] = [
    lambda x: np.sum(x, axis=0) + np.max(x, axis=-1) * np.min(x, axis=0),
    lambda x: np.prod(x, axis=0) + np.cumsum(x, axis=0)[0] * np.cumprod(x, axis=0)[0] + np.mean(x),
    lambda x: x[()] * x[...] + np.sum(x[None] ** 3) + np.var(x) + x.max() * x.ravel()[0],
    lambda x: np.squeeze(x) * np.reshape(x, (1, 1))[0, 0] * np.atleast_1d(x)[-1] * np.sort(x.reshape(1), axis=0)[0],
]


@pytest.mark.parametrize("function", ONE_NUMBER)
def test_arrays_of_no_axis(function: Callable[..., Any]) -> None:
    x = np.array(1.5)
    trace = bp.run(bp.derive(function, x=x))
    assert trace["J"] == pytest.approx(function(x), rel=1e-14)
    assert bp.check(trace).ok


def write_to_no_axis(x: Array) -> Any:
    y = x * x
    y[0] = 1.0
    return y


def add_to_no_axis(x: Array) -> Any:
    y = x * x
    np.add.at(y, 0, 1.0)
    return y


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            lambda x: x[0],
            r"IndexError .*\ntoo many indices for array: array is 0-dim.*\nit has to run on its arguments",
        ),
        (write_to_no_axis, r"IndexError .*\ntoo many indices for array"),
        (add_to_no_axis, r"IndexError .*\ntoo many indices for array"),
        (lambda x: np.sum(x, axis=1), r"AxisError .*\naxis 1 is out of bounds for array of dimension 0"),
        (lambda x: np.max(x, axis=1), r"AxisError .*\naxis 1 is out of bounds for array of dimension 0"),
        (lambda x: np.sort(x, axis=0), r"AxisError .*\naxis 0 is out of bounds for array of dimension 0"),
        (lambda x: np.concatenate([x, x]), r"ValueError .*\nzero-dimensional arrays cannot be concatenated"),
        (lambda x: np.swapaxes(x, 0, 1), r"AxisError .*\n.*axis 0 is out of bounds"),
        (lambda x: len(x), r"TypeError .*\nlen\(\) of unsized object"),
        (lambda x: sum(x), r"TypeError .*\niteration over a 0-d array"),
        (lambda x: x.T @ x, r"ValueError .*\nmatmul: .*does not have enough dimensions"),
    ],
)
def test_arrays_of_no_axis_raise_the_errors_of_numpy(function: Callable[..., Any], message: str) -> None:
    x = np.array(1.5)
    with pytest.raises((IndexError, ValueError, TypeError)):
        function(x)
    with pytest.raises(TraceError, match=message):
        bp.derive(function, x=x)


def test_lists_of_traced_numbers() -> None:
    """NumPy makes arrays of lists before it asks any protocol."""

    def f(x: Array, act: Any, acts: Any) -> Any:
        assert act is np.tanh
        assert acts["tanh"] == np.tanh
        assert {np.tanh: 1}[act] == 1
        assert isinstance(np.exp, np.ufunc)
        assert repr(np.exp) == "<ufunc 'exp'>"
        a, b, c = x
        y = np.exp([a, b]) * np.maximum([[a], (b, 0.5)][1], 0) + np.multiply([2, 3], (b, c))
        y += np.array([a, 2]) + np.add.reduce([a, b]) * np.add([1.0, 2.0], 1.0) + act([b, c])
        return np.sum([a, b]) + np.mean((y, [a, a])) + np.std([a, b]) * np.max([a, c]) + np.linalg.norm([a, b])

    given = {"x": x, "act": np.tanh, "acts": {"tanh": np.tanh}}
    trace = bp.run(bp.derive(f, given))
    assert trace["J"] == pytest.approx(f(**given), rel=1e-14)
    assert bp.check(trace).ok


class Layer(NamedTuple):
    W: Array
    b: Array


def test_named_tuples_stay_named() -> None:
    given = {"layer": Layer(W.T, np.zeros(4)), "x": x}
    trace = bp.run(bp.derive(lambda layer, x: np.sum(np.tanh(x @ layer.W + layer.b)), given))
    assert len(trace.derivation.gradients) == 2
    assert bp.check(trace).ok


MINUS = -np.inf
NOTHING: list[Callable[..., Any]] = [
    lambda x: np.logaddexp(x[0], MINUS) + np.logaddexp(MINUS, x[1] ** 2),
    lambda x: np.sum(np.exp(np.logaddexp(np.array([x[0], MINUS, x[1], MINUS]), np.array([x[2], x[0], MINUS, MINUS])))),
    lambda x: np.sum(np.exp(np.logaddexp.reduce(np.array([[x[0], MINUS], [x[1], MINUS]]) + x[2], axis=0))),
    lambda x: np.logaddexp(np.logaddexp(x[0] + MINUS, x[1] + MINUS), x[2]),
]


@pytest.mark.parametrize("function", NOTHING)
def test_logarithms_of_nothing(function: Callable[..., Any]) -> None:
    """What cannot be has the logarithm −∞: it adds nothing, and nothing comes back to it."""
    trace = bp.run(bp.derive(function, x=x))
    assert trace["J"] == pytest.approx(function(x), rel=1e-14)
    assert bp.check(trace).ok
    assert any("which logarithms are −∞" in note for note in trace.derivation.notes)


def test_arguments_called_like_an_option() -> None:
    def f(mean: Array, wrt: Array) -> Any:
        return np.sum(mean * wrt)

    with pytest.raises(BackproofError, match=r"^mean is an option of derive, and an array is given\n.* in a mapping"):
        bp.derive(f, mean=x, wrt=x)  # type: ignore[arg-type]
    assert set(bp.derive(f, {"mean": x, "wrt": x}).gradients) == {"mean", "wrt"}


def test_a_write_through_a_list() -> None:
    def f(A: Array) -> Any:
        rows = list(2 * A)
        rows[0] += 1
        return np.sum(np.stack(rows) ** 2)

    def by_hand(A: Array) -> Any:
        B = 2 * A
        B[0] += 1
        return np.sum(B**2)

    trace = bp.run(bp.derive(f, A=A))
    assert trace["J"] == pytest.approx(by_hand(A))
    assert bp.check(trace).ok


def test_in_place_operators_on_intermediates() -> None:
    def f(x: Array) -> Any:
        y = 2 * x
        y += x
        y[1] = 0.0
        return np.sum(y * y)

    trace = bp.run(bp.derive(f, x=x))
    np.testing.assert_allclose(trace["dx"], 18 * x * np.array([1, 0, 1]), rtol=1e-14)


def without_a_sum(x: Array) -> Any:
    Z = 2 * x
    return Z


async def waiting(x: Array) -> Any:
    return np.sum(x)


ERRORS: list[tuple[Callable[..., Any], str]] = [
    (lambda x: 2 * x, r"the result of <lambda> is not one number \(its shape is \(3,\)\)\n.*\nreturn its sum"),
    (without_a_sum, r"not one number .*\n.*\nreturn its sum or its mean, np\.sum\(Z\); or"),
    (lambda x: {"n": 3, "loss": np.sum(x)}, r"<lambda> is a dict\n.*\nreturn what is in it, as result\['loss'\]"),
    (lambda x: [x[0], x[1]], r"<lambda> is a list\n.*\nreturn what is in it, as result\[0\]"),
    (lambda x: (y for y in x), r"<lambda> is a generator\n<lambda> has not run: it holds a yield"),
    (waiting, r"^the result of waiting is a coroutine\nwaiting has not run: it is an async function\ngive a plain"),
    (lambda x: None, r"^<lambda> returns nothing\nreturn one number"),
    (lambda x: 3.0, r"is a float that is computed from none of its array arguments"),
    (lambda x: float(np.sum(x)), r"a traced number is turned into a plain one \(test_trace.py, line \d+\)"),
    (
        lambda x: float(x[0]) * np.sum(x),
        r"\nfloat\(x\[0\]\) does that, and the derivative is lost\nuse NumPy's functions",
    ),
    (lambda x: math.exp(x[0]) * np.sum(x), r"\nmath\.exp\(x\[0\]\) does that, and"),
    (lambda x: x[0].item() * np.sum(x), r"\nx\[0\]\.item\(\) does that, and"),
    (lambda x: np.sum(np.ldexp(np.array(x).tolist(), 1)), r"\nnp\.array\(x\)\.tolist\(\) does that, and"),
    (lambda x: np.sum(list(map(float, x))), r"\nlist\(map\(float, x\)\) does that, and"),
    (lambda x: np.sum(np.fromiter(x, float)), r"a traced number is turned into a plain one"),
    (lambda x: np.sum(np.histogram(x)[0]), r"np\.histogram is not followed"),
    (lambda x: np.sum(x.astype(str)), r"an array is converted to <U0"),
    (lambda x: np.arange(9).reshape(3, 3) @ [x[0], 1, 2], r"\nnp\.arange.* does that, and .*\n.* use np\.stack"),
    (lambda x: np.sum(np.exp(x, out=x)), r"an argument of the function is written to"),
]


@pytest.mark.parametrize(("function", "message"), ERRORS)
def test_what_cannot_be_followed(function: Callable[..., Any], message: str) -> None:
    with pytest.raises(TraceError, match=message):
        bp.derive(function, x=x)


def test_code_that_handles_the_error() -> None:
    """Without us there is none, and it goes another way."""

    def any_error(x: Array) -> Any:
        try:
            factor = float(x[0])
        except Exception:
            factor = 1.0
        return np.sum(x) * factor

    def bare(x: Array) -> Any:
        try:
            return np.sum(x) * x[0].item()
        except:  # noqa: E722
            return np.sum(x)

    def then_another(x: Array) -> Any:
        try:
            return float(x[0])
        except TraceError:
            raise KeyError from None

    for function in (any_error, bare, then_another):
        for follow in (lambda f: bp.derive(f, x=x), lambda f: grad(f)(x)):
            with pytest.raises(TraceError, match=r"a traced number is turned into a plain one \(test_trace.py, line"):
                follow(function)


def test_zero_to_the_power_of_zero_is_one() -> None:
    for zero in (0.0, -0.0):
        v = np.array([zero, 2.0])
        assert bp.run(bp.derive(lambda v: np.sum(np.power(np.abs(v), v)), v=v))["J"] == 5.0


def test_a_function_that_does_not_run() -> None:
    def unknown(x: Array) -> Any:
        return np.sum(x) + nothing  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(
        TraceError,
        match=r"^network raises ValueError \(test_trace.py, line \d+\)\nmatmul: .*\nit has to run on its arguments, "
        r"whose shapes are: W 4 × 3, V 2 × 4, X 2 × 4, Y 2 × 5$",
    ) as caught:
        bp.derive(network, W=W, V=V, X=V, Y=Y)
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(
        TraceError, match=r"^unknown raises NameError \(test_trace.py, line \d+\)\nname 'nothing' is not"
    ):
        bp.derive(unknown, x=x)


def test_writes() -> None:
    def to_the_argument(x: Array) -> Any:
        x[0] = 1.0
        return np.sum(x)

    def under_a_view(x: Array) -> Any:
        y = 2 * x
        view = y[1:]
        y += 1
        return np.sum(view)

    def into_an_array_of_its_own(x: Array) -> Any:
        y = np.zeros(3)
        y[0] = x[0]
        y[1] = y[0]
        y[1] = 7.0
        return np.sum(y)

    def into_a_plain_array(x: Array) -> Any:
        y = np.arange(3.0)
        y[0] = x[0]
        return np.sum(y)

    with pytest.raises(TraceError, match=r"an argument of the function is written to \(test_trace.py, line \d+\)"):
        bp.derive(to_the_argument, x=x)
    with pytest.raises(TraceError, match="an array is written to that shares its entries"):
        bp.derive(under_a_view, x=x)
    np.testing.assert_array_equal(bp.run(bp.derive(into_an_array_of_its_own, x=x))["dx"], [1, 0, 0])
    with pytest.raises(TraceError, match=r"^a traced array is written to a plain one .*\n.*\n.* np\.zeros$"):
        bp.derive(lambda x: np.copyto(np.arange(3.0), x), x=x)
    for follow in (lambda f: bp.derive(f, x=x), lambda f: grad(f)(x)):
        with pytest.raises(TraceError, match=r"\nthe write to y\[0\] does that, and .*\nmake the .* np\.zeros"):
            follow(into_a_plain_array)
    assert x.shape == (3,)


@pytest.mark.parametrize("value", [np.array(["a"]), np.array([], dtype=float), np.array([None])])
def test_bad_arguments(value: Array) -> None:
    with pytest.raises(TraceError, match="the argument x is"):
        bp.derive(lambda x: np.sum(x), x=value)


def test_arrays_of_another_kind() -> None:
    """They leave out masked entries, or multiply as matrices."""
    masked = np.ma.masked_array([1.0, 2.0, 3.0], [0, 1, 0])  # type: ignore[no-untyped-call]
    for given, kind in ((masked, "MaskedArray"), (np.eye(3).view(np.matrix), "matrix")):
        for follow in (lambda f, v: bp.derive(f, w=v), lambda f, v: grad(f)(v)):
            with pytest.raises(TraceError, match=rf"^(an|the) argument( w)? is a {kind}.*\n.*\ngive a plain array"):
                follow(lambda w: np.sum(w * w), given)
    with pytest.raises(TraceError, match=r"^an array that takes part is a MaskedArray \(test_trace.py"):
        bp.derive(lambda x: np.sum(x * masked), x=x)


def test_arguments_that_do_not_fit() -> None:
    with pytest.raises(SpecError, match=r"^the arguments do not fit network\n.*'Y'"):
        bp.derive(network, W=W, V=V, X=X)
    with pytest.raises(BackproofError, match="a network takes no arguments"):
        bp.derive("3-2", W=W)


def test_a_result_that_does_not_depend_on_an_argument() -> None:
    derivation = bp.derive(lambda x, u: np.sum(x * x), x=x, u=2 * x, wrt=["x", "u"])
    assert forms(derivation, "du") == ["0"]


def test_a_derivative_that_is_zero_everywhere_has_the_shape() -> None:
    derivation = bp.derive(lambda x: np.sum(np.sign(x)), x=x)
    np.testing.assert_array_equal(bp.run(derivation)["dx"], np.zeros(3))
    assert bp.render(derivation, "text", expand=True)


@pytest.mark.parametrize("spec", ["i,j,i->", "i,j,k->", "i,i,i->i"])
def test_einsum_of_three(spec: str) -> None:
    derivation = bp.derive(lambda x: np.sum(np.einsum(spec, x, x, x)), x=x)
    assert bp.check(bp.run(derivation)).ok
    assert bp.render(derivation, "text", expand=True)


def test_of_several_results_the_first_counts() -> None:
    derivation = bp.derive(lambda x: (np.sum(x * x), x), x=x)
    assert forms(derivation, "dx")[-1] == "2 x"
    assert derivation.notes == ("of several results the first is differentiated",)


def test_nothing_to_differentiate_by() -> None:
    for value in (3.0, [1.0, 2.0]):
        with pytest.raises(TraceError, match=r"^none of the arguments is an array\n"):
            bp.derive(lambda v: np.sum(v), v=value)
    with pytest.raises(TraceError, match=r"^none of the arguments is an array\n"):
        bp.derive(lambda: np.sum(x))
    with pytest.raises(TraceError, match=r"^none of the arguments is an array of decimal numbers\n"):
        bp.derive(lambda v: np.sum(v), v=np.arange(3))


def test_a_formula_of_thousands_of_terms() -> None:
    derivation = bp.derive(lambda x: sum(x[k % 3] ** 2 for k in range(3_000)), x=x)
    np.testing.assert_allclose(bp.run(derivation)["dx"], 2_000 * x, rtol=1e-12)
    assert bp.render(derivation, "text")


def test_a_hundred_thousand_operations() -> None:
    def loss(w: Array, x: Array) -> Any:
        for _ in range(50_000):
            x = x * w + x
        return np.sum(x)

    program = trace(loss, {"w": np.full(3, 1e-5), "x": x})
    assert [str(node.symbol) for node in program.graph.nodes()[2:5]] == ["x_1", "x_2", "x_3"]
    assert len(program.lines) == 50_001


def test_thousands_of_steps() -> None:
    def loss(w: Array, x: Array) -> Any:
        for _ in range(5_000):
            x = x * w + x
        return np.sum(x)

    derivation = bp.derive(loss, w=np.full(3, 1e-4), x=x)
    np.testing.assert_allclose(bp.run(derivation)["dw"], 5_000 * 1.0001**4_999 * x, rtol=1e-10)


def test_a_formula_that_uses_its_parts_twice() -> None:
    """Written out it would have 2^100 terms; nobody may look at each."""

    def loss(w: Array, x: Array) -> Any:
        return np.sum(reduce(lambda h, _: np.tanh(h) * w + h, range(100), x))

    assert bp.check(bp.run(bp.derive(loss, w=np.full(3, 0.01), x=x))).ok


def test_a_formula_with_many_numbers_is_one_formula() -> None:
    def counting(x, steps):  # type: ignore[no-untyped-def]
        total = 0.0
        for k in range(1, steps + 1):
            total = total + np.exp(-x * (k / 7))
        return np.sum(total)

    def formulas(steps: int) -> int:
        derivation = bp.derive(counting, x=np.array([0.1, 0.2]), steps=steps, wrt=["x"])
        assert bp.check(bp.run(derivation)).ok
        return len({step.node.op for step in derivation.forward if isinstance(step.node.op, FusedRow)})

    assert formulas(50) == formulas(10) <= 2
    assert formulas(4) == 4  # so few are written with their numbers in them


def test_a_gradient_by_one_of_two_arguments_inside() -> None:
    """A gradient penalty: the other argument of the inner function is one of the outer."""

    def inner(w: Array, x: Array) -> Any:
        return np.sum((w * x - 1) ** 2)

    trace = bp.run(bp.derive(lambda w, x: np.sum(grad(inner)(w, x) ** 2), w=x, x=x + 2, wrt=["w", "x"]))
    assert trace["J"] == pytest.approx(np.sum((2 * (x * (x + 2) - 1) * (x + 2)) ** 2))
    assert bp.check(trace).ok
