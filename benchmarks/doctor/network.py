"""The networks: NumPy files with a right forward and backward pass, and what is declared beside each of them."""

from __future__ import annotations

import linecache
import sys
import tomllib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from inspect import signature
from itertools import count
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import numpy as np

HERE = Path(__file__).parent
SEEDS = (1, 3)
_numbers = count(1)

Leaves = dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Network:
    """A file in `networks`, or in `unseen`, which is held out.

    wrong     mistakes that need thought, each a piece of the source and what stands there instead
    rewrites  other ways to write the same, in the same form
    """

    name: str
    source: str
    unseen: bool
    wrong: tuple[Mapping[str, Any], ...]
    rewrites: tuple[Mapping[str, Any], ...]


@cache
def networks() -> tuple[Network, ...]:
    """All of them, by their names."""
    return tuple(map(_network, sorted(HERE.glob("networks/*.py")) + sorted(HERE.glob("unseen/*.py"))))


def _network(path: Path) -> Network:
    # What is declared of a seen network but of a kind that is held out stands in `unseen`.
    plans = [HERE / folder / f"{path.stem}.toml" for folder in ("networks", "unseen")]
    plan = [tomllib.loads(p.read_text(encoding="utf-8")) for p in plans if p.exists()]
    wrong, rewrites = (tuple(x for part in plan for x in part.get(key, ())) for key in ("wrong", "rewrite"))
    return Network(path.stem, path.read_text(encoding="utf-8"), path.parent.name == "unseen", wrong, rewrites)


def module(source: str) -> Any:
    """The module that a source makes; its lines can be looked up, as those of a file."""
    file = f"<case {next(_numbers)}>.py"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    made = ModuleType("case")
    exec(compile(source, file, "exec"), made.__dict__)
    return made


def arguments(source: str, seed: int) -> dict[str, Any]:
    """What a network is given, drawn anew from a seed."""
    return module(source).data(np.random.default_rng(seed))


def returned(source: str, given: Mapping[str, Any]) -> Leaves:
    """What the backward pass of a source returns, each array by its place.

    It is given what its parameters are called: arguments, variables of the forward pass, and what that returned beside
    the loss as `cache`.
    """
    made = module(source)
    given = deepcopy(dict(given))
    variables: dict[str, Any] = {}

    def profile(frame: FrameType, event: str, argument: Any) -> None:
        if event == "return" and frame.f_code is made.forward.__code__:
            variables.update(frame.f_locals)

    sys.setprofile(profile)
    try:
        result = made.forward(**given)
    finally:
        sys.setprofile(None)
    kept = result[1:] if isinstance(result, tuple) else ()
    known = {"cache": kept[0] if len(kept) == 1 else kept, **variables, **given}
    names = signature(made.backward).parameters
    with np.errstate(all="ignore"):
        return leaves(made.backward(**{name: known[name] for name in names if name in known}))


def leaves(value: Any) -> Leaves:
    """The parts of a container by their places: ``['W1']``, ``[0][1]``; what is no array of numbers is not a number."""
    return dict(_leaves("", value))


def _leaves(place: str, value: Any) -> Iterator[tuple[str, np.ndarray]]:
    if isinstance(value, dict):
        for key in value:
            yield from _leaves(f"{place}[{key!r}]", value[key])
    elif isinstance(value, list | tuple):
        for k, part in enumerate(value):
            yield from _leaves(f"{place}[{k}]", part)
    else:
        yield place, np.array(np.nan) if value is None else np.asarray(value, dtype=float)
