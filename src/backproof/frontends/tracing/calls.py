"""What NumPy's functions become: each a node, or a few, of the rule table."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from backproof.frontends.tracing.lengths import sizes_of
from backproof.frontends.tracing.tape import refuse
from backproof.frontends.tracing.traced import HANDLERS, NAMED, WHOLE, Handler, Nodes, Traced, plain
from backproof.ir.node import Node, ancestors
from backproof.ir.sizes import Shape, Size, agreed, of_length
from backproof.ops import activations, elementary, linalg, reductions, shaping
from backproof.ops.arithmetic import add, div, mul, neg, power, sub
from backproof.ops.leaves import constant, constant_, input_, is_number
from backproof.ops.linear import expand, matmul, stretched, total, transpose
from backproof.ops.row import Row
from backproof.ops.shaping import Slot, sliced
from backproof.ops.vectors import einsum, matvec, outer
from backproof.ops.windows import thinned, windows

Entered = TypeVar("Entered", bound=Handler)


def becomes(*functions: Callable[..., Any]) -> Callable[[Entered], Entered]:
    """Enters a handler for one or more functions of NumPy."""

    def enter(handler: Entered) -> Entered:
        for function in functions:
            HANDLERS[function] = handler
        return handler

    return enter


def _row(row: Row) -> Handler:
    return lambda nodes, *arguments: row(*map(nodes, arguments))


for _function, _is in {
    np.subtract: sub,
    np.negative: neg,
    np.multiply: mul,
    np.divide: div,
    np.exp: elementary.exp,
    np.log: elementary.log,
    np.sqrt: elementary.sqrt,
    np.sin: elementary.sin,
    np.cos: elementary.cos,
    np.tan: elementary.tan,
    np.arctan: elementary.atan,
    np.arcsin: elementary.asin,
    np.arccos: elementary.acos,
    np.arcsinh: elementary.asinh,
    np.arccosh: elementary.acosh,
    np.arctanh: elementary.atanh,
    np.arctan2: elementary.atan2,
    np.sinh: elementary.sinh,
    np.cosh: elementary.cosh,
    np.tanh: activations.tanh,
    np.absolute: elementary.absolute,
    np.sign: elementary.sign,
    np.greater: elementary.greater,
    np.greater_equal: elementary.greater_equal,
    np.less: elementary.less,
    np.less_equal: elementary.less_equal,
    np.maximum: elementary.maximum,
    np.minimum: elementary.minimum,
    np.log1p: elementary.log1p,
    np.expm1: elementary.expm1,
    np.log2: elementary.log2,
    np.log10: elementary.log10,
    np.hypot: elementary.hypot,
    np.equal: elementary.equal,
    np.not_equal: elementary.not_equal,
    np.floor: elementary.floor,
    np.ceil: elementary.ceil,
    np.trunc: elementary.trunc,
    np.rint: elementary.rint,
    np.floor_divide: elementary.floor_divide,
}.items():
    HANDLERS[_function] = _row(_is)
NAMED["expit"] = _row(activations.sigmoid)
NAMED["erf"] = _row(elementary.erf)
NAMED["xlogy"] = _row(elementary.xlogy)
NAMED["logit"] = lambda nodes, x: sub(elementary.log(nodes(x)), elementary.log1p(neg(nodes(x))))
NAMED["xlog1py"] = lambda nodes, x, y: mul(nodes(x), elementary.log1p(nodes(y)))
NAMED["entr"] = lambda nodes, x: neg(elementary.xlogy(nodes(x), nodes(x)))
NAMED["rel_entr"] = lambda nodes, x, y: elementary.xlogy(nodes(x), div(nodes(x), nodes(y)))
NAMED["kl_div"] = lambda nodes, x, y: add(sub(NAMED["rel_entr"](nodes, x, y), nodes(x)), nodes(y))
NAMED["log_expit"] = lambda nodes, x: neg(activations.softplus(neg(nodes(x))))


@becomes(np.add)
def _add(nodes: Nodes, a: Any, b: Any) -> Node:
    """A sum; where code begins adding up with the number 0, that is left out."""
    left, right = nodes(a), nodes(b)
    if left.op is constant_ or right.op is constant_:
        for zero, other in ((left, right), (right, left)):
            if is_number(zero, 0) and other.shape and not is_number(other, 0):
                return other
    return add(left, right)


HANDLERS[np.positive] = lambda nodes, x: nodes(x)


@becomes(np.power, np.float_power)
def _power(nodes: Nodes, base: Any, exponent: Any) -> Node:
    if isinstance(exponent, Traced) or np.ndim(exponent) > 0 or np.iscomplexobj(exponent):
        value = nodes.value(base)
        if not np.iscomplexobj(value) and np.any(value < 0):
            raise refuse(
                "a negative number is raised to a power that may vary",
                why="that is no real number for the powers next to a whole one",
                instead="raise to one power at a time, given as a plain number",
            )
        if np.any((nodes.value(base) == 0) & (nodes.value(exponent) == 0)):  # 0⁰ is 1
            return elementary.exp(elementary.xlogy(nodes(exponent), nodes(base)))
        return elementary.exp(mul(nodes(exponent), elementary.log(nodes(base))))
    return _raised(nodes(base), exponent)


def _raised(base: Node, exponent: Any) -> Node:
    number = int(exponent) if float(exponent).is_integer() else float(exponent)
    return base if number == 1 else power(base, exponent=number)


HANDLERS[np.square] = lambda nodes, x: _raised(nodes(x), 2)
HANDLERS[np.reciprocal] = lambda nodes, x: div(constant(1), nodes(x))


@becomes(np.where)
def _where(nodes: Nodes, condition: Any, yes: Any = None, no: Any = None) -> Any:
    if yes is None:
        nodes.tape.note("np.where with only a condition depends on values; the derivation is that for the ones given")
        return None
    return elementary.pieces(nodes(yes), nodes(condition), nodes(no))


@becomes(np.clip)
def _clip(nodes: Nodes, x: Any, low: Any = None, high: Any = None, **options: Any) -> Node:
    low = options.pop("a_min", options.pop("min", low))
    high = options.pop("a_max", options.pop("max", high))
    _only(options, "np.clip")
    node = nodes(x)
    if low is not None:
        node = elementary.pieces(nodes(low), elementary.less(node, nodes(low)), node)
    if high is not None:
        node = elementary.pieces(nodes(high), elementary.greater(node, nodes(high)), node)
    return node


# --- products

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@becomes(np.inner)
def _inner(nodes: Nodes, left: Any, right: Any) -> Node:
    a, b = nodes(left), nodes(right)
    if len(a.shape) < 2 and len(b.shape) < 2:
        return _product(nodes, a, b)
    return _contracted(a, b, len(b.shape) - 1) if a.shape and b.shape else mul(a, b)


@becomes(np.dot)
def _dot(nodes: Nodes, left: Any, right: Any) -> Node:
    a, b = nodes(left), nodes(right)
    return _contracted(a, b, len(b.shape) - 2) if a.shape and len(b.shape) > 2 else _product(nodes, a, b)


def _contracted(a: Node, b: Node, axis: int) -> Node:
    """The sum of products over the last axis of one array and an axis of another."""
    left = LETTERS[: len(a.shape)]
    right = list(LETTERS[len(a.shape) : len(a.shape) + len(b.shape)])
    right[axis] = left[-1]
    rest = [letter for k, letter in enumerate(right) if k != axis]
    return einsum(a, b, axes=(left, "".join(right)), result=left[:-1] + "".join(rest))


@becomes(np.vdot)
def _vdot(nodes: Nodes, left: Any, right: Any) -> Node:
    return _product(nodes, _flat(nodes(left)), _flat(nodes(right)))


@becomes(np.matmul)
def _product(nodes: Nodes, left: Any, right: Any) -> Node:
    a, b = nodes(left), nodes(right)
    if not a.shape or not b.shape:
        return mul(a, b)
    if len(a.shape) == len(b.shape) == 1:
        return total(mul(a, b), (-1,), keepdims=False)
    if len(b.shape) == 1 and len(a.shape) == 2:
        return matvec(a, b)
    if len(a.shape) == 1 and len(b.shape) == 2:
        return matvec(transpose(b), a)
    if len(b.shape) == 1:
        return _contracted(a, b, 0)
    if len(a.shape) == 1:
        return _contracted(a, b, len(b.shape) - 2)
    return matmul(a, b)


HANDLERS[np.outer] = lambda nodes, a, b: outer(_flat(nodes(a)), _flat(nodes(b)))


@becomes(np.einsum)
def _einsum(nodes: Nodes, spec: Any, *operands: Any, **options: Any) -> Node:
    if not isinstance(spec, str):
        spec, operands = _lettered(spec, *operands)
    if "..." in spec:
        spec = _spelled_out(spec, [len(nodes(x).shape) for x in operands])
    inputs, arrow, result = spec.replace(" ", "").partition("->")
    axes = inputs.split(",")
    if not arrow:
        result = "".join(sorted(x for x in set(inputs) - {","} if inputs.count(x) == 1))
    parts = [_one_letter_each(nodes(x), names) for x, names in zip(operands, axes, strict=True)]
    return einsum(*(node for node, _ in parts), axes=tuple(names for _, names in parts), result=result)


def _lettered(*given: Any) -> tuple[str, tuple[Any, ...]]:
    """einsum(A, [0, 1], B, [1, 2], [0, 2]) as its text and its operands."""
    arrays, axes = given[: len(given) // 2 * 2 : 2], given[1::2]
    texts = ["".join("..." if k is Ellipsis else LETTERS[int(k)] for k in part) for part in axes]
    result = "".join("..." if k is Ellipsis else LETTERS[int(k)] for k in given[-1]) if len(given) % 2 else None
    return ",".join(texts) + ("" if result is None else f"->{result}"), arrays


def _one_letter_each(node: Node, names: str) -> tuple[Node, str]:
    """An operand of einsum with the diagonal taken where it has a letter twice; that axis is then its last."""
    twice = next((letter for letter in names if names.count(letter) > 1), None)
    if twice is None:
        return node, names
    first = names.index(twice)
    second = names.index(twice, first + 1)
    rest = [k for k in range(len(names)) if k not in (first, second)]
    diagonal = linalg.diagonal(_permuted(node, [*rest, first, second]))
    return _one_letter_each(diagonal, "".join(names[k] for k in rest) + twice)


def _spelled_out(spec: str, ranks: Sequence[int]) -> str:
    """An einsum's axes with letters in the place of the dots."""
    free = "".join(letter for letter in LETTERS if letter not in spec)
    inputs, arrow, result = spec.replace(" ", "").partition("->")
    operands, most = [], 0
    for names, rank in zip(inputs.split(","), ranks, strict=True):
        count = rank - len(names.replace("...", "")) if "..." in names else 0
        most = max(most, count)
        operands.append(names.replace("...", free[:count][::-1]))
    if not arrow:
        result = "..." + "".join(sorted(x for x in set(inputs) - {",", "."} if inputs.count(x) == 1))
    return f"{','.join(operands)}->{result.replace('...', free[:most][::-1])}"


# --- reductions


def _axes(node: Node, axis: Any) -> tuple[int, ...]:
    rank = len(node.shape)
    if axis is None or not rank:  # NumPy reduces a single number over an axis too
        return tuple(range(-rank, 0))
    given = axis if isinstance(axis, tuple | list) else (axis,)
    return tuple(sorted({int(k) % rank - rank for k in given}))


def _only(options: dict[str, Any], function: str) -> None:
    if isinstance(options.get("dtype"), type | np.dtype) and np.dtype(options["dtype"]).kind == "f":
        options = {name: value for name, value in options.items() if name != "dtype"}
    left = [name for name, value in options.items() if value is not None and value is not np._NoValue]
    if left:
        raise refuse(f"{function} with {', '.join(left)} is not followed")


@becomes(np.sum)
def _sum(nodes: Nodes, x: Any, axis: Any = None, keepdims: bool = False, **options: Any) -> Node:
    initial, where = (options.pop(name, np._NoValue) for name in ("initial", "where"))
    _only(options, "np.sum")
    node = _array(nodes, x)
    if where is not np._NoValue and where is not True:
        node = elementary.pieces(node, nodes(where), constant(0))
    found = total(node, _axes(node, axis), keepdims=bool(keepdims)) if node.shape else node
    return found if initial in (np._NoValue, None) else add(found, nodes(initial))


def _array(nodes: Nodes, x: Any) -> Node:
    """An argument that may be a list of traced arrays."""
    return _stack(nodes, x) if isinstance(x, list | tuple) else nodes(x)


@becomes(np.mean)
def _mean(nodes: Nodes, x: Any, axis: Any = None, keepdims: bool = False, **options: Any) -> Node:
    _only(options, "np.mean")
    node = _array(nodes, x)
    return reductions.mean(node, _axes(node, axis), keepdims=bool(keepdims)) if node.shape else node


@becomes(np.var)
def _var(nodes: Nodes, x: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False, **options: Any) -> Node:
    _only(options, "np.var")
    node = nodes(x)
    return reductions.var(node, axes=_axes(node, axis), keepdims=bool(keepdims), ddof=ddof)


HANDLERS[np.std] = lambda nodes, *arguments, **options: elementary.sqrt(_var(nodes, *arguments, **options))


def _reduces(row: Row, larger: Row) -> Handler:
    def handler(nodes: Nodes, x: Any, axis: Any = None, keepdims: bool = False, **options: Any) -> Node:
        initial, where = (options.pop(name, np._NoValue) for name in ("initial", "where"))
        _only(options, row.name)
        node = nodes(x)
        if where is not np._NoValue and where is not True:
            node = elementary.pieces(node, nodes(where), nodes(initial))
        found = row(node, axes=_axes(node, axis), keepdims=bool(keepdims))
        return found if initial is np._NoValue else larger(found, nodes(initial))

    return handler


HANDLERS[np.max] = HANDLERS[np.amax] = _reduces(reductions.max_, elementary.maximum)
HANDLERS[np.min] = HANDLERS[np.amin] = _reduces(reductions.min_, elementary.minimum)


@becomes(np.cumsum)
def _cumsum(nodes: Nodes, x: Any, axis: Any = None, **options: Any) -> Node:
    _only(options, "np.cumsum")
    node = nodes(x)
    node = node if axis is not None and node.shape else _flat(node)
    return reductions.cumsum(node, axis=_axes(node, -1 if axis is None else axis)[0], reverse=False)


# --- shapes


def _flat(node: Node) -> Node:
    return node if len(node.shape) == 1 else _reshaped(node, (-1,))


def _lengths(node: Node, shape: Any) -> tuple[int, ...]:
    """A shape in which one length may be −1, in numbers."""
    return tuple(np.empty([size.value or 0 for size in node.shape], dtype=np.int8).reshape(shape).shape)


def _reshaped(node: Node, shape: Any) -> Node:
    lengths = _lengths(node, shape)
    known = zip(sizes_of(shape), _kept(node.shape, lengths), lengths, strict=True)
    sizes = tuple(asked or own or of_length(n) for asked, own, n in known)
    return node if sizes == node.shape else shaping.reshape(node, sizes=sizes, rank=len(node.shape))


def _kept(shape: Shape, lengths: Sequence[int]) -> list[Size | None]:
    """Which axes of another arrangement of an array are its own: those before and behind all that is rearranged."""
    known: list[Size | None] = [None] * len(lengths)
    for step in (1, -1):
        for k, (size, n) in enumerate(zip(shape[::step], lengths[::step], strict=False)):
            if size.value != n:
                break
            known[k if step == 1 else -1 - k] = size
    return known


@becomes(np.reshape)
def _reshape(nodes: Nodes, x: Any, shape: Any, order: str = "C", **options: Any) -> Node:
    if order not in ("C", "F"):
        raise refuse(f"reshape with order={order!r} is not followed", instead='use order="C" or order="F"')
    node = nodes(x)
    # In Fortran's order the first axis runs fastest, which is the last of the array with its axes turned round.
    return _reshaped(node, shape) if order == "C" else _turned(_reshaped(_turned(node), _lengths(node, shape)[::-1]))


def _turned(node: Node) -> Node:
    return _permuted(node, range(len(node.shape))[::-1])


HANDLERS[np.ravel] = lambda nodes, x, order="C": _reshape(nodes, x, (-1,), order)


@becomes(np.transpose)
def _transpose(nodes: Nodes, x: Any, axes: Any = None) -> Node:
    node = nodes(x)
    rank = len(node.shape)
    order = tuple(range(rank))[::-1] if axes is None else tuple(int(k) % rank for k in axes)
    return _permuted(node, order)


def _permuted(node: Node, order: Sequence[int]) -> Node:
    rank = len(node.shape)
    if list(order) == list(range(rank)):
        return node
    if list(order) == [*range(rank - 2), rank - 1, rank - 2]:
        return node.inputs[0] if node.op is transpose and node.symbol is None else transpose(node)
    return shaping.permute(node, axes=tuple(k - rank for k in order))


@becomes(np.swapaxes)
def _swapaxes(nodes: Nodes, x: Any, first: int, second: int) -> Node:
    node = nodes(x)
    order = list(range(len(node.shape)))
    order[first], order[second] = order[second], order[first]
    return _permuted(node, order)


@becomes(np.moveaxis)
def _moveaxis(nodes: Nodes, x: Any, source: Any, destination: Any) -> Node:
    node = nodes(x)
    # The lengths 2, 3, … tell which axis went where.
    places = np.moveaxis(np.empty(tuple(range(2, 2 + len(node.shape)))), source, destination).shape
    return _permuted(node, [n - 2 for n in places])


@becomes(np.expand_dims)
def _expand_dims(nodes: Nodes, x: Any, axis: Any) -> Node:
    node = nodes(x)
    given = axis if isinstance(axis, tuple | list) else (axis,)
    rank = len(node.shape) + len(given)
    return expand(node, axes=tuple(sorted(int(k) % rank - rank for k in given)))


@becomes(np.squeeze)
def _squeeze(nodes: Nodes, x: Any, axis: Any = None) -> Node:
    node = nodes(x)
    ones = [k for k, size in enumerate(node.shape) if size.value == 1]
    axes = _axes(node, tuple(ones) if axis is None else axis)
    return shaping.squeeze(node, axes=axes) if axes else node


@becomes(np.broadcast_to)
def _broadcast_to(nodes: Nodes, x: Any, shape: Any, **options: Any) -> Node:
    lengths = shape if isinstance(shape, tuple | list) else (shape,)
    node = nodes(x)
    own = (*[None] * (len(lengths) - len(node.shape)), *node.shape)
    sizes = (size if size and size.value == n else of_length(int(n)) for size, n in zip(own, lengths, strict=True))
    return stretched(node, tuple(sizes))


@becomes(np.concatenate)
def _concatenate(nodes: Nodes, arrays: Sequence[Any], axis: Any = 0, **options: Any) -> Node:
    _only(options, "np.concatenate")
    parts = [nodes(x) for x in arrays]
    if axis is None:
        parts, axis = [_flat(x) for x in parts], 0
    rank = len(parts[0].shape)
    return parts[0] if len(parts) == 1 else shaping.concatenate(*parts, axis=axis % rank - rank, rank=rank)


@becomes(np.stack)
def _stack(nodes: Nodes, arrays: Sequence[Any], axis: int = 0, **options: Any) -> Node:
    _only(options, "np.stack")
    parts = [nodes(x) for x in arrays]
    rank = len(parts[0].shape) + 1
    at = axis % rank - rank
    parts = [expand(x, axes=(at,)) for x in parts]
    return parts[0] if len(parts) == 1 else shaping.concatenate(*parts, axis=at, rank=rank)


# --- indices


@becomes(np.ndarray.__getitem__)
def _getitem(nodes: Nodes, x: Any, key: Any) -> Node:
    return _indexed(nodes, nodes(x), key)


def _indexed(nodes: Nodes, node: Node, key: Any) -> Node:
    if isinstance(key, tuple) and any(k is None for k in key) and any(np.ndim(k) > 0 for k in key if k is not None):
        return _indexed(nodes, *_with_new_axes(nodes, node, key))
    items, arrays, new = _key(nodes, node, key)
    for k, size in zip(items, node.shape, strict=True):
        if isinstance(k, shaping.Slot) and _is_each(nodes.tape.values.get(arrays[k.number]), size.value or 0):
            agreed(size, arrays[k.number].shape[0])
    whole = all(k == slice(0, size.value, 1) for k, size in zip(items, node.shape, strict=True))
    fewer = thinned(node, items) if node.op is windows and not whole else None
    taken = node if whole else fewer or shaping.index(node, *arrays, key=items)
    return expand(taken, axes=tuple(k - (len(taken.shape) + len(new)) for k in new)) if new else taken


def _is_each(places: Any, length: int) -> bool:
    """Whether an index names each entry of an axis in turn, as np.arange(m) does: it is as long as the axis then."""
    return places is not None and places.shape == (length,) and np.array_equal(places, range(length))


def _with_new_axes(nodes: Nodes, node: Node, key: tuple[Any, ...]) -> tuple[Node, tuple[Any, ...]]:
    """An array that has its new axes already, and the index without them: each takes the only entry there is."""
    axes = sum(np.ndim(k) if _is_mask(k) else k is not None and k is not Ellipsis for k in key)
    given: list[Any] = []
    for k in key:
        if k is Ellipsis:
            given += [slice(None)] * (len(node.shape) - axes)
        elif _is_mask(k):
            given += _booleans(nodes.value(k))
        else:
            given.append(k)
    given += [slice(None)] * (len(node.shape) - sum(k is not None for k in given))
    places = [n - len(given) for n, k in enumerate(given) if k is None]
    return expand(node, axes=tuple(places)), tuple(slice(None) if k is None else k for k in given)


def _key(nodes: Nodes, node: Node, key: Any) -> tuple[shaping.Key, list[Node], list[int]]:
    """An index with one item for each axis, the arrays in it, and the places of new axes in the result."""
    given = list(key) if isinstance(key, tuple) else [key]
    if any(isinstance(k, bool | np.bool_) for k in given):
        raise refuse("a single truth value as an index is not followed")
    if any(isinstance(k, Traced) and _is_mask(k) for k in given):
        nodes.tape.note("an index depends on values; the derivation is that for the ones given")
    given = [part for k in given for part in _booleans(nodes.value(k))] if any(map(_is_mask, given)) else given
    axes = sum(k is not None and k is not Ellipsis for k in given)
    dots = next((n for n, k in enumerate(given) if k is Ellipsis), len(given))
    full = [slice(None)] * (len(node.shape) - axes)
    given = [*given[:dots], *full, *given[dots + 1 :]]
    items: list[int | slice | Slot] = []
    arrays: list[Node] = []
    new: list[int] = []
    sizes = iter(node.shape)
    place = 0
    for k in given:
        if k is None:
            new.append(place)
            place += 1
            continue
        n = next(sizes).value or 0
        if isinstance(k, slice):
            items.append(sliced(*_bounds(k, n)))
            place += 1
        elif isinstance(k, Traced) or np.ndim(k) > 0:
            arrays.append(nodes(_held(nodes, k)))
            items.append(Slot(len(arrays) - 1))
        else:
            items.append(int(k) % n)
    return tuple(items), arrays, new


def _held(nodes: Nodes, k: Any) -> Any:
    """An array of places. Where it is computed from decimal numbers its values are taken, as those of a mask are."""
    if not isinstance(k, Traced) or all(nodes.tape.values[x].dtype.kind in WHOLE for x in _inputs(k.node)):
        return k
    nodes.tape.note("an index depends on values; the derivation is that for the ones given")
    return k.value


def _inputs(node: Node) -> list[Node]:
    """The arguments of the function that a value is computed from."""
    return [x for x in ancestors([node]) if x.op is input_ and not x.attrs.get("outside")]


def _bounds(k: slice, n: int) -> tuple[int, int, int]:
    start, stop, step = k.indices(n)
    return (start, stop, step) if step > 0 or stop >= 0 else (start, -n - 1, step)


def _is_mask(k: Any) -> bool:
    dtype = getattr(k, "dtype", None)
    return dtype is not None and dtype.kind == "b" and k.ndim > 0


def _booleans(k: Any) -> Sequence[Any]:
    return np.nonzero(k) if _is_mask(k) else (k,)


@becomes(np.lib.stride_tricks.sliding_window_view)
def _windows(nodes: Nodes, x: Any, window_shape: Any, axis: Any = None, **options: Any) -> Node:
    _only({name: value or None for name, value in options.items()}, "sliding_window_view")
    node = nodes(x)
    lengths = tuple(window_shape) if isinstance(window_shape, tuple | list) else (window_shape,)
    rank = len(node.shape)
    axes = range(rank) if axis is None else axis if isinstance(axis, tuple | list) else (axis,)
    places = tuple(k % rank - rank for k in axes)
    if len(set(places)) < len(places):
        raise refuse("windows along one axis twice are not followed", instead="take them one after the other")
    once = (1,) * len(lengths)
    return windows(node, axes=places, lengths=lengths, strides=once, dilations=once)


@becomes(np.ndarray.__setitem__)
def _setitem(nodes: Nodes, x: Any, key: Any, value: Any) -> Node:
    node = nodes(x)
    items, arrays, new = _key(nodes, node, key)
    if new:
        raise refuse("a write to new axes is not followed")
    if arrays and _repeats(nodes.value(x).shape, key):
        raise refuse("a write names a place twice", why="only the last value would count", instead="use np.add.at")
    held = shaping.index(node, *arrays, key=items)
    return shaping.replace_(node, stretched(nodes(value), held.shape), *arrays, key=items, rank=len(held.shape))


@becomes(np.add.at)
def _add_at(nodes: Nodes, x: Any, key: Any, value: Any) -> Node:
    node = nodes(x)
    items, arrays, new = _key(nodes, node, key)
    if new:
        raise refuse("a write to new axes is not followed")
    held = shaping.index(node, *arrays, key=items).shape
    return add(node, shaping.unindex(stretched(nodes(value), held), *arrays, key=items, sizes=node.shape))


def _repeats(shape: tuple[int, ...], key: Any) -> bool:
    places = np.arange(math.prod(shape)).reshape(shape)[plain(key)]
    return len(np.unique(places)) < np.size(places)


@becomes(np.take)
def _take(nodes: Nodes, x: Any, indices: Any, axis: Any = None, **options: Any) -> Node:
    _only(options, "np.take")
    node = nodes(x) if axis is not None else _flat(nodes(x))
    place = 0 if axis is None else int(axis) % len(node.shape)
    return _indexed(nodes, node, (slice(None),) * place + (indices,))


def _like(number: int) -> Handler:
    def handler(nodes: Nodes, x: Any, dtype: Any = None, **options: Any) -> Node:
        kind = np.asarray(nodes.value(x)).dtype if dtype is None else np.dtype(dtype)
        return stretched(constant(complex(number) if kind.kind == "c" else number), nodes(x).shape)

    return handler


HANDLERS[np.zeros_like], HANDLERS[np.ones_like] = _like(0), _like(1)
HANDLERS[np.empty_like] = HANDLERS[np.zeros_like]


HANDLERS[np.shape] = lambda nodes, x: None
HANDLERS[np.ndim] = lambda nodes, x: None
HANDLERS[np.size] = lambda nodes, x, axis=None: None
