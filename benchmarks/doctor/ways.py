"""Ways to write a statement otherwise that do not change what it computes."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping

from statements import expr, is_gradient, text, writes

Way = Callable[[ast.stmt], list[ast.stmt]]
"""What stands in the place of a statement."""
Exchange = Callable[[ast.expr], str | None]
"""What stands in the place of an expression; None where it stays."""


class _Exchanged(ast.NodeTransformer):
    """Exchanges expressions from the inside out."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def generic_visit(self, node: ast.AST) -> ast.AST:
        changed = super().generic_visit(node)
        if isinstance(changed, ast.expr) and not isinstance(getattr(changed, "ctx", None), ast.Store):
            new = self._exchange(changed)
            return changed if new is None else expr(new)
        return changed


def _expressions(exchange: Exchange) -> Way:
    def way(statement: ast.stmt) -> list[ast.stmt]:
        return [_Exchanged(exchange).visit(statement)]

    return way


def _statements(source: str) -> list[ast.stmt]:
    return ast.parse(source).body


# --- expressions


def _infix(kind: type[ast.operator], written: str) -> Exchange:
    """An operator written in another way, ``{0}`` and ``{1}`` being its operands."""

    def exchange(node: ast.expr) -> str | None:
        if isinstance(node, ast.BinOp) and isinstance(node.op, kind):
            return written.format(text(node.left), text(node.right))
        return None

    return exchange


def _pattern(pattern: str, written: str) -> Exchange:
    """An expression whose text fits a pattern."""

    def exchange(node: ast.expr) -> str | None:
        match = re.fullmatch(pattern, text(node))
        return None if match is None else match.expand(written)

    return exchange


def _on_gradients(exchange: Exchange) -> Way:
    """Exchanges only the whole right side of statements that give a derivative."""

    def way(statement: ast.stmt) -> list[ast.stmt]:
        if isinstance(statement, ast.Assign) and is_gradient(" ".join(writes(statement))):
            new = exchange(statement.value)
            if new is not None:
                statement.value = expr(new)
        return [statement]

    return way


def _whole(written: str) -> Exchange:
    def exchange(node: ast.expr) -> str | None:
        plain = isinstance(node, ast.BinOp | ast.Call) and "zeros" not in text(node)
        return written.format(text(node)) if plain else None

    return exchange


# --- statements


def _one_target(statement: ast.stmt) -> tuple[str, ast.BinOp] | None:
    """The name that a statement gives the value of an operation to, and the operation."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.BinOp() as value):
            return name, value
    return None


SIGNS: Mapping[type[ast.operator], str] = {ast.Mult: "*", ast.Div: "/", ast.Add: "+", ast.Sub: "-", ast.MatMult: "@"}


def _in_place(statement: ast.stmt) -> list[ast.stmt]:
    """x = a * b as x = a, x *= b."""
    found = _one_target(statement)
    if found is None or isinstance(found[1].op, ast.MatMult) or type(found[1].op) not in SIGNS:
        return [statement]
    name, value = found
    lines = f"{name} = np.array({text(value.left)}, dtype=float)\n{name} {SIGNS[type(value.op)]}= {text(value.right)}"
    return [statement] if name in text(value.right).split() else _statements(lines)


def _split(statement: ast.stmt) -> list[ast.stmt]:
    """x = a * b with a value of its own for each operand."""
    found = _one_target(statement)
    if found is None or type(found[1].op) not in SIGNS:
        return [statement]
    name, value = found
    first, second = f"first = {text(value.left)}", f"second = {text(value.right)}"
    return _statements(f"{first}\n{second}\n{name} = first {SIGNS[type(value.op)]} second")


def _own_sum(statement: ast.stmt) -> list[ast.stmt]:
    """x += a as x = x + a."""
    if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add):
        target = text(statement.target)
        return _statements(f"{target} = {target} + {text(statement.value)}")
    return [statement]


def _asserted(statement: ast.stmt) -> list[ast.stmt]:
    """A check of the value."""
    names = writes(statement)
    if len(names) == 1 and names[0].isidentifier():
        return [statement, *_statements(f"assert {names[0]} is not None")]
    return [statement]


def _masked(statement: ast.stmt) -> list[ast.stmt]:
    """dz = da * (z > 0) as a copy of da with entries set to zero."""
    match = re.fullmatch(r"(\w+) = (\w+) \* \((\w+) > 0\)", text(statement))
    if match is None:
        return [statement]
    return _statements(f"{match[1]} = {match[2]}.copy()\n{match[1]}[{match[3]} <= 0] = 0")


def _nested(statement: ast.stmt) -> list[ast.stmt]:
    """The right side in a function of its own."""
    found = _one_target(statement)
    if found is None or found[0] in text(found[1]).split():
        return [statement]
    name, value = found
    used = sorted({x.id for x in ast.walk(value) if isinstance(x, ast.Name) and x.id != "np"})
    given = ", ".join(used)
    return _statements(f"def part_{name}({given}):\n    return {text(value)}\n{name} = part_{name}({given})")


def _renamed(statement: ast.stmt) -> list[ast.stmt]:
    """The local derivatives under names that tell nothing."""

    class Renamed(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.AST:
            if is_gradient(node.id) and node.id not in ("gelu_grad", "lrelu_grad"):
                node.id = "t_" + str(sum(map(ord, node.id)))
            return node

    return [Renamed().visit(statement)]


WAYS: Mapping[str, Way] = {
    "np.dot": _expressions(_infix(ast.MatMult, "np.dot({}, {})")),
    "np.matmul": _expressions(_infix(ast.MatMult, "np.matmul({}, {})")),
    "@": _expressions(_pattern(r"np\.dot\(([^()]*), ([^()]*)\)", r"(\1) @ (\2)")),
    "einsum": _expressions(_infix(ast.MatMult, "np.einsum('ij,jk->ik', {}, {})")),
    "einsum of dot": _expressions(_pattern(r"np\.dot\(([^()]*), ([^()]*)\)", r"np.einsum('ij,jk->ik', \1, \2)")),
    "transposed product": _expressions(_infix(ast.MatMult, "(({1}).T @ ({0}).T).T")),
    "factors exchanged": _expressions(_infix(ast.Mult, "({1}) * ({0})")),
    "terms exchanged": _expressions(_infix(ast.Add, "({1}) + ({0})")),
    "difference turned": _expressions(_infix(ast.Sub, "-(({1}) - ({0}))")),
    "np.multiply": _expressions(_infix(ast.Mult, "np.multiply({}, {})")),
    "np.add and np.subtract": _expressions(
        lambda node: _infix(ast.Add, "np.add({}, {})")(node) or _infix(ast.Sub, "np.subtract({}, {})")(node)
    ),
    "reciprocal": _expressions(_infix(ast.Div, "({}) * (1 / ({}))")),
    "np.divide": _expressions(_infix(ast.Div, "np.divide({}, {})")),
    "x * x": _expressions(_pattern(r"(.+) \*\* 2", r"(\1) * (\1)")),
    "np.square": _expressions(_pattern(r"(.+) \*\* 2", r"np.square(\1)")),
    "(1 - a)(1 + a)": _expressions(_pattern(r"1 - ([\w.\[\]]+) \*\* 2", r"(1 - \1) * (1 + \1)")),
    "a - a²": _expressions(_pattern(r"(\w+) \* (\w+) \* \(1 - \2\)", r"\1 * (\2 - \2 ** 2)")),
    "np.where": _expressions(_pattern(r"([\w.]+) > 0", r"np.where(\1 > 0, 1.0, 0.0)")),
    "np.sign": _expressions(_pattern(r"([\w.]+) > 0", r"(np.sign(\1) + 1) / 2")),
    "np.transpose": _expressions(_pattern(r"([\w.\[\]]+)\.T", r"np.transpose(\1)")),
    "np.swapaxes": _expressions(_pattern(r"([\w.\[\]]+)\.T", r"np.swapaxes(\1, 0, 1)")),
    "method sum": _expressions(_pattern(r"np\.sum\((\w+), (axis=.*)\)", r"\1.sum(\2)")),
    "function sum": _expressions(_pattern(r"((?!np\b)\w+)\.sum\((?:axis=)?(\S*)\)", r"np.sum(\1, axis=\2)")),
    "sum as product": _expressions(
        _pattern(r"(?:np\.sum\((\w+), axis=0\))|(?:(\w+)\.sum\(axis=0\))", r"np.ones(len(\1\2)) @ \1\2")
    ),
    "reshaped sum": _expressions(
        _pattern(r"np\.sum\((\w+), axis=1, keepdims=True\)", r"np.sum(\1, axis=1).reshape(-1, 1)")
    ),
    "einsum of sum": _expressions(_pattern(r"(?:np\.sum\()?(\w+)(?:, |\.sum\()axis=0\)", r"np.einsum('ij->j', \1)")),
    "single precision": _on_gradients(_whole("np.float32({})")),
    "copies": _on_gradients(_whole("np.array({})")),
    "times one": _on_gradients(_whole("1.0 * ({})")),
    "plus nothing": _on_gradients(_whole("({}) + 0.0")),
    "in place": _in_place,
    "split": _split,
    "own sum": _own_sum,
    "asserted": _asserted,
    "masked": _masked,
    "nested": _nested,
    "renamed": _renamed,
}
"""By what the way is called."""
