"""Functions as users write them: traced, derived, and compared with a reference that knows no derivative rule.

The reference is the complex step where a function takes complex arrays, else central differences, extrapolated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import backproof.frontends.tracing.calls  # noqa: F401 - fills the table of NumPy's functions
from backproof.derivation.derive import derive
from backproof.execution.export import compiled
from backproof.execution.export import program as exported_program
from backproof.execution.interpret import evaluate
from backproof.frontends.tracing.trace import trace
from zoo import (
    attention,
    convolution,
    cookbook,
    likelihoods,
    matrices,
    measuring,
    networks,
    normalisation,
    recurrent,
    spectral,
    statistics,
    structured,
)
from zoo.case import Array, Case

MODULES = (
    *(networks, normalisation, attention, recurrent, convolution, matrices, cookbook),
    *(statistics, likelihoods, measuring, spectral, structured),
)
CASES = [
    pytest.param(case, id=f"{module.__name__.rpartition('.')[2]}: {case.name}")
    for module in MODULES
    for case in module.CASES
]
STEP = 1e-20
START = 2.0**-7
LEVELS = 6


def arguments_of(case: Case) -> dict[str, Any]:
    return dict(case.arguments(np.random.default_rng(20240717)))


def decimal_arrays(value: Any) -> Iterator[Array]:
    """Every array of decimal numbers in an argument, however deep in dicts and lists."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from decimal_arrays(item)
    elif isinstance(value, np.ndarray) and value.dtype.kind == "f":
        yield value


def replaced(value: Any, array: Array, new: Array) -> Any:
    """An argument with one array in it replaced; the others are made to be of the same type."""
    if isinstance(value, dict):
        return {key: replaced(held, array, new) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(replaced(held, array, new) for held in value)
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return new if value is array else value.astype(new.dtype)
    return value


def complex_step(along: Callable[[complex], Any]) -> float:
    return complex(along(1j * STEP)).imag / STEP


def extrapolated(along: Callable[[float], Any]) -> float:
    """Central differences with halved steps, extrapolated to no step; the pair that agrees best is taken."""
    row: list[float] = []
    best, error = np.nan, np.inf
    for level in range(LEVELS):
        h = START / 2**level
        new = [(float(along(h)) - float(along(-h))) / (2 * h)]
        for k, old in enumerate(row):
            new.append(new[k] + (new[k] - old) / (4 ** (k + 1) - 1))
        if row and abs(new[-1] - row[-1]) < error:
            best, error = new[-1], abs(new[-1] - row[-1])
        row = new
    return best


def reference(case: Case, arguments: dict[str, Any], array: Array) -> Array:
    """The derivative by one of the arrays in the arguments, entry by entry."""
    result = np.zeros(array.shape)
    for at in np.ndindex(array.shape):

        def along(step: Any, at: tuple[int, ...] = at) -> Any:
            moved = array.astype(type(step))
            moved[at] += step
            value = case.function(**replaced(arguments, array, moved))
            assert np.size(value) == 1
            return np.reshape(value, ())

        result[at] = complex_step(along) if case.complex_step else extrapolated(along)
    return result


def names_of(case: Case, arguments: dict[str, Any]) -> dict[int, str]:
    """The name of every array of decimal numbers in the arguments, by its identity."""
    held = {str(x.symbol): x.attrs["value"] for x in trace(case.function, arguments).graph.inputs}
    arrays = list(decimal_arrays(list(arguments.values())))
    names = {id(array): next(name for name in held if np.array_equal(held[name], array)) for array in arrays}
    assert len(set(names.values())) == len(arrays)
    return names


@pytest.mark.parametrize("case", CASES)
def test_derivatives(case: Case) -> None:
    arguments = arguments_of(case)
    arrays = list(decimal_arrays(list(arguments.values())))
    name = names_of(case, arguments)
    program = trace(case.function, arguments, wrt=list(name.values()))
    derivation = derive(program.graph)

    known = {x: x.attrs["value"] for x in program.graph.inputs}
    known = {x: array.astype(float) if array.dtype.kind == "f" else array for x, array in known.items()}
    output = program.graph.outputs[0]
    values = evaluate([output, *derivation.gradients.values()], known, {})
    plain = np.reshape(case.function(**arguments), ())
    np.testing.assert_allclose(values[output], plain, rtol=1e-12, atol=1e-12)

    # The NumPy source computes the same.
    value, gradients = compiled(derivation)(*(known[x] for x in exported_program(derivation).inputs))
    np.testing.assert_allclose(value, values[output], rtol=1e-11, atol=1e-12)
    for gradient, node in zip(gradients.values(), derivation.gradients.values(), strict=True):
        largest = np.abs(values[node]).max()
        found = np.broadcast_to(gradient, values[node].shape)
        np.testing.assert_allclose(found, values[node], rtol=0, atol=1e-10 * (largest or 1.0), err_msg=str(node.symbol))

    tolerance = 1e-9 if case.complex_step else 1e-7
    for array in arrays:
        expected = reference(case, arguments, array)
        largest = np.abs(expected).max()
        node = derivation.gradients[name[id(array)]]
        assert values[node].shape == array.shape, f"d{name[id(array)]}"
        np.testing.assert_allclose(
            values[node], expected, rtol=0, atol=tolerance * (largest or 1.0), err_msg=f"d{name[id(array)]}"
        )
