"""Arrays that the followed code makes: what it later writes into them has to be seen.

NumPy's protocols are not asked when an array is made. So while a function is followed, `np.zeros` and its like give a
traced array where the user's own code calls them; all other callers get NumPy's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from threading import Lock
from types import ModuleType
from typing import Any

import numpy as np

from backproof.frontends.tracing.drawing import default_rng
from backproof.frontends.tracing.lengths import sizes_of
from backproof.frontends.tracing.scipys import replaced
from backproof.frontends.tracing.spaces import Space, StandIn, spaces_of, standing_in
from backproof.frontends.tracing.tape import RUNNING, Tape, is_users, refuse
from backproof.frontends.tracing.traced import HANDLERS, Traced, holds_traced, stacked
from backproof.ops.leaves import constant
from backproof.ops.linalg import scaled_identity
from backproof.ops.linear import stretched

Maker = Callable[..., Any]


def _constant(made: Any, fill: complex, asked: Any) -> Any:
    if made.dtype.kind not in "fc":
        return made
    tape = RUNNING[-1]
    tape.complex |= made.dtype.kind == "c"
    shape = tuple(of or own for of, own in zip(sizes_of(asked), tape.shape(made), strict=True))
    node = stretched(constant(complex(fill) if made.dtype.kind == "c" else fill), shape)
    tape.values[node] = made
    return Traced(tape, tape.made(node), made)


def _identity(made: Any, asked: Any) -> Any:
    rows, columns = made.shape
    if made.dtype.kind != "f" or rows != columns or not made.diagonal().all():
        return made
    tape = RUNNING[-1]
    size = sizes_of(asked)[0] or tape.shape(made)[0]
    node = scaled_identity(constant(1), sizes=(size, size))
    tape.values[node] = made
    return Traced(tape, tape.made(node), made)


def _for_users(original: Maker, maker: Maker) -> Maker:
    """A maker for the user's code that is being followed; all other callers get NumPy's."""

    @wraps(original)
    def chosen(*arguments: Any, **options: Any) -> Any:
        if RUNNING and is_users(sys._getframe(1).f_code):
            return maker(*arguments, **options)
        return original(*arguments, **options)

    return chosen


def _filled(fill: float) -> Callable[[Any, Any], Any]:
    return lambda made, shape: _constant(made, fill, shape)


def _made(original: Maker, wrap: Callable[[Any, Any], Any]) -> Maker:
    def maker(*arguments: Any, **options: Any) -> Any:
        made = original(*arguments, **options)
        return wrap(made, arguments[0] if arguments else options.get("shape", made.shape))

    return maker


def _like(original: Maker, fill: float) -> Maker:
    def like(x: Any, *arguments: Any, **options: Any) -> Any:
        made = original(x, *arguments, **options)
        return made if isinstance(made, Traced) else _constant(made, fill, made.shape)

    return like


def _arange(*arguments: Any, **options: Any) -> Any:
    made = np.arange(*arguments, **options)
    sizes = sizes_of(arguments)
    if len(sizes) == 1 and sizes[0] is not None:
        RUNNING[-1].shapes[id(made)] = made, (sizes[0],)
    return made


def _full(shape: Any, fill: Any, *arguments: Any, **options: Any) -> Any:
    if isinstance(fill, Traced):
        return np.broadcast_to(fill, shape)
    made = np.full(shape, fill, *arguments, **options)
    if np.ndim(fill):
        return made
    return _constant(made, complex(fill) if np.iscomplexobj(fill) else float(fill), shape)


class _Joined:
    """np.r_ or np.c_, of what may hold traced arrays."""

    def __init__(self, original: Any, join: Callable[[list[Any]], Any]) -> None:
        self._original, self._join = original, join

    def __getitem__(self, key: Any) -> Any:
        parts = list(key) if isinstance(key, tuple) else [key]
        if not (RUNNING and holds_traced(parts)):
            return self._original[key]
        if any(isinstance(part, str | slice) for part in parts):
            raise refuse("np.r_ and np.c_ with a range or a text are not followed", instead="use np.concatenate")
        return self._join([stacked(part) for part in parts])


def _rows(parts: list[Any]) -> Any:
    return np.concatenate([np.atleast_1d(part) for part in parts])


def _columns(parts: list[Any]) -> Any:
    return np.concatenate([part if np.ndim(part) > 1 else np.reshape(part, (-1, 1)) for part in parts], axis=-1)


def _from_parts(original: Maker, *, copies: bool) -> Maker:
    def array(x: Any, *arguments: Any, **options: Any) -> Any:
        if holds_traced(x):
            made = x if isinstance(x, Traced) and not copies else stacked(x)
            asked = arguments[0] if arguments else options.get("dtype")
            return made if asked is None or np.dtype(asked) == made.dtype else made.astype(asked)
        return original(x, *arguments, **options)

    return array


MAKERS: dict[str, Maker] = {
    "zeros": _made(np.zeros, _filled(0)),
    "ones": _made(np.ones, _filled(1)),
    "empty": _made(np.zeros, _filled(0)),
    "zeros_like": _like(np.zeros_like, 0),
    "ones_like": _like(np.ones_like, 1),
    "empty_like": _like(np.zeros_like, 0),
    "full": _full,
    "arange": _arange,
    "eye": _made(np.eye, _identity),
    "identity": _made(np.identity, _identity),
    "array": _from_parts(np.array, copies=True),
    "asarray": _from_parts(np.asarray, copies=False),
    "asanyarray": _from_parts(np.asanyarray, copies=False),
    "ascontiguousarray": _from_parts(np.ascontiguousarray, copies=False),
}
OF_SEVERAL = {"concatenate", "stack", "hstack", "vstack", "dstack", "column_stack"}
OF_LISTS = {"block", "select", "choose", "multi_dot"}


def _of_lists(name: str, original: Maker) -> Maker:
    """A function of NumPy that is given traced arrays in lists in the place of an array; no protocol sees them."""

    def one(x: Any) -> Any:
        return stacked(x) if type(x) in (list, tuple) and holds_traced(x) else x

    def each(x: Any) -> Any:
        return list(map(one, x)) if type(x) in (list, tuple) else x

    change = each if name in OF_SEVERAL else one
    return lambda *arguments, **options: original(*map(change, arguments), **options)


class _OfLists:
    """A ufunc of NumPy that takes lists with traced arrays in them too; in all else it is that ufunc."""

    def __init__(self, of: np.ufunc) -> None:
        self._of = of

    @property  # type: ignore[misc]  # a property where types see an attribute
    def __class__(self) -> type:
        return np.ufunc

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        return self._of(*_without_lists(inputs), **options)

    def reduce(self, array: Any, *arguments: Any, **options: Any) -> Any:
        return self._of.reduce(*_without_lists((array,)), *arguments, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of, name)

    def __repr__(self) -> str:
        return repr(self._of)

    def __eq__(self, other: object) -> bool:
        return self is other or self._of is other

    def __hash__(self) -> int:
        return hash(self._of)


def _without_lists(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a ufunc is given, with arrays in the place of lists that hold traced ones."""
    if not RUNNING or not any([type(x) in (list, tuple) for x in inputs]):
        return inputs
    return tuple(stacked(x) if holds_traced(x) and type(x) is not Traced else x for x in inputs)


def _ufuncs() -> dict[str, Any]:
    """The ufuncs that are followed, by all their names."""
    return {name: _OfLists(f) for name, f in vars(np).items() if isinstance(f, np.ufunc) and f in HANDLERS}


def _functions(module: ModuleType) -> dict[str, Maker]:
    """The functions of a module of NumPy that are followed, but for ufuncs."""
    functions = {name: f for name, f in vars(module).items() if callable(f) and not isinstance(f, type | np.ufunc)}
    return {name: _of_lists(name, f) for name, f in functions.items() if f in HANDLERS and name not in OF_LISTS}


def _stand_in(module: ModuleType, makers: dict[str, Maker], others: dict[str, Any]) -> StandIn:
    own = {name: _for_users(getattr(module, name), maker) for name, maker in makers.items()}
    return StandIn(module, {**own, **others})


RANDOM = StandIn(np.random, {"default_rng": default_rng})
LINALG = _stand_in(np.linalg, _functions(np.linalg), {})
JOINED = {"r_": _Joined(np.r_, _rows), "c_": _Joined(np.c_, _columns)}
NUMPY = _stand_in(np, {**_functions(np), **MAKERS}, {"random": RANDOM, "linalg": LINALG, **JOINED, **_ufuncs()})
"""NumPy as the user's code sees it."""
IMPORTED = {x.of.__name__: x for x in (NUMPY, RANDOM, LINALG)}
INSTEAD = {id(np): NUMPY}
INSTEAD |= {id(getattr(x.of, name)): other for x in IMPORTED.values() for name, other in x.instead.items()}


class _KindOfKinds(type):
    def __call__(cls, *arguments: Any, **options: Any) -> Any:
        if len(arguments) == 1 and isinstance(arguments[0], Traced):
            return arguments[0].__class__
        return type(*arguments, **options)

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, type)


class Kind(type, metaclass=_KindOfKinds):
    """The built-in `type`, but that of a traced array is told as `isinstance` tells it."""


def length_of(x: Any) -> int:
    """The built-in `len`, which makes a plain number of any; but the length of a traced array knows its axis."""
    return x.shape[0] if type(x) is Traced and x.ndim else len(x)


ADDED = {"len": length_of, "type": Kind}
"""What the user's code sees in the place of built-in functions."""

_lock = Lock()
_following = 0
_until_none_is_followed = ExitStack()


@contextmanager
def _scipy_replaced(spaces: list[Space]) -> Iterator[None]:
    """While this holds, in any thread, SciPy's functions can be followed, also where a space has them by name."""
    global _following
    with _lock:
        if not _following:
            _until_none_is_followed.enter_context(replaced(spaces))
        _following += 1
    try:
        yield
    finally:
        with _lock:
            _following -= 1
            if not _following:
                _until_none_is_followed.close()


@contextmanager
def following(tape: Tape, function: Callable[..., Any]) -> Iterator[None]:
    """While this holds, a function is followed on a tape; one that is followed inside it shares the tape.

    What could not be followed is raised at the end, also where the function handled it, or NumPy put another error in
    its place: without us it would have gone another way.
    """
    RUNNING.append(tape)
    try:
        spaces = spaces_of(function)
        with standing_in(spaces, INSTEAD, IMPORTED, ADDED), _scipy_replaced(spaces):
            yield
    except Exception as error:
        if tape.refused and error is not tape.refused[0]:
            raise tape.refused[0] from None
        raise
    finally:
        RUNNING.pop()
    if tape.refused:
        raise tape.refused[0]


@contextmanager
def apart() -> Iterator[None]:
    """While this holds, nothing is followed: for code that is run for its values only."""
    tapes = []
    while RUNNING:
        tapes.append(RUNNING[-1])
        RUNNING.pop()
    try:
        yield
    finally:
        for tape in reversed(tapes):
            RUNNING.append(tape)
