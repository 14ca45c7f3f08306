"""A function of one array and what is claimed to be its derivative: ``sigmoid`` and ``sigmoid_prime``.

The derivative of the sum of an element-wise function's values by z is its derivative at z, entry by entry. Whether the
claim takes z or the value a = g(z) is a convention; the numbers tell which.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import FunctionType
from typing import Any

import numpy as np

from backproof.checking.diagnosis import Remark
from backproof.checking.moments import Held, Moment, statement_of
from backproof.checking.recording import record
from backproof.checking.subjects.calls import needs
from backproof.checking.subjects.drawing import copied
from backproof.checking.subjects.passes import callable_from, error_of, file_of, function_of
from backproof.checking.subjects.subject import Played
from backproof.checking.warned import noted_warnings
from backproof.ir.annotations import axes_of
from backproof.ir.errors import BackproofError
from backproof.ops.row import Array

VALUES = ("a", "A", "s", "y", "out", "output", "activation", "activations", "value")
"""How a derivative calls the value of the function, where it takes that."""
STEP = 1e-6
"""For differences, which only tell a kink, and what a claim takes; the verdict rests on the derivation."""
NEAR = 1e-4
ASIDE = 0.01
"""How far a number is moved: beside a kink, and to see what it moves."""


def is_derivative(function: Callable[..., Any], claimed: Callable[..., Any], arguments: Mapping[str, Any]) -> bool:
    """Whether two functions are of one array each, which the second is not handed from above.

    Raises BackproofError where nothing is given and the function does not take the arrays that are drawn for it.
    """
    names = needs(function)
    if len(names) != 1 or len(needs(claimed)) != 1 or set(arguments) - set(names):
        return False
    if needs(claimed)[0] not in (*names, *VALUES, "x", "z"):
        return False
    z = np.asarray(arguments.get(names[0], DRAWN))
    try:
        with np.errstate(all="ignore"):
            return z.size > 1 and np.shape(function(z.copy())) == z.shape
    except Exception as error:
        if arguments or axes_of(function):
            return False  # it takes something else than one array
        raise BackproofError(
            f"{function.__name__} raises {type(error).__name__} on an array of random numbers",
            where=f"{names[0]}, {' × '.join(map(str, z.shape))}, drawn as no data are given",
            why=str(error),
            instead="let it take arrays, with np.where for if and np.exp for math.exp; or give its argument: "
            f'diagnose(…, {names[0]}=…), or --data FILE.npz with an array "{names[0]}"',
        ) from error


DRAWN = np.random.default_rng(0).normal(size=(4, 5))
"""What functions of one array are compared on, where nothing is given: on both sides of zero, and no two alike."""
DOMAINS = (DRAWN, np.abs(DRAWN) + 0.1, (1 + np.tanh(DRAWN)) / 2, np.abs(DRAWN) + 2)
"""The same for functions that take only some numbers, as a logarithm, an arcsine, an area cosine do."""


@dataclass(eq=False)
class Claim:
    """A function of one array and its claimed derivative.

    Of a function that is not element-wise, as softmax, the derivative is a Jacobian. What is compared then is its
    product with a random derivative by the result, G: a wrong entry makes that wrong too. `remarks` tells what was
    taken for a convention, and what was left out.
    """

    function: Callable[..., Any]
    claimed: Callable[..., Any]
    given: Mapping[str, Any]
    arguments: Mapping[str, Any] = field(init=False)
    upstream: tuple[str, ...] = field(init=False, default=())
    remarks: list[Remark] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        (self._name,) = needs(self.function)
        z = self._drawn() if self._name not in self.given else np.array(self.given[self._name], dtype=float)
        own, name = self.function.__name__, self._name
        kinks = self._kinks(z)
        if kinks.any():
            places = ", ".join(f"{x:g}" for x in np.unique(z[kinks])[:3])
            text = (
                f"{own} has a kink at {places}, where any slope between the two beside it will do: these entries are "
                "compared a little to the right of it."
            )
            self.remarks.append(Remark("comparison", "kinks", (text,)))
        self.arguments = {name: z + ASIDE * kinks}
        if self._mixes(z):
            self.upstream = ("G" if name != "G" else "H",)
            self.arguments = {**self.arguments, self.upstream[0]: np.random.default_rng(1).normal(size=z.shape)}
        if self._takes_value:
            (value,), claimed = needs(self.claimed), self.claimed.__name__
            text = (
                f"{claimed} is written for the value, a = {own}({name}), and not for {name}"
                f"{f', though it calls it {value}' if value == name else ''}. That is a convention; it has to be "
                f"called so: {claimed}({own}({name}))."
            )
            self.remarks.append(Remark("doubt", "convention", (text,)))
        if self.upstream and np.shape(self._result(self.arguments)) == z.shape:
            text = (
                f"{own} is not element-wise: each of its values depends on all entries of {name}. Its derivative is a "
                f"matrix, ∂a_i/∂{name}_j, and {self.claimed.__name__} gives one number for each entry, as the diagonal "
                "of that matrix has. A derivative by the result that is multiplied with these leaves the others out."
            )
            self.remarks.append(Remark("comparison", "a Jacobian", (text,)))

    def _drawn(self) -> Array:
        """Numbers that the function is defined on, no two alike: a vector where the functions are of vectors only."""
        with np.errstate(all="ignore"):
            drawn = next((z for z in DOMAINS if np.isfinite(self.function(z.copy())).all()), DRAWN)
        if self._mixes(drawn):
            try:
                self.claimed(self.function(drawn[0]))
                return np.array(drawn[0])
            except Exception:  # of matrices, then
                return drawn
        return drawn

    def _mixes(self, z: Array) -> bool:
        """Whether other values change too where one entry does."""
        other = z.copy()
        other.flat[0] += ASIDE
        return bool(np.any((self.function(other) != self.function(z.copy())).flat[1:]))

    def _kinks(self, z: Array) -> Array:
        left = (self.function(z) - self.function(z - STEP)) / STEP
        right = (self.function(z + STEP) - self.function(z)) / STEP
        return np.asarray(np.abs(left - right) > 1e-3 * (1 + np.abs(left)))

    @cached_property
    def _takes_value(self) -> bool:
        """Whether the claim is a function of g(z): its numbers say so, or where they are wrong either way its name."""
        z = self.arguments[self._name]
        slope = np.empty_like(z)
        for place in np.ndindex(z.shape):
            step = np.zeros_like(z)
            step[place] = STEP
            ahead, behind = (self.scalar(**{**self.arguments, self._name: x}) for x in (z + step, z - step))
            slope[place] = (ahead - behind) / (2 * STEP)
        if self._is_near(z, slope):
            return False
        own = needs(self.claimed)[0]
        return self._is_near(self.function(z), slope) or (own in VALUES and own != self._name)

    def _is_near(self, argument: Array, slope: Array) -> bool:
        try:
            found = self._contracted(self.claimed(np.array(argument)), self.arguments)
        except Exception:  # it is told of when it is run in earnest
            return False
        return found.shape == slope.shape and bool(np.median(np.abs(found - slope)) <= NEAR * np.max(np.abs(slope)))

    def _result(self, arguments: Mapping[str, Any]) -> Any:
        z = arguments[self._name].copy()
        return self.claimed(self.function(z) if self._takes_value else z)

    def _contracted(self, result: Any, arguments: Mapping[str, Any]) -> Array:
        """The derivative by z that a claim amounts to."""
        found, z = np.asarray(result), arguments[self._name]
        if found.dtype.kind == "b":  # z > 0
            found = found.astype(float)
        if not self.upstream:
            return found
        g = arguments[self.upstream[0]]
        if found.shape == (*z.shape, z.shape[-1]):
            return np.asarray(np.einsum("...i,...ij->...j", g, found))
        return g * found if found.shape == z.shape else found

    def _of_result(self, moment: Moment, given: Array) -> Moment:
        """A statement that returns the argument as it was given, ``return z``, gives a value like any other."""
        match statement_of(moment), moment.reads:
            case ast.Return(value=ast.Name()), [read] if np.array_equal(read.value, given, equal_nan=True):
                return replace(moment, writes=(Held(f"d{self._name}", read.value),))
        return moment

    @property
    def scalar(self) -> Callable[..., Any]:
        """The sum of the function's values; of one that is not element-wise, each times its G."""
        function, name, upstream = self.function, self._name, self.upstream

        def scalar(**arguments: Any) -> Any:
            a = function(arguments[name])
            return np.sum(arguments[upstream[0]] * a) if upstream else np.sum(a)

        # What is followed takes its names from the user's variables: the value is called a, as if this were the user's.
        scalar.__code__ = scalar.__code__.replace(co_filename="<claim>")
        return scalar

    @property
    def functions(self) -> Collection[FunctionType]:
        """The claim, and the functions of its file that it can call."""
        return callable_from([function_of(self.claimed)], {file_of(self.claimed)})

    def play(self, arguments: Mapping[str, Any], times: int = 1, *, statements: bool = True) -> Played:
        """Runs the claimed derivative on what it takes; how often it ran before, a function does not know."""
        z = arguments[self._name].copy()
        call = {needs(self.claimed)[0]: self.function(z) if self._takes_value else z}
        files = {file_of(self.function), file_of(self.claimed)}
        with noted_warnings(files) as warnings:
            run = record(self.claimed, call, files, statements=statements)
        error = None if run.error is None else error_of(self.claimed, run.error, call, files)
        returned = None if error is not None else self._contracted(run.result, arguments)
        # What the function itself computes inside its derivative is no part of the claim.
        moments = [self._of_result(m, *call.values()) for m in run.moments if m.function != self.function.__qualname__]
        if not self._takes_value:
            # The claim can have the value by calling the function, which is how a corrected line has it.
            (own,) = call
            value = Held(f"{self.function.__name__}({own})", self.function(**{self._name: z.copy()}))
            moments.insert(0, Moment("", 0, "", 0, self.claimed.__qualname__, (), (value,)))
        loss = float(self.scalar(**copied(arguments)))
        return Played(arguments, loss, tuple(moments), {f"d{self._name}": returned}, {}, error, warnings=warnings)
