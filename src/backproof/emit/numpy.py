"""Plain NumPy source: what a good engineer would have written by hand."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from backproof.emit import numpy_helpers
from backproof.emit.means import counts, is_reciprocal
from backproof.emit.program import Program, Statement, Writer
from backproof.emit.text import ATOM, COMPARISON, POWER, PRODUCT, SIGN, SUM, Text, call, infix
from backproof.ir.errors import SpecError
from backproof.ir.node import Node, ancestors, substitute
from backproof.ir.sizes import Size, show
from backproof.ir.symbol import Symbol
from backproof.ops import (
    activations,
    arithmetic,
    complexes,
    elementary,
    fourier,
    leaves,
    linalg,
    linear,
    rearranging,
    reductions,
    shaping,
    softmax,
    vectors,
    windows,
)
from backproof.ops.entries import row_of
from backproof.ops.leaves import variable
from backproof.ops.row import Row
from backproof.ops.scalar import ScalarRow
from backproof.ops.shaping import Slot
from backproof.ops.table import FAMILIES

Spelling = Callable[[Node, Writer], Text]

HELPERS = {
    name: function
    for name, function in vars(numpy_helpers).items()
    if inspect.isfunction(function) and function.__module__ == numpy_helpers.__name__
}
SCIPY = ("erf", "xlogy")
SPECIAL = (
    *("erfc", "erfinv", "erfcx", "ndtr", "log_ndtr", "ndtri", "dawsn", "exp1", "exprel"),
    *("gamma", "gammaln", "digamma", "i0", "i1", "i0e", "i1e", "j0"),
)
"""The rows that SciPy has by their own names; the others are written by the text of their meaning."""
RESERVED = ("np", "special", *HELPERS, *SCIPY)


def source(program: Program) -> str:
    """The program as the text of a Python file. Raises SpecError for a function that has no definition."""
    functions: dict[Row, tuple[str, str]] = {}
    writer = Writer(program, lambda node, w: _spell(node, w, functions), _lowered, RESERVED)
    forward, backward = writer.write()
    lines = [f"{name} = {array}.shape[{axis}]" for name, (array, axis) in writer.sizes.items()]
    lines += [*([""] if lines else []), "# forward", *map(_line, forward), "", "# backward", *map(_line, backward)]
    found = ", ".join(f'"{writer.name(x)}": {writer.name(dx)}' for x, dx in program.gradients.items())
    lines.append(f"return {writer.name(program.result)}, {{{found}}}")
    arguments = ", ".join(map(writer.name, program.inputs))
    function = "\n".join(
        [f"def {program.name}({arguments}):", *_documented(_about(program, writer)), *map(_indented, lines)]
    )
    own = [*(text for _, text in functions.values()), function]
    helpers = _needed("\n".join(own))
    used = _words("\n".join([*own, *helpers]))
    head = ["import numpy as np"]
    if scipy := [name for name in SCIPY if name in used]:
        head.append(f"from scipy.special import {', '.join(scipy)}")
    if "special" in used:
        head.append("from scipy import special")
    constants = [f"{writer.name(x)} = {_array(x.attrs['value'])}" for x in program.constants]
    head += ["", *constants] if constants else []
    return "\n\n\n".join(["\n".join(head), *helpers, *own]) + "\n"


def expression(equation: Node, names: Mapping[Node, str], sizes: Mapping[Size, str]) -> str:
    """An equation's right side in somebody's own names for the quantities and the lengths in it."""
    standing = {x: variable(Symbol(f"quantity_{k}_"), x.shape) for k, x in enumerate(names)}
    result = substitute(equation.named(None), standing).named(Symbol("result"))
    inputs = tuple(standing.values())
    program = Program("expression", inputs, (), (result,), result, (), {})
    writer = Writer(program, lambda node, w: _spell(node, w, {}), _lowered, RESERVED)
    *parts, last = writer.write()[0]
    text = last.text
    for part in reversed(parts):  # a part that is used twice is written twice: one line is wanted
        text = re.sub(rf"\b{part.name}\b", f"({part.text})", text)
    for size in writer.sizes:
        text = re.sub(rf"\b{size}\b", next(name for of, name in sizes.items() if of.name == size), text)
    for x, stand_in in standing.items():
        text = re.sub(rf"\b{writer.name(stand_in)}\b", names[x].replace("\\", r"\\"), text)
    return text


def _about(program: Program, writer: Writer) -> str:
    result = writer.name(program.result)
    inputs = [writer.name(x) for x in program.gradients if x.op is leaves.input_]
    others = [writer.name(x) for x in program.gradients if x.op is not leaves.input_]
    text = f"{result} and its derivatives by {_enumerated(inputs)}" if inputs else result
    return f"{text}{',' if inputs else ''} and {_enumerated(others)}." if others else f"{text}."


def _enumerated(names: list[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _line(statement: Statement) -> str:
    shape = f"  # {show(statement.shape)}" if statement.shape else ""
    return f"{statement.name} = {statement.text}{shape}"


def _indented(line: str) -> str:
    return f"    {line}" if line else ""


def _documented(about: str) -> list[str]:
    first, *rest = textwrap.wrap(about, 100)
    if not rest:
        return [f'    """{first}"""']
    return [f'    """{first}', *map(_indented, rest), '    """']


def _array(value: np.ndarray[Any, Any]) -> str:
    if value.ndim == 1 and np.array_equal(value, np.arange(len(value))) and value.dtype.kind in "iu":
        return f"np.arange({len(value)})"
    if not value.size:
        return f"np.zeros({value.shape}, np.{value.dtype})"
    dtype = "" if value.dtype in map(np.dtype, (float, int, bool, complex)) else f", np.{value.dtype}"
    entries = re.sub(r"inf|nan", r"np.\g<0>", str(value.tolist()))
    return f"np.array({entries}{dtype})"


def _words(code: str) -> set[str]:
    return set(re.findall(r"\b[A-Za-z_]\w*\b", code))


def _needed(code: str) -> list[str]:
    """The helpers that code calls, without the types in their heads."""
    return [_untyped(function) for name, function in HELPERS.items() if f"{name}(" in code]


def _untyped(function: Callable[..., Any]) -> str:
    return re.sub(r"(: (Array|int|bool|Any)\b)|( -> Array)", "", inspect.getsource(function)).rstrip()


# --- operations


def _lowered(node: Node) -> Node | None:
    """An operation that has no spelling of its own, by its body."""
    row = row_of(node)
    if row in SPELLED or row.body is None:
        return None
    return row.body(*node.inputs, **node.attrs)


def _spell(node: Node, writer: Writer, functions: dict[Row, tuple[str, str]]) -> Text:
    row = row_of(node)
    spelling = SPELLED.get(row)
    if spelling is not None:
        return spelling(node, writer)
    if isinstance(row, ScalarRow):
        if row.base is activations.relu:
            return Text(f"{writer.text(node.inputs[0]).at(SUM)} > 0", COMPARISON)
        if row not in functions:
            name = writer.reserved(_function_name(row))
            functions[row] = name, _function(name, row)
        return call(functions[row][0], *writer.operands(node))
    raise SpecError(f"{row.name} has no NumPy source", instead="export the gradients of a function without it")


def covers(row: Row) -> bool:
    """Whether NumPy source can be written for an operation."""
    return row in SPELLED or row.body is not None or isinstance(row, ScalarRow)


def _function_name(row: ScalarRow) -> str:
    orders = "".join(f"_{name}" * order for name, order in zip(row.scalar.arguments, row.scalar.orders, strict=True))
    name = re.sub(r"\W", "_", row.scalar.name.replace("'", "")).strip("_") or "formula"
    return (
        f"{name}_slope{orders if len(row.scalar.arguments) > 1 else '_twice' * (len(orders) > 2)}" if orders else name
    )


def _function(name: str, row: ScalarRow) -> str:
    """A scalar function as a Python function: the text that it is computed with, in plain names."""
    meaning = row.scalar.meaning  # raises SpecError where the function is unspecified
    tree = _Plain().visit(ast.parse(meaning.source))  # type: ignore[attr-defined]
    (function,) = tree.body
    function.name = name
    about = row.about or f"{row.scalar.name} of {', '.join(row.scalar.arguments)}."
    head, *body = ast.unparse(ast.fix_missing_locations(tree)).splitlines()
    return "\n".join([head, *_documented(about), *body])


class _Plain(ast.NodeTransformer):
    """The names of the interpreter's own functions, which also take complex steps, as NumPy's."""

    NAMES: Mapping[str, str] = {
        "_sigmoid": "sigmoid",
        "_softplus": "softplus",
        "_xlogy": "xlogy",
        "_erf": "erf",
        **{f"_{name}": f"special.{name}" for name in ("erfc", "erfinv", "ndtr", "log_ndtr", "ndtri", "gamma")},
        "_loggamma": "special.gammaln",
        "_polygamma": "special.polygamma",
        "_bessel": "special.iv",
        "_scaled_bessel": "special.ive",
        "_bessel_j": "special.jv",
        "_bessel_k": "special.kv",
        **{f"_{name}": f"special.{name}" for name in ("erfcx", "dawsn", "exp1", "hyp1f1")},
        **{f"_{name}": f"special.{name}" for name in ("gammainc", "gammaincc", "betainc", "stdtr")},
        "_log1p": "np.log1p",
        "_expm1": "np.expm1",
        "_abs": "np.abs",
        "_sign": "np.sign",
        "_max": "np.maximum",
        "_min": "np.minimum",
        "_not": "np.logical_not",
        "_where": "np.where",
        "_nan": "np.nan",
    }

    def visit_Name(self, node: ast.Name) -> ast.expr:
        name = self.NAMES.get(node.id)
        if name is None and hasattr(np, node.id) and node.id not in ("e", "pi"):
            name = f"np.{node.id}"
        return ast.Name(name or node.id, node.ctx)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if isinstance(node.func, ast.Name) and node.func.id == "_real":
            return self.visit(node.args[0])  # type: ignore[no-any-return]
        if isinstance(node.func, ast.Name) and node.func.id == "_truth":
            node = ast.Call(ast.Name("_where", ast.Load()), [*node.args, ast.Constant(1), ast.Constant(0)], [])
        return self.generic_visit(node)  # type: ignore[return-value]


def _function_of(name: str) -> Spelling:
    """``name(x, y)`` of element-wise operands."""
    return lambda node, w: call(name, *w.operands(node))


def _named(name: str) -> Spelling:
    """``name(x)`` of inputs as they are."""
    return lambda node, w: call(name, *map(w.text, node.inputs))


def _infix(sign: str, level: int) -> Spelling:
    def spell(node: Node, w: Writer) -> Text:
        left, right = w.operands(node)
        # a - (b + c) needs its brackets, a + (b + c) is written without.
        return infix(left, sign, right, level, associative=sign == "+")

    return spell


def _matmul(node: Node, w: Writer) -> Text:
    # A product of entries beside one of matrices is put in brackets, which Python does not need but readers do.
    left, right = (w.text(x) for x in node.inputs)
    return Text(f"{left.at(SIGN)} @ {right.at(SIGN)}", PRODUCT)


def _mul(node: Node, w: Writer) -> Text:
    for share, other in (node.inputs, node.inputs[::-1]):
        if is_reciprocal(share) and other.shape == node.shape:
            return _over(other, share.inputs[1], w)
    left, right = w.operands(node)
    if " @ " in left.code and left.level == PRODUCT:
        left = Text(f"({left})")
    return infix(left, "*", right, PRODUCT)


def _over(x: Node, count: Node, w: Writer) -> Text:
    """(1/n)·x as x/n, and as a mean where x is a sum over n entries."""
    if x.op is linear.sum_ and x.symbol is None and counts(count, x):
        return _reduction("np.mean")(x, w)
    return infix(w.text(x), "/", w.text(count), PRODUCT)


def _power(node: Node, w: Writer) -> Text:
    (base,) = w.operands(node)
    return Text(f"{base.at(ATOM)} ** {_number(node.attrs['exponent']).at(SIGN)}", POWER)


def _number(value: complex) -> Text:
    if isinstance(value, complex):
        return Text(repr(value))
    if value != value:
        return Text("np.nan")
    if value in (float("inf"), float("-inf")):
        return Text("np.inf") if value > 0 else Text("-np.inf", SIGN)
    return Text(repr(value), SIGN if value < 0 else ATOM)


def _constant(node: Node, w: Writer) -> Text:
    if node.attrs.get("text") == "π":
        return Text("np.pi")
    return _number(node.attrs["value"])


def _axes(node: Node, axes: Iterable[int] | None = None) -> str:
    rank = len(node.inputs[0].shape)
    counted = [axis % rank for axis in (node.attrs["axes"] if axes is None else axes)]
    return str(counted[0]) if len(counted) == 1 else f"({', '.join(map(str, counted))})"


def _reduction(name: str, *extra: str) -> Spelling:
    def spell(node: Node, w: Writer) -> Text:
        options = {key: node.attrs[key] for key in extra if node.attrs[key]}
        if node.attrs["keepdims"]:
            options["keepdims"] = True
        if node.attrs["keepdims"] or len(node.attrs["axes"]) < len(node.inputs[0].shape):
            options = {"axis": _axes(node), **options}
        return call(name, w.text(node.inputs[0]), **options)

    return spell


def _along(name: str) -> Spelling:
    """A running operation along an axis, backwards where it says so."""

    def spell(node: Node, w: Writer) -> Text:
        x, axis = w.text(node.inputs[0]), _axes(node, [node.attrs["axis"]])
        if not node.attrs["reverse"]:
            return call(name, x, axis=axis)
        return call("np.flip", call(name, call("np.flip", x, axis), axis=axis), axis)

    return spell


def _transpose(node: Node, w: Writer) -> Text:
    x = w.text(node.inputs[0])
    return Text(f"{x.at(ATOM)}.T") if len(node.shape) == 2 else call("np.swapaxes", x, -1, -2)


def _expand(node: Node, w: Writer) -> Text:
    if not node.inputs[0].shape:
        return _full(node, node.inputs[0], w)
    rank = len(node.shape)
    new = {axis % rank for axis in node.attrs["axes"]}
    key = ", ".join("None" if axis in new else ":" for axis in range(rank))
    return Text(f"{w.text(node.inputs[0]).at(ATOM)}[{key}]")


def _rows_times(node: Node, w: Writer) -> Text:
    vector, matrix = (w.text(x) for x in node.inputs)
    if " @ " in matrix.code and matrix.level == PRODUCT:
        matrix = Text(f"({matrix})")
    return infix(Text(f"{vector.at(ATOM)}[:, None]"), "*", matrix, PRODUCT)


def _stretch(node: Node, w: Writer) -> Text:
    (x,) = node.inputs
    if x.shape == node.shape:
        return w.text(x)
    return call("np.broadcast_to", w.text(x), w.shape(node.shape)) if x.shape else _full(node, x, w)


def _full(node: Node, number: Node, w: Writer) -> Text:
    """An array that is one number everywhere, in the precision of the others."""
    text = w.text(number)
    if number.op is leaves.constant_ and not w.is_complex(number):
        text = _number(float(number.attrs["value"]))
    like = w.like(node)
    return call("np.full", w.shape(node.shape), text) if like is None else call("np.full_like", like, text)


def _transform(name: str) -> Spelling:
    """A Fourier transform along one axis or several."""

    def spell(node: Node, w: Writer) -> Text:
        rank, axes = len(node.shape), node.attrs["axes"]
        options = {"norm": f'"{node.attrs["norm"]}"'} if node.attrs["norm"] != "backward" else {}
        x = w.text(node.inputs[0])
        if len(axes) == 1:
            along = {"axis": _axes(node)} if axes[0] % rank != rank - 1 else {}
            return call(f"np.fft.{name}", x, **along, **options)
        whole = axes == tuple(range(-rank, 0))
        return call(f"np.fft.{name}n", x, **({} if whole else {"axes": _axes(node)}), **options)

    return spell


def _takes_half(key: tuple[Any, ...], whole: Node, axis: int) -> bool:
    """Whether an index takes the first half of the frequencies along an axis and all else."""
    rank = len(whole.shape)
    stops = [(size.value or 0) // 2 + 1 if k - rank == axis else size.value for k, size in enumerate(whole.shape)]
    return list(key) == [slice(0, stop, 1) for stop in stops]


def _real(node: Node, w: Writer) -> Text:
    """The real part; that of a transform of half the frequencies is what NumPy has a function for."""
    (back,) = node.inputs
    if back.op is fourier.ifft and back.symbol is None and len(back.attrs["axes"]) == 1:
        (axis,), (put,) = back.attrs["axes"], back.inputs
        if put.op is shaping.unindex and put.symbol is None and _takes_half(put.attrs["key"], put, axis):
            (half,) = put.inputs
            if half.op is fourier.doubled and half.symbol is None and half.attrs["axis"] == axis:
                options = {"axis": axis} if axis != -1 else {}
                if back.attrs["norm"] != "backward":
                    options["norm"] = f'"{back.attrs["norm"]}"'
                return call("np.fft.irfft", w.text(half.inputs[0]), back.shape[axis].value, **options)
    return call("np.real", *w.operands(node))


def _correlate(node: Node, w: Writer) -> Text:
    # NumPy takes the conjugate of the second one, which is undone.
    first, second = (w.text(x) for x in node.inputs)
    return call("np.correlate", first, call("np.conj", second) if w.is_complex(node.inputs[1]) else second)


def _squeeze(node: Node, w: Writer) -> Text:
    return call("np.squeeze", w.text(node.inputs[0]), axis=_axes(node))


def _reshape(node: Node, w: Writer) -> Text:
    return call("np.reshape", w.text(node.inputs[0]), w.shape(node.shape) if node.shape else "()")


def _permute(node: Node, w: Writer) -> Text:
    return call("np.transpose", w.text(node.inputs[0]), _axes(node))


def _concatenate(node: Node, w: Writer) -> Text:
    parts = ", ".join(w.text(x).code for x in node.inputs)
    return call(
        "np.concatenate", f"[{parts}]", **({"axis": _axes(node, [node.attrs["axis"]])} if len(node.shape) > 1 else {})
    )


def _key(node: Node, w: Writer) -> str:
    """An index as it is written in brackets."""
    whole = node.inputs[0].shape if node.op in (shaping.index, shaping.replace_) else node.shape
    arrays = node.inputs[-sum(isinstance(k, Slot) for k in node.attrs["key"]) :]
    items = []
    for k, size in zip(node.attrs["key"], whole, strict=True):
        if isinstance(k, Slot):
            items.append(_places(arrays[k.number], w))
        elif isinstance(k, int):
            items.append(str(k))
        else:
            items.append(_slice(k, size.value))
    while len(items) > 1 and items[-1] == ":":
        items.pop()
    return ", ".join(items)


def _places(node: Node, w: Writer) -> str:
    """An array of places; numbers that an array is filled with are decimal, which an index may not be."""
    numbers = (x.inputs[0] for x in ancestors([node]) if x.op in (linear.expand, linear.stretch))
    filled = any(x.op is leaves.constant_ for x in numbers)
    return f"{w.text(node).at(ATOM)}.astype(int)" if filled else w.text(node).code


def _slice(k: slice, length: int | None) -> str:
    start = "" if k.start in (0, None) and k.step > 0 else str(k.start)
    stop = "" if k.stop in (None, length) and k.step > 0 else str(k.stop)
    return f"{start}:{stop}" + (f":{k.step}" if k.step != 1 else "")


def _index(node: Node, w: Writer) -> Text:
    (whole, *arrays) = node.inputs
    transform = whole.op is fourier.fft and whole.symbol is None and not w.is_complex(whole.inputs[0])
    if transform and not arrays and _takes_half(node.attrs["key"], whole, whole.attrs["axes"][-1]):
        return _transform("rfft")(whole, w)
    return Text(f"{w.text(node.inputs[0]).at(ATOM)}[{_key(node, w)}]")


def _unindex(node: Node, w: Writer) -> Text:
    values = node.inputs[0]
    if values.op is linear.stretch and values.symbol is None and not values.inputs[0].shape:
        values = values.inputs[0]
    like = w.like(node) or f"np.zeros({w.shape(node.shape)}{', complex' if w.is_complex(node) else ''})"
    # Where a place may be named twice, what is put there is added up.
    name = "put" if len(node.inputs) > 1 else "put_part"
    return call(name, w.text(values), like, f"np.s_[{_key(node, w)}]")


def _replace(node: Node, w: Writer) -> Text:
    return call("replaced", w.text(node.inputs[0]), w.text(node.inputs[1]), f"np.s_[{_key(node, w)}]")


def _pieces(node: Node, w: Writer) -> Text:
    texts = w.operands(node)
    result = texts[-1]
    for value, condition in zip(texts[-3::-2], texts[-2::-2], strict=True):
        result = call("np.where", condition, value, result)
    return result


def _einsum(node: Node, w: Writer) -> Text:
    spec = f'"{",".join(node.attrs["axes"])}->{node.attrs["result"]}"'
    return call(
        "np.einsum", spec, *map(w.text, node.inputs), **({"optimize": True} if vectors.by_products(node.inputs) else {})
    )


def _neg(node: Node, w: Writer) -> Text:
    (x,) = w.operands(node)
    # −mask·x begins with −mask, which NumPy does not have for truth values.
    least = SIGN if _begins_with_truth(node.inputs[0]) else PRODUCT
    return Text(f"-{x.at(least)}", SIGN if x.level >= SIGN else PRODUCT)


def _begins_with_truth(node: Node) -> bool:
    while node.symbol is None and node.inputs and node.op in (arithmetic.mul, arithmetic.div, linear.stretch):
        node = node.inputs[0]
    given = "value" in node.attrs and np.asarray(node.attrs["value"]).dtype == bool
    return given or node.op in elementary.COMPARISONS


def _composite(name: str) -> Spelling:
    return lambda node, w: call(name, w.text(node.inputs[0]), axis=_axes(node, [node.attrs["axis"]]))


def _rolled(node: Node, w: Writer) -> Text:
    shifts = node.attrs["shifts"]
    shift = shifts[0] if len(shifts) == 1 else shifts
    return call("np.roll", w.text(node.inputs[0]), shift, axis=_axes(node))


def _take_along(node: Node, w: Writer) -> Text:
    return call("np.take_along_axis", *map(w.text, node.inputs), _axes(node, [node.attrs["axis"]]))


def _put_along(node: Node, w: Writer) -> Text:
    return call("put_along", *map(w.text, node.inputs), node.attrs["axis"], w.size(node.attrs["size"]))


def _windows(node: Node, w: Writer) -> Text:
    return call("windows", *_windows_options(node, w))


def _windows_options(node: Node, w: Writer) -> list[object]:
    return [w.text(node.inputs[0]), *(node.attrs[name] for name in ("axes", "lengths", "strides", "dilations"))]


def _recurrence(node: Node, w: Writer) -> Text:
    return call("recurrence", *map(w.text, node.inputs), node.attrs["axis"], node.attrs["reverse"])


def _identity(node: Node, w: Writer) -> Text:
    return call("scaled_identity", w.text(node.inputs[0]), *map(w.size, node.attrs["sizes"]))


def _triangle(name: str) -> Spelling:
    return lambda node, w: call(name, w.text(node.inputs[0]), *([node.attrs["k"]] if node.attrs["k"] else []))


def _factor(name: str, part: str, **options: object) -> Spelling:
    return lambda node, w: Text(f"{call(name, w.text(node.inputs[0]), **options)}{part}")


SPELLED: Mapping[Row, Spelling] = {
    leaves.constant_: _constant,
    leaves.size_: lambda node, w: Text(w.size(node.attrs["size"])),
    arithmetic.add: _infix("+", SUM),
    arithmetic.sub: _infix("-", SUM),
    arithmetic.neg: _neg,
    arithmetic.mul: _mul,
    arithmetic.div: _infix("/", PRODUCT),
    arithmetic.power: _power,
    linear.matmul: _matmul,
    linear.transpose: _transpose,
    linear.sum_: _reduction("np.sum"),
    linear.expand: _expand,
    linear.stretch: _stretch,
    vectors.matvec: _matmul,
    vectors.outer: _named("np.outer"),
    vectors.einsum: _einsum,
    shaping.squeeze: _squeeze,
    shaping.reshape: _reshape,
    shaping.permute: _permute,
    shaping.concatenate: _concatenate,
    shaping.index: _index,
    shaping.unindex: _unindex,
    shaping.replace_: _replace,
    rearranging.flip: lambda node, w: call("np.flip", w.text(node.inputs[0]), axis=_axes(node)),
    rearranging.roll: _rolled,
    rearranging.argsort: lambda node, w: call(
        "np.argsort", w.text(node.inputs[0]), axis=_axes(node, [node.attrs["axis"]]), kind='"stable"'
    ),
    rearranging.take_along: _take_along,
    rearranging.put_along: _put_along,
    windows.windows: _windows,
    windows.overlap_add: lambda node, w: call("overlap_add", *_windows_options(node, w), w.shape(node.shape)),
    rearranging.convolve: _named("np.convolve"),
    rearranging.correlate: _correlate,
    reductions.max_: _reduction("np.max"),
    reductions.min_: _reduction("np.min"),
    reductions.var: _reduction("np.var", "ddof"),
    reductions.prod: _reduction("np.prod"),
    reductions.cumsum: _along("np.cumsum"),
    reductions.cumprod: _along("np.cumprod"),
    reductions.prod_others: lambda node, w: call("product_of_others", w.text(node.inputs[0]), node.attrs["axis"]),
    reductions.recurrence: _recurrence,
    complexes.conj: _function_of("np.conj"),
    complexes.real: _real,
    complexes.imag: _function_of("np.imag"),
    complexes.modulus: _function_of("np.abs"),
    complexes.angle: _function_of("np.angle"),
    complexes.sgn: _function_of("np.sign"),
    elementary.whole: lambda node, w: Text(f"{w.operands(node)[0].at(ATOM)}.astype(int)"),
    complexes.as_complex: lambda node, w: infix(w.operands(node)[0], "+", Text("0j"), SUM),
    fourier.fft: _transform("fft"),
    fourier.ifft: _transform("ifft"),
    fourier.doubled: lambda node, w: call(
        "doubled", w.text(node.inputs[0]), axis=node.attrs["axis"], even=node.attrs["even"]
    ),
    linalg.trace: lambda node, w: call("np.trace", w.text(node.inputs[0]), axis1=-2, axis2=-1),
    linalg.scaled_identity: _identity,
    linalg.diag: _named("diagonal_matrix"),
    linalg.diagonal: lambda node, w: call("np.diagonal", w.text(node.inputs[0]), axis1=-2, axis2=-1),
    linalg.diag_times: _rows_times,
    linalg.tril: _triangle("np.tril"),
    linalg.triu: _triangle("np.triu"),
    linalg.half_triangle: _named("half_triangle"),
    linalg.inv: _named("np.linalg.inv"),
    linalg.det: _named("np.linalg.det"),
    linalg.logabsdet: _factor("np.linalg.slogdet", "[1]"),
    linalg.solve: _named("np.linalg.solve"),
    linalg.solvevec: _named("np.linalg.solve"),
    linalg.cholesky: _named("np.linalg.cholesky"),
    linalg.reciprocal_gaps: _named("reciprocal_gaps"),
    linalg.eigenvalues: _named("np.linalg.eigvalsh"),
    linalg.eigenvectors: _factor("np.linalg.eigh", "[1]"),
    linalg.singular_values: _factor("np.linalg.svd", "", compute_uv=False),
    linalg.left_vectors: _factor("np.linalg.svd", "[0]", full_matrices=False),
    linalg.right_vectors: lambda node, w: call(
        "np.swapaxes", call("np.linalg.svd", w.text(node.inputs[0]), full_matrices=False).code + "[2]", -1, -2
    ),
    softmax.softmax: _composite("softmax"),
    softmax.log_softmax: _composite("log_softmax"),
    **{row: _infix(sign, COMPARISON) for row, sign in elementary.COMPARISONS.items()},
    elementary.pieces: _pieces,
    elementary.absolute: _function_of("np.abs"),
    elementary.sign: _function_of("np.sign"),
    elementary.atan: _function_of("np.arctan"),
    elementary.asin: _function_of("np.arcsin"),
    elementary.acos: _function_of("np.arccos"),
    elementary.asinh: _function_of("np.arcsinh"),
    elementary.acosh: _function_of("np.arccosh"),
    elementary.atanh: _function_of("np.arctanh"),
    elementary.atan2: _function_of("np.arctan2"),
    elementary.erf: _function_of("erf"),
    elementary.xlogy: _function_of("xlogy"),
    **{row: _function_of(f"special.{row.name}") for row in FAMILIES["Special functions"] if row.name in SPECIAL},
    activations.tanh: _function_of("np.tanh"),
    activations.sigmoid: _function_of("sigmoid"),
    activations.softplus: _function_of("softplus"),
    activations.relu: lambda node, w: call("np.maximum", *w.operands(node), 0),
    **{
        row: _function_of(f"np.{row.name}")
        for row in (
            elementary.exp,
            elementary.log,
            elementary.sqrt,
            elementary.sin,
            elementary.cos,
            elementary.tan,
            elementary.sinh,
            elementary.cosh,
            elementary.log1p,
            elementary.expm1,
            elementary.log2,
            elementary.log10,
            elementary.hypot,
            elementary.logaddexp,
            elementary.maximum,
            elementary.minimum,
            elementary.floor,
            elementary.ceil,
            elementary.trunc,
            elementary.rint,
            elementary.floor_divide,
        )
    },
}
"""How each operation is written. A scalar function that is not here becomes a function of the program."""
