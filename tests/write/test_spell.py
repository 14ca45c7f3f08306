"""How equations of followed code are spelled: brackets, names, letters."""

from __future__ import annotations

import numpy as np
import pytest

import backproof as bp
from backproof.derivation.derivation import Derivation
from backproof.write.math_unicode import linear
from backproof.write.spell import spell


def of(derivation: Derivation, symbol: str) -> str:
    """The last form of a step's equation, on one line."""
    return linear(spell(derivation.quantities[symbol]))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_a_number_in_front_does_not_hide_a_product_of_the_other_kind(rng: np.random.Generator) -> None:
    x, W = rng.normal(size=(2, 3, 3))
    derivation = bp.derive(lambda x, W: np.sum((x + np.tanh(x @ W)) ** 2), {"x": x, "W": W}, wrt=["x", "W"])
    inner = "(2(1 − tanh(x · W) * tanh(x · W)) * (x + tanh(x · W)))"
    assert of(derivation, "dW") == f"xᵀ · {inner}"
    assert of(derivation, "dx").endswith(f" + {inner} · Wᵀ")
