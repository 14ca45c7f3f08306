"""Formulas as plain text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from math_trees import DW, DZ, EQUATIONS, RELU, TREES, J, array, entry, leaves
from rich.cells import cell_len

from backproof.write.math import (
    EQUALS,
    Equation,
    Fence,
    Frac,
    Func,
    Hat,
    Ident,
    Math,
    Matrix,
    Number,
    Prime,
    Row,
    Scripts,
    Sign,
    Sqrt,
    Word,
    chain,
    printable,
)
from backproof.write.math_unicode import linear, pretty

a, b, c, d, m, x, z = map(Ident, "abcdmxz")
PLUS = Sign("+")
SUM = Row((a, PLUS, b))


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (Row((array("dZ"), EQUALS, array("dA"), Sign("*"), Prime(array("g")), Fence(array("Z")))),
         "dZ[2] = dA[2] * g[2]'(Z[2])"),
        (entry("a", "1", "1"), "a[2](1)_1"),
        (Scripts(a, sub=Row((Ident("j"), Sign(",", "tight"), Ident("k")))), "a_{j,k}"),
        (Scripts(Ident("δ"), sub=Row((Ident("j"), Ident("k")))), "δ_{jk}"),
        (Scripts(x, sup=Number("2")), "x²"),
        (Scripts(Ident("e"), sup=Row((Sign("−", "tight"), z))), "e^(−z)"),
        (Scripts(SUM, sup=Number("2")), "(a + b)²"),
        (Frac(Number("1"), m), "1/m"),
        (Frac(SUM, c), "(a + b)/c"),
        (Frac(Row((Ident("d"), Ident("L"), Fence(a))), Ident("da")), "dL(a)/da"),
        (Frac(a, Frac(b, c)), "a/(b/c)"),
        (Row((Frac(Number("1"), m), array("dZ"))), "(1/m) dZ[2]"),
        (Row((Number("2"), z)), "2 z"),
        (Row((Func("log"), x)), "log x"),
        (Row((Func("log"), Fence(x))), "log(x)"),
        (Matrix(((a, b), (c, d))), "[a, b; c, d]"),
        (Hat(Ident("Y")), "Ŷ"),
        (Hat(SUM), "hat(a + b)"),
        (Sqrt(m), "√m"),
        (Sqrt(SUM), "√(a + b)"),
        (RELU, "{z if z > 0; 0 otherwise}"),
        (chain(DW), "dW[2] = (1/m) dZ[2] · A[1]ᵀ"),
        (chain(J), "J = (1/m) Σ_{i=1}^m Σ_{j=1}^n L(a[2](i)_j, y(i)_j)"),
    ],
)  # fmt: skip
def test_linear(node: Math, text: str) -> None:
    assert linear(node) == text


def drawn(picture: str) -> list[str]:
    return [line.rstrip() for line in picture.strip("\n").split("\n")]


@pytest.mark.parametrize(
    ("of", "picture"),
    [
        (J, """
       m   n
      ___ ___
    1 ╲   ╲      [2](i)   (i)
J = ─ ╱__ ╱__ L(a      , y   )
    m i=1 j=1    j        j
"""),
        (Equation(Row((Func("relu"), Fence(z))), (RELU,)), """
          ⎧z  if z > 0
relu(z) = ⎨
          ⎩0  otherwise
"""),
        (Scripts(Fence(Frac(Ident("dσ"), Ident("dz"))), sup=Number("2")), """
⎛dσ⎞2
⎜──⎟
⎝dz⎠
"""),
        (Sqrt(Frac(SUM, c)), """
    _____
   ╱a + b
  ╱ ─────
╲╱    c
"""),
        (Row((Hat(Ident("Y")), Hat(SUM))), """
  ╱‾‾‾╲
Ŷ a + b
"""),
        (Row((Matrix(((a, Ident("dZ")), (c, d))), Sign("·"), Matrix(((x,),)))), """
⎡a  dZ⎤ · [x]
⎣c  d ⎦
"""),
    ],
)  # fmt: skip
def test_pretty(of: Equation | Math, picture: str) -> None:
    assert pretty(of, 80) == drawn(picture)


def test_the_article_on_one_line() -> None:
    assert pretty(DZ, 200) == drawn("""
                              ⎡  [2](1)    [2]'  [2](1)     [2](2)    [2]'  [2](2)        [2](m)    [2]'  [2](m) ⎤
                              ⎢da       · g    (z      )  da       · g    (z      )  …  da       · g    (z      )⎥
                              ⎢  1               1          1               1             1               1      ⎥
                              ⎢                                                                                  ⎥
  [2]     [2]    [2]'  [2]    ⎢  [2](1)    [2]'  [2](1)     [2](2)    [2]'  [2](2)        [2](m)    [2]'  [2](m) ⎥
dZ    = dA    * g    (Z   ) = ⎢da       · g    (z      )  da       · g    (z      )  …  da       · g    (z      )⎥
                              ⎢  2               2          2               2             2               2      ⎥
                              ⎢                                                                                  ⎥
                              ⎢  [2](1)    [2]'  [2](1)     [2](2)    [2]'  [2](2)        [2](m)    [2]'  [2](m) ⎥
                              ⎢da       · g    (z      )  da       · g    (z      )  …  da       · g    (z      )⎥
                              ⎣  3               3          3               3             3               3      ⎦
""")


def test_the_article_before_its_equals_signs() -> None:
    lines = pretty(DZ, 100)
    assert lines[:2] == ["  [2]     [2]    [2]'  [2]", "dZ    = dA    * g    (Z   )"]
    assert lines[7].startswith("      = ⎢da  ")


def test_a_wide_matrix_comes_in_blocks_of_columns() -> None:
    # Its last column is not the fourth: there are dots.
    titles = [line.strip() for line in pretty(DZ, 60) if "column" in line]
    assert titles == ["= column 1 of the 4 shown:", "columns 2–3 of the 4 shown:", "column 4 of the 4 shown:"]
    numbers = Matrix((tuple(Number(str(10**6 + i)) for i in range(5)),))
    assert pretty(Equation(x, (numbers,)), 32) == drawn("""
x = columns 1–3 of 5:
    [1000000  1000001  1000002]

    columns 4–5 of 5:
    [1000003  1000004]
""")


def test_a_long_part_breaks_before_its_signs() -> None:
    terms: list[Math] = [Word("term1")]
    for i in range(2, 7):
        terms += [PLUS, Word(f"term{i}")]
    assert pretty(Equation(x, (Row(tuple(terms)),)), 24) == drawn("""
x = term1 + term2
      + term3 + term4
      + term5 + term6
""")
    assert pretty(Row((Func("f"), Fence(Row(tuple(terms))))), 24) == drawn("""
f(term1 + term2 + term3
  + term4 + term5
  + term6)
""")


def test_a_name_too_long_for_the_width_is_cut_but_whole() -> None:
    name = "x" * 70
    assert pretty(Equation(Scripts(a, Number("1")), (Word(name),)), 24) == ["a  =", " 1", *[f"     {'x' * 19}"] * 3, f"     {'x' * 13}"]  # fmt: skip  # noqa: E501


@given(TREES)
def test_linear_is_one_line(node: Math) -> None:
    assert linear(node).isprintable()


def bare(text: str) -> str:
    """Without white space; ᵀ as T, ² as 2, Ŷ as Y and its hat."""
    return "".join(unicodedata.normalize("NFKD", printable(text)).split())


@given(EQUATIONS | TREES, st.integers(20, 120))
@example(DZ, 20)
def test_no_line_is_longer_than_the_width(of: Equation | Math, width: int) -> None:
    assert max(map(cell_len, pretty(of, width))) <= width


@given(EQUATIONS | TREES, st.integers(1, 120))
@example(DZ, 1)
@example(DZ, 20)
@example(DZ, 60)
def test_nothing_is_lost_at_any_width(of: Equation | Math, width: int) -> None:
    text = bare("".join(pretty(of, width)))
    for leaf in leaves(of):
        assert bare(leaf) in text
