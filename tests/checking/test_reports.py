"""The reports of a diagnosis: JSON, hints that tell no more than they say, loops in few lines."""

from __future__ import annotations

import ast
import json
import runpy
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

import backproof as bp
from backproof.checking import telling
from backproof.checking.diagnosis import Diagnosis
from backproof.checking.diagnosis_json import VERSION
from backproof.checking.mistakes.kinds import Context
from backproof.checking.mistakes.table import edited
from backproof.checking.telling import HINTS
from backproof.ir.errors import BackproofError

SUBJECTS = Path(__file__).parent / "subjects"
SCHEMA = json.loads(resources.files("backproof").joinpath("write/templates/diagnosis.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
FORMATS = ("text", "markdown", "latex", "html", "json")


class Desk:
    """Diagnoses subjects with a piece of their source replaced, from a file, as a user has it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def diagnosed(self, name: str, right: str = "", wrong: str = "") -> Diagnosis:
        source = (SUBJECTS / f"{name}.py").read_text(encoding="utf-8")
        assert not right or source.count(right) == 1
        file = self._folder / f"{name}.py"
        file.write_text(source.replace(right, wrong) if right else source, encoding="utf-8")
        names = runpy.run_path(str(file))
        return bp.diagnose(names["forward"], names["backward"], names["arguments"](np.random.default_rng(1)))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def wrong(desk: Desk) -> Diagnosis:
    return desk.diagnosed("two", "dZ1 = dA1 * (1 - A1**2)", "dZ1 = dA1 * (1 - Z1**2)")


def content(diagnosis: Diagnosis, hint: int = 3) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(bp.render(diagnosis, "json", hint=hint))
    return found


# --- JSON


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["version"] == {"const": VERSION}


@pytest.mark.parametrize("name", sorted(path.stem for path in SUBJECTS.rglob("*.py")))
@pytest.mark.parametrize("hint", [1, 2, 3])
def test_json_is_what_the_schema_says(name: str, hint: int, desk: Desk) -> None:
    VALIDATOR.validate(content(desk.diagnosed(name), hint))


def test_json_has_every_finding(wrong: Diagnosis) -> None:
    found = content(wrong)
    VALIDATOR.validate(found)
    assert not found["ok"]
    assert {x["of"]: x["verdict"] for x in found["gradients"]} == dict(wrong.returned)
    assert found["convention"]["text"] == "m"
    assert [x["variable"] for x in found["findings"]] == [finding.text for finding in wrong.findings]
    (line,) = (x for x in found["findings"] if x["judgement"] == "wrong")
    worst = line.pop("worst")
    assert line.pop("equation")["text"] == "dA[1] * (1 − A[1] * A[1])"
    assert not line.pop("part")
    assert line == {
        **{"file": "two.py", "line": 26, "source": "dZ1 = dA1 * (1 - Z1**2)", "function": "backward", "round": 1},
        **{"variable": "dZ1", "judgement": "wrong", "quantity": "dZ1", "derivative_by": "Z1"},
        "kinds": [HINTS["derivative at the wrong place"]],
        "mistakes": [
            {
                "mistake": "derivative at the wrong place",
                "text": "The derivative of the activation is taken of Z[1] in place of A[1].",
            }
        ],
        "correction": "dZ1 = dA1 * (1 - A1 ** 2)",
    }
    (finding,) = wrong.wrong
    place = tuple(k - 1 for k in worst["place"])
    assert worst["found"] == pytest.approx(finding.found[place], rel=1e-11)
    assert worst["right"] == pytest.approx(finding.right[place], rel=1e-11)
    assert np.abs(finding.found - finding.right).max() == abs(finding.found - finding.right)[place]


def test_json_is_the_same_each_time(desk: Desk) -> None:
    assert len({bp.render(desk.diagnosed("attention"), "json") for _ in range(2)}) == 1


def test_what_is_no_number_and_what_has_another_shape_are_written(desk: Desk) -> None:
    found = content(desk.diagnosed("two", "dW1 = dZ1 @ X.T / m", "dW1 = np.inf * (dZ1 @ X.T)"))
    VALIDATOR.validate(found)
    assert "inf" in {str(x["worst"]["found"]).lstrip("-") for x in found["findings"]}
    found = content(desk.diagnosed("two", "dW2 = dZ2 @ A1.T / m", "dW2 = (dZ2 @ A1.T / m)[:, :-1]"))
    VALIDATOR.validate(found)
    (line,) = (x for x in found["findings"] if x["variable"] == "dW2")
    assert line["worst"]["place"] is None
    assert line["worst"]["shapes"]["found"] != line["worst"]["shapes"]["right"]


def test_the_report_of_a_check_is_written_too() -> None:
    report = bp.check(bp.run(_network(), "iris", rows=9))
    for format in FORMATS:
        assert "dW" in bp.render(report, format)  # type: ignore[arg-type]
    found = json.loads(bp.render(report, "json"))
    assert found["ok"]
    assert [verdict["symbol"] for verdict in found["verdicts"]] == ["dW[1]", "db[1]"]


def _network() -> bp.Network:
    return bp.Network(4, [bp.Dense(3, "softmax")], loss="categorical_cross_entropy")


# --- hints


@pytest.mark.parametrize("format", FORMATS)
def test_a_hint_tells_no_more_than_it_says(format: Any, wrong: Diagnosis) -> None:
    (finding,) = wrong.wrong
    assert finding.correction is not None
    texts = {hint: bp.render(wrong, format, hint=hint) for hint in (1, 2, 3)}
    worst = f"{finding.right.flat[np.argmax(np.abs(finding.found - finding.right))]:.4g}"
    kind = "The derivative of the activation is taken of"
    for shown in ("stands where", "1 - A1 ** 2", worst, "tanh", "convention"):
        text = {h: texts[h].replace('"convention": null', "") for h in texts}
        assert (shown in text[1], shown in text[2]) == (False, False)
    assert kind not in texts[1]
    assert kind in texts[2]
    if format == "latex":  # which writes the signs of code in words
        return
    assert all("dZ1 = dA1 * (1 - Z1**2)" in text for text in texts.values())
    assert "1 - A1 ** 2" in texts[3]


def test_what_is_hidden_is_nowhere_in_the_json(wrong: Diagnosis) -> None:
    for hint in (1, 2):
        found = content(wrong, hint)
        assert found["convention"] is None
        for finding in found["findings"]:
            assert (finding["equation"], finding["mistakes"], finding["correction"], finding["worst"]) == (
                *(None, [], None, None),
            )
            assert hint == 2 or (finding["quantity"], finding["kinds"]) == (None, [])


def test_the_first_hint_does_not_tell_what_was_not_returned(desk: Desk) -> None:
    diagnosis = desk.diagnosed("two", '"db1": db1, ', "")
    assert {x["of"]: x["verdict"] for x in content(diagnosis, 1)["gradients"]}["b1"] == "wrong"
    assert "not returned" not in bp.render(diagnosis, "text", hint=1)
    assert "computed rightly, but not returned" in bp.render(diagnosis, "text", hint=2)
    assert "1 of 4 gradients is not returned: b1." in bp.render(diagnosis, "text", hint=2)


def test_there_are_three_hints(wrong: Diagnosis) -> None:
    with pytest.raises(BackproofError, match="there is no hint 4"):
        bp.render(wrong, "text", hint=4)


@pytest.mark.parametrize("name", sorted(path.stem for path in SUBJECTS.rglob("*.py")))
def test_every_mistake_has_a_kind(name: str, desk: Desk) -> None:
    derivation = desk.diagnosed(name).derivation
    forward = tuple([*derivation.graph.inputs, *(step.node for step in derivation.forward)])
    gradients = {step.of: step.node for step in derivation.backward}
    names = set()
    for step in derivation.backward:
        context = Context(step.of, forward, gradients, ())
        for form in (step.raw, *(rewrite.result for rewrite in step.rewrites)):
            names |= {edit.mistake for edit in edited(form, context)}
    assert names <= set(HINTS)


def test_every_mistake_that_is_named_has_a_kind() -> None:
    names = set()
    for path in (Path(telling.__file__).parent).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Yield(value=ast.Tuple(elts=[ast.Constant(value=str(name)), _, ast.Tuple() | ast.Name(), _])):
                    names.add(name)
                case ast.Call(func=ast.Name(id="Repair" | "Edited"), args=[ast.Constant(value=str(name)), *_]):
                    names.add(name)
    assert {"sign", "not returned"} <= names
    assert names <= set(HINTS)


# --- loops


def test_a_long_loop_is_told_in_few_lines(desk: Desk) -> None:
    source = (SUBJECTS / "rnn.py").read_text(encoding="utf-8")
    assert "xs=rng.normal(size=(4, 3))" in source
    text = bp.render(desk.diagnosed("rnn"), "text")
    assert "Your gradients are right" in text
    rows = [line for line in text.splitlines() if line.strip().startswith("25 ")]
    assert [row.split() for row in rows] == [["25", "1–4", "dy", "dy[4],", "…,", "dy[1]", "right"]]


def test_exceptions_in_a_loop_are_shown(desk: Desk) -> None:
    right = "dhraw = (1 - hs[t + 1] ** 2) * dh"
    diagnosis = desk.diagnosed("rnn", right, f"{right} * (1 + (t == 0))")
    text = bp.render(diagnosis, "text")
    rows = [line.split()[1:3] + line.split()[-1:] for line in text.splitlines() if line.strip().startswith("29 ")]
    assert [row for row in rows if row[1] == "dhraw"] == [["1–3", "dhraw", "right"], ["4", "dhraw", "wrong"]]
    assert "rnn.py, line 29: dhraw, round 4" in text


# --- text


LENGTHS = """import numpy as np


def forward(X, Y, W):
    D = X @ W - Y
    return np.mean(D**2), D


def backward(X, D):
    a_very_long_name_of_a_dictionary_of_gradients = {}
    a_very_long_name_of_a_dictionary_of_gradients["a long name of the key of it, dW"] = X.T @ D / len(X)
    return a_very_long_name_of_a_dictionary_of_gradients
"""


@pytest.fixture
def unnamed(tmp_path: Path) -> Diagnosis:
    """Code that has no variables for its lengths, and long expressions."""
    (tmp_path / "net.py").write_text(LENGTHS, encoding="utf-8")
    names, rng = runpy.run_path(str(tmp_path / "net.py")), np.random.default_rng(0)
    shapes = {"X": (7, 4), "Y": (7, 3), "W": (4, 3)}
    return bp.diagnose(names["forward"], names["backward"], {k: rng.normal(size=shape) for k, shape in shapes.items()})


def test_lengths_without_a_name_in_the_code_are_told_once(unnamed: Diagnosis, wrong: Diagnosis) -> None:
    text = bp.render(unnamed, "text")
    assert "Here n_3 = 3, the number of columns of Y." in text
    assert "Here n_" not in bp.render(unnamed, "text", hint=2)
    assert "Here n_" not in bp.render(wrong, "text")


def test_long_expressions_are_shortened_in_the_table(unnamed: Diagnosis) -> None:
    table = bp.render(unnamed, "text").partition("What every value is")[2]
    assert "  a_very_long_name_of … the key of it, dW']  " in table
    assert json.loads(bp.render(unnamed, "json"))["findings"][-1]["variable"].startswith("a_very_long_name_of_a")


@pytest.mark.parametrize("more", ["", '"dD": 2 * D / D.size, '])
def test_the_line_that_is_right_of_a_returned_dict(more: str, tmp_path: Path) -> None:
    line = f'return {{{more}"dW": 2 * X.T @ D}}'
    text = f"{LENGTHS[: LENGTHS.index('a_very')]}{line}\n"
    (tmp_path / "net.py").write_text(text, encoding="utf-8")
    names, rng = runpy.run_path(str(tmp_path / "net.py")), np.random.default_rng(0)
    arguments = {"X": rng.normal(size=(7, 4)), "Y": rng.normal(size=(7, 3)), "W": rng.normal(size=(4, 3))}
    (finding,) = bp.diagnose(names["forward"], names["backward"], arguments).wrong
    assert (finding.correction is None) == bool(more)  # a part of a dict that is returned has no name to write it with
    if finding.correction is not None:
        (tmp_path / "net.py").write_text(text.replace(line, finding.correction), encoding="utf-8")
        names = runpy.run_path(str(tmp_path / "net.py"))
        assert bp.diagnose(names["forward"], names["backward"], arguments).ok
