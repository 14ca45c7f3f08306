"""The statements of a backward pass, and what their names tell."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

SIMPLE = (ast.Assign, ast.AugAssign, ast.Expr, ast.Return)
NUMBERS = ("keep_prob", "keep", "lam", "reg", "alpha", "scale", "eps", "lr")
"""How the networks call what is a single number."""
GRADIENT = re.compile(r"(^|\W)(self\.)?(d_?[A-Za-z]\w*|grads?\w*|delta|nabla_\w+|l\d_(error|delta)|z_[on]|g)\b")
LENGTH = re.compile(r"[\w.]+\.(shape(\[-?\d\])?|size)|len\((?!caches|weights)\w+\)")
"""What gives a number of samples, steps or entries; that of layers is none."""
FORWARD = ("forward", "loss", "data")


def text(node: ast.AST) -> str:
    return ast.unparse(node)


def expr(source: str) -> ast.expr:
    return ast.parse(source, mode="eval").body


def is_gradient(name: str) -> bool:
    """Whether a variable of the networks holds a derivative: dW1, grads["W1"], delta, l1_error, z_o."""
    return GRADIENT.search(name) is not None


def writes(statement: ast.stmt) -> list[str]:
    """What a statement gives values to, as it is written."""
    match statement:
        case ast.Assign(targets=targets):
            parts = [part for t in targets for part in (t.elts if isinstance(t, ast.Tuple) else [t])]
            return [text(part) for part in parts]
        case ast.AugAssign(target=target):
            return [text(target)]
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="at"), args=[target, *_])):
            return [text(target)]
    return []


def names_in(node: ast.AST) -> list[str]:
    """The variables that an expression reads, or the right side of a statement."""
    value = getattr(node, "value", None) if isinstance(node, ast.stmt) else node
    return [] if value is None else [text(x) for x in ast.walk(value) if isinstance(x, ast.Name | ast.Attribute)]


@dataclass(frozen=True, slots=True)
class Scope:
    """A function that only the backward pass calls.

    statements  its simple statements in the order of the lines
    counts      its variables that hold numbers of samples, steps, entries
    known       the names that stand in it
    """

    function: ast.FunctionDef
    statements: tuple[ast.stmt, ...]
    counts: tuple[str, ...]
    known: frozenset[str]

    @staticmethod
    def backward(source: str) -> list[Scope]:
        """The functions of the backward pass, but for those that the forward pass calls too."""
        functions = {f.name: f for f in _functions(ast.parse(source))}
        methods = [f for f in functions.values() if f.name == "Net.backward"]
        used = _reached(functions, ["backward"])
        shared = _reached(functions, [name for name in FORWARD if name in functions])
        chosen = [functions[name] for name in functions if name in used and name not in shared]
        return [_scope(f) for f in (*methods, *chosen)]

    @property
    def lines(self) -> range:
        return range(self.function.lineno, (self.function.end_lineno or self.function.lineno) + 1)

    def is_count(self, node: ast.expr) -> bool:
        own = text(node)
        return own in self.counts or re.search(r"(\.size|\.shape\[-?\d\]|^len\(.*\)|\.m)$", own) is not None

    def is_number(self, node: ast.expr) -> bool:
        """Whether an expression is a single number: 2, 1 / m, keep_prob."""
        if isinstance(node, ast.BinOp):
            return self.is_number(node.left) and self.is_number(node.right)
        return isinstance(node, ast.Constant) or self.is_count(node) or text(node) in NUMBERS


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node
        if isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, ast.FunctionDef):
                    method.name = f"{node.name}.{method.name}"
                    yield method


def _reached(functions: dict[str, ast.FunctionDef], start: list[str]) -> set[str]:
    found: set[str] = set()
    stack = list(start)
    while stack:
        name = stack.pop()
        if name in found:
            continue
        found.add(name)
        stack += [x.id for x in ast.walk(functions[name]) if isinstance(x, ast.Name) and x.id in functions]
    return found


def _scope(function: ast.FunctionDef) -> Scope:
    inside = list(ast.walk(function))
    statements = sorted((x for x in inside if isinstance(x, SIMPLE)), key=lambda x: x.lineno)
    counts = []
    for statement in statements:
        if isinstance(statement, ast.Assign) and LENGTH.fullmatch(text(statement.value)):
            counts += [name for name in writes(statement) if name.isidentifier()]
    names = {text(x) for x in inside if isinstance(x, ast.Name | ast.Attribute)}
    names |= {argument.arg for argument in function.args.args}
    return Scope(function, tuple(statements), tuple(counts), frozenset(names))
