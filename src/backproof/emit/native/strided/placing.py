"""Where the buffers of a step lie in its memory: what is not read any more leaves its place to what comes next."""

from __future__ import annotations

from collections.abc import Sequence

from backproof.emit.native.memory import ALIGNED, MEMORY
from backproof.emit.native.strided.kernels import Kernel, read, targets
from backproof.emit.native.strided.values import Buffer


def placed(kernels: Sequence[Kernel], first: Sequence[Buffer], always: Sequence[Buffer], size: int) -> int:
    """Says of each buffer where it begins, and returns how many numbers the memory holds.

    The `first` ones, the state, lie in front and keep their places, as do those that are `always` there.
    """
    whole = ALIGNED // size
    end = 0
    for buffer in (*first, *always):
        buffer.start, end = end, end + _rounded(buffer.entries, whole)
    lives: dict[Buffer, tuple[int, int]] = {}
    fixed = {*first, *always}
    for k, kernel in enumerate(kernels):
        for x in (*targets(kernel), *read(kernel)):
            for buffer in (x.buffer, *([x.table] if x.table is not None else [])):
                if buffer.base == MEMORY and buffer not in fixed:
                    lives[buffer] = (lives.get(buffer, (k, k))[0], k)
    live: list[Buffer] = []
    last = end
    for buffer, (begins, _) in lives.items():
        live = sorted((x for x in live if lives[x][1] >= begins), key=lambda x: x.start)
        at = end
        for other in live:
            if other.start - at >= buffer.entries:
                break
            at = max(at, other.start + _rounded(other.entries, whole))
        buffer.start = at
        live.append(buffer)
        last = max(last, at + _rounded(buffer.entries, whole))
    return last


def _rounded(entries: int, whole: int) -> int:
    return -(-entries // whole) * whole
