"""Functions as users write them, to second order: products with the Hessian, Hessians, and what is written of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import backproof as bp
from zoo.case import Case
from zoo.test_zoo import CASES, arguments_of

EACH = 7
"""One of so many is taken: all of them take minutes."""
LARGEST = 200


@pytest.mark.parametrize("case", CASES[::EACH])
def test_second_order(case: Case) -> None:
    first = bp.derive(case.function, arguments_of(case))
    name = next(iter(first.gradients))
    product = bp.run(bp.derive(first, hvp=name))
    assert bp.check(product, method="complex" if case.complex_step else "central").ok
    (v,) = product.derivation.directions
    direction = np.asarray(product[str(v.symbol)])
    hessian = bp.derive(first, hessian=name)
    (found,) = hessian.jacobians
    if direction.size <= LARGEST:
        H: Any = np.reshape(bp.run(hessian)[str(found.symbol)], (direction.size, direction.size))
        expected = np.ravel(product[f"D{name}"])
        np.testing.assert_allclose(H @ direction.ravel(), expected, rtol=1e-8, atol=1e-10 * max(1.0, np.abs(H).max()))
    assert "The Hessian by" in bp.render(hessian, "text")
    assert '"jacobians"' in bp.render(hessian, "json")


def test_a_proof_of_softmax_of_what_has_no_name() -> None:
    case = next(p.values[0] for p in CASES if p.values[0].name == "clipped cross-entropy")  # type: ignore[attr-defined]
    assert bp.render(bp.derive(case.function, arguments_of(case)), "json")  # type: ignore[attr-defined]
