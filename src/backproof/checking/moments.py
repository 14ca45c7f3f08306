"""Statements that ran, with what each read and left behind."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from backproof.checking.syntax import statements
from backproof.ir.source import Line
from backproof.ops.row import Array

RETURNED = "returned"
"""What a dict is called that is returned at once; no code can read it by that name."""


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """An expression of the user's and the value that it had.

    text     the expression, with the places in it as they were: ``grads['W2']``
    value    a copy
    changed  whether the value was changed in place
    written  the expression as it stands in the code: ``grads['W' + str(l)]``
    """

    text: str
    value: Array
    changed: bool = False
    written: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """A statement that ran: where it stands, its source, how often it had run before, what it read and wrote.

    `scope` has the functions, modules and words that its names stand for. Where it ran first, `visible` has what the
    variables of its function held then. Of one that raised an error, `raised` says which; what it was to write is not a
    number.
    """

    file: str
    number: int
    source: str
    visit: int
    function: str
    reads: tuple[Held, ...]
    writes: tuple[Held, ...]
    scope: Mapping[str, Any] = field(default_factory=dict)
    visible: tuple[Held, ...] = ()
    raised: str = ""

    @property
    def line(self) -> tuple[str, int]:
        """The file and the number of the line."""
        return self.file, self.number

    @property
    def place(self) -> str:
        """The file's name and the line, for messages."""
        return str(Line(self.file, self.number))


def statement_of(moment: Moment) -> ast.stmt | None:
    """The statement that ran; None where values were handed to a function."""
    return statements(moment.file).get(moment.number) if moment.source else None


def scales(moment: Moment) -> bool:
    """Whether a statement changes a value that was whole before: ``dZ *= …``, ``dZ[Z < 0] = 0``."""
    match statement_of(moment):
        case ast.AugAssign(op=op):
            return not isinstance(op, ast.Add | ast.Sub)
        case ast.Assign(targets=[ast.Subscript()], value=ast.Constant()):
            return True
    return False


def is_looked_up(moment: Moment) -> bool:
    """Whether a statement only takes values out of a container: ``A, Z = caches[l]``."""
    match statement_of(moment):
        case ast.Assign(value=ast.Subscript() | ast.Attribute()) | ast.Assign(targets=[ast.Tuple()], value=ast.Name()):
            return True
    return False


def is_buffer(moment: Moment) -> bool:
    """Whether a statement only makes room for values that others fill in: ``dW = np.empty_like(W)``."""
    match statement_of(moment):
        case ast.Assign(value=ast.Call(func=ast.Attribute(attr="empty" | "empty_like"))):
            return True
    return False


def mentioned(moment: Moment) -> frozenset[str]:
    """The names, attributes and entries that stand in a statement, as they are written."""
    statement = statement_of(moment)
    return frozenset() if statement is None else _mentioned(statement)


@lru_cache(maxsize=4096)
def _mentioned(statement: ast.stmt) -> frozenset[str]:
    kinds = ast.Name | ast.Attribute | ast.Subscript
    return frozenset(ast.unparse(x) for x in ast.walk(statement) if isinstance(x, kinds))
