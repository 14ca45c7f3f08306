"""Programs as readable JavaScript: a module that needs no other, whose arrays are ``{ shape, data }``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from backproof.emit.javascript import scalars
from backproof.emit.means import counts, is_reciprocal
from backproof.emit.program import Program, Statement, Writer
from backproof.emit.text import SIGN, Text, call
from backproof.ir.errors import SpecError
from backproof.ir.node import Node
from backproof.ir.sizes import Shape, show
from backproof.ops import (
    arithmetic,
    elementary,
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
from backproof.ops.row import Row
from backproof.ops.scalar import ScalarRow
from backproof.ops.shaping import Slot

Spelling = Callable[[Node, Writer], Text]

WORDS = (
    *("arguments", "await", "break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete"),
    *("do", "else", "enum", "eval", "export", "extends", "false", "finally", "for", "function", "if", "implements"),
    *("import", "in", "instanceof", "interface", "let", "new", "null", "package", "private", "protected", "public"),
    *("return", "static", "super", "switch", "this", "throw", "true", "try", "typeof", "undefined", "var", "void"),
    *("while", "with", "yield", "Math", "Number", "Array", "Object", "Float64Array", "Int32Array", "Error", "NaN"),
    "Infinity",
)
"""What no variable may be called."""
COMPLEX = "JavaScript has no complex numbers"


@cache
def helpers() -> Mapping[str, str]:
    """The functions that programs are made of, with what is said of them, by name."""
    text = (Path(__file__).parent / "helpers.js").read_text(encoding="utf-8")
    found = {}
    for part in text.strip().split("\n\n"):
        name = re.search(r"^(?:function|const) (\w+)", part, re.MULTILINE)
        assert name is not None, part
        found[name[1]] = part
    return found


def source(program: Program) -> str:
    """The program as the text of a module, which exports it and what makes an array of lists.

    Raises SpecError for what JavaScript cannot compute: complex numbers, functions and decompositions that it lacks.
    """
    functions: dict[Row, tuple[str, str]] = {}
    reserved = (*WORDS, *helpers())
    writer = Writer(program, lambda node, w: _spell(node, w, functions), _lowered, reserved)
    forward, backward = writer.write()
    lines = [f"const {name} = shapeOf({array})[{axis}];" for name, (array, axis) in writer.sizes.items()]
    lines += [*([""] if lines else []), "// forward", *map(_line, forward), "", "// backward", *map(_line, backward)]
    found = ", ".join(f"{writer.name(x)}: {writer.name(dx)}" for x, dx in program.gradients.items())
    lines.append(f"return {{ value: {writer.name(program.result)}, gradients: {{ {found} }} }};")
    constants = [f"const {writer.name(x)} = {_array(x.attrs['value'])};" for x in program.constants]
    head = f"export function {program.name}({', '.join(map(writer.name, program.inputs))}) {{"
    own = [
        "\n".join([_about(program, writer), head, *map(_indented, lines), "}"]),
        *constants,
        *(text for _, text in functions.values()),
    ]
    made_of = _needed("\n\n".join([*own, "array"]))
    return "\n\n".join([*own, "// --- what this is made of", *made_of, "export { array };"]) + "\n"


def _about(program: Program, writer: Writer) -> str:
    names = ", ".join(map(writer.name, program.gradients))
    return f"/** {writer.name(program.result)}, and its derivatives by {names}; arrays are {{ shape, data }}. */"


def _line(statement: Statement) -> str:
    shape = f" // {show(statement.shape)}" if statement.shape else ""
    return f"const {statement.name} = {statement.text};{shape}"


def _indented(line: str) -> str:
    return f"  {line}" if line else ""


def _array(value: np.ndarray[Any, Any]) -> str:
    if value.dtype.kind == "c":
        raise SpecError("a complex constant has no JavaScript source", why=COMPLEX)
    numbers = ", ".join(_number(x) for x in value.ravel().tolist())
    return f"made({list(value.shape)}, Float64Array.of({numbers}))"


def _needed(code: str) -> Iterable[str]:
    """The helpers that code calls, and those that these call, in their own order."""
    needed: set[str] = set()
    waiting = [code]
    while waiting:
        words = set(re.findall(r"(?<![.\w])[A-Za-z_]\w*", waiting.pop().replace("...", " ")))
        new = [name for name in helpers() if name in words and name not in needed]
        needed.update(new)
        waiting += (_code(helpers()[name]) for name in new)
    return [text for name, text in helpers().items() if name in needed]


def _code(text: str) -> str:
    return re.sub(r"/\*\*.*?\*/", "", text, flags=re.DOTALL)


# --- operations


def covers(row: Row) -> bool:
    """Whether JavaScript can be written for an operation."""
    if isinstance(row, ScalarRow) and row not in SPELLED:
        try:
            scalars.function(row)
        except SpecError:
            return False
    return row in SPELLED or row.body is not None or isinstance(row, ScalarRow)


def _lowered(node: Node) -> Node | None:
    row = row_of(node)
    return None if row in SPELLED or row.body is None else row.body(*node.inputs, **node.attrs)


def _spell(node: Node, w: Writer, functions: dict[Row, tuple[str, str]]) -> Text:
    row = row_of(node)
    if any(map(w.is_complex, (node, *node.inputs))):
        raise SpecError(f"{row.name} has no JavaScript source", why=COMPLEX)
    if row in SPELLED:
        return SPELLED[row](node, w)
    if not isinstance(row, ScalarRow):
        raise SpecError(f"{row.name} has no JavaScript source", instead="export the gradients of a function without it")
    if row not in functions:
        name = w.reserved(_function_name(row))
        functions[row] = name, _function(name, row)
    return call(functions[row][0], *w.operands(node))


def _function_name(row: ScalarRow) -> str:
    orders = "".join(f"_{name}" * order for name, order in zip(row.scalar.arguments, row.scalar.orders, strict=True))
    name = re.sub(r"\W", "_", row.scalar.name.replace("'", "")).strip("_") or "formula"
    if not orders:
        return name
    return f"{name}_slope{orders if len(row.scalar.arguments) > 1 else '_twice' * (len(orders) > 2)}"


def _function(name: str, row: ScalarRow) -> str:
    about = row.about or f"{row.scalar.name} of {', '.join(row.scalar.arguments)}, entry by entry."
    return f"/** {about} */\nconst {name} = elementwise({scalars.function(row)});"


def _entrywise(name: str) -> Spelling:
    return lambda node, w: call(name, *w.operands(node))


def _named(name: str, *attrs: str) -> Spelling:
    """``name(x, y, a)`` of inputs as they are and of attributes."""
    return lambda node, w: call(name, *map(w.text, node.inputs), *(_value(node.attrs[a]) for a in attrs))


def _value(attribute: Any) -> str:
    if isinstance(attribute, bool):
        return "true" if attribute else "false"
    return f"[{', '.join(map(str, attribute))}]" if isinstance(attribute, tuple) else str(attribute)


def _number(value: float) -> str:
    if isinstance(value, complex):
        raise SpecError("a complex number has no JavaScript source", why=COMPLEX)
    if isinstance(value, bool):
        return str(int(value))
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(int(value) if value == int(value) and abs(value) < 1e15 else value)


def _constant(node: Node, w: Writer) -> Text:
    text = "Math.PI" if node.attrs.get("text") == "π" else _number(node.attrs["value"])
    return Text(text, SIGN if text.startswith("-") else Text("").level)


def _mul(node: Node, w: Writer) -> Text:
    for share, other in (node.inputs, node.inputs[::-1]):
        if is_reciprocal(share) and other.shape == node.shape:
            count = share.inputs[1]
            if other.op is linear.sum_ and other.symbol is None and counts(count, other):
                return _reduction("mean")(other, w)
            return call("div", w.text(other), w.text(count))
    return call("mul", *w.operands(node))


def _reduction(name: str, *extra: str) -> Spelling:
    def spell(node: Node, w: Writer) -> Text:
        (x,) = node.inputs
        more = [_value(node.attrs[key]) for key in extra]
        keep = ["true"] if node.attrs["keepdims"] else ["false"] * any(node.attrs[key] for key in extra)
        return call(name, w.text(x), _value(tuple(node.attrs["axes"])), *keep, *(more if keep else []))

    return spell


def _shape(shape: Shape, w: Writer) -> str:
    return f"[{', '.join(map(w.size, shape))}]"


def _shaped(name: str) -> Spelling:
    """The entries of the input in the shape of the result."""
    return lambda node, w: call(name, w.text(node.inputs[0]), _shape(node.shape, w))


def _stretch(node: Node, w: Writer) -> Text:
    (x,) = node.inputs
    return w.text(x) if x.shape == node.shape else _shaped("broadcast")(node, w)


def _permute(node: Node, w: Writer) -> Text:
    rank = len(node.shape)
    return call("permute", w.text(node.inputs[0]), _value(tuple(axis % rank for axis in node.attrs["axes"])))


def _einsum(node: Node, w: Writer) -> Text:
    axes = ", ".join(f'"{axes}"' for axes in node.attrs["axes"])
    return call("einsum", f"[{axes}]", f'"{node.attrs["result"]}"', *map(w.text, node.inputs))


def _concatenate(node: Node, w: Writer) -> Text:
    return call("concatenate", f"[{', '.join(w.text(x).code for x in node.inputs)}]", node.attrs["axis"])


def _key(node: Node, whole: Shape, w: Writer) -> str:
    """An index as a list of one item for each axis."""
    key = node.attrs["key"]
    arrays = node.inputs[len(node.inputs) - sum(isinstance(k, Slot) for k in key) :]
    items = []
    for k, size in zip(key, whole, strict=True):
        if isinstance(k, Slot):
            items.append(w.text(arrays[k.number]).code)
        elif isinstance(k, int):
            items.append(str(k))
        elif k == slice(0, size.value, 1):
            items.append("null")
        else:
            places = range(*k.indices(size.value or 0))
            items.append(f"slice({places.start}, {len(places)}{f', {k.step}' if k.step != 1 else ''})")
    return f"[{', '.join(items)}]"


def _index(node: Node, w: Writer) -> Text:
    x = node.inputs[0]
    return call("take", w.text(x), _key(node, x.shape, w))


def _unindex(node: Node, w: Writer) -> Text:
    return call("put", w.text(node.inputs[0]), _shape(node.shape, w), _key(node, node.shape, w))


def _replace(node: Node, w: Writer) -> Text:
    return call("replaced", w.text(node.inputs[0]), w.text(node.inputs[1]), _key(node, node.shape, w))


def _pieces(node: Node, w: Writer) -> Text:
    texts = w.operands(node)
    result = texts[-1]
    for value, condition in zip(texts[-3::-2], texts[-2::-2], strict=True):
        result = call("choose", condition, value, result)
    return result


def _put_along(node: Node, w: Writer) -> Text:
    return call("putAlong", *map(w.text, node.inputs), node.attrs["axis"], w.size(node.attrs["size"]))


WINDOWS = ("axes", "lengths", "strides", "dilations")


def _overlap_add(node: Node, w: Writer) -> Text:
    options = (_value(node.attrs[name]) for name in WINDOWS)
    return call("overlapAdd", w.text(node.inputs[0]), *options, _shape(node.shape, w))


def _identity(node: Node, w: Writer) -> Text:
    return call("scaledIdentity", w.text(node.inputs[0]), *map(w.size, node.attrs["sizes"]))


def _vector(node: Node, w: Writer) -> Text:
    return call("matvec", *map(w.text, node.inputs))


SPELLED: Mapping[Row, Spelling] = {
    leaves.constant_: _constant,
    leaves.size_: lambda node, w: Text(w.size(node.attrs["size"])),
    arithmetic.add: _entrywise("add"),
    arithmetic.sub: _entrywise("sub"),
    arithmetic.neg: _entrywise("neg"),
    arithmetic.mul: _mul,
    arithmetic.div: _entrywise("div"),
    arithmetic.power: lambda node, w: call("power", *w.operands(node), _number(node.attrs["exponent"])),
    linear.matmul: _named("matmul"),
    linear.transpose: _named("transpose"),
    linear.sum_: _reduction("sum"),
    linear.expand: _shaped("reshape"),
    linear.stretch: _stretch,
    vectors.matvec: _vector,
    vectors.outer: _named("outer"),
    vectors.einsum: _einsum,
    shaping.squeeze: _shaped("reshape"),
    shaping.reshape: _shaped("reshape"),
    shaping.permute: _permute,
    shaping.concatenate: _concatenate,
    shaping.index: _index,
    shaping.unindex: _unindex,
    shaping.replace_: _replace,
    rearranging.flip: _named("flip", "axes"),
    rearranging.roll: _named("roll", "shifts", "axes"),
    rearranging.argsort: _named("argsort", "axis"),
    rearranging.take_along: _named("takeAlong", "axis"),
    rearranging.put_along: _put_along,
    windows.windows: _named("windows", *WINDOWS),
    windows.overlap_add: _overlap_add,
    rearranging.convolve: _named("convolve"),
    rearranging.correlate: _named("correlate"),
    reductions.max_: _reduction("max"),
    reductions.min_: _reduction("min"),
    reductions.var: _reduction("variance", "ddof"),
    reductions.prod: _reduction("prod"),
    reductions.cumsum: _named("cumsum", "axis", "reverse"),
    reductions.cumprod: _named("cumprod", "axis", "reverse"),
    reductions.prod_others: _named("productOfOthers", "axis"),
    reductions.recurrence: _named("recurrence", "axis", "reverse"),
    linalg.trace: _named("trace"),
    linalg.scaled_identity: _identity,
    linalg.diag: _named("diag"),
    linalg.diagonal: _named("diagonal"),
    linalg.diag_times: _named("diagTimes"),
    linalg.tril: _named("tril", "k"),
    linalg.triu: _named("triu", "k"),
    linalg.half_triangle: _named("halfTriangle"),
    linalg.inv: _named("inv"),
    linalg.det: _named("det"),
    linalg.logabsdet: _named("logabsdet"),
    linalg.solve: _named("solve"),
    linalg.solvevec: _named("solvevec"),
    linalg.cholesky: _named("cholesky"),
    linalg.reciprocal_gaps: _named("reciprocalGaps"),
    softmax.softmax: _named("softmax", "axis"),
    softmax.log_softmax: _named("logSoftmax", "axis"),
    elementary.equal: _entrywise("equal"),
    elementary.not_equal: _entrywise("notEqual"),
    elementary.greater: _entrywise("greater"),
    elementary.greater_equal: _entrywise("greaterEqual"),
    elementary.less: _entrywise("less"),
    elementary.less_equal: _entrywise("lessEqual"),
    elementary.pieces: _pieces,
    elementary.floor: _entrywise("floor"),
    elementary.ceil: _entrywise("ceil"),
    elementary.trunc: _entrywise("trunc"),
    elementary.rint: _entrywise("rint"),
    elementary.whole: _entrywise("trunc"),
    elementary.floor_divide: _entrywise("floorDivide"),
}
"""How each operation is written. A scalar function that is not here becomes a function of the program."""
