"""A forward pass that draws random numbers."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import backproof as bp

GENERATOR = np.random.default_rng(5)
DRAWS = {
    "numpy": lambda shape: np.random.rand(*shape),
    "python": lambda shape: np.array([random.random() for _ in range(int(np.prod(shape)))]).reshape(shape),
    "generator": lambda shape: GENERATOR.random(shape),
}


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("factor", [1, 2])
def test_the_mask_of_a_dropout(name: str, factor: int) -> None:
    draw = DRAWS[name]

    def forward(X: Any, T: Any, W: Any, generator: Any = GENERATOR) -> Any:
        keep = draw(X.shape) > 0.5
        return np.sum((X * keep @ W - T) ** 2), keep

    def backward(X: Any, T: Any, W: Any, keep: Any) -> Any:
        D = X * keep
        return {"dW": factor * 2 * D.T @ (D @ W - T)}

    rng = np.random.default_rng(0)
    given = {"X": rng.normal(size=(7, 4)), "T": rng.normal(size=(7, 3)), "W": rng.normal(size=(4, 3))}
    states = np.random.get_state()[1], random.getstate(), GENERATOR.bit_generator.state
    diagnosis = bp.diagnose(forward, backward, given)
    assert diagnosis.returned["W"] == ("right" if factor == 1 else "wrong")
    assert np.array_equal(np.random.get_state()[1], states[0])  # type: ignore[arg-type]
    assert (random.getstate(), GENERATOR.bit_generator.state) == states[1:]
