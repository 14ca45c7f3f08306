"""Functions of matrices: each derivative is the closed formula that The Matrix Cookbook prints."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import backproof as bp
from backproof.write.math_unicode import linear
from backproof.write.spell import spell

sys.path.append(str(Path(__file__).parent.parent))

from zoo import cookbook
from zoo.test_zoo import arguments_of


def test_there_are_enough() -> None:
    assert len(cookbook.CASES) >= 45


@pytest.mark.parametrize("case", cookbook.CASES, ids=lambda case: case.name)
def test_the_formula_is_the_books(case: cookbook.Formula) -> None:
    derivation = bp.derive(case.function, arguments_of(case), wrt=list(arguments_of(case)))
    formulas = {str(step.symbol): linear(spell(step.node)) for step in derivation.backward}
    assert {name: formulas[name] for name in case.gradients} == case.gradients
