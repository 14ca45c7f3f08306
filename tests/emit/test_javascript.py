"""Every operation, its derivatives and whole derivations as JavaScript, against the interpreter."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import backproof as bp
from backproof.emit.javascript.source import covers, helpers, source
from backproof.emit.program import Program
from backproof.execution.export import exported, program
from backproof.execution.interpret import evaluate
from backproof.ir.errors import SpecError
from backproof.ir.node import Node
from backproof.ir.symbol import Symbol
from backproof.ops.leaves import input_
from backproof.ops.row import Array, Row
from backproof.ops.scalar import ScalarRow, derivative
from backproof.ops.table import ROWS

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="there is no Node.js to run JavaScript with")
Drawn = Callable[[Row], tuple[Node, dict[Node, Array]]]
COMPUTED = [row for row in ROWS if row.kind not in ("leaf", "entry")]
COVERED = [row for row in COMPUTED if covers(row)]
UNCOVERED = {
    *("as_complex", "conj", "real", "imag", "modulus", "angle", "sgn", "fft", "ifft", "doubled"),
    *("eigenvalues", "eigenvectors", "singular_values", "left_vectors", "right_vectors"),
    *("log_ndtr", "ndtri", "erfinv", "erfcx", "dawsn", "exp1", "exprel", "gamma", "gammaln", "digamma", "trigamma"),
    *("i0", "i1", "i0e", "i1e", "j0", "k1.5", "gammainc_2.5", "gammaincc_3", "betainc_2_1.5", "stdtr_4"),
}
RUN = """
import {{ {name}, array }} from "./module.mjs";
import {{ readFileSync, writeFileSync }} from "node:fs";
const inputs = JSON.parse(readFileSync("inputs.json", "utf8")).map(({{ shape, data }}) =>
  shape.length ? {{ shape, data: Float64Array.from(data) }} : data[0]);
const listed = (x) => (typeof x === "number" ? listed({{ shape: [], data: [x] }})
  : {{ shape: x.shape, data: [...x.data].map(text) }});
const text = (x) => (Number.isFinite(x) ? x : String(x));
const {{ value, gradients }} = {name}(...inputs);
const found = {{ value: listed(value), gradients: Object.entries(gradients).map(([, x]) => listed(x)) }};
writeFileSync("found.json", JSON.stringify(found));
"""


def run(text: str, name: str, inputs: list[Array], folder: Path) -> tuple[Array, list[Array]]:
    """What an exported function gives for arrays: its value and its gradients."""
    assert NODE is not None
    (folder / "module.mjs").write_text(text, encoding="utf-8")
    (folder / "run.mjs").write_text(RUN.format(name=name), encoding="utf-8")
    lists = [{"shape": np.shape(x), "data": np.asarray(x, float).ravel().tolist()} for x in inputs]
    (folder / "inputs.json").write_text(json.dumps(lists), encoding="utf-8")
    done = subprocess.run([NODE, "run.mjs"], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found = json.loads((folder / "found.json").read_text(encoding="utf-8"))
    return _array(found["value"]), [_array(x) for x in found["gradients"]]


def _array(listed: Any) -> Array:
    return np.array([float(x) for x in listed["data"]]).reshape(listed["shape"])


def together(nodes: list[Node], inputs: dict[Node, Array]) -> tuple[str, list[Node]]:
    """One program for many nodes, which are its gradients; the first is its value."""
    named = [y.named(Symbol(f"y{k}")) for k, y in enumerate(nodes)]
    whole = Program("f", tuple(inputs), (), tuple(named), named[0], (), {y: y for y in named})
    return source(whole), named


def test_what_is_not_covered_is_known() -> None:
    """Complex numbers, decompositions with vectors of their own, and functions that no browser has."""
    assert {row.name for row in COMPUTED if not covers(row)} == UNCOVERED


@needs_node
@pytest.mark.parametrize("row", COVERED, ids=lambda row: row.name)
def test_an_operation_gives_its_meaning(row: Row, drawn: Drawn, tmp_path: Path) -> None:
    y, values = drawn(row)
    nodes = [y]
    if isinstance(row, ScalarRow):
        for argument in range(len(values)):
            slope = derivative(row, argument)
            nodes += [z(*values) for z in (slope, derivative(slope, argument)) if covers(z)]
    text, _ = together(nodes, values)
    _, found = run(text, "f", [*values.values()], tmp_path)
    expected = evaluate(nodes, values, {})
    for node, own in zip(nodes, found, strict=True):
        assert own.shape == expected[node].shape
        np.testing.assert_allclose(own, expected[node], rtol=1e-11, atol=1e-13)


def agree(derivation: bp.Derivation, trace: bp.Trace, folder: Path) -> str:
    """The module gives J and every gradient as the interpreter does; its text."""
    text = exported(derivation, "javascript")
    assert "backproof" not in text
    inputs = [trace[str(x.symbol)] for x in program(derivation).inputs]
    value, gradients = run(text, "value_and_gradients", inputs, folder)
    np.testing.assert_allclose(value, trace[str(derivation.result.symbol)], rtol=1e-11, atol=1e-13)
    assert len(gradients) == len(derivation.gradients)
    for found, node in zip(gradients, derivation.gradients.values(), strict=True):
        expected = trace[str(node.symbol)]
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-13)
    return text


@needs_node
@pytest.mark.parametrize("activation", ["tanh", "relu", "gelu", "softplus", "selu", "z/(1 + exp(-z))"])
@pytest.mark.parametrize("layout", ["columns", "rows"])
def test_networks(activation: str, layout: Any, tmp_path: Path) -> None:
    network = bp.Network(3, [bp.Dense(4, activation), bp.Dense(2, "softmax")], loss="categorical_cross_entropy")
    derivation = bp.derive(network, layout=layout)
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(5, 3)), np.eye(2)[[0, 1, 1, 0, 1]]
    agree(derivation, bp.run(derivation, (X, Y)), tmp_path)


def attention(X, Wq, Wk, Wv, Y):
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    S = np.exp(Q @ np.swapaxes(K, -1, -2) / 2)
    P = S / S.sum(axis=-1, keepdims=True)
    return ((P @ V - Y) ** 2).mean()


def picked(X, W, y, table):
    Z = np.maximum(X @ W + table[y], 0)
    shifted = Z - Z.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -logs[np.arange(len(y)), y].mean() + np.where(W > 0, W, 0.1 * W).sum()


@needs_node
def test_functions(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    X, Wq, Wk, Wv, Y = (rng.normal(size=shape) for shape in ((2, 4, 3), (3, 3), (3, 3), (3, 3), (2, 4, 3)))
    first = {"X": X, "Wq": Wq, "Wk": Wk, "Wv": Wv, "Y": Y}
    table, y = rng.normal(size=(2, 2)), np.array([0, 1, 1, 0])
    second = {"X": rng.normal(size=(4, 3)), "W": rng.normal(size=(3, 2)), "y": y, "table": table}
    for function, values in ((attention, first), (picked, second)):
        derivation = bp.derive(function, values)
        agree(derivation, bp.run(derivation), tmp_path)


@needs_node
def test_lists_become_arrays(tmp_path: Path) -> None:
    text = exported(bp.derive(bp.Network(2, [bp.Dense(1, "tanh")], loss="mse")), "javascript")
    (tmp_path / "module.mjs").write_text(text, encoding="utf-8")
    code = (
        'import { array } from "./module.mjs"; console.log(JSON.stringify([array([[1, 2], [3, 4]]).shape, array(5)]))'
    )
    done = subprocess.run([NODE, "--input-type=module", "-e", code], cwd=tmp_path, capture_output=True, text=True)
    assert json.loads(done.stdout) == [[2, 2], 5]


def test_complex_numbers_are_refused() -> None:
    def power(x: Array) -> Any:
        return (np.abs(np.fft.fft(x)) ** 2).sum()

    with pytest.raises(SpecError, match="complex"):
        exported(bp.derive(power, {"x": np.arange(4.0)}), "javascript")


def test_a_function_that_browsers_lack_is_named() -> None:
    row = next(row for row in ROWS if row.name == "i0")
    with pytest.raises(SpecError, match="i0 has no JavaScript source"):
        together([row(input_(symbol=Symbol("x"), shape=(), value=np.array(1.0)))], {})


def test_every_helper_is_documented() -> None:
    for text in helpers().values():
        assert text.startswith("/** ")
