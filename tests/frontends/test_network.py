"""The layer spec in Python: what a network may be, its sizes and its graph, and what is said of a wrong one."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

import backproof as bp
from backproof.frontends.functions import ACTIVATIONS, ALIASES, LOSSES, activation_named, loss_named
from backproof.frontends.network import Layout
from backproof.ir.errors import SpecError
from backproof.ir.sizes import show
from backproof.ops import activations, losses
from backproof.ops.scalar import ScalarRow
from backproof.ops.softmax import log_softmax, softmax


def network(**changes: Any) -> bp.Network:
    return bp.Network(**{"inputs": 3, "layers": [4, 2], **changes})


class TestNetwork:
    def test_numbers_are_dense_layers(self) -> None:
        assert bp.Network(3, [4, bp.Dense(2, "tanh")]).layers == (bp.Dense(4), bp.Dense(2, "tanh"))

    def test_equal_networks_are_equal(self) -> None:
        assert bp.Network(3, [4, bp.Dense(2)]) == bp.Network(3, (bp.Dense(4), 2))
        assert len({bp.Network(3, [4]), bp.Network(3, (4,)), bp.Network(3, [5])}) == 2

    def test_size_names(self) -> None:
        sizes = bp.Network(3, [4, "h", 2]).sizes()
        assert [(size.name, size.value) for size in sizes] == [("n_0", 3), ("n_1", 4), ("h", None), ("n", 2)]

    def test_one_layer(self) -> None:
        assert [size.name for size in bp.Network(3, [1]).sizes()] == ["n_0", "n"]

    def test_symbolic_sizes_may_be_the_same(self) -> None:
        found = {str(n.symbol): show(n.shape) for n in bp.Network("h", ["h", "h"]).graph().nodes() if n.symbol}
        assert found["W[1]"] == found["W[2]"] == "h × h"

    @pytest.mark.parametrize(
        ("layout", "expected"),
        [
            (
                "columns",
                {"X": "n_0 × m", "Y": "n × m", "W[2]": "n × n_1", "b[2]": "n × 1", "Z[1]": "n_1 × m", "A[2]": "n × m"},
            ),
            (
                "rows",
                {"X": "m × n_0", "Y": "m × n", "W[2]": "n × n_1", "b[2]": "1 × n", "Z[1]": "m × n_1", "A[2]": "m × n"},
            ),
        ],
    )
    def test_shapes(self, layout: Layout, expected: dict[str, str]) -> None:
        graph = network().graph(layout)
        shapes = {name: show(node.shape) for name, node in graph.quantities().items()}
        assert {name: shapes[name] for name in expected} == expected
        assert shapes["J"] == "scalar"
        assert [str(node.symbol) for node in graph.parameters] == ["W[1]", "b[1]", "W[2]", "b[2]"]
        assert [str(node.symbol) for node in graph.inputs[:2]] == ["X", "Y"]

    @pytest.mark.parametrize(("l1", "l2"), [(0, 0), (0.1, 0), (0, 1), (2, 3.5)])
    def test_penalties(self, l1: float, l2: float) -> None:
        graph = network(l1=l1, l2=l2).graph()
        names = [node.op.name for node in graph.nodes()]
        assert names.count("abs") == (2 if l1 else 0)
        assert names.count("power") == (2 if l2 else 0)


class TestErrors:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"layers": []}, r"^the network has no layers\ngive at least one: layers=\[Dense\(3\)\]$"),
            ({"inputs": 0}, r"^0 is not a number of nodes \(inputs\)\ngive a whole number from 1 up$"),
            ({"inputs": -3}, r"^-3 is not a number of nodes \(inputs\)"),
            ({"inputs": 2.0}, r"^2\.0 is not a number of nodes \(inputs\)"),
            ({"inputs": True}, r"^True is not a number of nodes \(inputs\)"),
            ({"inputs": None}, r"^None is not a number of nodes \(inputs\)"),
            ({"layers": [4, 0]}, r"^0 is not a number of nodes \(layer 2\)"),
            ({"layers": [bp.Dense(-1), 2]}, r"^-1 is not a number of nodes \(layer 1\)"),
            ({"layers": [bp.Dense(None)]}, r"^None is not a number of nodes \(layer 1\)"),  # type: ignore[arg-type]
            ({"inputs": "3"}, r"^'3' is not the name of a size \(inputs\)"),
            ({"inputs": ""}, r"^'' is not the name of a size \(inputs\)"),
            ({"inputs": "n 1"}, r"^'n 1' is not the name of a size"),
            ({"inputs": "m"}, r"^'m' is not the name of a size \(inputs\)\nm counts samples"),
            ({"layers": ["j"]}, r"^'j' is not the name of a size \(layer 1\)\nm counts samples, .*j.* are indices"),
            ({"layers": ["i"]}, r"^'i' is not the name of a size"),
            ({"l1": -0.1}, r"^l1=-0\.1 is not a regularisation\ngive a number from 0 up$"),
            ({"l2": float("nan")}, r"^l2=nan is not a regularisation"),
            ({"l2": float("inf")}, r"^l2=inf is not a regularisation"),
            ({"l1": "0.1"}, r"^l1='0\.1' is not a regularisation"),
            ({"l2": True}, r"^l2=True is not a regularisation"),
            ({"loss": "binary_cros_entropy"}, r"^unknown loss 'binary_cros_entropy'\ndid you mean 'binary_cross_ent"),
            ({"loss": "zzz"}, r"^unknown loss 'zzz'\nKnown are absolute_error, .* or give an expression in a and y\.$"),
            ({"inputs": "J"}, r"^'J' is not the name of a size .*\n.* quantities\n"),
            ({"layers": [bp.Dense(2, "tanh(2)")]}, r"^'tanh\(2\)' does not depend on z\nnothing could be learned"),
            ({"loss": "y^2"}, r"^'y\^2' does not depend on a\n.*\ngive an expression in a and y$"),
            ({"loss": "a - z"}, r"^the name 'z' is not allowed \(column 5\)"),
            ({"loss": "(a - y"}, r"^the expression does not parse \(column 1\)"),
            ({"loss": ""}, r"the expression is empty"),
            ({"loss": 3}, r"^3 is not the name of a function\ngive a name or an expression as text$"),
            ({"loss": "huber(0)"}, r"^huber\(0\) is not a loss\nthe number in brackets must be positive$"),
            ({"loss": "huber(-1)"}, r"^huber\(-1\) is not a loss"),
            ({"loss": "huber()"}, r"^'huber\(\)' needs a number in its brackets\nwrite huber\(0\.5\), for example$"),
            ({"loss": "huber(delta)"}, r"^'huber\(delta\)' needs a number"),
            ({"loss": "mse(2)"}, r"^the loss mean_squared_error takes no number\nwrite 'mean_squared_error'$"),
            (
                {"layers": [bp.Dense(2, "tahn")]},
                r"^unknown activation 'tahn'\ndid you mean 'tanh'\? Known are elu, gelu",
            ),
            ({"layers": [bp.Dense(2, "Softmax")]}, r"^unknown activation 'Softmax'\ndid you mean 'softmax'"),
            ({"layers": [bp.Dense(2, "q*z")]}, r"^the name 'q' is not allowed \(column 1\)"),
            ({"layers": [bp.Dense(2, "z +")]}, r"^the expression does not parse \(column [34]\)"),
            ({"layers": [bp.Dense(2, "elu(x)")]}, r"^'elu\(x\)' needs a number in its brackets\nwrite elu\(0\.5\)"),
            ({"layers": [bp.Dense(2, "leaky_relu(0.1")]}, r"^'leaky_relu\(0\.1' needs a number in its brackets"),
            ({"layers": [bp.Dense(2, 7)]}, r"^7 is not the name of a function"),  # type: ignore[arg-type]
        ],
    )
    def test_says_what_is_wrong(self, changes: dict[str, Any], message: str) -> None:
        with pytest.raises(SpecError, match=message):
            network(**changes)

    @pytest.mark.parametrize(
        "layers", [[None], [2.5], [[4]], [(4, "tanh")]], ids=["nothing", "fraction", "list", "pair"]
    )
    def test_a_layer_of_a_wrong_type(self, layers: Any) -> None:
        with pytest.raises(SpecError, match=r"is not a number of nodes \(layer 1\)"):
            network(layers=layers)

    @pytest.mark.parametrize(
        "layers",
        [[bp.Dense(2, ["tanh"])], [bp.Dense(2, {})]],
        ids=["list", "mapping"],  # type: ignore[arg-type]
    )
    def test_an_activation_of_a_wrong_type(self, layers: Any) -> None:
        with pytest.raises(SpecError, match="is not the name of a function"):
            network(layers=layers)

    @pytest.mark.parametrize(
        ("inputs", "layers"),
        [(5, [4, "n_1", 2]), ("n_1", [4, 2]), ("n", [2]), (5, ["n_0", 2])],
        ids=["a layer's number", "of the layer above", "of the outputs", "of the inputs"],
    )
    def test_a_name_that_a_number_has_already(self, inputs: int | str, layers: list[int | str]) -> None:
        """n_1 as the name of another layer's size would be two sizes of one name: a matrix that looks square."""
        try:
            sizes = set(bp.Network(inputs, layers).sizes())
        except SpecError:
            return
        assert len({size.name for size in sizes}) == len(sizes)


class TestNames:
    def test_all_functions_by_name(self) -> None:
        for name, row in ACTIVATIONS.items():
            found = activation_named(name, layer=1)
            assert found.name == name
            assert found is row or callable(row)
        for name in LOSSES:
            assert loss_named(name).row.name == name

    @pytest.mark.parametrize(("alias", "name"), ALIASES.items())
    def test_aliases(self, alias: str, name: str) -> None:
        if name in ACTIVATIONS:
            assert activation_named(alias, layer=1) is activation_named(name, layer=1)
        else:
            assert loss_named(alias).row.name == name

    @pytest.mark.parametrize(
        ("text", "definition"),
        [
            ("leaky_relu", "where(z > 0, z, 0.01*z)"),
            ("leaky_relu(0.2)", "where(z > 0, z, 0.2*z)"),
            ("leaky_relu( 1e-3 )", "where(z > 0, z, 0.001*z)"),
            ("elu", "where(z > 0, z, (exp(z) - 1))"),
            ("elu(2)", "where(z > 0, z, 2*(exp(z) - 1))"),
            (" tanh ", "tanh(z)"),
            ("tanh(2*z)", "tanh(2*z)"),
            ("relu(z)", "relu(z)"),
            ("z", "z"),
        ],
    )
    def test_numbers_in_brackets_and_expressions(self, text: str, definition: str) -> None:
        row = activation_named(text, layer=2)
        assert isinstance(row, ScalarRow)
        assert row.scalar.definition == definition

    def test_composites(self) -> None:
        assert activation_named("softmax", layer=1) is softmax
        assert loss_named("categorical_cross_entropy_from_logits").before is log_softmax

    def test_unspecified(self) -> None:
        row = activation_named(None, layer=3)
        assert isinstance(row, ScalarRow)
        assert not row.scalar.specified
        assert not loss_named(None).row.scalar.specified

    def test_huber(self) -> None:
        assert loss_named("huber(0.5)").row.scalar.definition == losses.huber(0.5).row.scalar.definition
        assert loss_named("huber").row.scalar.definition == losses.huber(1).row.scalar.definition

    def test_own_expressions_are_named_after_their_layer(self) -> None:
        net = bp.Network(2, [bp.Dense(2, "z*z"), bp.Dense(2, "z*z")])
        assert [row.name for row in net.rows()] == ["g[1]", "g[2]"]
        assert net.rows()[0] is not activations.identity

    @pytest.mark.parametrize("layout", ["columns", "rows"])
    def test_every_pair_makes_a_graph(self, layout: Layout) -> None:
        for activation, loss in product(ACTIVATIONS, LOSSES):
            (j,) = bp.Network("n_x", [bp.Dense("h", activation)], loss=loss).graph(layout).outputs
            assert j.shape == ()
