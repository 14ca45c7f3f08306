"""A user's expressions: what is read means what was written; all else is a SpecError, and soon."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import mpmath
import pytest
import sympy
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from backproof.ir.errors import SpecError
from backproof.ops.expression import DEEPEST, FUNCTIONS, parse
from backproof.ops.functions import sigmoid, stable, symbols

z, a, y = symbols(("z", "a", "y"))
"""Seconds: a hang is minutes, a busy machine is no failure."""


class TestMeaning:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("z*sigmoid(z)", z * sigmoid(z)),
            ("(a - y)**2/2", (a - y) ** 2 / 2),
            ("(a - y)^2/2", (a - y) ** 2 / 2),
            ("-z^2", -(z**2)),
            ("2^z^2", 2 ** (z**2)),
            ("+z - -z", 2 * z),
            ("1/3", sympy.Rational(1, 3)),
            ("e**z", sympy.exp(z)),
            ("2*pi", 2 * sympy.pi),
            ("max(z, 0)", sympy.Piecewise((z, z >= 0), (0, True))),
            ("min(z, 0)", sympy.Piecewise((z, z <= 0), (0, True))),
            ("relu(z)", sympy.Piecewise((z, z > 0), (0, True))),
            ("relu(relu(z))", sympy.Piecewise((z, z > 0), (0, True))),
            ("where(z <= 1, z, 1)", sympy.Piecewise((z, z <= 1), (1, True))),
            ("abs(z)", sympy.Abs(z)),
            ("gelu(z)", z / 2 * (1 + sympy.erf(z / sympy.sqrt(2)))),
            ("silu(2*z)", 2 * z * sigmoid(2 * z)),
            (" \n z +\t1 ", z + 1),
            ("sin(pi)", sympy.S.Zero),
            ("where(1 > 2, z, a)", a),
        ],
    )
    def test_is_what_was_written(self, text: str, expected: sympy.Expr) -> None:
        assert parse(text, ("z", "a", "y")) == expected

    @pytest.mark.parametrize("text", ["0.1*z", "0.044715*z**3", "1.0507009873554805*z", "0.001*z", "1.5*z + 0.25"])
    def test_decimals_are_printed_as_typed(self, text: str) -> None:
        assert str(parse(text, ("z",))) == text

    def test_symbols_are_the_ones_of_everybody(self) -> None:
        assert parse("z", ("z",)) == z
        assert parse("e*pi", ("e", "pi")) == sympy.Mul(*symbols(("e", "pi")))

    def test_a_long_sum_is_not_nested(self) -> None:
        assert parse("+".join(["z"] * 1000), ("z",)) == 1000 * z

    @pytest.mark.parametrize(
        "text", ["relu(relu(z) - 1)", "max(z, max(a, y))", "relu(max(z, a) - min(z, y))", "abs(log(z))"]
    )
    def test_conditions_are_plain_comparisons_and_derivatives_are_found(self, text: str) -> None:
        expr = parse(text, ("z", "a", "y"))
        for x in (expr, expr.diff(z), expr.diff(z, 2)):
            conditions = {c for pieces in x.atoms(sympy.Piecewise) for _, c in pieces.args if c != sympy.true}
            assert all(isinstance(c, sympy.core.relational.Relational) for c in conditions)
            assert not any(c.has(sympy.Piecewise) for c in conditions)
            assert not x.has(sympy.Derivative)


class TestErrors:
    @pytest.mark.parametrize(
        ("text", "column", "message"),
        [
            ("z + * 2", 5, "does not parse"),
            ("(z + 1", 1, "does not parse"),
            ("z +", 4, "does not parse"),
            ("2^z^", 5, "does not parse"),
            ("z; z", 2, "does not parse"),
            ("z := 2", 3, "does not parse"),
            ("z\0", 1, "does not parse"),
            ("z + sigmiod(z)", 5, "the name 'sigmiod' is not allowed"),
            ("z^2 + q", 7, "the name 'q' is not allowed"),
            ("α + z", 1, "the name 'α' is not allowed"),
            ("(z +\n q)", 7, "the name 'q' is not allowed"),
            ("__import__('os')", 1, "the name '__import__' is not allowed"),
            ("z.real", 1, "an attribute is not allowed"),
            ("z[0]", 1, "an index is not allowed"),
            ("(lambda: z)()", 1, "this cannot be called"),
            ("z(2)", 1, "z is not a function"),
            ("2(z)", 1, "this cannot be called"),
            ("exp", 1, "exp is a function"),
            ("exp(x=z)", 7, "exp takes no arguments by name"),
            ("exp(**z)", 7, "exp takes no arguments by name"),
            ("exp(*z)", 5, "this is not allowed"),
            ("1 + lambda: z", 5, "does not parse"),
            ("lambda: z", 1, "a lambda is not allowed"),
            ("'z'", 1, "a text is not a real number"),
            ("f'{z}'", 1, "a text is not allowed"),
            ("[z for z in z]", 1, "this is not allowed"),
            ("(z := 2)", 2, "an assignment is not allowed"),
            ("z if z else 1", 1, "if and else are not allowed"),
            ("1or z", 1, "and, or are not allowed"),
            ("z > 0", 1, "a comparison is allowed only as the first argument"),
            ("exp(z > 0)", 5, "a comparison is allowed only as the first argument"),
            ("where(z, 1, 0)", 7, "where needs a comparison first"),
            ("where(0 < z < 1, 1, 0)", 7, "where needs a comparison first"),
            ("where(z == 1, 1, 0)", 7, "where needs a comparison first"),
            ("z // 2", 1, "this operator is not allowed"),
            ("z % 2", 1, "this operator is not allowed"),
            ("~z", 1, "this is not allowed"),
            ("exp(z, 2)", 1, "exp takes 1 argument, not 2"),
            ("1 + max(z)", 5, "max takes 2 arguments, not 1"),
            ("True", 1, "True is not a real number"),
            ("None", 1, "None is not a real number"),
            ("2j*z", 1, "2j is not a real number"),
            ("z/0", 3, "a division by zero"),
            ("z/(a - a)", 4, "a division by zero"),
            ("0**-1", 4, "a division by zero"),
            ("sqrt(-1)", 1, "not a real number"),
            ("sqrt(-1)*sqrt(-1)", 1, "not a real number"),
            ("log(-1)*z", 1, "not a real number"),
            ("log(0)", 1, "not a real number"),
            ("log(z - z)", 1, "not a real number"),
            ("(-8)**(1/3)", 8, "not a real number"),
            ("sqrt(-z**2)", 1, "not a real number"),
            ("where(sqrt(-1 - z**2) > 0, 1, 0)", 7, "not a real number"),
            ("9**9**9", 4, "an exponent beyond 64"),
            ("((z + 1)**64)**64", 16, "an exponent beyond 64"),
            ("(9**60)**60", 10, "the number is too long"),
            ("(((1 + 1/10**30)**64)**64)**64", 19, "the number is too long"),
            ("1" * 50, 1, "the number is too long"),
            ("z*1e400", 3, "the number is too large"),
            ("z/1e-400", 3, "the number is too small"),
            ("exp(exp(exp(exp(9))))", 9, "the number is too large"),
            ("z + sin(exp(exp(exp(9))))", 13, "the number is too large"),
            ("1/exp(-1000)", 3, "the number is too small"),
            ("(" * 101 + "z" + ")" * 101, 101, "nested too deeply"),
            ("[" * 500, 101, "nested too deeply"),
            ("-" * 150 + "z", 102, "nested too deeply"),
            ("z**" * 150 + "z", 301, "nested too deeply"),
        ],
    )
    def test_says_what_and_where(self, text: str, column: int, message: str) -> None:
        with pytest.raises(SpecError) as caught:
            parse(text, ("z", "a", "y"))
        assert message in caught.value.what
        assert caught.value.where == f"column {column}"

    def test_text(self) -> None:
        with pytest.raises(SpecError) as caught:
            parse("z + sigmiod(z)", ("z",))
        assert str(caught.value) == (
            "the name 'sigmiod' is not allowed (column 5)\n"
            "z + sigmiod(z)\n"
            "    ^\n"
            f"did you mean 'sigmoid'? allowed are numbers, z, pi, e, + − * / **, and {', '.join(FUNCTIONS)}"
        )

    def test_empty(self) -> None:
        for text in ("", " ", "\n\t"):
            with pytest.raises(SpecError, match=r"^the expression is empty\nwrite one in a and y$"):
                parse(text, ("a", "y"))

    def test_too_long(self) -> None:
        with pytest.raises(SpecError, match=r"^the expression is too long\nat most 2000 characters$"):
            parse("z+" * 1001 + "z", ("z",))

    def test_no_warning_of_the_python_parser(self) -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for text in ("1or z", "2(z)", "'\\d'"):
                with pytest.raises(SpecError):
                    parse(text, ("z",))
        assert not caught


def soon(text: str, names: tuple[str, ...] = ("z", "y")) -> sympy.Expr | None:
    """The expression, or None if it is refused. What is not over soon is not over in any time a test could wait."""
    try:
        return parse(text, names)
    except SpecError:
        return None


class TestBombs:
    @pytest.mark.parametrize("name", [name for name, (count, *_) in FUNCTIONS.items() if count == 1] + ["gelu", "silu"])
    @pytest.mark.parametrize("depth", [10, 95])
    @pytest.mark.parametrize("start", ["z", "z - 1", "2", "log(z)"])
    def test_a_function_of_itself(self, name: str, depth: int, start: str) -> None:
        expr = soon(f"{name}(" * depth + start + ")" * depth)
        assert expr is None or not expr.has(sympy.nan, sympy.zoo, sympy.I)

    @pytest.mark.parametrize(
        "text",
        [
            "max(z, " * 40 + "y" + ")" * 40,
            "max(" * 40 + "z" + ", y)" * 40,
            "max(sin(" * 20 + "z" + "), y)" * 20,
            "where(z > y, " * 40 + "z" + ", y)" * 40,
            "where(" * 40 + "z" + " > y, z, y)" * 40,
            "relu(1 - " * 60 + "z" + ")" * 60,
            "abs(1 - z*" * 60 + "y" + ")" * 60,
            "(z + 1)**64*" * 150 + "z",
            "(" * 90 + "z" + " + 1)**2" * 90,
            "+".join(f"sqrt({k})*z" for k in range(2, 150)),
            "*".join(f"(z - {k})**9" for k in range(2, 130)),
            "sqrt(" + "*".join(["9999999999999999999999999999999999999999"] * 40) + ")",
            "(10**39 + 7)**(1/7)*z",
            "tan(1e100*z)",
            "sin(1e99)*z",
            "z**0.333**0.333**0.333",
        ],
    )
    def test_is_over_soon(self, text: str) -> None:
        soon(text)


PIECES = [
    *FUNCTIONS,
    "z",
    "y",
    "q",
    "pi",
    "e",
    "0",
    "1",
    "2",
    "0.1",
    "1e9",
    "9",
    "64",
    "1e-400",
    "-1",
    "(",
    "(",
    ")",
    ")",
]
PIECES += [
    "+",
    "-",
    "*",
    "/",
    "**",
    "^",
    ",",
    ",",
    " ",
    ".",
    "<",
    ">",
    ">=",
    "==",
    "'",
    '"',
    "\\",
    "[",
    "]",
    "{",
    ":",
    ":=",
]
PIECES += [
    "lambda",
    "if",
    "else",
    "for",
    "in",
    "not",
    "and",
    "yield",
    "await",
    "...",
    "#",
    "\n",
    "\0",
    "é",
    "\ud800",
    "j",
]


class TestGarbage:
    @settings(max_examples=400)
    @given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
    @example("9**9**9**9")
    def test_pieces_of_expressions(self, text: str) -> None:
        soon(text)

    @settings(max_examples=200)
    @given(st.text(max_size=60) | st.text("()z+-*/^1e.,<>", max_size=60))
    def test_any_text(self, text: str) -> None:
        soon(text)


Reference = Callable[[mpmath.mpf, mpmath.mpf], mpmath.mpf]
Written = tuple[str, Reference]
ONE_ARGUMENT: dict[str, Callable[[mpmath.mpf], mpmath.mpf]] = {
    "exp(tanh({}))": lambda u: mpmath.exp(mpmath.tanh(u)),
    "log(1 + ({})**2)": lambda u: mpmath.log(1 + u**2),
    "sqrt(1 + ({})^2)": lambda u: mpmath.sqrt(1 + u**2),
    "1/(2 + sin({}))": lambda u: 1 / (2 + mpmath.sin(u)),
    "1/(1 + exp(-({})))": lambda u: 1 / (1 + mpmath.exp(-u)),
    "log(1 + exp({}))": lambda u: mpmath.log(1 + mpmath.exp(u)),
    "sigmoid({})": lambda u: 1 / (1 + mpmath.exp(-u)),
    "softplus({})": lambda u: mpmath.log(1 + mpmath.exp(u)),
    "cos({})": mpmath.cos,
    "atan({})": mpmath.atan,
    "erf({})": mpmath.erf,
    "abs({})": abs,
    "sign({})": mpmath.sign,
    "relu({})": lambda u: max(u, mpmath.mpf(0)),
    "silu({})": lambda u: u / (1 + mpmath.exp(-u)),
    "-{}": lambda u: -u,
}
TWO_ARGUMENTS: dict[str, Callable[[mpmath.mpf, mpmath.mpf], mpmath.mpf]] = {
    "({} + {})": lambda u, v: u + v,
    "({} - {})": lambda u, v: u - v,
    "{}*{}": lambda u, v: u * v,
    "max({}, {})": max,
    "min({}, {})": min,
}


def _tie(u: mpmath.mpf) -> mpmath.mpf:
    # Where a choice hangs on the last digit, the written and the exact number may differ.
    assume(abs(u) > 1e-9)
    return u


def _leaf(text: str, reference: Reference) -> Written:
    return text, reference


def _one(form: str, inner: Written) -> Written:
    guard = _tie if form == "sign({})" else lambda u: u
    text = inner[0] if form != "-{}" else f"({inner[0]})"
    return form.format(text), lambda p, q: ONE_ARGUMENT[form](guard(inner[1](p, q)))


def _two(form: str, left: Written, right: Written) -> Written:
    texts = [f"({x[0]})" if form == "{}*{}" else x[0] for x in (left, right)]
    return form.format(*texts), lambda p, q: TWO_ARGUMENTS[form](left[1](p, q), right[1](p, q))


def _choice(left: Written, right: Written, yes: Written, no: Written) -> Written:
    def reference(p: mpmath.mpf, q: mpmath.mpf) -> mpmath.mpf:
        return (yes if _tie(left[1](p, q) - right[1](p, q)) > 0 else no)[1](p, q)

    return f"where({left[0]} > {right[0]}, {yes[0]}, {no[0]})", reference


LEAVES = st.sampled_from(
    [
        _leaf("z", lambda p, q: p),
        _leaf("y", lambda p, q: q),
        _leaf("2", lambda p, q: mpmath.mpf(2)),
        _leaf("1/3", lambda p, q: mpmath.mpf(1) / 3),
        _leaf("0.25", lambda p, q: mpmath.mpf("0.25")),
        _leaf("pi", lambda p, q: +mpmath.pi),
    ]
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(_one, st.sampled_from(list(ONE_ARGUMENT)), inner)
        | st.builds(_two, st.sampled_from(list(TWO_ARGUMENTS)), inner, inner)
        | st.builds(_choice, inner, inner, inner, inner)
    ),
    max_leaves=8,
)
POINTS = st.integers(-40, 40).map(lambda k: sympy.Rational(k, 7))


@settings(max_examples=250)
@given(EXPRESSIONS, POINTS, POINTS)
def test_random_expressions_mean_what_is_written(written: Written, p: sympy.Rational, q: sympy.Rational) -> None:
    text, reference = written
    with mpmath.workdps(60):
        expected = reference(*(mpmath.mpf(int(x.p)) / int(x.q) for x in (p, q)))
        expr = soon(text)
        assume(expr is not None)  # too many cases, or a constant too small to tell from 0
        for form in (expr, stable(expr)):
            value = form.xreplace({z: p, y: q}).evalf(30, maxn=400)
            # 0.25 has as many digits as SymPy gives to decimals.
            assert mpmath.almosteq(mpmath.mpf(str(value)), expected, rel_eps=1e-11, abs_eps=1e-12)


def test_the_grammar_reaches_what_it_is_for() -> None:
    assert DEEPEST == 100
    for form in ONE_ARGUMENT:
        assert parse(form.format("z"), ("z",)) is not None


@pytest.mark.parametrize("text", ["polygamma(z, 2)", "bessel(0.5, z)", "scaled_bessel(-1, z)", "polygamma(65, z)"])
def test_an_order_is_a_small_whole_number(text: str) -> None:
    with pytest.raises(SpecError, match="an order is a whole number from 0 to 64"):
        parse(text, ["z"])
    assert parse("polygamma(2, z)", ["z"]).has(sympy.polygamma)
