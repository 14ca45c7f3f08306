"""Scalar functions on NumPy arrays: against mpmath, against the complex step, and where numbers are large."""

from __future__ import annotations

import subprocess
import sys
import time

import mpmath
import numpy as np
import pytest
import sympy

from backproof.ops import functions
from backproof.ops.expression import parse
from backproof.ops.functions import compile_numpy, in_sigmoid, sigmoid, softplus, stable, symbols, xlogy

STEP = 1e-20
LARGE = np.array([-1e308, -800.0, -50.0, -1e-300, 0.0, 1e-300, 50.0, 800.0, 1e308])
z, a, y = symbols(("z", "a", "y"))

ACTIVATIONS = {
    "identity": "z",
    "sigmoid": "sigmoid(z)",
    "sigmoid spelled out": "1/(1 + exp(-z))",
    "sigmoid the other way": "exp(z)/(1 + exp(z))",
    "tanh": "tanh(z)",
    "tanh spelled out": "(exp(z) - exp(-z))/(exp(z) + exp(-z))",
    "relu": "relu(z)",
    "relu by where": "where(z > 0, z, 0)",
    "relu by max": "max(z, 0)",
    "leaky relu": "where(z > 0, z, 0.01*z)",
    "leaky relu by max": "max(z, z/100)",
    "elu": "where(z > 0, z, exp(z) - 1)",
    "selu": "where(z > 0, 1.0507009873554805*z, 1.7580993408473766*(exp(z) - 1))",
    "gelu": "z/2*(1 + erf(z/sqrt(2)))",
    "gelu by tanh": "z/2*(1 + tanh(sqrt(2/pi)*(z + 0.044715*z**3)))",
    "silu": "z*sigmoid(z)",
    "silu spelled out": "z/(1 + exp(-z))",
    "softplus": "softplus(z)",
    "softplus spelled out": "log(1 + exp(z))",
    "softsign": "z/(1 + abs(z))",
    "mish": "z*tanh(softplus(z))",
    "mish spelled out": "z*tanh(log(1 + exp(z)))",
    "hardtanh": "max(-1, min(1, z))",
    "hardsigmoid": "where(z > 3, 1, where(z < -3, 0, z/6 + 1/2))",
    "log sigmoid": "log(sigmoid(z))",
    "log of one minus sigmoid": "log(1 - sigmoid(z))",
    "bounded": "sign(z)*atan(z)**2",
}


def compiled(text: str, order: int = 0) -> functions.Callable[..., np.ndarray]:
    return compile_numpy(stable(sympy.diff(parse(text, ("z",)), z, order)), [z])


def exact(expr: sympy.Expr, points: np.ndarray) -> np.ndarray:
    """The expression by mpmath."""
    with mpmath.workdps(60):
        values = [expr.evalf(30, subs={z: sympy.Float(x, 40)}, maxn=5000) for x in points.ravel().tolist()]
    return np.array([float(value) for value in values]).reshape(points.shape)


@pytest.mark.parametrize("text", ACTIVATIONS.values(), ids=ACTIVATIONS)
class TestActivations:
    def test_value(self, text: str, rng: np.random.Generator) -> None:
        points = np.append(rng.normal(0, 3, 12), [-40.0, -1e-9, 40.0])
        np.testing.assert_allclose(compiled(text)(points), exact(parse(text, ("z",)), points), rtol=1e-13, atol=1e-15)

    def test_complex_step_is_the_derivative(self, text: str, rng: np.random.Generator) -> None:
        points = np.append(rng.normal(0, 4, 50), [-800.0, -50.0, 50.0, 800.0])
        value = compiled(text)(points + 1j * STEP)
        np.testing.assert_allclose(value.imag / STEP, compiled(text, 1)(points), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(value.real, compiled(text)(points), rtol=1e-14, atol=1e-15)

    @pytest.mark.parametrize("order", [0, 1, 2])
    def test_large_arguments(self, text: str, order: int) -> None:
        points = np.array([-800.0, -50.0, 50.0, 800.0])
        value = compiled(text, order)(points)
        assert np.isfinite(value).all()
        assert np.isfinite(compiled(text, order)(points.astype(np.float32))).all()

    def test_precision_and_shape_of_the_argument(self, text: str) -> None:
        points = np.linspace(-3, 3, 6, dtype=np.float32).reshape(2, 3)
        for order in (0, 1):
            value = compiled(text, order)(points)
            assert value.dtype == np.float32
            assert value.shape == (2, 3)
            np.testing.assert_allclose(value, compiled(text, order)(points.astype(float)), rtol=2e-5, atol=1e-6)


class TestSigmoidAndSoftplus:
    @pytest.mark.parametrize("function", [sigmoid, softplus])
    @pytest.mark.parametrize("kind", [np.float32, np.float64, np.complex128])
    def test_no_warning_anywhere(self, function: type[sympy.Function], kind: type[np.generic]) -> None:
        points = np.clip(LARGE, -3e38, 3e38).astype(kind) if kind is np.float32 else LARGE.astype(kind)
        bare = getattr(functions, f"_{function.__name__}")
        value = bare(points + (1j * STEP if kind is np.complex128 else 0))
        assert value.dtype == kind
        assert np.isfinite(value).all()

    @pytest.mark.parametrize("function", [sigmoid, softplus])
    def test_full_precision_in_both_tails(self, function: type[sympy.Function]) -> None:
        points = np.array([-700.0, -100.0, -37.0, -1.0, 0.0, 1.0, 37.0, 100.0, 700.0])
        call, slope = compile_numpy(function(z), [z]), compile_numpy(stable(sympy.diff(function(z), z)), [z])
        np.testing.assert_allclose(call(points), exact(function(z), points), rtol=4e-16)
        np.testing.assert_allclose(call(points + 1j * STEP).real, exact(function(z), points), rtol=1e-15)
        np.testing.assert_allclose(slope(points), exact(sympy.diff(function(z), z), points), rtol=1e-15)
        inner = points[1:-1]  # further out the step itself is too small for a float
        np.testing.assert_allclose(call(inner + 1j * STEP).imag / STEP, slope(inner), rtol=1e-15)

    def test_derivatives_come_from_the_definition(self) -> None:
        assert sympy.diff(softplus(z), z) == sigmoid(z)
        assert sympy.diff(sigmoid(z), z) == sigmoid(z) * sigmoid(-z)
        for function in (sigmoid, softplus):
            for order in (1, 2, 3):
                by_definition = sympy.diff(function.definition(z), z, order)
                points = np.array([-2.0, -0.3, 0.0, 1.7])
                np.testing.assert_allclose(
                    exact(sympy.diff(function(z), z, order), points),
                    exact(by_definition, points),
                    rtol=1e-14,
                    atol=1e-15,
                )

    def test_evalf_takes_the_digits_it_needs(self) -> None:
        with mpmath.workdps(400):
            expected = mpmath.nstr(mpmath.log1p(mpmath.exp(-700)), 20)
        assert mpmath.nstr(softplus(-700).evalf(25)._to_mpmath(90), 20) == expected
        assert xlogy(2, sympy.Float(1)).evalf() == 0
        assert sigmoid(z + sympy.Rational(1, 2)).evalf() == sigmoid(z + 0.5)

    def test_the_chain_rule_reaches_their_arguments(self) -> None:
        assert sympy.diff(softplus(3 * z + 1), z) == 3 * sigmoid(3 * z + 1)
        assert not sympy.diff(sympy.Abs(sigmoid(z) - sympy.Rational(1, 2)), z).has(sympy.Derivative)


class TestXlogy:
    def test_zero_weight(self) -> None:
        call = compile_numpy(xlogy(y, a), [y, a])
        np.testing.assert_array_equal(call(np.zeros(3), np.array([0.0, 0.5, 1.0])), np.zeros(3))
        assert call(np.float32(0), np.zeros(2, np.float32)).dtype == np.float32

    def test_complex_step_in_either_argument(self) -> None:
        call = compile_numpy(xlogy(y, a), [y, a])
        weights, values = np.array([0.0, 0.3, 1.0]), np.array([0.5, 0.2, 0.9])
        np.testing.assert_allclose(call(weights + 1j * STEP, values).imag / STEP, np.log(values), rtol=1e-14)
        np.testing.assert_allclose(call(weights, values + 1j * STEP).imag / STEP, weights / values, rtol=1e-14)
        at_corner = call(np.array(1j * STEP), np.array(0.0))
        assert at_corner.real == 0
        assert at_corner.imag == -np.inf

    def test_derivative_and_value_from_the_definition(self) -> None:
        assert sympy.diff(xlogy(y, a), y) == sympy.log(a)
        assert sympy.diff(xlogy(y, a), a) == y / a
        assert xlogy(0, 0).evalf() == 0
        # Exchanged arguments are not put in one after the other.
        assert xlogy(*reversed(symbols(("x", "y")))).diff(sympy.Symbol("x", real=True)) == sympy.Symbol(
            "y", real=True
        ) / sympy.Symbol("x", real=True)


class TestStable:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("1/(1 + exp(-z))", sigmoid(z)),
            ("exp(z)/(1 + exp(z))", sigmoid(z)),
            ("1/(1 + exp(z))", sigmoid(-z)),
            ("exp(2*z)/(1 + exp(z))**2", sigmoid(z) ** 2),
            ("exp(z + 2)/(1 + exp(z + 2))", sigmoid(z + 2)),
            ("sin(z)*exp(-z)/(1 + exp(-z))", sympy.sin(z) * sigmoid(-z)),
            ("tanh(1/(1 + exp(-z)))", sympy.tanh(sigmoid(z))),
            ("where(z > 0, 1/(1 + exp(-z)), 0)", sympy.Piecewise((sigmoid(z), z > 0), (0, True))),
            ("1/(1 + exp(-z)) + 1/(1 + exp(-y))", sigmoid(z) + sigmoid(y)),
            ("log(1 + exp(z))", softplus(z)),
            ("log(1 + exp(-2*z))", softplus(-2 * z)),
            ("log(sigmoid(z))", -softplus(-z)),
            ("log(1 - sigmoid(z))", -softplus(z)),
            ("log(1/(1 + exp(-z)))", -softplus(-z)),
            ("log(1 - 1/(1 + exp(-z)))", -softplus(z)),
            ("-(y*log(a) + (1 - y)*log(1 - a))", -xlogy(y, a) - xlogy(1 - y, 1 - a)),
            ("y*log(sigmoid(z))", -y * softplus(-z)),
            ("(y + 2)*log(a)", (y + 2) * sympy.log(a)),
            ("exp(z) - 1", sympy.exp(z) - 1),
            ("exp(z)/(2 + exp(z))", sympy.exp(z) / (2 + sympy.exp(z))),
        ],
    )
    def test_form(self, text: str, expected: sympy.Expr) -> None:
        assert stable(parse(text, ("z", "a", "y"))) == expected

    def test_differences_that_would_round_to_zero(self) -> None:
        points = np.array([-800.0, -40.0, 40.0, 800.0])
        quotient = compile_numpy(stable(sympy.diff(parse("log(1 - sigmoid(z))", ("z",)), z)), [z])
        np.testing.assert_allclose(quotient(points), [0.0, -np.exp(-40.0), -1.0, -1.0], rtol=1e-14)
        assert in_sigmoid(1 - sigmoid(z)) == 1 - sigmoid(z)

    @pytest.mark.parametrize(
        "text",
        [
            "(1 + y + a + exp(z))**60",
            "1/(1 + y + a + exp(z))**60",
            "1/(1 + exp(z))**64",
            "+".join(f"{k}/(1 + exp({k}*z))" for k in range(1, 60)),
        ],
    )
    def test_quick_where_multiplying_out_would_not_be(self, text: str) -> None:
        expr = parse(text, ("z", "a", "y"))
        start = time.perf_counter()
        result = stable(expr)
        assert time.perf_counter() - start < 3
        point = {z: 0.3, a: 0.2, y: 0.7}
        assert float(abs(result.evalf(30, subs=point) / expr.evalf(30, subs=point) - 1)) < 1e-14


class TestCompile:
    def test_source(self) -> None:
        call = compile_numpy(stable(parse("z/(1 + exp(-z))", ("z",))), [z])
        assert call.source == "def function(z):\n    return z*_sigmoid(z)"
        shared = compile_numpy(sympy.sin(z + 1) * sympy.exp(z + 1), [z])
        assert shared.source.splitlines()[1] == "    t0 = z + 1"

    def test_broadcasting(self) -> None:
        rows, columns = np.ones((3, 1)), np.arange(4.0)
        assert compile_numpy(a + y, [a, y])(rows, columns).shape == (3, 4)
        assert compile_numpy(y + 1, [a, y])(rows, columns).shape == (3, 4)

    def test_a_constant_is_a_full_array(self) -> None:
        value = compile_numpy(sympy.Rational(1, 2), [z])(np.zeros((2, 3), np.float32))
        np.testing.assert_array_equal(value, np.full((2, 3), 0.5, np.float32))
        value[0, 0] = 1  # may be written to, as any result
        assert value.dtype == np.float32
        assert compile_numpy(sympy.sqrt(2) * sympy.pi + sympy.E, [])() == pytest.approx(np.sqrt(2) * np.pi + np.e)

    def test_whole_numbers_become_floats(self) -> None:
        np.testing.assert_array_equal(compile_numpy(z**-2, [z])(np.array([1, 2])), [1.0, 0.25])
        assert compile_numpy(10**40 * z, [z])(np.ones(1)) == 1e40
        assert compile_numpy(z + y, [z, y])(np.ones(2, np.float32), 2.5).dtype == np.float32

    @pytest.mark.parametrize(
        ("expr", "reference"),
        [
            (sympy.Max(z, y, 0), lambda z, y: np.maximum(np.maximum(z, y), 0)),
            (sympy.Min(z, y), np.minimum),
            (sympy.Abs(z), lambda z, y: np.abs(z)),
            (sympy.sign(z), lambda z, y: np.sign(z)),
            (sympy.Piecewise((z, sympy.And(z > 0, y > 0)), (0, True)), lambda z, y: np.where((z > 0) & (y > 0), z, 0)),
            (sympy.Piecewise((z, sympy.Or(z > 0, y > 0)), (0, True)), lambda z, y: np.where((z > 0) | (y > 0), z, 0)),
            (
                sympy.Piecewise((z, sympy.ITE(y > 0, z > 0, z > 1)), (0, True)),
                lambda z, y: z * (z > np.where(y > 0, 0, 1)),
            ),
            (sympy.atan(z) * sympy.cosh(y), lambda z, y: np.arctan(z) * np.cosh(y)),
        ],
        ids=lambda value: str(value) if isinstance(value, sympy.Basic) else None,
    )
    def test_choices(self, expr: sympy.Expr, reference: functions.Callable[..., np.ndarray]) -> None:
        points = np.meshgrid([-2.0, -0.5, 0.5, 2.0], [-1.0, 1.5])
        value = compile_numpy(expr, [z, y])(points[0] + 1j * STEP, points[1])
        np.testing.assert_allclose(value.real, reference(*points), rtol=1e-15)

    def test_the_branch_not_taken_does_no_harm(self) -> None:
        call = compile_numpy(parse("where(z > 0, log(z)/z, exp(-z**2))", ("z",)), [z])
        for shift in (0, 1j * STEP):
            assert np.isfinite(call(np.array([-800.0, 0.0, 1e-300, 800.0]) + shift).real).all()

    @pytest.mark.parametrize("name", ["lambda", "exp", "t0", "_where", "α", "x 1", "x0"])
    def test_any_name(self, name: str) -> None:
        one, other = symbols((name, "x1"))
        call = compile_numpy(sympy.exp(one + other) * sympy.sin(one + other) + other, [one, other])
        assert call(0.5, 0.25) == pytest.approx(np.exp(0.75) * np.sin(0.75) + 0.25)

    def test_a_symbol_that_is_no_argument(self) -> None:
        with pytest.raises(ValueError, match=r"^y in y \+ z is no argument$"):
            compile_numpy(z + y, [z])

    def test_scipy_is_imported_only_when_needed(self) -> None:
        program = (
            "import sys, numpy as np\n"
            "from backproof.ops.functions import *\n"
            "z, = symbols(['z'])\n"
            "compile_numpy(sigmoid(z), [z])(np.ones(1))\n"
            "assert not any(m.startswith('scipy') for m in sys.modules)\n"
            "compile_numpy(sympy.erf(z), [z])(np.ones(1))\n"
            "assert 'scipy.special' in sys.modules\n"
        )
        subprocess.run([sys.executable, "-c", program], check=True)
