"""A network from text: compact strings, TOML files, objects in Python files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import backproof as bp
from backproof.frontends.spec import read_spec
from backproof.ir.errors import SpecError


class TestCompactString:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("3-4", bp.Network(3, [4])),
            ("3-4-3", bp.Network(3, [4, 3])),
            ("3-4:tanh-3:sigmoid", bp.Network(3, [bp.Dense(4, "tanh"), bp.Dense(3, "sigmoid")])),
            ("n_x-h:tanh-2", bp.Network("n_x", [bp.Dense("h", "tanh"), 2])),
            (" 3 - 4 : tanh - 2 ", bp.Network(3, [bp.Dense(4, "tanh"), 2])),
            ("3-4:leaky_relu(0.2)-1", bp.Network(3, [bp.Dense(4, "leaky_relu(0.2)"), 1])),
            ("3-4:elu(1e-3)-1", bp.Network(3, [bp.Dense(4, "elu(1e-3)"), 1])),
            ("3-4:(z*sigmoid(z))-1", bp.Network(3, [bp.Dense(4, "(z*sigmoid(z))"), 1])),
            ("3-4:(z - 1)-1", bp.Network(3, [bp.Dense(4, "(z - 1)"), 1])),
            (
                "3-4:(exp(z)-exp(-z))-1:(1-(-z))",
                bp.Network(3, [bp.Dense(4, "(exp(z)-exp(-z))"), bp.Dense(1, "(1-(-z))")]),
            ),
            ("3-4:max(z-1, -z)-1", bp.Network(3, [bp.Dense(4, "max(z-1, -z)"), 1])),
            # Without brackets the dash begins a layer of one node: z is the activation.
            ("3-4:z-1", bp.Network(3, [bp.Dense(4, "z"), 1])),
            ("3-4:z**2-1", bp.Network(3, [bp.Dense(4, "z**2"), 1])),
            ("3-2:softmax", bp.Network(3, [bp.Dense(2, "softmax")])),
            ("999999999-1", bp.Network(999999999, [1])),
        ],
    )
    def test_reads(self, text: str, expected: bp.Network) -> None:
        assert read_spec(text) == expected

    def test_options_replace(self) -> None:
        found = read_spec("3-1", loss="mse", l1=0.5, l2=0.25)
        assert found == bp.Network(3, [1], loss="mse", l1=0.5, l2=0.25)
        assert bp.load("3-1", loss="mse") == bp.Network(3, [1], loss="mse")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", r"^'' does not describe a network\nit needs at least an input and a layer\na spec is "),
            ("3", r"^'3' does not describe a network"),
            ("3-", r"^'3-' does not describe a network"),
            ("-3", r"^'-3' does not describe a network"),
            ("3--4", r"^'3--4' does not describe a network"),
            ("3- -4", r"^'3- -4' does not describe a network"),
            ("3:tanh-4", r"^the input has no activation \(column 1 of '3:tanh-4'\)"),
            ("3-4:", r"^an activation is missing behind the colon \(column 4 of '3-4:'\)"),
            ("3-4: -2", r"^an activation is missing behind the colon \(column 4 of '3-4: -2'\)"),
            ("3-0", r"^'0' is not a number of nodes \(column 3 of '3-0'\)"),
            ("3-4.5", r"^'4\.5' is not a number of nodes \(column 3 of"),
            ("x!-3", r"^'x!' is not a number of nodes \(column 1 of 'x!-3'\)"),
            ("3-4:tanh-x y", r"^'x y' is not a number of nodes \(column 10 of"),
            ("3-9999999999", r"^'9999999999' is not a number of nodes"),
            ("3-²", r"^'²' is not a number of nodes"),
            ("3-m", r"^'m' is not the name of a size \(layer 1\)"),
            ("i-3", r"^'i' is not the name of a size \(inputs\)"),
            ("3-4:tahn-2", r"^unknown activation 'tahn'\ndid you mean 'tanh'\?"),
            ("3-4:(z - q)-1", r"^the name 'q' is not allowed \(column 6\)"),
            ("3-4:(z - 1", r"^the expression does not parse \(column 1\)"),
            ("3-4:tanh:relu", r"^the expression does not parse \(column 5\)"),
        ],
    )
    def test_errors(self, text: str, message: str) -> None:
        with pytest.raises(SpecError, match=message):
            read_spec(text)

    def test_a_long_string_is_read_soon(self) -> None:
        assert len(read_spec("-".join(["2"] * 2001)).layers) == 2000


class TestToml:
    TEXT = """
    inputs = 3
    loss = "binary_cross_entropy"
    l2 = 0.1
    [[layers]]
    units = "h"
    activation = "tanh"
    [[layers]]
    units = 2
    """

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "net.toml"

    def test_reads(self, path: Path) -> None:
        path.write_text(self.TEXT)
        expected = bp.Network(3, [bp.Dense("h", "tanh"), 2], loss="binary_cross_entropy", l2=0.1)
        assert read_spec(str(path)) == expected

    def test_options_replace_what_the_file_says(self, path: Path) -> None:
        path.write_text(self.TEXT)
        found = read_spec(str(path), loss="mse", l1=2.0, l2=0.0)
        assert (found.loss, found.l1, found.l2) == ("mse", 2.0, 0.0)
        assert read_spec(str(path), l1=1.0).loss == "binary_cross_entropy"

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("inputs = ", r"net\.toml is not a TOML file\nInvalid value"),
            ("a = 1\nb =\nc = 2", r"net\.toml is not a TOML file\n.*line 2"),
            ("", r"^'inputs' is missing \(.*net\.toml\)$"),
            ("inputs = 3", r"^'layers' is missing"),
            ("inputs = 3\nlayer = []", r"^unknown key 'layer' .*\nthe keys are inputs, l1, l2, layers, loss$"),
            ("inputs = 3\nlayers = 4", r"^layers is not a list of tables"),
            ("inputs = 3\nlayers = [4, 3]", r"^layers is not a list of tables .*\nwrite \[\[layers\]\] with units and"),
            ("inputs = 3\nlayers = []", r"^the network has no layers"),
            ("inputs = 3\n[[layers]]", r"^'units' is missing \(layer 1 of .*net\.toml\)"),
            ("inputs = 3\n[[layers]]\nunits = 2\n[[layers]]\nunit = 3", r"^unknown key 'unit' \(layer 2 of"),
            ("inputs = 0\n[[layers]]\nunits = 2", r"^0 is not a number of nodes \(inputs\)"),
            ('inputs = 3\n[[layers]]\nunits = "2"', r"^'2' is not the name of a size \(layer 1\)"),
            ("inputs = 3\n[[layers]]\nunits = 2.5", r"^2\.5 is not a number of nodes \(layer 1\)"),
            ("inputs = 3\n[[layers]]\nunits = 2\nactivation = 1", r"^1 is not the name of a function"),
            ("inputs = 3\nl1 = true\n[[layers]]\nunits = 2", r"^l1=True is not a regularisation"),
            ('inputs = 3\nloss = "msee"\n[[layers]]\nunits = 2', r"^unknown loss 'msee'"),
            ("inputs = [3]\n[[layers]]\nunits = 2", r"is not a number of nodes \(inputs\)"),
            ("inputs = 3\n[[layers]]\nunits = [2]", r"is not a number of nodes \(layer 1\)"),
            ('inputs = 3\nloss = ["mse"]\n[[layers]]\nunits = 2', r"is not the name of a function"),
            ('inputs = 3\n[[layers]]\nunits = 2\nactivation = ["tanh"]', r"is not the name of a function"),
        ],
    )
    def test_errors(self, path: Path, text: str, message: str) -> None:
        path.write_text(text)
        with pytest.raises(SpecError, match=message):
            read_spec(str(path))

    def test_missing(self, path: Path) -> None:
        with pytest.raises(SpecError, match=r"^there is no file .*net\.toml\na spec is "):
            read_spec(str(path))

    def test_not_text(self, path: Path) -> None:
        path.write_bytes(b"inputs = '\xff'")
        with pytest.raises(SpecError, match=r"net\.toml cannot be read"):
            read_spec(str(path))

    def test_a_folder(self, path: Path) -> None:
        path.mkdir()
        with pytest.raises(SpecError, match=r"net\.toml cannot be read"):
            read_spec(str(path))


class TestPython:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "nets.py"

    def test_reads(self, path: Path) -> None:
        path.write_text("import backproof as bp\nnet = bp.Network(3, [bp.Dense(2, 'tanh')], loss='mse')\n")
        assert read_spec(f"{path}:net") == bp.Network(3, [bp.Dense(2, "tanh")], loss="mse")
        assert read_spec(f"{path}:net", l1=0.5).l1 == 0.5

    def test_may_import_its_neighbours(self, path: Path) -> None:
        (path.parent / "neighbour_of_nets.py").write_text("WIDTH = 7\n")
        path.write_text("from neighbour_of_nets import WIDTH\nimport backproof as bp\nnet = bp.Network(3, [WIDTH])\n")
        before = list(sys.path)
        try:
            assert read_spec(f"{path}:net") == bp.Network(3, [7])
        finally:
            sys.modules.pop("neighbour_of_nets", None)
        assert sys.path == before

    def test_is_not_run_as_the_main_program(self, path: Path) -> None:
        path.write_text(
            "import backproof as bp\nnet = bp.Network(3, [2])\nif __name__ == '__main__': raise SystemExit(5)\n"
        )
        assert read_spec(f"{path}:net") == bp.Network(3, [2])

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                "net = 3",
                r"^'net' is neither a network nor a function \(.*nets\.py\)\nit is a int\nassign a .*",
            ),
            ("other = 3", r"nets\.py has no 'net'"),
            ("net = ", r"nets\.py cannot be run\nSyntaxError: "),
            ("1/0", r"nets\.py cannot be run\nZeroDivisionError: division by zero$"),
            ("import backproof as bp\nnet = bp.Network(0, [1])", r"^0 is not a number of nodes \(inputs\)"),
            ("import sys; sys.exit(3)", r"nets\.py cannot be run\nSystemExit: 3$"),
        ],
    )
    def test_errors(self, path: Path, text: str, message: str) -> None:
        path.write_text(text)
        before = list(sys.path)
        with pytest.raises(SpecError, match=message):
            read_spec(f"{path}:net")
        assert sys.path == before

    def test_an_encoding_of_its_own(self, path: Path) -> None:
        text = "# coding: latin-1\n# Müller\nimport backproof as bp\nnet = bp.Network(3, [2])\n"
        path.write_bytes(text.encode("latin-1"))
        assert read_spec(f"{path}:net") == bp.Network(3, [2])
        path.write_bytes(text.encode("latin-1").replace(b"latin-1", b"nonsense"))
        with pytest.raises(SpecError, match=r"nets\.py cannot be read\nunknown encoding"):
            read_spec(f"{path}:net")

    def test_a_file_that_changes_the_path(self, path: Path) -> None:
        path.write_text("import sys, backproof as bp\nsys.path.remove(sys.path[0])\nnet = bp.Network(3, [2])\n")
        assert read_spec(f"{path}:net") == bp.Network(3, [2])

    def test_missing(self, path: Path) -> None:
        with pytest.raises(SpecError, match=r"^there is no file .*nets\.py"):
            read_spec(f"{path}:net")

    def test_without_an_object(self, path: Path) -> None:
        path.write_text("")
        with pytest.raises(
            SpecError, match=r"nets\.py does not say which network or function of the file\nwrite .*:name$"
        ):
            read_spec(str(path))
