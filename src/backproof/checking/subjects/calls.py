"""What somebody's functions are called with: the names of their parameters tell."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from types import MethodType
from typing import Any

import numpy as np

from backproof.ir.errors import BackproofError

REST = ("cache", "caches", "memory", "ctx", "context", "saved", "tape", "state", "activations", "values", "store")
"""How a backward pass calls what the forward pass kept for it."""
UPSTREAM = re.compile(
    r"(upstream|error|delta|grad|top_diff|out(put)?_(grad|err|delta)|d(_?[A-Z]|_|out|next|val|loss)).*|g|d[a-z]"
)
"""How a backward pass calls the derivative by the result."""
PREDICTION = re.compile(r"out(put)?s?|y_?(hat|pred)\w*|pred\w*|prob\w*|a|o|A\w?|scores?|logits", re.IGNORECASE)
"""How a backward pass calls what the forward pass predicts."""
RATES = ("lr", "learning_rate", "learningRate", "alpha", "eta", "step_size")
"""How the size of a step is called; a backward pass that takes one updates the parameters itself."""
RATE = 0.01


def matched(
    function: Callable[..., Any],
    arguments: Mapping[str, Any],
    variables: Mapping[str, Any] | None = None,
    rest: Iterable[Any] = (),
    upstream: Sequence[Any] | None = None,
) -> dict[str, Any]:
    """What a function is called with, by the names of its parameters.

    A parameter is an argument, else a variable of the forward pass of that name, else what the forward pass returned
    beside its result (`cache`), else the derivative by that result: the next of `upstream`, or 1 where that is None.
    The only parameter that is none of these is the cache by another name.
    """
    return dict(_each(function, arguments, {} if variables is None else variables, list(rest), upstream))


def prediction(
    function: Callable[..., Any], arguments: Mapping[str, Any], variables: Mapping[str, Any], parts: Sequence[Any]
) -> dict[str, Any]:
    """What a loss is called with: what is no argument is what the forward pass gives, whatever its name."""
    arrays = iter([part for part in parts if part is not None and not isinstance(part, dict)])
    containers = [part for part in parts if isinstance(part, dict)]
    found = {}
    for name, parameter in _parameters(function):
        if name in arguments:
            found[name] = arguments[name]
        elif name in REST and containers:
            found[name] = containers[-1]
        elif parameter.default is parameter.empty:
            given = next(arrays, variables.get(name))
            if given is None:
                raise _unknown(function, name)
            found[name] = given
    return found


def from_above(function: Callable[..., Any], known: Collection[str]) -> list[str]:
    """The parameters of a backward pass that take the derivative by a result, where some names are known otherwise."""
    other = {*known, *RATES}
    found = [
        name
        for name, p in _parameters(function)
        if name not in other
        and name.lower() not in REST
        and (p.default is p.empty or UPSTREAM.fullmatch(name) is not None)
    ]
    called_so = [name for name in found if UPSTREAM.fullmatch(name)]
    return called_so if len(found) - len(called_so) == 1 and called_so else found  # the other one is the cache


def needs(function: Callable[..., Any]) -> list[str]:
    """The names of the parameters that a function has to be given."""
    return [name for name, parameter in _parameters(function) if parameter.default is parameter.empty]


def takes(function: Callable[..., Any]) -> list[str]:
    """The names of a function's parameters."""
    return [name for name, _ in _parameters(function)]


def _parameters(function: Callable[..., Any]) -> Sequence[tuple[str, inspect.Parameter]]:
    # Each copy of an object has a method of its own, of one function.
    if isinstance(function, MethodType):
        return _parameters_of(function.__func__, 1)
    return _parameters_of(function, 0)


@lru_cache(maxsize=64)
def _parameters_of(function: Callable[..., Any], bound: int) -> Sequence[tuple[str, inspect.Parameter]]:
    """The parameters of a function but the first ones that are bound."""
    parameters = [*inspect.signature(function).parameters.items()]
    first = parameters[0][1].kind if parameters else None
    left = parameters if first is inspect.Parameter.VAR_POSITIONAL else parameters[bound:]
    return [(name, x) for name, x in left if x.kind not in (x.VAR_POSITIONAL, x.VAR_KEYWORD)]


def _each(
    function: Callable[..., Any],
    arguments: Mapping[str, Any],
    variables: Mapping[str, Any],
    rest: Sequence[Any],
    upstream: Sequence[Any] | None,
) -> Iterator[tuple[str, Any]]:
    above = repeat(1.0) if upstream is None else iter(upstream)
    arrays = iter([part for part in rest if isinstance(part, np.ndarray)])
    known = {*arguments, *variables}
    has_cache = any(name not in known and name.lower() in REST for name, _ in _parameters(function))
    left = [] if has_cache else [*_left(function, known, rest, upstream)]
    for name, parameter in _parameters(function):
        if name in arguments:
            yield name, arguments[name]
        elif name in variables:
            yield name, variables[name]
        elif rest and (name.lower() in REST or left == [name]):
            containers = [part for part in rest if isinstance(part, dict | list | tuple)]
            yield name, containers[-1] if containers else rest[0] if len(rest) == 1 else tuple(rest)
        elif UPSTREAM.fullmatch(name) and (upstream or parameter.default is parameter.empty):
            yield name, _next(above, function, name)
        elif parameter.default is not parameter.empty:
            continue
        elif name in RATES:
            yield name, RATE
        elif upstream:
            yield name, _next(above, function, name)
        elif PREDICTION.fullmatch(name):
            yield name, _next(arrays, function, name)
        else:
            raise _unknown(function, name)
    if takes_all(function):
        own = set(takes(function))
        yield from ((name, value) for name, value in arguments.items() if name not in own)


def takes_all(function: Callable[..., Any]) -> bool:
    """Whether a function takes whatever else it is given by name: ``**params``."""
    return _takes_all(function.__func__ if isinstance(function, MethodType) else function)


@lru_cache(maxsize=64)
def _takes_all(function: Callable[..., Any]) -> bool:
    return any(x.kind is x.VAR_KEYWORD for x in inspect.signature(function).parameters.values())


def _left(
    function: Callable[..., Any], known: Collection[str], rest: Sequence[Any], upstream: Sequence[Any] | None
) -> Iterator[str]:
    """The parameters that have to be given and that nothing fits but what the forward pass kept."""
    others = [name for name in needs(function) if name not in known and name not in RATES]
    free = [name for name in others if not UPSTREAM.fullmatch(name)]
    if upstream:
        # Derivatives by the result go first to what is called so.
        yield from free[max(0, len(upstream) - (len(others) - len(free))) :]
        return
    arrays = sum(isinstance(part, np.ndarray) for part in rest)
    for name in free:
        if PREDICTION.fullmatch(name) and arrays:
            arrays -= 1
        else:
            yield name


def _next(values: Iterator[Any], function: Callable[..., Any], name: str) -> Any:
    for value in values:
        return value
    raise _unknown(function, name)


def _unknown(function: Callable[..., Any], name: str) -> BackproofError:
    called = getattr(function, "__name__", "the function")
    return BackproofError(
        f"it is not known what {called} is to be given as {name}",
        where=f"{called}{inspect.signature(function)}",
        why="no argument and no variable of the forward pass has that name; what that returns beside its result goes "
        "to one parameter of another name, and not to several",
        instead="give it among the data, or call it as the forward pass does",
    )
