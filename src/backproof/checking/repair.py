"""The smallest change of a wrong line, in the user's own code, that makes it right.

The counterpart of the edits of the right equation: these say what somebody did to the equation, a repair says what is
to be done to the line. It works on lines of any form, since the line itself is run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from backproof.checking.changing.change import Change
from backproof.checking.changing.expressions import changes
from backproof.checking.changing.keys import counted_key, counted_keys
from backproof.checking.changing.names import Names, is_count
from backproof.checking.changing.places import moved
from backproof.checking.comparing import fits, same
from backproof.checking.events import Event
from backproof.checking.moments import mentioned, statement_of
from backproof.checking.replay import right_side, run_again, target_of
from backproof.checking.syntax import left_over, looped, place_names, tree_of
from backproof.checking.tree import exchanged, is_code, parsed
from backproof.ops.row import Array


@dataclass(frozen=True, slots=True, eq=False)
class Repair:
    """A line that is right, and how the line that was written differs from it.

    below  the line below which it belongs, where it is right and stands in the wrong place
    """

    mistake: str
    says: str
    named: tuple[str, ...]
    line: str
    below: int | None = None

    @property
    def correction(self) -> str | None:
        """The line that belongs in the place of the one that was written; None where that is only moved."""
        return self.line if self.below is None else None


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
    held = {text: arrays for text, arrays in held.items() if text != event.text and is_code(text)}
    counted = {
        text: int(arrays[0])
        for text, arrays in held.items()
        if text in place_names(event.moment.file) and arrays[0].ndim == 0 and arrays[0].dtype.kind == "i"
    }
    # A first state of zeros, which the line does not read, is nothing that it may be meant to have.
    own = event.reads[0]
    held = {text: arrays for text, arrays in held.items() if text in own or any(array.any() for array in arrays)}
    # Who divides by one changes nothing.
    named = {text: arrays[0].shape for text, arrays in held.items() if arrays[0].ndim or (arrays[0] != 1).all()}
    counts = [text for text, arrays in held.items() if arrays[0].ndim == 0 and is_count(arrays[0])]
    names = Names(named, counted, counts=counts)
    given = [{text: arrays[k] for text, arrays in held.items()} | dict(event.reads[k]) for k in draws]
    added = _added(event, tree)
    part = tree if added is None else added.right
    tried = changes(part, names, event.arrays[0].shape)
    if added is not None:
        tried = chain(_other_sign(added), _within(tree, part, tried))
    for mistake, says, pieces, changed in tried:
        found = (run_again(event, changed, given[k], k) for k in draws)
        pairs = zip(found, wanted, strict=True)
        if all(x is not None and same(x, right) and (not shaped or fits(x, right)) for x, right in pairs):
            changed = _keyed(_counting(changed, counted), event, counted)
            yield Repair(mistake, says, pieces, _line(event, changed))


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
                        named = moved(parsed(name), place - number)
                        return exchanged(tree, node, ast.Subscript(value, named, ast.Load()))
    return tree


def _keyed(tree: ast.expr, event: Event, counted: Mapping[str, int]) -> ast.expr:
    """The same with keys: ``params[f"W{l}"]`` for ``params['W3']``, unless the statement names that itself."""
    file, number = event.moment.file, event.moment.number
    if number not in looped(file):
        return tree
    nodes = [*ast.walk(tree_of(file))]
    last, own = left_over(nodes, number), mentioned(event.moment)
    keys = counted_keys(nodes, {name: n for name, n in counted.items() if name not in last})
    places = [x for x in ast.walk(tree) if isinstance(x, ast.Subscript) and ast.unparse(x) not in own]
    for node in places:
        match node.slice:
            case ast.Constant(value=str(key)):
                other = counted_key(key, keys)
                if other is not None:
                    tree = exchanged(tree, node, ast.Subscript(node.value, other, ast.Load()))
    return tree


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
