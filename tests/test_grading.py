"""Grading a folder: every submission becomes a row, whatever it does, and stops no other."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from backproof.checking.telling import HINTS
from backproof.grading.grades import Grade, table
from backproof.grading.grading import graded_all, submissions
from backproof.grading.submission import Task
from backproof.ir.errors import BackproofError

FORWARD = """\
import numpy as np


def forward(X, Y, W1, b1, W2, b2):
    m = X.shape[1]
    A1 = np.tanh(W1 @ X + b1)
    A2 = 1 / (1 + np.exp(-(W2 @ A1 + b2)))
    return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m, (A1, A2)
"""
BACKWARD = """\
import numpy as np


def backward(X, Y, W1, W2, cache):
    A1, A2 = cache
    m = X.shape[1]
    dZ2 = (A2 - Y) / m
    dZ1 = W2.T @ dZ2 * (1 - A1**2)
    db1 = np.sum(dZ1, axis=1, keepdims=True)
    return {"dW1": dZ1 @ X.T, "db1": db1, "dW2": dZ2 @ A1.T, "db2": np.sum(dZ2, axis=1, keepdims=True)}
"""
RIGHT = FORWARD + BACKWARD
INSIDE = "    dZ2 = (A2 - Y) / m\n"


def with_line(line: str) -> str:
    """The right submission with a line in its backward pass."""
    assert INSIDE in RIGHT
    return RIGHT.replace(INSIDE, f"    {line}\n{INSIDE}")


ROUGH = {
    "eats": ("out of memory", "import numpy as np\nkept = [np.ones(10**7) for _ in range(1000)]\n"),
    "eats_inside": ("out of memory", with_line("np.ones((10**6, 10**6))")),
    "segfault": ("crashed", "import ctypes\nctypes.string_at(0)\n"),
    "leaves": ("crashed", with_line("import os; os._exit(0)")),
    "exits": ("failed", with_line("raise SystemExit(0)")),
    "interrupts": ("failed", "raise KeyboardInterrupt\n"),
    "syntax": ("unusable", "def forward(:\n"),
    "empty": ("unusable", ""),
    "binary": ("unusable", "\0\1\2"),
    "asks": ("unusable", f"name = input()\n{RIGHT}"),
    "prints": ("checked", with_line("print('x' * 10**6)")),
    "thread": ("checked", f"import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()\n{RIGHT}"),
    "settings": ("checked", f"import numpy as np\nnp.seterr(all='raise')\n{RIGHT}"),
    "writes": ("checked", f"open('grades.csv', 'w').write('all mine')\n{RIGHT}"),
}


@pytest.fixture
def data(tmp_path: Path, rng: np.random.Generator) -> Path:
    path = tmp_path / "data.npz"
    arguments = {"X": rng.normal(size=(4, 7)), "Y": rng.integers(0, 2, (3, 7)).astype(float)}
    parameters = {"W1": (5, 4), "b1": (5, 1), "W2": (3, 5), "b2": (3, 1)}
    np.savez(path, **arguments, **{name: rng.normal(size=shape) for name, shape in parameters.items()})
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "submissions"
    path.mkdir()
    return path


def task(path: Path, data: Path) -> Task:
    return Task(str(path), path.name, "", "", "", str(data), (), 3, 512 * 2**20, "")


def grade(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "backproof", "grade", str(folder), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


def rows(text: str) -> dict[str, dict[str, str]]:
    return {row["file"]: row for row in csv.DictReader(io.StringIO(text))}


def test_rough_submissions_become_rows(folder: Path, data: Path) -> None:
    for name, (_, source) in ROUGH.items():
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
    tasks = [task(path, data) for path in submissions(folder)]
    found = dict(graded_all(tasks, timeout=200, jobs=3))
    assert {found[k].file.removesuffix(".py"): found[k].status for k in range(len(tasks))} == {
        name: status for name, (status, _) in ROUGH.items()
    }
    assert {g.verdict for g in found.values() if g.status == "checked"} == {"right"}
    assert [path.name for path in folder.iterdir() if path.suffix != ".py"] == []
    assert Path("grades.csv").exists() is False


def test_a_backward_pass_that_raises_is_judged(folder: Path, data: Path) -> None:
    (folder / "product.py").write_text(RIGHT.replace("W2.T @ dZ2", "W2 @ dZ2"), encoding="utf-8")
    (folder / "own.py").write_text(with_line("raise ValueError('not today')"), encoding="utf-8")
    found = rows(grade(folder, "--data", data).stdout)
    line = str(RIGHT[: RIGHT.index("dZ1 =")].count("\n") + 1)
    product, own = found["product.py"], found["own.py"]
    assert (product["status"], product["verdict"], product["line"]) == ("checked", "wrong", line)
    assert product["mistake"] == "W2 has to be transposed."
    assert product["correction"].startswith("dZ1 = W2.T @ dZ2")
    assert product["message"].startswith(f"backward raises ValueError (product.py, line {line}): ")
    assert (own["status"], own["verdict"], own["mistake"]) == ("checked", "wrong", "")
    assert own["message"].endswith(": not today")


def test_notebooks_are_submissions(folder: Path, data: Path) -> None:
    cells = ["%matplotlib inline\nimport numpy as np\n", FORWARD, BACKWARD.replace("(1 - A1**2)", "(1 - Y.mean())")]
    content = {"cells": [{"cell_type": "code", "source": source} for source in cells], "nbformat": 4}
    (folder / "hers.ipynb").write_text(json.dumps(content), encoding="utf-8")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "hers.ipynb").write_text("", encoding="utf-8")
    found = rows(grade(folder, "--data", data).stdout)
    assert list(found) == ["hers.ipynb"]
    assert (found["hers.ipynb"]["verdict"], found["hers.ipynb"]["line"]) == ("wrong", "cell 3, line 8")
    named = rows(grade(folder, "--data", data, "--loss", "", "--forward", "forward", "--backward", "backward").stdout)
    assert named == found


def test_what_serves_all_has_to_be_right(folder: Path, data: Path, tmp_path: Path) -> None:
    teacher, mark = tmp_path / "teacher.py", tmp_path / "mark"
    (folder / "a.py").write_text(f"open({str(mark)!r}, 'w')\n{BACKWARD}", encoding="utf-8")
    for source, message in {
        RIGHT.replace("(1 - A1**2)", "(1 - A1)"): "backward pass of teacher.py is not right itself (wrong, line 16)",
        RIGHT.replace('"db1": db1, ', ""): "is not right itself (wrong",
        FORWARD.replace("W1 @ X", "X @ W1"): "forward raises ValueError (teacher.py, line 6)",
        FORWARD.replace("b1, W2", "c1, W2"): "there is no c1 to run forward on",
    }.items():
        teacher.write_text(source, encoding="utf-8")
        done = grade(folder, "--data", data, "--forward", f"{teacher}:forward")
        assert (done.returncode, done.stdout) == (2, "")
        assert message in done.stderr
    assert not mark.exists()
    teacher.write_text(f"print('hello')\n{RIGHT}", encoding="utf-8")
    assert rows(grade(folder, "--data", data, "--forward", f"{teacher}:forward").stdout)["a.py"]["verdict"] == "right"


def test_a_layer_may_serve_all(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "teacher.py").write_text("def forward(x, W):\n    return x @ W, (x, W)\n", encoding="utf-8")
    source = "def backward(dout, cache):\n    x, W = cache\n    return dout @ W.T, x.T @ dout\n"
    (folder / "a.py").write_text(source, encoding="utf-8")
    np.savez(tmp_path / "layer.npz", x=np.eye(3) + 0.1, W=np.arange(6.0).reshape(3, 2))
    done = grade(folder, "--data", tmp_path / "layer.npz", "--forward", f"{tmp_path / 'teacher.py'}:forward")
    assert (done.returncode, done.stderr) == (0, "right: 1 of 1\n")


def test_nothing_that_is_read_is_overwritten(folder: Path, data: Path, tmp_path: Path) -> None:
    teacher = tmp_path / "teacher.py"
    teacher.write_text(FORWARD, encoding="utf-8")
    (folder / "a.py").write_text(BACKWARD, encoding="utf-8")
    (tmp_path / "link.csv").symlink_to(folder / "a.py")
    for output in (folder / "a.py", tmp_path / "link.csv", teacher, data):
        before = output.read_bytes()
        done = grade(folder, "--data", data, "--forward", f"{teacher}:forward", "-o", output)
        assert done.returncode == 2
        assert "is read, and would be overwritten" in done.stderr
        assert output.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_progress_is_told_on_a_terminal(folder: Path, data: Path) -> None:
    (folder / "a.py").write_text(RIGHT, encoding="utf-8")
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "backproof", "grade", str(folder), "--data", str(data)]
    terminal = {**os.environ, "TERM": "xterm"}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, env=terminal, check=False)
    os.close(theirs)
    told = os.read(ours, 10**6).decode(errors="ignore")  # a read may end within a character
    os.close(ours)
    assert "grading" in told
    assert "0/1" in told
    assert rows(done.stdout.decode())["a.py"]["verdict"] == "right"


def test_a_sentence_that_begins_with_a_name_keeps_its_case(folder: Path, data: Path) -> None:
    text = RIGHT.replace(', "db2": np.sum(dZ2, axis=1, keepdims=True)', "")
    (folder / "a.py").write_text(text.replace(INSIDE, f"{INSIDE}    db2 = dZ2.sum(1)\n"), encoding="utf-8")
    ((_, found),) = graded_all([task(folder / "a.py", data)], timeout=200, jobs=1)
    assert found.mistake == "db2 is computed, but does not come back."


def test_what_hangs_is_ended(folder: Path, data: Path) -> None:
    (folder / "hangs.py").write_text("import time\ntime.sleep(600)\n", encoding="utf-8")
    (folder / "loops.py").write_text(with_line("while True: pass"), encoding="utf-8")
    start = time.monotonic()
    found = [grade for _, grade in graded_all([task(path, data) for path in submissions(folder)], timeout=2, jobs=2)]
    assert {grade.status for grade in found} == {"timed out"}
    assert time.monotonic() - start < 60


def test_a_process_that_a_submission_starts_ends_with_it(folder: Path, data: Path) -> None:
    mark = folder.parent / "mark"
    (folder / "starts.py").write_text(
        f"import subprocess, sys\n"
        f"code = 'import sys, time; time.sleep(3); open(sys.argv[1], chr(119))'\n"
        f"subprocess.Popen([sys.executable, '-c', code, {str(mark)!r}])\n{RIGHT}",
        encoding="utf-8",
    )
    ((_, found),) = graded_all([task(folder / "starts.py", data)], timeout=60, jobs=1)
    assert found.verdict == "right"
    time.sleep(3.5)
    assert not mark.exists()


def test_the_table(folder: Path, data: Path) -> None:
    (folder / "anna").mkdir()
    for name, source in {
        "anna/right": RIGHT,
        "wrong": RIGHT.replace("(1 - A1**2)", "A1 * (1 - A1)"),
        "lost": RIGHT.replace('"db1": db1, ', ""),
        "less": RIGHT.replace('"db1": db1, ', "").replace("    db1 = np.sum(dZ1, axis=1, keepdims=True)\n", ""),
        "_helper": "",
        ".hidden": "",
    }.items():
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
    done = grade(folder, "--data", data)
    assert done.returncode == 1
    assert done.stderr == "right: 1 of 4\n"
    assert done.stdout.splitlines()[0] == "file,status,verdict,right,wrong,missing,line,mistake,correction,message"
    found = rows(done.stdout)
    assert list(found) == ["anna/right.py", "less.py", "lost.py", "wrong.py"]
    counts = {name: [row[key] for key in ("verdict", "right", "wrong", "missing")] for name, row in found.items()}
    assert counts == {
        "anna/right.py": ["right", "4", "0", "0"],
        "less.py": ["incomplete", "3", "0", "1"],
        "lost.py": ["wrong", "3", "1", "0"],
        "wrong.py": ["wrong", "2", "2", "0"],
    }
    assert found["less.py"]["message"] == "not computed: b1"
    assert found["lost.py"]["message"] == "computed, but not returned: b1"
    assert found["wrong.py"]["line"] == str(RIGHT[: RIGHT.index("dZ1 =")].count("\n") + 1)
    assert "The derivative of sigmoid" in found["wrong.py"]["mistake"]
    assert found["wrong.py"]["correction"].startswith("dZ1 = ")
    again = rows(grade(folder, "--data", data, "--wrt", "W1", "--jobs", 1).stdout)
    assert again.pop("less.py")["verdict"] == "right"
    assert again == {name: row for name, row in found.items() if name != "less.py"}


@pytest.mark.parametrize("hint", [1, 2])
def test_a_hint_holds_in_the_table(hint: int, folder: Path, data: Path) -> None:
    (folder / "wrong.py").write_text(RIGHT.replace("(1 - A1**2)", "A1 * (1 - A1)"), encoding="utf-8")
    (folder / "lost.py").write_text(RIGHT.replace('"db1": db1, ', ""), encoding="utf-8")
    found = rows(grade(folder, "--data", data, "--hint", hint).stdout)
    kind = HINTS["wrong activation"]
    assert found["wrong.py"]["mistake"] == (kind if hint == 2 else "")
    assert found["wrong.py"]["correction"] == ""
    assert found["wrong.py"]["line"] != ""
    assert found["lost.py"]["message"] == ("computed, but not returned: b1" if hint == 2 else "wrong: b1")


def test_one_forward_pass_for_all(folder: Path, data: Path) -> None:
    teacher = folder / "teacher.py"
    teacher.write_text(FORWARD, encoding="utf-8")
    (folder / "only.py").write_text(BACKWARD, encoding="utf-8")
    (folder / "other.py").write_text(BACKWARD.replace("def backward", "def backprop"), encoding="utf-8")
    done = grade(folder, "--data", data, "--forward", f"{teacher}:forward")
    assert [row["verdict"] for row in rows(done.stdout).values()] == ["right", "right"]
    assert done.returncode == 0
    named = rows(grade(folder, "--data", data, "--forward", f"{teacher}:forward", "--backward", "backprop").stdout)
    assert {name: row["status"] for name, row in named.items()} == {"only.py": "unusable", "other.py": "checked"}


def test_names_of_the_passes_and_a_loss(folder: Path, tmp_path: Path) -> None:
    (folder / "one.py").write_text(
        "def predict(X, w):\n    return X @ w\n\n\n"
        "def slope(X, w, y):\n    dw = 2 * X.T @ (X @ w - y)\n    return dw\n",
        encoding="utf-8",
    )
    (tmp_path / "teacher.py").write_text("def square(p, y):\n    return ((p - y) ** 2).sum()\n", encoding="utf-8")
    np.savez(tmp_path / "line.npz", X=np.eye(3) + 0.1, w=np.ones(3), y=np.arange(3.0))
    names = ("--forward", "predict", "--backward", "slope", "--loss", f"{tmp_path / 'teacher.py'}:square")
    done = grade(folder, "--data", tmp_path / "line.npz", *names)
    assert (done.returncode, rows(done.stdout)["one.py"]["verdict"]) == (0, "right")


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent by a signal")
def test_ctrl_c_writes_what_there_is(folder: Path, data: Path, tmp_path: Path) -> None:
    (folder / "a.py").write_text(RIGHT, encoding="utf-8")
    mark = tmp_path / "mark"
    (folder / "b.py").write_text(f"import time\nopen({str(mark)!r}, 'w')\ntime.sleep(600)\n", encoding="utf-8")
    output = tmp_path / "grades.csv"
    command = [sys.executable, "-m", "backproof", "grade", str(folder), "--data", str(data), "-o", str(output)]
    process = subprocess.Popen(
        [*command, "--jobs", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests run in the background, a shell has told them to ignore Ctrl-C, and that is handed on.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    while not mark.exists():
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, f"wrote {output}\n")
    assert "interrupted" in err
    assert rows(output.read_text(encoding="utf-8"))["a.py"]["verdict"] == "right"


def test_unusable_input(folder: Path, data: Path, tmp_path: Path) -> None:
    for arguments, message in {
        (tmp_path / "nowhere",): "there is no folder",
        (folder, "--timeout", 3): "there is no submission in",
        (folder, "--data", tmp_path / "none.npz"): "no such file",
        (folder, "--data", data, "--forward", f"{tmp_path / 'none.py'}:forward"): "there is no file",
    }.items():
        done = grade(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert message in done.stderr


def test_rows_are_lines() -> None:
    text = table([replace(Grade("a.py", "unusable"), message='one, "two"\n  three\n')])
    assert text.splitlines()[1:] == ['a.py,unusable,,0,0,0,,,,"one, ""two""; three"']


@pytest.mark.parametrize("text", ["=1+1", "+1", "-dZ", "@SUM(A1)"])
def test_no_cell_is_a_formula(text: str) -> None:
    (row,) = csv.DictReader(io.StringIO(table([Grade(f"{text}.py", "unusable", correction=text)])))
    assert (row["file"], row["correction"], row["right"]) == (f"'{text}.py", f"'{text}", "0")


def test_nothing_else_is_a_submission(folder: Path) -> None:
    (folder / "notes.txt").write_text("", encoding="utf-8")
    with pytest.raises(BackproofError, match="there is no submission"):
        submissions(folder)
