"""The zoo's derivatives by the complex step, followed operation by operation, beside whole evaluations."""

from __future__ import annotations

import numpy as np
import pytest

import backproof as bp
from backproof.checking.carrying import STEP, Carrier
from backproof.checking.entrywise import Entrywise
from backproof.execution.interpret import evaluate
from backproof.ir.node import Node, ancestors
from backproof.ops.complexes import complex_nodes
from zoo.case import Case
from zoo.test_zoo import CASES, arguments_of

ENOUGH = 200
"""So many functions at least are to be compared."""


def compared(derivation: bp.Derivation) -> list[Node]:
    """The inputs by which the derivatives are compared."""
    if complex_nodes(ancestors([derivation.result])) is not None:
        return []
    arrays = ((x, x.attrs["value"]) for x in derivation.graph.inputs if not x.attrs.get("outside"))
    return [x for x, array in arrays if array.dtype.kind == "f" and array.size <= 300]


@pytest.mark.parametrize("case", CASES)
def test_as_one_evaluation_for_each_entry(case: Case) -> None:
    derivation = bp.derive(case.function, arguments_of(case))
    result = derivation.result
    given = {x: x.attrs["value"] for x in derivation.graph.inputs}
    values = evaluate([result], given, {})
    entrywise = Entrywise(result, Carrier(result, values, {}))
    for x in compared(derivation):
        array = given[x]
        copies = np.repeat(array.ravel()[None].astype(complex), array.size, axis=0)
        copies[np.diag_indices(array.size)] += 1j * STEP
        moved = evaluate([result], {**given, x: copies.reshape(array.size, *array.shape)}, {})[result]
        expected = np.broadcast_to(np.imag(moved) / STEP, (array.size,))
        allowed = 1e-11 * np.max(np.abs(expected), initial=1e-3)
        np.testing.assert_allclose(entrywise.by(x, np.arange(array.size)), expected, rtol=1e-9, atol=allowed)
        some = np.unique([0, array.size // 2, array.size - 1])
        alone = [Entrywise(result, Carrier(result, values, {})).by(x, np.array([k]))[0] for k in some]
        np.testing.assert_allclose(alone, expected[some], rtol=1e-9, atol=allowed)


def test_enough_are_compared() -> None:
    comparable = 0
    for (case,) in (parameters.values for parameters in CASES):
        derivation = bp.derive(case.function, arguments_of(case))
        comparable += bool(compared(derivation))
        if comparable == ENOUGH:
            return
    assert comparable == ENOUGH
