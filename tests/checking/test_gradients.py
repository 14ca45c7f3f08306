"""The gradient check: it finds what is wrong, and does not call rounding or a kink wrong."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import ArrayLike
from rich.console import Console

import backproof as bp
from backproof.checking.gradients import TOLERANCE, Method, affordable_samples
from backproof.checking.report import Report, Verdict
from backproof.derivation.steps import Mean
from backproof.execution.trace import Trace
from backproof.frontends.network import Layout
from backproof.ir.errors import DataError
from backproof.ops.row import Array
from backproof.write.doc import Heading, Paragraph, Table
from backproof.write.terminal import terminal

METHODS: tuple[Method, ...] = ("complex", "central")
NETWORK = bp.Network(3, [bp.Dense(4, "tanh"), bp.Dense(2, "sigmoid")], loss="binary_cross_entropy")


def traced(
    network: bp.Network = NETWORK, m: int = 6, mean: Mean = "loss", layout: Layout = "columns", inputs: bool = False
) -> Trace:
    rng = np.random.default_rng(4)
    sizes = [size.value or 0 for size in network.sizes()]
    x, y = rng.normal(size=(m, sizes[0])), rng.integers(0, 2, (m, sizes[-1])).astype(float)
    parameters = {f"W[{k}]": rng.normal(0, 0.7, (sizes[k], sizes[k - 1])) for k in range(1, len(sizes))}
    parameters |= {f"b[{k}]": rng.normal(0, 0.7, sizes[k]) for k in range(1, len(sizes))}
    return bp.run(bp.derive(network, mean=mean, layout=layout, inputs=inputs), (x, y), parameters=parameters)


def spoiled(trace: Trace, name: str, change: Callable[[Array], ArrayLike]) -> Trace:
    """The trace with one gradient changed."""
    wrong = np.asarray(change(trace[name].copy()))
    return replace(trace, arrays={**trace.arrays, name: wrong})


def at(place: tuple[int, ...], factor: float) -> Callable[[Array], Array]:
    def change(array: Array) -> Array:
        array[place] *= factor
        return array

    return change


def by_name(report: Report) -> Mapping[str, Verdict]:
    return {verdict.symbol: verdict for verdict in report.verdicts}


class TestRight:
    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("mean", ["loss", "parameters"])
    @pytest.mark.parametrize("layout", ["columns", "rows"])
    def test_every_gradient(self, method: Method, mean: Mean, layout: Layout) -> None:
        trace = traced(mean=mean, layout=layout, inputs=True)
        report = bp.check(trace, method=method)
        assert report.ok
        assert report.method == method
        assert report.tolerance == TOLERANCE[method]
        assert report.samples == 6
        assert report.notes == ()
        assert set(by_name(report)) == {"dW[1]", "db[1]", "dW[2]", "db[2]", "dX"}
        for name, verdict in by_name(report).items():
            assert verdict.shape == trace[name].shape
            assert verdict.kinks == 0
            assert verdict.error <= report.tolerance
            assert verdict.derived == trace[name][tuple(k - 1 for k in verdict.place)]
            assert verdict.reference == pytest.approx(verdict.derived, rel=1e-6)


class TestLarge:
    """Where every entry would take long, some are drawn."""

    NETWORK = bp.Network(9, [bp.Dense(7, "tanh"), bp.Dense(2, "sigmoid")], loss="binary_cross_entropy")

    @pytest.fixture(autouse=True)
    def little_work(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("backproof.checking.gradients.WORK", 10)

    def test_entries_are_drawn(self) -> None:
        trace = traced(self.NETWORK)
        report = bp.check(trace)
        assert report.ok
        assert {v.symbol: (v.compared, v.whole) for v in report.verdicts} == {
            "dW[2]": (14, True),
            "db[2]": (2, True),
            "dW[1]": (16, False),
            "db[1]": (7, True),
        }
        assert bp.check(trace) == report
        assert all(v.whole for v in bp.check(trace, every=True).verdicts)

    def test_a_wrong_gradient_shows_in_the_entries_drawn(self) -> None:
        wrong = spoiled(traced(self.NETWORK), "dW[1]", lambda a: 2 * a)
        verdict = by_name(bp.check(wrong))["dW[1]"]
        assert verdict.judgement == "wrong"
        assert verdict.derived == wrong["dW[1]"][tuple(k - 1 for k in verdict.place)]
        assert verdict.reference == pytest.approx(verdict.derived / 2)

    def test_the_first_samples(self) -> None:
        trace = traced(self.NETWORK, m=12)
        assert affordable_samples(trace) == 8
        few = trace.first(8)
        assert few.samples == 8
        assert few["X"].tolist() == trace["X"][:, :8].tolist()
        assert few["W[1]"].tolist() == trace["W[1]"].tolist()
        assert affordable_samples(traced(self.NETWORK, m=3)) == 3


class TestWrong:
    @pytest.mark.parametrize("name", ["dW[1]", "db[1]", "dW[2]", "db[2]"])
    @pytest.mark.parametrize("factor", [1 + 1e-6, 1 - 1e-6, 1 + 1e-8, -1.0, 0.0, 2.0])
    def test_a_single_entry(self, name: str, factor: float) -> None:
        trace = traced()
        rows = trace[name].shape[0]
        place = (rows - 1, 0)
        report = bp.check(spoiled(trace, name, at(place, factor)))
        verdict = by_name(report)[name]
        assert not report.ok
        assert verdict.judgement == "wrong"
        assert verdict.place == (rows, 1)
        assert verdict.error == pytest.approx(abs(factor - 1) / max(1.0, abs(factor)), rel=1e-4)
        assert verdict.reference == pytest.approx(trace[name][place], rel=1e-12)
        assert [v.symbol for v in report.verdicts if v.judgement != "right"] == [name]

    @pytest.mark.parametrize("name", ["dW[1]", "db[2]"])
    def test_a_single_entry_by_central_differences(self, name: str) -> None:
        trace = traced()
        assert not bp.check(spoiled(trace, name, at((0, 0), 1 + 1e-4)), method="central").ok
        assert not bp.check(spoiled(trace, name, at((1, 0), -1.0)), method="central").ok

    @pytest.mark.parametrize("mean", ["loss", "parameters"])
    @pytest.mark.parametrize("name", ["dW[1]", "db[1]", "dW[2]", "db[2]", "dX"])
    def test_a_wrong_sign(self, name: str, mean: Mean) -> None:
        trace = traced(mean=mean, inputs=True)
        for method in METHODS:
            report = bp.check(spoiled(trace, name, np.negative), method=method)
            assert by_name(report)[name].judgement == "wrong"
            assert by_name(report)[name].error == pytest.approx(2, rel=1e-3)

    @pytest.mark.parametrize("mean", ["loss", "parameters"])
    def test_a_forgotten_mean(self, mean: Mean) -> None:
        trace = traced(mean=mean)
        for name in ("dW[1]", "db[2]"):
            assert not bp.check(spoiled(trace, name, lambda g: 6 * g)).ok

    def test_a_transposed_gradient_of_a_square_matrix(self) -> None:
        trace = traced(bp.Network(3, [bp.Dense(3, "tanh"), bp.Dense(2, "sigmoid")], loss="mean_squared_error"))
        assert not bp.check(spoiled(trace, "dW[1]", np.transpose)).ok

    def test_one_entry_of_a_big_matrix(self) -> None:
        network = bp.Network(120, [bp.Dense(90, "tanh"), bp.Dense(2, "sigmoid")], loss="binary_cross_entropy")
        trace = traced(network, m=3)
        assert bp.check(trace).ok
        # An entry of ordinary size among 10,800.
        place = (70, 33)
        assert abs(trace["dW[1]"][place]) > 1e-4 * np.abs(trace["dW[1]"]).max()
        report = bp.check(spoiled(trace, "dW[1]", at(place, 1 + 1e-6)))
        verdict = by_name(report)["dW[1]"]
        assert verdict.judgement == "wrong"
        assert verdict.place == (71, 34)

    def test_one_entry_in_a_million(self) -> None:
        network = bp.Network(1000, [bp.Dense(1000, "tanh"), bp.Dense(2, "sigmoid")], loss="binary_cross_entropy")
        trace = traced(network, m=2)
        place = np.unravel_index(np.argmax(np.abs(trace["dW[1]"])), (1000, 1000))
        assert bp.check(trace).ok
        verdict = by_name(bp.check(spoiled(trace, "dW[1]", at(place, 1 + 1e-6))))["dW[1]"]
        assert verdict.whole
        assert verdict.judgement == "wrong"
        assert verdict.place == (place[0] + 1, place[1] + 1)

    def test_one_row(self) -> None:
        trace = traced()
        report = bp.check(spoiled(trace, "dW[1]", lambda g: np.where(np.arange(len(g))[:, None] == 1, 1.001 * g, g)))
        assert by_name(report)["dW[1]"].judgement == "wrong"
        assert by_name(report)["dW[1]"].place[0] == 2
        assert [v.symbol for v in report.verdicts if v.judgement != "right"] == ["dW[1]"]

    def test_the_smallest_entry(self) -> None:
        trace = traced()
        small = np.unravel_index(np.argmin(np.abs(trace["dW[1]"])), trace["dW[1]"].shape)
        place = tuple(int(k) for k in small)
        assert not bp.check(spoiled(trace, "dW[1]", at(place, 1.001))).ok

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_what_is_not_finite_is_not_comparable(self, value: float) -> None:
        report = bp.check(spoiled(traced(), "dW[2]", at((1, 1), value)))
        verdict = by_name(report)["dW[2]"]
        assert not report.ok
        assert verdict.judgement == "not comparable"
        assert verdict.place == (2, 2)
        assert verdict.error == np.inf

    def test_tolerance(self) -> None:
        trace = spoiled(traced(), "db[1]", at((0, 0), 1 + 1e-6))
        assert bp.check(trace, tolerance=1e-5).ok
        assert not bp.check(trace, tolerance=1e-7).ok


class TestRounding:
    """1 − a² where a is almost 1 has few right digits; no formula of a does better."""

    @pytest.mark.parametrize("bias", [9.0, 15.0, 18.0, 25.0])
    @pytest.mark.parametrize("mean", ["loss", "parameters"])
    def test_saturated_tanh_is_not_called_wrong(self, bias: float, mean: Mean) -> None:
        network = bp.Network(2, [bp.Dense(3, "tanh"), bp.Dense(1, "identity")], loss="mean_squared_error")
        parameters = {"b[1]": [bias, -bias, bias], "W[1]": [[0.3, -0.2], [0.1, 0.4], [0.5, -0.7]]}
        data = ([[0.5, -0.3], [-0.4, 0.8], [0.2, 0.1]], [[0.7], [-0.2], [1.3]])
        trace = bp.run(bp.derive(network, mean=mean), data, parameters=parameters)
        report = bp.check(trace)
        assert report.ok, report
        assert len(report.notes) == 1
        # How many entries it are depends on the processor's rounding.
        assert re.match(
            r"Entries of dW\[1\] \(\d\), db\[1\] \(\d\) differ from the reference, but by no more", report.notes[0]
        )

    def test_half_saturated_tanh_with_an_ordinary_neighbour(self) -> None:
        network = bp.Network(2, [bp.Dense(2, "tanh"), bp.Dense(1, "identity")], loss="mean_squared_error")
        trace = bp.run(network, ([[0.5, -0.3], [-0.4, 0.8]], [[0.7], [-0.2]]), parameters={"b[1]": [9.0, 0.3]})
        assert bp.check(trace).ok
        # Nothing of that excuses the neighbour.
        assert not bp.check(spoiled(trace, "dW[1]", at((1, 0), 1 + 1e-6))).ok
        assert not bp.check(spoiled(trace, "db[1]", at((1, 0), 1 + 1e-6))).ok

    @pytest.mark.parametrize("bias", [9.0, 15.0])
    @pytest.mark.parametrize("change", [np.negative, lambda g: 2 * g, lambda g: 0 * g], ids=["sign", "twice", "none"])
    def test_but_a_wrong_gradient_there_is(self, bias: float, change: Callable[[Array], Array]) -> None:
        network = bp.Network(2, [bp.Dense(3, "tanh"), bp.Dense(1, "identity")], loss="mean_squared_error")
        data = ([[0.5, -0.3], [-0.4, 0.8], [0.2, 0.1]], [[0.7], [-0.2], [1.3]])
        trace = bp.run(network, data, parameters={"b[1]": [bias, bias, bias]})
        for name in ("dW[1]", "db[1]", "dW[2]"):
            assert not bp.check(spoiled(trace, name, change)).ok

    @pytest.mark.parametrize("bias", [9.0, 25.0])
    def test_saturated_sigmoid(self, bias: float) -> None:
        network = bp.Network(2, [bp.Dense(3, "sigmoid"), bp.Dense(1, "sigmoid")], loss="binary_cross_entropy")
        trace = bp.run(network, ([[0.5, -0.3], [-0.4, 0.8]], [[1], [0]]), parameters={"b[1]": [bias, -bias, bias]})
        assert bp.check(trace).ok


class TestKinks:
    PARAMETERS: Mapping[str, ArrayLike] = {"W[1]": [[1.0], [1.0]], "b[1]": [0.0, 0.5], "W[2]": [[1.0, 1.0]]}

    def trace(self, activation: str = "relu") -> Trace:
        """z is 10⁻⁵ in one hidden node of the first sample, and clear of the kink elsewhere."""
        network = bp.Network(1, [bp.Dense(2, activation), bp.Dense(1, "identity")], loss="mean_squared_error")
        return bp.run(network, ([[1e-5], [0.7]], [[1.0], [0.0]]), parameters=self.PARAMETERS)

    def test_counted_and_left_out_by_central_differences(self) -> None:
        report = bp.check(self.trace(), method="central")
        found = by_name(report)
        assert report.ok
        assert {name: verdict.kinks for name, verdict in found.items()} == {
            "dW[2]": 0,
            "db[2]": 0,
            "dW[1]": 0,  # x is so small there that its weight does not move z across the kink
            "db[1]": 1,
        }
        assert found["db[1]"].place == (2, 1)

    def test_the_complex_step_needs_no_exception(self) -> None:
        report = bp.check(self.trace())
        assert report.ok
        assert sum(verdict.kinks for verdict in report.verdicts) == 0

    def test_a_wrong_entry_beside_a_kink_is_found(self) -> None:
        assert not bp.check(spoiled(self.trace(), "db[1]", at((1, 0), 1.01)), method="central").ok

    def test_all_entries_at_a_kink(self) -> None:
        network = bp.Network(1, [bp.Dense(1, "relu"), bp.Dense(1, "identity")], loss="mean_squared_error")
        trace = bp.run(network, ([[1e-5]], [[1.0]]), parameters={"W[1]": [[1.0]], "b[1]": [0.0]})
        verdict = by_name(bp.check(trace, method="central"))["db[1]"]
        assert verdict.kinks == 1
        assert verdict.judgement == "not comparable"

    @pytest.mark.parametrize("method", METHODS)
    def test_exactly_on_a_kink_is_noted(self, method: Method) -> None:
        network = bp.Network(1, [bp.Dense(2, "relu"), bp.Dense(1, "identity")], loss="mean_squared_error")
        trace = bp.run(network, ([[0.0], [0.7]], [[1.0], [0.0]]), parameters=self.PARAMETERS)
        report = bp.check(trace, method=method)
        assert any("1 entries of A[1] lie exactly on a kink of relu" in note for note in report.notes)
        assert all(verdict.judgement == "right" for verdict in report.verdicts)


class TestNotFinite:
    @pytest.mark.parametrize("method", METHODS)
    def test_a_logarithm_of_what_is_not_positive(self, method: Method) -> None:
        network = bp.Network(1, [bp.Dense(1, "identity")], loss="binary_cross_entropy")
        trace = bp.run(network, ([[1.0]], [[1.0]]), parameters={"W[1]": [[-2.0]]})
        with pytest.raises(DataError, match=r"^J is nan\nusual causes are an overflow"):
            bp.check(trace, method=method)

    def test_an_overflow(self) -> None:
        network = bp.Network(1, [bp.Dense(1, "exp(z)")], loss="mean_squared_error")
        trace = bp.run(network, ([[1.0]], [[1.0]]), parameters={"W[1]": [[800.0]]})
        with pytest.raises(DataError, match="J is inf"):
            bp.check(trace)


class TestReport:
    def test_document(self) -> None:
        trace = spoiled(traced(), "dW[2]", at((1, 2), 1.5))
        document = bp.check(trace).document()
        heading, table, summary = document.blocks
        assert document.title == "The check"
        assert heading == Heading(1, ("The check",))
        assert isinstance(table, Table)
        assert isinstance(summary, Paragraph)
        assert len(table.rows) == 4
        assert all(len(row) == len(table.header) == len(table.align) for row in table.rows)
        assert summary.text[0].startswith(  # type: ignore[union-attr]
            "3 of 4 gradients agree with the complex step to a relative error of 1e-09, entry by entry, on 6 samples."
        )

    def test_on_a_terminal(self) -> None:
        report = bp.check(spoiled(traced(), "dW[2]", at((1, 2), 1.5)))
        console = Console(file=io.StringIO(), width=100, color_system=None)
        terminal(report.document(), console)
        text = console.file.getvalue()  # type: ignore[attr-defined]
        line = next(line for line in text.splitlines() if "dW[2]" in line)
        assert line.split()[:4] == ["dW[2]", "2", "×", "4"]
        assert "[2,3]" in line
        assert "3.3e-01" in line
        assert line.rstrip().endswith("wrong")

    def test_kinks_and_notes_are_told(self) -> None:
        trace = TestKinks().trace()
        text = repr(bp.check(trace, method="central").document())
        assert "right, 1 at a kink" in text
        assert "central differences to a relative error of 1e-06" in text
        verdicts = (replace(bp.check(trace).verdicts[0], judgement="not comparable"),)
        noted = Report(verdicts, "complex", 1e-9, 2, ("Something to know.",))
        assert not noted.ok
        assert noted.document().blocks[-1] == Paragraph(("Something to know.",))


def softmax(a: Array, axis: int = 0) -> Array:
    return np.exp(a) / np.sum(np.exp(a), axis=axis, keepdims=True)


def normalised(a: Array) -> Array:
    return (a - a.mean(axis=0)) / np.sqrt(a.var(axis=0) + 1e-5)


ROWS = np.arange(12.0).reshape(4, 3) ** 1.5

NOTHING: Mapping[str, Callable[..., Array]] = {
    "sum of softmax": lambda a: np.sum(softmax(a)),
    "sum of what is normalised": lambda a: np.sum(normalised(a)),
    "bias before softmax": lambda a: np.sum(np.log(softmax(ROWS + a, axis=0))[1] * np.array([0.2, 0.3, 0.4])),
    "bias before batch normalisation": lambda a: np.sum(np.tanh(normalised(ROWS + a))),
    "difference": lambda a: np.sum(np.exp(a) - np.exp(a + 1) / np.e),
}
"""What does not depend on its argument, though all its terms do."""


class TestCancellation:
    """Terms that cancel leave their rounding, in the gradient, in the reference or in both."""

    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("function", NOTHING.values(), ids=NOTHING)
    def test_what_cancels_is_not_called_wrong(self, function: Callable[..., Array], method: Method) -> None:
        report = bp.check(bp.run(bp.derive(function, a=np.array([1.0, 2.0, 4.0]))), method=method)
        assert report.ok, report
        assert abs(report.verdicts[0].derived) < 1e-14

    @pytest.mark.parametrize("function", NOTHING.values(), ids=NOTHING)
    def test_but_an_error_of_the_terms_is(self, function: Callable[..., Array]) -> None:
        trace = bp.run(bp.derive(function, a=np.array([1.0, 2.0, 4.0])))
        for place in range(3):
            for error in (1e-6, -1e-10):
                report = bp.check(spoiled(trace, "da", lambda g, k=place, e=error: g + e * (np.arange(3) == k)))
                assert report.verdicts[0].judgement == "wrong"
                assert report.verdicts[0].place == (place + 1,)

    @pytest.mark.parametrize("function", NOTHING.values(), ids=NOTHING)
    def test_and_so_is_one_of_what_is_left(self, function: Callable[..., Array]) -> None:
        def with_rest(a):  # type: ignore[no-untyped-def]
            return function(a) + np.sum(1e-3 * np.sin(a))

        trace = bp.run(bp.derive(with_rest, a=np.array([1.0, 2.0, 4.0])))
        assert bp.check(trace).ok
        for place in range(3):
            assert not bp.check(spoiled(trace, "da", at((place,), 1 + 1e-6))).ok


class TestConfidence:
    """Where softmax is almost sure, p − 1 has no digits but those of its rounding: in every order."""

    @staticmethod
    def confident(margin: float) -> bp.Derivation:
        def loss(W, b, X, labels):  # type: ignore[no-untyped-def]
            z = X @ W + b
            z = z - z.max(axis=1, keepdims=True)
            logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
            return -np.mean(logp[np.arange(len(labels)), labels])

        X = np.random.default_rng(3).normal(size=(4, 3))
        labels = np.array([0, 2, 1, 0])
        W = np.linalg.pinv(X) @ (margin * np.eye(3)[labels])
        W = W * margin / np.min(np.diff(np.sort(X @ W, axis=1))[:, -1])
        given = {"W": W, "b": np.zeros(3), "X": X, "labels": np.argmax(X @ W, axis=1)}
        return bp.derive(loss, given)

    @pytest.mark.parametrize("margin", [20.0, 25.0, 30.0])
    def test_is_not_called_wrong(self, margin: float) -> None:
        derivation = self.confident(margin)
        for found in (derivation, bp.derive(derivation, hvp="b"), bp.derive(derivation, hessian=["b", "W"])):
            report = bp.check(bp.run(found))
            assert report.ok, report
            assert any("no more than the rounding" in note for note in report.notes)

    @pytest.mark.parametrize("change", [1.01, 2.0, -1.0, 0.0])
    def test_but_a_wrong_gradient_there_is(self, change: float) -> None:
        derivation = self.confident(20.0)
        for found, name in (
            (derivation, "db"),
            (derivation, "dW"),
            (bp.derive(derivation, hvp="b"), "Db"),
            (bp.derive(derivation, hessian="b"), "H"),
            (bp.derive(derivation, hessian="W"), "H"),
        ):
            trace = bp.run(found)
            place = np.unravel_index(int(np.argmax(np.abs(trace[name]))), np.shape(trace[name]))
            report = bp.check(spoiled(trace, name, at(tuple(map(int, place)), change)))
            assert not report.ok, name


TIES: Mapping[str, tuple[Callable[..., Array], list[float], list[float]]] = {
    "two": (lambda a: np.max(a), [2, 1, 2], [0.5, 0, 0.5]),
    "three": (lambda a: np.min(a), [1, 1, 1], [1 / 3, 1 / 3, 1 / 3]),
    "windows": (lambda a: np.sum(np.max(a.reshape(2, 2), axis=1) * np.array([1, 3])), [1, 1, 2, 3], [0.5, 0.5, 0, 3]),
    "relu": (lambda a: np.sum(np.maximum(a, 0).reshape(2, 2).max(axis=1)), [-1, -2, 2, 3], [0, 0, 0, 1]),
}


class TestTies:
    """Where several entries are the largest, each has an equal share of the derivative: for both sides the same."""

    @pytest.mark.parametrize(("function", "values", "expected"), TIES.values(), ids=TIES)
    def test_shared(self, function: Callable[..., Array], values: list[float], expected: list[float]) -> None:
        trace = bp.run(bp.derive(function, a=np.array(values, float)))
        np.testing.assert_allclose(trace["da"], expected, rtol=1e-15)
        report = bp.check(trace)
        assert report.ok
        assert any("lie exactly on a kink of m" in note for note in report.notes)
        for place in np.flatnonzero(expected):
            assert not bp.check(spoiled(trace, "da", at((int(place),), 1 + 1e-6))).ok

    @pytest.mark.parametrize(("function", "values", "expected"), TIES.values(), ids=TIES)
    def test_by_differences_they_are_kinks(
        self, function: Callable[..., Array], values: list[float], expected: list[float]
    ) -> None:
        trace = bp.run(bp.derive(function, a=np.array(values, float)))
        (verdict,) = bp.check(trace, method="central").verdicts
        assert verdict.judgement != "wrong"
        tied = [k for k, x in enumerate(expected) if 0 < x < 1]
        assert verdict.kinks == len(tied)
        for place in set(np.flatnonzero(expected)) - set(tied):
            assert not bp.check(spoiled(trace, "da", at((int(place),), 1 + 1e-5)), method="central").ok
