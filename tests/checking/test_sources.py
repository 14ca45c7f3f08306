"""Code in every shape: no false alarm on what is right; line, mistake and correction on what is not."""

from __future__ import annotations

import copy
import linecache
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import backproof as bp
from backproof.checking.diagnosis import Diagnosis
from backproof.ir.errors import BackproofError

SOURCES = Path(__file__).parent / "sources"
NAMES = sorted(path.stem for path in SOURCES.glob("*.py"))
_numbers = count(1)


def source(name: str) -> str:
    return (SOURCES / f"{name}.py").read_text(encoding="utf-8")


def module(text: str) -> Any:
    file = f"<source {next(_numbers)}>.py"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    made = ModuleType("source")
    exec(compile(text, file, "exec"), made.__dict__)
    return made


def diagnosed(text: str) -> Diagnosis:
    code, arguments = module(text).given(np.random.default_rng(1))
    return bp.diagnose(*code, arguments)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_right_is_called_right(name: str) -> None:
    diagnosis = diagnosed(source(name))
    assert [f"{f.moment.place}: {f.text}" for f in diagnosis.findings if f.judgement != "right"] == []
    assert set(diagnosis.returned.values()) == {"right"}
    assert diagnosis.ok


PLANTED = [
    ("attributes", "self.dW2 = dZ2 @ self.A1.T / m", "self.dW2 = dZ2 @ self.A1.T", "1/m left out"),
    ("attributes", "* (1 - self.A1**2)", "* (1 - self.Z1**2)", "derivative at the wrong place"),
    ("attributes", "self.db1 = np.sum(dZ1, axis=1, keepdims=True)", "self.db1 = np.sum(dZ1, axis=1)", "keepdims lost"),
    ("attributes", "self.dW1 = dZ1 @ X.T / m", "self.dW1 = dZ1 @ X / m", None),
    ("dicts", "dz1 = dh * (z1 > 0)", "dz1 = dh", "derivative left out"),
    ("dicts", 'self.grads["W1"] = X.T @ dz1', 'self.grads["W1"] = dz1.T @ X', "wrong shape"),
    ("dicts", 'self.grads["b1"] = dz1.sum(axis=0)', 'self.grads["b1"] = dz1.mean(axis=0)', "mean for sum"),
    ("composed", "dx = dout * self.out * (1 - self.out)", "dx = dout * (1 - self.out)", "factor left out"),
    ("composed", "self.db = dout.sum(axis=0)", "self.db = dout.mean(axis=0)", "mean for sum"),
    ("composed", "dx = dout @ self.W.T", "dx = dout @ self.W", None),
    ("composed", "return 2 * self.difference", "return self.difference", "factor 2"),
    ("layer", "db = np.sum(dout, axis=0)", "db = np.mean(dout, axis=0)", "mean for sum"),
    ("layer", "dw = x.reshape(x.shape[0], -1).T @ dout", "dw = -x.reshape(x.shape[0], -1).T @ dout", "sign"),
    ("layer", "dx = (dout @ w.T)", "dx = (dout @ w)", None),
    ("batchnorm", "dxhat = dout * self.gamma", "dxhat = dout", "factor left out"),
    ("batchnorm", "- self.xhat * along)", ")", "term left out"),
    ("stepping", "dw = a.T @ delta", "dw = -a.T @ delta", "sign"),
    ("stepping", "db = delta.sum(axis=0, keepdims=True)", "db = delta.mean(axis=0, keepdims=True)", "mean for sum"),
    ("together", "X.T @ dh + self.reg * W1", "X.T @ dh", "term left out"),
    ("together", '["b2"] = ds.sum(0)', '["b2"] = ds.mean(0)', "mean for sum"),
    ("leaving", "np.dot(self.inputs.T, dvalues)", "np.dot(dvalues.T, self.inputs)", "wrong shape"),
    ("undivided", "1.0 / m * np.dot(dZ, A_prev.T)", "np.dot(dZ, A_prev.T)", "1/m left out"),
    ("undivided", "1.0 / m * np.sum(dZ, axis=1", "np.sum(dZ, axis=1", "1/m left out"),
    ("cell", "do = dnext_h * t", "do = dnext_h * next_c", "wrong quantity"),
    ("cell", "dprev_c = dc * f", "dprev_c = dc * i", "wrong quantity"),
]


def planted(name: str, right: str, wrong: str) -> tuple[str, int]:
    """The source with a mistake in it, and the number of its line."""
    text = source(name)
    assert text.count(right) == 1
    return text.replace(right, wrong), text[: text.index(right)].count("\n") + 1


@pytest.mark.parametrize(("name", "right", "wrong", "mistake"), PLANTED)
def test_the_wrong_line_and_the_mistake(name: str, right: str, wrong: str, mistake: str | None) -> None:
    text, line = planted(name, right, wrong)
    diagnosis = diagnosed(text)
    assert not diagnosis.ok
    assert {finding.moment.number for finding in diagnosis.wrong} == {line}
    found = {edit.mistake for edit in diagnosis.wrong[0].mistakes}
    assert mistake in found if mistake else diagnosis.raised


@pytest.mark.parametrize(("name", "right", "wrong", "mistake"), PLANTED)
def test_the_line_proposed_makes_it_right(name: str, right: str, wrong: str, mistake: str | None) -> None:
    text, line = planted(name, right, wrong)
    correction = next(f.correction for f in diagnosed(text).wrong if f.correction is not None)
    lines = text.splitlines()
    indent = lines[line - 1][: len(lines[line - 1]) - len(lines[line - 1].lstrip())]
    lines[line - 1] = indent + correction
    assert diagnosed("\n".join(lines) + "\n").ok


@pytest.mark.parametrize("name", ["attributes", "dicts", "composed", "batchnorm", "stepping"])
def test_the_object_is_left_as_it_is(name: str) -> None:
    (net,), arguments = module(source(name)).given(np.random.default_rng(1))
    before = copy.deepcopy(net)
    kept = {key: x.copy() for key, x in arguments.items()}
    bp.diagnose(net, arguments)
    assert repr(_plain(net)) == repr(_plain(before))
    assert all(np.array_equal(kept[key], x) for key, x in arguments.items())


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return _plain(vars(value)) if hasattr(value, "__dict__") else value


def test_methods_and_a_class() -> None:
    made = module(source("attributes"))
    (net,), arguments = made.given(np.random.default_rng(1))
    assert bp.diagnose(net.forward, net.backward, arguments).ok
    sizes = {"n_in": 4, "n_hidden": 5, "n_out": 3}
    assert bp.diagnose(made.Net, arguments, **sizes).ok
    with pytest.raises(BackproofError, match=r"what Net is to be made with \(Net\(n_in, n_hidden, n_out\)\)\nit needs"):
        bp.diagnose(made.Net, arguments, n_in=4)


def test_a_gradient_that_is_none() -> None:
    text, _ = planted("attributes", "self.db1 = np.sum(dZ1, axis=1, keepdims=True) / m", "self.db1 = None")
    diagnosis = diagnosed(text)
    assert diagnosis.returned == {"W1": "right", "b1": "none", "W2": "right", "b2": "right"}
    assert not diagnosis.ok
    text, _ = planted("layer", "return dx, dw, db", "return dx, None, db")
    assert diagnosed(text).returned["w"] == "lost"  # it was computed


def test_a_step_that_goes_uphill() -> None:
    text, _ = planted("stepping", "self.biases[l] -= learning_rate * db", "self.biases[l] += learning_rate * db")
    diagnosis = diagnosed(text)
    assert not diagnosis.ok
    assert {finding.mistakes[0].mistake for finding in diagnosis.wrong} == {"uphill"}
    text, _ = planted("ascending", "np.dot(self.layer1.T, slope)", "-np.dot(self.layer1.T, slope)")
    diagnosis = diagnosed(text)
    assert diagnosis.returned == {"weights1": "right", "weights2": "wrong"}


def test_a_layer_may_bring_in_the_mean() -> None:
    diagnosis = diagnosed(source("averaged"))
    assert any("divided by" in str(remark.text) for remark in diagnosis.remarks)
    for right, wrong in (("dA_prev = np.dot(W.T, dZ)", "dA_prev = np.dot(W.T, dZ) / m"), ("db = 1 / m *", "db =")):
        assert not diagnosed(planted("averaged", right, wrong)[0]).ok


def test_nothing_comes_back() -> None:
    text, _ = planted("layer", "return dx, dw, db", "return None")
    diagnosis = diagnosed(text)
    assert set(diagnosis.returned.values()) == {"lost"}
    assert not diagnosis.ok


def test_gradients_without_a_name() -> None:
    text, _ = planted("layer", "return dx, dw, db", "return dout * 3 @ w.T, x[:, 0] @ w[:3], dout.sum(0)")
    diagnosis = diagnosed(text)
    assert not diagnosis.ok


@pytest.mark.parametrize("b", [np.zeros(5), np.zeros((5, 1)), np.zeros((1, 5))])
def test_the_bias_has_any_shape(b: Any) -> None:
    def forward(X, W, b):
        Z = W @ X + b.reshape(-1, 1)
        return np.sum(np.tanh(Z)) / X.shape[1]

    def backward(X, W, b):
        m = X.shape[1]
        dZ = (1 - np.tanh(W @ X + b.reshape(-1, 1)) ** 2) / m
        return [dZ @ X.T, dZ.sum(axis=1).reshape(b.shape)]

    rng = np.random.default_rng(0)
    assert bp.diagnose(forward, backward, X=rng.normal(size=(4, 7)), W=rng.normal(size=(5, 4)), b=b).ok


def test_the_bias_is_a_column_of_the_weights() -> None:
    def forward(X, W):
        ones = np.ones((1, X.shape[1]))
        Z = W @ np.concatenate([X, ones])
        return np.sum(np.tanh(Z)) / X.shape[1]

    def backward(X, W):
        m = X.shape[1]
        X1 = np.vstack([X, np.ones((1, m))])
        dZ = (1 - np.tanh(W @ X1) ** 2) / m
        return {"dW": dZ @ X1.T}

    def forgets(X, W):
        m = X.shape[1]
        X1 = np.vstack([X, np.ones((1, m))])
        dZ = (1 - np.tanh(W @ X1) ** 2) / m
        return {"dW": dZ @ X.T}

    rng = np.random.default_rng(0)
    arguments = {"X": rng.normal(size=(4, 7)), "W": rng.normal(size=(5, 5))}
    assert bp.diagnose(forward, backward, arguments).ok
    assert bp.diagnose(forward, forgets, arguments).returned == {"W": "wrong"}


def test_what_is_no_pair_of_passes() -> None:
    with pytest.raises(BackproofError, match=r"^f is no forward and backward pass\none function that does both"):
        bp.diagnose(f, w=np.ones(3), v=np.ones(3))
    with pytest.raises(BackproofError, match="does not give one number"):
        bp.diagnose(f, lambda w, v: (v, w), w=np.ones(3), v=np.ones(3))


def f(w: Any, v: Any) -> Any:
    return w * v
