"""Compiled code on disk, so that the same step is compiled once for a machine.

An entry is a file whose name says what it was made of, and whose first bytes say what the rest has to be: what is
damaged, or could be somebody else's, is made anew and never run. It is made of a description of the step, of all
that writes the code, LLVM, and the machine.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import llvmlite.binding as llvm
import sympy
from platformdirs import user_cache_path

from backproof import emit
from backproof.emit.native.machine import Machine
from backproof.execution.writing import write_bytes
from backproof.ir.errors import BackproofError

FOLDER = "BACKPROOF_CACHE"
"""The variable of the environment that names another folder than the usual one; empty, nothing is kept."""
HASH = hashlib.sha256


def cached_code(about: str, machine: Machine, compiled: Callable[[], bytes]) -> bytes:
    """The object code of what a text describes, from the disk if it is there."""
    folder = _folder()
    if folder is None:
        return compiled()
    whole = (_generator(), llvm.llvm_version_info, machine, about)
    path = folder / f"{HASH(repr(whole).encode()).hexdigest()}.o"
    found = _read(path)
    if found is None:
        found = compiled()
        _write(path, found)
    return found


@cache
def _generator() -> str:
    """What tells one version of the code that writes native code from another."""
    # Not only `emit`: what a softmax consists of, say, and which form of a function is stable, stands in `ops`.
    files = sorted(Path(emit.__file__).parent.parent.rglob("*.py"))
    return HASH(b"".join(path.read_bytes() for path in files)).hexdigest() + str(sympy.__version__)


def _folder() -> Path | None:
    given = os.environ.get(FOLDER)
    if given is not None:
        return Path(given) if given else None
    return user_cache_path("backproof", appauthor=False) / "native"


def _read(path: Path) -> bytes | None:
    """The code in an entry; None where it is not whole, or could have been written by others."""
    try:
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            content = file.read()
    except OSError:
        return None
    is_own = not hasattr(os, "getuid") or (about.st_uid == os.getuid() and not about.st_mode & 0o022)
    size = HASH().digest_size
    if not is_own or HASH(content[size:]).digest() != content[:size]:
        return None
    return content[size:]


def _write(path: Path, code: bytes) -> None:
    """Keeps code for the next time, where there is room for it."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_bytes(path, HASH(code).digest() + code)
        path.chmod(0o600)
    except (OSError, BackproofError):
        return
