"""Which source of user code some objects are: functions, methods, a network or a layer, a class of one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from backproof.checking.subjects.calls import UPSTREAM, needs, takes
from backproof.checking.subjects.elementwise import Claim, is_derivative
from backproof.checking.subjects.missing import completed, without_surplus
from backproof.checking.subjects.nesting import gathered, nested
from backproof.checking.subjects.passes import Code, Passes
from backproof.checking.subjects.subject import Subject
from backproof.checking.subjects.whole import decimal
from backproof.ir.errors import BackproofError
from backproof.ir.usual import BACKWARD, FORWARD, LOSS, method


def subject_of(
    code: Sequence[Any],
    arguments: Mapping[str, Any],
    loss: Callable[..., Any] | None = None,
    *,
    predicts_only: bool = False,
) -> Subject:
    """What the doctor runs: a forward and a backward pass, or one object that has both, on arguments.

    Of a class an instance is made, with the arguments that it takes. With `predicts_only` there is no backward pass.
    Raises BackproofError for anything else.
    """
    first, *others = code
    arguments = nested(arguments)
    if isinstance(first, type):
        first, arguments = _made(first, arguments)
    if predicts_only and not others:
        forward = method(first, FORWARD[:-1]) or _function(first)
        own = method(first, LOSS)
        return _passes(Code(forward, None, loss or (None if own == forward else own)), arguments)
    if not others and (found := _methods(first)) is not None:
        forward, backward, own_loss = found
        # A layer that could also tell its loss is handed what is above it all the same.
        is_layer = any(UPSTREAM.fullmatch(name) and name not in arguments for name in needs(backward))
        return _passes(Code(forward, backward, loss or (None if is_layer else own_loss)), arguments)
    if not others and (both := method(first, LOSS) or (first if callable(first) else None)) is not None:
        return _passes(Code(_function(both), _function(both), None), arguments)
    if len(others) != 1 or not all(map(callable, (first, *others))):
        names = [getattr(x, "__name__", type(x).__name__) for x in (first, *others)]
        raise BackproofError(
            f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} no forward and backward pass",
            why="they are two functions, or an object with two methods that are called like them",
            instead="give both: diagnose(forward, backward, …), or diagnose(net.forward, net.backward, …)",
        )
    forward, backward = _function(first), _function(others[0])
    if loss is None and is_derivative(forward, backward, arguments):
        return Claim(forward, backward, arguments)
    return _passes(Code(forward, backward, loss), arguments)


def _passes(code: Code, arguments: Mapping[str, Any]) -> Passes:
    used, remarks = without_surplus(code.functions, gathered(code.functions, arguments))
    # Of two containers that have a W, the one that the loss depends on gives it its name.
    backward_only = {*used}.difference(*map(takes, filter(None, (code.forward, code.loss))))
    used = dict(sorted(used.items(), key=lambda item: item[0] in backward_only))
    found = Passes(code, completed(code.forward, (code.backward, code.loss), used), remarks)
    decimals = decimal(found.scalar, found.arguments, found.given)
    return Passes(code, {**found.given, **decimals}, remarks) if decimals else found


def _methods(code: Any) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any] | None] | None:
    """The usual methods of an object: forward pass, backward pass, and loss."""
    forward, backward, loss = (method(code, names) for names in (FORWARD, BACKWARD, LOSS))
    if forward is None or backward is None:
        return None
    return forward, backward, None if loss == forward else loss


def _function(code: Any) -> Callable[..., Any]:
    """A function or a method; of an object that can be called the method that does it."""
    called: Callable[..., Any] = code if inspect.isroutine(code) or hasattr(code, "__wrapped__") else code.__call__
    return called


def _made(kind: type, arguments: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """An instance of a class, and the arguments that it did not take."""
    wanted = takes(kind)
    given = {name: _plain(arguments[name]) for name in wanted if name in arguments}
    lacking = [name for name in needs(kind) if name not in given]
    if lacking:
        raise BackproofError(
            f"it is not known what {kind.__name__} is to be made with",
            where=f"{kind.__name__}{inspect.signature(kind)}",
            why=f"it needs {', '.join(lacking)}",
            instead="give them among the data, or an object that is made already",
        )
    return kind(**given), {name: x for name, x in arguments.items() if name not in given}


def _plain(value: Any) -> Any:
    """A number that comes from a file of arrays as the number that it was."""
    return value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value
