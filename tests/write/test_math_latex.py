"""LaTeX of math nodes: the article's spellings, exactly."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from math_trees import DW, DZ, ONE_TO_M, RELU, TREES, J, array, entry, layer

from backproof.write.math import (
    BigSum,
    Dots,
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
)
from backproof.write.math_latex import latex

a, b, c, d, m, z = map(Ident, "abcdmz")


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (entry("a", "1", "1"), "a_{1}^{[2](1)}"),
        (Prime(array("g")), "{g^{[2]}}'"),
        (Prime(Ident("g")), "g'"),
        (Prime(Func("tanh"), 2), r"\tanh''"),
        (BigSum(*ONE_TO_M, Ident("x")), r"\sum_{i=1}^{m}x"),
        (BigSum(Ident("k"), None, Ident("x")), r"\sum_{k}x"),
        (Frac(Number("1"), m), r"\frac{1}{m}"),
        (Hat(Ident("Y")), r"\widehat{Y}"),
        (Sqrt(m), r"\sqrt{m}"),
        (Matrix(((a, b), (c, d))), r"\begin{bmatrix} a & b \\ c & d \end{bmatrix}"),
        (Matrix(((a,), (layer(1),))), r"\begin{bmatrix} a \\ {}[1] \end{bmatrix}"),
        (Matrix(((a,) * 11,)), rf"\left[\begin{{array}}{{{'c' * 11}}} a{' & a' * 10} \end{{array}}\right]"),
        (Row((Dots(), Dots("v"), Dots("d"))), r"...\vdots\ddots"),
        (Fence(z), "(z)"),
        (Fence(Frac(a, b)), r"\left( \frac{a}{b} \right)"),
        (Fence(Row((Sign("−", "tight"), z)), "|", "|"), "|{-z}|"),
        (Fence(Frac(a, b), "{", ""), r"\left\{ \frac{a}{b} \right."),
        (RELU, r"\begin{cases} z & \text{if }z > 0 \\ 0 & \mathrm{otherwise} \end{cases}"),
        (Row((array("A"), Sign("*"), array("B"))), r"A^{[2]}\;*\;B^{[2]}"),
        (Row((a, Sign("·"), b)), r"a\cdot b"),
        (Row((Ident("σ"), z)), r"\sigma z"),
        (Row((Ident("σ"), Fence(z))), r"\sigma(z)"),
        (Row((a, Sign("≤", "relation"), b)), r"a \leq b"),
        (Row((a, Sign("∈", "relation"), b)), r"a \in b"),
        (Ident("dσ"), r"d\sigma"),
        (Ident("dZ"), "dZ"),
        (Ident("∂"), r"\partial"),
        (Scripts(Ident("e"), sup=Row((Sign("−", "tight"), z))), "e^{-z}"),
        (Scripts(Scripts(a, Number("1")), sup=Number("2")), "{a_{1}}^{2}"),
        (Number("1.2e-05"), r"1.2\mathrm{e}{-}05"),
        (Scripts(Number("3e+20"), sup=Number("2")), r"{3\mathrm{e}20}^{2}"),
        (Func("softmax"), r"\operatorname{softmax}"),
        (Func("log_softmax"), r"\operatorname{\text{log\_softmax}}"),
        (Word("hidden"), r"\mathrm{hidden}"),
        (Word(r"_#$%&{}~^\ σ"), r"\text{\_\#\$\%\&\{\}\textasciitilde{}\textasciicircum{}\textbackslash{} $\sigma$}"),
        (chain(J), r"J = \frac{1}{m}\sum_{i=1}^{m}\sum_{j=1}^{n}L(a_{j}^{[2](i)}, y_{j}^{(i)})"),
        (chain(DW), r"dW^{[2]} = \frac{1}{m}dZ^{[2]}\cdot A^{[1]T}"),
    ],
)
def test_spelling(node: Math, text: str) -> None:
    assert latex(node) == text


def _tokens(text: str) -> str:
    """What counts: all but white space, ``\\;``, ``\\ `` and blank matrix rows."""
    text = re.sub(r"\\\\\s*(&\s*)+(?=\\\\)", "", text)
    return re.sub(r"\\;|\\ |\s", "", text)


def test_the_article_word_for_word(article: str) -> None:
    start = article.index("dZ^{[2]} \n=")
    theirs = article[start : article.index(r"\end{bmatrix}", start)] + r"\end{bmatrix}"
    assert _tokens(latex(chain(DZ))) == _tokens(theirs)


@given(TREES)
def test_any_tree_prints_with_balanced_braces(node: Math) -> None:
    bare = re.sub(r"\\\\|\\[{}]", "", latex(node))
    assert bare.count("{") == bare.count("}")
    assert not re.search(r"[%#~]", re.sub(r"\\[%#]", "", bare))
    assert bare.count(r"\left") == bare.count(r"\right")
