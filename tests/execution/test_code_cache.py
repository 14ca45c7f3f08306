"""Compiled code on disk: what is whole and one's own is taken, anything else made anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest.importorskip("llvmlite")
from backproof.emit.native.machine import host
from backproof.execution.code_cache import FOLDER, cached_code


class Compiler:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def of(self, text: str) -> bytes:
        """The code of a text, from the cache if it is there."""
        return cached_code(text, host(), lambda: self.compiled(text))

    def compiled(self, text: str) -> bytes:
        self.asked += 1
        return b"code of " + text.encode()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER, str(tmp_path / "code"))
    return tmp_path / "code"


def entry(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


def test_it_is_compiled_once(folder: Path) -> None:
    compiler = Compiler()
    for _ in range(3):
        assert compiler.of("a") == b"code of a"
    assert compiler.asked == 1
    assert compiler.of("b") == b"code of b"
    assert len(list(folder.iterdir())) == 2
    assert entry_mode(folder) == {0o600}


def entry_mode(folder: Path) -> set[int]:
    return {file.stat().st_mode & 0o777 for file in folder.iterdir()}


@pytest.mark.parametrize("damage", [b"", b"code", None, -1])
def test_what_is_damaged_is_made_anew(folder: Path, damage: bytes | int | None) -> None:
    compiler = Compiler()
    compiler.of("a")
    file = entry(folder)
    whole = file.read_bytes()
    broken = whole[:-1] + bytes([whole[-1] ^ 1]) if damage is None else whole[:-1] if damage == -1 else damage
    file.write_bytes(broken)
    assert compiler.of("a") == b"code of a"
    assert compiler.asked == 2
    assert file.read_bytes() == whole


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no permissions")
def test_what_others_may_write_is_made_anew(folder: Path) -> None:
    compiler = Compiler()
    compiler.of("a")
    entry(folder).chmod(0o666)
    compiler.of("a")
    assert compiler.asked == 2
    assert entry_mode(folder) == {0o600}


def test_where_nothing_can_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = Compiler()
    (tmp_path / "file").write_text("")
    for place in ("", str(tmp_path / "file" / "below")):
        monkeypatch.setenv(FOLDER, place)
        assert compiler.of("a") == b"code of a"
    assert compiler.asked == 2
