"""Data that are larger than memory: tables read part by part, arrays left where they lie."""

from __future__ import annotations

import gzip
import json
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import backproof as bp
from backproof.execution.reading import Data, on_disk, parquet, read_data, tables
from backproof.execution.reading.on_disk import Rows, parts_of
from backproof.ir.errors import DataError
from backproof.training import samples

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 3))
LABELS = RNG.integers(0, 2, 50)
NAMES = np.array(["no", "yes"])[LABELS]
NETWORK = bp.Network(3, [bp.Dense(4, "tanh"), bp.Dense(1, "sigmoid")], loss="bce")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has more than 100 bytes counts as large; seven rows are a part."""
    monkeypatch.setattr(tables, "CELLS", 28)
    monkeypatch.setattr(parquet, "AT_ONCE", 8 * 28)
    monkeypatch.setattr(on_disk, "AT_ONCE", 8 * 21)
    monkeypatch.setattr(on_disk, "LARGE", 100)
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


def _parquet(folder: Path, *, index: Any = (), **columns: Any) -> Path:
    """A Parquet file, in which pandas says so of its `index`; skips without pyarrow."""
    pyarrow, writing = (pytest.importorskip(name) for name in ("pyarrow", "pyarrow.parquet"))
    table = pyarrow.table({**dict(zip("abc", X.T, strict=True)), "kind": NAMES, **columns})
    table = table.replace_schema_metadata({"pandas": json.dumps({"index_columns": index})})
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


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "npz", "parquet"])
def test_one_limit_says_what_is_large(kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = SOURCES[kind](tmp_path)
    monkeypatch.setattr(on_disk, "LARGE", X.nbytes + 200)  # an NPY file has a head
    in_memory = _read(source)
    assert not isinstance(in_memory.X, np.memmap)
    assert np.array_equal(in_memory.X, X)
    monkeypatch.setattr(on_disk, "LARGE", X.nbytes - 1)
    assert isinstance(_read(source).X, np.memmap)


def test_text_of_a_table_is_given_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    taken: list[Any] = []
    split = tables._split

    def watched(table: Any, *columns: Any) -> Any:
        taken.append(weakref.ref(table))
        assert [one() for one in taken if one() is not None] == [table]
        return split(table, *columns)

    monkeypatch.setattr(tables, "_split", watched)
    _read(_csv(tmp_path / "data.csv"))
    assert len(taken) == 8


def test_a_large_trace_stays_on_disk(tmp_path: Path) -> None:
    np.savez(tmp_path / "trace.npz", layout="columns", parameters=["b[1]"], X=X.T, Y=LABELS[None], **{"b[1]": 0.5})
    data = _read(tmp_path / "trace.npz")
    assert isinstance(data.X, np.memmap)
    assert np.array_equal(data.X, X)


@pytest.mark.parametrize("rows", [20_000, 400_000])
def test_a_parquet_file_is_read_bit_by_bit(rows: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pyarrow, writing = (pytest.importorskip(name) for name in ("pyarrow", "pyarrow.parquet"))
    monkeypatch.setattr(parquet, "AT_ONCE", 2**18)
    path, numbers = tmp_path / "data.parquet", RNG.normal(size=(4, 400_000))
    table = pyarrow.table(dict(zip("abcd", numbers, strict=True)))
    writing.write_table(table, path, row_group_size=rows, use_dictionary=False, data_page_size=2**16)
    taken = [pyarrow.total_allocated_bytes()]

    def watched(parts: Iterator[Any]) -> Iterator[Any]:
        for part in parts:
            taken.append(pyarrow.total_allocated_bytes())
            yield part

    joined = parquet.joined
    monkeypatch.setattr(parquet, "joined", lambda parts: joined(watched(parts)))
    assert np.array_equal(_read(path).X, numbers[:3].T)
    assert len(taken) > 40
    assert max(taken) - taken[0] < path.stat().st_size / 4


@pytest.mark.parametrize("index", ["__index_level_0__", "patient"])
def test_an_index_of_pandas_is_no_column(index: str, tmp_path: Path) -> None:
    path = _parquet(tmp_path, index=[index], **{index: np.arange(50)})
    data = _read(path)
    assert np.array_equal(data.X, X)
    assert np.array_equal(data.Y[:, 0], LABELS)
    assert data.features == ("a", "b", "c")
    with pytest.raises(DataError, match=f"has no column '{index}'"):
        read_data(path, inputs=3, outputs=1, target=[index])
    assert np.array_equal(_read(_parquet(tmp_path, index=[{"kind": "range", "name": None}])).X, X)


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


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"b": [*X[:30, 1], np.inf, *X[31:, 1]]}, r"inf in the data \(data\.parquet, row 31, b\)"),
        ({"c": [*X[:22, 2], None, *X[23:, 2]]}, r"a value is missing \(data\.parquet, row 23, c\)"),
        ({"kind": ["yes", None, *NAMES[2:]]}, r"a label is missing \(data\.parquet, row 2, kind\)"),
        ({"kind": [*LABELS[:40], 7, *LABELS[41:]]}, r"label 7 is outside .*\(data\.parquet, row 41, kind\)"),
        ({"a": NAMES}, r"a column of string holds no numbers \(data\.parquet, a\)"),
    ],
)
def test_a_wrong_value_of_a_parquet_file_is_found(columns: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        _read(_parquet(tmp_path, **columns))


def test_what_is_no_parquet_file(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / "data.parquet").write_text("no table")
    with pytest.raises(DataError, match=r"cannot read data\.parquet"):
        _read(tmp_path / "data.parquet")


def test_nobody_is_told_to_transpose_a_table(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"takes 50 inputs, data\.parquet has 3 features") as caught:
        read_data(_parquet(tmp_path), inputs=50, outputs=1, target=["kind"])
    assert "transpose" not in str(caught.value)


def test_wrong_arrays_of_a_folder_are_found(tmp_path: Path) -> None:
    wrong = X.copy()
    wrong[30, 1] = np.inf
    np.save(tmp_path / "X.npy", wrong)
    np.save(tmp_path / "Y.npy", NAMES)
    with pytest.raises(DataError, match=r"inf in the data \(X\[30, 1\]\)"):
        _read(tmp_path)
    (tmp_path / "Y.npy").unlink()
    with pytest.raises(DataError, match=r"has no Y\.npy"):
        _read(tmp_path)
    np.save(tmp_path / "X.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(DataError, match=r"X\.npy holds something other than plain arrays"):
        _read(tmp_path)
    (tmp_path / "X.npy").write_text("1,2\n3,4\n5,6\n")
    with pytest.raises(DataError, match=r"X\.npy is not an NPY file, whatever its name says"):
        _read(tmp_path)


@pytest.mark.parametrize(("left", "message"), [(0, "empty"), (4, "cut off"), (60, "cut off"), (-1, "cut off")])
def test_an_array_that_is_cut_off(left: int, message: str, tmp_path: Path) -> None:
    file = _folder(tmp_path) / "X.npy"
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(DataError, match=rf"cannot read X\.npy .*\nIt is {message}\.$"):
        _read(tmp_path)


@contextmanager
def _files_up_to(size: int) -> Iterator[None]:
    """No file can become larger than this; skips where the system has no such limit."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("kind", ["csv", "npz", "parquet"])
def test_what_has_no_place_on_the_disk(kind: str, tmp_path: Path) -> None:
    source = SOURCES[kind](tmp_path)
    message = r"do not fit on the disk \(.*, after 1,000 bytes\)\nFile too large\..*\n.*set TMPDIR"
    with _files_up_to(1000), pytest.raises(DataError, match=message):
        _read(source)


def test_no_folder_for_temporary_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = _npz(tmp_path)

    def refuse(**_: Any) -> Any:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(on_disk.tempfile, "TemporaryFile", refuse)
    with pytest.raises(DataError, match=r"do not fit on the disk .*\nNo usable temporary directory found"):
        _read(source)


def test_without_pyarrow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "data.parquet").touch()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(bp.BackproofError, match=r"pip install 'backproof\[parquet\]'"):
        _read(tmp_path / "data.parquet")


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
    copied = np.array(Rows(mapped, float), copy=True)
    assert copied.flags.writeable
    assert np.array_equal(copied, X)
    with pytest.raises(ValueError, match="read into a new array"):
        np.array(rows, copy=False)
