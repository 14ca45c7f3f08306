"""The tape: what a function did to its arguments, as nodes, with the line of each."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from dis import opname
from functools import lru_cache
from itertools import islice
from pathlib import Path
from threading import local
from types import CodeType, FrameType
from typing import Any

import numpy as np

from backproof.frontends.tracing.quotients import quotient
from backproof.ir.errors import TraceError
from backproof.ir.node import Node
from backproof.ir.sizes import ONE, Shape, Size, of_length
from backproof.ir.source import Line, span_of, written
from backproof.ir.symbol import Symbol
from backproof.ops.leaves import constant, constant_, input_
from backproof.ops.row import Array

LIBRARIES = tuple({str(Path(module.__file__ or "").parent) for module in (np, sys.modules["backproof"])} | {sys.prefix})
STANDARD = str(Path(sys.modules["os"].__file__ or "").parent)
FOLLOWED = str(Path(sys.modules["backproof"].__file__ or "").parent / "nn")
"""The operations of networks: NumPy code that is shown as if the user had written it."""

NUMBERS = (bool, int, float, np.bool_, np.number)


def is_users(code: CodeType) -> bool:
    """Whether code is the user's own: not NumPy's, ours, the standard library's, or made up."""
    return is_users_file(code.co_filename)


def is_operations(code: CodeType) -> bool:
    """Whether code is that of an operation of networks of ours."""
    return code.co_filename.startswith(FOLLOWED)


@lru_cache(maxsize=4096)
def is_users_file(file: str) -> bool:
    """Whether a file of source is the user's own."""
    if file.startswith(FOLLOWED):
        return True
    return not (file.startswith((*LIBRARIES, STANDARD, "<frozen")) or "site-packages" in file)


def users_frame() -> FrameType | None:
    """The innermost frame of the user's code."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not is_users_file(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def array_of(x: Any, what: str) -> Array:
    """What comes in as an array. Raises TraceError for another kind than NumPy's own, which computes otherwise."""
    kind = type(x)
    if isinstance(x, np.ndarray) and kind not in (np.ndarray, np.memmap):
        raise refuse(
            f"{what} is a {kind.__name__}",
            why="it computes in another way than a plain array, as by leaving out masked entries",
            instead="give a plain array, np.asarray(x), and a mask as an array of its own",
        )
    return np.asarray(x)


def doing() -> str:
    """What the user's code does now, for messages: the expression that is computed, or what is written to."""
    frame = users_frame()
    if frame is None:
        return ""
    code, at = frame.f_code, frame.f_lasti
    span = span_of(next(islice(code.co_positions(), at // 2, None)))
    text = "" if span is None else written(code.co_filename, span)
    return f"the write to {text}" if text and opname[code.co_code[at]].startswith("STORE_") else text


line = lru_cache(maxsize=4096)(Line)
"""A line, the same object for each of the operations on it."""


def here() -> str:
    """Where the user's code is now, for messages."""
    frame = users_frame()
    return "" if frame is None else str(Line(frame.f_code.co_filename, frame.f_lineno))


def refuse(what: str, why: str = "", instead: str = "") -> TraceError:
    """The error for what cannot be followed, with the user's line. It is raised again if the user's code handles it."""
    error = TraceError(what, where=here(), why=why, instead=instead)
    if RUNNING:
        RUNNING[-1].refused.append(error)
    return error


@dataclass(eq=False)
class Tape:
    """What is known of a run: the line and value of each node, the arrays from outside, what was noticed."""

    arguments: Mapping[str, Node] = field(default_factory=dict)
    """The arrays among the arguments, by their names."""
    lines: dict[Node, Line] = field(default_factory=dict)
    given: dict[int, tuple[Array, Node]] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    values: dict[Node, Array] = field(default_factory=dict)
    axes: Iterator[int] | None = None
    """Numbers for the axes of arrays that come in, where their lengths are to be told apart."""
    shapes: dict[int, tuple[Array, Shape]] = field(default_factory=dict)
    """The shapes of arrays that the code made as long as an axis is."""
    complex: bool = False
    """Whether complex numbers have come up."""
    refused: list[TraceError] = field(default_factory=list)
    """What could not be followed, the first of it first."""
    generators: list[tuple[Any, bytes]] = field(default_factory=list)
    """The generators of random numbers that the code may use, with their states before."""
    watch: Callable[..., Any] | None = None
    """The trace function that looks at the user's variables, where it pays to take it off in between."""

    def shape(self, array: Array) -> Shape:
        """The shape of an array that comes in."""
        known = self.shapes.get(id(array))
        if known is not None and known[0] is array:
            return known[1]
        if self.axes is None:
            return tuple(map(of_length, array.shape))
        return tuple([ONE if n == 1 else Size(str(n), n, axis=next(self.axes)) for n in array.shape])

    def node(self, x: Any) -> Node:
        """A number or an array that is no argument of the function: a constant of the derivation."""
        if isinstance(x, complex):
            self.complex = True
            return constant(complex(x))
        if isinstance(x, NUMBERS):
            node: Node | None = getattr(x, "node", None)
            if node is None and x == math.pi:
                return constant_(value=math.pi, text="π")
            if node is None and type(x) is float and (frame := users_frame()) is not None:
                node = quotient(x, doing(), frame)
            whole = isinstance(x, int | np.bool_ | np.integer)
            return node if node is not None else constant(int(x) if whole else float(x))
        array = array_of(x, "an array that takes part")
        if array.dtype.kind not in "biufc":
            raise refuse(f"an array of {array.dtype} takes part", why="only numbers can be differentiated")
        self.complex |= array.dtype.kind == "c"
        if array.ndim == 0 and array.dtype.kind == "c":
            return constant(complex(array))
        if array.ndim == 0:
            return constant(int(array) if array.dtype.kind in "biu" else float(array))
        known = self.given.get(id(x))
        if known is not None and known[0] is x:
            return known[1]
        symbol, own = self._names(x)
        node = input_(symbol=symbol, shape=self.shape(array), value=array.copy(), outside=True)
        if str(symbol) != own:
            how = "made there" if own is None else f"called {own} there, as another quantity is"
            self.note(f"{symbol} is {_described(array)}, {how}")
        self.given[id(x)] = (x, node)
        self.values[node] = array
        return node

    def _names(self, array: Any) -> tuple[Symbol, str | None]:
        """A symbol for an array from outside, and the user's own name for it: the same if it is free, else C1, C2, …"""
        frame = users_frame()
        spaces = [] if frame is None else [frame.f_locals, frame.f_globals]
        found = next((name for space in spaces for name, value in space.items() if value is array), None)
        taken = {*self.arguments, *(str(node.symbol) for _, node in self.given.values())}
        names = (found, *(f"C{k}" for k in range(1, len(taken) + 2)))
        return Symbol(next(name for name in names if name is not None and name not in taken)), found

    def made(self, node: Node) -> Node:
        """Notes the line that a node was made in."""
        frame = users_frame()
        if frame is not None:
            code = frame.f_code
            self.lines[node] = line(code.co_filename, frame.f_lineno, code if code.co_name == "<lambda>" else None)
        return node

    def note(self, text: str) -> None:
        """Notes something that a reader of the derivation must know."""
        self.notes[f"{here()}: {text}"] = None


MOST_SHOWN = 6
"""An array of more numbers than this is described by its shape."""


def _described(array: Array) -> str:
    """What an array is: arange, zeros, ones, eye, its numbers if they are few, else its shape."""
    shape = array.shape
    argument = str(shape[0]) if len(shape) == 1 else str(shape)
    if array.ndim == 1 and np.array_equal(array, np.arange(len(array))):
        return f"np.arange({len(array)})"
    for value, name in ((0, "zeros"), (1, "ones")):
        if np.all(array == value):
            return f"np.{name}({argument})"
    if array.ndim == 2 and np.array_equal(array, np.eye(*shape)):
        return f"np.eye({shape[0]})" if shape[0] == shape[1] else f"np.eye{shape}"
    if array.size <= MOST_SHOWN:
        return f"np.array({array.tolist()})"
    return f"an array of {' × '.join(map(str, shape))} numbers"


class _Running(local):
    """The tapes of the functions that are being followed in a thread, the innermost last."""

    def __init__(self) -> None:
        self._tapes: list[Tape] = []

    def __bool__(self) -> bool:
        return bool(self._tapes)

    def __getitem__(self, place: int) -> Tape:
        return self._tapes[place]

    def append(self, tape: Tape) -> None:
        """A further function is followed."""
        self._tapes.append(tape)

    def pop(self) -> None:
        """The innermost one has come to its end."""
        self._tapes.pop()


RUNNING = _Running()
