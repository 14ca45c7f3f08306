"""First derivatives: functions that take a function, and give one of the same arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from backproof.autograd.forms import members
from backproof.autograd.run import Argnum, Function, Run, positions
from backproof.ir.errors import TraceError


def _of_runs(function: Function, argnum: Argnum, read: Callable[[Run], Any], *, aux: bool = False) -> Function:
    """The function that follows `function` on the arguments it is given, and reads a result off that."""
    positions(argnum)

    @wraps(function)
    def of(*arguments: Any, **named: Any) -> Any:
        return read(Run(function, argnum, arguments, named, aux=aux))

    return of


def _one_number(run: Run) -> Run:
    sizes = [np.shape(x) for x in members(run.value)]
    if len(sizes) != 1 or np.prod(sizes[0], dtype=int) != 1:
        raise TraceError(
            "the function does not return one number",
            where=f"its value has shape {sizes[0]}" if len(sizes) == 1 else f"it returns {len(sizes)} arrays",
            instead="sum it up, or ask for jacobian or elementwise_grad",
        )
    return run


def grad(function: Function, argnum: Argnum = 0) -> Function:
    """The gradient of a function that returns one number, as a function of the same arguments.

    `argnum` is the position of the argument, or several; an argument may be a number, an array, or a dict, list or
    tuple of them, and the gradient has the same form and precision. Raises TraceError where the function cannot be
    followed.
    """
    return _of_runs(function, argnum, lambda run: _one_number(run).gradient())


def value_and_grad(function: Function, argnum: Argnum = 0) -> Function:
    """As `grad`, but the function gives the pair of value and gradient."""
    return _of_runs(function, argnum, lambda run: (_one_number(run).value, run.gradient()))


def grad_and_aux(function: Function, argnum: Argnum = 0) -> Function:
    """As `grad`, of a function that returns a pair: the gradient of the first, and the second as it is."""
    return _of_runs(function, argnum, lambda run: (_one_number(run).gradient(), run.aux), aux=True)


def grad_named(function: Function, argname: str) -> Function:
    """As `grad`, by the argument of that name; it is given by position."""
    names = list(inspect.signature(function).parameters)
    if argname not in names:
        raise TraceError(f"there is no argument {argname!r}", instead=f"the arguments are {', '.join(names)}")
    return grad(function, names.index(argname))


def multigrad_dict(function: Function) -> Function:
    """The gradients by all arguments, those left at their defaults among them, as a dict by their names."""
    signature = inspect.signature(function)

    def called(given: dict[str, Any]) -> Any:
        bound = signature.bind_partial()
        bound.arguments.update(given)
        return function(*bound.args, **bound.kwargs)

    gradient = grad(called)

    @wraps(function)
    def of(*arguments: Any, **named: Any) -> dict[str, Any]:
        bound = signature.bind(*arguments, **named)
        bound.apply_defaults()
        found: dict[str, Any] = gradient(dict(bound.arguments))
        return found

    return of


def elementwise_grad(function: Function, argnum: Argnum = 0) -> Function:
    """The derivative of an element-wise function at every entry: the gradient of the sum of its values."""
    return _of_runs(function, argnum, Run.gradient)


def deriv(function: Function, argnum: Argnum = 0) -> Function:
    """The derivative of a function of one number, whatever it returns: all arguments grow by the same."""
    return _of_runs(function, argnum, Run.derivative)


def jacobian(function: Function, argnum: Argnum = 0) -> Function:
    """The derivative of every entry of the value by every entry of an argument.

    Its shape is that of the value, then that of the argument. For several arrays it is in the form of the value, and
    each part of that in the form of the arguments.
    """
    return _of_runs(function, argnum, Run.jacobian)


def make_vjp(function: Function, argnum: Argnum = 0) -> Function:
    """Gives, for arguments, the pair of the function g ↦ gᵀ·J and the value; J is the Jacobian at the arguments."""
    return _of_runs(function, argnum, lambda run: (run.pulled_back, run.value))


vjp = make_vjp


def make_jvp(function: Function, argnum: Argnum = 0) -> Function:
    """Gives, for arguments, the function that maps v to the pair of the value and J·v."""
    return _of_runs(function, argnum, lambda run: lambda v: (run.value, run.pushed_forward(v)))
