"""Changes of somebody's whole statement: what it assigns to, whether it adds or sets, what follows it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from copy import copy
from itertools import combinations

from backproof.checking.changing.change import INSTEAD
from backproof.checking.changing.expressions import additions
from backproof.checking.changing.names import Names, is_called_derivative
from backproof.checking.changing.places import at, other_windows
from backproof.checking.moments import Moment
from backproof.checking.syntax import looped, tree_of
from backproof.checking.tree import exchanged, parsed

Restated = tuple[str, str, tuple[str, ...], ast.stmt]
"""The mistake's name, its sentence, the pieces of code that the sentence names, and the statement without it."""


def expressions(statement: ast.stmt) -> list[ast.expr]:
    """The expressions that a statement computes."""
    match statement:
        case ast.Return(value=ast.Tuple(elts=parts)) | ast.Assign(value=ast.Tuple(elts=parts)):
            return parts
        case ast.Return(value=ast.Dict(values=parts)):
            return parts
        case ast.Return(value=ast.Call(func=ast.Name(id="dict"), keywords=words)):
            return [word.value for word in words]
        case ast.Assign(value=ast.ListComp(elt=part)):
            return [part]
        case ast.Expr(value=ast.Call(args=parts)):
            return parts
        case ast.Assign(value=value) | ast.AugAssign(value=value):
            return [value]
        case ast.AnnAssign(value=ast.expr() as value) | ast.Return(value=ast.expr() as value):
            return [value]
    return []


def is_update(statement: ast.stmt | None) -> bool:
    """Whether a statement gives a value to something that stands in its expression and is no derivative."""
    if is_called_derivative(target_of(statement)):
        return False
    match statement:
        case ast.AugAssign():
            return True
        case ast.Assign(targets=[target], value=value):
            own = ast.unparse(target)
            return any(isinstance(x, ast.expr) and ast.unparse(x) == own for x in ast.walk(value))
    return False


def does_nothing(statement: ast.stmt | None, given: Collection[str] = ()) -> bool:
    """Whether a statement only gives a name what it has, or gives back what a function is `given`."""
    match statement:
        case ast.Assign(targets=[target], value=value):
            return ast.unparse(target) == ast.unparse(value)
        case ast.Return(value=ast.Name(id=name)):
            return name in given
    return False


def sets_a_number(statement: ast.stmt | None) -> bool:
    """Whether a statement sets entries of what is no derivative to a number: ``onehot[np.arange(m), labels] = 1``."""
    match statement:
        case ast.Assign(targets=[ast.Subscript(value=whole)], value=ast.Constant()):
            return not is_called_derivative(ast.unparse(whole))
    return False


def is_mask(statement: ast.stmt | None) -> bool:
    """Whether a statement sets the entries for which something holds: ``dZ[Z < 0] = 0``."""
    match statement:
        case ast.Assign(targets=[ast.Subscript(slice=ast.Compare())]):
            return True
    return False


def target_of(statement: ast.stmt | None) -> str:
    match statement:
        case ast.AugAssign(target=target) | ast.Assign(targets=[target]):
            return ast.unparse(target)
    return ""


def perturbed(statement: ast.stmt) -> ast.stmt | None:
    """A statement that gives another value, if it gives one: what depends on it shows by that."""
    parts = expressions(statement)
    if not parts or (isinstance(statement, ast.Return) and parts != [statement.value]):
        return None
    value = parts[-1]
    other = ast.BinOp(ast.BinOp(ast.Constant(1.375), ast.Mult(), value), ast.Add(), ast.Constant(0.125))
    return exchanged(statement, value, other)


def other_assignments(statement: ast.stmt, moment: Moment) -> Iterator[Restated]:
    """The same expression, added in place of set, or the other way round, or at repeated places."""
    match statement:
        case ast.Assign(targets=[ast.Name() | ast.Attribute() | ast.Subscript() as target], value=value):
            is_there = is_called_derivative(target_of(statement)) and target_of(statement) in [
                x.text for x in moment.visible
            ]
            if moment.number in looped(moment.file) or isinstance(target, ast.Subscript) or is_there:
                says = "= stands where += belongs: of the terms that are added up only the last is kept"
                yield "= for +=", says, (), ast.AugAssign(target, ast.Add(), value)
            if isinstance(target, ast.Subscript):
                yield _at_repeated_places(target, value)
        case ast.AugAssign(target=target, op=op, value=value):
            if isinstance(op, ast.Add | ast.Sub):
                other = ast.Sub() if isinstance(op, ast.Add) else ast.Add()
                yield "sign", "the sign is wrong", (), ast.AugAssign(target, other, value)
                if isinstance(op, ast.Sub):
                    yield from _counted_labels(target, value)
                says = "{0} is added, where it should be set"
                yield "+= for =", says, (ast.unparse(value),), ast.Assign([target], value)
                if is_called_derivative(ast.unparse(target)):
                    yield "term too many", "the term {0} is too many", (ast.unparse(value),), ast.Pass()
                if isinstance(target, ast.Subscript):
                    added = value if isinstance(op, ast.Add) else ast.UnaryOp(ast.USub(), value)
                    yield _at_repeated_places(target, added)
            elif isinstance(op, ast.FloorDiv):
                says = "//= throws away what is behind the decimal point; /= belongs there"
                yield "integers", says, (), ast.AugAssign(target, ast.Div(), value)
            else:
                way = "multiplied" if isinstance(op, ast.Mult) else "divided"
                says = f"it is {way} by {{0}}, which is too many"
                yield "factor too many", says, (ast.unparse(value),), ast.Pass()
                opposite = ast.Div() if isinstance(op, ast.Mult) else ast.Mult()
                yield "factor too many", says, (ast.unparse(value),), ast.AugAssign(target, opposite, value)


def other_slices(statement: ast.stmt, file: str) -> Iterator[Restated]:
    """Another slice that stands elsewhere in the same code."""
    match statement:
        case ast.Assign(targets=[target], value=ast.Call(func=ast.Name(id="slice")) as own):
            calls = (x for x in ast.walk(tree_of(file)) if isinstance(x, ast.Call))
            others = (x for x in calls if isinstance(x.func, ast.Name) and x.func.id == "slice")
            for text in dict.fromkeys(map(ast.unparse, others)):
                if text != ast.unparse(own):
                    yield "wrong place", INSTEAD, (ast.unparse(own), text), ast.Assign([target], parsed(text))


def other_targets(statement: ast.stmt, names: Names, shape: tuple[int, ...]) -> Iterator[Restated]:
    """Another place that something is added to, or given to: ``dU[o]`` for ``dU[c]``, dh for dh_prev."""
    match statement:
        case ast.AugAssign(target=ast.Subscript() as target) | ast.Assign(targets=[ast.Subscript() as target]):
            for node in ast.walk(target.slice):
                for other in names.alike.get(ast.unparse(node), ()) if isinstance(node, ast.Name) else ():
                    new = exchanged(target, node, parsed(other))
                    said = ast.unparse(target), ast.unparse(new)
                    yield "wrong quantity", INSTEAD, said, exchanged(statement, target, new)
            for node in [x for x in ast.walk(target.slice) if isinstance(x, ast.Compare)]:
                for mistake, says, named, other_side in at(node):
                    yield mistake, says, named, exchanged(statement, node, other_side)
            for mistake, says, named, window in other_windows(target, names):
                yield mistake, says, named, exchanged(statement, target, window)
            for first, second in combinations(_counters(target.slice), 2):
                both = _swapped(target, first, second)
                said = ast.unparse(target), ast.unparse(both)
                yield "wrong place", INSTEAD, said, exchanged(statement, target, both)
            for node in target.slice.elts if isinstance(target.slice, ast.Tuple) else ():
                if isinstance(node, ast.Slice) and node.lower is node.upper is None:
                    new = exchanged(target, node, parsed(f"np.arange(len({ast.unparse(target.value)}))"))
                    says = "{0} has a place for each label in every row, and {1} is the one of each row"
                    said = ast.unparse(target), ast.unparse(new)
                    yield "labels not one-hot", says, said, exchanged(statement, target, new)
        case ast.Assign(targets=[ast.Name(id=own) as name]) if names.is_unused(own):
            says = "{0} is used nowhere: what is given to it here belongs to {1}"
            for other in filter(str.isidentifier, names.shaped(shape)):
                yield "wrong place", says, (own, other), exchanged(statement, name, ast.Name(other, ast.Store()))
        case ast.Assign(targets=[ast.Tuple(elts=targets) as several]):
            for one, other_one in combinations(targets, 2):
                says = "{0} and {1} have to change places"
                said = ast.unparse(one), ast.unparse(other_one)
                swapped = _swapped(several, one, other_one)
                yield "wrong place", says, said, exchanged(statement, several, swapped)


def _swapped(tree: ast.expr, first: ast.expr, second: ast.expr) -> ast.expr:
    """A tree with two of its nodes in each other's place."""
    return exchanged(exchanged(tree, first, copy(second)), second, first)


def _counters(place: ast.expr) -> list[ast.Name]:
    """The names in the place of an entry."""
    return [x for x in ast.walk(place) if isinstance(x, ast.Name)]


def goes_on(statement: ast.stmt, names: Names, shape: tuple[int, ...]) -> Iterator[Restated]:
    """A value that is multiplied or divided by something, and by something else too."""
    match statement:
        case ast.AugAssign(target=ast.Name() as target, op=ast.Mult() | ast.Div() as op, value=value):
            whole = ast.BinOp(parsed(target.id), op, value)
            for mistake, says, named, new in additions(whole, names, shape):
                yield mistake, says, named, ast.Assign([target], new)


def one_after_another(first: ast.stmt, second: ast.stmt) -> ast.If:
    """Two statements as one."""
    return ast.If(ast.Constant(True), [first, second], [])


def goes_further(statement: ast.stmt, names: Names, shape: tuple[int, ...]) -> Iterator[Restated]:
    """A statement and one more, left out after it: a division once entries are changed, or a term to be added."""
    match statement:
        case ast.Assign(targets=[ast.Tuple(elts=[ast.Name(id=first), *_])], value=ast.Call()):
            yield from _added_after(statement, first, names.shaped(shape) if is_called_derivative(first) else ())
        case ast.AugAssign(target=ast.Name(id=whole), op=ast.Add()) if is_called_derivative(whole):
            yield from _added_after(statement, whole, names.terms_of(shape))
        case ast.AugAssign(target=ast.Name(id=own), op=ast.Div() as op, value=value):
            text = ast.unparse(value)
            others = (x for x in names.shapes if x.isidentifier() and x != own)
            for other in filter(is_called_derivative, others):
                too = ast.AugAssign(ast.Name(other, ast.Store()), op, value)
                says = "{0} is to be divided by {1} too"
                yield "1/m left out", says, (other, text), one_after_another(statement, too)
        case ast.AugAssign(target=ast.Subscript(value=ast.Name(id=whole))) if is_called_derivative(whole):
            for number in names.counts:
                (divided,) = ast.parse(f"{whole} = {whole} / {number}").body
                says = "{0} is to be divided by {1} after this line"
                yield "1/m left out", says, (whole, number), one_after_another(statement, divided)


def _added_after(statement: ast.stmt, whole: str, terms: Iterable[str]) -> Iterator[Restated]:
    for term in terms:
        (added,) = ast.parse(f"{whole} = {whole} + {term}").body
        says = "{0} is to be added to {1} after this line"
        yield "term left out", says, (term, whole), one_after_another(statement, added)


def _counted_labels(target: ast.expr, value: ast.expr) -> Iterator[Restated]:
    """Labels that are counted: what is to be subtracted is one, at their places."""
    label = value.value if isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Tuple) else value
    if isinstance(label, ast.Constant):
        return
    array = target.value if isinstance(target, ast.Subscript) else target
    text = ast.unparse(array), ast.unparse(label)
    says = "{0} has numbers of classes, of which 1 is to be subtracted at their own places only"
    places = [f"{text[0]}[{text[1]}]", f"{text[0]}[np.arange(len({text[1]})), {text[1]}]"]
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Tuple):
        places = [f"{text[0]}[np.arange(len({text[0]})), {ast.unparse(x)}]" for x in target.slice.elts]
    for place in map(parsed, places):
        if isinstance(place, ast.Subscript):
            own = ast.Subscript(place.value, place.slice, ast.Store())
            yield "labels not one-hot", says, (text[1],), ast.AugAssign(own, ast.Sub(), ast.Constant(1))


def _at_repeated_places(target: ast.Subscript, value: ast.expr) -> Restated:
    function = ast.Attribute(ast.Attribute(ast.Name("np", ast.Load()), "add", ast.Load()), "at", ast.Load())
    call = ast.Call(function, [target.value, _called_slices(target.slice), value], [])
    says = "a place that occurs twice gets only the last of what is added to it: np.add.at adds all"
    return "last one wins", says, (), ast.Expr(call)


def _called_slices(place: ast.expr) -> ast.expr:
    """A place as an argument: `slice(a, b)` for a:b."""
    if isinstance(place, ast.Tuple):
        return ast.Tuple([_called_slices(part) for part in place.elts], ast.Load())
    if not isinstance(place, ast.Slice):
        return place
    ends = [part or ast.Constant(None) for part in (place.lower, place.upper, place.step)]
    return ast.Call(ast.Name("slice", ast.Load()), ends, [])
