"""Somebody's statements in other words: what might have been meant by each."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, combinations
from types import FunctionType

import numpy as np

from backproof.checking.changes import (
    INSTEAD,
    Change,
    Names,
    additions,
    exchanges,
    insertions,
    is_called_derivative,
    is_count,
    is_slope,
    other_names,
    pieces_of,
)
from backproof.checking.recording import Moment, looped, place_names, statement_of, tree_of
from backproof.checking.repair import Repair
from backproof.checking.replay import value_in
from backproof.checking.tree import exchanged, is_code, parsed
from backproof.ops.row import Array

MOST_ALIKE = 24
"""How many values of one shape are tried in each other's place."""
MOST_PLACES = 6
"""From how many values of one shape on the single places of lists are left out."""
MOST_PIECES = 40
"""How many expressions of the same function are tried in other lines of it."""
PLACE = re.compile(r"\[-?\d+\]")
ENTRY = re.compile(r"(\w+)\[(\d+)\]")
"""An entry of a list, and its place."""
Line = tuple[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class Rewritten:
    """A change of a statement: which one, what the change says, and what stands in the place of statements by it.

    `reach` tells how far-fetched it is.
    """

    line: Line
    repair: Repair
    statements: Mapping[ast.stmt, ast.stmt]
    reach: int = 0


FURTHEST = 2
"""The reach of the most far-fetched changes."""


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What a statement can name, what that holds when it runs first, and the shape of what it gives."""

    names: Names
    values: Mapping[str, Array]
    shape: tuple[int, ...]

    def value(self, moment: Moment, new: ast.stmt) -> Array | None:
        """What another statement in its place would give, or add; None where that cannot be told."""
        old = statement_of(moment)
        if isinstance(new, ast.Pass):
            return self.values.get(_target(old))
        match new:
            case ast.AugAssign(target=target, op=ast.Mult() | ast.Div() as op, value=value):
                return value_in(ast.BinOp(parsed(ast.unparse(target)), op, value), self.values, moment.scope)
        before = [] if old is None else expressions(old)
        parts = [part for part in expressions(new) if all(part is not x for x in before)] or expressions(new)[:1]
        return value_in(parts[0], self.values, moment.scope) if len(parts) == 1 else None


def surroundings(moments: Sequence[Moment]) -> Mapping[Line, Surroundings]:
    """For each line of a run what it can name when it runs first."""
    run = {moment.function for moment in moments}
    held: dict[str, dict[str, Array]] = {}
    found: dict[Line, Surroundings] = {}
    pieces: dict[tuple[str, str], list[ast.expr]] = {}
    places: dict[tuple[str, str], list[str]] = {}
    for moment in moments:
        own = held.setdefault(moment.function, {})
        own |= {x.text: x.value for x in moment.visible}
        own |= {read.written or read.text: read.value for read in moment.reads}
        statement = statement_of(moment)
        line = moment.line
        if statement is not None and line not in found:
            where = moment.file, moment.function
            if where not in pieces:
                function = _around(moment.file, statement)
                pieces[where], places[where] = _pieces(function), _places(function)
            # A function may do anything: only what runs anyway, or is called like a slope, is called.
            functions = {
                name: x.__code__.co_argcount - len(x.__defaults__ or ())
                for name, x in moment.scope.items()
                if isinstance(x, FunctionType) and (name in run or is_slope(name))
            }
            held_ = {text: value for text, value in own.items() if is_code(text)}
            known = _at_places(held_, places[where]) | held_
            one_sided = [text for text, value in known.items() if np.all(value > 0) or np.all(value <= 0)]
            counts = [text for text, value in known.items() if value.ndim == 0 and is_count(value)]
            labels = [text for text, value in known.items() if value.dtype.kind in "iu" and np.all(value >= 0)]
            shapes = _shapes(known)
            names = Names(shapes, place_names(moment.file), functions, counts, one_sided, labels, pieces[where])
            found[line] = Surroundings(names, known, _shape(moment, statement, known))
        own |= {write.written or write.text: write.value for write in moment.writes}
    return found


def _shape(moment: Moment, statement: ast.stmt, held: Mapping[str, Array]) -> tuple[int, ...]:
    """The shape of what a statement gives; of ``dU[o] += …`` that of the entry."""
    match statement:
        case ast.AugAssign(target=ast.Subscript() as target) | ast.Assign(targets=[ast.Subscript() as target]):
            if (entry := value_in(parsed(ast.unparse(target)), held, moment.scope)) is not None:
                return tuple(entry.shape)
    if moment.writes:
        return tuple(moment.writes[0].value.shape)
    # Yes and no are no numbers: what they are multiplied by may be left out.
    values = [value_in(ast.BinOp(ast.Constant(1), ast.Mult(), x), held, moment.scope) for x in expressions(statement)]
    return tuple(values[0].shape) if len(values) == 1 and values[0] is not None else ()


def _shapes(held: Mapping[str, Array]) -> dict[str, tuple[int, ...]]:
    """The shapes of what the shortest names hold, variables first; what two names hold has the first of them.

    Zeros may be anything: two that hold them hold other things later.
    """
    by_shape: dict[tuple[int, ...], list[str]] = {}

    def order(text: str) -> tuple[bool, bool, int, int]:
        return not text.isidentifier(), PLACE.search(text) is not None, text.count("["), len(text)

    for text in sorted(held, key=order):
        own = held[text]
        alike = by_shape.setdefault(own.shape, [])
        most = MOST_PLACES if PLACE.search(text) else MOST_ALIKE
        if len(alike) < most and not any(np.array_equal(held[x], own) for x in alike if own.ndim and own.any()):
            alike.append(text)
    return {text: shape for shape, texts in by_shape.items() for text in texts}


def _around(file: str, statement: ast.stmt) -> ast.AST | None:
    """The function that a statement stands in."""
    functions = [x for x in ast.walk(tree_of(file)) if isinstance(x, ast.FunctionDef | ast.AsyncFunctionDef)]
    around = [f for f in functions if f.lineno <= statement.lineno <= (f.end_lineno or f.lineno)]
    return max(around, key=lambda f: f.lineno) if around else None


def _pieces(function: ast.AST | None) -> list[ast.expr]:
    """The expressions in a function."""
    by_text = {} if function is None else {ast.unparse(piece): piece for piece in pieces_of(function)}
    return list(by_text.values())[:MOST_PIECES]


def _places(function: ast.AST | None) -> list[str]:
    """The places in a function that a loop counts: −l of ``zs[-l]``."""
    found = (x.slice for x in ast.walk(function) if isinstance(x, ast.Subscript)) if function is not None else ()
    counted = (x for x in found if isinstance(x, ast.Name | ast.BinOp | ast.UnaryOp))
    return [text for text in dict.fromkeys(map(ast.unparse, counted)) if not PLACE.fullmatch(f"[{text}]")]


def _at_places(held: Mapping[str, Array], places: Sequence[str]) -> dict[str, Array]:
    """What lists and arrays hold at counted places: zs[-l] for what is held as zs[1].

    Of arrays labels are such, and those as long as a list that the same loop counts through.
    """
    matches = (ENTRY.fullmatch(text) for text in held)
    listed = [(x[1], int(x[2])) for x in matches if x is not None and x[1] not in held]
    entries = [(name, number) for name, number in listed if f"{name}[-1]" not in held]  # that is no list
    lengths = {name: 1 + max(number for other, number in entries if other == name) for name, _ in entries}
    found: dict[str, Array] = {}
    for place in places:
        counted = value_in(parsed(place), held, {})
        if counted is None or counted.ndim or counted.dtype.kind != "i":
            continue
        number = int(counted)
        for name, length in lengths.items():
            entry = f"{name}[{number % length if -length <= number < 0 else number}]"
            if entry in held:
                found[f"{name}[{place}]"] = held[entry]
        for text, array in held.items():
            is_label = array.ndim == 1 and array.dtype.kind in "iu"
            if (is_label or (array.ndim > 1 and len(array) in lengths.values())) and -len(array) <= number < len(array):
                found[f"{text}[{place}]"] = array[number]
    return found


def rewritten(moment: Moment, around: Surroundings, reach: int) -> Iterator[Rewritten]:
    """A statement with one thing changed: something in it exchanged, with a `reach` of 1 added, of 2 added inside."""
    statement = statement_of(moment)
    if statement is None or _keeps_a_loop_going(statement, moment.file):
        return
    for mistake, says, named, new in _changed(statement, moment, around, reach):
        if _changes_nothing(new):
            continue
        line = ast.unparse(ast.fix_missing_locations(new))
        yield Rewritten(moment.line, Repair(mistake, says, named, line), {statement: new}, reach)


def _changes_nothing(statement: ast.stmt) -> bool:
    """Whether a statement only gives a name what it has: that would be no line at all."""
    match statement:
        case ast.Assign(targets=[target], value=value):
            return ast.unparse(target) == ast.unparse(value)
    return False


def _keeps_a_loop_going(statement: ast.stmt, file: str) -> bool:
    """Whether a statement changes what a loop goes on by: it might never end."""
    names = _tested(file)
    return any(isinstance(x, ast.Name) and x.id in names for x in ast.walk(statement))


@lru_cache(maxsize=64)
def _tested(file: str) -> frozenset[str]:
    """The names by which the loops of a file go on."""
    tests = (x.test for x in ast.walk(tree_of(file)) if isinstance(x, ast.While))
    return frozenset(x.id for test in tests for x in ast.walk(test) if isinstance(x, ast.Name))


Restated = tuple[str, str, tuple[str, ...], ast.stmt]


def _changed(statement: ast.stmt, moment: Moment, around: Surroundings, reach: int) -> Iterator[Restated]:
    if reach == 0:
        yield from _other_assignment(statement, moment)
        yield from _other_target(statement, around)
    if reach == 1:
        yield from _goes_on(statement, around)
    for tree in expressions(statement):
        own = reach
        if isinstance(statement, ast.Return) and isinstance(tree, ast.Name):
            own = reach - 1  # what is computed is more often wrong than what of it is returned
        tried = _of_expression(tree, around, own) if own >= 0 else iter(())
        if reach == 0 and moment.raised:  # what has another shape than it should is likely
            tried = chain(other_names(tree, around.names, around.shape), tried)
        for mistake, says, named, new in tried:
            yield mistake, says, named, exchanged(statement, tree, new)
    if reach == 0 and is_update(statement) and not moment.raised:
        says = "{0} is changed here and still needed as it was: change it once all derivatives are there"
        yield "changed too early", says, (_target(statement),), ast.Pass()


def _of_expression(tree: ast.expr, around: Surroundings, reach: int) -> Iterator[Change]:
    match reach:
        case 0:
            return exchanges(tree, around.names)
        case 1:
            return additions(tree, around.names, around.shape)
    return insertions(tree, around.names, around.shape)


def expressions(statement: ast.stmt) -> list[ast.expr]:
    """The expressions that a statement computes."""
    match statement:
        case ast.Return(value=ast.Tuple(elts=parts)) | ast.Assign(value=ast.Tuple(elts=parts)):
            return parts
        case ast.Return(value=ast.Dict(values=parts)):
            return parts
        case ast.Return(value=ast.Call(func=ast.Name(id="dict"), keywords=words)):
            return [word.value for word in words]
        case ast.Expr(value=ast.Call(args=parts)):
            return parts
        case ast.Assign(value=value) | ast.AugAssign(value=value):
            return [value]
        case ast.AnnAssign(value=ast.expr() as value) | ast.Return(value=ast.expr() as value):
            return [value]
    return []


def _other_assignment(statement: ast.stmt, moment: Moment) -> Iterator[Restated]:
    """The same expression, added in place of set, or the other way round, or at repeated places."""
    match statement:
        case ast.Assign(targets=[ast.Name() | ast.Attribute() | ast.Subscript() as target], value=value):
            if moment.number in looped(moment.file) or isinstance(target, ast.Subscript):
                says = "= stands where += belongs: of the terms that are added up only the last is kept"
                yield "= for +=", says, (), ast.AugAssign(target, ast.Add(), value)
            if isinstance(target, ast.Subscript):
                yield _at_repeated_places(target, value)
        case ast.AugAssign(target=target, op=op, value=value):
            if isinstance(op, ast.Add | ast.Sub):
                other = ast.Sub() if isinstance(op, ast.Add) else ast.Add()
                yield "sign", "the sign is wrong", (), ast.AugAssign(target, other, value)
                if isinstance(op, ast.Sub):
                    yield from _one_hot(target, value)
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


def _one_hot(target: ast.expr, value: ast.expr) -> Iterator[Restated]:
    """Labels that are counted: what is to be subtracted is one, at their places."""
    label = value.value if isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Tuple) else value
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


def _other_target(statement: ast.stmt, around: Surroundings) -> Iterator[Restated]:
    """Another place that something is added to: ``dU[o]`` for ``dU[c]``."""
    match statement:
        case ast.AugAssign(target=ast.Subscript() as target) | ast.Assign(targets=[ast.Subscript() as target]):
            for node in ast.walk(target.slice):
                for other in around.names.alike.get(ast.unparse(node), ()) if isinstance(node, ast.Name) else ():
                    new = exchanged(target, node, parsed(other))
                    said = ast.unparse(target), ast.unparse(new)
                    yield "wrong quantity", INSTEAD, said, exchanged(statement, target, new)
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
        case ast.Assign(targets=[ast.Tuple(elts=names) as several]):
            for one, other_one in combinations(names, 2):
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


def _goes_on(statement: ast.stmt, around: Surroundings) -> Iterator[Restated]:
    """A value that is multiplied or divided by something, and by something else too."""
    match statement:
        case ast.AugAssign(target=ast.Name() as target, op=ast.Mult() | ast.Div() as op, value=value):
            whole = ast.BinOp(parsed(target.id), op, value)
            for mistake, says, named, new in additions(whole, around.names, around.shape):
                yield mistake, says, named, ast.Assign([target], new)


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


def other_places(moment: Moment) -> Iterator[Rewritten]:
    """A statement that changes a value, run later: after each of those that follow it in its block."""
    statement = statement_of(moment)
    if statement is None or not is_update(statement):
        return
    blocks = (getattr(x, name, None) for x in ast.walk(tree_of(moment.file)) for name in ("body", "orelse"))
    block = next((b for b in blocks if isinstance(b, list) and statement in b), [])
    for later in block[block.index(statement) + 1 :] if block else ():
        below = later.lineno - 1 if isinstance(later, ast.Return) else later.end_lineno
        says = f"{{0}} is changed here and still needed as it was: the line belongs below line {below}"
        repair = Repair("changed too early", says, (_target(statement),), ast.unparse(statement), below)
        moved = [statement, later] if isinstance(later, ast.Return) else [later, statement]
        both = ast.If(ast.Constant(True), moved, [])
        yield Rewritten(moment.line, repair, {statement: ast.Pass(), later: both})


def is_update(statement: ast.stmt) -> bool:
    """Whether a statement gives a value to something that stands in its expression and is no derivative."""
    if is_called_derivative(_target(statement)):
        return False
    match statement:
        case ast.AugAssign():
            return True
        case ast.Assign(targets=[target], value=value):
            own = ast.unparse(target)
            return any(isinstance(x, ast.expr) and ast.unparse(x) == own for x in ast.walk(value))
    return False


def _target(statement: ast.stmt | None) -> str:
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
