"""What the tests of all languages start from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from backproof.ir.node import Node
from backproof.ir.sizes import ONE, Size
from backproof.ir.symbol import Symbol
from backproof.ops.leaves import input_
from backproof.ops.row import Array, Row


@pytest.fixture(scope="session")
def drawn() -> Callable[[Row], tuple[Node, dict[Node, Array]]]:
    """Applies a row to inputs drawn from its domain."""

    def apply(row: Row) -> tuple[Node, dict[Node, Array]]:
        """The row applied to inputs drawn from its domain."""
        rng = np.random.default_rng(11)
        values: dict[Node, Array] = {}
        for k, domain in enumerate(row.domain):
            shape = tuple(ONE if n == 1 else Size(str(n), n) for n in domain.shape)
            array = rng.uniform(domain.low, domain.high, domain.shape)
            if domain.complex_numbers:
                array = array + 1j * rng.uniform(-1, 1, domain.shape)
            values[input_(symbol=Symbol(f"x{k}"), shape=shape, value=array)] = array
        for k, array in enumerate(values):
            if row.name == "pieces" and k == 1:
                values[array] = values[array] > 0.5
            if row.name in ("take_along", "put_along") and k == 1:
                values[array] = values[array].astype(int)
            if row.name == "cholesky":
                values[array] = values[array] @ values[array].T + np.eye(3)
        return row(*values, **(row.attrs or {})), values

    return apply
