"""Lists of gradients in another order than their parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import backproof as bp


def forward(x, y, weights):
    hidden = [x]
    for w in weights[:-1]:
        hidden.append(np.tanh(hidden[-1] @ w))
    error = hidden[-1] @ weights[-1] - y
    return np.mean(error**2), (hidden, error)


def backward(x, y, weights, result):
    hidden, error = result
    d, gradients = 2 * error / error.size, []
    for l in range(len(weights) - 1, -1, -1):
        gradients.insert(0, hidden[l].T @ d)
        d = (d @ weights[l].T) * (1 - hidden[l] ** 2)
    return gradients


def turned(x, y, weights, result):
    return backward(x, y, weights, result)[::-1]


def in_a_dict(x, y, weights, result):
    return {"weights": turned(x, y, weights, result)}


def remarks(function: Callable[..., Any]) -> list[str]:
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(3, 3)), rng.normal(size=(3, 3)), rng.normal(size=(3, 2))]
    diagnosis = bp.diagnose(forward, function, x=rng.normal(size=(5, 3)), y=rng.normal(size=(5, 2)), weights=weights)
    assert diagnosis.ok
    return [bp.render(diagnosis, "text") for remark in diagnosis.remarks if remark.about == "order"]


@pytest.mark.parametrize("function", [turned, in_a_dict])
def test_another_order_is_told_of(function: Callable[..., Any]) -> None:
    (text,) = remarks(function)
    assert "come back as those by weights[2], weights[1], weights[0]" in " ".join(text.split())


def test_the_same_order_is_not() -> None:
    assert remarks(backward) == []


def test_arguments_of_their_own_have_no_order() -> None:
    def predicted(x, y, W1, W2):
        return forward(x, y, [W1, W2])

    def last_first(x, y, W1, W2, result):
        dW1, dW2 = backward(x, y, [W1, W2], result)
        return dW2, dW1

    rng = np.random.default_rng(0)
    sizes = {"x": (5, 3), "y": (5, 2), "W1": (3, 4), "W2": (4, 2)}
    given = {name: rng.normal(size=size) for name, size in sizes.items()}
    diagnosis = bp.diagnose(predicted, last_first, given)
    assert diagnosis.ok
    assert not [remark for remark in diagnosis.remarks if remark.about == "order"]
