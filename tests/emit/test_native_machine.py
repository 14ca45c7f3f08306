"""What native code knows of the machine that it is made for."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("llvmlite")
from backproof.emit.native import machine


def cache(folder: Path, name: str, level: str, kind: str, size: str) -> None:
    (folder / name).mkdir()
    for file, text in (("level", level), ("type", kind), ("size", size)):
        (folder / name / file).write_text(f"{text}\n", encoding="utf-8")


def test_the_caches_are_those_that_the_system_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "CACHES", tmp_path)
    cache(tmp_path, "index0", "1", "Data", "48K")
    cache(tmp_path, "index1", "1", "Instruction", "64K")
    cache(tmp_path, "index2", "2", "Unified", "2048K")
    cache(tmp_path, "index3", "3", "Unified", "260M")
    assert machine._caches() == (48 << 10, 2048 << 10)


def test_where_it_tells_nothing_they_are_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "CACHES", tmp_path / "nowhere")
    assert machine._caches() == machine.SMALLEST
    monkeypatch.setattr(machine, "CACHES", tmp_path)
    (tmp_path / "index0").mkdir()  # without files
    cache(tmp_path, "index2", "2", "Unified", "unknown")
    assert machine._caches() == machine.SMALLEST
