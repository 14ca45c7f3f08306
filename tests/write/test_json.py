"""The JSON form: what its schema says, the same bytes each time, and trees that a program can compute."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import resources
from itertools import product
from typing import Any

import jsonschema
import numpy as np
import pytest

import backproof as bp
from backproof.derivation.steps import Mean
from backproof.execution.trace import Trace
from backproof.frontends.functions import ACTIVATIONS, LOSSES
from backproof.frontends.network import Layout
from backproof.ops.row import Array
from backproof.ops.scalar import ScalarRow, derivative
from backproof.ops.table import ROWS
from backproof.write.json import VERSION, derivation_json

SCHEMA = json.loads(resources.files("backproof").joinpath("write/templates/derivation.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

NETWORKS: dict[str, bp.Network] = {
    "article": bp.Network(3, [4, 3]),
    "symbolic": bp.Network("n_x", ["h", "n_y"]),
    "sigmoid": bp.Network(3, [bp.Dense(4, "tanh"), bp.Dense(3, "sigmoid")], loss="binary_cross_entropy"),
    "softmax": bp.Network(4, [bp.Dense(5, "relu"), bp.Dense(3, "softmax")], loss="categorical_cross_entropy"),
    "logits": bp.Network(4, [bp.Dense(3, "identity")], loss="categorical_cross_entropy_from_logits"),
    "penalties": bp.Network(2, [bp.Dense(2, "silu"), bp.Dense(1, "tanh")], loss="hinge", l1=0.1, l2=0.5),
    "own": bp.Network(2, [bp.Dense(2, "z*sigmoid(z)"), bp.Dense(2, "where(z > pi, z, 0.5*z)")], loss="(a - y)^4/4"),
    "deep": bp.Network(2, [bp.Dense(2, "sigmoid")] * 12, loss="mean_squared_error"),
    "one node": bp.Network(1, [bp.Dense(1, "tanh")], loss="absolute_error"),
}
VARIANTS: list[tuple[Mean, Layout]] = [("loss", "columns"), ("loss", "rows"), ("parameters", "columns")]


def content(network: bp.Network, mean: Mean = "loss", layout: Layout = "columns", title: str = "") -> dict[str, Any]:
    derivation = bp.derive(network, mean=mean, layout=layout, inputs=mean == "loss")
    result: dict[str, Any] = json.loads(derivation_json(derivation, title=title))
    return result


class TestSchema:
    def test_is_a_schema(self) -> None:
        jsonschema.Draft202012Validator.check_schema(SCHEMA)
        assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert SCHEMA["properties"]["version"] == {"const": VERSION}

    def test_every_object_is_closed(self) -> None:
        """A misspelt or new key is an error: nothing is left to chance but the attributes of operations."""

        def objects(schema: Any) -> Iterator[dict[str, Any]]:
            if isinstance(schema, dict):
                if schema.get("type") == "object" and schema != {"type": "object"}:
                    yield schema
                for value in schema.values():
                    yield from objects(value)
            elif isinstance(schema, list):
                for value in schema:
                    yield from objects(value)

        found = list(objects(SCHEMA))
        assert len(found) > 10
        for schema in found:
            assert schema["additionalProperties"] is False
            assert set(schema["required"]) <= set(schema["properties"])

    @pytest.mark.parametrize(("mean", "layout"), VARIANTS)
    @pytest.mark.parametrize("name", NETWORKS)
    def test_holds(self, name: str, mean: Mean, layout: Layout) -> None:
        VALIDATOR.validate(content(NETWORKS[name], mean, layout))

    @pytest.mark.parametrize("activation", ACTIVATIONS)
    def test_holds_for_every_activation(self, activation: str) -> None:
        VALIDATOR.validate(content(bp.Network(2, [bp.Dense(3, activation)], loss="mean_squared_error")))

    @pytest.mark.parametrize("loss", LOSSES)
    def test_holds_for_every_loss(self, loss: str) -> None:
        VALIDATOR.validate(content(bp.Network(2, [bp.Dense(3, "sigmoid")], loss=loss), "parameters"))

    @pytest.mark.parametrize("key", ["version", "mean", "forward", "backward"])
    def test_is_not_empty_talk(self, key: str) -> None:
        document = content(NETWORKS["sigmoid"])
        with pytest.raises(jsonschema.ValidationError):
            VALIDATOR.validate({k: v for k, v in document.items() if k != key})
        with pytest.raises(jsonschema.ValidationError):
            VALIDATOR.validate({**document, key: "something else"})
        with pytest.raises(jsonschema.ValidationError):
            VALIDATOR.validate({**document, "more": 1})


class TestContent:
    def test_head(self) -> None:
        document = content(NETWORKS["sigmoid"], "parameters", "rows", "A title")
        assert document["schema"] == "backproof/derivation"
        assert (document["version"], document["title"]) == (VERSION, "A title")
        assert (document["mean"], document["layout"]) == ("parameters", "rows")
        assert {"name": "m", "value": None, "samples": True} in document["sizes"]
        assert {size["name"]: size["value"] for size in document["sizes"]} == {"n_0": 3, "n_1": 4, "n": 3, "m": None}

    def test_symbolic_sizes_have_no_value(self) -> None:
        sizes = content(NETWORKS["symbolic"])["sizes"]
        assert {size["name"]: size["value"] for size in sizes} == {"n_x": None, "h": None, "n_y": None, "m": None}

    def test_quantities_in_order(self) -> None:
        document = content(NETWORKS["sigmoid"])
        assert [i["symbol"] for i in document["inputs"]] == ["X", "Y", "W[1]", "b[1]", "W[2]", "b[2]"]
        assert [i["symbol"] for i in document["inputs"] if i["parameter"]] == ["W[1]", "b[1]", "W[2]", "b[2]"]
        assert [s["symbol"] for s in document["forward"]] == ["Z[1]", "A[1]", "Z[2]", "A[2]", "J"]
        backward = [s["symbol"] for s in document["backward"]]
        assert backward == ["dA[2]", "dZ[2]", "dW[2]", "db[2]", "dA[1]", "dZ[1]", "dW[1]", "db[1]", "dX"]
        assert [s["by"] for s in document["backward"]] == [symbol[1:] for symbol in backward]

    def test_the_scalar_that_is_differentiated(self) -> None:
        assert {s["derivative_of"] for s in content(NETWORKS["sigmoid"])["backward"]} == {"J"}
        by_sample = {s["symbol"]: s["derivative_of"] for s in content(NETWORKS["sigmoid"], "parameters")["backward"]}
        assert by_sample["dZ[1]"] == by_sample["dA[2]"] == "L"
        assert by_sample["dW[1]"] == by_sample["db[2]"] == "J"

    def test_forms(self) -> None:
        backward = {s["symbol"]: s for s in content(NETWORKS["sigmoid"], "parameters")["backward"]}
        forms = backward["dZ[2]"]["forms"]
        assert [form["text"] for form in forms][0::3] == ["dA[2] * σ'(Z[2])", "A[2] − Y"]
        assert [bool(form["meaning"]) for form in forms] == [False, True, True, True]
        assert forms[-1]["latex"] == "A^{[2]} - Y"
        assert forms[-1]["tree"] == {"operation": "sub", "inputs": ["A[2]", "Y"]}

    def test_contributions(self) -> None:
        """Of a value used more than once: one for each use, which add up to the first form; else none."""
        assert all(step["contributions"] == [] for step in content(NETWORKS["sigmoid"])["backward"])

        def skipped(W: Array, x: Array) -> Any:
            h = W @ x
            s = h + x
            return np.dot(s, h) + x[0]

        given = {"W": np.random.default_rng(0).normal(size=(3, 3)), "x": np.array([0.3, -0.5, 0.7])}
        derivation = bp.derive(skipped, given, wrt=["W", "x"])
        trace = bp.run(derivation)
        document = json.loads(derivation_json(derivation))
        VALIDATOR.validate(document)
        backward = {step["symbol"]: step for step in document["backward"]}
        through = {name: [c["through"] for c in step["contributions"]] for name, step in backward.items()}
        assert through == {"ds": [], "dh": ["s", "J"], "dW": [], "dx": ["h", "s", "J"]}
        assert [c["name"]["text"] for c in backward["dh"]["contributions"]] == ["dh|_s", "dh|_J"]
        values = {name: trace[name] for name in derivation.quantities}
        sizes = {size["name"]: size["value"] for size in document["sizes"]}
        for name in ("dh", "dx"):
            parts = [computed(c["tree"], values, sizes) for c in backward[name]["contributions"]]
            np.testing.assert_allclose(sum(parts), trace[name], rtol=1e-12)

    def test_not_ascii_and_one_line_break_at_the_end(self) -> None:
        text = derivation_json(bp.derive(NETWORKS["sigmoid"]))
        assert "σ" in text
        assert text.endswith("}\n")
        assert "\\u" not in text


class TestDeterminism:
    @pytest.mark.parametrize("name", NETWORKS)
    def test_twice_the_same(self, name: str) -> None:
        first, second = (derivation_json(bp.derive(NETWORKS[name])) for _ in range(2))
        assert first == second

    def test_in_other_processes(self) -> None:
        program = (
            "import backproof as bp\n"
            "net = bp.Network(4, [bp.Dense(5, 'z*sigmoid(z)'), bp.Dense(3, 'softmax')],"
            " loss='categorical_cross_entropy', l1=0.5)\n"
            "import hashlib; print(hashlib.sha256(bp.render(bp.derive(net), 'json').encode()).hexdigest())\n"
        )
        found = {
            subprocess.run(
                [sys.executable, "-c", program],
                env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
                capture_output=True,
                check=True,
            ).stdout
            for seed in ("1", "2")
        }
        assert len(found) == 1


# --- trees -----------------------------------------------------------------------------------------------------------

MEANINGS: dict[str, Any] = {row.name: row.meaning for row in ROWS}
for _row in ROWS:
    if isinstance(_row, ScalarRow):
        for _k in range(len(_row.scalar.arguments)):
            _slope = derivative(_row, _k)
            MEANINGS.setdefault(_slope.name, _slope.meaning)


def operations(tree: Any) -> Iterator[str]:
    if not isinstance(tree, str):
        yield tree["operation"]
        for x in tree["inputs"]:
            yield from operations(x)


def leaves(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    else:
        for x in tree["inputs"]:
            yield from leaves(x)


def steps(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [*document["forward"], *document["backward"]]


class TestTrees:
    @pytest.mark.parametrize(("mean", "layout"), VARIANTS)
    @pytest.mark.parametrize("name", NETWORKS)
    def test_name_only_rows_and_earlier_quantities(self, name: str, mean: Mean, layout: Layout) -> None:
        document = content(NETWORKS[name], mean, layout)
        own = {f["name"] for f in document["functions"]} | {"g", "L"}
        own |= {f"{name}'" for name in own} | {f"g[{k}]" for k in range(1, 13)}
        table = {row.name for row in ROWS}
        known = {i["symbol"] for i in document["inputs"]}
        for step in steps(document):
            for form in step["forms"]:
                assert set(leaves(form["tree"])) <= known, (step["symbol"], form["text"])
                for operation in operations(form["tree"]):
                    assert operation in table | own or operation.removesuffix("'") in table | own, operation
            if "paths" in step:
                for path in step["paths"]:
                    assert path["through"] is None or path["through"] in known
                    assert all(link["rule"] in table | own for link in path["links"])
            known.add(step["symbol"])

    @pytest.mark.parametrize(("mean", "layout"), VARIANTS)
    @pytest.mark.parametrize("name", ["sigmoid", "softmax", "logits", "penalties"])
    def test_can_be_computed(self, name: str, mean: Mean, layout: Layout) -> None:
        """A program that knows what the operations mean gets every quantity out of the JSON alone."""
        network = NETWORKS[name]
        trace = self.trace(network, mean, layout)
        document = content(network, mean, layout)
        sizes = {size["name"]: size["value"] or trace.sizes[size["name"]] for size in document["sizes"]} | {"1": 1}
        values: dict[str, Array] = {i["symbol"]: trace[i["symbol"]] for i in document["inputs"]}
        for step in steps(document):
            for form in step["forms"]:
                values[step["symbol"]] = computed(form["tree"], values, sizes)
                np.testing.assert_allclose(
                    np.broadcast_to(values[step["symbol"]], np.shape(trace[step["symbol"]])),
                    trace[step["symbol"]],
                    rtol=1e-10,
                    atol=1e-13,
                    err_msg=f"{step['symbol']} = {form['text']}",
                )

    def trace(self, network: bp.Network, mean: Mean, layout: Layout) -> Trace:
        rng = np.random.default_rng(2)
        n0, *_, n = (size.value or 0 for size in network.sizes())
        y = np.eye(n)[rng.integers(0, n, 5)]
        if network.loss == "hinge":
            y = rng.choice([-1.0, 1.0], (5, n))
        derivation = bp.derive(network, mean=mean, layout=layout, inputs=mean == "loss")
        return bp.run(derivation, (rng.normal(size=(5, n0)), y))


def computed(tree: Any, values: dict[str, Array], sizes: dict[str, int]) -> Array:
    if isinstance(tree, str):
        return values[tree]

    def put_in(value: Any) -> Any:
        if isinstance(value, list):
            return tuple(map(put_in, value))
        return sizes[value] if isinstance(value, str) else value

    attributes = {k: v if k == "text" else put_in(v) for k, v in tree.get("attributes", {}).items()}
    inputs = [computed(x, values, sizes) for x in tree["inputs"]]
    return np.asarray(MEANINGS[tree["operation"]](*inputs, **attributes))


def test_every_pair_is_json() -> None:
    for activation, loss in product(["softmax", "log_softmax", "mish"], LOSSES):
        VALIDATOR.validate(content(bp.Network(1, [bp.Dense(2, activation)], loss=loss)))
