"""Rounding is no mistake, and no mistake is taken for rounding."""

from __future__ import annotations

import linecache
from itertools import count
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import backproof as bp
from backproof.checking.diagnosis import Diagnosis

_numbers = count(1)

NORMALISED = """\
import numpy as np


def forward(X, Y, W, b, gamma):
    Z = X @ W + b
    var = Z.var(axis=0)
    H = (Z - Z.mean(axis=0)) / np.sqrt(var + 1e-5)
    O = np.tanh(gamma * H)
    return np.mean((O - Y) ** 2), (H, var, O)


def backward(X, Y, gamma, cache):
    H, var, O = cache
    N = len(X)
    dO = 2 * (O - Y) / Y.size
    dS = dO * (1 - O**2)
    dgamma = np.sum(dS * H, axis=0)
    dH = dS * gamma
    dZ = (N * dH - dH.sum(axis=0) - H * np.sum(dH * H, axis=0)) / (N * np.sqrt(var + 1e-5))
    return {"W": X.T @ dZ, "b": dZ.sum(axis=0), "gamma": dgamma}
"""
"""The derivative by the bias is zero: what is added before a mean is subtracted goes out with it."""

MIXED = """\
import numpy as np


def forward(xs, W, U, V, target):
    h = np.zeros(U.shape[0])
    hs = [h]
    for x in xs:
        h = np.tanh(W @ x + U @ h)
        hs.append(h)
    return 0.5 * np.sum((V @ h - target) ** 2), hs


def backward(xs, W, U, V, target, hs):
    dout = np.KIND(V @ hs[-1] - target)
    dV = np.outer(dout, hs[-1])
    dW, dU = np.zeros(W.shape), np.zeros(U.shape)
    dh = V.T @ dout
    for t in reversed(range(len(xs))):
        dz = dh * (1 - hs[t + 1] ** 2)
        dW += np.outer(dz, xs[t])
        dU += np.outer(dz, hs[t])
        dh = U.T @ dz
    return dW, dU, dV
"""
"""A value in less precision that all later ones, which are kept in double, are computed from."""


def diagnosed(source: str, arguments: dict[str, Any]) -> Diagnosis:
    file = f"<precision {next(_numbers)}>.py"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    module: Any = ModuleType("precision")
    exec(compile(source, file, "exec"), module.__dict__)
    return bp.diagnose(module.forward, module.backward, arguments)


def normalised(samples: int, scale: float = 1.0) -> dict[str, Any]:
    rng = np.random.default_rng(3)
    return {
        **{"X": scale * rng.normal(size=(samples, 4)), "Y": rng.normal(size=(samples, 3))},
        **{"W": rng.normal(size=(4, 3)), "b": rng.normal(size=3), "gamma": rng.normal(size=3)},
    }


@pytest.mark.parametrize(("samples", "scale"), [(2, 1.0), (2, 30.0), (3, 0.01), (7, 1.0), (7, 100.0), (5000, 1.0)])
def test_what_cancels_is_rounding(samples: int, scale: float) -> None:
    diagnosis = diagnosed(NORMALISED, normalised(samples, scale))
    assert dict(diagnosis.returned) == {"W": "right", "b": "right", "gamma": "right"}
    assert diagnosis.wrong == ()


@pytest.mark.parametrize("kind", ["float32", "float16"])
@pytest.mark.parametrize("samples", [7, 64])
def test_what_cancels_in_less_precision(samples: int, kind: str) -> None:
    source = NORMALISED.replace("dO = 2 * (O - Y) / Y.size", f"dO = (2 * (O - Y) / Y.size).astype(np.{kind})")
    assert diagnosed(source, normalised(samples)).ok


@pytest.mark.parametrize(
    ("wrong", "samples", "kind"),
    [
        ("(N * dH - H * np.sum(dH * H, axis=0)) / (N * np.sqrt(var + 1e-5))", 3, "float64"),
        ("(N * dH - H * np.sum(dH * H, axis=0)) / (N * np.sqrt(var + 1e-5))", 64, "float32"),
        ("(N * dH - H * np.sum(dH * H, axis=0)) / (N * np.sqrt(var + 1e-5))", 64, "float16"),
        ("(N * dH - dH.sum() - H * np.sum(dH * H, axis=0)) / (N * np.sqrt(var + 1e-5))", 7, "float16"),
        ("dH / np.sqrt(var + 1e-5)", 7, "float64"),
    ],
)
def test_a_bias_that_has_to_be_zero_and_is_not(wrong: str, samples: int, kind: str) -> None:
    line = "dZ = (N * dH - dH.sum(axis=0) - H * np.sum(dH * H, axis=0)) / (N * np.sqrt(var + 1e-5))"
    source = NORMALISED.replace(line, f"dZ = {wrong}")
    source = source.replace("(O - Y) / Y.size", f"((O - Y) / Y.size).astype(np.{kind})")
    assert NORMALISED.count(line) == 1
    diagnosis = diagnosed(source, normalised(samples))
    assert diagnosis.returned["b"] in ("wrong", "inherited")
    assert [finding.text for finding in diagnosis.wrong] == ["dZ"]


@pytest.mark.parametrize("kind", ["float32", "float16"])
def test_what_is_computed_from_rounded_values_is_as_imprecise(kind: str) -> None:
    rng = np.random.default_rng(0)
    arguments = {
        **{"xs": rng.normal(size=(6, 3)), "W": rng.normal(size=(4, 3)), "U": rng.normal(size=(4, 4))},
        **{"V": rng.normal(size=(2, 4)), "target": rng.normal(size=2)},
    }
    source = MIXED.replace("KIND", kind)
    assert diagnosed(source, arguments).ok
    wrong = diagnosed(source.replace("dh = U.T @ dz", "dh = U @ dz"), arguments)
    assert wrong.wrong[0].text == "dh"
