"""Checkpoints: the state of a training in a safetensors file, from which it goes on bit for bit.

The file has the arrays, and in its header, as JSON, what they belong to; so it is one file, and whole or not there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

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
SAME = ("batch", "optimiser", "schedule", "clip", "shuffle", "seed", "dtype")
"""The options that have to be the same when a training goes on."""


def save_state(path: Path, state: State, options: Options, samples: int) -> None:
    """Writes a checkpoint. Raises BackproofError where it cannot be written; the one before is there still."""
    arrays = {**state.arrays, **{f"{BEST}{name}": x for name, x in (state.best or {}).items()}}
    about = {
        "version": VERSION,
        "kind": "checkpoint",
        "steps": state.steps,
        "samples": samples,
        "epochs": [epoch.as_data() for epoch in state.epochs],
        "options": _identity(options),
    }
    write_arrays(path, arrays, about)


def load_state(path: Path, options: Options, samples: int, like: Mapping[str, Array]) -> State:
    """The state in a checkpoint of the same training.

    `like` are the arrays that the training begins with. Raises DataError for a file that is none, and one of another
    network, other data or other options.
    """
    arrays, about = read_arrays(path)
    if about.get("kind") != "checkpoint" or about.get("version") != VERSION:
        raise DataError(f"{path.name} is no checkpoint that can be read", where=str(path))
    now = _identity(options)
    for name, before in about["options"].items():
        if now[name] != before:
            raise DataError(
                f"the checkpoint was made with another {name}",
                where=str(path),
                why=f"it was {_short(before)}, and is {_short(now[name])}",
                instead="go on with the same options, or begin anew without --resume",
            )
    own = {name: x for name, x in arrays.items() if not name.startswith(BEST)}
    shapes, wanted = ({name: x.shape for name, x in found.items()} for found in (own, like))
    if shapes != wanted or about["samples"] != samples:
        what = "data" if shapes == wanted else "a network"
        raise DataError(f"the checkpoint is of {what} of another size", where=str(path))
    best = {name.removeprefix(BEST): x for name, x in arrays.items() if name.startswith(BEST)}
    return State(own, tuple(Epoch(**epoch) for epoch in about["epochs"]), best or None, about["steps"])


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
