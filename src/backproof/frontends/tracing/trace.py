"""From a NumPy function and its arguments to a graph."""

from __future__ import annotations

import inspect
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import chain, count
from types import CodeType
from typing import Any

import numpy as np

from backproof.frontends.tracing.drawing import noticing_draws
from backproof.frontends.tracing.fuse import fuse, is_elementwise
from backproof.frontends.tracing.lengths import named_sizes, resized
from backproof.frontends.tracing.makers import INSTEAD, following
from backproof.frontends.tracing.merge import merge
from backproof.frontends.tracing.names import Names, Taken, distinct
from backproof.frontends.tracing.patterns import recognise
from backproof.frontends.tracing.tape import Tape, array_of, is_users, line
from backproof.frontends.tracing.traced import Traced
from backproof.ir.annotations import axes_of
from backproof.ir.errors import BackproofError, SpecError, TraceError
from backproof.ir.node import Graph, Node, ancestors
from backproof.ir.sizes import ONE, Shape, Size, equated
from backproof.ir.source import Line, raised
from backproof.ir.symbol import Symbol
from backproof.ops import activations, elementary
from backproof.ops.arithmetic import add, mul, power, sub
from backproof.ops.leaves import constant_, input_, size_
from backproof.ops.linear import matmul, restated
from backproof.ops.scalar import ScalarRow
from backproof.ops.shaping import index
from backproof.ops.softmax import log_softmax, softmax
from backproof.ops.vectors import einsum, matvec

DEEPEST = 12
"""A formula of more operations one inside the other than this gets a name."""
PRODUCTS = (matmul, matvec, einsum)
STEMS = ("Z", "S", "U", "V")
"""Letters for values that the code has no variable for."""
DATA = ("X", "Y", "x", "y")
"""Arguments that hold data by custom: derivatives by them are derived only where they are asked for."""


@dataclass(frozen=True, eq=False)
class Program:
    """A traced function: its graph, the source line of each quantity, and what a reader must know of the run."""

    graph: Graph
    lines: Mapping[Node, Line]
    notes: tuple[str, ...]


def trace(
    function: Callable[..., Any],
    arguments: Mapping[str, Any],
    wrt: Sequence[str] | None = None,
    *,
    opened: bool = False,
    scalar: bool = True,
) -> Program:
    """Runs `function` once on `arguments` and writes down what it does.

    `wrt` names the arguments that derivatives are wanted by; by default every array of decimal numbers but X and Y.
    With `opened`, softmax spelled out in code is left as its operations; unless `scalar`, the result may be an array.
    Raises TraceError where the function does something that cannot be followed, or its result is not one number.
    """
    leaves: dict[str, Node] = {}
    tape = Tape(leaves, axes=count())
    dims = axes_of(function)
    given = dict(_bound(function, arguments))
    called = {name: _leaf(tape, name, value, dims.get(name), leaves) for name, value in given.items()}
    _agree(dims, leaves)
    names = Names()
    parameters = _wanted(leaves, wrt)
    with (
        noticing_draws(tape, function, given.values()),
        equated() as pairs,
        names.watching(tape),
        following(tape, function),
    ):
        result = _call(function, called, leaves)
        traced = _array(result, function, tape)
        output = _single(traced, function, names) if scalar else traced.node
    if not output.inputs:
        # The result is an argument as it is given: it is a quantity of its own all the same.
        output = restated(output)
        if isinstance(code := getattr(function, "__code__", None), CodeType):
            tape.lines[output] = line(code.co_filename, code.co_firstlineno)
    of_axis = named_sizes(leaves, pairs, names.lengths, DATA)
    sized = resized(ancestors([*leaves.values(), output]), of_axis)
    sized[output] = sized[output] if sized[output].inputs else restated(sized[output])
    inputs = [sized[node] for node in leaves.values()]
    recognised, operations = recognise(dict.fromkeys(sized.values()), opened=opened)
    order = ancestors([*inputs, recognised[sized[output]]])
    left = set(order)
    present = {node: new for node, between in sized.items() if (new := recognised[between]) in left}
    outside = [sized[node] for _, node in tape.given.values() if node in sized]
    taken = Taken([*leaves, *(str(node.symbol) for node in outside)])
    _no_derivatives(leaves, parameters)
    called_so, renamed = names.found(taken, present)
    for old, new_name in renamed.items():
        tape.notes[f"The variable {old} is called {new_name} here: {old} is the derivative by {old[1:]}"] = None
    merged = merge(order, called_so)
    order = ancestors([*inputs, merged[order[-1]]])
    symbols = _symbols(order, {merged[node]: name for node, name in called_so.items()}, taken)
    final = fuse(order, symbols)
    graph = Graph(
        (*(final[x] for x in inputs), *(final[x] for x in outside if x in final)),
        (final[order[-1]],),
        tuple(final[sized[x]] for x in parameters),
    )
    for node in operations:
        if (one := merged.get(node)) in final:
            tape.notes[f"{symbols.get(one, 'a part of the code')} is recognised as {node.op.name}"] = None
    kept = set(graph.nodes())
    lines: dict[Node, Line] = {}
    for node, where in tape.lines.items():
        end = final.get(merged[present[node]]) if node in present else None
        if end in kept:
            lines.setdefault(end, where)
    return Program(graph, lines, tuple(tape.notes))


def names_of_arrays(function: Callable[..., Any], arguments: Mapping[str, Any]) -> dict[str, str]:
    """What the arrays in the arguments of a function are called, and which argument each is in; it is not run."""
    leaves: dict[str, Node] = {}
    tape, found = Tape(leaves, axes=count()), dict[str, str]()
    for name, value in _bound(function, arguments):
        _leaf(tape, name, value, None, leaves)
        found |= {leaf: name for leaf in leaves if leaf not in found}
    return found


def _bound(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    try:
        bound = _in_places(inspect.signature(function), dict(arguments))
    except TypeError as error:
        raise SpecError(
            f"the arguments do not fit {_name(function)}",
            why=str(error),
            instead=f"it is called as {_name(function)}{inspect.signature(function)}",
        ) from None
    bound.apply_defaults()
    return iter(bound.arguments.items())


def _in_places(signature: inspect.Signature, arguments: dict[str, Any]) -> inspect.BoundArguments:
    """Arguments given by their names, bound, also where the function takes them by their places, as ``*layers``."""
    positional: list[Any] = []
    several = [x for x in signature.parameters.values() if x.kind is x.VAR_POSITIONAL and x.name in arguments]
    for x in signature.parameters.values():
        if x.name not in arguments or x.kind in (x.KEYWORD_ONLY, x.VAR_KEYWORD):
            break
        if x.kind is x.VAR_POSITIONAL:
            positional += arguments.pop(x.name)
        elif x.kind is x.POSITIONAL_ONLY or several:
            positional.append(arguments.pop(x.name))
    return signature.bind(*positional, **arguments)


def _agree(dims: Mapping[str, list[str]], leaves: Mapping[str, Node]) -> None:
    """Refuses annotations that give one name to axes of different lengths."""
    lengths: dict[str, tuple[int, str]] = {}
    for name, words in dims.items():
        shape = leaves[name].attrs["value"].shape if name in leaves else ()
        for word, n in zip(words, shape, strict=False) if len(words) == len(shape) else ():
            known, first = lengths.setdefault(word, (n, name))
            if n != known and word.isidentifier():
                raise SpecError(
                    f"the axis {word} has two lengths",
                    where=f"{known} in {first}, {n} in {name}",
                    why="the annotations of the function give it one name",
                    instead="give arrays whose shapes fit, or the axes two names",
                )


def _leaf(
    tape: Tape, name: str, value: Any, dims: list[str] | None, leaves: dict[str, Node], place: int | None = None
) -> Any:
    """An argument with the arrays in it replaced by traced ones; their nodes are added to `leaves` by name.

    `place` is that of a dict in a list of several: its W is called W1, W2, …
    """
    if isinstance(value, dict):
        return {key: _leaf(tape, _part(name, key, place, leaves), held, None, leaves) for key, held in value.items()}
    if isinstance(value, list | tuple) and any(isinstance(x, np.ndarray | dict | list | tuple) for x in value):
        places = range(1, len(value) + 1) if len(value) > 1 else [None]
        items = [
            _leaf(tape, f"{name}_{k}", held, None, leaves, place)
            for k, (held, place) in enumerate(zip(value, places, strict=True), 1)
        ]
        if isinstance(value, list):
            return items
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    if isinstance(value, np.ufunc):
        return INSTEAD.get(id(value), value)  # the one that the code finds by its name, to compare it with
    if not isinstance(value, np.ndarray | np.floating | np.complexfloating):
        return value
    array = array_of(value, f"the argument {name}").copy()  # the derivation keeps what the call was given
    if array.dtype.kind not in "biufc":
        raise TraceError(f"the argument {name} is an array of {array.dtype}", why="only numbers are followed")
    tape.complex |= array.dtype.kind == "c"
    if array.size == 0:
        raise TraceError(f"the argument {name} is empty", where=f"its shape is {array.shape}")
    leaves[name] = input_(symbol=Symbol(name), shape=_shape(tape, array, dims), value=array)
    tape.values[leaves[name]] = array
    return Traced(tape, leaves[name], array)


def _part(name: str, key: Any, place: int | None, leaves: Mapping[str, Node]) -> str:
    plain = str(key)
    own = plain if place is None or plain[-1:].isdigit() else f"{plain}{place}"
    return own if own.isidentifier() and own not in leaves else f"{name}_{plain}"


def _shape(tape: Tape, array: np.ndarray[Any, Any], dims: list[str] | None) -> Shape:
    if dims is None or len(dims) != array.ndim:
        return tape.shape(array)
    return tuple(
        Size(word, size.value, samples=word == "m") if size != ONE and word.isidentifier() else size
        for word, size in zip(dims, tape.shape(array), strict=True)
    )


def _call(function: Callable[..., Any], arguments: Mapping[str, Any], leaves: Mapping[str, Node]) -> Any:
    bound = inspect.BoundArguments(inspect.signature(function), OrderedDict(arguments))
    try:
        return function(*bound.args, **bound.kwargs)
    except BackproofError:
        raise
    except Exception as error:
        shapes = {name: x.attrs["value"].shape for name, x in leaves.items()}
        raise raised(TraceError, _name(function), error, is_users, shapes) from error


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", "the function")


def _array(result: Any, function: Callable[..., Any], tape: Tape) -> Traced:
    if isinstance(result, tuple) and result and type(result[0]) is Traced:
        tape.notes["of several results the first is differentiated"] = None
        result = result[0]
    if type(result) is not Traced:
        raise _no_array(result, _name(function))
    _refuse_complex(result, _name(function))
    return result


def _refuse_complex(result: Traced, name: str) -> None:
    if result.value.dtype.kind == "c":
        raise TraceError(
            f"the result of {name} is {'complex' if result.ndim else 'a complex number'}",
            why="it cannot be larger or smaller, so there is nothing to differentiate",
            instead="return its real part, z.real, or its modulus, np.abs(z)",
        )


def _single(result: Traced, function: Callable[..., Any], names: Names) -> Node:
    if result.value.size != 1:
        raise TraceError(
            f"the result of {_name(function)} is not one number",
            where=f"its shape is {result.shape}",
            why="a derivative of every quantity needs one number to differentiate",
            instead=f"return its sum or its mean, np.sum({names.of(result.node) or 'result'}); "
            "or ask for the derivatives of all its entries, with jacobian or --jacobian",
        )
    while result.value.ndim:
        result = result[0]
    node: Node = result.node
    return node


def _no_array(result: Any, name: str) -> TraceError:
    """The error for a result that is no traced array."""
    kind = type(result).__name__
    what = f"the result of {name} is a {kind}"
    if inspect.iscoroutine(result):
        result.close()
        return TraceError(what, why=f"{name} has not run: it is an async function", instead="give a plain function")
    if inspect.isgenerator(result):
        return TraceError(
            what, why=f"{name} has not run: it holds a yield", instead="return what it yields, as an array or a sum"
        )
    if result is None:
        return TraceError(
            f"{name} returns nothing", instead="return one number, or an array, computed from the arguments"
        )
    parts = (
        result.items() if isinstance(result, dict) else enumerate(result) if isinstance(result, list | tuple) else ()
    )
    held = [key for key, part in parts if type(part) is Traced]
    if held:
        return TraceError(
            what,
            why="it is an array, or one number, that is differentiated",
            instead=f"return what is in it, as result[{held[0]!r}]",
        )
    return TraceError(
        f"{what} that is computed from none of its array arguments",
        why="so there is nothing to differentiate",
        instead="return one number, or an array, computed from the arguments",
    )


def _wanted(leaves: Mapping[str, Node], wrt: Sequence[str] | None) -> list[Node]:
    decimal = {name: node for name, node in leaves.items() if node.attrs["value"].dtype.kind == "f"}
    held = [name for name, node in leaves.items() if node.attrs["value"].dtype.kind == "c"]
    if not decimal and held:
        raise _held_constant(held[0])
    if not leaves:
        raise TraceError(
            "none of the arguments is an array",
            why="derivatives are those by arrays, and Python's own numbers are taken as constants",
            instead="give arrays, by name: derive(f, W=np.array([1.0, 2.0]))",
        )
    if not decimal:
        raise TraceError(
            "none of the arguments is an array of decimal numbers",
            why="whole numbers cannot be varied a little",
            instead="give arrays of decimal numbers: x.astype(float)",
        )
    if wrt is None:
        return [node for name, node in decimal.items() if name not in DATA] or list(decimal.values())
    for name in wrt:
        if name not in decimal:
            if name in held:
                raise _held_constant(name)
            raise SpecError(
                f"there is no argument {name!r} of decimal numbers" if name not in leaves else f"{name} is not decimal",
                why="" if name not in leaves else "whole numbers cannot be varied a little",
                instead=f"the arguments are {', '.join(leaves)}",
            )
    return [decimal[name] for name in wrt]


def _held_constant(name: str) -> SpecError:
    return SpecError(
        f"{name} holds complex numbers, which are held constant",
        why="a derivative by them would be a matter of convention",
        instead="give their real and their imaginary part as two arguments: z = x + 1j * y",
    )


def _symbols(order: Sequence[Node], names: Mapping[Node, str], taken: Taken) -> dict[Node, Symbol]:
    """The user's names for nodes, and for some the names Z1, Z2, …, no two of which are written alike."""
    own = {node: node.symbol for node in order if node.symbol is not None}
    used = {*names.values(), *map(str, own.values())}
    for node in order:
        if node in names and node not in own and node.op not in (constant_, size_):
            own[node] = Symbol(names[node])
    if order[-1] not in own:
        called = chain(("y" if order[-1].shape else "J", "result"), Taken(used).free(("result",)))
        own[order[-1]] = Symbol(next(x for x in called if x not in used))
    symbols = _with_inner_named(order, own, taken)
    other = distinct(symbols.values())
    return {node: other.get(symbol, symbol) for node, symbol in symbols.items()} if other else symbols


def _no_derivatives(leaves: Mapping[str, Node], parameters: Sequence[Node]) -> None:
    """Refuses an argument that is called like the derivative by another one."""
    wanted = Taken(name for name, node in leaves.items() if node in parameters)
    for name in leaves:
        if wanted.is_derivative(name):
            raise SpecError(
                f"the argument {name} is called like the derivative by {name[1:]}",
                why=f"{name} stands for the derivative of the result by {name[1:]} in every formula",
                instead="give it another name",
            )


def _with_inner_named(order: Sequence[Node], own: Mapping[Node, Symbol], taken: Taken) -> dict[Node, Symbol]:
    """Names also for values without one that are used more than once, or that an activation is applied to.

    So do values at the end of a long formula: it could not be read in one piece.
    """
    uses = Counter(x for node in order for x in node.inputs)
    users = {x: node for node in order for x in node.inputs}
    free = taken.free(STEMS)
    varies: set[Node] = set()
    depth: dict[Node, int] = {}
    inside = {node for node in order if node not in own and is_elementwise(node)}
    saturating: set[Node] = set()
    symbols = dict(own)
    for node in order:
        if node.op is not input_ and varies.isdisjoint(node.inputs):
            continue
        varies.add(node)
        if node in symbols:
            continue
        deep = 1 + max([depth.get(x, 0) for x in node.inputs])
        saturates = node in inside and (node.op in SATURATING or not saturating.isdisjoint(node.inputs))
        if (
            (uses[node] > 1 and not _is_slice(node))
            or _is_activation(node, users)
            or deep > DEEPEST
            or _is_preactivation(node, users, own)
            or (saturates and _is_gate(node, users, inside))
        ):
            symbols[node] = Symbol(next(free))
            inside.discard(node)
            continue
        depth[node] = deep
        if saturates:
            saturating.add(node)
    return symbols


def _is_preactivation(node: Node, users: Mapping[Node, Node], own: Mapping[Node, Symbol]) -> bool:
    """Whether a sum with a product of matrices in it goes into a function, as W·x + b into tanh or 1/(1 + e⁻ᶻ).

    Into softmax a product goes without a sum too.
    """
    if node.op in PRODUCTS and (user := users.get(node)) is not None and user.op in (softmax, log_softmax):
        return True
    if node.op is not add or not any(
        x.op in PRODUCTS or (x.op is add and x not in own) for x in node.inputs if x not in own
    ):
        return False
    user = users.get(node)
    if user is None or user.op in (add, sub):
        return False
    while user is not None and is_elementwise(user):
        if isinstance(user.op, ScalarRow) or user.op is power:
            return True
        user = None if user in own else users.get(user)
    return False


def _is_slice(node: Node) -> bool:
    """Whether a value is a part of an array that is written by its places: x[1:]."""
    return node.op is index and len(node.inputs) == 1


def _is_activation(node: Node, users: Mapping[Node, Node]) -> bool:
    """Whether a value such as tanh(z) goes into a product of matrices or a sum: the backward pass uses it again."""
    return node.op in SATURATING[1:] and node in users and not is_elementwise(users[node])


SATURATING = (elementary.exp, activations.tanh, activations.sigmoid)
"""Functions whose value both their own derivative and that of a product with them is written through.

So are values that are computed from theirs, entry by entry, as 1/(1 + e⁻ᶻ) is.
"""


def _is_gate(node: Node, users: Mapping[Node, Node], inside: Set[Node]) -> bool:
    """Whether a saturating value is multiplied by another computed one: the backward pass uses it again."""
    user = users.get(node)
    if user is None or user.op is not mul:
        return False
    others = _values(user.inputs[1] if user.inputs[0] is node else user.inputs[0], inside)
    return any(x.inputs for x in others) and others.isdisjoint(_values(node, inside))


def _values(node: Node, inside: Set[Node]) -> set[Node]:
    """The values that a formula is computed from; what is `inside` one is none of them."""
    seen: set[Node] = set()
    stack = [node]
    while stack:
        x = stack.pop()
        if x not in seen:
            seen.add(x)
            stack += x.inputs if x in inside else ()
    return seen - inside
