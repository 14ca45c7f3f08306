"""Dicts and lists of parameters out of arrays with names, as an NPZ file has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import backproof as bp
from backproof.checking.diagnosis import Diagnosis
from backproof.cli.commands import cli
from backproof.ir.errors import BackproofError

RNG = np.random.default_rng(0)
DATA = {"X": RNG.normal(size=(4, 7)), "Y": RNG.normal(size=(3, 7))}
SHAPES = {"W1": (5, 4), "b1": (5, 1), "W2": (3, 5), "b2": (3, 1)}
PARAMETERS = {name: RNG.normal(size=shape) for name, shape in SHAPES.items()}


def second_layer(A: Any, params: Any) -> Any:
    return params["W2"] @ A + params["b2"]


def forward(X: Any, Y: Any, params: Any) -> Any:
    W1, b1 = (params[key] for key in ("W1", "b1"))
    A = np.tanh(W1 @ X + b1)
    if params.get("scale") is not None:
        A = params["scale"] * A
    D = second_layer(A, params) - Y
    return np.sum(D**2), (A, D)


def backward(X: Any, params: Any, cache: Any) -> Any:
    A, D = cache
    dZ = params["W2"].T @ (2 * D) * (1 - A**2)
    return {"W1": dZ @ X.T, "b1": dZ.sum(1, keepdims=True), "W2": 2 * D @ A.T, "b2": 2 * D.sum(1, keepdims=True)}


def looped(X: Any, Y: Any, params: Any) -> Any:
    A, caches = X, []
    for l in range(1, len(params) // 2 + 1):
        H = np.tanh(params["W" + str(l)] @ A + params[f"b{l}"])
        caches.append((A, H))
        A = H
    return np.sum((A - Y) ** 2), caches


def looped_backward(Y: Any, params: Any, caches: Any) -> Any:
    grads, dA = {}, 2 * (caches[-1][1] - Y)
    for l in reversed(range(1, len(params) // 2 + 1)):
        A, H = caches[l - 1]
        dZ = dA * (1 - H**2)
        grads[f"dW{l}"], grads[f"db{l}"] = dZ @ A.T, dZ.sum(1, keepdims=True)
        dA = params[f"W{l}"].T @ dZ
    return grads


def unpacked(X: Any, Y: Any, params: Any) -> Any:
    W1, b1, W2, b2 = params
    A = np.tanh(W1 @ X + b1)
    D = W2 @ A + b2 - Y
    return np.sum(D**2), (A, D)


def unpacked_backward(X: Any, params: Any, cache: Any) -> Any:
    A, D = cache
    dZ = params[2].T @ (2 * D) * (1 - A**2)
    return dZ @ X.T, dZ.sum(1, keepdims=True), 2 * D @ A.T, 2 * D.sum(1, keepdims=True)


def listed(X: Any, Y: Any, layers: Any) -> Any:
    A, caches = X, []
    for layer in layers:
        H = np.tanh(layer["W"] @ A + layer["b"])
        caches.append((A, H))
        A = H
    return np.sum((A - Y) ** 2), caches


def listed_backward(Y: Any, layers: Any, caches: Any) -> Any:
    grads, dA = [], 2 * (caches[-1][1] - Y)
    for layer, (A, H) in zip(layers[::-1], caches[::-1], strict=True):
        dZ = dA * (1 - H**2)
        grads.insert(0, {"W": dZ @ A.T, "b": dZ.sum(1, keepdims=True)})
        dA = layer["W"].T @ dZ
    return grads


WAYS = {
    "by keys": (forward, backward, PARAMETERS),
    "by ways with dots": (forward, backward, {f"params.{k}": x for k, x in PARAMETERS.items()}),
    "by ways with strokes": (forward, backward, {f"params/{k}": x for k, x in PARAMETERS.items()}),
    "by computed keys": (looped, looped_backward, PARAMETERS),
    "by the names that they are unpacked to": (unpacked, unpacked_backward, PARAMETERS),
    "as a list of dicts": (
        *(listed, listed_backward),
        {f"layers.{int(k[1]) - 1}.{k[0]}": x for k, x in PARAMETERS.items()},
    ),
    "as a list": (
        *(unpacked, unpacked_backward),
        {f"params.{k}": x for k, x in enumerate(PARAMETERS.values())},
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_parameters_in_containers(way: str) -> None:
    forward, backward, parameters = WAYS[way]
    diagnosis: Diagnosis = bp.diagnose(forward, backward, {**DATA, **parameters})
    names = [f"params_{k}" for k in range(1, 5)] if forward is unpacked else PARAMETERS
    assert diagnosis.returned == dict.fromkeys(names, "right")
    assert diagnosis.ok


def test_a_file_on_the_command_line(tmp_path: Path) -> None:
    text = "def forward(X, params):\n    return (X @ params['w']).sum()\n"
    text += "\n\ndef backward(X):\n    return {'w': X.sum(0)}\n"
    (tmp_path / "net.py").write_text(text, encoding="utf-8")
    np.savez(tmp_path / "data.npz", X=RNG.normal(size=(5, 3)), w=np.ones(3), rest=np.ones(3))
    for command, name in (("check", "forward,backward"), ("derive", "forward")):
        spec = f"{tmp_path / 'net.py'}:{name}"
        result = CliRunner().invoke(cli, [command, spec, "--data", str(tmp_path / "data.npz")])
        assert result.exit_code == 0, result.output
        assert "rest" in result.output


def test_what_is_missing_is_named_at_once() -> None:
    few = {**DATA, "W1": PARAMETERS["W1"]}
    with pytest.raises(BackproofError, match=r"^params has no b1 and no W2 and no b2 \(.*\nthere are X, Y"):
        bp.diagnose(forward, backward, few)
    with pytest.raises(BackproofError, match=r"^params has no b1 and no W2 and no b2"):
        bp.diagnose(forward, backward, {**DATA, "params.W1": PARAMETERS["W1"]})
    with pytest.raises(BackproofError, match=r"^there is no params \(looped reads params\['W' \+ str\(l\)\]"):
        bp.diagnose(looped, looped_backward, DATA)
    with pytest.raises(BackproofError, match=r"^params has no b1 and no W2 and no b2"):
        bp.diagnose(unpacked, unpacked_backward, few)
    with pytest.raises(BackproofError, match=r"^there is no X and no Y and no layers to run listed on"):
        bp.diagnose(listed, listed_backward, W1=PARAMETERS["W1"])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("layers.1.W", "layers.2.W"), "the list layers lacks layers.0 .*\nits places are counted from 0"),
        (("params", "params.W1"), "params is an array, and has a part W1"),
        (("params.W1.a", "params.W1"), r"params\.W1 is an array, and has a part a"),
    ],
)
def test_names_that_contradict_each_other(names: tuple[str, ...], message: str) -> None:
    with pytest.raises(BackproofError, match=message):
        bp.diagnose(listed, listed_backward, {**DATA, **dict.fromkeys(names, np.ones(3))})


def test_keys_that_the_code_puts_in_itself_are_not_missing() -> None:
    def forward(X: Any, params: Any) -> Any:
        params["A"] = np.tanh(X @ params["W"])
        return np.sum(params["A"])

    def backward(X: Any, params: Any) -> Any:
        return {"dW": X.T @ (1 - params["A"] ** 2)}

    arguments = {"X": RNG.normal(size=(5, 3)), "W": RNG.normal(size=(3, 2))}
    assert bp.diagnose(forward, lambda X, params: backward(X, {**params, "A": np.tanh(X @ params["W"])}), arguments).ok


def test_whole_numbers_and_words_in_a_container_stay_what_they_are() -> None:
    def forward(X: Any, params: Any) -> Any:
        A = X
        for _ in range(params["layers"]):
            A = {"tanh": np.tanh}[params["activation"]](params["W"] @ A)
        return np.sum(A)

    def backward(X: Any, params: Any) -> Any:
        A = np.tanh(params["W"] @ X)
        H = np.tanh(params["W"] @ A)
        dH = 1 - H**2
        return {"dW": dH @ A.T + (params["W"].T @ dH * (1 - A**2)) @ X.T}

    W = RNG.normal(size=(4, 4))
    arguments = {"X": DATA["X"], "W": W, "layers": np.array(2), "activation": np.array("tanh")}
    assert bp.diagnose(forward, backward, arguments).returned == {"W": "right"}
    assert bp.diagnose(forward, backward, {f"params.{k}" if k != "X" else k: x for k, x in arguments.items()}).ok


def test_methods_that_a_container_is_handed_on_to() -> None:
    class Net:
        def predict(self, X: Any, params: Any) -> Any:
            return X @ params["w"] + params["b"]

        def forward(self, X: Any, y: Any, params: Any) -> Any:
            self.residual = self.predict(X, params=params) - y
            return np.mean(self.residual**2)

        def backward(self, X: Any) -> Any:
            slope = 2 * self.residual / len(X)
            return {"w": X.T @ slope, "b": slope.sum()}

    arguments = {"X": RNG.normal(size=(7, 3)), "y": RNG.normal(size=7), "w": RNG.normal(size=3), "b": np.array(0.5)}
    assert bp.diagnose(Net(), arguments).returned == {"w": "right", "b": "right"}


def test_surplus_arrays_are_told_of() -> None:
    diagnosis = bp.diagnose(forward, backward, {**DATA, **PARAMETERS, "Q": np.ones(3)})
    assert set(diagnosis.returned) == set(PARAMETERS)
    (remark,) = (remark for remark in diagnosis.remarks if remark.about == "not used")
    assert remark.text == ("Q is not used: no function has a parameter that is called like it.",)


def test_the_size_of_a_step_is_no_surplus() -> None:
    diagnosis = bp.diagnose(forward, backward, {**DATA, **PARAMETERS, "learning_rate": np.array(500.0)})
    assert set(diagnosis.returned) == set(PARAMETERS)
    assert {remark.about for remark in diagnosis.remarks} == {"step size too large"}
