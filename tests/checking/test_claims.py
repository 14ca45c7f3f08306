"""A function and what is claimed to be its derivative."""

from __future__ import annotations

import linecache
from itertools import count
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import backproof as bp
from backproof.checking.diagnosis import Diagnosis
from backproof.ir.errors import BackproofError

_numbers = count(1)
FUNCTIONS = """import numpy as np

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def tanh(x):
    return np.tanh(x)

def relu(z):
    return np.maximum(0, z)

def leaky(z):
    return np.where(z > 0, z, 0.1 * z)

def softmax(z):
    e = np.exp(z - np.max(z))
    return e / np.sum(e)

def softmax_rows(z):
    e = np.exp(z - np.max(z, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)

"""


def diagnosed(name: str, claim: str, **arguments: Any) -> Diagnosis:
    text = FUNCTIONS + claim
    file = f"<claim {next(_numbers)}>.py"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    made: Any = ModuleType("claim")
    exec(compile(text, file, "exec"), made.__dict__)
    return bp.diagnose(getattr(made, name), made.prime, **arguments)


RIGHT = [
    ("sigmoid", "def prime(z):\n    s = sigmoid(z)\n    return s * (1 - s)\n", False),
    ("sigmoid", "def prime(z):\n    return np.exp(-z) / (1 + np.exp(-z)) ** 2\n", False),
    ("sigmoid", "def prime(a):\n    return a * (1 - a)\n", True),
    ("sigmoid", "def prime(z):\n    return z * (1 - z)\n", True),
    ("sigmoid", "prime = lambda s: s * (1 - s)\n", True),
    ("tanh", "def prime(x):\n    return 1 / np.cosh(x) ** 2\n", False),
    ("tanh", "def prime(y):\n    return 1 - y**2\n", True),
    ("relu", "def prime(z):\n    return (z > 0).astype(float)\n", False),
    ("relu", "def prime(z):\n    d = np.ones_like(z)\n    d[z < 0] = 0\n    return d\n", False),
    ("leaky", "def prime(z):\n    return np.where(z > 0, 1, 0.1)\n", False),
    ("softmax", "def prime(z):\n    s = softmax(z)\n    return np.diag(s) - np.outer(s, s)\n", False),
    ("softmax", "def prime(s):\n    return np.diag(s) - np.outer(s, s)\n", True),
    ("softmax_rows", "def prime(s):\n    return s[:, :, None] * (np.eye(s.shape[1]) - s[:, None, :])\n", True),
]


@pytest.mark.parametrize(("name", "claim", "takes_value"), RIGHT)
def test_what_is_right(name: str, claim: str, takes_value: bool) -> None:
    diagnosis = diagnosed(name, claim)
    assert diagnosis.ok
    assert [finding.text for finding in diagnosis.findings if finding.judgement != "right"] == []
    assert any("is written for the value" in str(r.text) for r in diagnosis.remarks) == takes_value


WRONG = [
    ("sigmoid", "def prime(z):\n    a = sigmoid(sigmoid(z))\n    return a * (1 - a)\n", 1, "wrong quantity"),
    ("sigmoid", "def prime(z):\n    s = sigmoid(z)\n    return s * (s - 1)\n", 2, "sign"),
    ("sigmoid", "def prime(z):\n    s = sigmoid(z)\n    return s * (1 + s)\n", 2, "sign of a term"),
    ("sigmoid", "def prime(z):\n    s = sigmoid(z)\n    return 2 * s * (1 - s)\n", 2, "factor 2"),
    ("sigmoid", "def prime(z):\n    s = sigmoid(z)\n    return 1 - s\n", 2, "factor left out"),
    ("sigmoid", "def prime(z):\n    return 1 - np.tanh(z) ** 2\n", 1, "wrong activation"),
    ("sigmoid", "def prime(a):\n    return 1 - a**2\n", 1, "wrong activation"),
    ("sigmoid", "prime = lambda z: sigmoid(z) * (1 + sigmoid(z))\n", 0, "sign of a term"),
    ("tanh", "def prime(x):\n    return 1 + np.tanh(x) ** 2\n", 1, "sign of a term"),
    ("relu", "def prime(z):\n    return np.maximum(0, z)\n", 1, "g for g'"),
]


@pytest.mark.parametrize(("name", "claim", "line", "mistake"), WRONG)
def test_what_is_wrong(name: str, claim: str, line: int, mistake: str) -> None:
    diagnosis = diagnosed(name, claim)
    assert set(diagnosis.returned.values()) <= {"wrong", "inherited"}
    (finding,) = diagnosis.wrong
    assert finding.moment.number == FUNCTIONS.count("\n") + 1 + line
    assert mistake in {edit.mistake for edit in finding.mistakes}
    assert finding.correction is not None
    lines = (FUNCTIONS + claim).splitlines()
    indent = "" if finding.correction.startswith("prime") else "    "
    lines[finding.moment.number - 1] = indent + finding.correction
    assert diagnosed(name, "\n".join(lines[len(FUNCTIONS.splitlines()) :]) + "\n").ok


def test_any_slope_will_do_at_a_kink() -> None:
    z = np.array([-1.0, 0.0, 2.0])
    for slope in (0, 0.5, 1):
        claim = f"def prime(z):\n    return np.where(z == 0, {slope}, z > 0)\n"
        diagnosis = diagnosed("relu", claim, z=z)
        assert diagnosis.ok
        assert [remark.about for remark in diagnosis.remarks] == ["kinks"]
    assert np.array_equal(z, [-1, 0, 2])


def test_softmax_taken_for_an_element_wise_function() -> None:
    diagnosis = diagnosed("softmax", "def prime(z):\n    s = softmax(z)\n    return s * (1 - s)\n")
    assert not diagnosis.ok
    assert "softmax is not element-wise" in bp.render(diagnosis, "markdown")


def test_one_wrong_entry_of_a_jacobian() -> None:
    claim = "def prime(s):\n    J = np.diag(s) - np.outer(s, s)\n    J[1, 2] *= 1.001\n    return J\n"
    assert diagnosed("softmax", claim).returned == {"z": "wrong"}


def test_a_claim_that_does_not_run() -> None:
    diagnosis = diagnosed("sigmoid", "def prime(z):\n    return z @ z\n")
    assert not diagnosis.ok
    assert "prime raises ValueError" in bp.render(diagnosis, "text")


@pytest.mark.parametrize(
    ("function", "derivative"),
    [
        ("np.log(z)", "1 / z"),
        ("np.sqrt(z)", "0.5 / np.sqrt(z)"),
        ("np.arcsin(z)", "1 / np.sqrt(1 - z**2)"),
        ("np.log(z / (1 - z))", "1 / (z * (1 - z))"),
        ("np.arccosh(z)", "1 / np.sqrt(z**2 - 1)"),
    ],
)
def test_numbers_are_drawn_that_the_function_takes(function: str, derivative: str) -> None:
    def both(g: str, slope: str) -> Diagnosis:
        names: dict[str, Any] = {"np": np}
        exec(f"def g(z):\n    return {g}\n\n\ndef prime(z):\n    return {slope}\n", names)
        return bp.diagnose(names["g"], names["prime"])

    right = both(function, derivative)
    assert right.ok
    assert not right.remarks
    assert not both(function, f"2 * ({derivative})").ok


def test_a_function_of_single_numbers() -> None:
    def relu(z: Any) -> Any:
        return z if z > 0 else 0

    with pytest.raises(BackproofError, match=r"^relu raises ValueError on an array.*\(z, 4 × 5, drawn as no data"):
        bp.diagnose(relu, lambda z: 1.0 * (z > 0))


@pytest.mark.parametrize(
    ("claim", "correction"),
    [
        ("def prime(z):\n    return z\n", "return sigmoid(z) * (1 - sigmoid(z))"),
        ("def prime(a):\n    return a\n", "return a * (1 - a)"),
    ],
)
def test_an_argument_that_is_returned_as_it_is(claim: str, correction: str) -> None:
    (finding,) = diagnosed("sigmoid", claim).wrong
    assert finding.mistakes
    assert finding.correction == correction
    assert diagnosed("sigmoid", claim.replace(claim.splitlines()[1].strip(), correction)).ok
