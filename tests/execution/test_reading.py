"""Reading data: what is taken, what becomes of labels, and one clear message for everything else."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import backproof
from backproof.execution.reading import Data, read_data
from backproof.execution.reading.files import BUNDLED
from backproof.ir.errors import DataError

FLOWERS = """\
length,width,kind
1.5,2.0,rose
1.0,2.5,daisy
0.5,3.0,rose
"""


def read(source: Any, *, inputs: int | None = None, outputs: int | None = None, **options: Any) -> Data:
    return read_data(source, inputs=inputs, outputs=outputs, **options)


@pytest.fixture
def csv_file(tmp_path: Path):
    def write(text: str, name: str = "flowers.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


class TestBundled:
    def test_iris_is_fishers(self) -> None:
        data = read("iris", inputs=4, outputs=3)
        assert data.X.shape == (150, 4)
        assert data.X.dtype == data.Y.dtype == np.float64
        assert data.classes == ("setosa", "versicolor", "virginica")
        assert data.features == ("sepal_length", "sepal_width", "petal_length", "petal_width")
        assert data.name == "iris"
        assert data.parameters == {}
        np.testing.assert_array_equal(data.Y.sum(axis=0), [50, 50, 50])
        np.testing.assert_allclose(data.X.mean(axis=0), [5.843, 3.057, 3.758, 1.199], atol=5e-4)
        # Where the paper and UCI's file differ.
        np.testing.assert_array_equal(data.X[[34, 37]], [[4.9, 3.1, 1.5, 0.2], [4.9, 3.6, 1.4, 0.1]])

    def test_digits(self) -> None:
        data = read("digits", inputs=64, outputs=10)
        assert data.X.shape == (1797, 64)
        assert data.classes == tuple("0123456789")
        assert data.features is not None
        assert data.features[:2] == ("pixel_0_0", "pixel_0_1")
        np.testing.assert_array_equal(data.Y.sum(axis=0), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
        assert (data.X.sum(), data.X.min(), data.X.max()) == (561718, 0, 16)

    def test_digit_as_a_number(self) -> None:
        data = read("digits", inputs=64, outputs=1, rows=3)
        np.testing.assert_array_equal(data.Y, [[0], [1], [2]])
        assert data.classes is None

    def test_sizes_may_be_left_to_the_data(self) -> None:
        for name, n0, n in (("iris", 4, 3), ("digits", 64, 10)):
            data = read(name)
            assert (data.X.shape[1], data.Y.shape[1]) == (n0, n)

    def test_first_rows_keep_all_classes(self) -> None:
        data = read("iris", inputs=4, outputs=3, rows=2)
        np.testing.assert_array_equal(data.Y, [[1, 0, 0], [1, 0, 0]])

    def test_another_column_as_target(self) -> None:
        data = read("digits", inputs=64, outputs=1, target=["pixel_3_3"], rows=2)
        assert data.features is not None
        assert data.features[-1] == "digit"

    def test_every_bundled_set_has_its_source(self) -> None:
        folder = Path(backproof.__file__).parent / "data"
        sources = (folder / "SOURCES.md").read_text(encoding="utf-8")
        for file in BUNDLED.values():
            assert f"## `{file}`" in sources
        # The time stamp in a gzip header: bytes 4 to 7.
        assert (folder / "digits.csv.gz").read_bytes()[4:8] == b"\0\0\0\0"


class TestTable:
    @pytest.mark.parametrize(
        "text",
        [
            "a,b,y\n1,2,3\n4,5,6\n",
            "1,2,3\n4,5,6\n",
            "a;b;y\n1;2;3\n4;5;6\n",
            "a\tb\ty\n1\t2\t3\n4\t5\t6\n",
            "# made by hand\n\na, b, y\n1, 2, 3\n  # between\n4, 5, 6\n\n",
            '"a","b","y"\r\n"1","2","3"\r\n"4","5","6"\r\n',
            "\ufeffa,b,y\n1,2,3\n4,5,6",
            "1e0,+2,3.\n4,5,6\n",
        ],
    )
    def test_spellings_of_one_table(self, csv_file, text: str) -> None:
        data = read(csv_file(text), inputs=2, outputs=1)
        np.testing.assert_array_equal(data.X, [[1, 2], [4, 5]])
        np.testing.assert_array_equal(data.Y, [[3], [6]])
        assert data.features == (("a", "b") if "y" in text else None)

    def test_quoted_separator(self, csv_file) -> None:
        data = read(csv_file('"length, cm","a;b",y\n1,2,3\n'), inputs=2, outputs=1)
        assert data.features == ("length, cm", "a;b")

    def test_a_row_longer_than_the_csv_modules_limit_for_one_cell(self, csv_file) -> None:
        data = read(csv_file(",".join(["1.5"] * 50_000)), inputs=49_999, outputs=1)
        assert data.X.shape == (1, 49_999)

    def test_gzip(self, tmp_path: Path) -> None:
        path = tmp_path / "flowers.csv.gz"
        path.write_bytes(gzip.compress(FLOWERS.encode()))
        assert read(str(path), inputs=2, outputs=2).name == "flowers.csv.gz"

    def test_several_targets(self, csv_file) -> None:
        data = read(csv_file("1,2,3\n4,5,6\n"), inputs=1, outputs=2)
        np.testing.assert_array_equal(data.Y, [[2, 3], [5, 6]])

    def test_without_inputs_the_last_columns_are_the_targets(self, csv_file) -> None:
        path = csv_file("1,2,3\n4,5,6\n")
        assert read(path, outputs=2).Y.shape == (2, 2)
        assert read(path).Y.shape == (2, 1)
        assert read(path, outputs=2, classification=True).classes == ("3", "6")
        assert read(csv_file(FLOWERS), outputs=2).classes == ("daisy", "rose")

    @pytest.mark.parametrize("target", [["y"], ["1"]])
    def test_target_by_heading_or_number(self, csv_file, target: list[str]) -> None:
        data = read(csv_file("y,a,b\n1,2,3\n4,5,6\n"), inputs=2, outputs=1, target=target)
        np.testing.assert_array_equal(data.Y, [[1], [4]])
        assert data.features == ("a", "b")

    def test_targets_in_the_order_they_are_named(self, csv_file) -> None:
        data = read(csv_file("y,a,b\n1,2,3\n"), inputs=1, outputs=2, target=["b", "y"])
        np.testing.assert_array_equal(data.Y, [[3, 1]])

    def test_rows_beyond_the_end(self, csv_file) -> None:
        assert read(csv_file(FLOWERS), rows=99).X.shape == (3, 2)


class TestLabels:
    def test_numbered_classes_need_not_all_occur(self) -> None:
        data = read((np.zeros((2, 1)), [2, 0]), outputs=4, classification=True)
        assert data.Y.tolist() == [[0, 0, 1, 0], [1, 0, 0, 0]]
        assert data.classes == ("0", "1", "2", "3")

    def test_one_column_per_class_in_sorted_order(self, csv_file) -> None:
        data = read(csv_file(FLOWERS), inputs=2, outputs=2)
        assert data.classes == ("daisy", "rose")
        np.testing.assert_array_equal(data.Y, [[0, 1], [1, 0], [0, 1]])

    def test_numbers_sort_as_numbers(self) -> None:
        data = read((np.zeros((3, 1)), [10, 9, 100]), outputs=3, classification=True)
        assert data.classes == ("9", "10", "100")
        np.testing.assert_array_equal(data.Y, [[0, 1, 0], [1, 0, 0], [0, 0, 1]])

    def test_two_classes_and_one_output(self, csv_file) -> None:
        data = read(csv_file(FLOWERS), inputs=2, outputs=1)
        np.testing.assert_array_equal(data.Y, [[1], [0], [1]])
        assert data.classes == ("daisy", "rose")

    def test_plus_minus_one(self, csv_file) -> None:
        path = csv_file(FLOWERS)
        np.testing.assert_array_equal(read(path, outputs=1, labels="-1+1").Y, [[1], [-1], [1]])
        np.testing.assert_array_equal(read(path, outputs=2, labels="-1+1").Y, [[-1, 1], [1, -1], [-1, 1]])

    @pytest.mark.parametrize(
        ("given", "labels", "expected"),
        [
            ([0, 1], "01", [0, 1]),
            ([1, 1], "01", [1, 1]),
            ([0, 0], "-1+1", [-1, -1]),
            ([-1, -1], "01", [0, 0]),
            ([-1, 1], "-1+1", [-1, 1]),
            ([2, 1], "01", [1, 0]),
            ([True, False], "01", [1, 0]),
        ],
    )
    def test_numbers_for_one_output(self, given: list[int], labels: str, expected: list[int]) -> None:
        data = read((np.zeros((2, 1)), given), outputs=1, classification=True, labels=labels)
        np.testing.assert_array_equal(data.Y[:, 0], expected)

    def test_probabilities_stay(self) -> None:
        data = read((np.zeros((2, 1)), [0.25, 1]), outputs=1, classification=True)
        np.testing.assert_array_equal(data.Y, [[0.25], [1]])
        assert data.classes is None

    def test_one_hot_columns_stay(self) -> None:
        Y = np.eye(3)
        data = read((np.zeros((3, 1)), Y), outputs=3, classification=True)
        np.testing.assert_array_equal(data.Y, Y)

    def test_text_from_a_column_of_objects(self) -> None:
        column = np.array(["b", "a"], dtype=object)
        assert read((np.zeros((2, 1)), column), outputs=2).classes == ("a", "b")


class TestArrays:
    def test_pair_and_mapping_agree(self, rng: np.random.Generator) -> None:
        X, Y = rng.standard_normal((5, 3)).astype(np.float32), rng.standard_normal((5, 2))
        for source in ((X, Y), {"X": X, "Y": Y}, {"x": X.tolist(), "y": Y.tolist()}):
            data = read(source, inputs=3, outputs=2, rows=4)
            np.testing.assert_array_equal(data.X, X[:4].astype(np.float64))
            np.testing.assert_array_equal(data.Y, Y[:4])
            assert data.X.dtype == np.float64
            assert data.name == "arrays"

    def test_a_vector_is_a_column(self) -> None:
        data = read(([1, 2], [3, 4]), inputs=1, outputs=1)
        np.testing.assert_array_equal(data.X, [[1], [2]])

    def test_npz_with_parameters(self, tmp_path: Path) -> None:
        path = tmp_path / "net.npz"
        np.savez(path, x=np.ones((2, 3)), y=["b", "a"], **{"W[1]": np.ones((4, 3)), "b1": np.zeros(4), "note": 1})
        data = read(path, inputs=3, outputs=2)
        assert data.classes == ("a", "b")
        assert {key: value.shape for key, value in data.parameters.items()} == {"W[1]": (4, 3), "b[1]": (4,)}
        assert data.name == "net.npz"

    def test_a_parameter_that_is_a_single_number(self) -> None:
        data = read({"X": [[1.0]], "Y": [1.0], "b1": 0.5})
        assert data.parameters["b[1]"].shape == ()
        assert data.parameters["b[1]"] == 0.5


class TestUnusable:
    @pytest.mark.parametrize(
        ("text", "options", "message"),
        [
            ("", {}, r"flowers\.csv is empty"),
            ("\n# nothing\n", {}, r"is empty"),
            ("a,b\n", {}, r"has no rows \(line 1\)"),
            ("a,b,y\n1,2,3\n\n4,5\n", {}, r"2 cells where 3 were expected \(flowers\.csv, line 4\)\nThe first row"),
            ("a,b,y\n1,two,3\n", {}, r"'two' is not a number \(flowers\.csv, line 2, b\)"),
            ("1,2,3\n4,5,six\n", {}, r"'six' is not a number \(flowers\.csv, line 2, column 3\)"),
            ("a,b,y\n1,,3\n", {}, r"an empty cell \(flowers\.csv, line 2, b\)"),
            ("a;b\n1,5;2\n", {}, r"'1,5' is not a number .*\n.*decimal point"),
            ("a,b\n1_0,2\n", {}, r"'1_0' is not a number"),
            ("a,b\n1,2\nnan,4\n", {}, r"nan in the data \(flowers\.csv, line 3, a\)"),
            ("a,b\n1,2\n3,-inf\n", {}, r"-inf in the data \(flowers\.csv, line 3, b\)"),
            ("a,y\n1,rose\n2,\n", {}, r"a label is missing \(flowers\.csv, line 3, y\)"),
            ('a,b\n1,"2\n3,4\n', {}, r"not a well-formed table"),
            ("a,b\n1,2\n", {"target": ["c"]}, r"no column 'c' \(columns a, b\)\nName a heading, or .* 1 to 2"),
            ("length,b\n1,2\n", {"target": ["lenght"]}, r"Did you mean 'length'\?"),
            ("a,b\n1,2\n", {"target": ["3"]}, r"has no column '3'"),
            ("a,a,b\n1,2,3\n", {"target": ["a"]}, r"2 columns are named 'a'.*\nName it by its number: 1 or 2"),
            ("a,b\n1,2\n", {"target": ["a", "1"]}, r"named twice"),
            ("a,b\n1,2\n", {"target": ["a", "b"]}, r"no column is left as an input"),
            ("a\n1\n", {}, r"has 1 column "),
            ("a,b\n1,2\n", {"inputs": 2}, r"the network has 2 inputs, flowers\.csv has 2 columns"),
            ("a,b,c,d,y\n1,2,3,4,5\n", {"inputs": 3, "outputs": 1}, r"3 inputs and 1 output, .* has 5 columns"),
            ("a,b,y\n1,2,3\n", {"inputs": 3, "target": ["y"]}, r"takes 3 inputs, flowers\.csv has 2 features"),
            ("a,y\n1,2\n", {"inputs": 1, "outputs": 3}, r"the network has 3 outputs, .* has 1 target column "),
            ("a,y\n1,2\n", {"rows": 0}, r"0 rows leave no data"),
        ],
    )
    def test_table(self, csv_file, text: str, options: dict[str, Any], message: str) -> None:
        with pytest.raises(DataError, match=message):
            read(csv_file(text), **options)

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ("irsi", r"no data set is named 'irsi'.*\n.*\nDid you mean iris\? The bundled sets are digits and iris"),
            ("nonsense", r"no data set is named 'nonsense'.*\n.*\nThe bundled sets"),
            ("no/such/file.csv", r"no such file \(no/such/file\.csv\)\nCheck the path"),
        ],
    )
    def test_nothing_of_that_name(
        self, source: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(DataError, match=message):
            read(source)

    def test_a_file_of_nearly_that_name(self, csv_file) -> None:
        path = csv_file(FLOWERS)
        with pytest.raises(DataError, match=r"Did you mean .*flowers\.csv\?"):
            read(path.with_name("flower.csv"))

    def test_unreadable(self, tmp_path: Path, csv_file, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(DataError, match=r"has no X\.npy"):
            read(tmp_path)
        path = csv_file(FLOWERS)

        def refuse(_: Path, *options: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
        with pytest.raises(DataError, match=r"cannot read flowers\.csv .*\nPermission denied"):
            read(path)

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("a.csv", b"1,2\n\xff\xfe", r"a\.csv is not text \(byte 5\)"),
            ("a.csv", "1,2\n3,€".encode()[:-1], r"a\.csv is not text \(byte 7\)"),
            ("a.csv", "\ufeff1,2\n3,".encode() + b"\xe9\n", r"a\.csv is not text \(byte 10\)"),
            ("a.csv.gz", b"1,2\n", r"cannot read a\.csv\.gz"),
            # No time stamp: every process that collects this test must give it the same name.
            ("a.csv.gz", gzip.compress(b"1,2\n", mtime=0)[:-6], r"cannot read a\.csv\.gz"),
            ("a.csv.gz", gzip.compress(b"1,2\n\xe9,4\n", mtime=0)[:-6], r"a\.csv\.gz is not text \(byte 5\)"),
            ("a.npz", b"", r"cannot read a\.npz"),
            ("a.npz", b"PK\x03\x04 cut short", r"cannot read a\.npz"),
            ("a.npz", b"1,2\n3,4\n", r"a\.npz is not an NPZ file, whatever its name says"),
            ("a.npz", pickle.dumps({"X": 1}), r"a\.npz holds something other than plain arrays"),
        ],
    )
    def test_broken_file(self, tmp_path: Path, name: str, content: bytes, message: str) -> None:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=message):
            read(tmp_path / name)

    def test_objects_in_npz(self, tmp_path: Path) -> None:
        path = tmp_path / "objects.npz"
        np.savez(path, X=np.array([{"a": 1}], dtype=object), Y=np.ones(1))
        with pytest.raises(DataError, match=r"objects\.npz holds something other than plain arrays.*\nPython objects"):
            read(path)

    def test_a_single_array_in_npz(self, tmp_path: Path) -> None:
        path = tmp_path / "one.npz"
        with path.open("wb") as file:
            np.save(file, np.ones(3))
        with pytest.raises(DataError, match="holds a single array"):
            read(path)

    @pytest.mark.parametrize(
        ("source", "options", "message"),
        [
            ({"X": [[1.0]]}, {}, r"arrays has no array Y \(it has X\)"),
            ({}, {}, r"no array X \(it has none\)"),
            (([1.0], [1.0], [1.0]), {}, r"3 arrays instead of two"),
            ((np.ones((2, 2)), np.ones(3)), {}, r"X has 2 rows, Y has 3 rows \(X \(2, 2\), Y \(3, 1\)\)"),
            ((np.ones((2, 5)), np.ones((1, 5))), {}, r"Transpose them if your samples are columns"),
            ((np.ones((5, 2)), np.ones((5, 1))), {"inputs": 5}, r"takes 5 inputs, arrays has 2 f.*\n.*\n.*transpose"),
            ((np.ones((5, 2)), np.ones(5)), {"inputs": 3}, r"Change the network's inputs to 2"),
            ((np.ones((5, 2, 2)), np.ones(5)), {}, r"X has 3 axes .*\n.*\nX\.reshape\(len\(X\), -1\)"),
            ((np.ones(()), np.ones(5)), {}, r"X has 0 axes .*\n.*\nGive an array"),
            ((np.ones((0, 2)), np.ones((0, 1))), {}, r"X is empty"),
            (([[1, 2], [3]], [1, 2]), {}, r"X is ragged"),
            (([1, None], [1, 2]), {}, r"X is an array of object"),
            (([1j, 2], [1, 2]), {}, r"X is an array of complex128"),
            ((["a", "b"], [1, 2]), {}, r"X holds text"),
            (([1, 2], [["a", "b"], ["a", "b"]]), {}, r"Y holds text \(Y, shape \(2, 2\)\)"),
            (([[1, 2], [3, np.nan]], [1, 2]), {}, r"nan in the data \(X\[1, 1\]\)"),
            (([1, 2], [1, np.inf]), {}, r"inf in the data \(Y\[1, 0\]\)"),
            ({"X": [1], "Y": [1], "W1": [np.nan]}, {}, r"nan in the data \(W1\[0\]\)"),
            ({"X": [1], "Y": [1], "b1": np.nan}, {}, r"nan in the data \(b1\)"),
            (([1, 2], [1, 2]), {"target": ["y"]}, r"target columns are named for arrays"),
            (([1, 2], [1, 2]), {"outputs": 2}, r"has 2 outputs, arrays has 1 target column .*\n.*classification"),
        ],
    )
    def test_arrays(self, source: Any, options: dict[str, Any], message: str) -> None:
        with pytest.raises(DataError, match=message):
            read(source, **options)

    @pytest.mark.parametrize(
        ("given", "outputs", "message"),
        [
            ([0, 1, 7, 8], 3, r"label 7 is outside the classes 0…2 \(arrays, Y\[2, 0\]\)\n.*4 classes: 0, 1, 7, 8"),
            ([0, 1, 2], 2, r"label 2 is outside the classes 0…1"),
            ([0, 1, 2], 1, r"label 2 is outside the classes 0…1 .*\n.* 1 output;.*\nGive .* 3 nodes"),
            ([0, 1, 0.5], 2, r"0\.5 is not a class label \(arrays, Y\[2, 0\]\)"),
            (["a", "a"], 2, r"has 2 outputs, arrays has 1 class: a.*\n.*\nUse data with more than one class"),
            (["a", "b"], 3, r"arrays has 2 classes: a, b.*\n.*\nGive the last layer two nodes, or one"),
            (["a", "b", "c"], 1, r"the network has 1 output, arrays has 3 classes: a, b, c"),
            (["a", "b", "c"], 2, r"the network has 2 outputs, arrays has 3 classes: a, b, c"),
        ],
    )
    def test_classes(self, given: list[Any], outputs: int, message: str) -> None:
        with pytest.raises(DataError, match=message):
            read((np.zeros((len(given), 1)), given), outputs=outputs, classification=True)

    def test_label_outside_in_a_file(self, csv_file) -> None:
        path = csv_file("a,y\n1,0\n1,1\n1,2\n1,7\n")
        with pytest.raises(DataError, match=r"label 7 is outside the classes 0…2 \(flowers\.csv, line 5, y\)"):
            read(path, inputs=1, outputs=3, classification=True)

    def test_text_for_a_regression(self) -> None:
        with pytest.raises(DataError, match=r"the target 'setosa' is not a number \(iris, line 2, species\)"):
            read("iris", inputs=4, outputs=1)

    def test_sizes_of_a_bundled_set(self) -> None:
        with pytest.raises(DataError, match=r"the network takes 3 inputs, iris has 4 features"):
            read("iris", inputs=3, outputs=3)
        with pytest.raises(DataError, match=r"the network has 2 outputs, iris has 3 classes: setosa, versicolor"):
            read("iris", inputs=4, outputs=2)
