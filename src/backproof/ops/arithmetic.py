"""Element-wise arithmetic. Inputs broadcast as in NumPy; the engine sums back what was stretched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np

from backproof.ir.node import Node
from backproof.ir.sizes import Shape, broadcast
from backproof.ops.entries import elementwise_entry, terms_entry
from backproof.ops.leaves import constant, is_number
from backproof.ops.notation import PRODUCT, SUM, Fraction, Infix, Minus, Superscript
from backproof.ops.row import Domain, Row


def common_shape(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    """The shape rule of every element-wise row."""
    return broadcast(shapes)


_PAIR = (Domain((2, 3)), Domain((2, 3)))
_POSITIVE = Domain((2, 3), 0.5, 2.0)

add: Row = Row(
    name="add",
    kind="linear",
    about="The element-wise sum of two arrays.",
    meaning=np.add,
    shape=common_shape,
    aligns=True,
    notation=Infix("+", SUM),
    entry=terms_entry,
    vjp=lambda g, y, a, b: (g, g),
    reasons=("{x} is a term of {y}, so {dy} passes through unchanged.",) * 2,
    domain=_PAIR,
)

sub: Row = Row(
    name="sub",
    kind="linear",
    about="The element-wise difference of two arrays.",
    meaning=np.subtract,
    shape=common_shape,
    aligns=True,
    notation=Infix("−", SUM),
    entry=terms_entry,
    vjp=lambda g, y, a, b: (g, neg(g)),
    reasons=(
        "{x} is a term of {y}, so {dy} passes through unchanged.",
        "{x} is subtracted in {y}, so {dy} passes through with its sign changed.",
    ),
    domain=_PAIR,
)

neg: Row = Row(
    name="neg",
    kind="linear",
    about="The array with the sign of every entry changed.",
    meaning=np.negative,
    shape=common_shape,
    aligns=True,
    notation=Minus(),
    entry=elementwise_entry,
    vjp=lambda g, y, a: (neg(g),),
    reasons=("{x} enters {y} with its sign changed, and so does the derivative.",),
    domain=(Domain((2, 3)),),
)


def _scaled(g: Node, factor: Node) -> Node:
    """The product, with a plain number in front, and the sign of a number before that."""
    if g.op is neg and not g.shape and g.symbol is None:
        return neg(_scaled(g.inputs[0], factor))
    return (
        product(factor, g) if not factor.shape and factor.symbol is None and not factor.inputs else product(g, factor)
    )


mul: Row = Row(
    name="mul",
    kind="elementwise",
    about="The element-wise product of two arrays.",
    meaning=np.multiply,
    shape=common_shape,
    aligns=True,
    notation=Infix("*", PRODUCT),
    entry=elementwise_entry,
    vjp=lambda g, y, a, b: (_scaled(g, b), _scaled(g, a)),
    reasons=("In the element-wise product each entry of {x} is multiplied by one number, the entry beside it.",) * 2,
    domain=_PAIR,
)


def _div_vjp(g: Node, y: Node, a: Node, b: Node) -> tuple[Node, Node]:
    return div(g, b), neg(div(product(g, y), b))


div: Row = Row(
    name="div",
    kind="elementwise",
    about="The element-wise quotient of two arrays.",
    meaning=np.divide,
    shape=common_shape,
    aligns=True,
    notation=Fraction(),
    entry=elementwise_entry,
    vjp=_div_vjp,
    reasons=(
        "In the element-wise quotient each entry of {x} is divided by one number, the entry beside it.",
        "The derivative of a/b by b is −a/b², that is, minus the quotient itself over b.",
    ),
    domain=(Domain((2, 3)), _POSITIVE),
)

power = Row(
    name="power",
    kind="elementwise",
    about="Every entry raised to a given power.",
    meaning=lambda a, exponent: a**exponent,
    shape=common_shape,
    aligns=True,
    notation=Superscript(),
    entry=elementwise_entry,
    vjp=lambda g, y, a: (product(g, product(constant(y.attrs["exponent"]), raised(a, y.attrs["exponent"] - 1))),),
    reasons=("Each entry of {x} is raised to a power by itself, and the power rule gives its derivative.",),
    domain=(_POSITIVE,),
    attrs={"exponent": 3},
)


MANY = 8
"""A sum of more terms than this is added up in halves."""


def added(terms: Sequence[Node]) -> Node:
    """The sum of terms in their order; of many, that of its halves, so that no formula is as deep as it is long."""
    if len(terms) <= MANY:
        return reduce(add, terms)
    half = len(terms) // 2
    return add(added(terms[:half]), added(terms[half:]))


def product(a: Node, b: Node) -> Node:
    """`a * b`, left out where a factor is the number one."""
    for one, other in ((a, b), (b, a)):
        if is_number(one, 1) or (_is_one_everywhere(one) and broadcast([one.shape, other.shape]) == other.shape):
            return other
    return mul(a, b)


def _is_one_everywhere(node: Node) -> bool:
    """Whether a node is the number one, stretched to an array."""
    while node.symbol is None and node.op.name in ("stretch", "expand"):
        (node,) = node.inputs
    return is_number(node, 1)


def raised(a: Node, exponent: float) -> Node:
    """`a` to a power, left out where the exponent is zero or one."""
    if exponent == 0:
        return constant(1)
    return a if exponent == 1 else power(a, exponent=exponent)
