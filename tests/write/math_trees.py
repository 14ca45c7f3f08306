"""Random math trees, and the article's formulas, for the tests of every printer."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from hypothesis import strategies as st

from backproof.write.math import (
    BigSum,
    Cases,
    Dots,
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
)


def layer(number: int) -> Math:
    return Row((Sign("[", "tight"), Number(str(number)), Sign("]", "tight")))


def number_or_letter(text: str) -> Math:
    return Number(text) if text.isdigit() else Ident(text)


def sample(text: str) -> Math:
    return Row((Sign("(", "tight"), number_or_letter(text), Sign(")", "tight")))


def array(letters: str, number: int = 2) -> Math:
    return Scripts(Ident(letters), sup=layer(number))


def entry(letters: str, node: str, of: str) -> Math:
    return Scripts(Ident(letters), number_or_letter(node), Row((layer(2), sample(of))))


G_PRIME = Prime(array("g"))
COMMA = Sign(",", "punctuation")
ONE_TO_M = Row((Ident("i"), Sign("=", "tight"), Number("1"))), Ident("m")
ONE_TO_N = Row((Ident("j"), Sign("=", "tight"), Number("1"))), Ident("n")
RELU = Cases(
    (
        (Ident("z"), Row((Word("if "), Ident("z"), Sign(">", "relation"), Number("0")))),
        (Number("0"), Word("otherwise")),
    )
)


def _product(node: str, of: str) -> Math:
    return Row((entry("da", node, of), Sign("·"), G_PRIME, Fence(entry("z", node, of))))


DZ = Equation(
    array("dZ"),
    (
        Row((array("dA"), Sign("*"), G_PRIME, Fence(array("Z")))),
        Matrix(tuple((_product(j, "1"), _product(j, "2"), Dots(), _product(j, "m")) for j in "123")),
    ),
)
DW = Equation(
    array("dW"),
    (
        Row(
            (
                Frac(Number("1"), Ident("m")),
                array("dZ"),
                Sign("·"),
                Scripts(Ident("A"), sup=Row((layer(1), Ident("T")))),
            )
        ),
    ),
)
LOSS = Row((Ident("L"), Fence(Row((entry("a", "j", "i"), COMMA, Scripts(Ident("y"), Ident("j"), sample("i")))))))
J = Equation(Ident("J"), (Row((Frac(Number("1"), Ident("m")), BigSum(*ONE_TO_M, BigSum(*ONE_TO_N, LOSS)))),))

NASTY = st.text(st.sampled_from("abZ09 _#$%&{}~^\\<>\"'|-=:!*[]()ßéσΣ−名\u0301\n\t\x00\u200d\ufffe"), max_size=8)
LETTERS = st.sampled_from(["a", "dZ", "σ", "dσ", "∂", "ε", "Λ"])
LEAVES = st.one_of(
    st.builds(Ident, LETTERS | NASTY),
    st.builds(Number, st.sampled_from(["1", "0.044715", "1.2e-05", "3e+20", "-1", "inf"])),
    st.builds(Word, st.sampled_from(["if ", "otherwise", "hidden_1"]) | NASTY),
    st.builds(Func, st.sampled_from(["tanh", "log_softmax", "L"]) | NASTY),
    st.builds(
        Sign,
        st.sampled_from("=+−*·,>≤|[]()∈→") | NASTY,
        st.sampled_from(["binary", "relation", "punctuation", "tight"]),
    ),
    st.builds(Dots, st.sampled_from("hvd")),
)


def _matrices(inner: st.SearchStrategy[Math]) -> st.SearchStrategy[Math]:
    def of_width(columns: int) -> st.SearchStrategy[Math]:
        row = st.lists(inner, min_size=columns, max_size=columns).map(tuple)
        return st.lists(row, max_size=4).map(tuple).map(Matrix)

    return st.integers(0, 12).flatmap(of_width)


def _larger(inner: st.SearchStrategy[Math]) -> st.SearchStrategy[Math]:
    pairs = st.lists(st.tuples(inner, inner), max_size=3).map(tuple)
    return st.one_of(
        st.lists(inner, max_size=6).map(tuple).map(Row),
        st.builds(Scripts, inner, st.none() | inner, st.none() | inner),
        st.builds(Prime, inner, st.integers(0, 4)),
        st.builds(Hat, inner),
        st.builds(Frac, inner, inner),
        st.builds(Sqrt, inner),
        st.builds(BigSum, inner, st.none() | inner, inner),
        st.builds(Fence, inner, st.sampled_from(["(", "[", "{", "|", ""]), st.sampled_from([")", "]", "}", "|", ""])),
        _matrices(inner),
        pairs.map(Cases),
    )


TREES: st.SearchStrategy[Math] = st.recursive(LEAVES, _larger, max_leaves=15)
EQUATIONS = st.builds(Equation, TREES, st.lists(TREES, max_size=3).map(tuple))


def leaves(of: object) -> Iterator[str]:
    """The text of every leaf that a reader must find again."""
    if isinstance(of, Ident | Number | Word | Func):
        yield of.text
    elif isinstance(of, tuple):
        for item in of:
            yield from leaves(item)
    elif dataclasses.is_dataclass(of):
        for field in dataclasses.fields(of):
            yield from leaves(getattr(of, field.name))
