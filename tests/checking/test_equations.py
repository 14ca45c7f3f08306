"""Equations with something put in."""

from __future__ import annotations

from backproof.checking.equations import exchanged
from backproof.ir.sizes import Size
from backproof.ir.symbol import Symbol
from backproof.ops.arithmetic import div, mul
from backproof.ops.leaves import constant, size, variable
from backproof.ops.linear import stretched


def test_what_is_put_in_is_stretched_as_what_was_there() -> None:
    n, k = Size("n"), Size("k")
    above, w = variable(Symbol("dJ"), ()), variable(Symbol("W"), (n, k))
    spread = stretched(above, (n, k))
    assert exchanged(spread, above, div(constant(1), size(n))).shape == (n, k)
    assert exchanged(mul(spread, w), above, constant(2)).inputs[0].shape == (n, k)


def test_what_has_another_shape_is_not_stretched() -> None:
    n, k = Size("n"), Size("k")
    row, column = variable(Symbol("a"), (k,)), variable(Symbol("b"), (n, k))
    assert exchanged(stretched(row, (n, k)), row, column) is column
