"""MathML of math nodes."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from math_trees import DZ, ONE_TO_M, RELU, TREES, array, entry

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
    Sign,
    Sqrt,
    Word,
    chain,
)
from backproof.write.math_mathml import mathml

HEAD = '<math xmlns="http://www.w3.org/1998/Math/MathML">'
TIGHT = 'stretchy="false" lspace="0" rspace="0"'


@pytest.mark.parametrize(
    ("node", "body"),
    [
        (Ident("a"), "<mi>a</mi>"),
        (Ident("dZ"), "<mi>d</mi><mi>Z</mi>"),
        (Number("1"), "<mn>1</mn>"),
        (Number("1e-05"), '<mn mathvariant="normal">1e−05</mn>'),
        (Word("if "), "<mtext>if\u00a0</mtext>"),
        (Word("a<b"), "<mtext>a&lt;b</mtext>"),
        (Func("tanh"), "<mi>tanh</mi>"),
        (Func("f"), '<mi mathvariant="normal">f</mi>'),
        (Row((Func("log"), Ident("x"))), '<mi>log</mi><mspace width="0.1667em"/><mi>x</mi>'),
        (Sign("*"), '<mo stretchy="false" lspace="0.2222em" rspace="0.2222em">∗</mo>'),
        (Sign("=", "relation"), '<mo stretchy="false" lspace="0.2778em" rspace="0.2778em">=</mo>'),
        (Dots(), f"<mo {TIGHT}>…</mo>"),
        (
            entry("a", "j", "i"),
            f"<msubsup><mi>a</mi><mi>j</mi><mrow><mo {TIGHT}>[</mo><mn>2</mn><mo {TIGHT}>]</mo>"
            f"<mo {TIGHT}>(</mo><mi>i</mi><mo {TIGHT}>)</mo></mrow></msubsup>",
        ),
        (Prime(Ident("g"), 2), f"<msup><mi>g</mi><mo {TIGHT}>″</mo></msup>"),
        (Hat(Ident("Y")), '<mover accent="true"><mi>Y</mi><mo stretchy="true">^</mo></mover>'),
        (Frac(Number("1"), Ident("m")), "<mfrac><mn>1</mn><mi>m</mi></mfrac>"),
        (Sqrt(Ident("dx")), "<msqrt><mrow><mi>d</mi><mi>x</mi></mrow></msqrt>"),
        (Fence(Ident("z")), f"<mo {TIGHT}>(</mo><mi>z</mi><mo {TIGHT}>)</mo>"),
        (Row(()), '<mspace width="0"/>'),
        (
            BigSum(*ONE_TO_M, Ident("x")),
            f"<munderover><mo {TIGHT}>∑</mo><mrow><mi>i</mi><mo {TIGHT}>=</mo><mn>1</mn></mrow><mi>m</mi></munderover>"
            '<mspace width="0.1667em"/><mi>x</mi>',
        ),
        (
            Matrix(((Ident("a"), Number("1")),)),
            '<mrow><mo fence="true" form="prefix" stretchy="true" lspace="0" rspace="0">[</mo>'
            '<mtable columnspacing="0.8em" rowspacing="1ex">'
            "<mtr><mtd><mi>a</mi></mtd><mtd><mn>1</mn></mtd></mtr></mtable>"
            '<mo fence="true" form="postfix" stretchy="true" lspace="0" rspace="0">]</mo></mrow>',
        ),
    ],
)
def test_spelling(node: Math, body: str) -> None:
    assert mathml(node) == f"{HEAD}{body}</math>"


def test_pieces_are_set_to_the_left() -> None:
    assert mathml(RELU).count('<mtd style="text-align:left">') == 4


def test_display_and_alternative_text() -> None:
    head = '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block" alttext="a &lt; &quot;b&quot;">'
    assert mathml(Ident("a"), display=True, alttext='a < "b"').startswith(head)


def test_rows_stay_flat() -> None:
    # The picture renderer's time doubles with every level.
    def depth(element: ET.Element) -> int:
        return max(map(depth, element), default=0) + element.tag.endswith("mrow")

    assert depth(ET.fromstring(mathml(chain(DZ)))) == 2


@given(TREES)
def test_any_tree_is_xml_with_the_right_number_of_children(node: Math) -> None:
    counts = {"msub": 2, "msup": 2, "msubsup": 3, "munder": 2, "munderover": 3, "mover": 2, "mfrac": 2, "msqrt": 1}
    for element in ET.fromstring(mathml(node, display=True, alttext="x")).iter():
        tag = element.tag.partition("}")[2]
        assert len(element) == counts.get(tag, len(element))


def test_scripts_on_several_letters_are_on_all_of_them() -> None:
    assert "<msup><mrow><mi>d</mi><mi>Z</mi></mrow><mrow>" in mathml(array("dZ"))
