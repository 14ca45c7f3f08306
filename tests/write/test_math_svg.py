"""Pictures of formulas, and the cache behind them."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import platformdirs
import pytest
from hypothesis import HealthCheck, given, settings
from math_trees import DW, RELU, TREES, J

from backproof.write import math_svg
from backproof.write.math import Frac, Func, Ident, Math, Row, Word, chain
from backproof.write.math_svg import svg
from backproof.write.math_unicode import linear

NAMESPACE = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / name)
    svg.cache_clear()
    return tmp_path / "backproof" / "svg"


def fresh(node: Math) -> str:
    """As in a new process, but with the files that are there."""
    svg.cache_clear()
    return svg(node)


def test_it_is_a_whole_picture() -> None:
    node = chain(DW)
    root = ET.fromstring(svg(node))
    assert root.tag == f"{NAMESPACE}svg"
    left, top, width, height = map(float, root.attrib["viewBox"].split())
    assert (width, height) == (float(root.attrib["width"]), float(root.attrib["height"]))
    assert width > height > 0 > top
    assert left <= 0
    title = root.find(f"{NAMESPACE}title")
    assert title is not None
    assert title.text == linear(node)
    assert {element.attrib.get("fill", "currentColor") for element in root.iter()} == {"currentColor"}


def test_every_glyph_used_is_there_under_a_name_of_this_picture() -> None:
    names: list[set[str]] = []
    for node in (chain(J), RELU):
        root = ET.fromstring(svg(node))
        names.append({element.attrib["id"] for element in root.iter(f"{NAMESPACE}symbol")})
        assert {use.attrib["href"] for use in root.iter(f"{NAMESPACE}use")} == {f"#{name}" for name in names[-1]}
    assert not names[0] & names[1]


def test_the_same_bytes_whatever_was_drawn_before(cache: Path) -> None:
    formulas: list[Math] = [chain(J), RELU, Word("hidden layer"), Row((Func("tanh"), Frac(Ident("a"), Ident("b"))))]
    first = [svg(node) for node in formulas]
    for path in cache.iterdir():
        path.unlink()
    assert [fresh(node) for node in reversed(formulas)] == first[::-1]


def test_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    code = (
        "import pathlib, platformdirs, sys\n"
        "platformdirs.user_cache_path = lambda name: pathlib.Path(sys.argv[1])\n"
        "from math_trees import J\n"
        "from backproof.write.math import chain\n"
        "from backproof.write.math_svg import svg\n"
        "sys.stdout.buffer.write(svg(chain(J)).encode())"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "other")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "1"}
    other = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout
    assert other.decode() == svg(chain(J))


def test_a_picture_is_drawn_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = svg(RELU)
    assert len(list(cache.iterdir())) == 1
    monkeypatch.setattr(math_svg, "_draw", lambda *_: pytest.fail("drawn again"))
    assert svg(RELU) == picture
    assert fresh(RELU) == picture


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"<svg/>", b"0" * 64 + b"\n<svg/>"])
def test_a_damaged_entry_is_drawn_again(cache: Path, damage: bytes) -> None:
    picture = svg(RELU)
    (entry,) = cache.iterdir()
    sound = entry.read_bytes()
    for content in (damage, sound[:-1], sound.replace(b"currentColor", b"currentColour")):
        entry.write_bytes(content)
        assert fresh(RELU) == picture
        assert entry.read_bytes() == sound


def test_a_cache_that_cannot_be_used_does_not_matter(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = svg(RELU)
    (entry,) = cache.iterdir()
    entry.unlink()
    entry.mkdir()
    assert fresh(RELU) == picture
    assert [path.name for path in cache.iterdir()] == [entry.name]

    (cache.parent / "file").touch()
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda _: cache.parent / "file")
    assert fresh(RELU) == picture

    def nowhere(_: str) -> Path:
        raise RuntimeError("no home")

    monkeypatch.setattr(platformdirs, "user_cache_path", nowhere)
    assert fresh(RELU) == picture


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=40)
@given(TREES)
def test_any_tree_can_be_drawn(node: Math) -> None:
    root = ET.fromstring(svg(node))
    assert float(root.attrib["width"]) > 0
    assert float(root.attrib["height"]) > 0
