"""What a second call of a backward pass shows."""

from __future__ import annotations

import numpy as np

import backproof as bp
from backproof.checking.diagnosis import Diagnosis
from backproof.write.doc import Code


class Net:
    """A linear model whose backward pass is given by a subclass."""

    def __init__(self) -> None:
        self.W = np.random.default_rng(0).normal(size=(4, 3))
        self.dW = np.zeros_like(self.W)

    def forward(self, X, y):
        self.X, self.error = X, X @ self.W - y
        return np.mean(self.error**2)


class AddsUp(Net):
    def backward(self):
        self.dW += self.X.T @ (2 * self.error / self.error.size)
        return self.dW


class Clears(AddsUp):
    def zero_grad(self):
        self.dW[...] = 0


class Sets(Net):
    def backward(self):
        self.dW = self.X.T @ (2 * self.error / self.error.size)


class Decays(Net):
    rate = 1.0

    def backward(self):
        self.dW = self.rate * (self.X.T @ (2 * self.error / self.error.size))
        self.rate *= 0.9


def diagnosed(net: Net) -> Diagnosis:
    rng = np.random.default_rng(1)
    return bp.diagnose(net, {"X": rng.normal(size=(5, 4)), "y": rng.normal(size=(5, 3))})


def test_gradients_that_are_added_up_from_call_to_call() -> None:
    diagnosis = diagnosed(AddsUp())
    assert diagnosis.ok
    (remark,) = [remark for remark in diagnosis.remarks if remark.about == "gradients added up"]
    assert remark.text[0] == Code("self.dW")


def test_what_is_set_to_zero_is_not_told_of() -> None:
    for net in (Clears(), Sets()):
        assert not [remark for remark in diagnosed(net).remarks if remark.about in ("gradients added up", "state")]


def test_another_result_of_a_second_call() -> None:
    (remark,) = [remark for remark in diagnosed(Decays()).remarks if remark.about == "state"]
    assert remark.text[0] == Code("self.dW")
