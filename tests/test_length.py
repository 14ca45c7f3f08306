"""Long programs: no formula is as deep as a program is long, so nothing meets Python's limit of recursion."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import cache, partial, reduce
from typing import Any

import numpy as np
import pytest

import backproof as bp
from backproof.derivation.derivation import Derivation
from backproof.execution.export import compiled, program

Use = Callable[[Derivation], object]

LONG = 250
ROOM = 200
"""How many calls one inside the other are left to what is tested, which is fewer than the program is long."""


def repeated(x, length):  # type: ignore[no-untyped-def]
    total = 0.0
    for _ in range(length):
        total = total + np.sin(x)
    return np.sum(total)


def chain(x, length):  # type: ignore[no-untyped-def]
    for _ in range(length):
        x = np.tanh(x)
    return np.sum(x)


def in_one_formula(x, length):  # type: ignore[no-untyped-def]
    return np.sum(reduce(lambda y, _: np.sin(y * y), range(length), x))


def summed(x, length):  # type: ignore[no-untyped-def]
    return np.sum(sum([np.tanh(x) for _ in range(length)]))


def stacked(x, length):  # type: ignore[no-untyped-def]
    return np.sum(np.stack([np.tanh(x) for _ in range(length)]))


def rows(x, length):  # type: ignore[no-untyped-def]
    out = np.zeros((length, 2))
    for k in range(length):
        out[k] = np.sin(x)
    return np.sum(out**2)


def branches(x, length):  # type: ignore[no-untyped-def]
    y = x
    for _ in range(length):
        y = np.where(y > 0.5, y, y * 0.5)
    return np.sum(y)


def recurrent(x, length):  # type: ignore[no-untyped-def]
    h = np.zeros(2)
    for _ in range(length):
        h = np.tanh(x * h + x)
    return np.sum(h**2)


FUNCTIONS = (repeated, chain, in_one_formula, summed, stacked, rows, branches, recurrent)


def export(derivation: Derivation) -> None:
    trace = bp.run(derivation)
    result, gradients = compiled(derivation)(*(trace[str(x.symbol)] for x in program(derivation).inputs))
    np.testing.assert_allclose(result, trace["J"], rtol=1e-12)
    np.testing.assert_allclose(gradients["x"], trace["dx"], rtol=1e-12)


def written(format: Any, *, expand: bool = False) -> Use:
    return lambda derivation: bp.render(derivation, format, expand=expand)


USES: Mapping[str, Use] = {
    "derive": lambda derivation: None,
    "check": lambda derivation: bp.check(bp.run(derivation)),
    "export": export,
    **{name: written(name) for name in ("text", "markdown", "latex", "html", "json")},
    "expand": written("text", expand=True),
}


@cache
def derived(function: Callable[..., Any], length: int) -> Derivation:
    return bp.derive(partial(function, length=length), x=np.array([0.3, 0.4]), wrt=["x"])


@pytest.mark.parametrize("use", USES.values(), ids=USES)
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_there_is_no_limit(function: Callable[..., Any], use: Use) -> None:
    use(derived(function, 20))  # what is found once and kept, with SymPy, needs more room
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(_depth() + ROOM)
    try:
        use(derived(function, LONG))
    finally:
        sys.setrecursionlimit(before)


def _depth() -> int:
    depth, frame = 0, sys._getframe()
    while frame.f_back is not None:
        depth, frame = depth + 1, frame.f_back
    return depth
