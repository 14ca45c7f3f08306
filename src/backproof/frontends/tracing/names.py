"""The user's own names of values: what each local variable holds after each line."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import CodeType, FrameType
from typing import TypeVar

from backproof.frontends.tracing.lengths import Length
from backproof.frontends.tracing.tape import Tape, is_operations
from backproof.frontends.tracing.traced import Traced
from backproof.frontends.tracing.watching import watching
from backproof.ir.node import Node
from backproof.ir.sizes import Size

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
                self._bind(value.node, depth, name)
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

    def found(self, taken: set[str], present: Mapping[Node, Node]) -> dict[Node, str]:
        """A name for each node that was bound, none twice, none in `taken`: h, or h_1, h_2, … where h was rebound.

        Only nodes that are still `present` count; there they may have become others, which get the names.
        """
        bound = {present[node]: known for node, known in self._bound.items() if node in present}
        order = sorted(bound.items(), key=lambda item: item[1][1])
        count: dict[str, int] = {}
        for _, (_, _, name) in order:
            count[name] = count.get(name, 0) + 1
        used = set(taken)
        numbers: dict[str, int] = {}
        names: dict[Node, str] = {}
        for node, (_, _, name) in order:
            wanted = name
            while wanted in used or (wanted == name and count[name] > 1):
                numbers[name] = numbers.get(name, 0) + 1
                wanted = f"{name}_{numbers[name]}"
            used.add(wanted)
            names[node] = wanted
        return names
