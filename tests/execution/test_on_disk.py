"""Data that are larger than memory: tables read part by part, arrays left where they lie."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import backproof as bp
from backproof.execution.reading import Data, files, on_disk, parquet, read_data, tables
from backproof.execution.reading.on_disk import Rows, Spool, parts_of
from backproof.ir.errors import DataError
from backproof.training import samples

pyarrow = pytest.importorskip("pyarrow")
writing = pytest.importorskip("pyarrow.parquet")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 3))
LABELS = RNG.integers(0, 2, 50)
NAMES = np.array(["no", "yes"])[LABELS]
NETWORK = bp.Network(3, [bp.Dense(4, "tanh"), bp.Dense(1, "sigmoid")], loss="bce")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything counts as large: seven rows are a part."""
    monkeypatch.setattr(tables, "CELLS", 28)
    monkeypatch.setattr(parquet, "AT_ONCE", 8 * 28)
    monkeypatch.setattr(on_disk, "AT_ONCE", 8 * 21)
    monkeypatch.setattr(files, "LARGE", 100)
    monkeypatch.setattr(samples, "PART", 400)


def _csv(path: Path, target: Any = NAMES) -> Path:
    rows = (",".join([*map(repr, map(float, x)), str(y)]) for x, y in zip(X, target, strict=True))
    path.write_text("\n".join(["a,b,c,kind", *rows]) + "\n", encoding="utf-8")
    return path


def _gzip(folder: Path) -> Path:
    packed = folder / "data.csv.gz"
    packed.write_bytes(gzip.compress(_csv(folder / "data.csv").read_bytes()))
    return packed


def _npz(folder: Path) -> Path:
    np.savez_compressed(folder / "data.npz", X=X, Y=NAMES)
    return folder / "data.npz"


def _folder(folder: Path) -> Path:
    np.save(folder / "X.npy", X)
    np.save(folder / "Y.npy", NAMES)
    return folder


def _parquet(folder: Path, **columns: Any) -> Path:
    table = pyarrow.table({**dict(zip("abc", X.T, strict=True)), "kind": NAMES, **columns})
    writing.write_table(table, folder / "data.parquet")
    return folder / "data.parquet"


def _memmaps(folder: Path) -> dict[str, Any]:
    _folder(folder)
    return {"X": np.load(folder / "X.npy", mmap_mode="r"), "Y": NAMES}


SOURCES: dict[str, Callable[[Path], Any]] = {
    "csv": lambda folder: _csv(folder / "data.csv"),
    "csv.gz": _gzip,
    "npz": _npz,
    "folder": _folder,
    "parquet": _parquet,
    "memmaps": _memmaps,
}


def _read(source: Any) -> Data:
    return read_data(source, inputs=3, outputs=1, classification=True)


@pytest.mark.parametrize("kind", SOURCES)
def test_what_is_large_stays_on_disk(kind: str, tmp_path: Path) -> None:
    data = _read(SOURCES[kind](tmp_path))
    assert isinstance(data.X, np.memmap)
    assert np.array_equal(data.X, X)
    assert np.array_equal(data.Y[:, 0], LABELS)
    assert data.classes == ("no", "yes")


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("engine", ["numpy", "native"])
def test_training_from_disk_takes_the_same_steps(kind: str, engine: Any, tmp_path: Path) -> None:
    if engine == "native":
        pytest.importorskip("llvmlite")
    options: dict[str, Any] = {"epochs": 3, "batch": 8, "engine": engine, "validation": 0.2, "metrics": ("accuracy",)}
    from_disk = bp.fit(NETWORK, SOURCES[kind](tmp_path), **options)
    from_memory = bp.fit(NETWORK, (X, NAMES), **options)
    for name, array in from_memory.parameters.items():
        assert np.array_equal(from_disk.parameters[name], array)
    assert [e.validation_loss for e in from_disk.history] == [e.validation_loss for e in from_memory.history]
    assert [e.metrics for e in from_disk.history] == [e.metrics for e in from_memory.history]


def test_a_training_from_disk_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    source, checkpoint = _memmaps(tmp_path), tmp_path / "state"
    bp.fit(NETWORK, source, epochs=2, checkpoint=checkpoint)
    resumed = bp.fit(NETWORK, source, epochs=4, checkpoint=checkpoint, resume=True)
    whole = bp.fit(NETWORK, (X, NAMES), epochs=4)
    assert all(np.array_equal(resumed.parameters[name], array) for name, array in whole.parameters.items())


def test_functions_and_lbfgs_take_memmaps(tmp_path: Path) -> None:
    def loss(X: Any, w: Any) -> Any:
        return np.mean((X @ w) ** 2)

    mapped = _memmaps(tmp_path)["X"]
    options: dict[str, Any] = {"epochs": 2, "batch": 8, "validation": 0.2}
    found, right = (bp.fit_function(loss, {"X": x}, parameters={"w": np.ones(3)}, **options) for x in (mapped, X))
    assert np.array_equal(found.parameters["w"], right.parameters["w"])
    by_lbfgs = [bp.fit(NETWORK, {"X": x, "Y": NAMES}, optimiser="lbfgs", epochs=3) for x in (mapped, X)]
    assert by_lbfgs[0].history[-1].loss == by_lbfgs[1].history[-1].loss


@pytest.mark.parametrize(
    ("kind", "row", "message"),
    [
        ("csv", "nan,1,2,yes", r"nan in the data .*line 32, a"),
        ("csv", "1,2,yes", r"3 cells where 4 were expected .*line 32"),
        ("csv", "1,2,3,4", r"text in some rows and a number in others .*line 30"),
        ("csv", "1,2,x,yes", r"'x' is not a number .*line 32, c"),
    ],
)
def test_a_wrong_row_far_down_is_found(kind: str, row: str, message: str, tmp_path: Path) -> None:
    path = _csv(tmp_path / "data.csv")
    lines = path.read_text().splitlines()
    lines[31] = row
    if row == "1,2,3,4":
        lines[29:36] = [row] * 7  # a part of its own
    path.write_text("\n".join(lines))
    with pytest.raises(DataError, match=message):
        _read(path)


def test_wrong_values_of_other_files_are_found(tmp_path: Path) -> None:
    wrong = X.copy()
    wrong[30, 1] = np.inf
    np.save(tmp_path / "X.npy", wrong)
    np.save(tmp_path / "Y.npy", NAMES)
    with pytest.raises(DataError, match=r"inf in the data \(X\[30, 1\]\)"):
        _read(tmp_path)
    with pytest.raises(DataError, match=r"inf in the data .*b, row 31"):
        _read(_parquet(tmp_path, b=wrong[:, 1]))
    with pytest.raises(DataError, match=r"a value is missing .*c, row 3"):
        _read(_parquet(tmp_path, c=[1.0, 2.0, None, *range(47)]))
    with pytest.raises(DataError, match=r"a label is missing .*kind, row 2"):
        _read(_parquet(tmp_path, kind=["yes", None, *NAMES[2:]]))
    with pytest.raises(DataError, match="a column of string holds no numbers"):
        _read(_parquet(tmp_path, a=list(NAMES)))
    (tmp_path / "data.parquet").write_text("no table")
    with pytest.raises(DataError, match=r"cannot read data\.parquet"):
        _read(tmp_path / "data.parquet")
    (tmp_path / "Y.npy").unlink()
    with pytest.raises(DataError, match=r"has no Y\.npy"):
        _read(tmp_path)
    np.save(tmp_path / "X.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(DataError, match=r"X\.npy holds something other than plain arrays"):
        _read(tmp_path)


def test_what_has_no_place_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, _: Any) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(on_disk.tempfile, "TemporaryFile", lambda **_: Full())
    with pytest.raises(DataError, match=r"do not fit on the disk .*\nNo space left on device"):
        Spool(float).write(X)


def test_without_pyarrow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = _parquet(tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(bp.BackproofError, match=r"pip install 'backproof\[parquet\]'"):
        _read(path)


def test_rows_are_those_of_the_array(tmp_path: Path) -> None:
    mapped = _memmaps(tmp_path)["X"]
    rows = Rows(mapped, np.float32)
    some, order = rows.some(np.array([7, 3, 40])), np.array([2, 0, 1, 0])
    right = X.astype(np.float32)[[7, 3, 40]]
    assert (len(some), some.shape, some.nbytes) == (3, (3, 3), 36)
    assert np.array_equal(some[order], right[order])
    assert np.array_equal(some[1:], right[1:])
    assert np.array_equal(np.asarray(some.some(np.array([1]))), right[[1]])
    assert np.array_equal(np.concatenate([part for _, part in parts_of(rows)]), X.astype(np.float32))
