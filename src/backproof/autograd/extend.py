"""Functions whose derivative the user gives, and those that are followed only when it is asked for.

To the rules they are one operation: what it computes, and its derivative, are functions of arrays that nobody looks
into. A derivation cannot be written with it, and refuses it. The derivative is such an operation again; its own one is
found by following the function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial, update_wrapper
from itertools import count
from typing import Any

import numpy as np

from backproof.autograd.forms import alike, mapped, members
from backproof.autograd.gradients import make_vjp
from backproof.autograd.run import Function
from backproof.frontends.tracing.makers import apart
from backproof.frontends.tracing.tape import refuse
from backproof.frontends.tracing.traced import Traced
from backproof.ir.errors import TraceError
from backproof.ir.node import Node
from backproof.ir.sizes import Shape, of_length
from backproof.ops.entries import at
from backproof.ops.notation import Leaf
from backproof.ops.row import Array, Row

Arrays = Callable[..., Any]
"""A function of plain arrays that gives one."""


@dataclass(frozen=True, eq=False)
class Call:
    """A function of arrays as it is called: what it computes, with which shape, and its derivative by each of them.

    `pulls(k)` is the function (g, value, *arrays) ↦ gᵀ·J, for the Jacobian J by the k-th, or None where there is none.
    """

    name: str
    computes: Arrays
    shape: Shape
    ranks: tuple[int, ...]
    pulls: Callable[[int], Arrays | None]

    def __call__(self, *arrays: Array) -> Array:
        many = next((len(x) for x, rank in zip(arrays, self.ranks, strict=True) if x.ndim > rank), None)
        if many is not None:
            own = zip(arrays, self.ranks, strict=True)
            columns = [x if x.ndim > rank else [x] * many for x, rank in own]
            return np.stack([self(*row) for row in zip(*columns, strict=True)])
        with apart():
            found = np.asarray(self.computes(*(x if x.ndim else x[()] for x in arrays)))
        shape = tuple(size.value for size in self.shape)
        if found.shape != shape:
            raise TraceError(f"{self.name} gives shape {found.shape}", where=f"it belongs to an argument of {shape}")
        return found

    def pulled_back(self, k: int, g: Node, y: Node, inputs: Sequence[Node]) -> Node | None:
        """The derivative by the k-th input, as a node."""
        pull = self.pulls(k)
        if pull is None:
            return None
        ranks = (len(y.shape), len(y.shape), *self.ranks)
        call = Call(f"the vjp of {self.name}", pull, inputs[k].shape, ranks, partial(_followed, pull))
        return opaque(g, y, *inputs, call=call)


def _followed(function: Arrays, k: int) -> Arrays:
    """The derivative by the k-th argument of a function that can be followed."""
    return lambda g, value, *arrays: make_vjp(function, k)(*arrays)[0](g)


def _vjp(g: Node, y: Node, *inputs: Node) -> tuple[Node | None, ...]:
    return tuple(y.attrs["call"].pulled_back(k, g, y, inputs) for k in range(len(inputs)))


opaque = Row(
    name="opaque",
    kind="general",
    about="A function of the user's that is not followed.",
    meaning=lambda *arrays, call: call(*arrays),
    shape=lambda shapes, attrs: attrs["call"].shape,
    notation=Leaf(),
    entry=lambda node, place, entry, letters: at(node, place),
    vjp=_vjp,
)


class Primitive:
    """A function that is not followed, with the derivatives that are given for it; without any, it is followed then."""

    def __init__(self, function: Function, vjps: dict[int, Function | None] | None) -> None:
        self.function, self.vjps = function, vjps
        self.name = getattr(function, "__name__", "the function")
        update_wrapper(self, function)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        if any(isinstance(x, Traced) for x in members(named)):
            raise refuse(f"{self.name} is given a traced array by its name", instead="give it by its position")
        places = [
            (k, i)
            for k, argument in enumerate(arguments)
            for i, x in enumerate(members(argument))
            if isinstance(x, Traced)
        ]
        if not places:
            return self.function(*arguments, **named)
        traced = [x for x in members(arguments) if isinstance(x, Traced)]
        tape = traced[0].tape
        if tape.axes is not None:
            if self.vjps is None:
                return self.function(*arguments, **named)
            raise refuse(
                f"{self.name} is a primitive: its derivative is a function, not a formula",
                why="what cannot be read cannot be derived",
                instead="call the NumPy code itself, without primitive",
            )

        def filled(arrays: Sequence[Any]) -> Any:
            given = iter(arrays)
            return mapped(lambda x: next(given) if isinstance(x, Traced) else x, arguments)

        def computes(*arrays: Any) -> Any:
            return self.function(*filled(arrays), **named)

        def given(place: int) -> Arrays | None:
            k, i = places[place]
            vjp = self._vjp(k)
            return vjp and (lambda g, value, *arrays: alike(vjp(value, *filled(arrays), **named)(g), arguments[k])[i])

        with apart():
            value = computes(*(x.value if x.ndim else x.value[()] for x in traced))
        if isinstance(value, dict | list | tuple | Traced):
            outside = isinstance(value, Traced)
            raise refuse(
                f"{self.name} uses a traced array from outside" if outside else f"{self.name} returns several arrays",
                why="it is not followed" if outside else "a primitive gives one",
                instead="give it as an argument" if outside else "stack them",
            )
        array = np.asarray(value)
        pulls = partial(_followed, computes) if self.vjps is None else given
        call = Call(self.name, computes, tuple(map(of_length, array.shape)), tuple(x.ndim for x in traced), pulls)
        node = opaque(*[x.node for x in traced], call=call)
        tape.values[node] = array
        return Traced(tape, tape.made(node), array)

    def _vjp(self, k: int) -> Function | None:
        """What is given for an argument. That nothing is raises an error only where the derivative is needed."""

        def missing(*arguments: Any, **named: Any) -> Any:
            raise TraceError(f"{self.name} has no vjp for argument number {k}", instead="give one by defvjp")

        return (self.vjps or {}).get(k, missing)


def primitive(function: Function) -> Primitive:
    """The function as one operation whose derivative `defvjp` gives. What it does to arrays is not followed."""
    return Primitive(function, {})


def defvjp(function: Primitive, *makers: Function | None, argnums: Sequence[int] | None = None) -> None:
    """Gives the derivatives of a primitive by its arguments, or by those at `argnums`; None where there is none.

    A maker is called with the value and the arguments, and returns the function g ↦ gᵀ·J. It is NumPy code, and is
    followed itself where its derivative is asked for.
    """
    if not isinstance(function, Primitive) or function.vjps is None:
        raise TraceError("only a primitive is given a derivative", instead="decorate the function: @primitive")
    function.vjps.update(zip(argnums if argnums is not None else count(), makers, strict=False))


def checkpoint(function: Function) -> Primitive:
    """The same function, of which only the value is kept: what lies within is computed again for the derivative."""
    return Primitive(function, None)
