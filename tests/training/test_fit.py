"""Training: what it learns, how it goes on after an interruption, and what it says of what cannot be learned."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import backproof as bp
from backproof.execution.engines import has_native
from backproof.ir.errors import BackproofError, DataError, SpecError
from backproof.training.checkpoints import Checkpoints, read_arrays
from backproof.training.options import Options
from backproof.training.samples import Samples, ahead, order_of

IRIS = bp.Network(4, [bp.Dense(8, "tanh"), bp.Dense(3, "softmax")], loss="categorical_cross_entropy")
ENGINES = ["numpy", pytest.param("native", marks=pytest.mark.skipif(not has_native(), reason="llvmlite is missing"))]


def same(one: bp.Trained, other: bp.Trained) -> bool:
    return all((one.parameters[name] == array).all() for name, array in other.parameters.items())


@pytest.mark.parametrize("engine", ENGINES)
def test_it_learns(engine: str) -> None:
    told = []
    found = bp.fit(
        IRIS, "iris", epochs=40, batch=16, rate=0.02, metrics="accuracy", engine=engine, seed=1, told=told.append
    )
    assert found.engine == engine
    assert found.history == tuple(told)
    assert found.history[-1].loss < 0.1 < found.history[0].loss
    assert found.history[-1].metrics["accuracy"] > 0.95
    assert found.classes == ("setosa", "versicolor", "virginica")
    X = np.array([[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]])
    assert list(found.predict(X).argmax(axis=1)) == [0, 2]
    assert repr(found).startswith("<network after 40 epochs, loss 0.0")


@pytest.mark.skipif(not has_native(), reason="llvmlite is missing")
@pytest.mark.parametrize("optimiser", [bp.SGD(0.1, momentum=0.9), bp.RMSprop(), bp.Adam(), bp.AdamW()])
def test_both_engines_come_to_the_same(optimiser) -> None:
    options = {"epochs": 3, "batch": 16, "optimiser": optimiser, "dtype": "float64", "clip": 0.5}
    one, other = (bp.fit(IRIS, "iris", engine=engine, **options) for engine in ("numpy", "native"))
    for name, array in one.parameters.items():
        np.testing.assert_allclose(other.parameters[name], array, rtol=1e-9, atol=1e-12)
    assert one.history[-1].loss == pytest.approx(other.history[-1].loss, rel=1e-10)


def test_the_same_seed_gives_the_same() -> None:
    one, other, third = (bp.fit(IRIS, "iris", epochs=2, seed=seed, engine="numpy") for seed in (3, 3, 4))
    assert same(one, other)
    assert not same(one, third)


def test_steps_are_those_of_the_derivation() -> None:
    found = bp.fit(IRIS, "iris", epochs=1, batch=150, optimiser=bp.SGD(0.3), shuffle=False, dtype="float64")
    trace = bp.run(IRIS, "iris")
    assert found.history[0].loss == pytest.approx(trace["J"], rel=1e-12)
    for name in ("W[1]", "W[2]"):
        np.testing.assert_allclose(found.parameters[name], trace[name] - 0.3 * trace[f"d{name}"], rtol=1e-12)


def test_samples_kept_apart_are_not_learned() -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(40, 4)), np.eye(3)[rng.integers(0, 3, 40)]
    apart = bp.fit(IRIS, (X, Y), epochs=4, validation=(X[30:], Y[30:]), seed=2)
    share = bp.fit(IRIS, (X, Y), epochs=4, validation=0.25, seed=2)
    assert apart.history[0].validation_loss != apart.history[0].loss
    assert share.history[-1].validation_loss is not None
    assert not same(apart, share)
    whole = bp.run(IRIS, (X[30:], Y[30:]), parameters=as_columns(apart.parameters))
    assert apart.history[-1].validation_loss == pytest.approx(whole["J"], rel=1e-5)


def as_columns(parameters) -> dict[str, np.ndarray]:
    return {name: array.T if name[0] == "b" else array for name, array in parameters.items()}


def test_it_stops_early_and_goes_back() -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(60, 4)), np.eye(3)[rng.integers(0, 3, 60)]
    found = bp.fit(IRIS, (X, Y), epochs=300, rate=0.05, validation=0.3, patience=5)
    losses = [epoch.validation_loss for epoch in found.history]
    assert found.is_stopped
    assert found.epoch == len(found.history) - 5
    assert len(found.history) < 300
    assert len(losses) - 1 - int(np.argmin(losses)) == 5
    again = bp.fit(IRIS, (X, Y), epochs=int(np.argmin(losses)) + 1, rate=0.05, validation=0.3)
    assert same(found, again)


def test_classes_can_be_weighed() -> None:
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(30, 4)), np.repeat([0, 1, 2], [20, 5, 5])
    options = {"epochs": 1, "batch": 30, "optimiser": bp.SGD(0.1), "shuffle": False, "dtype": "float64"}
    data = {"X": X, "Y": labels}
    balanced = bp.fit(IRIS, data, class_weights="balanced", **options)
    by_label = bp.fit(IRIS, data, class_weights={0: 0.5, 1: 2.0, 2: 2.0}, **options)
    trace = bp.run(IRIS, data)
    own = -np.log((trace["A[2]"] * trace["Y"]).sum(axis=0))
    assert balanced.history[0].loss == pytest.approx(np.mean(own * np.repeat([0.5, 2, 2], [20, 5, 5])), rel=1e-10)
    assert same(balanced, by_label)
    for wrong in ("even", {0: 1.0}, [1.0, 2.0], [1.0, -1.0, 1.0]):
        with pytest.raises(DataError):
            bp.fit(IRIS, data, class_weights=wrong, **options)
    line = bp.Network(4, [bp.Dense(1, "identity")], loss="mean_squared_error")
    with pytest.raises(DataError, match="no classes"):
        bp.fit(line, {"X": X, "Y": X[:, 0]}, class_weights="balanced")


def test_gradient_lengths_are_told() -> None:
    found = bp.fit(IRIS, "iris", epochs=1, norms=True)
    assert set(found.history[0].norms) == {"dW[1]", "db[1]", "dW[2]", "db[2]"}
    assert all(value > 0 for value in found.history[0].norms.values())


def test_metrics() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 2))
    line = bp.Network(2, [bp.Dense(1, "identity")], loss="mean_squared_error")
    found = bp.fit(line, (X, X @ [[1.0], [2.0]]), epochs=200, rate=0.05, metrics=("r2", "mae"))
    assert found.history[-1].metrics["r2"] > 0.999
    assert found.history[-1].metrics["mae"] < 0.05
    with pytest.raises(BackproofError, match="unknown metric"):
        bp.fit(line, (X, X[:, :1]), metrics="beauty")


@pytest.mark.parametrize("last", ["sigmoid", "1/(1 + exp(-z))", "identity"])
def test_accuracy_of_one_output(last: str) -> None:
    loss = "binary_cross_entropy_from_logits" if last == "identity" else "binary_cross_entropy"
    X = np.repeat([-1.0, 0.5], 20)[:, None]
    found = bp.fit(bp.Network(1, [bp.Dense(1, last)], loss=loss), (X, X > 0), epochs=100, rate=0.3, metrics="accuracy")
    assert found.history[-1].metrics["accuracy"] == 1


def test_the_engine_stays_the_same(tmp_path: Path) -> None:
    file = tmp_path / "state.safetensors"
    assert bp.fit(IRIS, "iris", epochs=1, checkpoint=file).engine == "numpy"
    # So many epochs would be worth compiling for, and come to other last digits.
    assert Checkpoints(file, Options(epochs=10**6)).engine() == "numpy"
    with pytest.raises(DataError, match="with another engine"):
        bp.fit(IRIS, "iris", epochs=2, engine="native", checkpoint=file, resume=True)


@pytest.mark.parametrize(
    "options", [{"clip": 1.0}, {"patience": 3}, {"schedule": "cosine"}, {"norms": True}, {"engine": "native"}]
)
def test_what_says_nothing_to_lbfgs_is_refused(options) -> None:
    with pytest.raises(BackproofError, match="lbfgs takes no"):
        bp.fit(IRIS, "iris", optimiser="lbfgs", **options)


def test_lbfgs_on_what_overflows() -> None:
    net = bp.Network(1, [bp.Dense(1, "identity")], loss="mean_squared_error")
    with pytest.raises(bp.DivergedError, match="at the start"):
        bp.fit(net, ([[1e200]], [[1e200]]), optimiser="lbfgs")


def test_lbfgs() -> None:
    found = bp.fit(IRIS, "iris", epochs=60, optimiser="lbfgs", metrics="accuracy", validation=0.2)
    assert found.history[-1].loss < 0.05
    assert found.history[-1].validation_loss is not None
    assert np.diff([epoch.loss for epoch in found.history]).max() <= 0


# --- going on after an interruption


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("optimiser", [bp.SGD(0.1), bp.SGD(0.1, momentum=0.9), bp.Adam(0.01)])
def test_it_goes_on_bit_for_bit(tmp_path: Path, engine: str, optimiser) -> None:
    options = {"batch": 16, "optimiser": optimiser, "engine": engine, "validation": 0.2, "patience": 50}
    unbroken = bp.fit(IRIS, "iris", epochs=6, **options)
    file = tmp_path / "state.safetensors"
    bp.fit(IRIS, "iris", epochs=3, checkpoint=file, **options)
    found = bp.fit(IRIS, "iris", epochs=6, checkpoint=file, resume=True, **options)
    assert same(found, unbroken)
    assert [e.loss for e in found.history] == [e.loss for e in unbroken.history]


def test_it_goes_on_after_it_was_killed(tmp_path: Path) -> None:
    file = tmp_path / "state.safetensors"
    code = f"""
import backproof as bp
net = bp.load("4-8:tanh-3:softmax", loss="categorical_cross_entropy")
bp.fit(net, "iris", epochs=100000, engine="numpy", checkpoint={str(file)!r}, resume=True)
"""
    for _ in range(2):
        process = subprocess.Popen([sys.executable, "-c", code])
        before = file.stat().st_mtime_ns if file.exists() else 0
        while not (file.exists() and file.stat().st_mtime_ns > before):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    arrays, about = read_arrays(file)
    unbroken = bp.fit(IRIS, "iris", epochs=len(about["epochs"]), engine="numpy")
    assert all((arrays[name] == array).all() for name, array in unbroken.parameters.items())


def test_a_full_disk_loses_neither_the_run_nor_the_checkpoint(tmp_path: Path, monkeypatch) -> None:
    file = tmp_path / "state.safetensors"
    bp.fit(IRIS, "iris", epochs=2, checkpoint=file)
    before = file.read_bytes()

    def full(*arguments) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.warns(RuntimeWarning, match=r"no checkpoint after epoch [34]: .*cannot be written"):
        found = bp.fit(IRIS, "iris", epochs=4, checkpoint=file, resume=True)
    assert len(found.history) == 4
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_another_training_does_not_go_on(tmp_path: Path) -> None:
    file = tmp_path / "state.safetensors"
    bp.fit(IRIS, "iris", epochs=1, checkpoint=file)
    for change, name in [({"batch": 7}, "batch"), ({"rate": 0.5}, "optimiser"), ({"seed": 5}, "seed")]:
        with pytest.raises(DataError, match=f"with another {name}"):
            bp.fit(IRIS, "iris", epochs=2, checkpoint=file, resume=True, **change)
    wider = bp.Network(4, [bp.Dense(9, "tanh"), bp.Dense(3, "softmax")], loss="categorical_cross_entropy")
    other = bp.Network(4, [bp.Dense(8, "relu"), bp.Dense(3, "softmax")], loss="categorical_cross_entropy")
    for network, rows in ((IRIS, 50), (wider, None), (other, None)):
        with pytest.raises(DataError, match="of another network or other data"):
            bp.fit(network, "iris", epochs=2, checkpoint=file, resume=True, rows=rows)
    with pytest.raises(BackproofError, match="no checkpoint to go on from"):
        bp.fit(IRIS, "iris", resume=True)


@pytest.mark.parametrize("content", [b"", b"{}", b"\x08" + bytes(7) + b"{broken}", bytes(range(256))], ids=range(4))
def test_a_damaged_checkpoint_is_told_of(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "state.safetensors"
    file.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read as a safetensors file"):
        bp.fit(IRIS, "iris", epochs=1, checkpoint=file, resume=True)


def test_parameters_are_saved(tmp_path: Path) -> None:
    found = bp.fit(IRIS, "iris", epochs=1)
    found.save(tmp_path / "net.safetensors")
    arrays, about = read_arrays(tmp_path / "net.safetensors")
    assert set(arrays) == set(found.parameters)
    assert about["classes"] == ["setosa", "versicolor", "virginica"]
    again = bp.fit(IRIS, "iris", epochs=1, parameters=arrays, rate=0.0)
    assert same(found, again)


# --- what cannot be learned


@pytest.mark.parametrize("engine", ENGINES)
def test_divergence_names_the_quantity_and_its_equation(engine: str) -> None:
    net = bp.Network(4, [bp.Dense(8, "relu"), bp.Dense(1, "identity")], loss="mean_squared_error")
    rng = np.random.default_rng(0)
    data = rng.normal(size=(64, 4)), rng.normal(size=(64, 1))
    with pytest.raises(bp.DivergedError) as caught:
        bp.fit(net, data, epochs=50, batch=32, optimiser="sgd", rate=1e4, engine=engine)
    assert " became infinite" in caught.value.what
    assert caught.value.where.startswith("step ")
    assert caught.value.why.partition(" = ")[0] == caught.value.what.split()[0]


def test_an_update_that_overflows() -> None:
    net = bp.Network(1, [bp.Dense(1, "identity")], loss="mean_squared_error")
    with pytest.raises(bp.DivergedError, match=r"W\[1\] became infinite by the update"):
        bp.fit(net, ([[1e10]], [[1e10]]), epochs=1, optimiser="sgd", rate=1e30)


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"batch": 2.5},
        {"seed": -1},
        {"patience": 0},
        {"dtype": "float16"},
        {"engine": "gpu"},
        {"clip": 0.0},
        {"clip": "much"},
        {"dtype": "float33"},
        {"optimiser": None},
        {"class_weights": ["a", "b", "c"]},
        {"parameters": {"W[1]": "large"}},
        {"validation": 1.0},
        {"validation": 0.999},
        {"optimiser": "best"},
        {"schedule": "later"},
        {"start": "somehow"},
        {"parameters": {"W[9]": 1}},
        {"parameters": {"W[1]": np.ones((2, 2))}},
        {"parameters": {"W[1]": np.full((8, 4), np.nan)}},
    ],
)
def test_impossible_options(wrong) -> None:
    with pytest.raises(BackproofError):
        bp.fit(IRIS, "iris", **wrong)


def test_what_cannot_be_predicted() -> None:
    found = bp.fit(IRIS, "iris", epochs=1)
    assert found.predict(np.empty((0, 4))).shape == (0, 3)
    for wrong in ([[1, 2]], [1, 2, 3, 4], [["a", "b", "c", "d"]]):
        with pytest.raises(DataError):
            found.predict(wrong)


def test_a_size_without_value() -> None:
    shapes = {"W[1]": (5, 4), "b[1]": (1, 5), "W[2]": (3, 5), "b[2]": (1, 3)}
    parameters = {name: np.ones(shape) for name, shape in shapes.items()}
    for given in (None, parameters):
        with pytest.raises(DataError, match="has no value"):
            bp.fit(bp.load("4-h:tanh-3:softmax", loss="cce"), "iris", parameters=given)


def test_a_loss_without_definition() -> None:
    with pytest.raises(SpecError, match="unspecified"):
        bp.fit("4-3:sigmoid", "iris", epochs=1)


def test_no_native_engine(monkeypatch) -> None:
    from backproof.execution import engines

    monkeypatch.setattr(engines, "has_native", lambda: False)
    monkeypatch.setattr(engines, "COMPILING", (0.0, 0.0))
    found = bp.fit(IRIS, "iris", epochs=1)
    assert found.engine == "numpy"
    assert "pip install 'backproof[native]'" in found.note
    with pytest.raises(BackproofError, match="no native engine"):
        bp.fit(IRIS, "iris", epochs=1, engine="native")


@pytest.mark.skipif(not has_native(), reason="llvmlite is missing")
def test_what_native_code_does_not_cover_is_said(monkeypatch) -> None:
    from backproof.execution import engines

    monkeypatch.setattr(engines, "COMPILING", (0.0, 0.0))
    net = bp.Network(4, [bp.Dense(8, "sin(z)"), bp.Dense(3, "softmax")], loss="categorical_cross_entropy")
    found = bp.fit(net, "iris", epochs=1)
    assert found.engine == "numpy"
    assert "no native code for the function sin" in found.note


@pytest.mark.skipif(not has_native(), reason="llvmlite is missing")
def test_what_takes_longer_than_compiling_is_compiled() -> None:
    assert bp.fit(IRIS, "iris", epochs=1).engine == "numpy"
    assert bp.fit(IRIS, "iris", epochs=10**9, patience=1, least_gain=1.0).engine == "native"


# --- samples


def test_each_epoch_takes_every_sample_once(monkeypatch) -> None:
    from backproof.training import samples

    monkeypatch.setattr(samples, "PART", 100)
    whole = Samples({"X": np.arange(23)[:, None], "Y": np.arange(23)[:, None]})
    orders = [order_of(23, 0, epoch, shuffle=True) for epoch in (1, 2)]
    assert (orders[0] != orders[1]).any()
    parts = [*whole.parts(orders[0], 5)]
    assert {samples for _, samples in parts[:-1]} == {5}
    assert parts[-1][1] == 3
    seen = np.concatenate([part["X"][:, 0] for part, _ in parts])
    assert (seen == orders[0]).all()
    assert (order_of(5, 0, 1, shuffle=False) == np.arange(5)).all()


def test_what_is_made_ahead_keeps_its_order_and_its_errors() -> None:
    assert [*ahead(iter(range(5)))] == [0, 1, 2, 3, 4]

    def failing():
        yield 1
        raise ValueError("broken")

    found = ahead(failing())
    assert next(found) == 1
    with pytest.raises(ValueError, match="broken"):
        next(found)


def test_what_does_not_fit_into_memory_is_refused_before_anything_is_drawn() -> None:
    network = bp.load("4-100000:relu-100000:relu-3:softmax", loss="cce")
    with pytest.raises(bp.BackproofError, match=r"does not fit into memory(.|\n)*its arrays take \d+ GB"):
        bp.fit(network, "iris", epochs=1)
