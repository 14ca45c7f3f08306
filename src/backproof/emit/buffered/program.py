"""A step of a training as a NumPy function whose arrays stay where they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

from backproof.emit.buffered.arithmetic import Arrays, shape_of
from backproof.emit.buffered.places import Placed, Places
from backproof.emit.buffered.statements import Held, Operand
from backproof.emit.entrywise import entry_of, is_entrywise
from backproof.emit.program import identifier
from backproof.emit.regions import Region, called
from backproof.emit.scalars import UncoveredError
from backproof.emit.step import Step
from backproof.ir.node import Node, ancestors
from backproof.ir.sizes import Size
from backproof.ops import leaves, linear, reductions, shaping, softmax
from backproof.ops.entries import row_of

RESERVED = ("np", "special", "step")
"""Names that the text itself uses."""
REDUCED = {linear.sum_: "np.add.reduce", reductions.max_: "np.maximum.reduce"}


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """The text of a step, and what it takes.

    text     the source of ``step(X, Y, …)``, of which the data are the arguments; it returns the result
    arrays   the arrays that it computes in, by name: their shapes, and whether they hold truths
    views    other views of these and of the state, to be made once: name and text, in order
    names    what the numbers and the state are called
    extra    what else the text names
    regions  what each line of the function's body does, but for the last, which returns
    """

    text: str
    arrays: Mapping[str, tuple[tuple[int, ...], bool]]
    views: Sequence[tuple[str, str]]
    names: Mapping[Node, str]
    extra: Mapping[str, object]
    regions: Sequence[Region]


def program(step: Step, sizes: Mapping[str, int]) -> Program:
    """The step as NumPy source for arrays of these sizes. It has a form for every operation."""
    return _Emitter(step, sizes).program()


class _Emitter:
    def __init__(self, step: Step, sizes: Mapping[str, int]) -> None:
        self._step, self._sizes = step, sizes
        self._arrays, self._called = Arrays(), called(step)
        self._known: dict[Node, Operand] = {}
        self._names: dict[Node, str] = {}
        self._functions: dict[tuple[Any, str], str] = {}
        self._exponentials: dict[tuple[Held, int], tuple[Operand, Operand, Held]] = {}
        for node in (*step.data, *step.numbers, *step.state):
            assert node.symbol is not None
            self._names[node] = identifier(node.symbol, (*RESERVED, *self._names.values()))
            self._known[node] = Held(self._lengths(node.shape), name=self._names[node])

    def program(self) -> Program:
        step = self._step
        self._compute([step.result, *step.after])
        after: list[tuple[Held, Operand]] = []
        for state, new in zip(step.state, step.after, strict=True):
            held = self._known[state]
            assert isinstance(held, Held)
            after.append((held, self._known[new]))
        data, fixed = (self._held(x) for x in (step.data, (*step.numbers, *step.state)))
        result = self._known[step.result]
        taken = [*RESERVED, *self._names.values()]
        found = Places(self._arrays.statements, data, fixed, after, result, taken).placed()
        return Program(self._text(found), found.arrays, found.views, self._names, found.extra, found.regions)

    def _held(self, nodes: Sequence[Node]) -> list[Held]:
        return [x for x in map(self._known.__getitem__, nodes) if isinstance(x, Held)]

    def _text(self, found: Placed) -> str:
        arguments = ", ".join(self._names[x] for x in self._step.data)
        return "\n".join([f"def step({arguments}):", *(f"    {line}" for line in found.lines)]) + "\n"

    def _lengths(self, shape: Sequence[Size]) -> tuple[int, ...]:
        return tuple(map(self._length, shape))

    def _length(self, size: Size) -> int:
        length = self._sizes.get(size.name, size.value)
        assert length is not None
        return length

    # --- operations

    def _compute(self, nodes: Sequence[Node]) -> None:
        for node in ancestors(nodes, stop=self._known.__contains__):
            if node not in self._known:
                count = len(self._arrays.statements)
                self._known[node] = self._computed(node)
                about = self._called.get(node) or str(node.symbol or "")
                if about and len(self._arrays.statements) > count:
                    last = self._arrays.statements[-1]
                    last.about = last.about or about

    def _computed(self, node: Node) -> Operand:
        op, attrs, arrays = row_of(node), node.attrs, self._arrays
        inputs = [self._known[x] for x in node.inputs]
        shape = self._lengths(node.shape)
        if op is leaves.constant_:
            return float(attrs["value"])
        if op is leaves.input_:
            name = f"given_{len(self._known)}"
            return arrays.makes(name, (), shape, **{name: attrs["value"]})
        if op is leaves.size_:
            return float(self._length(attrs["size"]))
        if is_entrywise(node):
            count = len(arrays.statements)
            try:
                return entry_of(node, inputs, arrays)
            except UncoveredError:
                del arrays.statements[count:]
        if op is linear.matmul:
            a, b = (self._array(x, y.shape) for x, y in zip(inputs, node.inputs, strict=True))
            function = "np.dot" if len(shape) == 2 and len(a.shape) == 2 else "np.matmul"
            return arrays.into(f"{function}({{0}}, {{1}}, out={{out}})", (a, b), Held(shape))
        if op in REDUCED:
            return self._reduced(node, inputs[0])
        if op in (softmax.softmax, softmax.log_softmax):
            return self._softmax(self._array(inputs[0], node.shape), attrs["axis"], is_log=op is softmax.log_softmax)
        moved = self._moved(node, inputs[0], shape) if inputs else None
        if moved is not None:
            return moved
        if op.body is not None:
            written = op.body(*node.inputs, **attrs)
            self._compute([written])
            return self._known[written]
        return self._by_meaning(node, shape)

    def _reduced(self, node: Node, x: Operand) -> Operand:
        """The sum of entries, or the largest of them."""
        rank, attrs = len(node.inputs[0].shape), node.attrs
        axes = tuple(axis % rank for axis in attrs["axes"])
        if not isinstance(x, Held):
            count = prod(self._length(node.inputs[0].shape[axis]) for axis in axes)
            return x * count if node.op is linear.sum_ else x
        operand = self._arrays.decimal(self._array(x, node.inputs[0].shape))
        where = axes[0] if len(axes) == 1 else axes
        text = f"{REDUCED[row_of(node)]}({{0}}, axis={where}, keepdims={attrs['keepdims']}, out={{out}})"
        return self._arrays.into(text, (operand,), Held(self._lengths(node.shape)))

    def _softmax(self, z: Held, axis: int, *, is_log: bool) -> Operand:
        arrays = self._arrays
        shifted, power, total = self._powers(z, axis)
        return arrays.sub(shifted, arrays.function("log", total)) if is_log else arrays.div(power, total)

    def _powers(self, z: Held, axis: int) -> tuple[Operand, Operand, Held]:
        """What a softmax is made of, and its logarithm: the differences to the largest, their exponentials, the sum."""
        if (z, axis) not in self._exponentials:
            arrays, column = self._arrays, tuple(1 if k == axis % len(z.shape) else n for k, n in enumerate(z.shape))
            along = f"axis={axis}, keepdims=True, out={{out}})"
            top = arrays.into(f"np.maximum.reduce({{0}}, {along}", (z,), Held(column))
            shifted = arrays.sub(z, top)
            power = arrays.function("exp", shifted)
            assert isinstance(power, Held)
            total = arrays.into(f"np.add.reduce({{0}}, {along}", (power,), Held(column))
            self._exponentials[z, axis] = shifted, power, total
        return self._exponentials[z, axis]

    def _moved(self, node: Node, x: Operand, shape: tuple[int, ...]) -> Operand | None:
        """An array whose entries only stand in other places, as a view."""
        op, arrays = row_of(node), self._arrays
        if op not in (linear.transpose, linear.expand, linear.stretch, shaping.squeeze, shaping.permute):
            return None
        if not isinstance(x, Held):
            return x
        if x.shape == shape and op is not linear.transpose and op is not shaping.permute:
            return x
        if op is linear.transpose:
            turned = (*x.shape[:-2], *x.shape[:-3:-1])  # an array that NumPy repeats by itself has its own shape
            return arrays.makes("{0}.T" if len(turned) == 2 else "np.swapaxes({0}, -1, -2)", (x,), turned)
        if op is linear.stretch or (op is linear.expand and len(shape) == len(x.shape)):
            return arrays.makes(f"np.broadcast_to({{0}}, {shape})", (x,), shape)
        return arrays.makes(f"{self._named(node)}({{0}})", (x,), shape, **{self._named(node): self._meaning(node)})

    def _by_meaning(self, node: Node, shape: tuple[int, ...]) -> Operand:
        name = self._named(node)
        operands = tuple(self._array(self._known[x], x.shape) for x in node.inputs)
        places = ", ".join(f"{{{k}}}" for k in range(len(operands)))
        return self._arrays.makes(f"{name}({places})", operands, shape, **{name: self._meaning(node)})

    def _named(self, node: Node) -> str:
        """What the meaning of an operation is called: different attributes make different functions."""
        key = node.op, str([self._resolved(x) for x in node.attrs.values()])
        name = "".join(c if f"_{c}".isidentifier() else "_" for c in node.op.name)
        return self._functions.setdefault(key, f"{name}_{len(self._functions) + 1}")

    def _meaning(self, node: Node) -> Any:
        attrs = {name: self._resolved(value) for name, value in node.attrs.items()}
        return partial(row_of(node).meaning, **attrs) if attrs else row_of(node).meaning

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, Size):
            return self._length(value)
        return tuple(map(self._resolved, value)) if isinstance(value, tuple) else value

    def _array(self, x: Operand, shape: Sequence[Size]) -> Held:
        """An operand that has to be an array of its full shape."""
        lengths = self._lengths(shape)
        if isinstance(x, Held) and x.shape == lengths:
            return x
        if shape_of(x) == () and not isinstance(x, Held):
            return self._arrays.into("{out}.fill({0})", (x,), Held(lengths))
        return self._arrays.makes(f"np.broadcast_to({{0}}, {lengths})", (x,), lengths)
