"""A check of derivatives for tests: against central differences, along random directions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from backproof.autograd.forms import mapped
from backproof.autograd.gradients import make_jvp, make_vjp
from backproof.autograd.misc.flatten import flatten
from backproof.autograd.run import Argnum, Function, positions
from backproof.ops.row import Array

STEP = 1e-6
TOLERANCE = 1e-6
MODES = ("fwd", "rev")


def check_grads(
    function: Function, argnum: Argnum = 0, modes: Sequence[str] = MODES, order: int = 2
) -> Callable[..., None]:
    """Gives, for arguments, a check of J·v (``"fwd"``) and gᵀ·J (``"rev"``), and of their derivatives up to `order`.

    It raises AssertionError where one differs from central differences by more than 1e-6, absolutely and relatively.
    """
    if not set(modes) <= set(MODES):
        raise ValueError(f"the modes are {', '.join(MODES)}, not {', '.join(modes)}")

    @wraps(function)
    def check(*arguments: Any, **named: Any) -> None:
        chosen = positions(argnum)
        varied = tuple(arguments[k] for k in chosen)

        def of(*given: Any) -> Any:
            whole = list(arguments)
            for k, x in zip(chosen, given, strict=True):
                whole[k] = x
            return function(*whole, **named)

        _checked(of, getattr(function, "__name__", "the function"), varied, modes, order)

    return check


def _checked(function: Function, name: str, x: tuple[Any, ...], modes: Sequence[str], order: int) -> None:
    draw = np.random.default_rng(0)
    every = tuple(range(len(x)))
    v, g = _drawn(x, draw), _drawn(function(*x), draw)
    vector, unflatten = flatten(x)
    moved = flatten(v)[0] * STEP / 2
    ahead, behind = (flatten(function(*unflatten(vector + sign * moved)))[0] for sign in (1, -1))
    numeric = (ahead - behind) / STEP

    def jvp(*x_and_v: Any) -> Any:
        return make_jvp(function, every)(*x_and_v[:-1])(x_and_v[-1])[1]

    def vjp(*x_and_g: Any) -> Any:
        return make_vjp(function, every)(*x_and_g[:-1])[0](x_and_g[-1])

    if "fwd" in modes:
        _close(flatten(jvp(*x, v))[0], numeric, f"J·v of {name}")
        if order > 1:
            _checked(jvp, f"J·v of {name}", (*x, v), modes, order - 1)
    if "rev" in modes:
        _close(flatten(vjp(*x, g))[0] @ flatten(v)[0], flatten(g)[0] @ numeric, f"gᵀ·J·v of {name}")
        if order > 1:
            _checked(vjp, f"gᵀ·J of {name}", (*x, g), modes, order - 1)


def _drawn(form: Any, draw: np.random.Generator) -> Any:
    return mapped(lambda x: draw.standard_normal(np.shape(x)), form)


def _close(found: Array, expected: Array, what: str) -> None:
    error = np.abs(found - expected)
    assert np.all((error < TOLERANCE) | (error < TOLERANCE * np.abs(expected))), (
        f"{what} is {found}, by central differences {expected}"
    )
