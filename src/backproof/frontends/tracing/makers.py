"""Arrays that the followed code makes: what it later writes into them has to be seen.

NumPy's protocols are not asked when an array is made. So while a function is followed, `np.zeros` and its like give a
traced array where the user's own code calls them through the module; all other callers get NumPy's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from backproof.frontends.tracing.lengths import sizes_of
from backproof.frontends.tracing.scipys import replaced
from backproof.frontends.tracing.tape import RUNNING, Tape, is_users
from backproof.frontends.tracing.traced import Traced
from backproof.ops.leaves import constant
from backproof.ops.linear import stretched

Maker = Callable[..., Any]


def _filled(fill: float) -> Callable[[Any, Any], Any]:
    return lambda made, shape: _constant(made, fill, shape)


def _constant(made: Any, fill: float, asked: Any) -> Any:
    if made.dtype.kind != "f":
        return made
    tape = RUNNING[-1]
    shape = tuple(of or own for of, own in zip(sizes_of(asked), tape.shape(made), strict=True))
    node = stretched(constant(fill), shape)
    tape.values[node] = made
    return Traced(tape, tape.made(node), made)


def _holds_traced(x: Any) -> bool:
    return isinstance(x, Traced) or (isinstance(x, list | tuple) and any(map(_holds_traced, x)))


def _array(x: Any, *arguments: Any, **options: Any) -> Any:
    """np.array of what may hold traced arrays: they are stacked."""
    if isinstance(x, Traced):
        return x.copy()
    return np.stack([_array(part) for part in x]) if _holds_traced(x) else np.asarray(x, dtype=float)


def _made(original: Maker, wrap: Callable[[Any, Any], Any]) -> Maker:
    def maker(shape: Any, *arguments: Any, **options: Any) -> Any:
        made = original(shape, *arguments, **options)
        return wrap(made, shape) if is_users(sys._getframe(1).f_code) else made

    return maker


def _arange(original: Maker) -> Maker:
    def arange(*arguments: Any, **options: Any) -> Any:
        made = original(*arguments, **options)
        sizes = sizes_of(arguments)
        if len(sizes) == 1 and sizes[0] is not None:
            RUNNING[-1].shapes[id(made)] = made, (sizes[0],)
        return made

    return arange


def _full(original: Maker) -> Maker:
    def full(shape: Any, fill: Any, *arguments: Any, **options: Any) -> Any:
        if isinstance(fill, Traced):
            return np.broadcast_to(fill, shape)
        made = original(shape, fill, *arguments, **options)
        return _constant(made, float(fill), shape) if is_users(sys._getframe(1).f_code) and np.ndim(fill) == 0 else made

    return full


def _from_parts(original: Maker, *, copies: bool) -> Maker:
    def array(x: Any, *arguments: Any, **options: Any) -> Any:
        if is_users(sys._getframe(1).f_code) and _holds_traced(x):
            return x if isinstance(x, Traced) and not copies else _array(x)
        return original(x, *arguments, **options)

    return array


@contextmanager
def making() -> Iterator[None]:
    """While this holds, the user's code makes arrays that are followed."""
    if len(RUNNING) > 1:
        yield
        return
    originals = {name: getattr(np, name) for name in ("zeros", "ones", "empty", "full", "arange", "array", "asarray")}
    makers = {
        "zeros": _made(np.zeros, _filled(0)),
        "ones": _made(np.ones, _filled(1)),
        "empty": _made(np.zeros, _filled(0)),
        "full": _full(np.full),
        "arange": _arange(np.arange),
        "array": _from_parts(np.array, copies=True),
        "asarray": _from_parts(np.asarray, copies=False),
    }
    try:
        for name, maker in makers.items():
            setattr(np, name, maker)
        with replaced():
            yield
    finally:
        for name, original in originals.items():
            setattr(np, name, original)


@contextmanager
def following(tape: Tape) -> Iterator[None]:
    """While this holds, a function is followed on a tape; one that is followed inside it shares the tape."""
    RUNNING.append(tape)
    try:
        with making():
            yield
    finally:
        RUNNING.pop()
