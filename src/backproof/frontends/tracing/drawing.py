"""Random numbers: whether a function draws any, told by the states of the generators that it can reach."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from backproof.frontends.tracing.spaces import held, spaces_of
from backproof.frontends.tracing.tape import RUNNING, Tape

GENERATORS = (np.random.Generator, np.random.RandomState)
NOTE = "random numbers are drawn; the derivation is that for the ones drawn"
DEEPEST = 4
"""How far inside containers and attributes a generator is looked for."""


@contextmanager
def noticing_draws(tape: Tape, function: Callable[..., Any], arguments: Iterable[Any]) -> Iterator[None]:
    """Notes if random numbers are drawn while this holds: with the modules, or with a generator that `function` has."""
    of_modules = [x for space in spaces_of(function) for x in space.values() if isinstance(x, GENERATORS)]
    given = _generators([*held(function), *arguments])
    tape.generators += [(x, _state(x)) for x in dict.fromkeys([np.random, random, *of_modules, *given])]
    yield
    if any(_state(x) != before for x, before in tape.generators):
        tape.notes[NOTE] = None


def default_rng(seed: Any = None) -> Any:
    """NumPy's own; the generator is known to be one that the function draws from."""
    made = np.random.default_rng(seed)
    if RUNNING:
        RUNNING[-1].generators.append((made, _state(made)))
    return made


def _state(source: Any) -> bytes:
    if source is random:
        return pickle.dumps(random.getstate())
    if isinstance(source, np.random.Generator):
        return pickle.dumps(source.bit_generator.state)
    return pickle.dumps(source.get_state(legacy=False))


def _generators(values: Iterable[Any]) -> Iterator[Any]:
    """The generators among values, and inside their containers and attributes."""
    seen: set[int] = set()
    waiting = [(x, DEEPEST) for x in values]
    while waiting:
        value, left = waiting.pop()
        if isinstance(value, GENERATORS):
            yield value
        elif left and id(value) not in seen and not isinstance(value, type | ModuleType | np.ndarray):
            seen.add(id(value))
            waiting += [(x, left - 1) for x in _parts(value)]


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list | tuple | set) else getattr(value, "__dict__", {}).values()
