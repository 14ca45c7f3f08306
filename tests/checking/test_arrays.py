"""Gradients that are only arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import backproof as bp
from backproof.ir.errors import DataError

Arrays = dict[str, Any]


def forward(X: Any, Y: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    m = X.shape[1]
    Z1 = W1 @ X + b1
    A1 = np.tanh(Z1)
    Z2 = W2 @ A1 + b2
    A2 = 1 / (1 + np.exp(-Z2))
    return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m


def gradients(a: Arrays, *, top: Any = lambda d, A2: d, hidden: Any = lambda dA, Z, A: dA * (1 - A**2)) -> Arrays:
    m = a["X"].shape[1]
    Z1 = a["W1"] @ a["X"] + a["b1"]
    A1 = np.tanh(Z1)
    A2 = 1 / (1 + np.exp(-(a["W2"] @ A1 + a["b2"])))
    dZ2 = top(A2 - a["Y"], A2)
    dZ1 = hidden(a["W2"].T @ dZ2, Z1, A1)
    return {
        **{"dW1": dZ1 @ a["X"].T / m, "db1": dZ1.sum(axis=1, keepdims=True) / m},
        **{"dW2": dZ2 @ A1.T / m, "db2": dZ2.sum(axis=1, keepdims=True) / m},
    }


@pytest.fixture
def arguments() -> Arrays:
    rng = np.random.default_rng(0)
    return {
        **{"X": rng.normal(size=(4, 7)), "Y": rng.integers(0, 2, (3, 7)).astype(float)},
        **{"W1": rng.normal(size=(5, 4)), "b1": rng.normal(size=(5, 1))},
        **{"W2": rng.normal(size=(3, 5)), "b2": rng.normal(size=(3, 1))},
    }


def test_what_is_right(arguments: Arrays) -> None:
    given = gradients(arguments)
    assert bp.diagnose(forward, arguments, gradients=given).ok
    assert bp.diagnose(forward, arguments, gradients={k[1:]: x for k, x in given.items()}).ok
    assert bp.diagnose(forward, arguments, gradients={"W1": given["dW1"].astype(np.float32)}).ok


def test_gradients_are_as_precise_as_the_data(arguments: Arrays) -> None:
    single = {name: array.astype(np.float32) for name, array in arguments.items()}
    given = gradients({name: array.astype(float) for name, array in single.items()})
    near = {"W1": given["dW1"] * (1 + 1e-6)}
    assert bp.diagnose(forward, single, gradients=near).ok
    assert not bp.diagnose(forward, single, gradients={"W1": given["dW1"] * (1 + 1e-3)}).ok
    assert not bp.diagnose(forward, arguments, gradients=near).ok


@pytest.mark.parametrize(
    ("wrong", "quantity", "mistake", "explained"),
    [
        ({"hidden": lambda dA, Z, A: dA * (1 - Z**2)}, "dZ1", "wrong quantity", {"W1", "b1"}),
        ({"hidden": lambda dA, Z, A: dA}, "dZ1", "derivative left out", {"W1", "b1"}),
        ({"top": lambda d, A2: -d}, "dZ2", "sign", {"W1", "b1", "W2", "b2"}),
        ({"top": lambda d, A2: d * A2 * (1 - A2)}, "dZ2", "derivative twice", {"W1", "b1", "W2", "b2"}),
    ],
)
def test_one_mistake_above_explains_all(
    wrong: Arrays, quantity: str, mistake: str, explained: set[str], arguments: Arrays
) -> None:
    diagnosis = bp.diagnose(forward, arguments, gradients=gradients(arguments, **wrong))
    (finding,) = diagnosis.wrong
    assert finding.text == quantity
    assert mistake in {edit.mistake for edit in finding.mistakes}
    assert {name for name, word in diagnosis.returned.items() if word == "inherited"} == explained
    assert {word for name, word in diagnosis.returned.items() if name not in explained} <= {"right"}


@pytest.mark.parametrize(
    ("name", "change", "mistake"),
    [
        ("dW2", lambda x: 7 * x, "1/m left out"),
        ("db1", lambda x: -x, "sign"),
        ("db1", lambda x: x[:, 0], "wrong shape"),
        ("dW1", lambda x: x.T, "wrong shape"),
    ],
)
def test_a_mistake_in_one_gradient(name: str, change: Any, mistake: str, arguments: Arrays) -> None:
    given = gradients(arguments)
    given[name] = change(given[name])
    diagnosis = bp.diagnose(forward, arguments, gradients=given)
    (finding,) = diagnosis.wrong
    assert finding.text == name
    assert mistake in {edit.mistake for edit in finding.mistakes}
    assert sum(word == "right" for word in diagnosis.returned.values()) == 3
    for format in ("text", "markdown", "html", "json"):
        assert "no line can be named" in bp.render(diagnosis, format)  # type: ignore[arg-type]


def test_two_mistakes(arguments: Arrays) -> None:
    given = gradients(arguments, hidden=lambda dA, Z, A: dA)
    given["dW2"] = -given["dW2"]
    diagnosis = bp.diagnose(forward, arguments, gradients=given)
    assert {finding.text for finding in diagnosis.wrong} == {"dZ1", "dW2"}


def test_what_is_none_or_not_known(arguments: Arrays) -> None:
    given = gradients(arguments) | {"db2": None}
    diagnosis = bp.diagnose(forward, arguments, gradients=given)
    assert diagnosis.returned["b2"] == "none"
    assert not diagnosis.ok
    with pytest.raises(DataError, match=r"^it is not known what dV is the gradient by\n.* by W2, b2, X, W1, b1"):
        bp.diagnose(forward, arguments, gradients={"dV": np.ones(3)})


def test_no_mistake_that_is_known(arguments: Arrays) -> None:
    given = gradients(arguments)
    given["dW1"][2, 3] *= 1.001
    diagnosis = bp.diagnose(forward, arguments, gradients=given)
    assert diagnosis.returned["W1"] == "wrong"
    assert [finding.mistakes for finding in diagnosis.wrong] == [()]
