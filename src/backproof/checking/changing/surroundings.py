"""What statements of somebody's run can name, and what that holds when each runs first."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from types import FunctionType
from typing import Any

import numpy as np

from backproof.checking.changing.change import pieces_of
from backproof.checking.changing.keys import counted_key, counted_keys
from backproof.checking.changing.names import Names, is_count, is_slope
from backproof.checking.changing.places import moved
from backproof.checking.changing.statements import expressions, target_of
from backproof.checking.moments import Moment, statement_of
from backproof.checking.replay import value_in
from backproof.checking.syntax import formulas, left_over, place_names, tree_of
from backproof.checking.tree import is_code, parsed
from backproof.ops.row import Array

MOST_ALIKE = 24
"""How many values of one shape are tried in each other's place."""
MOST_PLACES = 6
"""From how many values of one shape on the single places of lists are left out."""
MOST_PIECES = 40
"""How many expressions of the same function are tried in other lines of it."""
PLACE = re.compile(r"\[-?\d+\]")
KEYED = re.compile(r"([\w.]+)\['([^']+)'\]")
"""An entry of a dictionary, and its key."""
ENTRY = re.compile(r"(\w+)\[(\d+)\]")
"""An entry of a list, and its place."""
Line = tuple[str, int]


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
                return value_in(value, self._after(moment), moment.scope)
            case ast.If(body=[_, ast.AugAssign(target=ast.Name(id=name), op=op, value=value)]):
                return value_in(ast.BinOp(parsed(name), op, value), self._after(moment), moment.scope)
            case ast.AugAssign(target=target, op=ast.Mult() | ast.Div() as op, value=value):
                return value_in(ast.BinOp(parsed(ast.unparse(target)), op, value), self.values, moment.scope)
        before = [] if old is None else expressions(old)
        parts = [part for part in expressions(new) if all(part is not x for x in before)] or expressions(new)[:1]
        return value_in(parts[0], self.values, moment.scope) if len(parts) == 1 else None

    def _after(self, moment: Moment) -> Mapping[str, Array]:
        return {**self.values, **{write.text: write.value for write in moment.writes}}


def surroundings(moments: Sequence[Moment]) -> Mapping[Line, Surroundings]:
    """For each line of a run what it can name when it runs first."""
    run = {moment.function for moment in moments}
    functions: dict[tuple[str, str], _Function] = {}
    found: dict[Line, Surroundings] = {}
    for moment in moments:
        function = functions.setdefault((moment.file, moment.function), _Function(moment))
        function.enter(moment)
        statement = statement_of(moment)
        if statement is not None and moment.line not in found:
            found[moment.line] = function.at(moment, statement, run)
        function.held |= {write.written or write.text: write.value for write in moment.writes}
    return found


@dataclass(eq=False)
class _Function:
    """A function that runs: what its source says, and what its expressions hold by now.

    first  the first moment in it
    held   what expressions hold
    keyed  the containers that have something at a key of −1: these are no lists
    """

    first: Moment
    held: dict[str, Array] = field(default_factory=dict)
    keyed: set[str] = field(default_factory=set)

    def enter(self, moment: Moment) -> None:
        """Takes in what a moment reads and sees."""
        # The last of a list has the text of its place: what is at -1 there is at a key.
        self.keyed |= {x.text.removesuffix("[-1]") for x in moment.visible if x.text.endswith("[-1]")}
        self.held |= {x.text: x.value for x in moment.visible}
        self.held |= {read.written or read.text: read.value for read in moment.reads}

    def at(self, moment: Moment, statement: ast.stmt, run: Collection[str]) -> Surroundings:
        """What a statement can name; `run` are the functions that run anyway."""
        # A function may do anything: only what runs anyway, or is called like a slope, is called.
        functions = {
            name: x.__code__.co_argcount - len(x.__defaults__ or ())
            for name, x in moment.scope.items()
            if isinstance(x, FunctionType) and (name in run or is_slope(name))
        }
        held = {text: value for text, value in self.held.items() if is_code(text)}
        lengths = {text: n for text, x in self._lengths.items() if (n := value_in(x, held, moment.scope)) is not None}
        lengths |= _other_lengths(held, lengths)
        written = {ast.unparse(x) for x in ast.walk(statement) if isinstance(x, ast.expr)}
        last = left_over(self._nodes, statement.lineno)
        known = self._at_keys(self._at_places(held) | held | lengths, last, written)
        names = Names(
            shapes=_shapes(known, written, last, self._loops),
            counted=place_names(moment.file),
            functions=functions,
            formulas=sorted(formulas(moment.file) & moment.scope.keys()),
            counts=[text for text, value in known.items() if value.ndim == 0 and is_count(value)],
            labels=[text for text, value in known.items() if value.dtype.kind in "iu" and np.all(value >= 0)],
            one_sided=[text for text, value in known.items() if np.all(value > 0) or np.all(value <= 0)],
            pieces=self.pieces,
            loaded=self.loaded,
            masks=[
                x
                for x in (*_within_limits(moment.file), *_leaky_slopes(moment.file))
                if _is_known(x, known, moment.scope)
            ],
            roots=[x for x in _roots(moment.file) if _is_number(value_in(parsed(x), known, moment.scope))],
        )
        return Surroundings(names, known, _shape(moment, statement, known))

    @cached_property
    def _nodes(self) -> list[ast.AST]:
        """The source of the function; nothing where a module runs."""
        number = self.first.number
        functions = [x for x in ast.walk(tree_of(self.first.file)) if isinstance(x, ast.FunctionDef)]
        starts = {f: min([f.lineno, *(x.lineno for x in f.decorator_list)]) for f in functions}
        around = [f for f in functions if starts[f] <= number <= (f.end_lineno or f.lineno)]
        return [*ast.walk(max(around, key=lambda f: f.lineno))] if around else []

    @cached_property
    def pieces(self) -> list[ast.expr]:
        """The expressions in it."""
        return list({ast.unparse(piece): piece for piece in pieces_of(self._nodes)}.values())[:MOST_PIECES]

    @cached_property
    def _loops(self) -> frozenset[str]:
        """The variables that loops set anew in each round."""
        targets = (x.target for x in self._nodes if isinstance(x, ast.For))
        return frozenset(x.id for target in targets for x in ast.walk(target) if isinstance(x, ast.Name))

    @cached_property
    def _lengths(self) -> Mapping[str, ast.expr]:
        """The lengths that it asks for: ``len(X)``."""
        calls = (x for x in self._nodes if isinstance(x, ast.Call) and isinstance(x.func, ast.Name))
        return {ast.unparse(x): x for x in calls if ast.unparse(x.func) == "len"}

    @cached_property
    def loaded(self) -> frozenset[str]:
        """The variables that are used in it."""
        return frozenset(x.id for x in self._nodes if isinstance(x, ast.Name) and isinstance(x.ctx, ast.Load))

    @cached_property
    def _places(self) -> list[str]:
        """The places in it that a loop counts, −l of ``zs[-l]``, and those beside them."""
        found = (x.slice for x in self._nodes if isinstance(x, ast.Subscript))
        counted = [x for x in found if isinstance(x, ast.Name | ast.BinOp | ast.UnaryOp)]
        beside = (moved(x, step) for x in counted for step in (1, -1))
        texts = dict.fromkeys(map(ast.unparse, (*counted, *beside)))
        return [text for text in texts if not PLACE.fullmatch(f"[{text}]")]

    @cached_property
    def _rounds(self) -> Mapping[str, ast.expr]:
        """The variables of loops over ranges, and how far each counts."""
        found: dict[str, ast.expr] = {}
        for node in self._nodes:
            match node:
                case ast.For(target=ast.Name(id=name), iter=ast.Call(func=ast.Name(id="range"), args=[most])):
                    found[name] = most
        return found

    def _at_places(self, held: Mapping[str, Array]) -> dict[str, Array]:
        """What lists and arrays hold at counted places: zs[-l] for what is held as zs[1], x[i, f] beside y[i, f].

        Of arrays labels are such, those as long as a list that the same loop counts through, and those as long as it
        has rounds.
        """
        matches = (ENTRY.fullmatch(text) for text in held)
        listed = [(x[1], int(x[2])) for x in matches if x is not None and x[1] not in held]
        entries = [(name, number) for name, number in listed if name not in self.keyed]
        lengths = {name: 1 + max(number for other, number in entries if other == name) for name, _ in entries}
        found: dict[str, Array] = {}
        for place in self._places:
            counted = value_in(parsed(place), held, {})
            if counted is None or counted.ndim or counted.dtype.kind != "i":
                continue
            number = int(counted)
            most = value_in(self._rounds[place], held, {}) if place in self._rounds else None
            several = {*lengths.values(), *([] if most is None or most.ndim else [int(most)])}
            for name, length in lengths.items():
                entry = f"{name}[{number % length if -length <= number < 0 else number}]"
                if entry in held:
                    found[f"{name}[{place}]"] = held[entry]
            for text, array in held.items():
                is_label = array.ndim == 1 and array.dtype.kind in "iu"
                if (is_label or (array.ndim > 1 and len(array) in several)) and -len(array) <= number < len(array):
                    found[f"{text}[{place}]"] = array[number]
        for several_places, shape in self._pairs(held):
            for text, array in held.items():
                if array.ndim >= len(shape) and array.shape[: len(shape)] == shape and text.isidentifier():
                    value = value_in(parsed(f"{text}[{several_places}]"), held, {})
                    found |= {} if value is None else {f"{text}[{several_places}]": value}
        return found

    def _pairs(self, held: Mapping[str, Array]) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Places with several counted numbers that stand in the code, and the lengths of the axes that these count."""
        for node in self._nodes:
            match node:
                case ast.Subscript(value=ast.Name(id=whole), slice=ast.Tuple(elts=[*numbers])) if whole in held:
                    if all(isinstance(x, ast.Name) and x.id in self._rounds for x in numbers):
                        place = ", ".join(ast.unparse(x) for x in numbers)
                        yield place, held[whole].shape[: len(numbers)]

    def _at_keys(self, held: Mapping[str, Array], last: Collection[str], written: Collection[str]) -> dict[str, Array]:
        """What dictionaries hold at keys that a loop counts: cache[f"Z{l}"] for what is held as cache['Z2'].

        The variables in `last` count no more; what a statement has `written` keeps its name.
        """
        numbers = {x: int(n) for x, n in held.items() if n.ndim == 0 and n.dtype.kind == "i" and x not in last}
        keys = counted_keys(self._nodes, numbers)
        found: dict[str, Array] = {}
        for text, value in held.items():
            keyed = KEYED.fullmatch(text) if keys and text not in written else None
            key = None if keyed is None else counted_key(keyed[2], keys)
            name = text if keyed is None or key is None else f"{keyed[1]}[{ast.unparse(key)}]"
            found.setdefault(name, value)
        return found


def _is_known(mask: str, held: Mapping[str, Array], scope: Mapping[str, Any]) -> bool:
    return value_in(parsed(f"1 * {mask}"), held, scope) is not None  # as a number: yes and no are none


@lru_cache(maxsize=64)
def _within_limits(file: str) -> list[str]:
    """For each ``np.clip(x, low, high)`` of a file, where x is within the limits."""
    found = []
    for node in ast.walk(tree_of(file)):
        match node:
            case ast.Call(func=ast.Attribute(attr="clip"), args=[x, low, high]):
                value = ast.unparse(x)
                found.append(f"(({value} > {ast.unparse(low)}) & ({value} < {ast.unparse(high)}))")
    return found


@lru_cache(maxsize=64)
def _leaky_slopes(file: str) -> list[str]:
    """For each ``np.where(z > 0, z, 0.1 * z)`` of a file, its derivative: ``np.where(z > 0, 1, 0.1)``."""
    found = []
    for node in ast.walk(tree_of(file)):
        match node:
            case ast.Call(func=ast.Attribute(attr="where"), args=[condition, z, ast.BinOp(a, ast.Mult(), b)]):
                pass
            case ast.Call(
                func=ast.Attribute(attr="maximum"),
                args=[ast.BinOp(a, ast.Mult(), b), z] | [z, ast.BinOp(a, ast.Mult(), b)],
            ):
                condition = ast.Compare(z, [ast.Gt()], [ast.Constant(0)])
            case _:
                continue
        slopes = [x for x, other in ((a, b), (b, a)) if ast.unparse(other) == ast.unparse(z)]
        found += [f"np.where({ast.unparse(condition)}, 1, {ast.unparse(x)})" for x in slopes]
    return found


@lru_cache(maxsize=64)
def _roots(file: str) -> list[str]:
    """What square roots are taken of in a file."""
    found = []
    for node in ast.walk(tree_of(file)):
        match node:
            case ast.Call(func=ast.Attribute(attr="sqrt"), args=[_]):
                found.append(ast.unparse(node))
    return list(dict.fromkeys(found))


def _other_lengths(held: Mapping[str, Array], lengths: Mapping[str, Array]) -> dict[str, Array]:
    """How many rows arrays have, where nothing holds that number: the code may have to ask for it."""
    known = {int(x) for x in (*held.values(), *lengths.values()) if x.ndim == 0 and x.dtype.kind == "i"}
    found: dict[str, Array] = {}
    for text, value in held.items():
        if text.isidentifier() and value.ndim and len(value) > 1 and len(value) not in known:
            known.add(len(value))
            found[f"len({text})"] = np.array(len(value))
    return found


def _is_number(value: Array | None) -> bool:
    return value is not None and value.ndim == 0


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


def _shapes(
    held: Mapping[str, Array], own: Collection[str], last: Collection[str], loops: Collection[str]
) -> dict[str, tuple[int, ...]]:
    """The shapes of what the shortest names hold, variables first; what two names hold has the first of them.

    What `loops` set anew holds other things in other rounds.

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
        # Zeros at one place of a list, as a first state, are nothing that a line may be meant to have.
        known = any(np.array_equal(held[x], value) for x in alike if value.ndim and value.any()) or (
            PLACE.search(text) is not None and value.ndim > 0 and not value.any()
        )
        if text in own or (len(alike) < most and (text in loops or not known)):
            alike.append(text)
    return {text: shape for shape, texts in by_shape.items() for text in texts}
