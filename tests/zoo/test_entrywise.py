"""The zoo's derivatives by the complex step, followed operation by operation, beside whole evaluations."""

from __future__ import annotations

import numpy as np
import pytest

import backproof as bp
from backproof.checking.carrying import STEP, Carrier
from backproof.checking.entrywise import Entrywise
from backproof.execution.interpret import evaluate
from backproof.ir.node import ancestors
from backproof.ops.complexes import complex_nodes
from zoo.case import Case
from zoo.test_zoo import CASES, arguments_of

ENOUGH = 200
"""So many functions at least are to be compared."""

compared: set[str] = set()


@pytest.mark.parametrize("case", CASES)
def test_as_one_evaluation_for_each_entry(case: Case) -> None:
    derivation = bp.derive(case.function, arguments_of(case))
    result = derivation.result
    if complex_nodes(ancestors([result])) is not None:
        return
    given = {x: x.attrs["value"] for x in derivation.graph.inputs}
    values = evaluate([result], given, {})
    entrywise = Entrywise(result, Carrier(result, values, {}))
    for x, array in given.items():
        if array.dtype.kind != "f" or x.attrs.get("outside") or array.size > 300:
            continue
        copies = np.repeat(array.ravel()[None].astype(complex), array.size, axis=0)
        copies[np.diag_indices(array.size)] += 1j * STEP
        moved = evaluate([result], {**given, x: copies.reshape(array.size, *array.shape)}, {})[result]
        expected = np.broadcast_to(np.imag(moved) / STEP, (array.size,))
        allowed = 1e-11 * np.max(np.abs(expected), initial=1e-3)
        np.testing.assert_allclose(entrywise.by(x, np.arange(array.size)), expected, rtol=1e-9, atol=allowed)
        some = np.unique([0, array.size // 2, array.size - 1])
        alone = [Entrywise(result, Carrier(result, values, {})).by(x, np.array([k]))[0] for k in some]
        np.testing.assert_allclose(alone, expected[some], rtol=1e-9, atol=allowed)
        compared.add(case.name)


def test_enough_are_compared() -> None:
    assert len(compared) >= ENOUGH
