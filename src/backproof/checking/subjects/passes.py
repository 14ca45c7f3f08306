"""A forward and a backward pass: functions, or methods of objects that hold the parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, count, islice
from types import CellType, FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from backproof.checking.finite import require_finite
from backproof.checking.moments import Moment
from backproof.checking.naming import last_word, plain, spellings
from backproof.checking.recording import Recording, record
from backproof.checking.subjects.attributes import attributes, changed, empty_in, named_arrays, noted, objects_in
from backproof.checking.subjects.calls import from_above, matched, prediction, takes
from backproof.checking.subjects.chance import same_each_time
from backproof.checking.subjects.drawing import copied
from backproof.checking.subjects.numbers import as_arrays, derivatives_named
from backproof.checking.subjects.subject import Played
from backproof.checking.warned import noted_warnings
from backproof.ir.errors import BackproofError
from backproof.ir.source import raised
from backproof.ops.row import Array

if TYPE_CHECKING:
    from backproof.checking.diagnosis import Remark

OUTPUTS = ("output", "outputs", "out", "result", "activation", "a", "A", "y_hat", "y", "z", "Z")
"""How the attribute is called that a forward pass which returns nothing leaves its result in."""
CLEARS = ("zero_grad", "zero_grads", "zero_gradients", "reset_grad", "reset_gradients", "clear_grads")
"""How a method is called that sets the gradients which an object has added up to zero."""


@dataclass(frozen=True, slots=True, eq=False)
class Code:
    """The functions of one run, and the objects that they are methods of."""

    forward: Callable[..., Any]
    backward: Callable[..., Any] | None
    loss: Callable[..., Any] | None

    @property
    def functions(self) -> list[Callable[..., Any]]:
        """All that is run."""
        return [f for f in (self.forward, self.backward, self.loss) if f is not None]

    @property
    def owners(self) -> list[Any]:
        """The objects that methods belong to."""
        found = {id(f.__self__): f.__self__ for f in self.functions if hasattr(f, "__self__")}
        return list(found.values())

    def upon(self, memo: dict[int, Any]) -> Code:
        """The same on copies of the objects, in which each array whose `id` is in `memo` is what stands there."""
        forward, backward, loss = deepcopy((self.forward, self.backward, self.loss), memo)
        return Code(forward, backward, loss)


@dataclass(eq=False)
class Passes:
    """A forward pass, a loss where the forward pass only predicts, and a backward pass.

    What methods read of their objects and the result depends on is among the arguments, beside what was `given`.
    Nothing that is run changes the user's objects: it is run on copies.

    Where there is neither a loss nor one number, the code is a layer. Its backward pass is given the derivative by its
    result, G, and what is differentiated is Σ G * result, whose derivative by the result is G. `upstream` names the
    arguments that hold them.
    """

    code: Code
    given: Mapping[str, Any]
    arguments: Mapping[str, Any] = field(init=False)
    upstream: tuple[str, ...] = field(init=False, default=())
    remarks: tuple[Remark, ...] = ()
    _originals: Mapping[str, Array] = field(init=False)

    def __post_init__(self) -> None:
        self._take_numbers()
        self.arguments = self.given
        self._originals = {}
        code, given = self._bound(copied(self.given))
        with same_each_time(code.functions):
            run = self._forward(code, given)
        parts = _results(code, run.result)
        if self.code.backward == self.code.forward and len(parts) < 2:
            raise BackproofError(
                f"{self.code.forward.__name__} is no forward and backward pass",
                why="one function that does both returns the loss and the gradients, and this one returns one thing",
                instead="give two functions, diagnose(forward, backward, …), or an object that has methods for both",
            )
        if self.code.loss is None and np.size(parts[0]) != 1:
            self._is_layer(run, parts)
        drawn, held = self.arguments, named_arrays(self.code.owners, self.given)
        if not held:
            return
        self._originals = held
        self.arguments = {**drawn, **held}
        value = self._value(self.arguments)
        self._originals = {name: array for name, array in held.items() if self._depends_on(name, value)}
        self.arguments = {**drawn, **self._originals}

    def _take_numbers(self) -> None:
        """Makes arrays of the plain numbers that are parameters, in copies of the arguments and of the objects."""
        words = derivatives_named(self._files, getattr(self.code.backward, "__name__", ""))
        given = dict(copied(self.given))
        self.code, self.given = self.code.upon({}), given
        as_arrays([given, *map(vars, objects_in(self.code.owners))], words)

    def _is_layer(self, run: Recording, parts: Sequence[Any]) -> None:
        own = {*takes(self.code.forward), *attributes(self.code.owners), *run.variables}
        names = [] if self.code.backward is None else from_above(self.code.backward, own)
        outputs = _outputs(parts, len(names))
        if not outputs:
            raise BackproofError(
                "the forward pass does not give one number",
                where=f"the shape of its result is {np.shape(parts[0])}",
                instead="name the loss too, file.py:forward,loss,backward or loss=…; or, of a layer, let the backward "
                "pass take the derivative by its result: backward(dout, cache)",
            )
        rng, given = np.random.default_rng(0), dict(self.arguments)
        drawn = {
            free: given.pop(name, np.asarray(rng.normal(size=part.shape), part.dtype))
            for free, name, part in zip(_free(len(outputs), {*given, *own}), names, outputs, strict=False)
        }
        self.arguments, self.upstream = given | drawn, tuple(drawn)

    def _depends_on(self, name: str, value: Array) -> bool:
        """Whether the result is another one where an array that an object holds is."""
        array = self._originals[name]
        size = float(np.sqrt(np.mean(np.square(array)))) or 1.0
        other = array + size * np.asarray(np.random.default_rng(0).normal(size=array.shape), array.dtype)
        try:
            return not np.array_equal(self._value({**self.arguments, name: other}), value, equal_nan=True)
        except Exception:  # it is read, and has to be what it is
            return True

    def _value(self, arguments: Mapping[str, Any]) -> Array:
        return np.asarray(self.scalar(**copied(arguments)))

    def _bound(self, arguments: Mapping[str, Any]) -> tuple[Code, dict[str, Any]]:
        """The code on copies of its objects that hold the arguments which belong to them, and the other arguments."""
        memo = {id(array): arguments[name] for name, array in self._originals.items()}
        return self.code.upon(memo), {name: x for name, x in arguments.items() if name not in self._originals}

    @property
    def scalar(self) -> Callable[..., Any]:
        """The loss as one function of all arguments, to be followed and derived."""
        # These are named here for whoever looks for the functions that this one runs.
        forward, loss = self.code.forward, self.code.loss

        def scalar(**arguments: Any) -> Any:
            code, given = self._bound(arguments)
            with same_each_time(code.functions):
                parts = _results(code, code.forward(**matched(forward, given, upstream=())))
                if loss is None:
                    return self._number(parts, arguments)
                return _loss(code, given, parts)

        return scalar

    def play(self, arguments: Mapping[str, Any], times: int = 1, *, statements: bool = True) -> Played:
        """Runs forward and backward pass on copies of the arguments, several times in a row; the last run counts.

        Without `statements`, those of the backward pass are not recorded, nor what it changes that it was handed.
        """
        held = copied(arguments)
        code, given = self._bound(held)
        for _ in range(times - 1):
            with same_each_time(code.functions):
                self._run(code, copied(given), arguments, held, statements=False)
        with same_each_time(code.functions), noted_warnings(self._files) as warnings:
            played = self._run(code, given, arguments, held, statements=statements)
        return replace(played, warnings=warnings)

    def _run(
        self,
        code: Code,
        given: dict[str, Any],
        arguments: Mapping[str, Any],
        held: Mapping[str, Any],
        *,
        statements: bool,
    ) -> Played:
        run = self._forward(code, given, statements=statements)
        parts = _results(code, run.result)
        loss = self._number(parts, arguments) if code.loss is None else _loss(code, given, parts)
        if np.size(loss) != 1:
            raise BackproofError("the loss is not one number", where=f"its shape is {np.shape(loss)}")
        number = float(np.asarray(loss).ravel()[0])
        require_finite(number, ((moment.place, x.text, x.value) for moment in run.moments for x in moment.writes))
        kept = parts if code.loss is not None else parts[len(self.upstream) or 1 :]
        clears = (getattr(owner, name, None) for owner in code.owners for name in CLEARS)
        for clear in filter(callable, clears):
            clear()
        assert code.backward is not None
        variables = {**attributes(code.owners), **run.variables}
        above = [arguments[name].copy() for name in self.upstream]
        call = matched(code.backward, given, variables, kept, above or None)
        before, given_before = noted(code.owners), noted(given)
        handed = {name: noted(value) for name, value in call.items()} if statements else {}
        places = {name: place for place, (x, _) in before.items() for name in self._originals if x is held[name]}
        backward = record(code.backward, call, self._files, statements=statements)
        new = changed(before, code.owners)
        named = {spelling for name in self.arguments for spelling in spellings(name)}
        left = {
            place: x
            for place, x in new.items()
            # A number that is not called like a derivative is something else: a loss, a count.
            if place not in places.values() and (isinstance(x, np.ndarray) or plain(last_word(place)) in named)
        }
        own = _differences(before, new)
        updates = _differences(given_before, changed(given_before, given))
        updates |= {f"[{name!r}]": own[place] for name, place in places.items() if place in own}
        overwritten = {
            f"{name}{place}": (kept, array)
            for name, parts in handed.items()
            for place, (array, kept) in parts.items()
            if plain(name) not in named and isinstance(array, np.ndarray) and not _alike(array, kept)
        }
        return Played(
            arguments,
            number,
            tuple(_own(backward.moments, run.moments, code.backward)),
            {**({} if backward.result is None else {"": backward.result}), **left, **empty_in(code.owners)},
            updates,
            None if backward.error is None else error_of(code.backward, backward.error, call, self._files),
            calling=backward.calling,
            overwritten=overwritten,
        )

    @cached_property
    def _files(self) -> frozenset[str]:
        """Where the code stands: that of the functions, and of the methods of all objects that the owners hold."""
        return frozenset([*map(file_of, self.code.functions), *map(file_of, self._methods)])

    @property
    def _methods(self) -> list[FunctionType]:
        classes = {kind for x in objects_in(self.code.owners) for kind in type(x).__mro__}
        return [f for kind in classes for f in vars(kind).values() if isinstance(f, FunctionType)]

    @property
    def functions(self) -> Collection[FunctionType]:
        """The functions that are run, and those of the same files that they can call."""
        own = [*map(function_of, self.code.functions), *self._methods]
        return callable_from(own, self._files)

    def _forward(self, code: Code, given: Mapping[str, Any], *, statements: bool = True) -> Recording:
        call = matched(code.forward, given, upstream=())
        run = record(code.forward, call, self._files, statements=statements)
        if run.error is not None:
            raise error_of(code.forward, run.error, call, self._files)
        return run

    def _number(self, parts: Sequence[Any], arguments: Mapping[str, Any]) -> Any:
        """What is differentiated where there is no loss."""
        if not self.upstream:
            return parts[0]
        outputs = _outputs(parts, len(self.upstream))
        terms = [np.sum(arguments[name] * part) for name, part in zip(self.upstream, outputs, strict=True)]
        return sum(terms[1:], terms[0])


def _differences(before: Mapping[str, tuple[Any, Array]], after: Mapping[str, Any]) -> dict[str, Array]:
    """By how much decimal numbers are other ones than before, where their shape is the same."""
    pairs = {place: (before[place][1], np.asarray(x)) for place, x in after.items() if place in before}
    return {
        place: new - old
        for place, (old, new) in pairs.items()
        if new.dtype.kind == "f" and new.shape == old.shape and not _alike(new, old)
    }


def _alike(array: Array, kept: Array) -> bool:
    return bool(np.array_equal(array, kept, equal_nan=array.dtype.kind in "fc"))


def _loss(code: Code, given: Mapping[str, Any], parts: Sequence[Any]) -> Any:
    assert code.loss is not None
    return _parts(code.loss(**prediction(code.loss, given, attributes(code.owners), parts)))[0]


def _results(code: Code, result: Any) -> tuple[Any, ...]:
    """What a forward pass gives: what it returns, else the attribute of its object that holds it."""
    held = attributes(code.owners) if result is None else {}
    return next(((held[name],) for name in OUTPUTS if held.get(name) is not None), _parts(result))


def _parts(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)


def _outputs(parts: Sequence[Any], most: int) -> list[Any]:
    """The results that a layer is given derivatives by: the first ones that are arrays."""
    return [part for part in parts if isinstance(part, np.ndarray)][:most]


def _free(number: int, taken: Collection[str]) -> list[str]:
    """Names for derivatives by results: G, or G1, G2, …"""
    several = (f"G{k}" for k in count(1))
    names = several if number > 1 else chain(["G"], several)
    return [*islice((name for name in names if name not in taken), number)]


def error_of(
    function: Callable[..., Any], error: Exception, call: Mapping[str, Any], files: Collection[str]
) -> BackproofError:
    """The error for a function that raises one on what it was called with; `files` are those of the user's code."""
    if isinstance(error, BackproofError):
        return error
    shapes = {name: x.shape for name, x in call.items() if isinstance(x, np.ndarray)}
    found = raised(BackproofError, function.__name__, error, lambda code: code.co_filename in files, shapes)
    found.__cause__ = error
    return found


def function_of(function: Callable[..., Any]) -> FunctionType:
    """A function or that of a method, below what is wrapped around it."""
    inner = inspect.unwrap(function)
    found: FunctionType = getattr(inner, "__func__", inner)
    return found


def file_of(function: Callable[..., Any]) -> str:
    """Where a function or a method stands."""
    return function_of(function).__code__.co_filename


def callable_from(functions: Iterable[FunctionType], files: Collection[str]) -> list[FunctionType]:
    """Functions, and those of the files that they can name: functions and methods of their module, and around them."""
    found: dict[int, FunctionType] = {}
    stack = list(functions)
    while stack:
        function = stack.pop()
        if id(function) in found or function.__code__.co_filename not in files:
            continue
        found[id(function)] = function
        cells = (cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell))
        for value in (*function.__globals__.values(), *cells):
            parts = vars(value).values() if isinstance(value, type) else (value,)
            inner = (inspect.unwrap(x) for x in parts if isinstance(x, FunctionType))
            stack += [x for x in inner if isinstance(x, FunctionType)]
    return list(found.values())


def _is_filled(cell: CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # a function that is still to be defined
        return False


def _own(moments: Sequence[Moment], forward: Sequence[Moment], backward: Callable[..., Any]) -> Iterator[Moment]:
    """The statements of a backward pass without those of the functions that it calls which the forward pass runs too.

    Such a one is right, since it says what the forward pass is; what it is called with is seen where it is called.
    """
    own = getattr(backward, "__qualname__", "")  # one function may be both passes
    shared = {(moment.file, moment.number) for moment in forward if moment.source and moment.function != own}
    for moment in moments:
        if moment.raised or not moment.source or (moment.file, moment.number) not in shared:
            yield moment
