"""What comes back in the place of a derivative, in every kind of container."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Mapping
from itertools import count
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import backproof as bp
from backproof.checking.diagnosis import Diagnosis

SOURCE = """import numpy as np


def forward(X, Y, W, b, g, V):
    A = np.tanh(X @ W + b)
    N = A * g
    P = N @ V
    loss = np.sum((P - Y) ** 2) / (2 * len(X))
    return loss, (A, N, P)


def backward(X, Y, W, g, V, cache):
    A, N, P = cache
    e = (P - Y) / len(X)
    s = e @ V.T
    t = s * g
    r = t * (1 - A**2)
    return """
RIGHT = {"W": "X.T @ r", "b": "r.sum(axis=0)", "g": "(s * A).sum(axis=0)", "V": "N.T @ e", "X": "r @ W.T"}
SHAPES = {"X": (7, 3), "Y": (7, 2), "W": (3, 4), "b": (4,), "g": (4,), "V": (4, 2)}


def _listed(parts: Mapping[str, str]) -> str:
    return f"[{', '.join(parts.values())}]"


def _keyed(key: str) -> Callable[[Mapping[str, str]], str]:
    return lambda parts: "{" + ", ".join(f"{key.format(name)!r}: {part}" for name, part in parts.items()) + "}"


CONTAINERS: Mapping[str, Callable[[Mapping[str, str]], str]] = {
    "tuple": lambda parts: ", ".join(parts.values()),
    "list": _listed,
    "two": lambda parts: f"{_listed({name: x for name, x in parts.items() if name != 'X'})}, {parts.get('X')}",
    "names of parameters": _keyed("{}"),
    "names of derivatives": _keyed("d{}"),
    "other names": _keyed("of the {}th"),
}
NAMED = ["names of parameters", "names of derivatives"]
_numbers = count(1)


def diagnosed(parts: Mapping[str, str], container: str) -> Diagnosis:
    """What is said of a backward pass that gives these expressions."""
    text = SOURCE + CONTAINERS[container](parts) + "\n"
    file = f"<results {next(_numbers)}>.py"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    made: Any = ModuleType("results")
    exec(compile(text, file, "exec"), made.__dict__)
    rng = np.random.default_rng(0)
    return bp.diagnose(made.forward, made.backward, {name: rng.normal(size=shape) for name, shape in SHAPES.items()})


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize(
    ("name", "instead"),
    [("W", "X"), ("W", "W"), ("W", "r"), ("b", "r"), ("b", "0"), ("g", "s * A"), ("g", "g"), ("V", "X.T @ e")],
)
def test_something_else_is_no_derivative(name: str, instead: str, container: str) -> None:
    diagnosis = diagnosed({**RIGHT, name: instead}, container)
    assert not diagnosis.ok
    assert [key for key, word in diagnosis.returned.items() if word != "right"] == [name]


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_derivative_that_nobody_asked_for_is_wrong_where_it_comes_back(container: str) -> None:
    assert not diagnosed({**RIGHT, "X": "2 * r @ W.T"}, container).ok


@pytest.mark.parametrize("container", NAMED)
@pytest.mark.parametrize(("name", "instead"), [("X", "r"), ("X", "0 * X"), ("W", "None")])
def test_what_has_the_name_of_a_derivative_is_meant_to_be_one(name: str, instead: str, container: str) -> None:
    assert not diagnosed({**RIGHT, name: instead}, container).ok


@pytest.mark.parametrize("container", [name for name in CONTAINERS if name != "two"])
@pytest.mark.parametrize("without", ["X", "WX", "bgV"])
def test_what_is_left_out_is_no_mistake(container: str, without: str) -> None:
    assert diagnosed({name: part for name, part in RIGHT.items() if name not in without}, container).ok


@pytest.mark.parametrize("container", ["tuple", "list", "other names"])
def test_more_may_come_back(container: str) -> None:
    """A derivative on the way, values of the forward pass."""
    asked = {name: part for name, part in RIGHT.items() if name != "X"}
    assert diagnosed({**asked, "r": "r"}, container).ok
    assert diagnosed({**asked, "A": "A", "N": "N", "P": "P"}, container).ok


class Stepping:
    """It takes a step of the training itself, and returns the derivatives, times a factor."""

    def __init__(self, factor: float) -> None:
        rng = np.random.default_rng(1)
        self.W, self.V, self.factor = rng.normal(size=(3, 4)), rng.normal(size=(4, 2)), factor

    def forward(self, X: Any, Y: Any) -> Any:
        self.X, self.A = X, np.tanh(X @ self.W)
        self.E = self.A @ self.V - Y
        return 0.5 * np.sum(self.E**2)

    def backward(self, lr: float) -> Any:
        dE = self.factor * self.E
        dV = self.A.T @ dE
        dW = self.X.T @ (dE @ self.V.T * (1 - self.A**2))
        self.V -= lr * dV
        self.W -= lr * dW
        return dW, dV


@pytest.mark.parametrize(("factor", "is_right"), [(1.0, True), (2.0, False), (-1.0, False)])
def test_a_step_that_goes_down_does_not_excuse_a_derivative(factor: float, is_right: bool) -> None:
    rng = np.random.default_rng(0)
    diagnosis = bp.diagnose(Stepping(factor), X=rng.normal(size=(7, 3)), Y=rng.normal(size=(7, 2)))
    assert diagnosis.ok is is_right


def test_a_factor_of_one_derivative_is_no_convention() -> None:
    """Where nothing on the way has it: half the sum of squares is divided by two."""

    def forward(X: Any, W: Any) -> Any:
        return np.sum((X @ W) ** 2) / 2

    def backward(X: Any, W: Any) -> Any:
        return {"W": X.T @ X @ W, "X": 2 * (X @ W @ W.T)}

    rng = np.random.default_rng(0)
    assert not bp.diagnose(forward, backward, X=rng.normal(size=(7, 3)), W=rng.normal(size=(3, 4))).ok


@pytest.mark.parametrize("returns", [True, False])
@pytest.mark.parametrize(
    ("factor", "down", "word"), [(1.0, -0.1, "right"), (1.0, 0.1, "wrong"), (-1.0, -0.1, None), (3.0, -0.1, None)]
)
def test_a_function_that_takes_a_step_in_place(factor: float, down: float, word: str | None, returns: bool) -> None:
    """Its caller has the arrays: nothing need come back."""

    def forward(X: Any, Y: Any, W: Any, V: Any) -> Any:
        return 0.5 * np.sum((np.tanh(X @ W) @ V - Y) ** 2)

    def backward(X: Any, Y: Any, W: Any, V: Any) -> Any:
        A = np.tanh(X @ W)
        E = A @ V - Y
        dV = A.T @ E
        dW = factor * X.T @ (E @ V.T * (1 - A**2))
        V += down * dV
        W += down * dW
        return (dW, dV) if returns else None

    rng = np.random.default_rng(0)
    shapes = {"X": (7, 3), "Y": (7, 2), "W": (3, 4), "V": (4, 2)}
    diagnosis = bp.diagnose(forward, backward, {name: rng.normal(size=shape) for name, shape in shapes.items()})
    assert diagnosis.ok is (word == "right")
    assert word is None or set(diagnosis.returned.values()) == {word}
