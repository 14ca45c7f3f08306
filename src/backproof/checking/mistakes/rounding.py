"""Numbers cut off: to whole ones, or to fewer digits than the rest of the computation has."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from backproof.checking.mistakes.kinds import Candidate, Context
from backproof.checking.mistakes.rows import plain_row
from backproof.ir.node import Node
from backproof.ops.elementary import floor, rint, trunc

halved = plain_row("float16", lambda a: np.asarray(a, np.float16))


def to_integers(root: Node, context: Context) -> Iterator[Candidate]:
    """Whole numbers only: ``//`` for ``/``, or an array of integers that takes the result."""
    yield Candidate("the result is rounded down, as // does", lambda: floor(root))
    yield Candidate("the digits behind the point are cut off, as an array of integers does", lambda: trunc(root))
    yield Candidate("the result is rounded to whole numbers", lambda: rint(root))


def to_half(root: Node, context: Context) -> Iterator[Candidate]:
    """Half precision."""
    yield Candidate("it is rounded to half precision, three digits", lambda: halved(root))
