"""The zoo once more, with JAX as the second opinion: the same code with `jax.numpy` in the place of NumPy."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import backproof as bp

sys.path.append(str(Path(__file__).parent.parent))

from zoo.case import Case
from zoo.test_zoo import MODULES, arguments_of

CASES = [
    pytest.param(module, case, id=f"{module.__name__.rpartition('.')[2]}: {case.name}")
    for module in MODULES
    for case in module.CASES
]
ENOUGH = 300
"""So many functions at least must be such that JAX can run them, or this compares nothing."""


@cache
def with_jax(module: ModuleType) -> dict[str, Any]:
    """The module's code, run with JAX's NumPy."""
    source = inspect.getsource(module).replace("import numpy as np", "import jax.numpy as np")
    source = source.replace("from scipy import", "from jax.scipy import")
    names: dict[str, Any] = {"__name__": module.__name__}
    exec(compile(source.partition("\nCASES")[0], module.__file__ or "", "exec"), names)
    return names


def by_jax(module: ModuleType, case: Case, arguments: dict[str, Any]) -> tuple[Callable[..., Any], dict[str, Any]]:
    """The function that gives the gradients by every array of decimal numbers among the arguments, and these arrays."""
    function: Callable[..., Any] = with_jax(module)[case.function.__name__]
    decimal = {name: jnp.asarray(x) for name, x in arguments.items() if getattr(x, "dtype", np.dtype(int)).kind == "f"}
    rest = {name: x for name, x in arguments.items() if name not in decimal}
    return jax.grad(lambda chosen: jnp.reshape(function(**chosen, **rest), ())), decimal


@pytest.mark.parametrize(("module", "case"), CASES)
def test_gradients(module: ModuleType, case: Case) -> None:
    arguments = arguments_of(case)
    try:
        gradients, decimal = by_jax(module, case, arguments)
        expected = gradients(decimal)
    except Exception as error:
        # JAX has no writes into arrays, no branches on values, and not every function.
        pytest.skip(f"JAX does not run it: {type(error).__name__}")
    if not expected:
        pytest.skip("its arrays stand in containers")
    trace = bp.run(bp.derive(case.function, arguments, wrt=list(expected)))
    for name, gradient in expected.items():
        found = trace[str(next(x for x in trace.derivation.gradients.values() if str(x.symbol) == f"d{name}").symbol)]
        largest = float(np.abs(gradient).max()) or 1.0
        np.testing.assert_allclose(found, gradient, rtol=0, atol=1e-9 * largest, err_msg=f"d{name}")


def test_enough_can_be_compared() -> None:
    """Counted by shapes alone, so that it holds whichever process ran the comparisons."""
    able = 0
    for module, case in (parameters.values for parameters in CASES):
        try:
            gradients, decimal = by_jax(module, case, arguments_of(case))
            able += bool(jax.eval_shape(gradients, decimal))
        except Exception:
            continue
    assert able >= ENOUGH
