"""The second order: products with the Hessian as derivations, checked against what knows none of their rules."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import resources
from typing import Any

import jsonschema
import numpy as np
import pytest

import backproof as bp
from backproof.autograd import hessian_vector_product
from backproof.execution.export import compiled
from backproof.ir.symbol import Symbol
from backproof.write.math_unicode import linear
from backproof.write.spell import spell

Array = np.ndarray[Any, Any]
rng = np.random.default_rng(7)
X = rng.normal(size=(5, 3))
labels = np.array([0.0, 1.0, 1.0, 0.0, 1.0])
SCHEMA = json.loads(resources.files("backproof").joinpath("write/templates/derivation.schema.json").read_text("utf-8"))


def logistic(w: Array, X: Array, y: Array) -> Any:
    z = X @ w
    p = 1 / (1 + np.exp(-z))
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def two_layers(W1: Array, b1: Array, W2: Array, X: Array, y: Array) -> Any:
    A1 = np.tanh(X @ W1 + b1)
    scores = A1 @ W2
    return np.mean((scores[:, 0] - y) ** 2)


LOGISTIC = {"w": rng.normal(size=3), "X": X, "y": labels}
LAYERS = {
    "W1": rng.normal(size=(3, 4)),
    "b1": rng.normal(size=4),
    "W2": rng.normal(size=(4, 1)),
    "X": X,
    "y": labels,
}


class TestProducts:
    def test_the_steps_of_logistic_regression(self, golden: Callable[..., None]) -> None:
        derivation = bp.derive(bp.derive(logistic, LOGISTIC), hvp="w")
        assert [str(step.symbol) for step in derivation.backward] == ["Ddw", "Ddz", "Dp", "Dz", "Dw"]
        golden("second/logistic.txt", bp.render(derivation, "text"))

    def test_a_network(self, golden: Callable[..., None]) -> None:
        derivation = bp.derive("3-4:tanh-2:sigmoid", hvp=["W[1]", "b[2]"])
        golden("second/network.md", bp.render(derivation, "markdown"))

    @pytest.mark.parametrize("name", ["W1", "b1", "W2", "X"])
    def test_values_are_those_of_autograd(self, name: str) -> None:
        derivation = bp.derive(two_layers, LAYERS, hvp=name)
        (v,) = derivation.directions
        direction = rng.normal(size=LAYERS[name].shape)
        trace = bp.run(derivation, parameters={str(v.symbol): direction})
        others = {key: value for key, value in LAYERS.items() if key != name}
        expected = hessian_vector_product(lambda x: two_layers(**{name: x}, **others))(LAYERS[name], direction)
        np.testing.assert_allclose(trace[f"D{name}"], expected, rtol=1e-12, atol=1e-14)

    def test_several_arguments_vary_together(self) -> None:
        derivation = bp.derive(two_layers, LAYERS, hvp=["W1", "b1"])
        assert [str(v.symbol) for v in derivation.directions] == ["V1", "v1"]
        trace = bp.run(derivation, seed=3)
        assert bp.check(trace).ok
        assert set(derivation.gradients) == {"W1", "b1"}

        def gradient_along(step: complex) -> Any:
            moved = {name: LAYERS[name] + step * trace[v] for name, v in (("W1", "V1"), ("b1", "v1"))}
            A1 = np.tanh(X @ moved["W1"] + moved["b1"])
            d_scores = 2 / 5 * (A1 @ LAYERS["W2"] - labels[:, None])
            return X.T @ (d_scores @ LAYERS["W2"].T * (1 - A1**2))

        np.testing.assert_allclose(trace["DW1"], gradient_along(1e-20j).imag / 1e-20, rtol=1e-12)

    def test_the_check_finds_a_wrong_one(self) -> None:
        trace = bp.run(bp.derive(logistic, LOGISTIC, hvp="w"))
        assert bp.check(trace).ok
        trace.arrays["Dw"][1] *= 1.001  # type: ignore[index]
        assert not bp.check(trace).ok

    def test_a_network_on_data(self) -> None:
        derivation = bp.derive(bp.load("4-5:tanh-3:softmax", loss="categorical_cross_entropy"), hvp=["W[1]", "W[2]"])
        trace = bp.run(derivation, "iris", rows=20, seed=1)
        assert bp.check(trace).ok
        again = bp.run(derivation, "iris", rows=20, seed=1, parameters={"V[2]": 2 * trace["V[2]"]})
        assert np.array_equal(again["V[1]"], trace["V[1]"])
        np.testing.assert_allclose(again["V[2]"], 2 * trace["V[2]"])

    def test_exported(self) -> None:
        derivation = bp.derive(logistic, LOGISTIC, hvp="w")
        s, products = compiled(derivation)(**LOGISTIC, v=np.array([1.0, 0.0, 0.0]))
        trace = bp.run(derivation, parameters={"v": [1.0, 0.0, 0.0]})
        np.testing.assert_allclose([s, trace["s"]], trace["dw"][0], rtol=1e-14)
        np.testing.assert_allclose(products["w"], trace["Dw"], rtol=1e-14)

    def test_json(self) -> None:
        derivation = bp.derive("2-2:tanh", hvp="W[1]")
        found = json.loads(bp.render(derivation, "json"))
        jsonschema.Draft202012Validator(SCHEMA).validate(found)
        assert [step["symbol"] for step in found["backward"]] == ["dA[1]", "dZ[1]", "dW[1]", "db[1]"]
        assert found["second"]["directions"][0]["of"] == "W[1]"
        assert [step["symbol"] for step in found["second"]["backward"]][-1] == "DW[1]"
        assert {step["derivative_of"] for step in found["second"]["backward"]} == {"s"}

    @pytest.mark.parametrize("format", ["markdown", "latex", "html", "text"])
    def test_every_format(self, format: Any) -> None:
        text = bp.render(bp.derive("2-2:tanh", hvp="W[1]"), format, expand=True)
        assert "Along a direction" in text


class TestWriting:
    def test_second_derivatives_of_a_loss_that_is_not_given(self) -> None:
        step = next(s for s in bp.derive("3-2", hvp="W[1]").backward if str(s.symbol) == "DA[1]")
        assert linear(spell(step.node)) == "(1/m) DdA[1] * (d² L(A[1], Y))/(dA[1] dA[1])"

    def test_a_negative_term_is_subtracted(self) -> None:
        step = next(s for s in bp.derive("3-2:sigmoid", hvp="W[1]").backward if str(s.symbol) == "DA[1]")
        assert "+ −" not in linear(spell(step.node))

    def test_the_terms_are_those_of_s(self) -> None:
        text = bp.render(bp.derive("3-2:sigmoid", hvp="W[1]"), "text", expand=True)
        assert "Of all the terms that s adds up only one holds dw[1]_{jk}" in " ".join(text.split())

    def test_a_long_product_shows_its_first_steps(self) -> None:
        def deep(x: Array) -> Any:
            for _ in range(40):
                x = np.sin(x) * 0.9 + x * 0.1
            return np.sum(x)

        assert "steps more." in bp.render(bp.derive(deep, x=np.ones(3), hessian="x"), "text")


class TestBadInput:
    def test_an_unknown_name(self) -> None:
        with pytest.raises(bp.BackproofError, match=r"no derivative by .W3.(.|\n)*W1, b1, W2"):
            bp.derive(bp.derive(two_layers, LAYERS), hvp="W3")

    def test_the_third_order(self) -> None:
        with pytest.raises(bp.BackproofError, match="second order already"):
            bp.derive(bp.derive(logistic, LOGISTIC, hvp="w"), hvp="w")

    def test_a_derivation_alone(self) -> None:
        with pytest.raises(bp.BackproofError, match="derived already"):
            bp.derive(bp.derive(logistic, LOGISTIC))

    def test_the_article_s_placement_of_the_mean(self) -> None:
        with pytest.raises(bp.BackproofError, match='mean="loss"'):
            bp.derive(bp.derive("2-2:tanh", mean="parameters"), hvp="W[1]")

    def test_whole_numbers(self) -> None:
        with pytest.raises(bp.BackproofError, match="not decimal"):
            bp.derive(lambda k, x: np.sum(k * x), k=np.arange(3), x=np.ones(3), hvp="k")

    def test_a_name_that_is_taken(self) -> None:
        derivation = bp.derive(
            lambda w, v, s: s * np.sum(w**2 * v), w=np.ones(3), v=np.ones(3), s=np.array(2.0), hvp="w"
        )
        assert [str(v.symbol) for v in derivation.directions] == ["v_"]
        np.testing.assert_allclose(bp.run(derivation, parameters={"v_": np.ones(3)})["Dw"], 4 * np.ones(3))

    def test_a_gradient_that_is_constant(self) -> None:
        derivation = bp.derive(lambda w, c: w @ c, w=np.ones(3), c=np.arange(3.0), hvp="w")
        assert np.array_equal(bp.run(derivation)["Dw"], np.zeros(3))
        assert "s does not depend on w, so the derivative is 0." in bp.render(derivation, "text")


def test_symbols() -> None:
    dZ = Symbol("Z", 1).derivative("J")
    assert str(dZ.second_derivative("s")) == "DdZ[1]"
    assert str(Symbol("Z", 1).second_derivative("s")) == "DZ[1]"
    assert Symbol("W").second_derivative("s").by(dZ) == dZ.second_derivative("s")
