"""The user's own names of values: what each local variable holds after each line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import count
from types import CodeType, FrameType
from typing import TypeVar

from backproof.frontends.tracing.lengths import Length
from backproof.frontends.tracing.tape import Tape, is_operations
from backproof.frontends.tracing.traced import Traced
from backproof.frontends.tracing.watching import watching
from backproof.ir.node import Node
from backproof.ir.sizes import Size
from backproof.ir.symbol import Symbol, written

K = TypeVar("K")


def parameters(code: CodeType) -> tuple[str, ...]:
    """The names of a function's parameters."""
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


class Names:
    """Which variable each node was bound to first; a name in an outer function wins over one further in."""

    def __init__(self) -> None:
        self._bound: dict[Node, tuple[int, int, str]] = {}
        self.lengths: dict[Size, tuple[int, int, str]] = {}

    def watching(self, tape: Tape) -> AbstractContextManager[None]:
        """While this holds, the variables of user's code are looked at line by line."""
        return watching(self._look, tape)

    def _look(self, frame: FrameType, depth: int, inside: bool) -> None:
        foreign = parameters(frame.f_code) if is_operations(frame.f_code) else ()
        for name, value in frame.f_locals.items():
            if name in foreign:  # what the user gives an operation is nothing that the user calls so
                continue
            if type(value) is Traced:
                node = value.node
                # Most lines bind nothing new, and the two calls for each variable would take most of the time.
                if node.symbol is None and (node not in self._bound or depth < self._bound[node][0]):
                    self._bind(node, depth, name)
            elif type(value) is Length:
                if value.size is not None:
                    self._bind_to(self.lengths, value.size, depth, name)
            elif inside and isinstance(value, dict):
                for key, held in value.items():
                    if isinstance(held, Traced) and isinstance(key, str) and key.isidentifier():
                        self._bind(held.node, depth, key)
            elif inside and name == "self":
                for key, held in vars(value).items() if hasattr(value, "__dict__") else ():
                    if isinstance(held, Traced):
                        self._bind(held.node, depth, key)

    def _bind(self, node: Node, depth: int, name: str) -> None:
        if node.symbol is None:
            self._bind_to(self._bound, node, depth, name)

    @staticmethod
    def _bind_to(bound: dict[K, tuple[int, int, str]], key: K, depth: int, name: str) -> None:
        known = bound.get(key)
        if not name.startswith("_") and (known is None or depth < known[0]):
            bound[key] = (depth, known[1] if known else len(bound), name)

    def of(self, node: Node) -> str | None:
        """The variable that a node was bound to."""
        return self._bound[node][2] if node in self._bound else None

    def found(self, taken: Taken, present: Mapping[Node, Node]) -> tuple[dict[Node, str], dict[str, str]]:
        """A name for each node that was bound, none twice, none that is taken: h, or h_1, h_2, … where h was rebound.

        Only nodes that are still `present` count; there they may have become others, which get the names. A variable
        that is called like a derivative, dW beside W, gets another name: the second result has those.
        """
        bound = {present[node]: known for node, known in self._bound.items() if node in present}
        order = sorted(bound.items(), key=lambda item: item[1][1])
        count = Counter(name for _, (_, _, name) in order)
        given = Taken([*taken, *count])
        renamed = {name: f"{name}_code" for name in count if given.is_derivative(name)}
        numbers: dict[str, int] = {}
        names: dict[Node, str] = {}
        for node, (_, _, name) in order:
            wanted = stem = renamed.get(name, name)
            again = count[name] > 1
            while wanted in taken or (again and (wanted == stem or taken.is_written(wanted))):
                numbers[stem] = numbers.get(stem, 0) + 1
                wanted, again = f"{stem}_{numbers[stem]}", True
            taken.add(wanted)
            names[node] = wanted
        return names, renamed


class Taken:
    """Names that quantities have, and what is written like one of them."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names: dict[str, None] = {}
        self._written: set[tuple[str, int | None]] = set()
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """A further name."""
        self._names[name] = None
        self._written.add(written(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def is_written(self, name: str) -> bool:
        """Whether a name is written like one that is taken, as h_1 is like h1."""
        return written(name) in self._written

    def is_derivative(self, name: str) -> bool:
        """Whether a name is that of the derivative by a quantity, or written like it."""
        letters, number = written(name)
        return name[0] == "d" and (name[1:] in self or (letters[1:], number) in self._written)

    def free(self, stems: Sequence[str]) -> Iterator[str]:
        """The names Z1, Z2, … that are not taken, each of which then is; with the first letter that no name has."""
        letters = {text.lower() for text, _ in self._written}
        stem = next((x for x in stems if x.lower() not in letters), stems[0])
        for name in (f"{stem}{k}" for k in count(1)):
            if name not in self and not self.is_written(name):
                self.add(name)
                yield name


def distinct(symbols: Iterable[Symbol]) -> dict[Symbol, Symbol]:
    """The symbols that are better written as they stand in code, since another one is written alike: W_1 beside W1.

    The entries of X beside x keep their capital letter.
    """
    all_written = [(x, x.written) for x in symbols]
    small = {as_written for _, as_written in all_written}
    seen: set[tuple[str, int | None]] = set()
    found = {}
    for x, as_written in all_written:
        letters, number = as_written
        capital = len(letters) == 1 and letters != letters.lower() and (letters.lower(), number) in small
        if as_written in seen:
            found[x] = replace(x, plain=True)
        elif capital:
            found[x] = replace(x, capital=True)
        seen.add(as_written)
    return found
