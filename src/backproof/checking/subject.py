"""Somebody's forward and backward pass: how they are called, on any arguments, and what a run of them gives."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from traceback import walk_tb
from typing import Any

import numpy as np

from backproof.checking.recording import Moment, Recording, record
from backproof.ir.errors import BackproofError
from backproof.ops.row import Array

REST = ("cache", "caches", "memory", "ctx", "context", "saved", "tape", "state", "activations", "values", "store")
"""How a backward pass calls what the forward pass kept for it."""
UPSTREAM = ("dout", "dJ", "dL", "dloss", "upstream", "grad_output", "grad_out", "grad", "g", "dy", "dY")
"""How a backward pass calls the derivative by the result, which is 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """One run: the arguments, the loss, the statements of the backward pass, and what it returned."""

    arguments: Mapping[str, Any]
    loss: float
    moments: tuple[Moment, ...]
    returned: Any


@dataclass(eq=False)
class Subject:
    """A forward pass, a loss where the forward pass only predicts, and a backward pass.

    The arguments of all of them are one set of names. What the backward pass asks for is an argument, else a variable
    of the forward pass of that name, else what the forward pass returned beside its result (`cache`), else 1 (`dout`).
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    loss: Callable[..., Any] | None = None
    _files: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        functions = [f for f in (self.forward, self.backward, self.loss) if f is not None]
        self._files = frozenset(_code(f).co_filename for f in functions)

    def scalar(self, **arguments: Any) -> Any:
        """The loss as one function of all arguments, to be followed and derived."""
        result = _call(self.forward, arguments, {}, ())
        if self.loss is None:
            return result[0] if isinstance(result, tuple) else result
        parts = result if isinstance(result, tuple) else (result,)
        return _call(self.loss, arguments, {}, parts)

    def play(self, arguments: Mapping[str, Any]) -> Played:
        """Runs forward and backward pass on copies of the arguments."""
        given = {name: _copied(value) for name, value in arguments.items()}
        forward = record(self.forward, _matched(self.forward, given, {}, ()), self._files, statements=False)
        parts = forward.result if isinstance(forward.result, tuple) else (forward.result,)
        loss = parts[0] if self.loss is None else _call(self.loss, given, {}, parts)
        kept = parts if self.loss is not None else parts[1:]
        backward = self._recorded(_matched(self.backward, given, forward.variables, kept))
        if np.size(loss) != 1:
            raise BackproofError(
                "the forward pass does not give one number",
                where=f"the shape of its result is {np.shape(loss)}",
                instead="name the loss too: file.py:forward,loss,backward",
            )
        return Played(given, float(np.asarray(loss).ravel()[0]), backward.moments, backward.result)


    def _recorded(self, arguments: Mapping[str, Any]) -> Recording:
        """The run of the backward pass. Raises BackproofError where it does not run to its end."""
        try:
            return record(self.backward, arguments, self._files)
        except BackproofError:
            raise
        except Exception as error:
            own = [
                f"{Path(frame.f_code.co_filename).name}, line {number}"
                for frame, number in walk_tb(error.__traceback__)
                if frame.f_code.co_filename in self._files
            ]
            shapes = ", ".join(f"{name} {np.shape(x)}" for name, x in arguments.items() if isinstance(x, np.ndarray))
            raise BackproofError(
                f"{self.backward.__name__} raises {type(error).__name__}",
                where=own[-1] if own else "",
                why=str(error),
                instead=f"it has to run on what it is given, whose shapes are: {shapes}",
            ) from error


def _code(function: Callable[..., Any]) -> Any:
    inner = inspect.unwrap(function)
    return getattr(inner, "__func__", inner).__code__


def _call(function: Callable[..., Any], arguments: Mapping[str, Any], variables: Mapping[str, Any], rest: Any) -> Any:
    return function(**_matched(function, arguments, variables, rest))


def _matched(
    function: Callable[..., Any], arguments: Mapping[str, Any], variables: Mapping[str, Any], rest: Collection[Any]
) -> dict[str, Any]:
    """What a function is called with, by the names of its parameters."""
    return dict(_each(function, arguments, variables, list(rest)))


def _each(
    function: Callable[..., Any], arguments: Mapping[str, Any], variables: Mapping[str, Any], rest: list[Any]
) -> Iterator[tuple[str, Any]]:
    arrays = iter([part for part in rest if not isinstance(part, dict)])
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if name in arguments:
            yield name, arguments[name]
        elif name in variables:
            yield name, variables[name]
        elif name.lower() in REST and rest:
            containers = [part for part in rest if isinstance(part, dict | list | tuple)]
            yield name, containers[-1] if containers else rest[0] if len(rest) == 1 else tuple(rest)
        elif parameter.default is not parameter.empty:
            continue
        elif name in UPSTREAM:
            yield name, 1.0
        elif rest and not variables:
            # A loss's first parameter is what the forward pass gives, whatever its name.
            yield name, next(arrays)
        else:
            raise BackproofError(
                f"it is not known what {function.__name__} is to be given as {name}",
                where=f"{function.__name__}{inspect.signature(function)}",
                why="no argument and no variable of the forward pass has that name",
                instead="give it among the data, or call it as the forward pass does",
            )


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_copied, value))
    return value.copy() if isinstance(value, np.ndarray) else value


def redrawn(arguments: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Other arguments of the same kind: decimal numbers of about the same size; labels in another order."""
    return {name: _redrawn(value, rng) for name, value in arguments.items()}


def _redrawn(value: Any, rng: np.random.Generator) -> Any:
    if isinstance(value, dict):
        return {key: _redrawn(part, rng) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_redrawn(part, rng) for part in value)
    if not isinstance(value, np.ndarray):
        return value
    return _other(value, rng)


def _other(array: Array, rng: np.random.Generator) -> Array:
    if array.dtype.kind != "f" or (np.isin(array, (0.0, 1.0)).all() and (array == 1).any()):
        # Labels, whole numbers, masks: the same ones at other places; a row of one-hot labels stays one.
        axis = int(np.argmax(array.shape)) if array.ndim and array.dtype.kind == "f" else 0
        return np.take(array, rng.permutation(array.shape[axis]), axis) if array.ndim else array
    size = float(np.sqrt(np.mean(np.square(array)))) or 0.5
    if (array > 0).all():
        return np.asarray(size * rng.uniform(0.5, 1.5, array.shape), dtype=array.dtype)
    return np.asarray(size * rng.normal(size=array.shape), dtype=array.dtype)
