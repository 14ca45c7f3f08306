"""Entries of derivatives that nothing depends on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import backproof as bp
from backproof.checking.idle import idle_entries
from backproof.execution.interpret import evaluate
from backproof.ir.node import Node


def idle(function: Callable[..., object], **arguments: object) -> dict[str, np.ndarray]:
    derivation = bp.derive(function, **arguments)
    inputs = {x: x.attrs["value"] for x in derivation.graph.inputs}
    known: dict[Node, np.ndarray] = evaluate(derivation.quantities.values(), inputs, {})

    def value(node: Node) -> np.ndarray:
        return evaluate([node], known, {})[node]

    return {str(node.symbol): entries for node, entries in idle_entries(derivation.backward, value).items()}


X = np.array([[1.0, -2.0], [-3.0, 4.0], [5.0, 6.0]])


def test_what_a_relu_makes_zero_is_idle() -> None:
    def through_relu(w):
        z = X * w
        a = np.maximum(z, 0)
        return np.sum(a * a)

    found = idle(through_relu, w=np.array([1.0, 1.0]))
    assert sorted(found) == ["da"]
    assert found["da"].tolist() == (X <= 0).tolist()


def test_it_is_idle_in_another_shape_too() -> None:
    def turned(w):
        z = X * w
        a = np.maximum(z, 0)
        b = a.T
        c = b.reshape(3, 2)
        return np.sum(c * c)

    found = idle(turned, w=np.array([1.0, 1.0]))
    assert found["db"].tolist() == (X <= 0).T.tolist()
    assert found["dc"].tolist() == (X <= 0).T.reshape(3, 2).tolist()


def test_what_goes_on_another_way_is_not_idle() -> None:
    def two_ways(w):
        z = X * w
        a = np.maximum(z, 0)
        b = np.exp(a)
        c = a + b
        return np.sum(c * c) + np.sum(a[0])

    assert "da" in idle(two_ways, w=np.array([1.0, 1.0]))

    def past_the_relu(w):
        z = X * w
        a = np.exp(z)
        b = a * (z > 0) + z
        return np.sum(b * b)

    assert idle(past_the_relu, w=np.array([1.0, 1.0])) == {}


@pytest.mark.parametrize("sign", [1, -1])
def test_nothing_is_idle_without_zeros(sign: int) -> None:
    def smooth(w):
        a = np.tanh(sign * X * w)
        return np.sum(a * a)

    assert idle(smooth, w=np.array([1.0, 1.0])) == {}
