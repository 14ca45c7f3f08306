"""The smallest change of a wrong line, in the user's own code, that makes it right.

The counterpart of the edits of the right equation: these say what somebody did to the equation, a repair says what is
to be done to the line. It works on lines of any form, since the line itself is run.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from backproof.checking.comparing import fits, same
from backproof.checking.events import Event
from backproof.checking.recording import place_names, statement_of
from backproof.checking.replay import right_side, run_again, target_of
from backproof.checking.tree import exchanged, parsed
from backproof.ops.row import Array

Change = tuple[str, str, tuple[str, ...], ast.expr]
"""The mistake's name, its sentence, the pieces of code that the sentence names, and the expression without it."""


@dataclass(frozen=True, slots=True, eq=False)
class Repair:
    """A line that is right, and how the line that was written differs from it."""

    mistake: str
    says: str
    named: tuple[str, ...]
    line: str


def repairs(
    event: Event, wanted: Sequence[Array], held: Mapping[str, Sequence[Array]], *, shaped: bool
) -> Iterator[Repair]:
    """The single changes of a statement that make it give what is wanted on every draw.

    `held` has the values of all expressions that the code holds. With `shaped`, the shape has to fit too.
    """
    expression = right_side(event)
    if expression is None or event.rounds > 1:
        return
    tree = parsed(expression)
    draws = range(len(wanted))
    held = {text: arrays for text, arrays in held.items() if text != event.text}
    alike = _alike(held)
    counted = {
        text: int(arrays[0])
        for text, arrays in held.items()
        if text in place_names(event.moment.file) and arrays[0].ndim == 0 and arrays[0].dtype.kind == "i"
    }
    matrices = {text for text, arrays in held.items() if arrays[0].ndim > 1}
    given = [{text: arrays[k] for text, arrays in held.items()} | dict(event.reads[k]) for k in draws]
    added = _added(event, tree)
    part = tree if added is None else added.right
    numbers = {text: arrays for text, arrays in held.items() if text not in counted}
    changes = chain(_numbers(part, numbers), _places(part, alike, matrices), _missing(part, event, held))
    if added is not None:
        changes = chain(_other_sign(added), _within(tree, part, changes))
    for mistake, says, named, changed in changes:
        found = (run_again(event, changed, given[k], k) for k in draws)
        pairs = zip(found, wanted, strict=True)
        if all(x is not None and same(x, right) and (not shaped or fits(x, right)) for x, right in pairs):
            yield Repair(mistake, says, named, _line(event, _counting(changed, counted)))


def _added(event: Event, tree: ast.expr) -> ast.BinOp | None:
    """The sum of what was there and what a statement adds to it: only that can be wrong in it."""
    match tree:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub()) if event.added and ast.unparse(left) == target_of(event):
            return tree
    return None


def _within(tree: ast.expr, part: ast.expr, changes: Iterable[Change]) -> Iterator[Change]:
    for mistake, says, named, new in changes:
        yield mistake, says, named, exchanged(tree, part, new)


def _other_sign(added: ast.BinOp) -> Iterator[Change]:
    other = ast.Sub() if isinstance(added.op, ast.Add) else ast.Add()
    yield "sign", "the sign is wrong", (), ast.BinOp(added.left, other, added.right)


def _counting(tree: ast.expr, counted: Mapping[str, int]) -> ast.expr:
    """An expression that holds in the other rounds of a loop too: ``hs[t + 1]`` for ``hs[4]``."""
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=value, slice=ast.Constant(value=int(place))):
                for name, number in counted.items():
                    if abs(place - number) <= 1:
                        named = _moved(parsed(name), place - number)
                        return exchanged(tree, node, ast.Subscript(value, named, ast.Load()))
    return tree


def _moved(place: ast.expr, step: int) -> ast.expr:
    """A place some steps on: t + 1 of t, and t of t − 1."""
    match place:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=ast.Constant(value=int(number))):
            return _moved(left, step + (number if isinstance(op, ast.Add) else -number))
    if step == 0:
        return place
    return ast.BinOp(place, ast.Add() if step > 0 else ast.Sub(), ast.Constant(abs(step)))


def _line(event: Event, changed: ast.expr) -> str:
    """The whole statement with another expression in it."""
    text, target = ast.unparse(changed), target_of(event)
    match statement_of(event.moment):
        case ast.AugAssign(op=op) if isinstance(changed, ast.BinOp) and ast.unparse(changed.left) == target:
            if type(changed.op) in SIGNS and type(op) in SIGNS:
                return f"{target} {SIGNS[type(changed.op)]}= {ast.unparse(changed.right)}"
        case ast.Return(value=ast.expr() as value):
            part = next((x for x in ast.walk(value) if isinstance(x, ast.expr) and ast.unparse(x) == target), None)
            if part is not None:
                return f"return {ast.unparse(exchanged(value, part, changed))}"
        case ast.Assign(targets=[ast.Tuple(elts=targets) as left], value=ast.Tuple(elts=values) as right):
            pairs = zip(targets, values, strict=False)
            part = next((value for name, value in pairs if ast.unparse(name) == target), None)
            if part is not None:
                return f"{ast.unparse(left)} = {ast.unparse(exchanged(right, part, changed))}"
    return f"{target} = {text}"


SIGNS: Mapping[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


def _alike(held: Mapping[str, Sequence[Array]]) -> Mapping[str, list[str]]:
    """For each expression the others that have its shape on every draw."""
    shapes = {text: tuple(array.shape for array in arrays) for text, arrays in held.items()}
    return {text: [other for other in held if other != text and shapes[other] == shapes[text]] for text in held}


# --- the whole of the expression


def _numbers(tree: ast.expr, held: Mapping[str, Sequence[Array]]) -> Iterator[Change]:
    """A factor that is missing or too many, of the whole."""
    yield "sign", "the sign is wrong", (), ast.UnaryOp(ast.USub(), tree)
    yield "factor 2", "a factor 2 is missing", (), ast.BinOp(ast.Constant(2), ast.Mult(), tree)
    yield "factor 2", "there is a factor 2 too many", (), ast.BinOp(tree, ast.Div(), ast.Constant(2))
    for text, arrays in held.items():
        if arrays[0].ndim == 0 and (arrays[0] != 1).all():
            number = parsed(text)
            yield "1/m left out", "the division by {0} is left out", (text,), ast.BinOp(tree, ast.Div(), number)
            yield "1/m twice", "it is divided by {0} once too often", (text,), ast.BinOp(tree, ast.Mult(), number)


def _missing(tree: ast.expr, event: Event, held: Mapping[str, Sequence[Array]]) -> Iterator[Change]:
    """A factor or a term that is not there."""
    for text, arrays in held.items():
        if arrays[0].ndim and all(a.shape == b.shape for a, b in zip(arrays, event.arrays, strict=True)):
            yield "factor left out", "the factor {0} is left out", (text,), ast.BinOp(tree, ast.Mult(), parsed(text))
            yield "term left out", "the term {0} is left out", (text,), ast.BinOp(tree, ast.Add(), parsed(text))
            yield "term left out", "the term {0} is left out", (text,), ast.BinOp(tree, ast.Sub(), parsed(text))


# --- one place in it


def _places(tree: ast.expr, alike: Mapping[str, list[str]], matrices: Collection[str]) -> Iterator[Change]:
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.expr)]
    turned = [node.value for node in nodes if isinstance(node, ast.Attribute) and node.attr == "T"]
    for node in nodes:
        for mistake, says, named, new in _quantity(node, alike, () if node in turned else matrices):
            yield mistake, says, named, exchanged(tree, node, new)
    for node in nodes:
        for mistake, says, named, new in _at(node):
            yield mistake, says, named, exchanged(tree, node, new)


def _quantity(node: ast.expr, alike: Mapping[str, list[str]], matrices: Collection[str]) -> Iterator[Change]:
    text = ast.unparse(node)
    if text in matrices:
        yield "transpose", "{0} has to be transposed", (text,), _transposed(node)
    for other in alike.get(text, ()):
        yield "wrong quantity", "{0} stands where {1} belongs", (text, other), parsed(other)


def _at(node: ast.expr) -> Iterator[Change]:
    text = ast.unparse(node)
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            yield from _operation(node, left, op, right)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield "sign", "the sign is wrong", (), operand
        case ast.Attribute(value=value, attr="T"):
            yield "transpose", "{0} must not be transposed", (ast.unparse(value),), value
        case ast.Call():
            yield from _call(node)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            others: tuple[ast.cmpop, ...] = (ast.Gt(), ast.GtE(), ast.Lt(), ast.LtE())
            for sign in others:
                if type(sign) is not type(op):
                    compared = ast.Compare(left, [sign], [right])
                    yield "wrong comparison", "{0} should be {1}", (text, ast.unparse(compared)), compared
        case ast.Subscript(value=value, slice=place) if not isinstance(place, ast.Slice | ast.Tuple):
            for step in (1, -1):
                moved = ast.Subscript(value, _moved(place, step), ast.Load())
                yield "wrong place", "{0} stands where {1} belongs", (text, ast.unparse(moved)), moved


def _operation(node: ast.BinOp, left: ast.expr, op: ast.operator, right: ast.expr) -> Iterator[Change]:
    a, b = ast.unparse(left), ast.unparse(right)
    match op:
        case ast.MatMult():
            yield "operands swapped", "the factors are in the wrong order", (), ast.BinOp(right, op, left)
            yield "* for ·", "@ stands where * belongs", (), ast.BinOp(left, ast.Mult(), right)
            both = ast.BinOp(_transposed(left), op, _transposed(right))
            yield "transpose", "the transposes of both factors are wrong", (), both
        case ast.Mult():
            yield "* for ·", "* stands where the matrix product @ belongs", (), ast.BinOp(left, ast.MatMult(), right)
            yield "factor too many", "the factor {0} is too many", (b,), left
            yield "factor too many", "the factor {0} is too many", (a,), right
            yield "division left out", "it should be divided by {0}", (b,), ast.BinOp(left, ast.Div(), right)
        case ast.Div():
            yield "factor too many", "the division by {0} is too many", (b,), left
            yield "factor too many", "it should be multiplied by {0}", (b,), ast.BinOp(left, ast.Mult(), right)
            yield "operands swapped", "the quotient is upside down", (), ast.BinOp(right, op, left)
        case ast.Sub():
            yield "sign", "the difference is the wrong way round", (), ast.BinOp(right, op, left)
            yield "sign of a term", "a term has the wrong sign", (), ast.BinOp(left, ast.Add(), right)
            yield "term too many", "the term {0} is too many", (b,), left
        case ast.Add():
            yield "sign of a term", "a term has the wrong sign", (), ast.BinOp(left, ast.Sub(), right)
            yield "sign of a term", "a term has the wrong sign", (), ast.BinOp(right, ast.Sub(), left)
            yield "term too many", "the term {0} is too many", (b,), left
            yield "term too many", "the term {0} is too many", (a,), right
        case ast.Pow():
            yield "wrong power", "the power of {0} is too many", (a,), left
    if not isinstance(op, ast.Pow):
        for k, part in enumerate((left, right)):
            square = ast.BinOp(part, ast.Pow(), ast.Constant(2))
            put = ast.BinOp(square, op, right) if k == 0 else ast.BinOp(left, op, square)
            yield "wrong power", "{0} has to be squared", (ast.unparse(part),), put


def _call(node: ast.Call) -> Iterator[Change]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    if name in ("dot", "outer", "matmul", "divide", "subtract") and len(node.args) == 2:
        swapped = ast.Call(node.func, node.args[::-1], node.keywords)
        yield "operands swapped", "the factors are in the wrong order", (), swapped
    if name in ("sum", "mean"):
        other = "mean" if name == "sum" else "sum"
        assert isinstance(node.func, ast.Attribute)
        function = ast.Attribute(node.func.value, other, ast.Load())
        says = f"a {name} is taken where the {other} belongs"
        yield "mean for sum", says, (), ast.Call(function, node.args, node.keywords)
        for axis in (0, 1, 2, None):
            keywords = [x for x in node.keywords if x.arg != "axis"]
            if axis is not None:
                keywords.append(ast.keyword("axis", ast.Constant(axis)))
            says = f"the {name} runs over the wrong axis"
            for words in (keywords, _kept(keywords)):
                yield "wrong axis", says, (), ast.Call(node.func, node.args, words)
        keeps = [x for x in node.keywords if x.arg != "keepdims"]
        for keywords in (keeps, _kept(keeps)):
            yield "keepdims lost", "keepdims is wrong", (), ast.Call(node.func, node.args, keywords)
        for part in node.args[:1]:
            yield "sum too many", f"the {name} is too many", (), part


def _kept(keywords: list[ast.keyword]) -> list[ast.keyword]:
    return [*(x for x in keywords if x.arg != "keepdims"), ast.keyword("keepdims", ast.Constant(True))]


def _transposed(node: ast.expr) -> ast.expr:
    return node.value if isinstance(node, ast.Attribute) and node.attr == "T" else ast.Attribute(node, "T", ast.Load())
