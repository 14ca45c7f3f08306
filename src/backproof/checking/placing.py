"""Somebody's statements at other places: run later, in a loop or behind it, once more in each round."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from backproof.checking.changing.names import is_called_derivative
from backproof.checking.changing.statements import is_update, one_after_another, target_of
from backproof.checking.changing.surroundings import Line, Surroundings
from backproof.checking.moments import Moment, statement_of
from backproof.checking.repair import Repair
from backproof.checking.rewriting import Rewritten
from backproof.checking.syntax import names_in, tree_of


def other_places(moment: Moment) -> Iterator[Rewritten]:
    """A statement that changes a value, run later: after each of those that follow it in its block."""
    statement = statement_of(moment)
    if statement is None or not is_update(statement):
        return
    block = _block(statement, moment.file)
    for later in block[block.index(statement) + 1 :] if block else ():
        below = later.lineno - 1 if isinstance(later, ast.Return) else later.end_lineno
        says = f"{{0}} is changed here and still needed as it was: the line belongs below line {below}"
        repair = Repair("changed too early", says, (target_of(statement),), ast.unparse(statement), below)
        moved = (statement, later) if isinstance(later, ast.Return) else (later, statement)
        yield Rewritten(moment.line, repair, {statement: ast.Pass(), later: one_after_another(*moved)})


def around_loops(moment: Moment) -> Iterator[Rewritten]:
    """``dW /= m`` or the like, in the loop that stands before it, or behind those that it stands in."""
    statement = statement_of(moment)
    if not isinstance(statement, ast.AugAssign) or not is_called_derivative(target_of(statement)):
        return
    block = _block(statement, moment.file)
    before = block[: block.index(statement)] if block else ()
    for loop in (x for x in before if isinstance(x, ast.For)):
        last = loop.body[-1]
        says = f"the line stands behind the loop, and belongs into it, below line {last.end_lineno}"
        yield _moved(moment, statement, last, one_after_another(last, statement), says, last.end_lineno)
    for loop in _loops_around(statement, moment.file):
        block = _block(loop, moment.file)
        for after in block[block.index(loop) + 1 :][:1] if block else ():
            says = f"the line stands in the loop, and belongs behind it, below line {loop.end_lineno}"
            yield _moved(moment, statement, after, one_after_another(statement, after), says, loop.end_lineno)


def ends_of_loops(moment: Moment) -> Iterator[Rewritten]:
    """A loop that is left in its first round: by a return that belongs behind it, or by a break below a statement."""
    statement = statement_of(moment)
    if statement is None:
        return
    block = _block(statement, moment.file)
    for below in block[block.index(statement) + 1 :][:1] if block else ():
        if isinstance(below, ast.Break):
            says = f"the loop ends here in its first round: the break in line {below.lineno} is too many"
            repair = Repair("wrong place", says, (), "pass", below.lineno)
            yield Rewritten(moment.line, repair, {below: ast.Pass()})
    for loop in _loops_around(statement, moment.file) if isinstance(statement, ast.Return) else ():
        says = f"the line stands in the loop, and belongs behind it, below line {loop.end_lineno}"
        repair = Repair("wrong place", says, (), ast.unparse(statement), loop.end_lineno)
        yield Rewritten(moment.line, repair, {loop: one_after_another(loop, statement), statement: ast.Pass()})


def _moved(
    moment: Moment, statement: ast.stmt, there: ast.stmt, both: ast.stmt, says: str, below: int | None
) -> Rewritten:
    repair = Repair("wrong place", says, (), ast.unparse(statement), below)
    return Rewritten(moment.line, repair, {statement: ast.Pass(), there: both})


def _loops_around(statement: ast.stmt, file: str) -> list[ast.For]:
    """The loops that a statement stands in, the innermost first."""
    loops = (x for x in ast.walk(tree_of(file)) if isinstance(x, ast.For))
    return [x for x in loops if x.lineno < statement.lineno <= (x.end_lineno or x.lineno)][::-1]


def _block(statement: ast.stmt, file: str) -> Sequence[ast.stmt]:
    """The statements that one stands among."""
    return _blocks(file).get(statement, ())


@lru_cache(maxsize=64)
def _blocks(file: str) -> Mapping[ast.stmt, Sequence[ast.stmt]]:
    names = ("body", "orelse", "finalbody")
    blocks = (getattr(x, name, None) for x in ast.walk(tree_of(file)) for name in names)
    return {statement: block for block in blocks if isinstance(block, list) for statement in block}


def left_unset(moment: Moment, around: Mapping[Line, Surroundings]) -> Iterator[Rewritten]:
    """What a statement in a loop reads and no round sets anew, given a value at the end of each round."""
    statement = statement_of(moment)
    loops = (x for x in ast.walk(tree_of(moment.file)) if isinstance(x, ast.For))
    inner = [x for x in loops if statement in x.body]
    if statement is None or not inner:
        return
    (loop,), last = inner, inner[0].body[-1]
    known = around.get((moment.file, last.lineno))
    if known is None or isinstance(last, ast.Return):
        return
    names = [x for part in loop.body for x in ast.walk(part) if isinstance(x, ast.Name)]
    given = {x.id for x in names if isinstance(x.ctx, ast.Store)}
    for name in (x for x in names_in(statement) if x in known.names.shapes and x not in given):
        for product in known.names.products_of(known.names.shapes[name]):
            (new,) = ast.parse(f"{name} = {product}").body
            says = "{0} keeps what it was set to before the loop: at the end of each round {1} is left out"
            text = ast.unparse(new)
            repair = Repair("term left out", says, (name, text), text, last.end_lineno)
            yield Rewritten(moment.line, repair, {last: one_after_another(last, new)})
