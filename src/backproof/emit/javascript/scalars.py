"""Scalar functions as JavaScript: the text that they are computed with, which is Python, in the other language."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from backproof.emit.text import ATOM, COMPARISON, POWER, PRODUCT, SIGN, SUM, Text, call, infix
from backproof.ir.errors import SpecError
from backproof.ops.scalar import ScalarRow

NAMES: Mapping[str, str] = {
    **{name: f"Math.{name}" for name in ("exp", "log", "sqrt", "tanh", "sinh", "cosh", "sin", "cos", "tan")},
    **{f"arc{name}": f"Math.a{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    "_atan2": "Math.atan2",
    "_log1p": "Math.log1p",
    "_expm1": "Math.expm1",
    "_abs": "Math.abs",
    "_sign": "Math.sign",
    "_max": "Math.max",
    "_min": "Math.min",
    "_sigmoid": "sigmoidOf",
    "_softplus": "softplusOf",
    "_xlogy": "xlogyOf",
    "_erf": "erfOf",
    "_erfc": "erfcOf",
    "_ndtr": "ndtrOf",
    "_nan": "NaN",
    "pi": "Math.PI",
    "e": "Math.E",
}
"""What the interpreter's functions of arrays are called as functions of numbers."""
CONDITION = COMPARISON - 1
"""How loosely a choice and what joins conditions bind: more so than anything of numbers."""
SIGNS: Mapping[type[ast.AST], tuple[str, int]] = {
    ast.Add: ("+", SUM),
    ast.Sub: ("-", SUM),
    ast.Mult: ("*", PRODUCT),
    ast.Div: ("/", PRODUCT),
    ast.BitAnd: ("&&", CONDITION),
    ast.BitOr: ("||", CONDITION),
    ast.Gt: (">", COMPARISON),
    ast.GtE: (">=", COMPARISON),
    ast.Lt: ("<", COMPARISON),
    ast.LtE: ("<=", COMPARISON),
    ast.Eq: ("===", COMPARISON),
    ast.NotEq: ("!==", COMPARISON),
}


def function(row: ScalarRow) -> str:
    """A scalar function as an arrow function of numbers.

    Raises SpecError for one that is unspecified, and for one that needs what JavaScript does not have.
    """
    (definition,) = ast.parse(row.scalar.meaning.source).body  # type: ignore[attr-defined]
    assert isinstance(definition, ast.FunctionDef)
    arguments = ", ".join(x.arg for x in definition.args.args)
    *parts, result = definition.body
    assert isinstance(result, ast.Return)
    assert result.value is not None
    known = {x.arg for x in definition.args.args}
    lines = []
    for part in parts:
        assert isinstance(part, ast.Assign)
        (target,) = part.targets
        assert isinstance(target, ast.Name)
        lines.append(f"  const {target.id} = {_Expression(row, known).text(part.value)};")
        known.add(target.id)
    value = _Expression(row, known).text(result.value)
    if not lines:
        return f"({arguments}) => {value}"
    return "\n".join([f"({arguments}) => {{", *lines, f"  return {value};", "}"])


class _Expression:
    """The text of an expression of numbers."""

    def __init__(self, row: ScalarRow, known: set[str]) -> None:
        self._row, self._known = row, known

    def text(self, node: ast.expr) -> Text:
        match node:
            case ast.Constant(value=int() | float() as number):
                return Text(repr(number))
            case ast.Name(id=name) if name in self._known:
                return Text(name)
            case ast.Name(id=name) if name in NAMES:
                return Text(NAMES[name])
            case ast.UnaryOp(op=ast.USub(), operand=x):
                return Text(f"-{self.text(x).at(ATOM)}", SIGN)  # JavaScript has no -z ** 2
            case ast.BinOp(left=a, op=ast.Pow(), right=b):
                return Text(f"{self.text(a).at(ATOM)} ** {self.text(b).at(POWER)}", POWER)
            case ast.BinOp(left=a, op=sign, right=b) | ast.Compare(left=a, ops=[sign], comparators=[b]):
                if type(sign) in SIGNS:
                    text, level = SIGNS[type(sign)]
                    return infix(self.text(a), text, self.text(b), level, associative=text == "+")
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self._call(name, [self.text(x) for x in arguments])
        raise self._uncovered(ast.unparse(node))

    def _call(self, name: str, arguments: list[Text]) -> Text:
        match name, arguments:
            case "_real", [x]:
                return x
            case "_not", [x]:
                return Text(f"!{x.at(ATOM)}", SIGN)
            case "_truth", [condition]:
                return Text(f"{condition.at(COMPARISON)} ? 1 : 0", CONDITION)
            case "_where", [condition, a, b]:
                return Text(f"{condition.at(COMPARISON)} ? {a.at(COMPARISON)} : {b.at(COMPARISON)}", CONDITION)
        if name not in NAMES:
            raise self._uncovered(name.removeprefix("_"))
        return call(NAMES[name], *arguments)

    def _uncovered(self, what: str) -> SpecError:
        return SpecError(f"{self._row.name} has no JavaScript source", why=f"JavaScript has no {what}")
