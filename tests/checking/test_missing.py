"""Data that nobody gave, and the command line with every kind of code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import backproof as bp
from backproof.cli.commands import cli
from backproof.ir.errors import BackproofError

ANNOTATED = """import numpy as np


def forward(X: 'Float[Array, "m n"]', w: 'Float[Array, "n"]', b: 'Float[Array, "1"]'):
    return np.sum(np.tanh(X @ w + b)) / X.shape[0]


def backward(X, w, b):
    dz = (1 - np.tanh(X @ w + b) ** 2) / X.shape[0]
    return {"dw": X.T @ dz, "db": dz.sum(keepdims=True)}
"""
CLASS = """import numpy as np


class Net:
    def __init__(self, n_in=4, n_out=3):
        rng = np.random.default_rng(0)
        self.W = rng.normal(size=(n_in, n_out))

    def forward(self, X, Y):
        self.D = X @ self.W - Y
        return np.sum(self.D**2) / len(X)

    def backward(self, X):
        self.dW = 2 * X.T @ self.D / len(X)


def cost(prediction, Y):
    return np.mean((prediction - Y) ** 2)


def predict(X, W):
    return X @ W


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def sigmoid_prime(z):
    return sigmoid(z) * (1 + sigmoid(z))
"""


def checked(*arguments: Any) -> Result:
    return CliRunner().invoke(cli, ["check", *map(str, arguments)])


@pytest.fixture
def files(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    (tmp_path / "annotated.py").write_text(ANNOTATED, encoding="utf-8")
    (tmp_path / "net.py").write_text(CLASS, encoding="utf-8")
    X, Y, W = rng.normal(size=(7, 4)), rng.normal(size=(7, 3)), rng.normal(size=(4, 3))
    np.savez(tmp_path / "data.npz", X=X, Y=Y)
    np.savez(tmp_path / "all.npz", X=X, Y=Y, W=W)
    np.savez(tmp_path / "right.npz", dW=2 * X.T @ (X @ W - Y) / Y.size)
    np.savez(tmp_path / "wrong.npz", dW=2 * X.T @ (X @ W - Y))
    return tmp_path


def test_sizes_are_told_by_annotations(files: Path) -> None:
    assert checked(files / "annotated.py").exit_code == 0
    text = ANNOTATED.replace("1 - np.tanh", "1 + np.tanh")
    (files / "annotated.py").write_text(text, encoding="utf-8")
    assert checked(f"{files / 'annotated.py'}:forward,backward").exit_code == 1


def test_data_that_are_missing() -> None:
    def forward(X: Any, w: Any) -> Any:
        return np.sum(X @ w)

    with pytest.raises(BackproofError, match=r"^there is no X and no w to run .*\n.*\ngive them: .*Float\[Array"):
        bp.diagnose(forward, lambda X, w: X.sum(0))
    with pytest.raises(BackproofError, match=r"\nthe data have w and no X\n"):
        bp.diagnose(forward, lambda X, w: X.sum(0), w=np.ones(3))


def test_a_function_of_scipy_by_its_name(tmp_path: Path) -> None:
    text = """import numpy as np
from scipy.special import logsumexp as lse


def forward(X, W):
    S = X @ W
    return np.sum(lse(S, axis=1))


def backward(X, W):
    S = X @ W
    return {"dW": X.T @ np.exp(S - lse(S, axis=1, keepdims=True))}
"""
    (tmp_path / "passes.py").write_text(text, encoding="utf-8")
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "data.npz", X=rng.normal(size=(7, 4)), W=rng.normal(size=(4, 3)))
    spec = f"{tmp_path / 'passes.py'}:forward,backward"
    assert checked(spec, "--data", tmp_path / "data.npz").exit_code == 0


def test_a_class_on_the_command_line(files: Path) -> None:
    data = "--data", files / "data.npz"
    assert checked(f"{files / 'net.py'}:Net", *data).exit_code == 0
    assert checked(files / "net.py", *data).exit_code == 0
    (files / "net.py").write_text(CLASS.replace("2 * X.T", "X.T"), encoding="utf-8")
    result = checked(f"{files / 'net.py'}:Net", *data)
    assert result.exit_code == 1
    assert "net.py, line 14" in result.output


def test_a_claimed_derivative_on_the_command_line(files: Path) -> None:
    result = checked(f"{files / 'net.py'}:sigmoid,sigmoid_prime")
    assert result.exit_code == 1
    assert "net.py, line 30" in result.output


def test_arrays_on_the_command_line(files: Path) -> None:
    spec = f"{files / 'net.py'}:predict,cost"
    assert checked(spec, "--gradients", files / "right.npz", "--data", files / "all.npz").exit_code == 0
    result = checked(spec, "--gradients", files / "wrong.npz", "--data", files / "all.npz")
    assert result.exit_code == 1
    assert "no line can be named" in " ".join(result.output.split())


@pytest.mark.parametrize("option", ["--wrt W", "--loss mse", "--tolerance 1e-3", "--rows 2", "--all", "--dx"])
def test_options_of_derived_gradients(files: Path, option: str) -> None:
    arguments = ["check", str(files / "net.py"), "--data", str(files / "data.npz"), *option.split()]
    with pytest.raises(BackproofError, match=f"^{option.split()[0]} is not for a backward pass of your own\n"):
        CliRunner().invoke(cli, arguments, catch_exceptions=False)


def test_a_network_needs_data() -> None:
    with pytest.raises(BackproofError, match="no data are given"):
        CliRunner().invoke(cli, ["check", "3-4"], catch_exceptions=False)
