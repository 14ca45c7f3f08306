"""The assertion for users' tests: it passes, it fails with the report, and pytest shows that report."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from backproof.ir.errors import BackproofError
from backproof.testing import assert_gradients


def forward(X, w, y):
    prediction = X @ w
    return np.mean((prediction - y) ** 2), prediction


def right(X, y, prediction):
    dw = 2 * X.T @ (prediction - y) / len(y)
    return dw


def wrong(X, y, prediction):
    dw = X.T @ (prediction - y) / len(y)
    return dw


@pytest.fixture
def arguments(rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {"X": rng.normal(size=(5, 3)), "w": rng.normal(size=3), "y": rng.normal(size=5)}


class Regression:
    def forward(self, X, w, y):
        self.difference = X @ w - y
        return np.mean(self.difference**2)

    def backward(self, X):
        return {"dw": 2 * X.T @ self.difference / len(X)}


def test_takes_what_diagnose_takes(arguments: dict[str, np.ndarray]) -> None:
    assert_gradients(Regression, arguments)
    assert_gradients(Regression(), **arguments)
    X, w, y = (arguments[name] for name in "Xwy")
    gradient = X.T @ (X @ w - y) / len(y)
    assert_gradients(forward, arguments, gradients={"dw": 2 * gradient})
    with pytest.raises(AssertionError, match="1 of 1 gradients is wrong"):
        assert_gradients(forward, arguments, gradients={"dw": gradient})


def test_passes(arguments: dict[str, np.ndarray]) -> None:
    assert_gradients(forward, right, arguments)
    assert_gradients(forward, right, **arguments)
    assert_gradients(lambda X, w: X @ w, lambda X, w, y: 2 * X.T @ (X @ w - y), arguments, loss=_squares)


def _squares(prediction, y):
    return np.sum((prediction - y) ** 2)


def test_fails_with_the_report(arguments: dict[str, np.ndarray]) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_gradients(forward, wrong, arguments, err_msg="the linear layer")
    text = str(caught.value)
    assert text.startswith("\nthe linear layer\nThe diagnosis\n")
    assert "1 of 1 gradients is wrong: w. One line is wrong, test_testing.py, line 27" in text
    assert "> 27 |     dw = X.T @ (prediction - y) / len(y)" in text
    assert "Here a factor 2 is missing." in text


def test_nothing_that_comes_back_is_not_right(arguments: dict[str, np.ndarray]) -> None:
    with pytest.raises(AssertionError, match="No gradient was found"):
        assert_gradients(forward, lambda X: None, arguments)


def test_unusable_input_is_no_failed_assertion(arguments: dict[str, np.ndarray]) -> None:
    with pytest.raises(BackproofError):
        assert_gradients(forward, lambda nobody_knows, nor_this: None, arguments)


def test_pytest_shows_the_report(tmp_path: Path) -> None:
    test = Path(__file__).read_text(encoding="utf-8")
    (tmp_path / "test_mine.py").write_text(
        f"{test[: test.index('@pytest')]}\n"
        "def test_mine():\n"
        "    assert_gradients(forward, wrong, X=np.eye(3) + 0.5, w=np.ones(3), y=np.arange(3.0))\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 1
    assert "1 of 1 gradients is wrong: w." in done.stdout
    assert "raise AssertionError" not in done.stdout
