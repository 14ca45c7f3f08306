"""Programs: a graph as statements in order, with names that a language can have.

What is common to all languages is done here: one statement for each named quantity that is needed, expressions without
a name put in where they are used, and a variable for those that are used twice. A language only spells operations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from keyword import iskeyword

from backproof.emit.text import Text
from backproof.ir.node import Node, ancestors
from backproof.ir.sizes import Shape, Size, broadcast
from backproof.ir.symbol import Symbol
from backproof.ops.activations import identity
from backproof.ops.complexes import ComplexNodes, complex_nodes
from backproof.ops.elementary import pieces
from backproof.ops.entries import row_of
from backproof.ops.fused import FusedRow
from backproof.ops.leaves import constant_, input_, size_
from backproof.ops.linear import expand, stretch, transpose
from backproof.ops.scalar import ScalarRow

LONGEST = 60
"""A formula of more operations than this is computed in parts: neither readers nor compilers like longer lines."""
CHEAP = (input_, constant_, size_, stretch, expand, transpose)
"""What is written again rather than kept in a variable."""


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """What a program computes.

    name       what the function is called
    inputs     its arguments
    constants  inputs whose values are part of the program
    forward    the quantities of the forward pass, in order
    result     that of them which is returned
    backward   those of the backward pass
    gradients  what is returned besides the result, in this order, by the argument, or by itself where that is its name
    """

    name: str
    inputs: tuple[Node, ...]
    constants: tuple[Node, ...]
    forward: tuple[Node, ...]
    result: Node
    backward: tuple[Node, ...]
    gradients: Mapping[Node, Node]


@dataclass(frozen=True, slots=True)
class Statement:
    """``name = text``; `shape` is that of the value where it is a quantity of the program."""

    name: str
    text: str
    shape: Shape | None = None


Spell = Callable[[Node, "Writer"], Text]
"""A language's text of one operation; it asks the writer for the texts of the inputs."""


class Writer:
    """The statements of a program in a language, in order.

    `lowered` gives an operation in terms of others where the language has no text for it, else None.
    """

    def __init__(
        self, program: Program, spell: Spell, lowered: Callable[[Node], Node | None], reserved: Collection[str]
    ) -> None:
        self._spell, self._lowered = spell, lowered
        self._taken = set(reserved)
        self._names: dict[Node, str] = {}
        self._known: dict[Hashable, Node] = {}
        self._in_language: set[Node] = set()
        self._variables: dict[Node, str] = {}
        self._count = count(1)
        self._decimal: dict[Node, bool] = {}
        self._latest: dict[tuple[Shape, bool], str] = {}
        self._axes: dict[str, tuple[str, int]] = {}
        self.sizes: dict[str, tuple[str, int]] = {}
        self.statements: list[Statement] = []
        order = ancestors([program.result, *program.gradients.values()])
        needed = set(order)
        self._complexes: ComplexNodes | None = complex_nodes(order)
        for node in (*program.inputs, *program.constants):
            self._add(node)
        for node in program.inputs:
            for axis, size in enumerate(node.shape):
                if not size.name.isdigit():
                    self._axes.setdefault(size.name, (self._names[node], axis))
        self._taken |= set(self._axes)
        self._forward = [node for node in program.forward if node in needed]
        self._backward = [node for node in program.backward if node in needed]
        self._formulas = {node: self._plain(node) for node in (*self._forward, *self._backward)}
        parents = ancestors(self._formulas.values(), stop=lambda x: x.symbol is not None)
        self._uses = Counter(x for node in parents if node.symbol is None for x in node.inputs)

    def write(self) -> tuple[list[Statement], list[Statement]]:
        """The statements of the forward and of the backward pass."""
        for node in self._forward:
            self._define(node)
        first = len(self.statements)
        for node in self._backward:
            self._define(node)
        return self.statements[:first], self.statements[first:]

    # --- names

    def name(self, node: Node) -> str:
        """The variable that holds a quantity."""
        return self._names[node]

    def like(self, value: Node) -> str | None:
        """A variable that holds a quantity of the shape and kind of a value, the one computed last."""
        return self._latest.get((value.shape, self.is_complex(value)))

    def is_complex(self, node: Node) -> bool:
        """Whether the numbers of a node are complex."""
        return self._complexes is not None and node in self._complexes

    def size(self, size: Size) -> str:
        """The length of an axis: a number, or the variable that holds it."""
        if size.name not in self._axes:
            return str(size.value)
        self.sizes[size.name] = self._axes[size.name]
        return size.name

    def shape(self, shape: Shape) -> str:
        """A shape as a tuple."""
        lengths = [self.size(size) for size in shape]
        return f"({lengths[0]},)" if len(lengths) == 1 else f"({', '.join(lengths)})"

    def reserved(self, base: str) -> str:
        """A name that nothing has yet, and from now on nothing else gets."""
        name = free(base, self._taken)
        self._taken.add(name)
        return name

    def _add(self, node: Node) -> str:
        assert node.symbol is not None
        self._names[node] = self.reserved(identifier(node.symbol, ()))
        for x in ancestors([node], stop=self._decimal.__contains__):
            if x not in self._decimal:
                self._decimal[x] = _is_decimal(x, self._decimal)
        if self._decimal[node]:
            self._latest[node.shape, self.is_complex(node)] = self._names[node]
        return self._names[node]

    # --- expressions

    def text(self, node: Node) -> Text:
        """An operand: a variable, or an expression in place."""
        name = self._names.get(node) or self._variables.get(node)
        if name is not None:
            return Text(name)
        if self._uses[node] < 2 or node.op in CHEAP or not any(x.shape for x in node.inputs):
            return self._spell(node, self)
        return self._kept(node)

    def _kept(self, node: Node) -> Text:
        """A part of a formula in a variable of its own."""
        text = self._spell(node, self).code
        name = next(name for k in self._count if (name := f"t{k}") not in self._taken)
        self._taken.add(name)
        self._variables[node] = name
        self.statements.append(Statement(name, text))
        return Text(name)

    def operands(self, node: Node) -> list[Text]:
        """The inputs of an element-wise operation; what broadcasts by itself is not stretched first."""
        bare = [x.inputs[0] if x.op is stretch and x.symbol is None else x for x in node.inputs]
        if broadcast([x.shape for x in bare]) != node.shape:
            bare = [*node.inputs]
        return [self.text(x) for x in bare]

    def _define(self, node: Node) -> None:
        formula = self._formulas[node]
        known = self._is_known(formula)
        if not known:
            self._shorten(formula)
        text = self.text(formula) if known else self._spell(formula, self)
        self.statements.append(Statement(self._add(node), text.code, node.shape))
        # Whoever needs the same formula again finds it here.
        self._variables.setdefault(formula, self._names[node])

    def _is_known(self, node: Node) -> bool:
        return node in self._names or node in self._variables

    def _shorten(self, formula: Node) -> None:
        """Puts parts of a long formula into variables."""
        lengths: dict[Node, int] = {}
        for node in ancestors([formula], stop=self._is_known):
            lengths[node] = 1 if self._is_known(node) else 1 + sum(lengths[x] for x in node.inputs)
            if lengths[node] > LONGEST and node is not formula:
                self._kept(node)
                lengths[node] = 1

    def _plain(self, quantity: Node) -> Node:
        """A quantity's formula in operations that the language has, equal parts being the same nodes."""
        done: dict[Node, Node] = {}

        def stop(x: Node) -> bool:
            return x in self._in_language or (x.symbol is not None and x is not quantity)

        for node in ancestors([quantity], stop=stop):
            if stop(node):
                done[node] = node
                continue
            made = replace(node, inputs=tuple(done[x] for x in node.inputs), symbol=None)
            opened = made.inputs[0] if made.op is identity else _written(made) or self._lowered(made)
            if opened is not None:
                done[node] = opened if opened.symbol is not None else self._plain(opened)
                continue
            key = (made.op, made.inputs, str(sorted(made.attrs.items(), key=str)))
            done[node] = self._known.setdefault(key, made)
            self._in_language.add(done[node])
        return done[quantity]


def _written(node: Node) -> Node | None:
    row = row_of(node)
    return row.written(*node.inputs) if isinstance(row, FusedRow) else None


def identifier(symbol: Symbol, taken: Collection[str]) -> str:
    """A symbol as a variable's name that is not taken: W[1] as W1."""
    base = f"{symbol.prefix}{symbol.base}{'' if symbol.layer is None else symbol.layer}"
    name = "".join(c if f"_{c}".isidentifier() else "_" for c in base)
    return free(name if name.isidentifier() else f"_{name}", taken)


def free(name: str, taken: Collection[str]) -> str:
    """A name with as many underscores behind it as it takes to be nobody else's."""
    while name in taken or iskeyword(name):
        name += "_"
    return name


def _is_decimal(node: Node, known: Mapping[Node, bool]) -> bool:
    """Whether a value is surely no array of whole numbers or truths, as np.where(x > 0, 1, 0) is."""
    if node.op is input_:
        value = node.attrs.get("value")
        return value is None or value.dtype.kind in "fc"
    row = row_of(node)
    if row.kind in ("leaf", "zero") or (isinstance(row, ScalarRow) and any(row.scalar.orders)):
        return False
    return any(known[x] for x in (node.inputs[::2] if row is pieces else node.inputs))
