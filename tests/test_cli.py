"""The command line: what is printed and written, exit codes, and one clear message for every unusable input."""

from __future__ import annotations

import gc
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import backproof as bp
import backproof.api
from backproof.cli import main
from backproof.execution.trace import Trace

NETWORK = ("4-5:tanh-3:softmax", "--loss", "categorical_cross_entropy")
IRIS = (*NETWORK, "--data", "iris")


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


Command = Callable[..., Result]


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, and a terminal of which nothing is known."""
    monkeypatch.chdir(tmp_path)
    for name in ("FORCE_COLOR", "NO_COLOR", "COLUMNS", "TTY_COMPATIBLE", "PYTHONIOENCODING"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def backproof_(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """`backproof_("derive", "3-4")` as the entry point does it, in this process."""

    def command(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["backproof", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
        code = caught.value.code
        return Result(code if isinstance(code, int) else 0 if code is None else 1, *capsys.readouterr())

    yield command
    gc.enable()  # a command is the last thing a process does, so it switches the collector off


def spawned(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own."""
    kept = {k: v for k, v in os.environ.items() if k not in ("LC_ALL", "LANG", "LC_CTYPE", "PYTHONUTF8")}
    return subprocess.run(
        [sys.executable, "-m", "backproof", *arguments], env={**kept, **environment}, capture_output=True, check=False
    )


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


class TestHelp:
    @pytest.mark.parametrize(
        "command", [(), ("derive",), ("run",), ("check",)], ids=lambda c: c[0] if c else "backproof"
    )
    @pytest.mark.parametrize("option", ["--help", "-h"])
    def test_help(self, backproof_: Command, command: tuple[str, ...], option: str) -> None:
        result = backproof_(*command, option)
        assert result.code == 0
        assert result.err == ""
        assert "Usage: backproof" in result.out
        wanted = (
            ("--loss", "--mean", "--layout", "--l1", "--l2") if command else ("derive", "run", "check", "--version")
        )
        assert all(word in result.out for word in wanted)

    def test_version(self, backproof_: Command) -> None:
        assert backproof_("--version").out.strip() == f"backproof, version {bp.__version__}"

    def test_help_needs_no_numpy_and_no_sympy(self) -> None:
        program = (
            "import sys\nsys.argv = ['backproof', 'derive', '--help']\nfrom backproof.cli import main\n"
            "try: main()\nexcept SystemExit: assert not {'numpy', 'sympy', 'scipy', 'ziamath'} & set(sys.modules)\n"
        )
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)

    def test_as_a_module(self) -> None:
        assert spawned("--version").stdout.decode().strip() == f"backproof, version {bp.__version__}"


class TestDerive:
    TITLE = "Forward and backward pass of the network 3 → 4 → 2"
    SPEC = ("3-4:tanh-2:sigmoid", "--loss", "bce")

    @pytest.mark.parametrize(
        ("form", "begin"),
        [
            ("text", TITLE),
            ("markdown", f"# {TITLE}"),
            ("latex", r"\documentclass"),
            ("html", "<!doctype html>"),
            ("json", '{\n "schema": "backproof/derivation"'),
        ],
    )
    def test_every_format(self, backproof_: Command, desk: Path, form: str, begin: str) -> None:
        result = backproof_("derive", *self.SPEC, "--format", form)
        assert (result.code, result.err) == (0, "")
        assert result.out.startswith(begin)
        assert result.out.endswith("\n")
        assert "\x1b" not in result.out
        assert files(desk) == set()
        if form != "text":
            network = bp.load(self.SPEC[0], loss="bce")
            assert result.out == bp.render(bp.derive(network), form, title=self.TITLE)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("name", "form"),
        [
            ("a.md", "markdown"),
            ("a.tex", "latex"),
            ("a.html", "html"),
            ("a.json", "json"),
            ("a.txt", "text"),
            ("a.HTML", "html"),
            ("new/folder/a.md", "markdown"),
        ],
    )
    def test_a_file_by_its_suffix(self, backproof_: Command, desk: Path, name: str, form: str) -> None:
        result = backproof_("derive", *self.SPEC, "-o", name)
        assert (result.code, result.out, result.err) == (0, f"wrote {name}\n", "")
        assert {f for f in files(desk) if (desk / f).is_file()} == {name}
        network = bp.load(self.SPEC[0], loss="bce")
        expected = bp.render(bp.derive(network), form, title=self.TITLE)  # type: ignore[arg-type]
        assert (desk / name).read_bytes().decode() == expected

    def test_a_format_wins_over_a_suffix(self, backproof_: Command, desk: Path) -> None:
        assert backproof_("derive", "3-2", "--format", "json", "-o", "a.txt").code == 0
        assert json.loads((desk / "a.txt").read_text(encoding="utf-8"))["version"] == 1

    def test_a_new_file_is_as_readable_as_any(self, backproof_: Command, desk: Path) -> None:
        old = os.umask(0o027)
        try:
            assert backproof_("derive", "3-2", "-o", "a.md").code == 0
        finally:
            os.umask(old)
        assert (desk / "a.md").stat().st_mode & 0o777 == 0o640

    def test_a_file_behind_a_link_is_replaced_and_keeps_its_permissions(self, backproof_: Command, desk: Path) -> None:
        (desk / "a.md").write_text("old")
        (desk / "a.md").chmod(0o600)
        (desk / "b.md").symlink_to("a.md")
        assert backproof_("derive", "3-2", "-o", "b.md").code == 0
        assert (desk / "b.md").is_symlink()
        assert (desk / "a.md").read_text(encoding="utf-8").startswith("# Forward")
        assert (desk / "a.md").stat().st_mode & 0o777 == 0o600

    def test_pictures(
        self, backproof_: Command, desk: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        result = backproof_("derive", "2-1", "--format", "svg", "-o", "pictures")
        assert (result.code, result.err) == (0, "")
        found = sorted((desk / "pictures").iterdir())
        assert result.out == f"wrote {len(found)} pictures to pictures\n"
        assert {path.suffix for path in found} == {".svg"}
        assert {"dZ1.svg", "dW1.svg"} <= {path.name for path in found}
        assert all(path.read_text(encoding="utf-8").lstrip().startswith("<svg") for path in found)

    def test_options_change_the_derivation(self, backproof_: Command) -> None:
        plain = backproof_("derive", *self.SPEC).out
        assert "dX" in backproof_("derive", *self.SPEC, "--dx").out
        assert "dX" not in plain
        assert "2 × m" not in plain
        assert "dZ[2]ᵀ" in backproof_("derive", *self.SPEC, "--layout", "rows", "--format", "json").out
        by_sample = json.loads(backproof_("derive", *self.SPEC, "--mean", "parameters", "--format", "json").out)
        assert by_sample["mean"] == "parameters"
        assert len(backproof_("derive", *self.SPEC, "--expand").out) > 2 * len(plain)
        assert "0.5 W" in backproof_("derive", *self.SPEC, "--l2", "0.5", "--format", "json").out

    def test_sources_of_a_network(self, backproof_: Command, desk: Path) -> None:
        (desk / "net.toml").write_text(
            'inputs = 3\nloss = "bce"\n[[layers]]\nunits = 4\nactivation = "tanh"\n'
            '[[layers]]\nunits = 2\nactivation = "sigmoid"\n'
        )
        (desk / "net.py").write_text(
            "import backproof as bp\nnet = bp.Network(3, [bp.Dense(4, 'tanh'), bp.Dense(2, 'sigmoid')], loss='bce')\n"
        )
        expected = backproof_("derive", *self.SPEC, "--format", "json").out
        assert backproof_("derive", "net.toml", "--format", "json").out == expected
        assert backproof_("derive", "net.py:net", "--format", "json").out == expected

    def test_a_deep_network(self, backproof_: Command) -> None:
        result = backproof_("derive", "-".join(["2", *["2:tanh"] * 150]), "--format", "json")
        assert result.code == 0
        assert len(json.loads(result.out)["backward"]) == 4 * 150


class TestRun:
    def test_a_table_of_everything(self, backproof_: Command) -> None:
        result = backproof_("run", *IRIS)
        assert (result.code, result.err) == (0, "")
        assert result.out.startswith("Every quantity on iris (150 samples)")
        trace = bp.run(bp.load(NETWORK[0], loss="cce"), "iris")
        for name in trace:
            assert re.search(rf"^ *{re.escape(name)} ", result.out, re.MULTILINE), name

    def test_entry(self, backproof_: Command) -> None:
        trace = bp.run(bp.load(NETWORK[0], loss="cce"), "iris")
        result = backproof_("run", *IRIS, "--entry", "dW[2][2,1]")
        assert (result.code, result.err) == (0, "")
        assert result.out.startswith(f"dW[2][2,1] = {trace['dW[2]'][1, 0]:.9g}")
        assert "138 smaller terms" in result.out
        assert "sum" in result.out

    def test_depth(self, backproof_: Command) -> None:
        short, long = (backproof_("run", *IRIS, "--entry", "dZ[1][1,1]", "--depth", n).out for n in (1, 4))
        assert len(long) > 2 * len(short)
        assert long.startswith(short.rstrip("\n"))
        everything = backproof_("run", *IRIS, "--rows", 2, "--entry", "A[1][1,1]", "--depth", 50)
        assert "is given: it is data or a parameter." in everything.out

    def test_entries_of_a_scalar_and_of_a_bias(self, backproof_: Command) -> None:
        result = backproof_("run", *IRIS, "--rows", 3, "--entry", "J", "--entry", "db[1][2]", "--entry", " b[1] [2,1] ")
        assert result.code == 0
        assert re.findall(r"^(\S+) = ", result.out, re.MULTILINE)[:1] == ["J"]
        assert "db[1][2,1] = " in result.out
        assert "b[1][2,1] = 0" in result.out

    def test_show(self, backproof_: Command) -> None:
        trace = bp.run(bp.load(NETWORK[0], loss="cce"), "iris", rows=2)
        result = backproof_("run", *IRIS, "--rows", 2, "--show", "b[2]", "--show", "J", "--show", "dZ[2]")
        assert result.code == 0
        assert f"J = {trace['J']:.9g}" in result.out
        assert "Every quantity" not in result.out

    def test_arrays(self, backproof_: Command, desk: Path) -> None:
        result = backproof_("run", *IRIS, "--seed", 3, "--dx", "-o", "out/all.npz")
        assert result.code == 0
        assert result.out.endswith("wrote out/all.npz\n")
        trace = bp.run(bp.derive(bp.load(NETWORK[0], loss="cce"), inputs=True), "iris", seed=3)
        with np.load(desk / "out/all.npz", allow_pickle=False) as saved:
            assert set(saved.files) == {"layout", "parameters", *trace}
            for name in trace:
                np.testing.assert_array_equal(saved[name], trace[name])

    @pytest.mark.parametrize("layout", ["columns", "rows"])
    def test_what_was_saved_is_read_as_data(self, backproof_: Command, layout: str) -> None:
        first = backproof_("run", *IRIS, "--seed", 3, "--layout", layout, "--show", "J", "-o", "all.npz")
        again = backproof_("run", *NETWORK, "--data", "all.npz", "--show", "J")
        assert again.code == 0
        assert first.out.splitlines()[0] == again.out.splitlines()[0]

    def test_depth_follows_what_comes_from_somewhere(self, backproof_: Command) -> None:
        # The largest term is the penalty's, which is a parameter.
        result = backproof_("run", *IRIS, "--l2", 100, "--entry", "dW[1][1,1]", "--depth", 2)
        assert re.search(r"^dZ\[1\]\[1,\d+\] = ", result.out, re.MULTILINE)

    def test_target_rows_and_seed(self, backproof_: Command, desk: Path) -> None:
        (desk / "d.csv").write_text("kind,x,size\nb,1,2\na,3,4\nb,5,6\n")
        common = ("run", "2-2:softmax", "--loss", "cce", "--data", "d.csv", "-o", "all.npz")
        assert backproof_(*common, "--target", "kind", "--rows", 2, "--seed", 5).code == 0
        with np.load("all.npz") as saved:
            assert saved["X"].T.tolist() == [[1, 2], [3, 4]]
            assert saved["Y"].T.tolist() == [[0, 1], [1, 0]]
            first = saved["W[1]"]
        assert backproof_(*common, "--target", "1", "--seed", 6).code == 0
        with np.load("all.npz") as saved:
            assert saved["X"].shape == (2, 3)
            assert not np.array_equal(saved["W[1]"], first)

    def test_several_targets(self, backproof_: Command, desk: Path) -> None:
        (desk / "d.csv").write_text("p,x,q\n0.5,1,2\n0.25,3,4\n")
        spec = ("run", "1-2:tanh", "--loss", "mse", "--data", "d.csv", "--target", "q", "--target", "p", "-o", "a.npz")
        assert backproof_(*spec).code == 0
        with np.load("a.npz") as saved:
            assert saved["Y"].T.tolist() == [[2, 0.5], [4, 0.25]]

    def test_rows_layout(self, backproof_: Command, desk: Path) -> None:
        assert backproof_("run", *IRIS, "--layout", "rows", "-o", "a.npz").code == 0
        with np.load("a.npz") as saved:
            assert saved["X"].shape == (150, 4)


class TestCheck:
    @pytest.mark.parametrize("method", ["complex", "central"])
    def test_right(self, backproof_: Command, method: str) -> None:
        result = backproof_("check", *IRIS, "--rows", 20, "--method", method, "--mean", "parameters")
        assert (result.code, result.err) == (0, "")
        assert "4 of 4 gradients agree" in result.out

    def test_fewer_samples_than_there_are(self, backproof_: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("backproof.checking.gradients.WORK", 10**3)
        result = backproof_("check", *IRIS)
        assert result.code == 0
        assert result.err.startswith("The first 8 of 150 samples are used; --all takes every one.")
        assert "on 8 samples" in result.out
        for option in (("--rows", 150), ("--all",)):
            assert "on 150 samples" in backproof_("check", *IRIS, *option).out

    def test_fewer_entries_than_there_are(self, backproof_: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("backproof.checking.gradients.WORK", 10**4)
        assert "in 16 entries drawn from each that has more, on 8 samples" in " ".join(
            backproof_("check", *IRIS).out.split()
        )
        assert "entry by entry, on 150 samples" in " ".join(backproof_("check", *IRIS, "--all").out.split())

    def test_wrong(self, backproof_: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        run = backproof.api.run

        def wrong(*arguments: Any, **options: Any) -> Trace:
            trace = run(*arguments, **options)
            return replace(trace, arrays={**trace.arrays, "dW[1]": -trace["dW[1]"]})

        monkeypatch.setattr(backproof.api, "run", wrong)
        result = backproof_("check", *IRIS, "--rows", 20)
        assert (result.code, result.err) == (1, "")
        assert re.search(r"^ *dW\[1\] .*wrong", result.out, re.MULTILINE)
        assert "3 of 4 gradients agree" in result.out

    @pytest.mark.parametrize("tolerance", ["-1", "nan"])
    def test_a_tolerance_that_nothing_can_meet(self, backproof_: Command, tolerance: str) -> None:
        """An unusable argument is no wrong gradient."""
        result = backproof_("check", *IRIS, "--rows", 5, "--tolerance", tolerance)
        assert result.code == 2
        assert "tolerance" in result.err


class TestFunctions:
    @pytest.fixture(autouse=True)
    def model(self, desk: Path) -> None:
        (desk / "m.py").write_text("import numpy as np\n\n\ndef loss(W, X, act=1.0):\n    return act * np.sum(W @ X)\n")

    def test_one_that_does_not_run_on_its_arguments(self, backproof_: Command) -> None:
        np.savez("b.npz", W=np.ones((3, 2)), X=np.ones((3, 2)))
        result = backproof_("derive", "m.py:loss", "--data", "b.npz")
        assert (result.code, result.out) == (2, "")
        assert result.err.startswith("backproof: loss raises ValueError (m.py, line 5)\nmatmul: ")

    def test_arrays_that_it_does_not_take_are_named(self, backproof_: Command) -> None:
        np.savez("b.npz", W=np.ones((3, 2)), X=np.ones((2, 4)), Act=np.array(2.0))
        result = backproof_("run", "m.py:loss", "--data", "b.npz", "--show", "J")
        assert (result.code, result.err) == (0, "backproof: loss does not take Act of b.npz\n")
        assert "24" in result.out  # with the default act=1


TABLES = {
    "nan.csv": "a,b,y\n1,2,0\n3,nan,1\n",
    "gap.csv": "a,b,y\n1,2,0\n3,,1\n",
    "word.csv": "a,b,y\n1,2,0\n3,four,1\n",
    "label.csv": "a,b,y\n1,2,0\n3,4,1\n5,6,7\n",
    "fraction.csv": "a,b,y\n1,2,0\n3,4,1.5\n",
    "classes.csv": "a,b,kind\n1,2,u\n3,4,v\n5,6,w\n",
    "ragged.csv": "a,b,y\n1,2,0\n3,4\n",
    "heading.csv": "a,b,y\n",
    "empty.csv": "",
    "wide.csv": "a,b,c,y\n1,2,3,0\n4,5,6,1\n",
    "net.toml": "inputs = 3\n",
    "bad.toml": "inputs = \n",
    "list.toml": 'inputs = 2\nloss = ["mse"]\n[[layers]]\nunits = 1\n',
    "bad.py": "1/0\n",
    "f.py": "def f(x):\n    return (x * x).sum()\n",
    "exit.py": "raise SystemExit(0)\n",
    "data.npz": "this is no archive",
}
LOGISTIC = ("2-1:sigmoid", "--loss", "bce", "--data")
SOFTMAX = ("2-2:softmax", "--loss", "cce", "--data")
OUT = ("-o", "result.npz")


class TestBadInput:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            # An unknown activation or loss, with the nearest name.
            (("derive", "3-4:tahn-2"), "unknown activation 'tahn'\ndid you mean 'tanh'?"),
            (("derive", "3-2", "--loss", "hingee", "-o", "a.md"), "unknown loss 'hingee'\ndid you mean 'hinge'?"),
            # Sizes that do not match the data.
            (("run", *LOGISTIC, "wide.csv", *OUT), "the network has 2 inputs and 1 output, wide.csv has 4 columns"),
            (("run", "3-3:softmax", "--loss", "cce", "--data", "iris", *OUT), "the network takes 3 inputs, iris has 4"),
            (("run", "4-2:softmax", "--loss", "cce", "--data", "iris", *OUT), "3 classes"),
            # Labels outside the classes.
            (("run", *LOGISTIC, "label.csv", *OUT), "label 7 is outside the classes 0…1 (label.csv, line 4, y)"),
            (("run", *LOGISTIC, "fraction.csv", *OUT), "the label 1.5 does not fit the loss (fraction.csv, sample 2"),
            (("run", *SOFTMAX, "fraction.csv", *OUT), "1.5 is not a class label (fraction.csv, line 3, y)"),
            (("run", *SOFTMAX, "classes.csv", *OUT), "3 classes"),
            (("run", *SOFTMAX, "label.csv", *OUT), "label 7 is outside the classes 0…1 (label.csv, line 4, y)"),
            # NaN and other cells that are no numbers.
            (("run", *LOGISTIC, "nan.csv", *OUT), "nan in the data (nan.csv, line 3, b)"),
            (("check", *LOGISTIC, "nan.csv"), "nan in the data"),
            (("run", *LOGISTIC, "gap.csv", *OUT), "an empty cell (gap.csv, line 3, b)"),
            (("run", *LOGISTIC, "word.csv", *OUT), "'four' is not a number (word.csv, line 3, b)"),
            (("run", *LOGISTIC, "ragged.csv", *OUT), "2 cells where 3 were expected (ragged.csv, line 3)"),
            # An expression with a forbidden name, or that does not parse.
            (("derive", "3-4:(z*q)-2", "-o", "a.md"), "the name 'q' is not allowed (column 4)"),
            (("derive", "3-2", "--loss", "__import__('os').system('touch a')"), "this cannot be called (column 1)"),
            (("derive", "3-2", "--loss", "(a - y"), "the expression does not parse (column 1)"),
            (("derive", "3-2", "--loss", "a - * y"), "the expression does not parse (column 5)"),
            (("derive", "3-2", "--loss", "9**9**9"), "an exponent beyond 64"),
            # Empty data.
            (("run", *LOGISTIC, "empty.csv", *OUT), "empty.csv is empty"),
            (("run", *LOGISTIC, "heading.csv", *OUT), "heading.csv has no rows"),
            # A missing file, or one that cannot be read.
            (("run", *LOGISTIC, "nosuch.csv", *OUT), "no such file (nosuch.csv)"),
            (("run", *LOGISTIC, "irsi", *OUT), "no data set is named 'irsi'"),
            (("run", *LOGISTIC, "data.npz", *OUT), "data.npz"),
            (("run", *LOGISTIC, ".", *OUT), "."),
            (("derive", "nosuch.toml", "-o", "a.md"), "there is no file nosuch.toml"),
            (("derive", "nosuch.py:net"), "there is no file nosuch.py"),
            (("derive", "net.toml"), "'layers' is missing (net.toml)"),
            (("derive", "bad.toml"), "bad.toml is not a TOML file"),
            (("derive", "list.toml"), "is not the name of a function"),
            (("derive", "bad.py:net"), "bad.py cannot be run\nZeroDivisionError: division by zero"),
            (("derive", "exit.py:net"), "exit.py cannot be run"),
            # Specs and options.
            (("derive", ""), "'' does not describe a network"),
            (("derive", "3-0"), "'0' is not a number of nodes (column 3 of '3-0')"),
            (("derive", "3-2", "--l1", "-1"), "l1=-1.0 is not a regularisation"),
            (("derive", "3-2", "-o", "a.pdf"), "no format is known for a.pdf"),
            (("derive", "3-2", "--format", "svg"), "svg makes one picture an equation"),
            (("derive", "3-2", "-o", "a.svg"), "svg makes one picture an equation"),
            (("run", "4-3", "--data", "iris"), "the function g[1] is unspecified"),
            (("run", *IRIS, "--target", "spezies"), "iris has no column 'spezies'"),
            (("run", *IRIS, "--show", "dW[7]"), "there is no quantity 'dW[7]'\ndid you mean 'dW[2]'?"),
            (("run", *IRIS, "--entry", "dW[1][9,9]"), "dW[1] has no entry [9, 9] (its shape is 5 × 4)"),
            (("run", *IRIS, "--entry", "dW[1]"), "no entry of dW[1] is named (its shape is 5 × 4)\nsay which"),
            (
                ("run", *IRIS, "--entry", "dX[1,1]"),
                "dX was not derived\nderivatives by the data are derived on request",
            ),
            (("run", *IRIS, "--show", "dX"), "dX was not derived"),
            (("derive", "3-2", "--data", "iris"), "--data is for functions\nbackproof run computes a network on data"),
            (("derive", "3-2", "--wrt", "X"), "--wrt is for functions"),
            (("derive", "f.py"), "f.py does not say which network or function of the file\nwrite f.py:name"),
            (("derive", "f.py:f"), "the arguments do not fit f\nmissing a required argument: 'x'"),
            (("derive", "f.py:f", "--loss", "mse"), "f.py:f is a function, which has its own loss"),
            (("derive", "f.py:f", "--data", "empty.csv"), "empty.csv is not an NPZ file\nsave the arguments"),
            (("run", "nosuch", "--data", "iris", "-o", "a.txt"), "a.txt is not an NPZ file\nwrite -o a.npz"),
            (("run", *IRIS, "--entry", "dW[1](1,2)"), "'dW[1](1,2)' does not name an entry"),
            (("run", *IRIS, "-o", "a.txt"), "a.txt is not an NPZ file\nwrite -o a.npz"),
            (("check", "4-3:identity", "--loss", "cce", "--data", "iris"), "J is nan"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
    )
    def test_one_clear_message(self, backproof_: Command, desk: Path, arguments: tuple[str, ...], message: str) -> None:
        for name, text in TABLES.items():
            (desk / name).write_text(text)
        result = backproof_(*arguments)
        assert result.code == 2
        assert result.err.startswith("backproof: ")
        assert message in result.err
        assert result.err.count("backproof: ") == 1
        assert "Traceback" not in result.err
        assert "\x1b" not in result.err
        assert files(desk) == set(TABLES)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("derive",), "Missing argument 'SPEC'"),
            (("run", "4-3"), "Missing option '--data'"),
            (("derive", "3-2", "--format", "pdf"), "'pdf' is not one of"),
            (("derive", "3-2", "--mean", "x"), "'x' is not one of"),
            (("derive", "3-2", "--l2", "much"), "'much' is not a valid float"),
            (("run", *IRIS, "--rows", "0"), "0 is not in the range"),
            (("run", *IRIS, "--seed", "-1"), "-1 is not in the range"),
            (("run", *IRIS, "--depth", "0"), "0 is not in the range"),
            (("derive", "3-2", "--nosuch"), "No such option"),
            (("nosuch",), "No such command"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
    )
    def test_wrong_usage(self, backproof_: Command, desk: Path, arguments: tuple[str, ...], message: str) -> None:
        result = backproof_(*arguments)
        assert (result.code, result.out) == (2, "")
        assert message in result.err
        assert "\x1b" not in result.err
        assert files(desk) == set()


class HalfWritten(io.BytesIO):
    """A file on a device that is full after some bytes."""

    def __init__(self, handle: int, *_: object) -> None:
        super().__init__()
        self.handle = handle

    def write(self, content: Any) -> int:
        os.write(self.handle, content[:20])
        os.close(self.handle)
        raise OSError(28, "No space left on device")


class TestWriting:
    DERIVE = ("derive", "3-2", "-o", "a.md")
    RUN = ("run", *IRIS, "--rows", "3", "-o", "a.npz")

    @pytest.mark.parametrize("arguments", [DERIVE, RUN], ids=["text", "arrays"])
    @pytest.mark.parametrize("existing", [None, b"what was there before"], ids=["new", "replaced"])
    @pytest.mark.parametrize("fault", ["write", "replace", "mkstemp"])
    def test_a_fault_leaves_nothing_half_written(
        self,
        backproof_: Command,
        desk: Path,
        monkeypatch: pytest.MonkeyPatch,
        arguments: tuple[str, ...],
        existing: bytes | None,
        fault: str,
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        path = desk / arguments[-1]
        if existing is not None:
            path.write_bytes(existing)
        if fault == "write":
            monkeypatch.setattr(os, "fdopen", HalfWritten)
        elif fault == "replace":
            monkeypatch.setattr(os, "replace", fail)
        else:
            monkeypatch.setattr("tempfile.mkstemp", fail)
        result = backproof_(*arguments)
        assert result.code == 2
        assert result.err == f"backproof: {path.name} cannot be written\nNo space left on device.\n"
        assert "wrote" not in result.out
        assert files(desk) == ({path.name} if existing is not None else set())
        if existing is not None:
            assert path.read_bytes() == existing

    def test_interrupted_while_writing(self, backproof_: Command, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "replace", interrupt)
        result = backproof_(*self.DERIVE)
        assert files(desk) == set()
        assert "Traceback" not in result.err
        assert result.code == 130
        assert result.err.strip() == "backproof: interrupted"

    def test_interrupted_while_deriving(self, backproof_: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupt(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(backproof.api, "derive", interrupt)
        result = backproof_("derive", "3-2")
        assert result.code == 130
        assert result.err.strip() == "backproof: interrupted"

    def test_a_folder_in_place_of_a_file(self, backproof_: Command, desk: Path) -> None:
        (desk / "a.md").mkdir()
        result = backproof_(*self.DERIVE)
        assert result.code == 2
        assert result.err == "backproof: a.md cannot be written\nIs a directory.\n"
        assert files(desk) == {"a.md"}

    def test_a_file_in_place_of_a_folder(self, backproof_: Command, desk: Path) -> None:
        (desk / "a").write_text("")
        result = backproof_("derive", "3-2", "-o", "a/b.md")
        assert result.code == 2
        assert result.err.startswith("backproof: a/b.md cannot be written\n")
        assert backproof_("derive", "3-2", "--format", "svg", "-o", "a").code == 2

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
    def test_a_folder_that_may_not_be_written_to(self, backproof_: Command, desk: Path) -> None:
        (desk / "locked").mkdir(mode=0o555)
        result = backproof_("derive", "3-2", "-o", "locked/a.md")
        assert result.code == 2
        assert result.err == "backproof: locked/a.md cannot be written\nPermission denied.\n"
        assert files(desk) == {"locked"}


class TestPipes:
    def test_no_escape_codes(self) -> None:
        for arguments in (("check", *IRIS, "--rows", "4"), ("--help",), ("derive", "3-2:thna")):
            result = spawned(*arguments, PYTHONIOENCODING="utf-8")
            assert b"\x1b" not in result.stdout + result.stderr

    @pytest.mark.parametrize("form", ["text", "html"])
    def test_a_reader_that_leaves_early(self, form: str) -> None:
        command = [sys.executable, "-m", "backproof", "derive", "3-2:tanh", "--format", form]
        environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()  # before anything is printed: how much a pipe holds differs from system to system
            complaint = process.stderr.read()
            process.wait(60)
        assert complaint == b""
        assert process.returncode in (1, 141)

    @pytest.mark.parametrize(
        "environment",
        [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
        ids=["ascii", "C"],
    )
    @pytest.mark.parametrize(
        "arguments", [("derive", "3-2:tanh"), ("derive", "3-2:tanh", "--format", "markdown")], ids=["text", "markdown"]
    )
    def test_a_console_that_is_not_utf8(self, environment: dict[str, str], arguments: tuple[str, ...]) -> None:
        """Signs that the console lacks may be replaced or refused, with one message; it is no crash."""
        result = spawned(*arguments, **environment)
        assert b"Traceback" not in result.stderr
        assert result.returncode in (0, 2)

    def test_a_file_is_utf8_on_any_console(self, desk: Path) -> None:
        result = spawned("derive", "3-2:tanh", "-o", "a.md", PYTHONIOENCODING="ascii")
        assert (result.returncode, result.stdout, result.stderr) == (0, b"wrote a.md\n", b"")
        assert "→" in (desk / "a.md").read_bytes().decode()

    def test_a_message_on_any_console(self) -> None:
        result = spawned("derive", "3-2", "--loss", "a - α", PYTHONIOENCODING="ascii", PYTHONUTF8="1")
        assert result.returncode == 2
        assert result.stderr.startswith(b"backproof: the name ")
