"""Every rewrite of every step over the whole zoo is an equality: before and after it are the same numbers."""

from __future__ import annotations

import numpy as np
import pytest

import backproof as bp
from backproof.execution.interpret import evaluate
from zoo.case import Case
from zoo.test_zoo import CASES, names_of

SEEDS = (1, 2)
"""The values are drawn anew: the derivation holds for all of them, not only for those that it was found on."""


def derived(case: Case, seed: int) -> bp.Derivation:
    arguments = dict(case.arguments(np.random.default_rng(seed)))
    return bp.derive(case.function, arguments, wrt=list(names_of(case, arguments).values()))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("seed", SEEDS)
def test_rewrites_change_no_value(case: Case, seed: int) -> None:
    derivation = derived(case, seed)
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


def test_every_kind_is_met() -> None:
    missing = {"transposed factors", "letter", "front", "inverse", "symmetric", "Equal", "in common", "forward pass"}
    for (case,) in (parameters.values for parameters in CASES):
        derivation = derived(case, 1)
        for step in (*derivation.forward, *derivation.backward):
            missing -= {part for part in missing for rewrite in step.rewrites if part in rewrite.template}
        if not missing:
            return
    assert not missing
