"""Notebooks: as files, and from within."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import backproof as bp
from backproof.cli.commands import cli
from backproof.frontends.spec import read_passes
from backproof.ir.errors import SpecError

FORWARD = """def forward(X, Y, W, b):
    Z = X @ W + b
    A = np.tanh(Z)
    return np.sum((A - Y) ** 2) / X.shape[0]
"""
BACKWARD = """def backward(X, Y, W, b):
    m = X.shape[0]
    A = np.tanh(X @ W + b)
    dA = 2 * (A - Y) / m
    dZ = dA * (1 - A**2)
    return {"dW": X.T @ dZ, "db": dZ.sum(axis=0)}
"""


def notebook(path: Path, *cells: str) -> Path:
    content = [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]
    content.insert(0, {"cell_type": "markdown", "source": ["# A network"]})
    path.write_text(json.dumps({"nbformat": 4, "cells": content}), encoding="utf-8")
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    arrays = {"X": rng.normal(size=(7, 4)), "Y": rng.normal(size=(7, 3)), "W": rng.normal(size=(4, 3))}
    np.savez(tmp_path / "data.npz", b=rng.normal(size=3), **arrays)
    return tmp_path / "data.npz"


def checked(*arguments: Any) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["check", *map(str, arguments)])
    return result.exit_code, result.output


def test_a_notebook_is_a_module(tmp_path: Path, data: Path) -> None:
    magics = "%matplotlib inline\n!ls\nimport numpy as np\nfiles = !ls\nnp.sum?\n"
    path = notebook(tmp_path / "net.ipynb", magics, "%%bash\necho no Python", FORWARD, "%%time\n" + BACKWARD)
    assert checked(f"{path}:forward,backward", "--data", data)[0] == 0
    assert checked(path, "--data", data)[0] == 0
    wrong = BACKWARD.replace("1 - A**2", "1 + A**2")
    path = notebook(tmp_path / "wrong.ipynb", magics, FORWARD, wrong)
    status, text = checked(f"{path}:forward,backward", "--data", data)
    assert status == 1
    assert "One line is wrong, wrong.ipynb, cell 3, line 5" in " ".join(text.split())
    assert "> 5 |     dZ = dA * (1 + A**2)" in text


def test_a_cell_that_fails(tmp_path: Path, data: Path) -> None:
    path = notebook(tmp_path / "net.ipynb", "import numpy as np", "plot(1)", FORWARD, BACKWARD)
    assert checked(f"{path}:forward,backward", "--data", data)[0] == 0
    path = notebook(tmp_path / "other.ipynb", "import nothing_like_it\n" + FORWARD, BACKWARD)
    with pytest.raises(SpecError, match=r"has no function 'forward'\ncell 1: ModuleNotFoundError"):
        read_passes(f"{path}:forward,backward")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cells": 3}'])
def test_what_is_no_notebook(text: str, tmp_path: Path) -> None:
    path = tmp_path / "no.ipynb"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError, match=r"no\.ipynb is not a notebook"):
        read_passes(f"{path}:forward,backward")


@pytest.fixture
def shell() -> Any:
    interactive = pytest.importorskip("IPython.core.interactiveshell")
    shell = interactive.InteractiveShell()
    shell.run_cell("import numpy as np\n%load_ext backproof")
    return shell


@pytest.mark.filterwarnings("ignore")
def test_the_magic(shell: Any, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shell.user_ns |= dict(np.load(data))
    assert shell.run_cell(FORWARD, store_history=True).success
    wrong = BACKWARD.replace("1 - A**2", "1 + A**2")
    assert shell.run_cell("%%backproof check forward,backward\n" + wrong, store_history=True).success
    shown = shell.user_ns["_"]
    assert not shown.diagnosis.ok
    assert "One line is wrong, cell 2, line 6" in repr(shown)
    assert "tanh" in shown._repr_markdown_()
    assert shell.run_cell_magic("backproof", "check", BACKWARD).diagnosis.ok
    assert isinstance(shell.user_ns["backward"](*(shell.user_ns[name] for name in "XYWb")), dict)
    shell.run_cell("%%backproof check forward,nothing\n1")
    assert "the notebook has no function 'nothing'" in capsys.readouterr().err
    shell.run_cell("%%backproof prove\n1")
    assert "'prove' is not understood" in capsys.readouterr().err
    assert shell.run_cell_magic("backproof", "check", "1 / 0") is None


def test_the_extension_is_found() -> None:
    class Shell:
        def register_magic_function(self, function: Any, kind: str) -> None:
            self.registered = function.__name__, kind

    shell = Shell()
    bp.load_ipython_extension(shell)
    assert shell.registered == ("backproof", "cell")
