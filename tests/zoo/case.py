"""One entry of the zoo: a function as users write it, and arguments for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Generator = np.random.Generator


@dataclass(frozen=True)
class Case:
    """A function of arrays with one number as its result.

    `complex_step` is False where the function does not accept complex arrays, and `reason` says why; its derivatives
    are then compared with extrapolated differences.
    """

    name: str
    function: Callable[..., Any]
    arguments: Callable[[Generator], Mapping[str, Any]]
    complex_step: bool = True
    reason: str = ""

    def __post_init__(self) -> None:
        assert self.complex_step != bool(self.reason), f"{self.name}: a reason goes with complex_step=False only"
