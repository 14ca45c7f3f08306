"""What comes back in the place of a derivative, in every kind of container."""

from __future__ import annotations

import linecache
from collections import namedtuple
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


def test_a_sum_that_is_divided_later_shows_the_convention() -> None:
    """Where no derivative on the way has a name: the other line is right as it stands."""

    def forward(X: Any, Y: Any, W: Any, b: Any) -> Any:
        return np.sum((X @ W + b - Y) ** 2) / (2 * len(X))

    def backward(X: Any, Y: Any, W: Any, b: Any) -> Any:
        m = len(X)
        dW = X.T @ np.sin(X @ W + b - Y)
        db = (X @ W + b - Y).sum(axis=0)
        return dW / m, db / m

    rng = np.random.default_rng(0)
    shapes = {"X": (7, 3), "Y": (7, 2), "W": (3, 2), "b": (2,)}
    diagnosis = bp.diagnose(forward, backward, {name: rng.normal(size=shape) for name, shape in shapes.items()})
    assert [finding.text for finding in diagnosis.wrong] == ["dW"]


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


class Keeping(Stepping):
    """It takes a step too, and leaves or returns what it steps by, or means of gradients."""

    def __init__(self, keeps: str, factor: float = 1.0) -> None:
        super().__init__(factor)
        self.keeps, self.means = keeps, dict[str, Any]()

    def backward(self, lr: float) -> Any:
        dE = self.factor * self.E
        dV = self.A.T @ dE
        dW = self.X.T @ (dE @ self.V.T * (1 - self.A**2))
        stepW, stepV = lr * dW, lr * dV
        self.W -= stepW
        self.V -= stepV
        grads = [dW, dV]
        match self.keeps:
            case "steps in attributes":
                self.update_W, self.update_V = stepW, stepV
            case "steps beside gradients":
                return dW, dV, stepW, stepV
            case "steps":
                return -stepW, -stepV
            case "means in attributes":
                self.means = {"W": 0.1 * dW, "V": 0.1 * dV}
            case "gradients in attributes":
                self.W_grad, self.V_grad = dW, dV
            case "gradients by the names of parameters":
                return {"W": dW, "V": dV}
            case "gradients":
                return grads
        return None


@pytest.mark.parametrize(
    ("keeps", "tells"),
    [
        ("nothing", False),
        ("steps in attributes", False),
        ("steps beside gradients", True),
        ("steps", False),
        ("means in attributes", False),
        ("gradients in attributes", True),
        ("gradients by the names of parameters", True),
        ("gradients", True),
    ],
)
def test_what_a_step_is_computed_from_is_no_derivative(keeps: str, tells: bool) -> None:
    """How far a step goes is nobody's mistake; a derivative that is twice too large is one, where it comes back."""
    rng = np.random.default_rng(0)
    data = {"X": rng.normal(size=(7, 3)), "Y": rng.normal(size=(7, 2))}
    assert bp.diagnose(Keeping(keeps), data).ok
    assert bp.diagnose(Keeping(keeps, 2.0), data).ok is not tells


def test_the_names_of_parameters_in_attributes_may_be_those_of_velocities() -> None:
    class Net(Stepping):
        def __init__(self) -> None:
            super().__init__(1.0)
            self.params, self.velocities = {"W": self.W, "V": self.V}, dict[str, Any]()

        def forward(self, X: Any, Y: Any) -> Any:
            self.X, self.A = X, np.tanh(X @ self.params["W"])
            self.E = self.A @ self.params["V"] - Y
            return 0.5 * np.sum(self.E**2)

        def backward(self, lr: float) -> Any:
            dV = self.A.T @ self.E
            dW = self.X.T @ (self.E @ self.params["V"].T * (1 - self.A**2))
            for name, gradient in (("W", dW), ("V", dV)):
                self.velocities[name] = 0.9 * self.velocities.get(name, 0) - lr * gradient
            return dW, dV

    rng = np.random.default_rng(0)
    assert bp.diagnose(Net(), X=rng.normal(size=(7, 3)), Y=rng.normal(size=(7, 2))).ok


def tanh_and_line(X: Any, Y: Any, W: Any, V: Any) -> tuple[Any, Any, Any]:
    """A loss, and its derivatives by W and V."""
    A = np.tanh(X @ W)
    E = A @ V - Y
    return 0.5 * np.sum(E**2), X.T @ (E @ V.T * (1 - A**2)), A.T @ E


Parts = namedtuple("Parts", "W V")
CALLED: Mapping[str, tuple[Callable[[Any, Any], Any], Callable[[Any], tuple[Any, Any]]]] = {
    "by keys": (lambda W, V: {"W": W, "V": V}, lambda params: (params["W"], params["V"])),
    "layers": (lambda W, V: {"a": {"W": W}, "b": {"W": V}}, lambda params: (params["a"]["W"], params["b"]["W"])),
    "a list": (lambda W, V: [W, V], lambda params: (params[0], params[1])),
    "a list of layers": (lambda W, V: [{"W": W}, {"W": V}], lambda params: (params[0]["W"], params[1]["W"])),
    "a named tuple": (Parts, lambda params: (params.W, params.V)),
}
SIZES = {"X": (7, 3), "Y": (7, 2), "W": (3, 4), "V": (4, 2)}


def drawn() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=shape) for name, shape in SIZES.items()}


@pytest.mark.parametrize(("factor", "word"), [(-0.1, "right"), (0.1, "wrong")])
@pytest.mark.parametrize("container", CALLED)
def test_a_step_on_parameters_in_containers(container: str, factor: float, word: str) -> None:
    made, parts = CALLED[container]

    def forward(X: Any, Y: Any, params: Any) -> Any:
        W, V = parts(params)
        return 0.5 * np.sum((np.tanh(X @ W) @ V - Y) ** 2)

    def backward(X: Any, Y: Any, params: Any) -> None:
        W, V = parts(params)
        _, dW, dV = tanh_and_line(X, Y, W, V)
        W += factor * dW
        V += factor * dV

    given = drawn()
    params = made(given.pop("W"), given.pop("V"))
    assert set(bp.diagnose(forward, backward, {**given, "params": params}).returned.values()) == {word}


@pytest.mark.parametrize("returns", [True, False])
@pytest.mark.parametrize(("factor", "word"), [(-0.1, "right"), (0.1, "wrong")])
def test_a_step_that_puts_other_arrays_in_a_container(factor: float, word: str, returns: bool) -> None:
    def forward(X: Any, Y: Any, params: Any) -> Any:
        return 0.5 * np.sum((np.tanh(X @ params["W"]) @ params["V"] - Y) ** 2)

    def backward(X: Any, Y: Any, params: Any) -> Any:
        A = np.tanh(X @ params["W"])
        E = A @ params["V"] - Y
        dV = A.T @ E
        dW = X.T @ (E @ params["V"].T * (1 - A**2))
        params["W"] = params["W"] + factor * dW
        params["V"] = params["V"] + factor * dV
        if returns:
            return dW, dV
        return None

    diagnosis = bp.diagnose(forward, backward, drawn())
    assert diagnosis.returned == {"V": word, "W": word}
    assert [f.text for f in diagnosis.wrong] == ([] if word == "right" else ["params['W']", "params['V']"])


@pytest.mark.parametrize("first", [True, False])
def test_gradients_added_up_in_an_argument_are_no_step(first: bool) -> None:
    """Whichever of two containers with the same keys is given first."""

    def forward(X: Any, Y: Any, params: Any) -> Any:
        return 0.5 * np.sum((np.tanh(X @ params["W"]) @ params["V"] - Y) ** 2)

    def backward(X: Any, Y: Any, params: Any, total: Any) -> Any:
        A = np.tanh(X @ params["W"])
        E = A @ params["V"] - Y
        dV = A.T @ E
        dW = X.T @ (E @ params["V"].T * (1 - A**2))
        total["W"] += dW
        total["V"] += dV
        return {"W": dW, "V": dV}

    given = drawn()
    params = {"W": given.pop("W"), "V": given.pop("V")}
    total = {name: np.zeros(x.shape) for name, x in params.items()}
    both = {"total": total, "params": params} if first else {"params": params, "total": total}
    diagnosis = bp.diagnose(forward, backward, {**given, **both})
    assert diagnosis.ok
    assert diagnosis.wrong == ()
    assert {name for name, word in diagnosis.returned.items() if word == "right"} == {"W", "V"}


def test_parameters_that_begin_alike_are_told_apart() -> None:
    def forward(X: Any, Y: Any, params: Any) -> Any:
        return 0.5 * np.sum((np.tanh(X @ params["W"] + params["b"]) + params["c"] - Y) ** 2)

    def backward(X: Any, Y: Any, params: Any) -> None:
        A = np.tanh(X @ params["W"] + params["b"])
        E = A + params["c"] - Y
        dZ = E * (1 - A**2)
        params["W"] -= 0.1 * X.T @ dZ
        params["b"] -= 0.1 * dZ.sum(axis=0)
        params["c"] -= 0.1 * E.sum(axis=0)

    given = drawn()
    params = {"W": np.ones((3, 2)), "b": np.zeros(2), "c": np.zeros(2)}
    diagnosis = bp.diagnose(forward, backward, X=given["X"], Y=given["Y"], params=params)
    assert diagnosis.returned == {"W": "right", "b": "right", "c": "right"}


def two_layers(X: Any, Y: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    Z1 = X @ W1 + b1
    A1 = np.tanh(Z1)
    Z2 = A1 @ W2 + b2
    return 0.5 * np.sum((Z2 - Y) ** 2), (A1, Z2)


@pytest.mark.parametrize(
    ("name", "value", "is_right"), [("dZ1", "dZ1", True), ("dZ1", "2 * dZ1", False), ("dW1", "X", False)]
)
def test_the_return_statement_tells_what_a_derivative_is(name: str, value: str, is_right: bool) -> None:
    """One on the way may come back where one by a parameter is left out; it has to be right as well."""
    text = f"""def backward(X, Y, W2, cache):
    A1, Z2 = cache
    dZ2 = Z2 - Y
    dW2 = A1.T @ dZ2
    db2 = dZ2.sum(axis=0)
    dZ1 = dZ2 @ W2.T * (1 - A1**2)
    db1 = dZ1.sum(axis=0)
    {name} = {value}
    return dW2, db2, db1, {name}
"""
    file = f"<results {next(_numbers)}>.py"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    made: dict[str, Any] = {}
    exec(compile(text, file, "exec"), made)
    rng = np.random.default_rng(0)
    shapes = {"X": (7, 3), "Y": (7, 2), "W1": (3, 4), "b1": (4,), "W2": (4, 2), "b2": (2,)}
    given = {key: rng.normal(size=shape) for key, shape in shapes.items()}
    diagnosis = bp.diagnose(two_layers, made["backward"], given)
    assert diagnosis.ok is is_right
    assert diagnosis.returned["W1"] == ("missing" if is_right else "wrong")


class Dense:
    def __init__(self, rows: int, columns: int) -> None:
        rng = np.random.default_rng(rows)
        self.W, self.b = rng.normal(size=(rows, columns)), rng.normal(size=columns)

    def forward(self, X: Any) -> Any:
        self.X = X
        return X @ self.W + self.b


class Layered:
    """Two layers that keep their own gradients, and what they were handed."""

    def __init__(self, first: str) -> None:
        self.l1, self.l2, self.first = Dense(3, 4), Dense(4, 2), first

    def forward(self, X: Any, Y: Any) -> Any:
        self.A = np.tanh(self.l1.forward(X))
        self.E = self.l2.forward(self.A) - Y
        return 0.5 * np.sum(self.E**2)

    def backward(self) -> None:
        above = self.E @ self.l2.W.T * (1 - self.A**2)
        self.l2.dW = self.l2.X.T @ self.E
        if self.first == "left out":
            self.kept = self.E
            self.l1.dW = self.l1.X.T @ above
            return
        self.l2.db, self.l1.db = self.E.sum(axis=0), above.sum(axis=0)
        self.l2.kept, self.l1.kept = self.E, above
        self.l1.dW = self.l1.X if self.first == "wrong" else self.l1.X.T @ above


@pytest.mark.parametrize(
    ("first", "returned"),
    [
        ("right", {"W1": "right", "b1": "right", "W2": "right", "b2": "right"}),
        ("wrong", {"W1": "wrong", "b1": "right", "W2": "right", "b2": "right"}),
        ("left out", {"W1": "right", "b1": "missing", "W2": "right", "b2": "missing"}),
    ],
)
def test_each_object_is_a_container(first: str, returned: Mapping[str, str]) -> None:
    rng = np.random.default_rng(0)
    data = {"X": rng.normal(size=(7, 3)), "Y": rng.normal(size=(7, 2))}
    assert bp.diagnose(Layered(first), data).returned == returned
