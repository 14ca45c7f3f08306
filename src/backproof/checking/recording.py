"""What a run of somebody's code computes, statement by statement: what each reads, and what it leaves behind."""

from __future__ import annotations

import ast
import linecache
import sys
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import FrameType, ModuleType
from typing import Any

import numpy as np

from backproof.checking.naming import last_word, plain
from backproof.ir.source import Line
from backproof.ops.row import Array

Copy = Callable[[Any], Array]
_lines: ContextVar[int | None] = ContextVar("lines", default=None)


class TooLongError(BaseException):
    """A run goes on for more lines than it may; no ``except Exception`` of the user's stops it."""


@contextmanager
def at_most(lines: int) -> Iterator[None]:
    """Within it a run of code with a `while` in it may go through so many lines, and raises TooLongError then."""
    token = _lines.set(lines)
    try:
        yield
    finally:
        _lines.reset(token)


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """An expression of the user's and the value that it had.

    text     the expression, with the places in it as they were: ``grads['W2']``
    value    a copy
    changed  whether the value was changed in place
    written  the expression as it stands in the code: ``grads['W' + str(l)]``
    """

    text: str
    value: Array
    changed: bool = False
    written: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """A statement that ran: where it stands, its source, how often it had run before, what it read and wrote.

    `scope` has the functions, modules and words that its names stand for. Where it ran first, `visible` has what the
    variables of its function held then. Of one that raised an error, `raised` says which; what it was to write is not a
    number.
    """

    file: str
    number: int
    source: str
    visit: int
    function: str
    reads: tuple[Held, ...]
    writes: tuple[Held, ...]
    scope: Mapping[str, Any] = field(default_factory=dict)
    visible: tuple[Held, ...] = ()
    raised: str = ""

    @property
    def line(self) -> tuple[str, int]:
        """The file and the number of the line."""
        return self.file, self.number

    @property
    def place(self) -> str:
        """The file's name and the line, for messages."""
        return str(Line(self.file, self.number))


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A run: what the function returned, its statements in order, and its own variables at the end.

    Of one that did not come to its end, `error` is what it raised, the last moment is the statement that raised it, and
    `calling` are the statements that it was called in, the innermost first.
    """

    result: Any
    moments: tuple[Moment, ...]
    variables: Mapping[str, Any]
    error: Exception | None = None
    calling: tuple[Moment, ...] = ()


def record(
    function: Callable[..., Any], arguments: Mapping[str, Any], files: Collection[str], *, statements: bool = True
) -> Recording:
    """Calls a function and records the statements of the given files that run until it returns.

    Without `statements` only its own variables are kept.
    """
    recorder = _Recorder(files) if statements else _Variables(files)
    before = sys.gettrace()
    sys.settrace(recorder.enter)
    result, error = None, None
    try:
        result = function(**arguments)
    except Exception as raised:  # of the user's code: it is told of
        error = raised
    finally:
        sys.settrace(before)
    raising = () if error is None else recorder.raising(error)
    return Recording(result, (*recorder.moments, *raising[:1]), recorder.variables, error, tuple(raising[1:]))


@dataclass(slots=True, eq=False)
class _Running:
    """A statement that a frame is in, and what it read."""

    statement: ast.stmt
    reads: tuple[Held, ...]
    visible: tuple[Held, ...] = ()
    raised: BaseException | None = None


class _Variables:
    """Keeps the variables of the function that returns last, which is the outermost."""

    def __init__(self, files: Collection[str]) -> None:
        self._files = files
        self._lines = _lines.get()
        self._raising: list[tuple[BaseException, Moment]] = []
        self.moments: list[Moment] = []
        self.variables: Mapping[str, Any] = {}

    def raising(self, error: Exception) -> list[Moment]:
        """The statement that an error comes from, if it is one that is recorded, and those that called it."""
        return [moment for raised, moment in self._raising if raised is error]

    def enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename not in self._files:
            return None
        frame.f_trace_lines = self._lines is not None and goes_on(frame.f_code.co_filename)
        return self._returned

    def _count(self) -> None:
        if self._lines is not None:
            self._lines -= 1
            if self._lines < 0:
                raise TooLongError

    def _returned(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            self._count()
        if event == "return" and frame.f_code.co_name != "<lambda>":
            self.variables = dict(frame.f_locals)
        return self._returned


class _Copies:
    """Copies of arrays; of one that has not changed since it was copied last, the same copy."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[weakref.ref[Array], Array]] = {}

    def __call__(self, value: Any) -> Array:
        if type(value) is not np.ndarray or value.dtype.kind not in "iuf":
            return np.array(value)
        of, copy = self._made.get(id(value), (None, None))
        if of is None or copy is None or of() is not value or not _unchanged(value, copy):
            copy = np.array(value)
            self._made[id(value)] = weakref.ref(value), copy
        return copy


def _unchanged(value: Array, copy: Array) -> bool:
    return value.shape == copy.shape and value.dtype == copy.dtype and bool(np.array_equal(value, copy))


class _Recorder(_Variables):
    """Keeps what every statement read and wrote."""

    def __init__(self, files: Collection[str]) -> None:
        super().__init__(files)
        self._copies = _Copies()
        self._running: dict[FrameType, _Running | None] = {}
        self._visits: dict[tuple[str, int], int] = {}
        self._seen: set[tuple[str, int]] = set()
        self._of_modules: dict[int, Mapping[str, Any]] = {}
        self._last: dict[tuple[str, int], Moment] = {}

    def enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename not in self._files:
            return None
        self._running[frame] = None
        code = frame.f_code
        given = tuple(_values(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount], frame, self._copies))
        if given:
            self.moments.append(Moment(code.co_filename, code.co_firstlineno, "", 0, code.co_qualname, (), given))
        return self._line

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        running = self._running[frame]
        if event == "exception":
            if running is not None:
                self._note_raised(frame, running, argument[1])
            return self._line
        if event == "return":
            self._finish(frame, running, argument)
            del self._running[frame]
            self._returned(frame, event, argument)
            return self._line
        self._count()
        statement = statements(frame.f_code.co_filename).get(frame.f_lineno)
        if running is not None and statement is running.statement and frame.f_lineno != statement.lineno:
            return self._line  # a further line of the same statement
        self._finish(frame, running)
        self._running[frame] = None
        if statement is not None:
            reads = tuple(_values(_loaded(statement), frame, self._copies))
            is_first = (frame.f_code.co_filename, statement.lineno) not in self._seen
            self._seen.add((frame.f_code.co_filename, statement.lineno))
            names = tuple(filter(str.isidentifier, frame.f_locals)) if is_first else ()
            visible = tuple(_values(names, frame, self._copies))
            self._running[frame] = _Running(statement, reads, visible)
        return self._line

    def _note_raised(self, frame: FrameType, running: _Running, error: BaseException) -> None:
        running.raised = error
        statement, code = running.statement, frame.f_code
        moment = Moment(
            code.co_filename,
            statement.lineno,
            source_of(statement, code.co_filename),
            self._visits.get((code.co_filename, statement.lineno), -1) + 1,
            code.co_qualname,
            running.reads,
            tuple(_unwritten(statement, frame)),
            {**self._functions(frame), **dict(_scope(_names(statement), frame))},
            running.visible,
            f"{type(error).__name__}: {error}",
        )
        if self._raising and self._raising[-1][0] is not error:
            self._raising.clear()  # that one was caught
        self._raising.append((error, moment))

    def _functions(self, frame: FrameType) -> Mapping[str, Any]:
        """What the names of a module stand for that statements call."""
        names = frame.f_globals
        if id(names) not in self._of_modules:
            called = {name: x for name, x in names.items() if callable(x) or isinstance(x, ModuleType)}
            self._of_modules[id(names)] = called
        return self._of_modules[id(names)]

    def _finish(self, frame: FrameType, running: _Running | None, returned: Any = None) -> None:
        if running is None or running.raised is not None:
            return
        statement, file = running.statement, frame.f_code.co_filename
        writes = tuple(_values(_stored(statement), frame, self._copies))
        if isinstance(statement, ast.Return):
            writes = tuple(_computed(statement, returned, self._copies))
        elif frame.f_code.co_name == "<lambda>":
            writes = tuple(_of_lambda(statement, returned))
        elif _changes(statement):
            writes = tuple(replace(write, changed=True) for write in writes)
        if not writes and not running.reads:
            return
        where = (file, statement.lineno)
        visit = self._visits[where] = self._visits.get(where, -1) + 1
        if visit >= MOST_VISITS:
            # Of a long loop the first rounds and the last are kept: what it leaves behind is in the last.
            self.moments.remove(self._last[where])
        source = source_of(statement, file)
        scope = {**self._functions(frame), **dict(_scope(_names(statement), frame))}
        function = frame.f_code.co_qualname
        moment = Moment(file, statement.lineno, source, visit, function, running.reads, writes, scope, running.visible)
        self._last[where] = moment
        self.moments.append(moment)


RETURNED = "returned"
"""What a dict is called that is returned at once; no code can read it by that name."""
MOST_VISITS = 64
SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return)


@lru_cache(maxsize=64)
def tree_of(file: str) -> ast.Module:
    """The source of a file as a tree."""
    return ast.parse("".join(linecache.getlines(file)))


@lru_cache(maxsize=64)
def statements(file: str) -> Mapping[int, ast.stmt]:
    """The simple statement that stands on each line of a file; the last, where there are several."""
    found: dict[int, ast.stmt] = {}
    for node in ast.walk(tree_of(file)):
        if isinstance(node, SIMPLE):
            for number in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                found[number] = node
    return found


@lru_cache(maxsize=64)
def looped(file: str) -> frozenset[int]:
    """The lines of a file that stand in a loop."""
    loops = (x for x in ast.walk(tree_of(file)) if isinstance(x, ast.For | ast.While))
    return frozenset(k for loop in loops for k in range(loop.lineno, (loop.end_lineno or loop.lineno) + 1))


@lru_cache(maxsize=64)
def goes_on(file: str) -> bool:
    """Whether a file has a loop that may never end where something in it is changed."""
    return any(isinstance(x, ast.While) for x in ast.walk(tree_of(file)))


@lru_cache(maxsize=64)
def place_names(file: str) -> frozenset[str]:
    """The names that places are written with in a file: t of ``hs[t + 1]``."""
    subscripts = (x for statement in statements(file).values() for x in ast.walk(statement))
    places = (x.slice for x in subscripts if isinstance(x, ast.Subscript))
    return frozenset(name for place in places for name in _counted_in(place))


def _counted_in(place: ast.AST) -> Iterator[str]:
    """The names that a place is computed with; what a function makes places of, as ``np.arange(m)``, counts nothing."""
    if isinstance(place, ast.Name):
        yield place.id
    elif not isinstance(place, ast.Call):
        for part in ast.iter_child_nodes(place):
            yield from _counted_in(part)


def source_of(statement: ast.stmt, file: str) -> str:
    """The lines of a statement as they are written, without their indentation."""
    lines = linecache.getlines(file)[statement.lineno - 1 : statement.end_lineno]
    return "\n".join(line.strip() for line in lines)


def statement_of(moment: Moment) -> ast.stmt | None:
    """The statement that ran; None where values were handed to a function."""
    return statements(moment.file).get(moment.number) if moment.source else None


def scales(moment: Moment) -> bool:
    """Whether a statement changes a value that was whole before: ``dZ *= …``, ``dZ[Z < 0] = 0``."""
    match statement_of(moment):
        case ast.AugAssign(op=op):
            return not isinstance(op, ast.Add | ast.Sub)
        case ast.Assign(targets=[ast.Subscript()], value=ast.Constant()):
            return True
    return False


def _changes(statement: ast.stmt) -> bool:
    """Whether a statement changes what was there before."""
    return not isinstance(statement, ast.Assign | ast.AnnAssign) or _adds(statement)


def _adds(statement: ast.stmt) -> bool:
    """Whether an assignment adds to what its target holds, ``x = x + y``, as ``x += y`` does.

    So does one to each entry of a container: ``xs = [x + y for x, y in zip(xs, ys)]``.
    """
    match statement:
        case ast.Assign(targets=[ast.expr() as target], value=ast.BinOp() as value):
            return _begins_with(value, ast.unparse(target))
        case ast.Assign(
            targets=[ast.expr() as target],
            value=ast.ListComp(
                elt=ast.BinOp() as value,
                generators=[
                    ast.comprehension(
                        target=ast.Tuple(elts=names), iter=ast.Call(func=ast.Name(id="zip"), args=containers)
                    )
                ],
            ),
        ):
            pairs = zip(names, containers, strict=False)
            own = [ast.unparse(name) for name, x in pairs if ast.unparse(x) == ast.unparse(target)]
            return any(_begins_with(value, name) for name in own)
        case ast.Assign(
            targets=[ast.expr() as target],
            value=ast.DictComp(key=ast.Name(id=key), value=ast.BinOp() as value, generators=[ast.comprehension()]),
        ):
            return _begins_with(value, f"{ast.unparse(target)}[{key}]")
    return False


def _begins_with(value: ast.expr, text: str) -> bool:
    """Whether an expression is a sum whose first term is a given one, which does not stand in it again."""
    first = value
    while isinstance(first, ast.BinOp) and isinstance(first.op, ast.Add | ast.Sub):
        first = first.left
    return [x for x in ast.walk(value) if isinstance(x, ast.expr) and ast.unparse(x) == text] == [first]


def is_looked_up(moment: Moment) -> bool:
    """Whether a statement only takes values out of a container: ``A, Z = caches[l]``."""
    match statement_of(moment):
        case ast.Assign(value=ast.Subscript() | ast.Attribute()) | ast.Assign(targets=[ast.Tuple()], value=ast.Name()):
            return True
    return False


def is_buffer(moment: Moment) -> bool:
    """Whether a statement only makes room for values that others fill in: ``dW = np.empty_like(W)``."""
    match statement_of(moment):
        case ast.Assign(value=ast.Call(func=ast.Attribute(attr="empty" | "empty_like"))):
            return True
    return False


def mentioned(moment: Moment) -> frozenset[str]:
    """The names, attributes and entries that stand in a statement, as they are written."""
    statement = statement_of(moment)
    return frozenset() if statement is None else _mentioned(statement)


@lru_cache(maxsize=4096)
def _mentioned(statement: ast.stmt) -> frozenset[str]:
    kinds = ast.Name | ast.Attribute | ast.Subscript
    return frozenset(ast.unparse(x) for x in ast.walk(statement) if isinstance(x, kinds))


@lru_cache(maxsize=4096)
def _names(statement: ast.stmt) -> tuple[str, ...]:
    return tuple(dict.fromkeys(x.id for x in ast.walk(statement) if isinstance(x, ast.Name)))


def _scope(names: Iterable[str], frame: FrameType) -> Iterator[tuple[str, Any]]:
    for name in names:
        value = frame.f_locals.get(name, frame.f_globals.get(name))
        numbers = isinstance(value, tuple) and all(isinstance(x, int) for x in value)
        if callable(value) or numbers or isinstance(value, ModuleType | str | bool):
            yield name, value


@lru_cache(maxsize=4096)
def _loaded(statement: ast.stmt) -> tuple[str, ...]:
    """The expressions that a statement reads, as they are written."""
    if isinstance(statement, ast.AugAssign):
        texts = [*_named(statement.value), ast.unparse(statement.target)]
    else:
        value = getattr(statement, "value", None)
        texts = [] if value is None else list(_named(value))
    return tuple(dict.fromkeys(texts))


@lru_cache(maxsize=4096)
def _stored(statement: ast.stmt) -> tuple[str, ...]:
    """The expressions that a statement gives values to."""
    stack: list[ast.expr]
    match statement:
        case ast.Assign(targets=targets):
            stack = list(reversed(targets))
        case ast.AugAssign(target=changed) | ast.AnnAssign(target=changed):
            stack = [changed]
        case ast.Expr(value=ast.Call(func=function, args=arguments)):
            # np.add.at(dE, …) changes its argument, grads.update(…) what it belongs to.
            owner = [function.value] if isinstance(function, ast.Attribute) else []
            stack = [x for x in (*owner, *arguments[:1]) if isinstance(x, ast.Name | ast.Attribute | ast.Subscript)]
        case _:
            stack = []
    texts = []
    while stack:
        target = stack.pop()
        if isinstance(target, ast.Tuple | ast.List):
            stack += reversed(target.elts)
        elif isinstance(target, ast.Starred):
            stack.append(target.value)
        else:
            texts.append(ast.unparse(target))
    return tuple(texts)


def _unwritten(statement: ast.stmt, frame: FrameType) -> Iterator[Held]:
    """What a statement would have given values to."""
    for text in _stored(statement):
        base, key = _entry(text)
        resolved = _resolved(text, base, key, frame)
        if base is not None and isinstance(_value(base, frame), np.ndarray):
            yield Held(base, np.array(np.nan), changed=True, written=base)
        else:
            yield Held(resolved, np.array(np.nan), changed=_changes(statement), written=text)


def _computed(statement: ast.Return, returned: Any, copy: Copy) -> Iterator[Held]:
    """What a return statement gives that no variable holds: ``return dZ @ X.T, dW2`` gives dZ @ X.T."""
    match statement.value:
        case ast.Tuple() | ast.List() | ast.Dict() as display:
            yield from _displayed(display, returned, copy)
        case ast.expr() as part if not isinstance(part, ast.Name | ast.Attribute | ast.Subscript):
            yield from held(ast.unparse(part), returned, copy)


def _displayed(display: ast.expr, returned: Any, copy: Copy) -> Iterator[Held]:
    """The same of a container that is written out, and of those within it."""
    names: list[str | None]
    match display:
        case ast.Tuple(elts=parts) | ast.List(elts=parts) if isinstance(returned, tuple | list):
            names, values = [None] * len(parts), list(returned)
        case ast.Dict(keys=keys, values=parts) if isinstance(returned, dict):
            constants = (key.value if isinstance(key, ast.Constant) else None for key in keys)
            names, values = [x if isinstance(x, str) else None for x in constants], list(returned.values())
        case _:
            return
    for part, name, value in zip(parts, names, values, strict=False) if len(parts) == len(values) else ():
        if isinstance(part, ast.Tuple | ast.List | ast.Dict):
            yield from _displayed(part, value, copy)
        elif isinstance(display, ast.Dict):
            if name is not None and plain(name) != plain(last_word(ast.unparse(part))):
                yield from held(f"{RETURNED}[{name!r}]", value, copy)
        elif not isinstance(part, ast.Name | ast.Attribute | ast.Subscript):
            yield from held(ast.unparse(part), value, copy)


def _of_lambda(statement: ast.stmt, returned: Any) -> Iterator[Held]:
    """What a lambda gives, where it is the only one in its statement."""
    found = [node for node in ast.walk(statement) if isinstance(node, ast.Lambda)]
    if len(found) == 1:
        yield from held(ast.unparse(found[0].body), returned)


def _named(node: ast.AST) -> Iterator[str]:
    """The names, attributes and entries of containers in an expression; looking them up computes nothing."""
    if isinstance(node, ast.Name):
        yield node.id
        return
    if isinstance(node, ast.Attribute | ast.Subscript) and _is_plain(node):
        yield ast.unparse(node)
        yield from _named(node.value)
        if isinstance(node, ast.Subscript):
            yield from _named(node.slice)
        return
    for child in ast.iter_child_nodes(node):
        yield from _named(child)


def _is_plain(node: ast.AST) -> bool:
    match node:
        case ast.Name() | ast.Constant():
            return True
        case ast.Attribute(value=value):
            return _is_plain(value)
        case ast.Subscript(value=value, slice=key):
            return _is_plain(value) and _is_plain(key)
        case ast.BinOp(left=left, right=right):
            return _is_plain(left) and _is_plain(right)
        case ast.UnaryOp(operand=operand) | ast.FormattedValue(value=operand):
            return _is_plain(operand)
        case ast.JoinedStr(values=parts) | ast.Tuple(elts=parts):
            return all(map(_is_plain, parts))
        case ast.Slice(lower=lower, upper=upper, step=step):
            return all(part is None or _is_plain(part) for part in (lower, upper, step))
        case ast.Call(func=ast.Name(id="str" | "len" | "int"), args=arguments, keywords=[]):
            return all(map(_is_plain, arguments))
    return False


def _values(texts: tuple[str, ...], frame: FrameType, copy: Copy) -> Iterator[Held]:
    for text in texts:
        base, key = _entry(text)
        if base is not None and isinstance(_value(base, frame), np.ndarray):
            # An entry of an array: the array is what counts.
            yield from (replace(part, changed=True) for part in held(base, _value(base, frame), copy))
            continue
        value = _value(text, frame)
        owner = _owner(text)
        if owner is not None and isinstance(_value(owner, frame), np.ndarray):
            continue  # A1.T: A1 itself is there too
        resolved = _resolved(text, base, key, frame)
        for part in held(resolved, value, copy):
            yield replace(part, written=part.text.replace(resolved, text, 1))


def _resolved(text: str, base: str | None, key: str, frame: FrameType) -> str:
    """An expression with its place as it is: one place of a list has one text, from whichever end it is counted."""
    place = _value(key, frame) if base is not None else None
    if base is not None and isinstance(place, int) and place < 0:
        container = _value(base, frame)
        place += len(container) if isinstance(container, list | tuple) else 0
    return f"{base}[{place!r}]" if isinstance(place, str | int) else text


@lru_cache(maxsize=4096)
def _entry(text: str) -> tuple[str | None, str]:
    """An entry as what it is an entry of, and its place; None where the expression is something else."""
    match ast.parse(text, mode="eval").body:
        case ast.Subscript(value=value, slice=ast.Slice()):
            return ast.unparse(value), "None"
        case ast.Subscript(value=value, slice=place):
            return ast.unparse(value), ast.unparse(place)
    return None, ""


@lru_cache(maxsize=4096)
def _owner(text: str) -> str | None:
    """What an expression is an attribute of."""
    match ast.parse(text, mode="eval").body:
        case ast.Attribute(value=value):
            return ast.unparse(value)
    return None


def _value(text: str, frame: FrameType) -> Any:
    try:
        return eval(_compiled(text), frame.f_globals, frame.f_locals)  # only names and places, see _is_plain
    except Exception:  # a name that is not bound yet, a key that is missing: there is no value
        return None


@lru_cache(maxsize=4096)
def _compiled(text: str) -> Any:
    return compile(text, "<expression>", "eval")


MOST_PARTS = 1000
MOST_DEPTH = 6
"""How deep containers in containers are looked into."""


def _is_part(value: Any) -> bool:
    """Whether an entry of a container is worth a look: an array, a container, or a number that NumPy computed."""
    return isinstance(value, np.ndarray | np.floating | dict | list | tuple)


def held(text: str, value: Any, copy: Copy = np.array, depth: int = MOST_DEPTH) -> Iterator[Held]:
    """Copies of the arrays in a value: of itself, or the parts of a container or of `self`, as they are written."""
    if depth == 0:
        return  # a container may hold itself
    if isinstance(value, dict):
        for key, part in list(value.items())[:MOST_PARTS]:
            yield from held(f"{text}[{key!r}]", part, copy, depth - 1)
    elif isinstance(value, list | tuple) and any(map(_is_part, value)):
        for k, part in enumerate(value[:MOST_PARTS]):
            yield from held(f"{text}[{k}]", part, copy, depth - 1)
    elif hasattr(value, "__dict__") and text == "self":
        for name, part in list(vars(value).items())[:MOST_PARTS]:
            yield from held(f"{text}.{name}", part, copy, depth - 1)
    elif isinstance(value, bool | np.bool_):
        return
    elif isinstance(value, np.ndarray | float | int | np.number):
        array = copy(value)
        if array.dtype.kind in "iuf":
            yield Held(text, array)
