"""Scalar calculus: derivatives of definitions, their form through the value, the shortest form, and kinks."""

from __future__ import annotations

import time

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from backproof.frontends.functions import ACTIVATIONS, LOSSES
from backproof.ops.calculus import VALUE, compiled, cost, differentiated, kinks, tidy
from backproof.ops.expression import parse
from backproof.ops.functions import symbols
from backproof.ops.losses import Loss
from backproof.ops.row import Array, Row
from backproof.ops.scalar import Scalar, ScalarRow

STEP = 1e-20
SPECIAL = np.array([-800.0, -50.0, -1.0, 0.0, 1.0, 50.0, 800.0])
z, a, y = symbols(("z", "a", "y"))

ROWS = {name: row if isinstance(row, Row) else row() for name, row in ACTIVATIONS.items()}
SCALARS: dict[str, Scalar] = {name: row.scalar for name, row in ROWS.items() if isinstance(row, ScalarRow)}
LOSS_SCALARS = {name: (loss if isinstance(loss, Loss) else loss()).row.scalar for name, loss in LOSSES.items()}
OWN = {
    "a product": "z*tanh(z)",
    "a power": "(1 + z**2)^(1/2) - 1",
    "a scaled sigmoid": "2*sigmoid(3*z) - 1/2",
    "pieces": "where(z > 1, sqrt(z), (z + 1)/2)",
    "of a maximum": "max(z, tanh(z))",
    "of an absolute value": "log(1 + abs(z))",
}


class TestDifferentiated:
    @pytest.mark.parametrize(
        ("definition", "arguments", "orders", "expected"),
        [
            ("z", ("z",), (1,), "1"),
            ("z**3", ("z",), (2,), "6*z"),
            ("tanh(z)", ("z",), (1,), "1 - tanh(z)**2"),
            ("where(z > 0, z, 0)", ("z",), (1,), "where(z > 0, 1, 0)"),
            ("abs(z)", ("z",), (1,), "sign(z)"),
            ("abs(z)", ("z",), (2,), "0"),
            ("sign(z)", ("z",), (1,), "0"),
            ("(a - y)**2", ("a", "y"), (1, 0), "2*(a - y)"),
            ("(a - y)**2", ("a", "y"), (1, 1), "-2"),
            ("-y*log(a)", ("a", "y"), (1, 0), "-y/a"),
            ("-(y*log(a) + (1 - y)*log(1 - a))", ("a", "y"), (1, 0), "(a - y)/(a*(1 - a))"),
        ],
    )
    def test_shortest_form(
        self, definition: str, arguments: tuple[str, ...], orders: tuple[int, ...], expected: str
    ) -> None:
        found = differentiated(definition, arguments, orders)
        wanted = parse(expected, arguments)
        assert sympy.simplify(found - wanted) == 0
        assert cost(found) <= cost(wanted)

    @pytest.mark.parametrize("definition", ["sign(z)*z", "abs(abs(z) - 1)", "z*abs(z)", "sign(z - 1)"])
    def test_no_dirac_delta(self, definition: str) -> None:
        for order in (1, 2, 3):
            assert not differentiated(definition, ("z",), (order,)).has(sympy.DiracDelta, sympy.Derivative)


ALL = {**{name: scalar.definition or "" for name, scalar in SCALARS.items()}, **OWN}


@pytest.mark.parametrize("definition", ALL.values(), ids=ALL)
class TestCompiled:
    """Each activation of the table and some of a user's own, on NumPy arrays."""

    @pytest.mark.parametrize("order", [0, 1])
    def test_finite_at_special_points(self, definition: str, order: int) -> None:
        function = compiled(differentiated(definition, ("z",), (order,)), ("z",))
        for points in (SPECIAL, SPECIAL.astype(np.float32)):
            value = function(points)
            assert value.dtype == points.dtype
            assert value.shape == points.shape
            assert np.isfinite(value).all()

    def test_complex_step_at_special_and_random_points(self, definition: str, rng: np.random.Generator) -> None:
        points = np.concatenate([SPECIAL, rng.normal(0, 3, 40)])
        value, slope = (compiled(differentiated(definition, ("z",), (k,)), ("z",)) for k in (0, 1))
        np.testing.assert_allclose(
            value(points + 1j * STEP).imag / STEP, slope(points), rtol=1e-11, atol=1e-13, err_msg=definition
        )


@pytest.mark.parametrize("name", LOSS_SCALARS)
def test_losses_and_their_slopes_at_whole_labels(name: str) -> None:
    scalar = LOSS_SCALARS[name]
    outputs, labels = np.meshgrid([1e-12, 0.25, 0.5, 1 - 1e-12], [0.0, 1.0])
    value, slope = scalar.meaning(outputs, labels), scalar.derivative(0).meaning(outputs, labels)
    assert np.isfinite(value).all()
    step = scalar.meaning(outputs + 1j * STEP, labels).imag / STEP
    np.testing.assert_allclose(step, slope, rtol=1e-9, atol=1e-12)


class TestThroughValue:
    @pytest.mark.parametrize(
        ("definition", "expected"),
        [
            ("1/(1 + exp(-z))", "a*(1 - a)"),
            ("sigmoid(z)", "a*(1 - a)"),
            ("exp(z)/(1 + exp(z))", "a*(1 - a)"),
            ("1 - 1/(1 + exp(z))", "a*(1 - a)"),
            ("1/(1 + exp(-3*z))", "3*a*(1 - a)"),
            ("1 - sigmoid(z)", "a*(a - 1)"),
            ("exp(z)/(exp(z) + exp(-z))", "2*a*(1 - a)"),
            ("tanh(z)", "1 - a**2"),
            ("(exp(z) - exp(-z))/(exp(z) + exp(-z))", "1 - a**2"),
            ("(exp(2*z) - 1)/(exp(2*z) + 1)", "1 - a**2"),
            ("2*sigmoid(2*z) - 1", "1 - a**2"),
            ("tanh(z/2)", "(1 - a**2)/2"),
            ("exp(z)", "a"),
            ("exp(-2*z)", "-2*a"),
            ("3*exp(z) + 1", "a - 1"),
            ("1/(2 + exp(z))", "a*(2*a - 1)"),
            ("tanh(3*z + 1)", "3 - 3*a**2"),
            ("sigmoid(2*z - 1)", "2*a*(1 - a)"),
            ("exp(2*z + 1)", "2*a"),
            ("0.5*tanh(0.5*z) + 0.5", "a*(1 - a)"),
            ("2.5*tanh(z)", "2.5 - 0.4*a**2"),
        ],
    )
    def test_form(self, definition: str, expected: str) -> None:
        form = Scalar("f", ("z",), definition).derivative(0).value_form
        assert form is not None
        assert form.free_symbols == {VALUE}
        assert sympy.expand(form - parse(expected, ("a",))) == 0
        assert cost(form) <= cost(parse(expected, ("a",)))

    @pytest.mark.parametrize("name", [name for name in SCALARS if name not in ("sigmoid", "tanh")])
    def test_no_other_activation_has_one(self, name: str) -> None:
        assert SCALARS[name].derivative(0).value_form is None

    @pytest.mark.parametrize(
        "definition",
        ["2", "sin(z)", "z**2", "sinh(z)", "exp(z) + z", "exp(z)**2 + exp(z)", "exp(exp(z))", "exp(z**2)", "tanh(z)^2"],
    )
    def test_none(self, definition: str) -> None:
        assert Scalar("f", ("z",), definition).derivative(0).value_form is None

    def test_only_a_first_derivative_by_one_argument(self) -> None:
        tanh = Scalar("tanh", ("z",), "tanh(z)")
        assert tanh.value_form is None
        assert tanh.derivative(0).derivative(0).value_form is None
        assert Scalar("L", ("a", "y"), "exp(a)").derivative(0).value_form is None
        assert Scalar("g", ("z",), None).derivative(0).value_form is None

    @settings(max_examples=25)
    @given(st.tuples(*[st.integers(-4, 4)] * 4), st.sampled_from([-2, -1, 1, 2]))
    def test_fractions_of_an_exponential(self, numbers: tuple[int, int, int, int], rate: int) -> None:
        """Whatever the fraction, a form that is found has the values of the derivative."""
        p, q, r, s = numbers
        if (r, s) == (0, 0):
            return
        scalar = Scalar("f", ("z",), f"({p} + ({q})*exp({rate}*z))/({r} + ({s})*exp({rate}*z))")
        form = scalar.derivative(0).value_form
        if p * s == q * r or (s != 0 and r == 0):
            return  # a constant, or a fraction in exp(−z)
        assert form is not None
        points = np.array([-1.3, -0.2, 0.4, 1.1])
        points = points[np.abs(r + s * np.exp(rate * points)) > 0.1]
        value = scalar.meaning(points)
        np.testing.assert_allclose(
            compiled(form, ("a",))(value), scalar.derivative(0).meaning(points), rtol=1e-9, atol=1e-9
        )


class TestTidy:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("a*a - a*y", "a*(a - y)"),
            ("-a*(a - 1)", "a*(1 - a)"),
            ("a**2 - 2*a + 1", "(a - 1)**2"),
            ("-y/a - (1 - y)/(a - 1)", "(a - y)/(a*(1 - a))"),
            ("(y - a)/(a*(a - 1))", "(a - y)/(a*(1 - a))"),
            ("2*a - 2*y", "2*(a - y)"),
            ("z*exp(z) + exp(z)", "(z + 1)*exp(z)"),
            ("a/a", "1"),
            ("(a - y)*a*(1 - a)/(a*(1 - a))", "a - y"),
        ],
    )
    def test_text(self, text: str, expected: str) -> None:
        assert str(tidy(parse(text, ("z", "a", "y")))) == expected

    @settings(max_examples=40)
    @given(st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=4))
    def test_same_value_and_never_longer(self, terms: list[tuple[int, int, int]]) -> None:
        expr = sympy.Add(*(c * a**m * (1 - y) ** n for c, m, n in terms)) / (a * (1 - a))
        short = tidy(expr)
        assert cost(short) <= cost(expr)
        assert sympy.cancel(short - expr) == 0

    @pytest.mark.parametrize("text", ["(1 + a + y)**60*z + (1 + a + y)**60", "1/((1 + a)**40*(1 + y)**40)"])
    def test_soon_where_multiplying_out_would_take_long(self, text: str) -> None:
        expr = parse(text, ("z", "a", "y"))
        start = time.perf_counter()
        tidy(expr)
        assert time.perf_counter() - start < 3

    def test_a_division_costs_more_than_a_product(self) -> None:
        assert cost(a / y) > cost(a * y) > cost(a)
        assert cost(-a) == cost(a)
        assert cost(a / 2) < cost(a / y)


class TestKinks:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("where(z > 0, z, 0)", ["z"]),
            ("relu(z - 2)", ["z - 2"]),
            ("where(z > 1, 1, where(z < -1, -1, z))", ["z + 1", "z - 1"]),
            ("abs(z)", ["z"]),
            ("z*sign(z - 3)", ["z - 3"]),
            ("max(z, 2*a)", ["z - 2*a"]),
            ("abs(a - y)", ["a - y"]),
            ("where(1 - y*a > 0, 1 - y*a, 0)", ["1 - y*a"]),
            ("tanh(where(z <= 0, z, exp(z)))", ["z"]),
            ("z + sigmoid(z)*exp(z)", []),
            ("where(abs(z) < 2, z, 3)", ["z", "abs(z) - 2"]),
        ],
    )
    def test_edges(self, text: str, expected: list[str]) -> None:
        names = ("z", "a", "y")
        points = np.meshgrid([-2.5, -1.0, 0.0, 0.7, 3.0], [-0.5, 0.35, 2.0], [-1.0, 1.5])
        found = kinks(parse(text, names), names)(*points)
        wanted = [compiled(parse(edge, names), names)(*points) for edge in expected]

        def signs(edges: list[Array]) -> set[bytes]:
            # An edge may be written from either side.
            return {max(np.sign(e).astype(np.int8).tobytes(), np.sign(-e).astype(np.int8).tobytes()) for e in edges}

        assert len(found) == len(wanted)
        assert signs(found) == signs(wanted)

    @pytest.mark.parametrize("name", SCALARS)
    def test_smooth_activations_have_none(self, name: str) -> None:
        corners = {"relu": 1, "leaky_relu": 1, "elu": 1, "selu": 1, "softsign": 1, "hardtanh": 2}
        assert len(SCALARS[name].kinks(np.array([0.5]))) == corners.get(name, 0)

    def test_a_derivative_has_the_kinks_of_its_function(self) -> None:
        slope = SCALARS["relu"].derivative(0).derivative(0)
        np.testing.assert_array_equal(slope.kinks(np.array([-1.0, 2.0]))[0], [-1.0, 2.0])
