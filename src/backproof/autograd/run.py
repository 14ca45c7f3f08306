"""A function followed once, and how its derivative at that point acts from either side."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from backproof.autograd.forms import alike, mapped, members, refilled
from backproof.autograd.kept import Applied, planned
from backproof.autograd.linear import Linear, pullback
from backproof.frontends.tracing import calls
from backproof.frontends.tracing.makers import following
from backproof.frontends.tracing.tape import RUNNING, Tape, array_of
from backproof.frontends.tracing.traced import Nodes, Traced, plain
from backproof.ir.errors import TraceError
from backproof.ir.node import Node, ancestors, substitutions
from backproof.ir.sizes import of_length
from backproof.ir.symbol import Symbol
from backproof.ops.leaves import input_
from backproof.ops.row import Array

assert calls  # the functions of NumPy that can be followed are entered by this import

Function = Callable[..., Any]
Argnum = int | Sequence[int]


def positions(argnum: Argnum) -> list[int]:
    """The positions of the arguments to differentiate by."""
    try:
        return list(map(operator.index, argnum if isinstance(argnum, list | tuple) else [argnum]))
    except TypeError:
        raise TraceError(
            f"{argnum!r} is not the position of an argument", instead="give a number, or several: 0, (0, 1)"
        ) from None


class Run:
    """A function followed once: its value, and its derivative by the arguments at the positions `argnum`.

    Inside another run the function is followed on the tape of that one, and so are its value and its derivatives.
    With `aux` the function returns a pair, and `aux` is the second of it, which is not differentiated.
    """

    def __init__(
        self,
        function: Function,
        argnum: Argnum,
        arguments: Sequence[Any],
        named: Mapping[str, Any],
        *,
        aux: bool = False,
    ) -> None:
        self._tape = RUNNING[-1] if RUNNING else Tape()
        self._leaves: list[Node] = []
        given, chosen = list(arguments), positions(argnum)
        for position in chosen:
            if not -len(given) <= position < len(given):
                raise TraceError(f"there is no argument number {position}", where=f"{len(given)} are given")
            given[position] = mapped(_decimal, given[position])
        if len({position % len(given) for position in chosen}) < len(chosen):
            raise TraceError("an argument is named twice", where=f"argnum is {argnum}")
        # What the function does to its arguments must not reach what is kept here.
        self._varied = tuple(given[k] for k in chosen) if isinstance(argnum, list | tuple) else given[chosen[0]]
        for position in chosen:
            given[position] = mapped(self._leaf, given[position])
        with following(self._tape, function):
            self._result, beside = _pair(function(*given, **named)) if aux else (function(*given, **named), None)
            if any(np.iscomplexobj(plain(x)) for x in members(self._result)):
                raise TraceError(
                    "the function gives complex numbers",
                    why="only real ones are differentiated, though complex ones may stand between arguments and result",
                    instead="take the real and the imaginary part one after the other: lambda x: f(x).real",
                )
            nodes = Nodes(self._tape)
            self._outputs = [nodes(x) for x in members(self._result)]
        self._values = [np.asarray(plain(x)) for x in members(self._result)]
        self.value, self.aux = mapped(self._seen, self._result), mapped(self._seen, beside)

    def _leaf(self, given: Any) -> Traced:
        """A fresh leaf in the place of an array."""
        array = plain(given)
        shape = given.node.shape if isinstance(given, Traced) else tuple(map(of_length, array.shape))
        leaf = input_(symbol=Symbol(f"x{len(self._leaves) + 1}"), shape=shape)
        self._leaves.append(leaf)
        self._tape.values[leaf] = array
        return Traced(self._tape, leaf, array)

    # --- from the left: g ↦ gᵀ·J

    def pulled_back(self, seed: Any) -> Any:
        """The derivative of the sum of the value's entries, weighted by `seed`, in the form of the arguments."""
        seeds = [_fitting(g, x) for g, x in zip(alike(seed, self._result), self._values, strict=True)]
        return refilled(self._varied, map(_like, self._pulled(seeds), members(self._varied)))

    def gradient(self) -> Any:
        """The derivative of the sum of the value's entries."""
        return self.pulled_back(mapped(lambda x: 1.0, self._result))

    def jacobian(self) -> Any:
        """For each array of the value the derivative of each entry of it, in the form of the arguments."""
        blocks = (refilled(self._varied, self._blocks(k)) for k in range(len(self._outputs)))
        return refilled(self._result, blocks)

    def _blocks(self, number: int) -> list[Any]:
        """The Jacobian of one output by each leaf."""
        output, leaves = self._values[number], list(members(self._varied))
        return [
            _like(np.reshape(rows, output.shape + plain(x).shape), x)
            for rows, x in zip(self._rows(number, output), leaves, strict=True)
        ]

    def _rows(self, number: int, output: Array) -> list[Any]:
        """For each leaf its derivatives by the entries of one output, one after the other."""
        shapes = [(output.size, *plain(x).shape) for x in members(self._varied)]
        if not output.size:
            return [np.zeros(shape) for shape in shapes]
        seeds = [np.zeros((output.size, *x.shape), _precision(x)) for x in self._values]
        seeds[number] = np.eye(output.size, dtype=_precision(output)).reshape(-1, *output.shape)
        if RUNNING:
            rows = [self._pulled([seed[k] for seed in seeds]) for k in range(output.size)]
            return [np.stack(entries) for entries in zip(*rows, strict=True)]
        found = self._plan(seeds)
        return [np.broadcast_to(x, shape) for x, shape in zip(found, shapes, strict=True)]

    # --- from the right: v ↦ J·v

    def pushed_forward(self, tangent: Any) -> Any:
        """The derivative of the value along `tangent`, which has the form of the arguments."""
        tangents = alike(tangent, self._varied)
        seeds = [_fitting(v, plain(x)) for v, x in zip(tangents, members(self._varied), strict=True)]
        return refilled(self._result, map(_like, self._pushed(seeds), self._values))

    def derivative(self) -> Any:
        """The derivative of the value where all entries of the arguments grow by the same."""
        return self.pushed_forward(mapped(lambda x: 1.0, self._varied))

    # --- outside every run by a plan, inside another one as nodes that go on being followed

    @cached_property
    def _plan(self) -> Applied:
        return planned(self._outputs, self._leaves, self._tape.values)

    @cached_property
    def _forward_plan(self) -> Applied:
        return planned(self._outputs, self._leaves, self._tape.values, forward=True)

    def _pulled(self, seeds: Sequence[Any]) -> list[Any]:
        if not RUNNING:
            return self._plan(seeds)
        return self._followed(pullback(self._outputs, self._leaves, _nodes(seeds)), seeds)

    def _pushed(self, tangents: Sequence[Any]) -> list[Any]:
        if not RUNNING:
            return self._forward_plan(tangents)
        return self._followed(pullback(self._outputs, self._leaves).transposed(_nodes(tangents)), tangents)

    def _followed(self, linear: Linear, given: Sequence[Any]) -> list[Any]:
        values = linear.values(self._tape.values, [plain(x) for x in given])
        return self._resumed(linear.outputs, values, linear.point)

    def _seen(self, x: Any) -> Any:
        """A member of the result as the caller gets it."""
        if not isinstance(x, Traced):
            return x
        return self._resumed([x.node], self._tape.values, {})[0] if RUNNING else _like(x.value, x.value)

    def _resumed(self, outputs: Sequence[Node], values: Mapping[Node, Array], given: Mapping[Node, Any]) -> list[Any]:
        """Nodes as values on the tape of the run outside, where leaves and seeds are what they stand for there."""
        tape, nodes = RUNNING[-1], Nodes(RUNNING[-1])
        stand = {**dict(zip(self._leaves, members(self._varied), strict=True)), **given}
        if tape is not self._tape:  # the function was followed before: what it took from outside is taken anew
            stand |= {x: x.attrs["value"] for x in ancestors(outputs) if "value" in x.attrs and x.op is input_}
        made = substitutions(outputs, {x: nodes(array) for x, array in stand.items()})
        tape.values.update((new, values[old]) for old, new in made.items() if old in values)
        return [Traced(tape, tape.made(made[x]), values[x]) for x in outputs]


def _decimal(x: Any) -> Any:
    """A copy of a number or array that can be differentiated by."""
    array = plain(x) if isinstance(x, Traced) else np.array(array_of(x, "an argument"))
    if array.dtype.kind != "f":
        raise TraceError(
            f"an argument of {array.dtype} cannot be differentiated by",
            why="a whole number cannot be varied a little" if array.dtype.kind in "iu" else "",
            instead="give its two parts: z = x + 1j * y"
            if array.dtype.kind == "c"
            else "give decimal numbers: 3.0, x.astype(float)",
        )
    return x if isinstance(x, Traced) else array


def _nodes(given: Sequence[Any]) -> list[Node]:
    """Seeds as nodes on the tape of the run outside."""
    return list(map(Nodes(RUNNING[-1]), given))


def _pair(result: Any) -> tuple[Any, Any]:
    if isinstance(result, list | tuple) and len(result) == 2:
        return result[0], result[1]
    raise TraceError("the function does not return a pair", instead="return its value, and what else it has to tell")


def _precision(array: Array) -> Any:
    return array.dtype if array.dtype.kind == "f" else float


def _fitting(x: Any, array: Array) -> Any:
    """What is given for an array, in its shape and precision."""
    given = x if isinstance(x, Traced) else np.asarray(x, dtype=_precision(array))
    if given.shape == array.shape:
        return given
    try:
        return np.broadcast_to(given, array.shape)
    except ValueError:
        raise TraceError(f"what is given has shape {given.shape}", where=f"it belongs to {array.shape}") from None


def _like(x: Any, of: Any) -> Any:
    """A result in the precision of what it belongs to: an array of its own, or a number."""
    if isinstance(x, Traced):
        return x
    array = np.array(x, dtype=_precision(plain(of)))
    return array if array.ndim else array[()]
