"""How much memory there is."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from backproof.ir.errors import BackproofError


def check_room(needed: int) -> None:
    """Raises BackproofError where so many bytes are more than are free."""
    free = available()
    if free is not None and needed > free:
        raise BackproofError(
            "a step of this training does not fit into memory",
            where=f"its arrays take {needed / 1e9:.3g} GB, and {free / 1e9:.3g} GB are free",
            instead="take fewer samples in a batch, or a smaller network",
        )


def available() -> int | None:
    """How many bytes can be had; None where that is not known.

    What Linux tells as available counts what it keeps of files; elsewhere it is all that the machine has.
    """
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1])
    with suppress(AttributeError, OSError, ValueError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return None
