"""What is computed and used nowhere: where it may belong."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import combinations, permutations, product

from backproof.checking.changing.change import Change, valued
from backproof.checking.changing.names import Names, is_called_derivative
from backproof.checking.changing.statements import Restated, expressions, one_after_another
from backproof.checking.tree import exchanged, parsed


def using(statement: ast.stmt, names: Names) -> Iterator[Restated]:
    """A statement that changes an entry, with a variable that is used nowhere: in its place, or as its value."""
    match statement:
        case ast.Assign(targets=[ast.Subscript() as target], value=value):
            pass
        case ast.AugAssign(target=ast.Subscript() as target, value=value):
            pass
        case _:
            return
    unused = [*filter(names.is_unused, names.shapes)]
    numbers = [text for text in unused if names.shapes[text] == ()]
    elements = target.slice.elts if isinstance(target.slice, ast.Tuple) else (target.slice,)
    places = [x for x in elements if isinstance(x, ast.Name | ast.BinOp)]
    for count in (1, 2):
        for chosen, added in product(combinations(places, count), permutations(numbers, count)):
            new = target
            for node, text in zip(chosen, added, strict=True):
                new = exchanged(new, node, ast.BinOp(node, ast.Add(), parsed(text)))
            says = "{0} stands where {1} belongs: nothing uses {2}"
            said = ast.unparse(target), ast.unparse(new), ", ".join(added)
            yield "wrong place", says, said, exchanged(statement, target, new)
    for text in unused:
        for other in _given(target, parsed(text)):
            says = "{0} is used nowhere, and belongs here in the place of {1}"
            yield "wrong quantity", says, (text, ast.unparse(value)), other


def returned(statement: ast.stmt, names: Names) -> Iterator[Restated]:
    """A derivative that is used nowhere, in the place of another one that is given back."""
    parts = expressions(statement) if isinstance(statement, ast.Return) else []
    unused = [x for x in names.shapes if names.is_unused(x) and is_called_derivative(x)] if len(parts) > 1 else []
    for part, text in product((x for x in parts if isinstance(x, ast.Name)), unused):
        says = "{0} is given back where {1} belongs, which is used nowhere"
        yield "not returned", says, (ast.unparse(part), text), exchanged(statement, part, parsed(text))


def with_unused(tree: ast.expr, names: Names, shape: tuple[int, ...]) -> Iterator[Change]:
    """An array that is used nowhere, alone or times another one: as a factor of the whole, or as a term of a part."""
    others = names.shaped(shape)
    for text in (x for x in names.shapes if names.shapes[x] and names.is_unused(x)):
        products = [text, *(f"{text} * {other}" for other in others if other != text)]
        for code in products:
            says = "{0} is used nowhere: the factor {1} is left out here"
            kind = "upstream left out" if is_called_derivative(text) else "factor left out"
            yield kind, says, (text, code), ast.BinOp(parsed(code), ast.Mult(), tree)
        for code in products:
            for part in valued(tree):
                for op in (ast.Sub(), ast.Add()):
                    says = "{0} is used nowhere: the term {1} is left out here"
                    new = ast.BinOp(part, op, parsed(code))
                    yield "term left out", says, (text, code), exchanged(tree, part, new)


def subtracted_at_labels(statement: ast.stmt, names: Names) -> Iterator[Restated]:
    """A statement whose value is used nowhere, and one that takes that value off at the place of each label."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=own)]) if names.is_unused(own):
            pass
        case _:
            return
    says = "{0} is used nowhere: it is to be subtracted from {1} at the place of each label after this line"
    for label in names.labels:
        for text, shape in names.shapes.items():
            if text.isidentifier() and len(shape) == 2 and shape[:1] == names.shapes.get(label):
                (new,) = ast.parse(f"{text}[np.arange(len({label})), {label}] -= {own}").body
                yield "term left out", says, (own, text), one_after_another(statement, new)


def _given(target: ast.Subscript, value: ast.expr) -> Iterator[ast.stmt]:
    """An entry given a value, or changed by it."""
    yield ast.AugAssign(target, ast.Sub(), value)
    yield ast.AugAssign(target, ast.Add(), value)
    yield ast.Assign([target], value)
