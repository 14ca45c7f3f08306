"""How a step is carried out, as it is told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import backproof as bp
from backproof.cli.commands import cli
from backproof.emit.scalars import UncoveredError
from backproof.training.plan_report import PlanReport

LAYERED = "64-32:relu-10:softmax"
SMALL = "4-3:tanh-3:softmax"
WAVES = "4-300:sin(z)-3:softmax"
"""What native code has no form for."""


def plan(spec: str, data: str = "iris", **options: object) -> PlanReport:
    network = bp.load(spec, loss="cce")
    return bp.explain_plan(network, data, **options)  # type: ignore[arg-type]


def computed(report: PlanReport) -> set[str]:
    return {name for region in report.regions if region.kind != "another layout" for name in region.computes}


@pytest.mark.parametrize("spec", [LAYERED, SMALL])
@pytest.mark.parametrize("optimiser", ["sgd", "momentum", "adam"])
def test_both_engines_compute_the_same_quantities(spec: str, optimiser: str) -> None:
    data = "digits" if spec == LAYERED else "iris"
    native, numpy = (plan(spec, data, engine=engine, optimiser=optimiser) for engine in ("native", "numpy"))
    named = {name for name in computed(native) if "[" in name}
    assert named == {name for name in computed(numpy) if "[" in name}
    assert {"Z[1]", "dZ[2]", "dW[1]", "db[2]", "next W[1]", "next b[2]"} <= named
    assert {native.engine, numpy.engine} == {"native", "numpy"}


def test_a_product_counts_two_operations_for_each_term() -> None:
    report = plan(LAYERED, "digits", engine="native", optimiser="sgd", batch=32)
    products = {region.computes[0]: region for region in report.regions if region.kind == "matrix product"}
    assert set(products) == {"Z[1]", "Z[2]", "dA[1]", "dW[1]", "dW[2]"}
    # dA[1] = dZ[2]·W[2]: 32 × 32 entries with 10 terms each, and dZ[1] = dA[1] * g'(Z[1]) in the same go.
    assert products["dA[1]"].computes == ("dA[1]", "dZ[1]")
    assert 2 * 32 * 32 * 10 < products["dA[1]"].operations <= 2 * 32 * 32 * 10 + 3 * 32 * 32
    assert products["dA[1]"].over == ("m", "n_1", "n")
    (first,) = (region for region in plan(LAYERED, "digits", engine="numpy").regions if region.computes == ("dA[1]",))
    assert first.operations == 2 * 32 * 32 * 10
    assert first.read == 32 * 10 + 10 * 32
    assert first.written == 32 * 32


@pytest.mark.parametrize("engine", ["native", "numpy"])
def test_each_region_takes_time(engine: str) -> None:
    report = plan(LAYERED, "digits", engine=engine, dtype="float64")
    assert len(report.seconds) == len(report.regions) == len(report.shares)
    assert all(seconds > 0 for seconds in report.seconds)
    assert report.step > 0
    np.testing.assert_allclose(sum(report.shares), 1)
    # W[1] and W[2] with two arrays of the optimiser beside each, at least.
    assert report.bytes >= 3 * 8 * (64 * 32 + 32 * 10)


def test_what_is_small_is_one_region() -> None:
    (region,) = plan(SMALL, engine="native").regions
    assert region.kind == "in registers"


def test_why_it_is_in_numpy() -> None:
    assert "no native code for the function sin" in plan(WAVES, epochs=10_000).note
    assert "compiling" in plan(SMALL, epochs=1).note
    assert not plan(SMALL, engine="numpy").note


def test_what_has_no_plan_is_refused() -> None:
    with pytest.raises(bp.BackproofError, match="L-BFGS"):
        plan(SMALL, optimiser="lbfgs")
    with pytest.raises(bp.BackproofError, match="no network"):
        bp.explain_plan(3, "iris")  # type: ignore[arg-type]
    with pytest.raises(bp.BackproofError, match="has no value"):
        plan("4-h:tanh-3:softmax")
    with pytest.raises(bp.BackproofError, match="no native engine"):
        plan(WAVES, engine="native")


def test_what_is_done_on_arrays_as_they_lie_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def uncovered(*_: object) -> None:
        raise UncoveredError("anything in panels")

    monkeypatch.setattr("backproof.emit.native.panels.Plan", uncovered)
    report = plan("4-300:softmax-3:softmax", engine="native", dtype="float64")
    assert {region.kind for region in report.regions} >= {"matrix product", "entry by entry", "sum", "max"}
    assert any("next W[1]" in region.computes for region in report.regions)
    assert all(seconds > 0 for seconds in report.seconds)


def test_it_is_written_in_every_format(tmp_path: Path) -> None:
    report = plan(SMALL, engine="numpy")
    data = json.loads(bp.render(report, "json"))
    assert data["schema"] == "backproof/plan"
    assert len(data["regions"]) == len(report.regions)
    assert "| `dW[1]` |" in bp.render(report)
    assert bp.render(report, "text").startswith("The plan of a step")
    file = tmp_path / "plan.html"
    arguments = ["plan", SMALL, "--loss", "cce", "--data", "iris", "--engine", "numpy", "-o", str(file)]
    assert CliRunner().invoke(cli, arguments).exit_code == 0
    assert "The plan of a step" in file.read_text(encoding="utf-8")
