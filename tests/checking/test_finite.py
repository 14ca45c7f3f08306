"""Losses that are no number, and warnings about numbers that are none."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import backproof as bp
from backproof.cli.commands import cli
from backproof.ir.errors import BackproofError, DataError

RNG = np.random.default_rng(0)
X, W = RNG.normal(size=(7, 4)), RNG.normal(size=(4, 3))
Y = np.eye(3)[RNG.integers(0, 3, 7)]


def forward(X: Any, Y: Any, W: Any) -> Any:
    E = np.exp(X @ W)
    A = E / E.sum(1, keepdims=True)
    return -np.sum(Y * np.log(A)), A


def backward(X: Any, Y: Any, A: Any) -> Any:
    return {"dW": X.T @ (A - Y)}


def predict(X: Any, W: Any) -> Any:
    return X @ W


def logarithm(Z: Any, Y: Any) -> Any:
    return np.sum((Y + 1) * np.log(Z * Z))


def warning_backward(X: Any, Y: Any, A: Any) -> Any:
    ratio = A / (A - A)
    return {"dW": X.T @ (A - Y), "unused": ratio}


def test_a_loss_that_is_nan() -> None:
    first, nan = (forward.__code__.co_firstlineno + k for k in (1, 2))
    message = (
        rf"^the loss is nan, which has no derivative \(test_finite.py, line {first}\)\n"
        rf"the first quantity that is not finite is E: inf at \[\d,\d\]; the first that is nan is A "
        rf"\(test_finite.py, line {nan}\)\n"
    )
    with pytest.raises(DataError, match=message):
        bp.diagnose(forward, backward, X=1000 * X, Y=Y, W=W)


def test_a_loss_that_is_infinite() -> None:
    with pytest.raises(DataError, match=r"^the loss is -inf, which has no derivative\nthe first .* is the loss itself"):
        bp.diagnose(predict, lambda X, Y: {"dW": X.T @ Y}, X=0 * X, Y=Y, W=W, loss=logarithm)


def test_gradients_of_a_loss_that_is_not_finite() -> None:
    with pytest.raises(BackproofError, match=r"^the loss is -inf, which"):
        bp.diagnose(predict, X=0 * X, Y=Y, W=W, loss=logarithm, gradients={"W": W})


def test_the_command_line_is_unusable_then(tmp_path: Path) -> None:
    text = "import numpy as np\n\n\ndef forward(X, w):\n    return np.sum(np.log(X @ w))\n\n\n"
    (tmp_path / "net.py").write_text(f"{text}def backward(X, w):\n    return X.T @ (1 / (X @ w))\n", encoding="utf-8")
    np.savez(tmp_path / "data.npz", X=np.abs(X), w=np.zeros(4))
    result = CliRunner().invoke(cli, ["check", str(tmp_path / "net.py"), "--data", str(tmp_path / "data.npz")])
    assert "the loss is -inf" in str(result.exception)
    assert "right" not in result.output


def test_other_data_are_drawn_close_by_where_the_loss_is_no_number_elsewhere() -> None:
    def forward(X: Any, w: Any) -> Any:
        z = X @ w
        return np.sum(np.log(z)), z

    def backward(X: Any, z: Any) -> Any:
        return {"dw": X.T @ (1 / z)}

    rows = np.array([[1.0, -0.1, 0.2], [2.0, -0.5, 0.1], [1.5, 0.3, -0.2], [1.2, -0.2, 0.1]])
    diagnosis = bp.diagnose(forward, backward, X=rows, w=np.array([2.0, -0.1, 0.1]))
    assert diagnosis.ok


def test_warnings_are_told_and_not_printed() -> None:
    with warnings.catch_warnings(record=True) as printed:
        warnings.simplefilter("always")
        diagnosis = bp.diagnose(forward, warning_backward, X=X, Y=Y, W=W)
    assert printed == []
    assert diagnosis.ok
    assert [remark.about for remark in diagnosis.remarks if remark.topic == "comparison"] == ["a warning"]
    line = warning_backward.__code__.co_firstlineno + 1
    report = re.sub(r"\s+", " ", bp.render(diagnosis, "text"))
    assert (
        f"On the data given NumPy warns in test_finite.py, line {line}, “divide by zero encountered in divide”: "
        "ratio = A / (A - A)" in report
    )


def test_other_warnings_are_given_as_they_are() -> None:
    def old(X: Any, Y: Any, A: Any) -> Any:
        warnings.warn("this is old", DeprecationWarning, stacklevel=1)
        return backward(X, Y, A)

    with pytest.warns(DeprecationWarning, match="this is old"):
        assert bp.diagnose(forward, old, X=X, Y=Y, W=W).ok
