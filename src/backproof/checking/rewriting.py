"""Somebody's statements in other words: what might have been meant by each."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from backproof.checking.changing.change import Change
from backproof.checking.changing.expressions import additions, exchanges, insertions, other_names, terms_left_out
from backproof.checking.changing.statements import (
    Restated,
    does_nothing,
    expressions,
    goes_further,
    goes_on,
    is_update,
    other_assignments,
    other_slices,
    other_targets,
    target_of,
)
from backproof.checking.changing.surroundings import Line, Surroundings
from backproof.checking.changing.unused import returned, subtracted_at_labels, using, with_unused
from backproof.checking.moments import Moment, statement_of
from backproof.checking.repair import Repair
from backproof.checking.syntax import tree_of
from backproof.checking.tree import exchanged


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


def rewritten(moment: Moment, around: Surroundings, reach: int) -> Iterator[Rewritten]:
    """A statement with one thing changed: something in it exchanged, with a `reach` of 1 added, of 2 added inside."""
    statement = statement_of(moment)
    if statement is None or _keeps_a_loop_going(statement, moment.file):
        return
    for mistake, says, named, new in _changed(statement, moment, around, reach):
        if does_nothing(new):
            continue
        both = new.body if isinstance(new, ast.If) else [ast.copy_location(new, statement)]
        line = "\n".join(map(ast.unparse, both))
        yield Rewritten(moment.line, Repair(mistake, says, named, line), {statement: new}, reach)


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
        yield from other_slices(statement, moment.file)
        yield from using(statement, around.names)
        yield from returned(statement, around.names)
    if reach == 1:
        yield from goes_on(statement, around.names, around.shape)
        yield from goes_further(statement, around.names, around.shape)
        yield from subtracted_at_labels(statement, around.names)
    for tree in expressions(statement):
        own = reach
        if isinstance(statement, ast.Return) and isinstance(tree, ast.Name):
            own = reach - 1  # what is computed is more often wrong than what of it is returned
        tried = _of_expression(tree, around, own) if own >= 0 else iter(())
        if reach == 0 and moment.raised:  # what has another shape than it should is likely
            tried = chain(other_names(tree, around.names, around.shape), tried)
        if reach == 1:
            tried = chain(with_unused(tree, around.names, around.shape), tried)
        if reach == FURTHEST and (does_nothing(statement) or isinstance(statement, ast.Return)):
            tried = chain(tried, terms_left_out(tree, around.names, around.shape))
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
