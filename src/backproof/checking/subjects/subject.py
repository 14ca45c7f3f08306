"""What the doctor needs of somebody's code, whatever shape that has."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import FunctionType
from typing import TYPE_CHECKING, Any, Protocol

from backproof.checking.moments import Moment
from backproof.ir.errors import BackproofError
from backproof.ir.source import Line
from backproof.ops.row import Array

if TYPE_CHECKING:
    from backproof.checking.diagnosis import Remark


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """One run.

    arguments    what it was run on
    loss         the number that is differentiated
    moments      the statements of the backward pass
    returned     what came back: results, and gradients that are left in attributes, as containers of arrays
    updates      by how much the backward pass changed arguments themselves, by their places: ``['params']['W']``
    raised       the error that the backward pass ended with
    calling      the statements whose calls it came through, the innermost first
    warnings     what NumPy warned of, by the line
    overwritten  the arrays that the backward pass was handed and changed in place: what they were, and what they are
    """

    arguments: Mapping[str, Any]
    loss: float
    moments: tuple[Moment, ...]
    returned: Any
    updates: Mapping[str, Array]
    raised: BackproofError | None = None
    calling: tuple[Moment, ...] = ()
    warnings: Mapping[Line, str] = field(default_factory=dict)
    overwritten: Mapping[str, tuple[Array, Array]] = field(default_factory=dict)


class Subject(Protocol):
    """A source of user code."""

    @property
    def arguments(self) -> Mapping[str, Any]:
        """All that the number depends on, by name: what is given, parameters that objects hold, what is drawn."""

    @property
    def scalar(self) -> Callable[..., Any]:
        """The number that is differentiated, as one function of all arguments, to be followed and derived."""

    @property
    def remarks(self) -> Sequence[Remark]:
        """What a reader must know of how the code was taken."""

    @property
    def upstream(self) -> Collection[str]:
        """The arguments that hold derivatives by the results of a layer: nothing is derived by them."""

    @property
    def functions(self) -> Collection[FunctionType]:
        """The functions of the user's that may run, as far as they can be seen from outside."""

    def play(self, arguments: Mapping[str, Any], times: int = 1, *, statements: bool = True) -> Played:
        """Runs forward and backward pass on copies of the arguments, several times in a row; the last run counts.

        Without `statements`, those of the backward pass are not recorded.
        """
