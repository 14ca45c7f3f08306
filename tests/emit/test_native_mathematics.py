"""exp, log, tanh and their like in native code, in units of the last place of the true values."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest

llvmlite = pytest.importorskip("llvmlite")
import llvmlite.binding as llvm  # noqa: E402
from llvmlite import ir  # noqa: E402

from backproof.emit.native.lanes import FLOATS, Kind, Lanes  # noqa: E402
from backproof.emit.native.loops import INDEX, loop  # noqa: E402
from backproof.emit.native.machine import host, optimised, target_machine  # noqa: E402
from backproof.emit.native.mathematics import FUNCTIONS  # noqa: E402

TRUE: dict[str, Callable[[Any], Any]] = {
    "exp": mpmath.exp,
    "expm1": mpmath.expm1,
    "log": mpmath.log,
    "log1p": mpmath.log1p,
    "tanh": mpmath.tanh,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "erf": mpmath.erf,
}
POSITIVE = {"log": 0.0, "log1p": -1.0}
"""From where on a function has values."""
ALLOWED = 2
"""Units in the last place."""


@cache
def compiled(name: str, size: int) -> Callable[[np.ndarray], np.ndarray]:
    machine = host()
    width = machine.lanes(size)
    kind, module, pointer = Kind(size, width), ir.Module(), FLOATS[size].as_pointer()
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [pointer, pointer, INDEX]), "apply")
    builder = ir.IRBuilder(function.append_basic_block())
    source, target, count = function.args

    def some(k, _):
        wide = kind.type.as_pointer()
        x = builder.load(builder.bitcast(builder.gep(source, [k]), wide), align=size)
        y = FUNCTIONS[name](Lanes(builder, kind), x)
        builder.store(y, builder.bitcast(builder.gep(target, [k]), wide), align=size)
        return []

    loop(builder, count, [], some, name="each", step=width)
    builder.ret_void()
    engine = llvm.create_mcjit_compiler(optimised(str(module), machine), target_machine(machine))
    engine.finalize_object()
    call = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)(
        engine.get_function_address("apply")
    )

    def apply(x: np.ndarray, keep: Any = engine) -> np.ndarray:
        padded = np.concatenate([x, np.zeros(-len(x) % width, x.dtype)])
        y = np.empty_like(padded)
        call(padded.ctypes.data, y.ctypes.data, len(padded))
        return y[: len(x)]

    return apply


def arguments(name: str, dtype: type) -> np.ndarray:
    rng = np.random.default_rng(0)
    far = 740.0 if dtype is np.float64 else 102.0
    powers = 300 if dtype is np.float64 else 37
    x = np.concatenate(
        [
            rng.uniform(-far, far, 300),
            rng.normal(size=600) * 3,
            rng.normal(size=200) * 0.1,
            10.0 ** rng.uniform(-powers, powers, 200) * rng.choice([-1, 1], 200),
        ]
    ).astype(dtype)
    least = POSITIVE.get(name, -np.inf)
    return x[x > least] if np.isfinite(least) else x


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_within_two_units_of_the_last_place(name: str, dtype: type) -> None:
    assert set(TRUE) == set(FUNCTIONS)
    x = arguments(name, dtype)
    found = compiled(name, np.dtype(dtype).itemsize)(x)
    with mpmath.workdps(50), np.errstate(over="ignore"):
        for given, value in zip(x, found, strict=True):
            true = TRUE[name](mpmath.mpf(float(given)))
            rounded = dtype(float(true))
            if np.isinf(rounded) or rounded == 0:
                assert value == rounded, (given, value)
                continue
            unit = mpmath.mpf(float(np.spacing(np.abs(rounded))))
            assert abs(mpmath.mpf(float(value)) - true) <= ALLOWED * unit, (given, value, rounded)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("exp", {np.inf: np.inf, -np.inf: 0, 0: 1}),
        ("expm1", {np.inf: np.inf, -np.inf: -1, 0: 0}),
        ("log", {np.inf: np.inf, 0: -np.inf, -1: np.nan, 1: 0}),
        ("log1p", {np.inf: np.inf, -1: -np.inf, -2: np.nan, 0: 0}),
        ("tanh", {np.inf: 1, -np.inf: -1, 0: 0}),
        ("sigmoid", {np.inf: 1, -np.inf: 0, 0: 0.5}),
        ("softplus", {np.inf: np.inf, -np.inf: 0}),
        ("erf", {np.inf: 1, -np.inf: -1, 0: 0}),
    ],
)
def test_at_the_ends(name: str, values: dict[float, float], dtype: type) -> None:
    x = np.array([*values, np.nan], dtype)
    np.testing.assert_array_equal(compiled(name, x.itemsize)(x), np.array([*values.values(), np.nan], dtype))
