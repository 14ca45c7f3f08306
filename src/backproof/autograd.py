"""Gradients of NumPy functions as functions, with the arguments that HIPS/autograd's have.

The functions are followed and differentiated by the rules that derivations are written with; what is left out is the
writing. They may be nested: ``hessian(f)`` is ``jacobian(grad(f))``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any

import numpy as np

from backproof.derivation.sweep import sweep
from backproof.execution.interpret import evaluate
from backproof.frontends.tracing import calls
from backproof.frontends.tracing.makers import following
from backproof.frontends.tracing.tape import RUNNING, Tape, array_of
from backproof.frontends.tracing.traced import Traced
from backproof.ir.errors import TraceError
from backproof.ir.node import Node, substitute
from backproof.ir.sizes import Shape, of_length
from backproof.ir.symbol import Symbol
from backproof.ops.leaves import constant, input_
from backproof.ops.linear import stretched
from backproof.ops.row import Array

__all__ = [
    "elementwise_grad",
    "grad",
    "hessian",
    "hessian_vector_product",
    "jacobian",
    "make_vjp",
    "value_and_grad",
]

assert calls  # the functions of NumPy that can be followed are entered by this import

Function = Callable[..., Any]
Argnum = int | Sequence[int]


def grad(function: Function, argnum: Argnum = 0) -> Function:
    """The gradient of a function that returns one number, as a function of the same arguments.

    `argnum` is the position of the argument, or several; an argument may be a number, an array, or a dict, list or
    tuple of them, and the gradient has the same form. Raises TraceError where the function cannot be followed.
    """
    gradient = value_and_grad(function, argnum)

    @wraps(function)
    def of(*arguments: Any, **named: Any) -> Any:
        return gradient(*arguments, **named)[1]

    return of


def value_and_grad(function: Function, argnum: Argnum = 0) -> Function:
    """As `grad`, but the function gives the pair of value and gradient."""

    @wraps(function)
    def of(*arguments: Any, **named: Any) -> tuple[Any, Any]:
        run = _Run(function, argnum, arguments, named)
        if np.size(run.value) != 1:
            raise TraceError(
                "the function does not return one number",
                where=f"its value has shape {np.shape(run.value)}",
                instead="sum it up, or ask for jacobian or elementwise_grad",
            )
        return run.value, run.pulled_back(np.ones(np.shape(run.value)))

    return of


def elementwise_grad(function: Function, argnum: Argnum = 0) -> Function:
    """The derivative of an element-wise function at every entry: the gradient of the sum of its values."""

    def total(*arguments: Any, **named: Any) -> Any:
        return np.sum(function(*arguments, **named))

    return wraps(function)(grad(total, argnum))


def make_vjp(function: Function, argnum: Argnum = 0) -> Function:
    """Gives, for arguments, the pair of the function g ↦ gᵀ·J and the value; J is the Jacobian at the arguments."""

    @wraps(function)
    def of(*arguments: Any, **named: Any) -> tuple[Callable[[Any], Any], Any]:
        run = _Run(function, argnum, arguments, named)
        return run.pulled_back, run.value

    return of


def jacobian(function: Function, argnum: int = 0) -> Function:
    """The derivative of every entry of the value by every entry of an argument; its shape is that of the value, then
    that of the argument."""

    @wraps(function)
    def of(*arguments: Any, **named: Any) -> Any:
        run = _Run(function, argnum, arguments, named)
        shape = np.shape(run.value)
        seeds = np.eye(int(np.prod(shape))).reshape(-1, *shape)
        rows = run.pulled_back_all(seeds)
        return np.reshape(rows, (*shape, *np.shape(arguments[argnum])))

    return of


def hessian(function: Function, argnum: int = 0) -> Function:
    """The second derivatives of a function that returns one number, as its Jacobian's Jacobian."""
    return jacobian(jacobian(function, argnum), argnum)


def hessian_vector_product(function: Function, argnum: int = 0) -> Function:
    """(arguments, v) ↦ H·v, without forming the Hessian H: the gradient of the inner product of gradient and v."""
    gradient = grad(function, argnum)

    def product(*arguments: Any, **named: Any) -> Any:
        *others, vector = arguments
        return np.sum(gradient(*others, **named) * vector)

    return wraps(function)(grad(product, argnum))


class _Run:
    """A function followed once: its value, and what any derivative of the value pulls back to the arguments.

    Inside another run everything goes on being followed: the leaves stand for the outer values that were given.
    """

    def __init__(self, function: Function, argnum: Argnum, arguments: Sequence[Any], named: dict[str, Any]) -> None:
        self._nested = bool(RUNNING)
        self._tape = RUNNING[-1] if RUNNING else Tape()
        self._single = isinstance(argnum, int)
        positions = [argnum] if isinstance(argnum, int) else list(argnum)
        self._leaves: list[Node] = []
        self._outer: dict[Node, Node] = {}
        given = list(arguments)
        for position in positions:
            if not -len(given) <= position < len(given):
                raise TraceError(f"there is no argument number {position}", where=f"{len(given)} are given")
            given[position] = self._traced(given[position])
        self._forms = [given[position] for position in positions]
        with following(self._tape, function):
            self._result = function(*given, **named)
        if np.iscomplexobj(self._result.value if isinstance(self._result, Traced) else self._result):
            raise TraceError(
                "the function gives complex numbers",
                why="only real numbers are differentiated, though complex ones may stand between arguments and result",
                instead="take the real and the imaginary part one after the other: lambda x: f(x).real",
            )
        self.value = self._result
        if isinstance(self._result, Traced):
            self.value = self._finished(self._result.node, self._result.value)

    def _traced(self, value: Any) -> Any:
        """An argument with fresh leaves in the place of its numbers and arrays."""
        if isinstance(value, dict):
            return {key: self._traced(held) for key, held in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(map(self._traced, value))
        array = np.array(value.value if isinstance(value, Traced) else array_of(value, "an argument"))
        if array.dtype.kind != "f":
            raise TraceError(
                f"an argument of {array.dtype} cannot be differentiated by",
                instead="give its two parts: z = x + 1j * y" if array.dtype.kind == "c" else "make it decimal",
            )
        node = input_(symbol=Symbol(f"x{len(self._leaves) + 1}"), shape=tuple(map(of_length, array.shape)))
        if self._nested:
            self._outer[node] = value.node if isinstance(value, Traced) else self._tape.node(array)
        self._tape.values[node] = array
        self._leaves.append(node)  # and not what the array is later: the function may write to it
        return Traced(self._tape, node, array)

    def pulled_back(self, seed: Any) -> Any:
        """The derivative of the sum of the value's entries, weighted by `seed`, in the form of the arguments."""
        nodes, known = self._swept(seed)
        values = evaluate(nodes, known, {})
        found = iter(
            self._finished(stretched(node, leaf.shape), np.broadcast_to(values[node], _lengths(leaf)))
            for node, leaf in zip(nodes, self._leaves, strict=True)
        )
        forms = [self._refilled(form, found) for form in self._forms]
        return forms[0] if self._single else tuple(forms)

    def pulled_back_all(self, seeds: Array) -> Any:
        """As `pulled_back`, for many seeds at once; for a single array as argument."""
        (leaf,) = self._leaves
        if self._nested:
            return np.stack([self.pulled_back(seed) for seed in seeds])
        (node,), known = self._swept(seeds)
        return np.broadcast_to(evaluate([node], known, {})[node], (len(seeds), *_lengths(leaf)))

    def _swept(self, seed: Any) -> tuple[list[Node], dict[Node, Array]]:
        """For each leaf the node of its gradient, and the values it is computed from."""
        known = dict(self._tape.values)
        if not isinstance(self._result, Traced):
            return [constant(0) for _ in self._leaves], known
        root = self._result.node
        g = seed.node if isinstance(seed, Traced) else self._tape.node(seed) if self._nested else _seed(root.shape)
        known[g] = np.asarray(seed.value if isinstance(seed, Traced) else seed, dtype=float)
        leaves = self._leaves
        found = {x.of: x.raw for x in sweep(root, g, leaves, lambda x: x.raw)} if root not in leaves else {root: g}
        return [found.get(leaf, constant(0)) for leaf in leaves], known

    def _finished(self, node: Node, value: Array) -> Any:
        """A value for the caller: plain, or inside another run one that goes on being followed."""
        if not self._nested:
            return value.copy() if value.ndim else value[()]
        outer = substitute(node, self._outer)
        self._tape.values[outer] = value
        return Traced(self._tape, self._tape.made(outer), value)

    def _refilled(self, form: Any, found: Iterator[Any]) -> Any:
        if isinstance(form, dict):
            return {key: self._refilled(held, found) for key, held in form.items()}
        if isinstance(form, list | tuple):
            return type(form)(self._refilled(held, found) for held in form)
        return next(found)


def _lengths(leaf: Node) -> list[int]:
    return [size.value or 0 for size in leaf.shape]


def _seed(shape: Shape) -> Node:
    return input_(symbol=Symbol("g"), shape=shape)
