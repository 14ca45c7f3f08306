"""Somebody's statements in other words: what might have been meant by each."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from types import FunctionType

import numpy as np

from backproof.checking.changing.change import Change, pieces_of
from backproof.checking.changing.expressions import additions, exchanges, insertions, other_names
from backproof.checking.changing.names import Names, is_count, is_slope
from backproof.checking.changing.places import moved
from backproof.checking.changing.statements import (
    Restated,
    divided_later,
    expressions,
    goes_on,
    is_update,
    other_assignments,
    other_targets,
    target_of,
)
from backproof.checking.moments import Moment, statement_of
from backproof.checking.repair import Repair
from backproof.checking.replay import value_in
from backproof.checking.syntax import place_names, tree_of
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
            return self.values.get(target_of(old))
        match new:
            case ast.If(body=[_, ast.Assign(value=value)]):
                left = {write.text: write.value for write in moment.writes}
                return value_in(value, {**self.values, **left}, moment.scope)
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
    rounds: dict[tuple[str, str], Mapping[str, ast.expr]] = {}
    used: dict[tuple[str, str], set[str]] = {}
    functions_at: dict[tuple[str, str], ast.AST | None] = {}
    with_keys: dict[str, set[str]] = {}
    for moment in moments:
        own = held.setdefault(moment.function, {})
        # The last of a list has the text of its place: what is at -1 there is at a key.
        keyed = with_keys.setdefault(moment.function, set())
        keyed |= {x.text.removesuffix("[-1]") for x in moment.visible if x.text.endswith("[-1]")}
        own |= {x.text: x.value for x in moment.visible}
        own |= {read.written or read.text: read.value for read in moment.reads}
        statement = statement_of(moment)
        line = moment.line
        if statement is not None and line not in found:
            where = moment.file, moment.function
            if where not in pieces:
                function = functions_at[where] = _function_around(moment.file, statement)
                pieces[where], places[where], rounds[where] = _pieces(function), _places(function), _rounds(function)
                nodes = [] if function is None else ast.walk(function)
                used[where] = {x.id for x in nodes if isinstance(x, ast.Name) and isinstance(x.ctx, ast.Load)}
            # A function may do anything: only what runs anyway, or is called like a slope, is called.
            functions = {
                name: x.__code__.co_argcount - len(x.__defaults__ or ())
                for name, x in moment.scope.items()
                if isinstance(x, FunctionType) and (name in run or is_slope(name))
            }
            held_ = {text: value for text, value in own.items() if is_code(text)}
            known = _at_places(held_, places[where], rounds[where], keyed) | held_
            one_sided = [text for text, value in known.items() if np.all(value > 0) or np.all(value <= 0)]
            counts = [text for text, value in known.items() if value.ndim == 0 and is_count(value)]
            labels = [text for text, value in known.items() if value.dtype.kind in "iu" and np.all(value >= 0)]
            written = {ast.unparse(x) for x in ast.walk(statement) if isinstance(x, ast.expr)}
            shapes = _shapes(known, written, _left_over(functions_at[where], statement))
            counted = place_names(moment.file)
            names = Names(shapes, counted, functions, counts, one_sided, labels, pieces[where], used[where])
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


def _shapes(held: Mapping[str, Array], own: Collection[str], last: Collection[str]) -> dict[str, tuple[int, ...]]:
    """The shapes of what the shortest names hold, variables first; what two names hold has the first of them.

    All of a statement's `own` names are among them; those in `last` come behind the others. Zeros may be anything: two
    that hold them hold other things later.
    """
    by_shape: dict[tuple[int, ...], list[str]] = {}

    def order(text: str) -> tuple[bool, bool, bool, bool, int, int]:
        is_longer, is_place = not text.isidentifier(), PLACE.search(text) is not None
        return text not in own, text in last, is_longer, is_place, text.count("["), len(text)

    for text in sorted(held, key=order):
        value = held[text]
        alike = by_shape.setdefault(value.shape, [])
        most = MOST_PLACES if PLACE.search(text) else MOST_ALIKE
        known = any(np.array_equal(held[x], value) for x in alike if value.ndim and value.any())
        if text in own or (len(alike) < most and not known):
            alike.append(text)
    return {text: shape for shape, texts in by_shape.items() for text in texts}


def _left_over(function: ast.AST | None, statement: ast.stmt) -> frozenset[str]:
    """The variables of loops that a statement does not stand in: what the last round left in them."""
    loops = [x for x in ast.walk(function) if isinstance(x, ast.For)] if function is not None else []
    others = [x for x in loops if not x.lineno <= statement.lineno <= (x.end_lineno or x.lineno)]
    return frozenset(x.id for loop in others for x in ast.walk(loop.target) if isinstance(x, ast.Name))


def _function_around(file: str, statement: ast.stmt) -> ast.AST | None:
    """The function that a statement stands in."""
    functions = [x for x in ast.walk(tree_of(file)) if isinstance(x, ast.FunctionDef | ast.AsyncFunctionDef)]
    around = [f for f in functions if f.lineno <= statement.lineno <= (f.end_lineno or f.lineno)]
    return max(around, key=lambda f: f.lineno) if around else None


def _pieces(function: ast.AST | None) -> list[ast.expr]:
    """The expressions in a function."""
    by_text = {} if function is None else {ast.unparse(piece): piece for piece in pieces_of(function)}
    return list(by_text.values())[:MOST_PIECES]


def _places(function: ast.AST | None) -> list[str]:
    """The places in a function that a loop counts, −l of ``zs[-l]``, and those beside them."""
    found = (x.slice for x in ast.walk(function) if isinstance(x, ast.Subscript)) if function is not None else ()
    counted = [x for x in found if isinstance(x, ast.Name | ast.BinOp | ast.UnaryOp)]
    beside = (moved(x, step) for x in counted for step in (1, -1))
    return [text for text in dict.fromkeys(map(ast.unparse, (*counted, *beside))) if not PLACE.fullmatch(f"[{text}]")]


def _rounds(function: ast.AST | None) -> Mapping[str, ast.expr]:
    """The variables of loops over ranges, and how far each counts."""
    loops = (x for x in ast.walk(function) if isinstance(x, ast.For)) if function is not None else ()
    found: dict[str, ast.expr] = {}
    for loop in loops:
        match loop:
            case ast.For(target=ast.Name(id=name), iter=ast.Call(func=ast.Name(id="range"), args=[most])):
                found[name] = most
    return found


def _at_places(
    held: Mapping[str, Array], places: Sequence[str], rounds: Mapping[str, ast.expr], keyed: Collection[str]
) -> dict[str, Array]:
    """What lists and arrays hold at counted places: zs[-l] for what is held as zs[1]; `keyed` are no lists.

    Of arrays labels are such, those as long as a list that the same loop counts through, and those as long as it has
    rounds.
    """
    matches = (ENTRY.fullmatch(text) for text in held)
    listed = [(x[1], int(x[2])) for x in matches if x is not None and x[1] not in held]
    entries = [(name, number) for name, number in listed if name not in keyed]
    lengths = {name: 1 + max(number for other, number in entries if other == name) for name, _ in entries}
    found: dict[str, Array] = {}
    for place in places:
        counted = value_in(parsed(place), held, {})
        if counted is None or counted.ndim or counted.dtype.kind != "i":
            continue
        number = int(counted)
        most = value_in(rounds[place], held, {}) if place in rounds else None
        several = {*lengths.values(), *([] if most is None or most.ndim else [int(most)])}
        for name, length in lengths.items():
            entry = f"{name}[{number % length if -length <= number < 0 else number}]"
            if entry in held:
                found[f"{name}[{place}]"] = held[entry]
        for text, array in held.items():
            is_label = array.ndim == 1 and array.dtype.kind in "iu"
            if (is_label or (array.ndim > 1 and len(array) in several)) and -len(array) <= number < len(array):
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
        both = new.body if isinstance(new, ast.If) else [ast.copy_location(new, statement)]
        line = "\n".join(map(ast.unparse, both))
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


def _changed(statement: ast.stmt, moment: Moment, around: Surroundings, reach: int) -> Iterator[Restated]:
    if reach == 0:
        yield from other_assignments(statement, moment)
        yield from other_targets(statement, around.names, around.shape)
    if reach == 1:
        yield from goes_on(statement, around.names, around.shape)
        yield from divided_later(statement, around.names)
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
        yield "changed too early", says, (target_of(statement),), ast.Pass()


def _of_expression(tree: ast.expr, around: Surroundings, reach: int) -> Iterator[Change]:
    match reach:
        case 0:
            return exchanges(tree, around.names)
        case 1:
            return additions(tree, around.names, around.shape)
    return insertions(tree, around.names, around.shape)


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
        repair = Repair("changed too early", says, (target_of(statement),), ast.unparse(statement), below)
        moved = [statement, later] if isinstance(later, ast.Return) else [later, statement]
        both = ast.If(ast.Constant(True), moved, [])
        yield Rewritten(moment.line, repair, {statement: ast.Pass(), later: both})


def left_unset(moment: Moment, around: Mapping[Line, Surroundings]) -> Iterator[Rewritten]:
    """What a statement in a loop reads and no round sets anew, given a value at the end of each round."""
    statement = statement_of(moment)
    loops = (x for x in ast.walk(tree_of(moment.file)) if isinstance(x, ast.For))
    inner = [x for x in loops if statement in x.body]
    if statement is None or not inner:
        return
    (loop,), last = inner, inner[0].body[-1]
    known = around.get((moment.file, last.lineno))
    names = [x for part in loop.body for x in ast.walk(part) if isinstance(x, ast.Name)]
    given = {x.id for x in names if isinstance(x.ctx, ast.Store)}
    own = dict.fromkeys(x.id for x in ast.walk(statement) if isinstance(x, ast.Name))
    if known is None or isinstance(last, ast.Return):
        return
    for name in (x for x in own if x in known.names.shapes and x not in given):
        for product in known.names.products_of(known.names.shapes[name]):
            (new,) = ast.parse(f"{name} = {product}").body
            both = ast.If(ast.Constant(True), [last, ast.copy_location(new, last)], [])
            says = "{0} keeps what it was set to before the loop: at the end of each round {1} is left out"
            text = ast.unparse(new)
            repair = Repair("term left out", says, (name, text), text, last.end_lineno)
            yield Rewritten(moment.line, repair, {last: both})
