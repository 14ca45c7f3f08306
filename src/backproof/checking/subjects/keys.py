"""Which parts of a container functions read: ``params["W1"]``, ``params["W" + str(l)]``, ``W1, b1 = params``."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

CHANGING = ("update", "setdefault", "pop", "popitem", "clear")
"""Methods by which a dict comes to hold other keys."""


@dataclass(slots=True)
class Keys:
    """What is read of a container.

    read      keys, as they are written
    branched  those of them that are read in a branch only
    computed  patterns that computed keys fit, as they are written
    stored    keys that the code itself puts in
    order     the names that the container is unpacked to, where it is a sequence
    changes   whether the code may change which keys there are
    """

    read: dict[str, str] = field(default_factory=dict)
    branched: set[str] = field(default_factory=set)
    computed: dict[str, str] = field(default_factory=dict)
    stored: set[str] = field(default_factory=set)
    order: tuple[str, ...] = ()
    changes: bool = False

    @property
    def needed(self) -> dict[str, str]:
        """What has to be there, as it is written."""
        if self.order:
            return dict.fromkeys(self.order, f"{', '.join(self.order)} = …")
        return {key: text for key, text in self.read.items() if key not in self.branched | self.stored}


def keys_read(functions: Iterable[Callable[..., Any]], name: str) -> Keys:
    """What functions read of the container that they call by a name, and the functions that they hand it to."""
    keys = Keys()
    waiting = [(function, name) for function in functions]
    seen: set[tuple[Any, str]] = set()
    while waiting:
        function, own = waiting.pop(0)
        inner = _inner(function)
        if (inner, own) in seen or (tree := _tree(inner)) is None:
            continue
        seen.add((inner, own))
        reader = _Reader(own, keys, getattr(inner, "__globals__", {}), getattr(function, "__self__", None))
        reader.visit(tree)
        waiting += reader.handed_on
    return keys


def _inner(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function below what is wrapped around it, of a method its own."""
    inner = inspect.unwrap(function)
    return getattr(inner, "__func__", inner)  # type: ignore[no-any-return]


@cache
def _tree(function: Callable[..., Any]) -> ast.Module | None:
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):  # one that is built in, a lambda in the middle of a line
        return None


class _Reader(ast.NodeVisitor):
    """Adds to the keys what one function reads of one container."""

    def __init__(self, name: str, keys: Keys, scope: Mapping[str, Any], owner: Any) -> None:
        self._name, self._keys, self._scope, self._owner = name, keys, scope, owner
        self._words: dict[str, list[str]] = {}
        self._in_branch = False
        self.handed_on: list[tuple[Callable[..., Any], str]] = []

    def visit_If(self, node: ast.If | ast.IfExp | ast.Try) -> None:
        with self._branch():
            self.generic_visit(node)

    @contextmanager
    def _branch(self) -> Iterator[None]:
        before, self._in_branch = self._in_branch, True
        yield
        self._in_branch = before

    visit_IfExp = visit_If
    visit_Try = visit_If

    def visit_For(self, node: ast.For | ast.comprehension) -> None:
        """Keeps the words that a loop runs over: ``for key in ("W1", "b1")``."""
        if isinstance(node.target, ast.Name) and isinstance(node.iter, ast.Tuple | ast.List):
            words = [x.value for x in node.iter.elts if isinstance(x, ast.Constant) and isinstance(x.value, str)]
            self._words[node.target.id] = words
        self.generic_visit(node)

    visit_comprehension = visit_For

    def visit_ListComp(self, node: ast.ListComp | ast.GeneratorExp) -> None:
        for generator in node.generators:  # what the element is made of is known only then
            self.visit(generator)
        self.visit(node.elt)

    visit_GeneratorExp = visit_ListComp

    def visit_Assign(self, node: ast.Assign) -> None:
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=parts) | ast.List(elts=parts)], value=value) if self._is_own(value):
                names = tuple(part.id for part in parts if isinstance(part, ast.Name))
                if len(names) == len(parts):
                    self._keys.order = self._keys.order or names
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if self._is_own(node.value):
            if isinstance(node.ctx, ast.Load):
                self._read(node)
            else:
                self._keys.changes |= not isinstance(node.slice, ast.Constant)
                self._keys.stored |= set(_words_in(node.slice))
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Subscript) and self._is_own(node.target.value):
            self._read(node.target)
            self.visit(node.value)
        else:
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr="get"), args=[key, *_]) if self._is_own(owner):
                with self._branch():
                    self._read(ast.Subscript(owner, key, ast.Load()))
            case ast.Call(func=ast.Attribute(value=owner, attr=attribute)) if self._is_own(owner):
                self._keys.changes |= attribute in CHANGING
        called = self._called(node.func)
        if inspect.isfunction(called) or inspect.ismethod(called):
            names = list(inspect.signature(called).parameters)
            given = [*zip(names, node.args, strict=False), *((x.arg, x.value) for x in node.keywords)]
            self.handed_on += [(called, name) for name, value in given if name and self._is_own(value)]
        self.generic_visit(node)

    def _called(self, function: ast.expr) -> Any:
        match function:
            case ast.Name(id=name):
                return self._scope.get(name)
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                return getattr(self._owner, name, None)
        return None

    def _is_own(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id == self._name

    def _read(self, node: ast.Subscript) -> None:
        match node.slice:
            case ast.Constant(value=str(word)):
                words = [word]
            case ast.Name(id=name):
                words = self._words.get(name, [])
            case ast.JoinedStr() | ast.BinOp() | ast.Call() as key if any(_words_in(key)):
                self._keys.computed.setdefault(_pattern(key), ast.unparse(node))
                words = []
            case _:
                words = []
        self._keys.branched |= {word for word in words if self._in_branch and word not in self._keys.read}
        self._keys.read |= {word: f"{self._name}[{word!r}]" for word in words}


def _words_in(node: ast.expr) -> Iterator[str]:
    return (x.value for x in ast.walk(node) if isinstance(x, ast.Constant) and isinstance(x.value, str))


def _pattern(node: ast.expr) -> str:
    """What a computed key looks like: its words as they are, and anything in between."""
    match node:
        case ast.Constant(value=str(word)):
            return re.escape(word)
        case ast.JoinedStr(values=parts):
            return "".join(map(_pattern, parts))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _pattern(left) + _pattern(right)
    return r"\w+"
