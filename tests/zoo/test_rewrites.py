"""Every rewrite of every step over the whole zoo is an equality: before and after it are the same numbers."""

from __future__ import annotations

import numpy as np
import pytest

import backproof as bp
from backproof.execution.interpret import evaluate
from zoo.case import Case
from zoo.test_zoo import CASES, names_of

met: set[str] = set()
SEEDS = (1, 2)
"""The values are drawn anew: the derivation holds for all of them, not only for those that it was found on."""


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("seed", SEEDS)
def test_rewrites_change_no_value(case: Case, seed: int) -> None:
    arguments = dict(case.arguments(np.random.default_rng(seed)))
    derivation = bp.derive(case.function, arguments, wrt=list(names_of(case, arguments).values()))
    trace = bp.run(derivation)
    known = {derivation.quantities[name]: np.asarray(array) for name, array in trace.arrays.items()}
    for step in (*derivation.forward, *derivation.backward):
        if not step.rewrites:
            continue
        given = {node: array for node, array in known.items() if node is not step.node}
        forms = [step.raw, *(rewrite.result for rewrite in step.rewrites)]
        values = evaluate(forms, given, trace.sizes)
        largest = float(np.max(np.abs(values[step.raw]), initial=0)) or 1.0
        for before, rewrite in zip(forms, step.rewrites, strict=False):
            found, expected = np.broadcast_arrays(values[rewrite.result], values[before])
            np.testing.assert_allclose(
                found, expected, rtol=0, atol=1e-12 * largest, err_msg=f"{step.node.symbol}: {rewrite.meaning}"
            )
            assert rewrite.meaning.endswith(".")
            met.add(rewrite.template)


@pytest.mark.parametrize(
    "part", ["transposed factors", "letter", "front", "inverse", "symmetric", "Equal", "in common", "forward pass"]
)
def test_every_kind_was_met(part: str) -> None:
    assert any(part in template for template in met)
