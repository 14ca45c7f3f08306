"""Plain numbers in attributes, dicts and arguments: which are parameters, and which are left alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import backproof as bp

RNG = np.random.default_rng(0)
DATA = {"X": RNG.normal(size=(7, 4)), "Y": RNG.integers(0, 2, (7, 1)).astype(float)}


class Logistic:
    def __init__(self) -> None:
        self.n, self.rate, self.reg = 3, 0.1, 0.2
        self.w, self.b = np.random.default_rng(1).normal(size=(4, 1)), 0.0

    def forward(self, X: Any) -> Any:
        self.X = X
        self.a = 1 / (1 + np.exp(-(X @ self.w + self.b)))
        return self.a

    def loss(self, a: Any, Y: Any) -> Any:
        self.Y = Y
        return -np.mean(Y * np.log(a) + (1 - Y) * np.log(1 - a)) + self.reg * np.sum(self.w**2) / self.n

    def backward(self) -> None:
        dz = (self.a - self.Y) / len(self.X)
        self.dw, self.db = self.X.T @ dz + 2 * self.reg / self.n * self.w, np.sum(dz)


class Wrong(Logistic):
    def backward(self) -> None:
        dz = (self.a - self.Y) / len(self.X)
        self.dw = self.X.T @ dz + 2 * self.reg / self.n * self.w
        self.db = np.mean(dz)


class Stepping(Logistic):
    def backward(self) -> None:
        dz = (self.a - self.Y) / len(self.X)
        self.w = self.w - self.rate * (self.X.T @ dz + 2 * self.reg / self.n * self.w)
        self.b = self.b - self.rate * np.sum(dz)


@pytest.mark.parametrize("kind", [Logistic, Stepping])
def test_a_number_in_an_attribute_is_a_parameter(kind: type[Logistic]) -> None:
    net = kind()
    diagnosis = bp.diagnose(net, DATA)
    assert diagnosis.returned == {"w": "right", "b": "right"}
    assert net.b == 0.0
    assert isinstance(net.b, float)


def test_a_wrong_derivative_by_a_number() -> None:
    diagnosis = bp.diagnose(Wrong(), DATA)
    assert diagnosis.returned == {"w": "right", "b": "wrong"}
    assert [finding.text for finding in diagnosis.wrong] == ["self.db"]


def predict(X: Any, Y: Any, params: Any) -> Any:
    A = X
    for _ in range(params["depth"]):
        A = np.tanh(A @ params["W"]) + params["b"]
    assert params["sizes"].tolist() == [4, 3]
    D = A - Y
    return np.sum(D**2) + params["reg"] * np.sum(params["W"] ** 2), D


def slopes(X: Any, D: Any, params: Any) -> Any:
    dZ = 2 * D * (1 - (D * 0 + np.tanh(X @ params["W"])) ** 2)
    return {"W": X.T @ dZ + 2 * params["reg"] * params["W"], "b": 2 * np.sum(D)}


def test_numbers_in_a_dict() -> None:
    params = {"W": RNG.normal(size=(4, 3)), "b": 0.5, "reg": 0.1, "depth": 1, "sizes": np.array([4, 3])}
    diagnosis = bp.diagnose(predict, slopes, X=DATA["X"], Y=RNG.normal(size=(7, 3)), params=params)
    assert diagnosis.returned == {"W": "right", "b": "right"}
    assert params["b"] == 0.5


def test_a_number_as_an_argument() -> None:
    def forward(X: Any, w: Any, b: float, rate: float) -> Any:
        return np.sum(X @ w + b) * rate

    def backward(X: Any, rate: float) -> Any:
        db = rate * X.shape[0]
        return rate * X.sum(0), db

    diagnosis = bp.diagnose(forward, backward, X=DATA["X"], w=np.ones(4), b=0.0, rate=0.5)
    assert diagnosis.returned == {"w": "right", "b": "right"}


def settings() -> dict[str, float]:
    rate, scale = 0.5, 2.0
    return {"rate": rate, "scale": scale}


def test_a_number_that_another_function_returns_by_its_name_is_none() -> None:
    def forward(X: Any, w: Any, scale: float) -> Any:
        return np.sum(X @ w) * scale

    def backward(X: Any, scale: float) -> Any:
        return {"w": scale * X.sum(0)}

    diagnosis = bp.diagnose(forward, backward, X=DATA["X"], w=np.ones(4), scale=settings()["scale"])
    assert diagnosis.returned == {"w": "right"}


def test_sizes_are_not_put_in_another_order() -> None:
    def forward(X: Any, W: Any, sizes: Any) -> Any:
        H = (X @ W).reshape(-1, *sizes)
        return np.sum(H[:, : sizes[0], : sizes[1]] ** 2 * np.arange(6.0).reshape(2, 3)), H

    def backward(X: Any, sizes: Any, H: Any) -> Any:
        return X.T @ (2 * H * np.arange(6.0).reshape(2, 3)).reshape(len(X), -1)

    diagnosis = bp.diagnose(forward, backward, X=DATA["X"], W=RNG.normal(size=(4, 6)), sizes=np.array([2, 3]))
    assert diagnosis.returned == {"W": "right"}
