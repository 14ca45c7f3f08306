"""Right backward passes in the ways that people write them: nothing in them may be called wrong."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import backproof as bp
from backproof.checking.diagnosis import Diagnosis

NAMES = sorted(path.stem for path in (Path(__file__).parent / "right").glob("*.py"))


def module(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / "right" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def diagnosed(name: str) -> Diagnosis:
    code = module(name)
    return bp.diagnose(code.forward, code.backward, code.given(np.random.default_rng(1)))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_right_is_called_right(name: str) -> None:
    diagnosis = diagnosed(name)
    assert [f"{f.moment.place}: {f.text}" for f in diagnosis.wrong] == []
    assert diagnosis.ok


def test_shares_in_half_precision_add_up_to_one() -> None:
    code = module("shares")
    given = code.given(np.random.default_rng(1))
    given |= {name: given[name].astype(np.float16) for name in ("X", "targets", "W")}
    assert bp.diagnose(code.forward, code.backward, given).ok
