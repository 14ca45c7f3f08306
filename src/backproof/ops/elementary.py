"""Elementary functions, comparisons and functions given in pieces: what scalar definitions are spelled with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from backproof.ir.node import Node
from backproof.ops.arithmetic import common_shape
from backproof.ops.entries import elementwise_entry
from backproof.ops.leaves import constant
from backproof.ops.notation import Apply, Bars, Exponential, Infix, Notation, Pieces, Root, TimesLog
from backproof.ops.row import Array, Domain, Row
from backproof.ops.scalar import Scalar, ScalarRow, elementwise

RELATION = -1


REASON = "Each entry of {x} is taken by itself, so the chain rule is an element-wise product."


def _elementary(name: str, notation: Notation, about: str, low: float = -2.0, high: float = 2.0) -> ScalarRow:
    scalar = Scalar(name, ("z",), f"{name}(z)")
    return elementwise(scalar, notation, about, reason=REASON, domain=(Domain((2, 3), low, high),))


exp = _elementary("exp", Exponential(), "The exponential function.")
log = _elementary("log", Apply("log"), "The natural logarithm.", 0.3, 3.0)
sqrt = _elementary("sqrt", Root(), "The square root.", 0.3, 3.0)
sin = _elementary("sin", Apply("sin"), "The sine.")
cos = _elementary("cos", Apply("cos"), "The cosine.")
tan = _elementary("tan", Apply("tan"), "The tangent.", -1.0, 1.0)
atan = _elementary("atan", Apply("arctan"), "The inverse tangent.")
asin = _elementary("asin", Apply("arcsin"), "The inverse sine.", -0.9, 0.9)
acos = _elementary("acos", Apply("arccos"), "The inverse cosine.", -0.9, 0.9)
asinh = _elementary("asinh", Apply("arsinh"), "The inverse hyperbolic sine.")
acosh = _elementary("acosh", Apply("arcosh"), "The inverse hyperbolic cosine.", 1.2, 3.0)
atanh = _elementary("atanh", Apply("artanh"), "The inverse hyperbolic tangent.", -0.9, 0.9)
atan2 = elementwise(
    Scalar("atan2", ("y", "x"), "atan2(y, x)"),
    Apply("atan2"),
    "The angle of the point (x, y), from −π to π; it jumps where y changes its sign left of the origin.",
    reason=REASON,
    domain=(Domain((2, 3), 0.3, 2.0), Domain((2, 3))),
)
sinh = _elementary("sinh", Apply("sinh"), "The hyperbolic sine.")
cosh = _elementary("cosh", Apply("cosh"), "The hyperbolic cosine.")
erf = _elementary("erf", Apply("erf"), "The error function, 2/√π times the integral of exp(−t²) from 0 to z.")
absolute = _elementary("abs", Bars(), "The absolute value; at 0 its derivative is taken as 0.")
xlogy = elementwise(
    Scalar("xlogy", ("x", "y"), "xlogy(x, y)"),
    TimesLog(),
    "x · log(y), and 0 where x is 0 even if y is 0 too.",
    reason=REASON,
    domain=(Domain((2, 3)), Domain((2, 3), 0.3, 3.0)),
)


def _defined(name: str, definition: str, about: str, low: float = -2.0, high: float = 2.0) -> ScalarRow:
    arguments = ("x", "y") if "y" in definition else ("z",)
    domain = (Domain((2, 3), low, high),) * len(arguments)
    return elementwise(Scalar(name, arguments, definition), Apply(name), about, reason=REASON, domain=domain)


log1p = _defined("log1p", "log(1 + z)", "The logarithm of 1 + z, exact also for a small z.", -0.5, 2.0)
expm1 = _defined("expm1", "exp(z) - 1", "e to the power of z, minus 1, exact also for a small z.")
log2 = _defined("log2", "log(z)/log(2)", "The logarithm to base 2.", 0.3, 3.0)
log10 = _defined("log10", "log(z)/log(10)", "The logarithm to base 10.", 0.3, 3.0)
hypot = _defined("hypot", "sqrt(x**2 + y**2)", "The length of the hypotenuse.", 0.3, 3.0)
logaddexp = _defined("logaddexp", "x + softplus(y - x)", "The logarithm of the sum of two exponentials.")
maximum = elementwise(
    Scalar("maximum", ("x", "y"), "where(x > y, x, where(x < y, y, (x + y)/2))"),
    Apply("max"),
    "The larger of two; where they are equal, each has half of the derivative.",
    reason=REASON,
    domain=(Domain((2, 3)), Domain((2, 3))),
)
minimum = elementwise(
    Scalar("minimum", ("x", "y"), "where(x < y, x, where(x > y, y, (x + y)/2))"),
    Apply("min"),
    "The smaller of two; where they are equal, each has half of the derivative.",
    reason=REASON,
    domain=(Domain((2, 3)), Domain((2, 3))),
)
sign = _elementary("sign", Apply("sign"), "−1, 0 or 1; its derivative is 0 wherever it has one.")


def _comparison(name: str, sign_: str, meaning: Any) -> Row:
    return Row(
        name=name,
        kind="zero",
        about=f"Whether the left side is {sign_} the right; complex numbers are compared by their real part.",
        meaning=lambda a, b: meaning(np.real(a), np.real(b)),
        shape=common_shape,
        aligns=True,
        notation=Infix(sign_, RELATION),
        entry=elementwise_entry,
        domain=(Domain((2, 3)), Domain((2, 3))),
    )


equal = _comparison("equal", "=", np.equal)
not_equal = _comparison("not_equal", "≠", np.not_equal)
greater = _comparison("greater", ">", np.greater)
greater_equal = _comparison("greater_equal", "≥", np.greater_equal)
less = _comparison("less", "<", np.less)
less_equal = _comparison("less_equal", "≤", np.less_equal)

COMPARISONS: Mapping[Row, str] = {
    equal: "==",
    not_equal: "!=",
    greater: ">",
    greater_equal: ">=",
    less: "<",
    less_equal: "<=",
}
"""How languages spell comparisons."""


def _step(name: str, about: str, meaning: Any, arguments: int = 1) -> Row:
    return Row(
        name=name,
        kind="zero",
        about=f"{about} Its derivative is 0 wherever it has one.",
        meaning=lambda *arrays: meaning(*map(np.real, arrays)),
        shape=common_shape,
        aligns=True,
        notation=Apply(name),
        entry=elementwise_entry,
        domain=(Domain((2, 3)), Domain((2, 3), 0.5, 2.0))[:arguments],
    )


floor = _step("floor", "The largest whole number that is not above z.", np.floor)
ceil = _step("ceil", "The smallest whole number that is not below z.", np.ceil)
trunc = _step("trunc", "z without its decimals.", np.trunc)
rint = _step("rint", "The nearest whole number, of two that are as near the even one.", np.rint)
whole = _step(
    "whole",
    "z without its decimals, as a whole number, which can be an index.",
    lambda z: np.asarray(z).astype(np.int64),
)
floor_divide = _step("floor_divide", "How often the divisor goes into the dividend as a whole.", np.floor_divide, 2)


def _choose(*arrays: Array) -> Array:
    result = arrays[-1]
    for value, condition in zip(arrays[-3::-2], arrays[-2::-2], strict=True):
        result = np.where(condition, value, result)
    return result


def _choose_vjp(g: Node, y: Node, *inputs: Node) -> tuple[Node | None, ...]:
    zero = constant(0)
    values = range(0, len(inputs), 2)

    def chosen(k: int) -> Node:
        picked: list[Node] = []
        for value in values:
            picked.append(g if value == k else zero)
            if value + 1 < len(inputs):
                picked.append(inputs[value + 1])
        return pieces(*picked)

    return tuple(chosen(k) if k % 2 == 0 else None for k in range(len(inputs)))


pieces = Row(
    name="pieces",
    kind="linear",
    about="The first value whose condition holds: value, condition, value, condition, …, value otherwise.",
    meaning=_choose,
    shape=common_shape,
    aligns=True,
    notation=Pieces(),
    entry=elementwise_entry,
    vjp=_choose_vjp,
    reasons=("Where {x} is the value chosen, it receives the derivative; elsewhere it has no influence.",) * 3,
    domain=(Domain((2, 3)), Domain((2, 3), 0.0, 1.0), Domain((2, 3))),
)
