"""What is said beside a verdict: said where a figure shows it, and not said of what is healthy."""

from __future__ import annotations

import linecache
from itertools import count
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import backproof as bp
from backproof.checking.diagnosis import Diagnosis
from backproof.write.outline import plain

_numbers = count(1)


def diagnosed(source: str, arguments: dict[str, Any]) -> Diagnosis:
    """Diagnoses the passes of a source that stands in a file of its own."""
    file = f"<remarks {next(_numbers)}>.py"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    module: Any = ModuleType("remarks")
    exec(compile(source, file, "exec"), module.__dict__)
    return bp.diagnose(module.forward, module.backward, arguments)


def said(diagnosis: Diagnosis) -> dict[str, str]:
    return {remark.about: plain(remark.text) for remark in diagnosis.remarks}


def network(g: str = "np.tanh({})", slope: str = "(1 - A1**2)", more: str = "") -> str:
    """A network of two layers with cross-entropy, samples as columns."""
    return f"""\
import numpy as np


def forward(X, Y, W1, b1, W2, b2):
    m = X.shape[1]
    Z1 = W1 @ X + b1
    A1 = {g.format("Z1")}
    Z2 = W2 @ A1 + b2
    A2 = 1 / (1 + np.exp(-Z2))
    return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m, (Z1, A1, A2)


def backward(X, Y, W1, W2, cache):
    Z1, A1, A2 = cache
    m = X.shape[1]
    dZ2 = (A2 - Y) / m
    dW2 = dZ2 @ A1.T
    db2 = np.sum(dZ2, axis=1, keepdims=True)
    dA1 = W2.T @ dZ2
    dZ1 = dA1 * {slope}
    dW1 = dZ1 @ X.T
    db1 = np.sum(dZ1, axis=1, keepdims=True)
    return {{"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}}
{more}"""


RELU = {"g": "np.maximum(0, {})", "slope": "(Z1 > 0)"}
SIGMOID = {"g": "1 / (1 + np.exp(-{}))", "slope": "A1 * (1 - A1)"}


@pytest.fixture
def arguments(rng: np.random.Generator) -> dict[str, Any]:
    """A healthy network and healthy data."""
    return {
        **{"X": rng.normal(size=(4, 30)), "Y": rng.integers(0, 2, (2, 30)).astype(float)},
        **{"W1": rng.normal(size=(6, 4)) * 0.5, "b1": np.zeros((6, 1))},
        **{"W2": rng.normal(size=(2, 6)) * 0.4, "b2": np.zeros((2, 1))},
    }


UPDATE = """

def train(X, Y, W1, b1, W2, b2, {rate}):
    for _ in range(100):
        cost, cache = forward(X, Y, W1, b1, W2, b2)
        grads = backward(X, Y, W1, W2, cache)
        W1 = W1 - lr * grads["dW1"]
        b1 = b1 - lr * grads["db1"]
        W2 = W2 - lr * grads["dW2"]
        b2 = b2 - lr * grads["db2"]
    return W1, b1, W2, b2
"""


@pytest.mark.parametrize("kind", [{}, RELU, SIGMOID])
@pytest.mark.parametrize("rate", ["lr=0.5", "lr=0.01"])
def test_nothing_is_said_of_a_healthy_network(kind: dict[str, str], rate: str, arguments: dict[str, Any]) -> None:
    diagnosis = diagnosed(network(**kind, more=UPDATE.format(rate=rate)), arguments)
    assert diagnosis.ok
    assert set(said(diagnosis)) == {"cancelled derivative"}
    assert "Why it may not learn" not in bp.render(diagnosis, "text")


def test_dead_units(arguments: dict[str, Any]) -> None:
    arguments["b1"][:4] = -20
    text = said(diagnosed(network(**RELU), arguments))["dead units"]
    assert text.startswith("4 of 6 units of A[1] are 0 on all 30 samples.")


@pytest.mark.parametrize("kind", [{}, SIGMOID])
def test_saturation(kind: dict[str, str], arguments: dict[str, Any]) -> None:
    diagnosis = diagnosed(network(**kind), {**arguments, "W1": arguments["W1"] * 40})
    assert "of the entries of A[1] are saturated" in said(diagnosis)["saturation"]
    assert "step size too small" not in said(diagnosis)


def test_the_last_layer_may_be_sure(arguments: dict[str, Any]) -> None:
    assert "saturation" not in said(diagnosed(network(), {**arguments, "W2": arguments["W2"] * 20}))


def test_symmetric_weights(arguments: dict[str, Any]) -> None:
    same = {"W1": np.full((6, 4), 0.3), "W2": np.full((2, 6), 0.1)}
    text = said(diagnosed(network(), {**arguments, **same}))["symmetric weights"]
    assert "of W" in text
    assert "are equal, and so are those of its derivative" in text
    zero = said(diagnosed(network(), {**arguments, "W1": np.zeros((6, 4)), "W2": np.zeros((2, 6))}))
    assert "All are 0. Start from random weights." in zero["symmetric weights"]


def test_one_layer_may_start_from_zero(rng: np.random.Generator) -> None:
    source = """\
import numpy as np


def forward(X, y, W, b):
    p = 1 / (1 + np.exp(-(X @ W + b)))
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)), p


def backward(X, y, W, b, cache):
    dZ = (cache - y) / y.size
    dW = X.T @ dZ
    db = dZ.sum(axis=0)
    return dW, db
"""
    y = rng.integers(0, 2, (20, 1)).astype(float)
    diagnosis = diagnosed(source, {"X": rng.normal(size=(20, 3)), "y": y, "W": np.zeros((3, 1)), "b": np.zeros(1)})
    assert diagnosis.ok
    assert "symmetric weights" not in said(diagnosis)


def test_step_sizes(arguments: dict[str, Any]) -> None:
    large = said(diagnosed(network(more=UPDATE.format(rate="lr=500")), arguments))["step size too large"]
    assert large.startswith("lr = 500: a step along the gradient takes J from ")
    small = said(diagnosed(network(more=UPDATE.format(rate="lr=1e-7")), arguments))["step size too small"]
    assert small.startswith("lr = 1e-07: a step along the gradient lowers J by ")
    assert "step size too large" in said(diagnosed(network(), {**arguments, "learning_rate": 500.0}))
    # What only is called so, and takes part in no step, is none.
    assert "step size too small" not in said(diagnosed(network(more="\n\ndef leaky(z, alpha=1e-9): ...\n"), arguments))


def test_the_figures_of_a_step_are_those_of_the_loss(arguments: dict[str, Any]) -> None:
    text = said(diagnosed(network(more=UPDATE.format(rate="lr=40")), arguments))["step size too large"]
    names: dict[str, Any] = {}
    exec(network(), names)
    before, cache = names["forward"](**arguments)
    slopes = names["backward"](arguments["X"], arguments["Y"], arguments["W1"], arguments["W2"], cache)
    stepped = {name: arguments[name] - 40 * slopes[f"d{name}"] for name in ("W1", "b1", "W2", "b2")}
    with np.errstate(all="ignore"):
        after, _ = names["forward"](**{**arguments, **stepped})
    assert f"takes J from {before:.3g} to {after:.3g}" in text


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ('W1 = W1 - lr * grads["dW1"]', 'W1 = W1 + lr * grads["dW1"]', "adds the gradient"),
        ('W1 = W1 - lr * grads["dW1"]', 'W1 += lr * grads["dW1"]', "adds the gradient"),
        ('W2 = W2 - lr * grads["dW2"]', 'W2 = W1 - lr * grads["dW2"]', "one of the two is the wrong variable"),
        ('b2 = b2 - lr * grads["db2"]', 'b2 = b2 - lr * grads["db1"]', "takes the gradient by b1 to change b2"),
    ],
)
def test_wrong_updates(right: str, wrong: str, says: str, arguments: dict[str, Any]) -> None:
    update = UPDATE.format(rate="lr=0.1")
    assert right in update
    assert says in said(diagnosed(network(more=update.replace(right, wrong)), arguments))["update"]


def test_unnormalised_inputs(arguments: dict[str, Any]) -> None:
    scales = np.array([[1.0], [1.0], [1.0], [3000.0]])
    small = {**arguments, "W1": arguments["W1"] / scales.T}
    text = said(diagnosed(network(), {**small, "X": arguments["X"] * scales}))["unnormalised inputs"]
    assert text.startswith("The largest entries of the features of X go from ")
    pixels = {**arguments, "X": np.abs(arguments["X"]) * 100, "W1": arguments["W1"] / 100}
    assert "The largest entry of X is " in said(diagnosed(network(), pixels))["unnormalised inputs"]


def test_labels_out_of_reach(arguments: dict[str, Any]) -> None:
    text = said(diagnosed(network(), {**arguments, "Y": 2 * arguments["Y"] - 1}))["labels"]
    assert text.startswith("Y goes from -1 to 1, A[2] only from 0 to 1")


SOFTMAX = """\
import numpy as np


def forward(X, Y, W, b):
    E = np.exp(X @ W + b)
    P = E / E.sum(axis=1, keepdims=True)
    return -np.sum(Y * np.log(P)) / len(X), P


def backward(X, Y, W, b, cache):
    dZ = (cache * Y.sum(axis=1, keepdims=True) - Y) / len(X)
    dW = X.T @ dZ
    db = dZ.sum(axis=0)
    return dW, db
"""


def test_labels_that_are_not_one_hot(rng: np.random.Generator) -> None:
    arguments = {"X": rng.normal(size=(12, 3)), "W": rng.normal(size=(3, 4)) * 0.1, "b": np.zeros(4)}
    hot = np.eye(4)[rng.integers(0, 4, 12)]
    assert "labels" not in said(diagnosed(SOFTMAX, {**arguments, "Y": hot}))
    cold = hot.copy()
    cold[2] = [1, 1, 0, 0]
    text = said(diagnosed(SOFTMAX, {**arguments, "Y": cold}))["labels"]
    assert "do not for 1 of 12: for sample 3 they add up to 2" in text


def test_each_prediction_with_each_label(rng: np.random.Generator) -> None:
    source = """\
import numpy as np


def forward(X, w, y):
    p = X @ w
    return np.mean((p - y) ** 2), p


def backward(X, w, y, cache):
    dp = 2 * (cache - y).sum(axis=1, keepdims=True) / (cache - y).size
    dw = X.T @ dp
    return dw
"""
    arguments = {"X": rng.normal(size=(12, 3)), "w": rng.normal(size=(3, 1)), "y": rng.normal(size=12)}
    text = said(diagnosed(source, arguments))["labels"]
    assert text.startswith("y has the shape (12), p the shape (12, 1). NumPy makes 12 × 12 entries of the two")
    column = {**arguments, "y": arguments["y"][:, None]}
    assert "labels" not in said(diagnosed(source, column))


DEEP = """\
import numpy as np


def forward(x, y, Ws):
    h, hs = x, [x]
    for W in Ws:
        h = np.tanh(W @ h)
        hs.append(h)
    return 0.5 * np.sum((h - y) ** 2), hs


def backward(x, y, Ws, cache):
    dWs = [None] * len(Ws)
    dh = cache[-1] - y
    for l in reversed(range(len(Ws))):
        dz = dh * (1 - cache[l + 1] ** 2)
        dWs[l] = np.outer(dz, cache[l])
        dh = Ws[l].T @ dz
    return {"Ws": dWs, "x": dh}
"""


@pytest.mark.parametrize(("scale", "about"), [(0.05, "vanishing"), (1.0, None)])
def test_vanishing_derivatives(scale: float, about: str | None, rng: np.random.Generator) -> None:
    orthogonal = [scale * np.linalg.qr(rng.normal(size=(5, 5)))[0] for _ in range(6)]
    arguments = {"x": rng.normal(size=5) * 0.1, "y": rng.normal(size=5), "Ws": orthogonal}
    diagnosis = diagnosed(DEEP, arguments)
    assert diagnosis.ok
    assert ({"vanishing", "exploding"} & set(said(diagnosis))) == ({about} if about else set())


def test_data_in_single_precision_are_taken_in_double(arguments: dict[str, Any]) -> None:
    single = {name: x.astype(np.float32) for name, x in arguments.items()}
    diagnosis = diagnosed(network(), single)
    assert diagnosis.ok
    assert "in single precision (float32), as X. They were taken in double" in said(diagnosis)["precision"]
    assert {finding.found.dtype.name for finding in diagnosis.findings} == {"float64"}


@pytest.mark.parametrize(("kind", "name", "limit"), [("float32", "single", "0.0001"), ("float16", "half", "0.03")])
def test_code_that_computes_in_less_precision(kind: str, name: str, limit: str, arguments: dict[str, Any]) -> None:
    source = network().replace("dZ2 = (A2 - Y) / m", f"dZ2 = ((A2 - Y) / m).astype(np.{kind})")
    assert kind in source
    diagnosis = diagnosed(source, arguments)
    assert diagnosis.ok
    text = said(diagnosis)[f"{name} precision"]
    assert f"in {name} precision ({kind})" in text
    assert f"compared to {limit} of the largest entry" in text


def test_a_bias_without_effect_is_said(rng: np.random.Generator) -> None:
    source = """\
import numpy as np


def forward(X, Y, W, b, gamma, beta):
    Z = X @ W + b
    mu = Z.mean(axis=0)
    var = Z.var(axis=0)
    H = (Z - mu) / np.sqrt(var + 1e-5)
    O = gamma * H + beta
    return np.mean((O - Y) ** 2), (H, var, O)


def backward(X, Y, W, b, gamma, cache):
    H, var, O = cache
    dO = 2 * (O - Y) / O.size
    dgamma = np.sum(dO * H, axis=0)
    dbeta = np.sum(dO, axis=0)
    dH = dO * gamma
    dZ = (dH - dH.mean(axis=0) - H * (dH * H).mean(axis=0)) / np.sqrt(var + 1e-5)
    dW = X.T @ dZ
    db = dZ.sum(axis=0)
    return {"W": dW, "b": db, "gamma": dgamma, "beta": dbeta}
"""
    arguments = {
        **{"X": rng.normal(size=(12, 3)), "Y": rng.normal(size=(12, 4)), "W": rng.normal(size=(3, 4))},
        **{"b": rng.normal(size=4), "gamma": rng.uniform(0.5, 1.5, 4), "beta": rng.normal(size=4)},
    }
    diagnosis = diagnosed(source, arguments)
    assert diagnosis.ok, diagnosis.returned
    assert said(diagnosis)["zero derivative"].startswith("The derivative by b is zero but for rounding")


def test_a_choice_at_a_kink_is_no_mistake(arguments: dict[str, Any]) -> None:
    kind = {**RELU, "slope": "(Z1 >= 0)"}
    at_kink = {**arguments, "W1": np.vstack([arguments["W1"][:5], np.zeros((1, 4))])}
    diagnosis = diagnosed(network(**kind), at_kink)
    assert diagnosis.ok
    assert "where it has no derivative" in said(diagnosis)["kink"] or "beside these points" in said(diagnosis)["kink"]
    assert "How it was compared" in bp.render(diagnosis, "text")
    assert "kink" not in said(diagnosed(network(**RELU), at_kink))
    wrong = diagnosed(network(**{**kind, "slope": "(A1 >= 0)"}), at_kink)
    assert not wrong.ok


def test_remarks_are_part_of_every_format(arguments: dict[str, Any]) -> None:
    arguments["b1"][:4] = -20
    diagnosis = diagnosed(network(**RELU), arguments)
    for format in ("text", "markdown", "html", "latex", "json"):
        assert "4 of 6 units" in bp.render(diagnosis, format)  # type: ignore[arg-type]
