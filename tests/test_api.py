"""The public functions: what they take, what they return, and what they say of a wrong argument."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import backproof as bp
from backproof.derivation.steps import Mean
from backproof.frontends.network import Layout
from backproof.ir.errors import BackproofError, DataError, ShapeError, SpecError

NETWORK = bp.Network(3, [bp.Dense(4, "tanh"), bp.Dense(2, "sigmoid")], loss="binary_cross_entropy")
X = np.array([[0.5, -1.0, 0.25], [1.5, 0.0, -0.5], [-0.75, 2.0, 1.0], [0.1, 0.2, 0.3], [1.0, -1.0, 0.0]])
Y = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0], [1.0, 0.0]])


def parameters() -> dict[str, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(9)
    shapes = {"W[1]": (4, 3), "b[1]": (4,), "W[2]": (2, 4), "b[2]": (2,)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


class TestPublicNames:
    def test_every_name_is_there(self) -> None:
        for name in bp.__all__:
            assert getattr(bp, name) is not None
        assert set(bp.__all__) <= set(dir(bp))
        assert len(bp.__all__) == len(set(bp.__all__))

    def test_they_are_what_they_are_called(self) -> None:
        assert bp.Network.__name__ == "Network"
        assert issubclass(SpecError, bp.BackproofError)
        assert issubclass(DataError, bp.BackproofError)
        assert issubclass(ShapeError, bp.BackproofError)

    def test_an_unknown_name(self) -> None:
        with pytest.raises(AttributeError, match="module 'backproof' has no attribute 'nonsense'"):
            bp.nonsense  # noqa: B018

    def test_importing_costs_nothing_until_a_name_is_used(self) -> None:
        program = (
            "import sys, backproof as bp\n"
            "assert not {'numpy', 'sympy', 'rich', 'click'} & set(sys.modules), 'import'\n"
            "assert 'Network' in dir(bp) and 'numpy' not in sys.modules\n"
            "bp.Network(3, [4, 2])\n"
            "bp.derive('3-4-2')\n"
            "assert not {'sympy', 'scipy', 'rich', 'click'} & set(sys.modules), 'derive'\n"
        )
        subprocess.run([sys.executable, "-c", program], check=True)


class TestDerive:
    def test_from_a_network_and_from_text(self) -> None:
        expected = ["dA[2]", "dZ[2]", "dW[2]", "db[2]", "dA[1]", "dZ[1]", "dW[1]", "db[1]"]
        assert [str(s.symbol) for s in bp.derive(NETWORK).backward] == expected
        assert [str(s.symbol) for s in bp.derive("3-4-2").backward] == expected

    def test_inputs(self) -> None:
        assert str(bp.derive(NETWORK, inputs=True).backward[-1].symbol) == "dX"
        assert list(bp.derive(NETWORK, inputs=True).gradients) == ["W[2]", "b[2]", "W[1]", "b[1]", "X"]
        assert "dX" not in bp.derive(NETWORK).quantities

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"mean": "losses"}, r"^unknown mean 'losses'\nchoose from loss, parameters$"),
            ({"mean": None}, r"^unknown mean None"),
            ({"layout": "column"}, r"^unknown layout 'column'\nchoose from columns, rows$"),
        ],
    )
    def test_wrong_arguments(self, arguments: dict[str, Any], message: str) -> None:
        with pytest.raises(BackproofError, match=message):
            bp.derive(NETWORK, **arguments)

    def test_text_that_is_no_network(self) -> None:
        with pytest.raises(SpecError, match=r"^'3' does not describe a network"):
            bp.derive("3")


class TestRun:
    @pytest.mark.parametrize("mean", ["loss", "parameters"])
    @pytest.mark.parametrize(
        ("layout", "expected"),
        [
            ("columns", {"X": (3, 5), "Y": (2, 5), "b[1]": (4, 1), "Z[1]": (4, 5), "dA[2]": (2, 5), "dX": (3, 5)}),
            ("rows", {"X": (5, 3), "Y": (5, 2), "b[1]": (1, 4), "Z[1]": (5, 4), "dA[2]": (5, 2), "dX": (5, 3)}),
        ],
    )
    def test_shapes(self, layout: Layout, expected: dict[str, tuple[int, ...]], mean: Mean) -> None:
        trace = bp.run(bp.derive(NETWORK, layout=layout, mean=mean, inputs=True), (X, Y))
        for name, shape in expected.items():
            assert trace[name].shape == shape
        for name in ("W[1]", "b[1]", "W[2]", "b[2]", "A[1]", "Z[2]"):
            assert trace[f"d{name}"].shape == trace[name].shape
        assert trace["dW[1]"].shape == (4, 3)
        assert np.ndim(trace["J"]) == 0
        assert trace.sizes == {**trace.sizes, "m": 5}

    def test_layouts_are_transposes(self) -> None:
        columns, rows = (
            bp.run(bp.derive(NETWORK, layout=layout), (X, Y), parameters=parameters()) for layout in ("columns", "rows")
        )
        for name in columns:
            expected = columns[name] if name[:2] in ("W[", "dW") or name == "J" else columns[name].T
            np.testing.assert_allclose(rows[name], expected, rtol=1e-12)

    def test_sources_agree(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "data.npz", X=X, Y=Y, **parameters())
        (tmp_path / "data.csv").write_text(
            "\n".join(",".join(map(repr, map(float, row))) for row in np.hstack([X, Y]).tolist())
        )
        expected = bp.run(NETWORK, (X, Y), parameters=parameters())
        for source, given in (
            (tmp_path / "data.npz", None),
            (str(tmp_path / "data.npz"), None),
            ({"X": X, "Y": Y, **parameters()}, None),
            ({"X": X.tolist(), "Y": Y.tolist()}, parameters()),
            (tmp_path / "data.csv", parameters()),
        ):
            trace = bp.run(NETWORK, source, parameters=given)  # type: ignore[arg-type]
            for name in expected:
                np.testing.assert_allclose(trace[name], expected[name], rtol=1e-14)

    def test_given_parameters_replace_those_of_the_file_and_of_the_start(self) -> None:
        started = bp.run(NETWORK, (X, Y))
        trace = bp.run(NETWORK, {"X": X, "Y": Y, "b[1]": np.ones(4)}, parameters={"W[2]": np.ones((2, 4))})
        np.testing.assert_array_equal(trace["W[1]"], started["W[1]"])
        np.testing.assert_array_equal(trace["b[1]"], np.ones((4, 1)))
        np.testing.assert_array_equal(trace["W[2]"], np.ones((2, 4)))
        over = bp.run(NETWORK, {"X": X, "Y": Y, "b[1]": np.ones(4)}, parameters={"b[1]": np.zeros(4)})
        np.testing.assert_array_equal(over["b[1]"], np.zeros((4, 1)))

    @pytest.mark.parametrize(
        "value", [[1, 2, 3, 4], [[1], [2], [3], [4]], [[1, 2, 3, 4]]], ids=["list", "column", "row"]
    )
    @pytest.mark.parametrize("layout", ["columns", "rows"])
    def test_a_bias_in_any_form(self, value: Any, layout: Layout) -> None:
        trace = bp.run(bp.derive(NETWORK, layout=layout), (X, Y), parameters={"b[1]": value})
        assert trace["b[1]"].ravel().tolist() == [1, 2, 3, 4]

    def test_seed(self) -> None:
        first, again, other = (bp.run(NETWORK, (X, Y), seed=seed) for seed in (1, 1, 2))
        np.testing.assert_array_equal(first["W[1]"], again["W[1]"])
        assert not np.array_equal(first["W[1]"], other["W[1]"])
        assert not first["b[1]"].any()

    def test_rows(self) -> None:
        trace = bp.run(NETWORK, (X, Y), rows=2, parameters=parameters())
        assert trace.sizes["m"] == 2
        assert bp.run(NETWORK, (X[:2], Y[:2]), parameters=parameters())["J"] == trace["J"]

    def test_symbolic_sizes_are_learned_from_the_data(self) -> None:
        network = bp.Network(
            "features", [bp.Dense(4, "tanh"), bp.Dense("classes", "softmax")], loss="categorical_cross_entropy"
        )
        trace = bp.run(network, "iris")
        assert (trace.sizes["features"], trace.sizes["classes"], trace.sizes["m"]) == (4, 3, 150)
        assert bp.check(bp.run(network, "iris", rows=5)).ok

    def test_float32_throughout(self) -> None:
        for mean in ("loss", "parameters"):
            trace = bp.run(bp.derive(NETWORK, mean=mean), (X, Y), dtype="float32")  # type: ignore[arg-type]
            wrong = {name: str(np.asarray(value).dtype) for name, value in trace.items()}
            assert {name: kind for name, kind in wrong.items() if kind != "float32"} == {}

    def test_float64_by_default(self) -> None:
        assert {np.asarray(value).dtype for value in bp.run(NETWORK, (X, Y)).values()} == {np.dtype("float64")}

    @pytest.mark.parametrize("dtype", ["int32", "bool", "complex128", "U5"])
    def test_a_type_that_is_no_floating_point_number(self, dtype: str) -> None:
        """Else half an input would silently be none."""
        with pytest.raises(BackproofError):
            bp.run(NETWORK, (X, Y), dtype=dtype)

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"W[9]": 1.0}, r"^there is no input 'W\[9\]'\nthe inputs are X, Y, W\[1\], b\[1\], W\[2\], b\[2\]$"),
            ({"W[1]": np.ones((3, 4))}, r"^W\[1\] has the wrong shape \(it is 3 × 4, and must be 4 × 3\)$"),
            ({"W[1]": 1.0}, r"^W\[1\] has the wrong shape \(it is a single number, and must be 4 × 3\)$"),
            ({"b[1]": [1, 2]}, r"^b\[1\] has the wrong shape \(it is 2 × 1, and must be 4 × 1\)$"),
            ({"b[1]": [1, 2, np.nan, 3]}, r"^b\[1\] holds nan \(at \[3, 1\], counted from 1\)$"),
            ({"W[2]": np.full((2, 4), np.inf)}, r"^W\[2\] holds inf"),
            ({"W[1]": "x"}, r"^the values of W\[1\] are not numbers"),
            ({"W[1]": [[1, 2, 3], [4]]}, r"W\[1\]"),
            ({"b[1]": []}, r"^b\[1\] is empty"),
        ],
    )
    def test_parameters_that_do_not_fit(self, given: Mapping[str, Any], message: str) -> None:
        with pytest.raises(DataError, match=message):
            bp.run(NETWORK, (X, Y), parameters=given)

    def test_data_are_no_parameters(self) -> None:
        with pytest.raises(DataError):
            bp.run(NETWORK, (X, Y), parameters={"X": np.zeros((3, 5))})

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            ((X[:, :2], Y), r"^the network takes 3 inputs, arrays has 2 features"),
            ((X[:0], Y[:0]), r"empty|no "),
            ((X, Y[:3]), r"5.*3|3.*5"),
            ((X, Y + 0.5), r"^the label 1\.5 does not fit the loss \(arrays, sample 1, output 1\)"),
            ((X, np.where(Y == 0, np.nan, Y)), r"^nan in the data"),
            ({"X": X}, r"Y"),
            ((X,), r"^1 arrays instead of two"),
            ("nosuch.csv", r"nosuch\.csv"),
        ],
        ids=["width", "empty", "lengths", "labels", "nan", "no labels", "one array", "no file"],
    )
    def test_data_that_do_not_fit(self, data: Any, message: str) -> None:
        with pytest.raises(DataError, match=message):
            bp.run(NETWORK, data)

    def test_labels_that_are_no_distribution(self) -> None:
        network = bp.Network(3, [bp.Dense(2, "softmax")], loss="categorical_cross_entropy")
        with pytest.raises(
            DataError, match=r"^the labels of sample 3 add up to 2 \(arrays\)\nthis loss takes a distri"
        ):
            bp.run(network, (X, Y))

    @pytest.mark.parametrize("source", [None, 5, X, "", b"iris"])
    def test_no_source(self, source: object) -> None:
        with pytest.raises(DataError):
            bp.run(NETWORK, source)  # type: ignore[arg-type]

    @pytest.mark.parametrize("seed", [-1, 0.5, "1"])
    def test_seeds(self, seed: int) -> None:
        with pytest.raises(DataError, match=r"is not a seed\ngive a whole number from 0 up$"):
            bp.run(NETWORK, (X, Y), seed=seed)

    def test_a_parameter_given_twice(self) -> None:
        with pytest.raises(DataError, match=r"^W\[1\] is given twice \(arrays\)\nW1 names it too\.$"):
            bp.run(NETWORK, {"X": X, "Y": Y, "W[1]": np.ones((5, 3)), "W1": np.zeros((5, 3))})

    def test_functions_without_a_definition(self) -> None:
        for spec in (bp.Network(3, [2]), bp.Network(3, [bp.Dense(2, "tanh")])):
            with pytest.raises(SpecError, match=r"^the function (g\[1\]|L) is unspecified\n.*no values\nname it"):
                bp.run(spec, (X, Y))


@pytest.fixture(scope="module")
def trace() -> bp.Trace:
    return bp.run(NETWORK, (X, Y), parameters=parameters())


class TestTrace:
    def test_is_a_mapping(self, trace: bp.Trace) -> None:
        names = ["X", "Y", "W[1]", "b[1]", "W[2]", "b[2]", "Z[1]", "A[1]", "Z[2]", "A[2]", "J"]
        names += ["dA[2]", "dZ[2]", "dW[2]", "db[2]", "dA[1]", "dZ[1]", "dW[1]", "db[1]"]
        assert list(trace) == list(trace.keys()) == names
        assert len(trace) == len(names)
        assert isinstance(trace, Mapping)
        assert "dZ[2]" in trace
        assert dict(trace)["dZ[2]"] is trace["dZ[2]"] or np.array_equal(dict(trace)["dZ[2]"], trace["dZ[2]"])
        assert repr(trace) == f"<trace of {', '.join(names)}>"

    def test_values(self, trace: bp.Trace) -> None:
        np.testing.assert_allclose(trace["dZ[2]"], (trace["A[2]"] - trace["Y"]) / 5, rtol=1e-13)
        assert round(trace["J"], 3) == float(f"{trace['J']:.3f}")

    def test_what_is_not_there_is_not_in_it(self, trace: bp.Trace) -> None:
        assert "dZ[3]" not in trace
        assert trace.get("dZ[3]") is None
        assert trace.get("dZ[3]", 5) == 5

    @pytest.mark.parametrize(
        ("name", "near"), [("dZ[3]", "dZ[2]"), ("Z1", "Z[1]"), ("dw[2]", "dW[2]"), ("dz[1]", "dZ[1]"), ("a[2]", "A[2]")]
    )
    def test_the_nearest_name(self, trace: bp.Trace, name: str, near: str) -> None:
        with pytest.raises(BackproofError) as caught:
            trace[name]
        assert str(caught.value).startswith(
            f"there is no quantity {name!r}\ndid you mean {near!r}? There are X, Y, W[1]"
        )

    def test_nothing_near(self, trace: bp.Trace) -> None:
        with pytest.raises(BackproofError, match=r"^there is no quantity 'quux'\nThere are X, Y, W\[1\]"):
            trace["quux"]

    def test_explain(self, trace: bp.Trace) -> None:
        found = trace.explain("dW[2]", 1, 3)
        assert found.entry.value == pytest.approx(trace["dW[2]"][0, 2])
        assert len(found.terms) == 5
        assert sum(term.value for term in found.terms) == pytest.approx(found.entry.value)
        assert str(found).splitlines()[0] == f"dW[2][1,3] = {found.entry.value:.6g}, the sum of 5 terms:"
        assert str(trace.explain("X", 1, 1)) == "X[1,1] = 0.5 is given"
        assert trace.explain("db[2]", 2).entry.place == (2, 1)
        assert trace.explain("J").entry.value == pytest.approx(float(trace["J"]))

    def test_explain_no_place(self, trace: bp.Trace) -> None:
        with pytest.raises(BackproofError, match=r"^no entry of dZ\[2\] is named .*\nsay which.*dZ\[2\]\[1,1\]$"):
            trace.explain("dZ[2]")

    @pytest.mark.parametrize("place", [("1", 1), (1.0, 1), (None, 1)])
    def test_explain_no_numbers(self, trace: bp.Trace, place: tuple[int, ...]) -> None:
        with pytest.raises(BackproofError, match=r"is not a place\ngive whole numbers"):
            trace.explain("dZ[2]", *place)

    @pytest.mark.parametrize("place", [(0, 1), (3, 1), (1, 6), (1,), (1, 1, 1), (-1, 1)])
    def test_explain_outside(self, trace: bp.Trace, place: tuple[int, ...]) -> None:
        with pytest.raises(BackproofError, match=r"^dZ\[2\] has no entry .* \(its shape is 2 × 5\)\nrows and columns"):
            trace.explain("dZ[2]", *place)

    def test_explain_something_unknown(self, trace: bp.Trace) -> None:
        with pytest.raises(BackproofError, match="did you mean 'dZ"):
            trace.explain("dZ[7]", 1, 1)


class TestCheck:
    def test_arguments(self) -> None:
        trace = bp.run(NETWORK, (X, Y))
        assert isinstance(bp.check(trace), bp.Report)
        with pytest.raises(BackproofError, match=r"^unknown method 'exact'\nchoose from complex, central$"):
            bp.check(trace, method="exact")  # type: ignore[arg-type]

    @pytest.mark.parametrize("tolerance", [-1.0, float("nan")])
    def test_a_tolerance_that_nothing_can_meet(self, tolerance: float) -> None:
        with pytest.raises(BackproofError, match="tolerance"):
            bp.check(bp.run(NETWORK, (X, Y)), tolerance=tolerance)


class TestRender:
    @pytest.mark.parametrize(
        ("form", "begin"),
        [
            ("markdown", "# A title\n"),
            ("latex", "\\documentclass"),
            ("html", "<!doctype html>"),
            ("json", '{\n "schema"'),
            ("text", "A title\n"),
        ],
    )
    def test_formats(self, form: Any, begin: str) -> None:
        derivation = bp.derive(NETWORK)
        text = bp.render(derivation, form, title="A title")
        assert text.startswith(begin)
        assert "A title" in text
        assert text.endswith("\n")
        assert bp.render(derivation, form, title="A title") == text
        assert len(bp.render(derivation, form, expand=True, title="A title")) >= len(text)
        assert "\x1b" not in text

    def test_text_is_at_most_100_columns_wide(self) -> None:
        assert max(map(len, bp.render(bp.derive(NETWORK), "text", expand=True).splitlines())) <= 100

    @pytest.mark.parametrize("form", ["pdf", "svg", "Markdown", ""])
    def test_unknown(self, form: Any) -> None:
        with pytest.raises(BackproofError, match=r"^unknown format .*\nchoose from markdown, latex, html, json, text$"):
            bp.render(bp.derive(NETWORK), form)


def test_a_trace_says_how_parameters_start_that_nobody_gave() -> None:
    spec = bp.load("4-3:tanh-3:softmax", loss="cce")
    whole = bp.run(spec, "iris", seed=3)
    assert whole.start.startswith("W[1], W[2]: normal, of variance 1/inputs (LeCun et al.")
    assert whole.start.endswith("from seed 3. b[1], b[2]: 0.")
    part = bp.run(spec, "iris", parameters={"W[1]": np.ones((3, 4)), "b[1]": np.zeros(3), "b[2]": np.zeros(3)})
    assert part.start.startswith("W[2]: normal")
    assert part.start.endswith("from seed 0.")
    given = {name: whole[name] for name in ("W[1]", "b[1]", "W[2]", "b[2]")}
    assert not bp.run(spec, "iris", parameters=given).start
