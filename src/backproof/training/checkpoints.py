"""Checkpoints: the state of a training in a safetensors file, from which it goes on bit for bit.

The file has the arrays, and in its header, as JSON, what they belong to; so it is one file, and whole or not there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from backproof.execution.engines import Kind
from backproof.execution.writing import write_bytes
from backproof.ir.errors import DataError
from backproof.ops.row import Array
from backproof.training.fitting import State
from backproof.training.history import Epoch
from backproof.training.options import Options

VERSION = 1
HEADER = "backproof"
BEST = "best."
"""Stands before the names of the parameters of the best epoch."""
SAME = ("batch", "optimiser", "schedule", "clip", "shuffle", "seed", "dtype", "patience", "least_gain")
"""The options that have to be the same when a training goes on."""


class Checkpoints:
    """The file that the state of a training is kept in."""

    def __init__(self, path: Path, options: Options) -> None:
        self._path, self._options = path, options

    def save(self, state: State, about: str, engine: Kind) -> None:
        """Writes a checkpoint of the training that `about` tells from others.

        Raises BackproofError where it cannot be written; the one before is there still.
        """
        arrays = {**state.arrays, **{f"{BEST}{name}": x for name, x in (state.best or {}).items()}}
        content = {
            "version": VERSION,
            "kind": "checkpoint",
            "about": about,
            "engine": engine,
            "steps": state.steps,
            "epochs": [epoch.as_data() for epoch in state.epochs],
            "options": _identity(self._options),
        }
        write_arrays(self._path, arrays, content)

    def engine(self) -> Kind:
        """The engine that took the steps so far, on which it depends how they are rounded; else the one asked for.

        Raises DataError where another one is asked for.
        """
        asked = self._options.engine
        if not self._path.exists():
            return asked
        used: Kind = self._read()[1]["engine"]
        if asked not in ("auto", used):
            self._differs("engine", used, asked)
        return used

    def load(self, begun: State, about: str) -> State:
        """The state in the checkpoint of the same training; where there is none, the one that it begins with.

        Raises DataError for a file that is none, and one of another network, other data or other options.
        """
        if not self._path.exists():
            return begun
        arrays, content = self._read()
        now = _identity(self._options)
        for name, before in content["options"].items():
            if now.get(name) != before:
                self._differs(name, before, now.get(name))
        if content["about"] != about:
            raise DataError(
                "the checkpoint is of another network or other data",
                where=str(self._path),
                instead="go on with the same ones, or begin anew without --resume",
            )
        own = {name: x for name, x in arrays.items() if not name.startswith(BEST)}
        best = {name.removeprefix(BEST): x for name, x in arrays.items() if name.startswith(BEST)}
        return State(own, tuple(Epoch(**epoch) for epoch in content["epochs"]), best or None, content["steps"])

    def _read(self) -> tuple[dict[str, Array], dict[str, Any]]:
        arrays, content = read_arrays(self._path)
        if content.get("kind") != "checkpoint" or content.get("version") != VERSION:
            raise DataError(f"{self._path.name} is no checkpoint that can be read", where=str(self._path))
        return arrays, content

    def _differs(self, name: str, before: Any, now: Any) -> NoReturn:
        raise DataError(
            f"the checkpoint was made with another {name}",
            where=str(self._path),
            why=f"it was {_short(before)}, and is {_short(now)}",
            instead="go on with the same options, or begin anew without --resume",
        )


def write_arrays(path: Path, arrays: Mapping[str, Array], about: Mapping[str, Any]) -> None:
    """Writes arrays and what they are about. Raises BackproofError."""
    plain = {name: np.ascontiguousarray(x) for name, x in arrays.items()}
    write_bytes(path, save(plain, metadata={HEADER: json.dumps(about)}))


def read_arrays(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """The arrays of a safetensors file, and what they are about as far as it says so. Raises DataError."""
    try:
        with safe_open(path, framework="numpy") as file:
            header = (file.metadata() or {}).get(HEADER, "{}")
            return {name: file.get_tensor(name) for name in file.keys()}, json.loads(header)  # noqa: SIM118
    except (OSError, SafetensorError, ValueError) as error:
        raise DataError(f"{path.name} cannot be read as a safetensors file", where=str(path), why=str(error)) from None


def _identity(options: Options) -> dict[str, Any]:
    """What a training's course depends on, as plain values."""
    found: dict[str, Any] = {name: getattr(options, name) for name in SAME}
    found["optimiser"] = {"name": type(options.optimiser).__name__, **asdict(options.optimiser)}
    if options.schedule != "constant":
        found["epochs"] = options.epochs  # the rate at any time depends on when it ends
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]


def _short(value: Any) -> str:
    return ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
