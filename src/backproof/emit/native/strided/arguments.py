"""What the function of a kernel is given, and which kernels have the same one."""

from __future__ import annotations

from typing import Any

from backproof.emit.native.strided.kernels import Entrywise, Reduction
from backproof.emit.native.strided.values import Buffer, Loaded, Number, Value
from backproof.emit.step import plain


class Arguments:
    """What a kernel's function is given: pointers to arrays and to tables, each of them once."""

    def __init__(self) -> None:
        self.arrays: list[Loaded] = []
        self.numbers: dict[tuple[Any, ...], int] = {}

    def number(self, x: Loaded) -> int:
        """Which of the arrays it is."""
        key = (x.buffer, x.table, x.offset, x.strides, tuple((id(y.value), y.distance) for y in x.lookups))
        if key not in self.numbers:
            self.numbers[key] = len(self.arrays)
            self.arrays.append(x)
        return self.numbers[key]

    @property
    def places(self) -> list[tuple[Buffer, int]]:
        """The buffers that pointers are to be given to, and to which number there: an array, then its table."""
        found = []
        for x in self.arrays:
            found.append((x.buffer, 0 if x.table is not None else x.offset))
            if x.table is not None:
                found.append((x.table, x.offset))
        return found


def arguments_of(kernel: Entrywise | Reduction) -> tuple[Arguments, str]:
    """What the function of a kernel is given, and a text that kernels with the same function have in common."""
    arguments, numbers = Arguments(), dict[int, int]()
    lines = []

    def told(x: Value) -> str:
        if isinstance(x, Number):
            return repr(x.value)
        if id(x) not in numbers:
            text = ""
            if isinstance(x, Loaded):
                own = arguments.number(x)
                looked = [(told(y.value), y.distance, y.length) for y in x.lookups]
                text = f"array {own} {x.strides} {x.table is not None} {looked}"
            else:
                inputs = [told(y) for y in x.inputs]
                attrs = {name: plain(value) for name, value in sorted(x.node.attrs.items())}
                text = f"{x.node.op.name} {getattr(x.node.op, 'scalar', None)} {attrs} {inputs}"
            numbers[id(x)] = len(numbers)
            lines.append(f"{numbers[id(x)]} = {text}")
        return f"v{numbers[id(x)]}"

    if isinstance(kernel, Reduction):
        target = told(kernel.target)
        lines.append(f"{kernel.kind} {kernel.value.shape} {sorted(kernel.over)} {target} {told(kernel.value)}")
    else:
        targets = [told(x.target) for x in kernel.stores]  # first of all
        ends = [(target, told(x.value), x.adds) for target, x in zip(targets, kernel.stores, strict=True)]
        lines.append(f"{kernel.shape} {ends}")
    return arguments, "\n".join(lines)
